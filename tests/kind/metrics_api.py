"""Stands in for the metrics server: the pods of TaskManagers share as much CPU as a test says."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.cluster import Cluster
from harness.waits import wait_for

Json = dict[str, Any]
NAME = "metrics-api"
VERSION = "v1beta1"
IMAGE = "python:3.11-slim-bookworm"

# Asked by Kubernetes' own controller through the API server. /tmp/load is what the test writes, in thousandths of a CPU.
SCRIPT = """
import datetime, http.server, json, pathlib, ssl, urllib.parse, urllib.request

ACCOUNT = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
TRUST = ssl.create_default_context(cafile=ACCOUNT / "ca.crt")

def pods(path, query):
    namespace = path.split("/")[5]
    url = f"https://kubernetes.default/api/v1/namespaces/{namespace}/pods?{query}"
    request = urllib.request.Request(url, headers={"Authorization": "Bearer " + (ACCOUNT / "token").read_text()})
    return json.load(urllib.request.urlopen(request, context=TRUST))["items"]

def ready(pod):
    return any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", []))

def metrics(path, query):
    # One that is starting bears no load yet.
    names = [pod["metadata"]["name"] for pod in pods(path, query) if ready(pod)]
    each = int(pathlib.Path("/tmp/load").read_text()) // max(len(names), 1)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    usage = [{"name": "taskmanager", "usage": {"cpu": f"{each}m", "memory": "1Gi"}}]
    items = [{"metadata": {"name": name}, "timestamp": now, "window": "1s", "containers": usage} for name in names]
    return {"kind": "PodMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {}, "items": items}

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path, _, query = self.path.partition("?")
        kinds = [{"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics", "verbs": ["get", "list"]}]
        found = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "metrics.k8s.io/v1beta1", "resources": kinds}
        if path.endswith("/pods"):
            kept = {key: value for key, value in urllib.parse.parse_qs(query).items() if key == "labelSelector"}
            found = metrics(path, urllib.parse.urlencode(kept, doseq=True))
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

pathlib.Path("/tmp/load").write_text("0")
server = http.server.ThreadingHTTPServer(("", 8443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/tls/tls.crt", "/tls/tls.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


@contextmanager
def serving(cluster: Cluster, namespace: str, folder: Path) -> Iterator[None]:
    """While the block runs, Kubernetes asks it for metrics; `folder` is for the certificate."""
    *objects, registered = _objects(namespace, folder)
    with cluster.having(objects, namespace):
        # The API server keeps its first connection, whoever answers at the Service's address before that leads to the pod.
        url = f"https://{NAME}.{namespace}.svc/apis/metrics.k8s.io/{VERSION}"
        ask = f"import ssl, urllib.request as r; r.urlopen('{url}', context=ssl._create_unverified_context(), timeout=3)"
        run = cluster.runner(namespace, f"app={NAME}")
        wait_for(
            lambda: run(["python3", "-c", f"{ask}; print('ready')"]), timeout=90, what="the Service of the metrics to answer"
        )
        with cluster.having([registered], namespace):
            yield


def _objects(namespace: str, folder: Path) -> list[Json]:
    """The last is what Kubernetes finds it by."""
    key, certificate = folder / "tls.key", folder / "tls.crt"
    files = [f"-keyout={key}", f"-out={certificate}"]
    argv = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", f"-subj=/CN={NAME}.{namespace}.svc"]
    subprocess.run([*argv, *(word for file in files for word in file.split("=", 1))], check=True, capture_output=True)
    tls = {file.name: base64.b64encode(file.read_bytes()).decode() for file in (key, certificate)}
    reads = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}
    account = {"kind": "ServiceAccount", "name": "default", "namespace": namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": NAME}
    mounts = [{"name": "script", "mountPath": "/script"}, {"name": "tls", "mountPath": "/tls"}]
    container = {
        "name": "api",
        "image": IMAGE,
        "command": ["python3", "/script/api.py"],
        "volumeMounts": mounts,
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "readinessProbe": {"tcpSocket": {"port": 8443}, "periodSeconds": 1},
    }
    volumes = [{"name": "script", "configMap": {"name": NAME}}, {"name": "tls", "secret": {"secretName": NAME}}]
    user = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
    service = {"selector": {"app": NAME}, "ports": [{"port": 443, "targetPort": 8443}]}
    registered = {
        "group": "metrics.k8s.io",
        "version": VERSION,
        "service": {"name": NAME, "namespace": namespace},
        "insecureSkipTLSVerify": True,
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
    }

    def of(api: str, kind: str, **more: Any) -> Json:
        return {"apiVersion": api, "kind": kind, "metadata": {"name": NAME, "labels": {"app": NAME}}, **more}

    rbac = "rbac.authorization.k8s.io/v1"
    api = of("apiregistration.k8s.io/v1", "APIService", spec=registered)
    api["metadata"]["name"] = f"{VERSION}.metrics.k8s.io"
    return [
        of("v1", "ConfigMap", data={"api.py": SCRIPT}),
        of("v1", "Secret", data=tls),
        of(rbac, "Role", rules=[reads]),
        of(rbac, "RoleBinding", roleRef=role, subjects=[account]),
        of("v1", "Pod", spec={"containers": [container], "volumes": volumes, "securityContext": user}),
        of("v1", "Service", spec=service),
        api,
    ]


def load(cluster: Cluster, namespace: str, thousandths: int) -> None:
    """What the TaskManagers use together from now on."""
    cluster.runner(namespace, f"app={NAME}")(["sh", "-c", f"echo {thousandths} >/tmp/load"])
