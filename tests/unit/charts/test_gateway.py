"""The HTTPRoute of the UI: what it matches, what it leads to, and that the path is gone behind it."""

from __future__ import annotations

from typing import Any

import pytest

from ci.core.paths import FLINK
from harness.helm import Helm, HelmError
from harness.manifests import Manifests, Object, parse, render

WEB = [{"name": "web", "namespace": "gateways"}]


def route(**gateway: Any) -> Object:
    return render(FLINK, {"gateway": {"parentRefs": WEB, **gateway}}, name="r").one("HTTPRoute", "r-flink-rest")


def test_a_host_leads_to_the_rest_api() -> None:
    spec = route(hostnames=["flink.example"])["spec"]
    assert spec == {
        "parentRefs": WEB,
        "hostnames": ["flink.example"],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "backendRefs": [{"name": "r-flink-rest", "port": 8081}],
            }
        ],
    }
    assert "hostnames" not in route()["spec"]


@pytest.mark.parametrize("path", ["/tools/flink", "/tools/flink/"])
def test_a_path_is_stripped_and_gets_its_last_slash(path: str) -> None:
    slash, rest = route(path=path)["spec"]["rules"]
    assert slash["matches"] == [{"path": {"type": "Exact", "value": "/tools/flink"}}]
    (redirect,) = slash["filters"]
    assert redirect["requestRedirect"]["path"] == {"type": "ReplaceFullPath", "replaceFullPath": "/tools/flink/"}
    assert "backendRefs" not in slash
    assert rest["matches"] == [{"path": {"type": "PathPrefix", "value": "/tools/flink"}}]
    (rewrite,) = rest["filters"]
    assert rewrite["urlRewrite"]["path"] == {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}


def test_templates_are_rendered() -> None:
    http_route = route(
        parentRefs=[{"name": "{{ .Release.Name }}-web"}], path="/{{ .Release.Namespace }}", annotations={"a": True}
    )
    assert http_route["spec"]["parentRefs"] == [{"name": "r-web"}]
    assert http_route["spec"]["rules"][0]["matches"][0]["path"]["value"] == "/default"
    assert http_route["metadata"]["annotations"] == {"a": "true"}


def test_the_hooks_may_look_at_it() -> None:
    def role(values: dict[str, Any]) -> str:
        return str(render(FLINK, values, name="r").one("Role", "r-flink-hooks")["rules"])

    assert "httproutes" in role({"gateway": {"parentRefs": WEB}, "flink": {"type": "job"}})
    assert "httproutes" not in role({"flink": {"type": "job"}})


def test_a_cluster_without_the_gateway_api_is_told() -> None:
    values = {"gateway": {"parentRefs": WEB}}
    assert Helm().template(FLINK, values, api_versions=("v1/Pod", "gateway.networking.k8s.io/v1/HTTPRoute"))
    with pytest.raises(HelmError, match="gateway.parentRefs is set, but the cluster has no gateway.networking.k8s.io"):
        Helm().template(FLINK, values, api_versions=("v1/Pod",))


def encrypted(*api_versions: str, **more: Any) -> Manifests:
    tls = {"rest": {"enabled": True, "secretName": "s"}}
    gateway = {"parentRefs": WEB, "caConfigMap": "{{ .Release.Name }}-authority"}
    return parse(Helm().template(FLINK, {"tls": tls, "gateway": gateway, **more}, name="r", api_versions=api_versions))


def test_a_gateway_looks_at_the_certificate_of_rest() -> None:
    manifests = encrypted()
    policy = manifests.one("BackendTLSPolicy", "r-flink-rest")
    (target,), validation = policy["spec"]["targetRefs"], policy["spec"]["validation"]
    (backend,) = manifests.one("HTTPRoute")["spec"]["rules"][0]["backendRefs"]
    (port,) = manifests.one("Service", backend["name"])["spec"]["ports"]
    assert target == {"group": "", "kind": "Service", "name": backend["name"], "sectionName": port["name"]}
    assert port["port"] == backend["port"]
    # By it alone Contour speaks HTTPS with whoever answers, while the policy names a ConfigMap that is not there.
    assert "appProtocol" not in port
    assert validation == {
        "hostname": "r-flink-rest",
        "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "r-authority"}],
    }


def test_a_proxy_before_the_ui_speaks_plain_http_with_the_gateway() -> None:
    assert not encrypted(rest={"readOnly": True}).by("BackendTLSPolicy")


GROUP = "gateway.networking.k8s.io"


@pytest.mark.parametrize(
    ("known", "version"),
    [
        ((), "v1"),
        (("v1alpha3",), "v1alpha3"),
        (("v1", "v1alpha3"), "v1"),
    ],
)
def test_a_cluster_knows_the_policy_by_one_of_two_versions(known: tuple[str, ...], version: str) -> None:
    apis = [f"{GROUP}/{one}/BackendTLSPolicy" for one in known]
    cluster = ("v1/Pod", f"{GROUP}/v1/HTTPRoute", *apis) if known else ()
    assert encrypted(*cluster).one("BackendTLSPolicy")["apiVersion"] == f"{GROUP}/{version}"


def test_a_cluster_without_the_policy_is_told() -> None:
    with pytest.raises(HelmError, match=f"gateway.caConfigMap is set, but the cluster has no {GROUP}/v1/BackendTLSPolicy"):
        encrypted("v1/Pod", f"{GROUP}/v1/HTTPRoute")
