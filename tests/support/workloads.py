"""What tests run in a namespace beside the charts, and waits for it, which fail with the state of the pods."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable
from pathlib import Path

from kubernetes.client.exceptions import ApiException

from . import evidence
from .cluster import Cluster, Run
from .waits import GiveUp, wait_for


def wait_job(cluster: Cluster, namespace: str, name: str, *, timeout: float = 180) -> None:
    """Wait until a Job is complete; give up when it has failed."""

    def complete() -> bool:
        job = cluster.batch.read_namespaced_job(name, namespace)
        conditions = {condition.type: condition for condition in job.status.conditions or []}
        for bad in ("Failed", "FailureTarget"):
            if bad in conditions and conditions[bad].status == "True":
                raise GiveUp(f"it failed: {conditions[bad].message}")
        return "Complete" in conditions and conditions["Complete"].status == "True"

    explain = functools.partial(evidence.summary, cluster, namespace)
    wait_for(complete, timeout=timeout, what=f"Job {name} to complete in namespace {namespace}", on_timeout=explain)


def start_pod(
    cluster: Cluster, namespace: str, name: str, command: list[str], claim: str = "", node: str = "", *, grace: int = 0
) -> str:
    """The address of a pod with the image of jobs/tools, running, the claim at /claim; one that is there is taken as it is.

    It runs on that node, if one is named. `grace`: the seconds that its command is given to end when the pod is deleted.
    """
    version = tomllib.loads((Path(__file__).parents[2] / "versions.toml").read_text())["images"]["kdv-tools"]
    pod = {
        "metadata": {"name": name, "labels": {"app.kubernetes.io/component": name}},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": grace,
            "nodeSelector": {"kubernetes.io/hostname": node} if node else {},
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": name,
                    "image": f"kdv-tools:{version}",
                    "command": command,
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                    "volumeMounts": [{"name": "claim", "mountPath": "/claim"}] if claim else [],
                }
            ],
            "volumes": [{"name": "claim", "persistentVolumeClaim": {"claimName": claim}}] if claim else [],
        },
    }
    try:
        cluster.core.create_namespaced_pod(namespace, pod)
    except ApiException as error:
        if error.status != 409:  # it is there
            raise
    wait_for(
        lambda: cluster.core.read_namespaced_pod(name, namespace).status.phase == "Running",
        timeout=60,
        what=f"pod {name} to run in namespace {namespace}",
        on_timeout=functools.partial(evidence.summary, cluster, namespace),
    )
    return str(cluster.core.read_namespaced_pod(name, namespace).status.pod_ip)


def tools_pod(cluster: Cluster, namespace: str) -> Run:
    """Runs commands in a pod with the programs of jobs/tools, which is there after the first call."""
    start_pod(cluster, namespace, "tools", ["sleep", "infinity"])
    return cluster.runner(namespace, "app.kubernetes.io/component=tools")


def run_on_claim(cluster: Cluster, namespace: str, claim: str, command: list[str], node: str = "") -> str:
    """The output of a command in a pod with a claim at /claim. The pod goes again: a claim that is in use cannot be deleted."""
    name = f"tools-{claim}"
    start_pod(cluster, namespace, name, ["sleep", "infinity"], claim, node)
    try:
        return cluster.runner(namespace, f"app.kubernetes.io/component={name}")(command)
    finally:
        cluster.core.delete_namespaced_pod(name, namespace, grace_period_seconds=0)


# Keeps its connections open: for the reader a closed one is the end of the data.
_SERVER = """
import socket, sys
server = socket.create_server(("", int(sys.argv[1])))
held = []
while True:
    held.append(server.accept()[0])
    held[-1].sendall(sys.argv[2].encode())
"""


def line_server(cluster: Cluster, namespace: str, name: str, port: int, lines: Iterable[str]) -> str:
    """Starts a pod that sends these lines to whoever connects to the port, and returns its address."""
    text = "".join(f"{line}\n" for line in lines)
    return start_pod(cluster, namespace, name, ["python3", "-c", _SERVER, str(port), text])


def file_server(cluster: Cluster, namespace: str, name: str, content: str) -> str:
    """Starts a pod that serves a file of this name over HTTP, and returns its URL."""
    script = 'printf %s "$1" > "/tmp/$0" && exec python3 -m http.server --directory /tmp 8000'
    host = start_pod(cluster, namespace, name.replace(".", "-"), ["sh", "-c", script, name, content])
    return f"http://{host}:8000/{name}"


_MIRROR = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Mirror(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.client_address[0].encode())
ThreadingHTTPServer(("", 8000), Mirror).serve_forever()
"""


def mirror(cluster: Cluster, namespace: str, name: str, node: str) -> str:
    """Starts a pod on that node that tells over HTTP, at port 8000, the address of whoever asks; returns the pod's own."""
    return start_pod(cluster, namespace, name, ["python3", "-c", _MIRROR], node=node)
