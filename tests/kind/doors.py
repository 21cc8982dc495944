"""Ways in to a release that are tried with what people have: Contour with Envoy, a browser, a provider of logins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import requests
import yaml
from requests.adapters import HTTPAdapter

from ci.core import versions
from ci.images import images
from ci.images.access import CONTOUR, IMAGE
from ci.machine import golang
from harness import network
from harness.cluster import Cluster
from harness.workloads import wait_ready
from tests.kind import kinds

Json = dict[str, Any]

# As the provider knows the proxy.
CLIENT = {"CLIENT_ID": "flink", "CLIENT_SECRET": "between-the-two"}


def _examples() -> Path:
    return golang.module_folder(CONTOUR, versions.get("access", "contour")) / "examples"


def define_kinds(cluster: Cluster) -> None:
    """Have the cluster know the Gateway API, and Contour's own kinds."""
    manifests = [(_examples() / name).read_text() for name in ("contour/01-crds.yaml", "gateway/00-crds.yaml")]
    of_gateways = (f"{kind}.gateway.networking.k8s.io" for kind in ("gateways", "httproutes"))
    kinds.define(cluster, manifests, "httpproxies.projectcontour.io", *of_gateways)


def _container(name: str, command: list[str], **more: Any) -> Json:
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    return {"name": name, "image": IMAGE, "command": command, "securityContext": security, **more}


def _pod(name: str, containers: list[Json], **more: Any) -> Json:
    security = {"runAsNonRoot": True, "runAsUser": 9999, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"terminationGracePeriodSeconds": 0, "securityContext": security, "containers": containers, **more}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def _service(name: str, port: int) -> Json:
    ports = [{"port": port, "targetPort": 8080}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": ports},
    }


def _rights(namespace: str) -> list[Json]:
    """An account with the rights that Contour asks for, in names of this namespace's own."""
    documents = yaml.safe_load_all((_examples() / "contour" / "02-role-contour.yaml").read_text())
    (rules,) = [one["rules"] for one in documents if one and one["kind"] == "ClusterRole"]
    name, rbac = f"contour-{namespace}", "rbac.authorization.k8s.io"
    role = {"apiGroup": rbac, "kind": "ClusterRole", "name": name}
    subjects = [{"kind": "ServiceAccount", "name": "contour", "namespace": namespace}]
    api = {"apiVersion": f"{rbac}/v1", "metadata": {"name": name}}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "contour"}},
        {**api, "kind": "ClusterRole", "rules": rules},
        {**api, "kind": "ClusterRoleBinding", "roleRef": role, "subjects": subjects},
    ]


def _controller(namespace: str) -> list[Json]:
    """Contour and Envoy in one pod, for the Ingresses of a class that is called like the namespace, and a Gateway `web`."""
    xds = ["--xds-address=127.0.0.1", "--xds-port=8001"]
    where = [
        {"name": "CONTOUR_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
        {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]
    names = ("config", "envoy", "admin")
    mounts = [{"name": name, "mountPath": f"/{name}"} for name in names]
    serve = ["contour", "serve", "--incluster", "--insecure", *xds, "--config-path=/config/contour.yaml",
             "--disable-leader-election", f"--ingress-class-name={namespace}"]  # fmt: skip
    envoy = [
        "envoy",
        "-c",
        "/envoy/envoy.json",
        "--service-cluster",
        namespace,
        "--service-node",
        "envoy",
        "--disable-hot-restart",
    ]
    bootstrap = ["contour", "bootstrap", "/envoy/envoy.json", *xds, "--xds-resource-version=v3"]
    contour_config = {"gateway": {"gatewayRef": {"name": "web", "namespace": namespace}}}
    name, api = f"contour-{namespace}", {"apiVersion": "gateway.networking.k8s.io/v1"}
    listener = {"name": "http", "protocol": "HTTP", "port": 80}
    # Envoy listens once there is a route: this one leads nowhere.
    ready = {"type": "RequestRedirect", "requestRedirect": {"hostname": "elsewhere.example"}}
    probe = {
        "httpGet": {"path": "/", "port": 8080, "httpHeaders": [{"name": "Host", "value": "ready.example"}]},
        "periodSeconds": 1,
    }
    pod = _pod(
        "contour",
        [
            _container("contour", serve, env=where, volumeMounts=mounts),
            _container("envoy", envoy, volumeMounts=mounts, ports=[{"containerPort": 8080}], readinessProbe=probe),
        ],
        initContainers=[_container("bootstrap", bootstrap, env=where, volumeMounts=mounts)],
        serviceAccountName="contour",
        volumes=[
            {"name": "config", "configMap": {"name": "contour"}},
            *({"name": name, "emptyDir": {}} for name in names[1:]),
        ],
    )
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "contour"},
            "data": {"contour.yaml": yaml.safe_dump(contour_config)},
        },
        {
            **api,
            "kind": "GatewayClass",
            "metadata": {"name": name},
            "spec": {"controllerName": "projectcontour.io/gateway-controller"},
        },
        {**api, "kind": "Gateway", "metadata": {"name": "web"}, "spec": {"gatewayClassName": name, "listeners": [listener]}},
        {
            **api,
            "kind": "HTTPRoute",
            "metadata": {"name": "ready"},
            "spec": {"parentRefs": [{"name": "web"}], "hostnames": ["ready.example"], "rules": [{"filters": [ready]}]},
        },
        _service("contour", 80),
        pod,
    ]


def _provider(namespace: str) -> list[Json]:
    variables = {"LISTEN": ":8080", "HOST": f"oidc.{namespace}:8080", **CLIENT}
    env = [{"name": name, "value": value} for name, value in variables.items()]
    probe = {"httpGet": {"path": "/oidc/.well-known/openid-configuration", "port": 8080}, "periodSeconds": 1}
    container = _container("oidc", ["oidc"], env=env, readinessProbe=probe, ports=[{"containerPort": 8080}])
    return [_service("oidc", 8080), _pod("oidc", [container])]


class _Forwarded(HTTPAdapter):
    """Goes to local ports by the names of hosts that only a cluster, or nobody, knows."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        super().__init__()
        self._ports = ports

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        assert request.url
        parts = urlsplit(request.url)
        port = self._ports.get(parts.hostname or "", self._ports[""])
        sent = request.copy()
        sent.headers["Host"] = parts.netloc
        sent.url = urlunsplit(("http", f"127.0.0.1:{port}", parts.path, parts.query, ""))
        response = super().send(sent, *args, **options)
        response.url, response.request = request.url, request
        return response


class Doors:
    """Contour and the provider of a namespace, and who comes to them."""

    def __init__(self, namespace: str, ports: Mapping[str, int]) -> None:
        self.ingress_class = namespace
        self.issuer = f"http://oidc.{namespace}:8080/oidc"
        self._ports = ports

    def browser(self) -> requests.Session:
        """A browser that nobody has used: every host is Contour's, but for the provider's."""
        session = requests.Session()
        session.trust_env = False
        session.headers["Accept"] = "text/html,*/*"
        session.mount("http://", _Forwarded(self._ports))
        return session

    def next_user(self, email: str, *groups: str) -> None:
        """Who logs in next at the provider."""
        answer = self.browser().post(f"{self._provider}/user", json={"email": email, "groups": groups}, timeout=30)
        answer.raise_for_status()

    @property
    def _provider(self) -> str:
        return self.issuer.removesuffix("/oidc")

    def token(self, email: str, *groups: str) -> str:
        """An ID token of the provider, as a program gets one."""
        self.next_user(email, *groups)
        session = self.browser()
        asked = {
            "scope": "openid email groups",
            "state": "any",
            "response_type": "code",
            "redirect_uri": "http://program.example/",
        }
        client = {"client_id": CLIENT["CLIENT_ID"]}
        answer = session.get(f"{self.issuer}/authorize", params={**asked, **client}, allow_redirects=False, timeout=30)
        (code,) = parse_qs(urlsplit(answer.headers["Location"]).query)["code"]
        form = {**client, "client_secret": CLIENT["CLIENT_SECRET"], "grant_type": "authorization_code", "code": code}
        token: str = session.post(f"{self.issuer}/token", data=form, timeout=30).json()["id_token"]
        return token


def load_images(cluster: Cluster) -> None:
    """Have the nodes hold what `IMAGE` names, and the login; done again it changes nothing."""
    images.load_named(images.ways_in(), workers=len(cluster.core.list_node().items) - 1)


@contextmanager
def doors(cluster: Cluster, namespace: str) -> Iterator[Doors]:
    """Contour and a provider that serve; their images are there."""
    define_kinds(cluster)
    there = [*_rights(namespace), *_controller(namespace), *_provider(namespace)]

    with ExitStack() as stack:
        stack.enter_context(cluster.having(there, namespace))
        wait_ready(cluster, namespace, "contour", "oidc")
        ports = {
            "": stack.enter_context(network.port_forward(cluster, namespace, "pod/contour", 8080)),
            f"oidc.{namespace}": stack.enter_context(network.port_forward(cluster, namespace, "pod/oidc", 8080)),
        }
        yield Doors(namespace, ports)
