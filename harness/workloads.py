"""What tests run in a namespace beside the charts, and waits for it, which fail with the state of the pods."""

from __future__ import annotations

import functools
from collections.abc import Iterable

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


def wait_ready(cluster: Cluster, namespace: str, *pods: str, timeout: float = 120) -> None:
    """Wait until all of these pods are ready."""

    def ready() -> bool:
        read = [cluster.core.read_namespaced_pod(name, namespace).status.conditions or [] for name in pods]
        return all(any((one.type, one.status) == ("Ready", "True") for one in conditions) for conditions in read)

    explain = functools.partial(evidence.summary, cluster, namespace)
    wait_for(ready, timeout=timeout, what=f"{', '.join(pods)} to be ready", on_timeout=explain)


# Keeps its connections open: for the reader a closed one is the end of the data.
_LINES = """
import socket, sys
server = socket.create_server(("", int(sys.argv[1])))
held = []
while True:
    held.append(server.accept()[0])
    held[-1].sendall(sys.argv[2].encode())
"""
_MIRROR = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Mirror(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.client_address[0].encode())
ThreadingHTTPServer(("", 8000), Mirror).serve_forever()
"""


class Pods:
    """Pods of a test's own in a namespace, all with the same image, which needs `sh` and `python3`."""

    def __init__(self, cluster: Cluster, namespace: str, image: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._image = image

    def start(self, name: str, command: list[str], claim: str = "", node: str = "", *, grace: int = 0) -> str:
        """The address of a pod, running, the claim at /claim; one that is there is taken as it is.

        It runs on that node, if one is named. `grace`: the seconds that its command is given to end when the pod is deleted.
        """
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
                        "image": self._image,
                        "command": command,
                        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                        "volumeMounts": [{"name": "claim", "mountPath": "/claim"}] if claim else [],
                    }
                ],
                "volumes": [{"name": "claim", "persistentVolumeClaim": {"claimName": claim}}] if claim else [],
            },
        }
        core, namespace = self._cluster.core, self._namespace
        try:
            core.create_namespaced_pod(namespace, pod)
        except ApiException as error:
            if error.status != 409:  # it is there
                raise
        wait_for(
            lambda: core.read_namespaced_pod(name, namespace).status.phase == "Running",
            timeout=60,
            what=f"pod {name} to run in namespace {namespace}",
            on_timeout=functools.partial(evidence.summary, self._cluster, namespace),
        )
        return str(core.read_namespaced_pod(name, namespace).status.pod_ip)

    def runner(self) -> Run:
        """Runs commands in the pod `tools`, which is there after the first call."""
        self.start("tools", ["sleep", "infinity"])
        return self._cluster.runner(self._namespace, "app.kubernetes.io/component=tools")

    def run_on_claim(self, claim: str, command: list[str], node: str = "") -> str:
        """The output of a command in a pod with a claim at /claim. The pod goes again: a claim in use cannot be deleted."""
        name = f"tools-{claim}"
        self.start(name, ["sleep", "infinity"], claim, node)
        try:
            return self._cluster.runner(self._namespace, f"app.kubernetes.io/component={name}")(command)
        finally:
            self._cluster.core.delete_namespaced_pod(name, self._namespace, grace_period_seconds=0)

    def line_server(self, name: str, port: int, lines: Iterable[str]) -> str:
        """Starts a pod that sends these lines to whoever connects to the port, and returns its address."""
        text = "".join(f"{line}\n" for line in lines)
        return self.start(name, ["python3", "-c", _LINES, str(port), text])

    def file_server(self, name: str, content: str) -> str:
        """Starts a pod that serves a file of this name over HTTP, and returns its URL."""
        script = 'printf %s "$1" > "/tmp/$0" && exec python3 -m http.server --directory /tmp 8000'
        host = self.start(name.replace(".", "-"), ["sh", "-c", script, name, content])
        return f"http://{host}:8000/{name}"

    def mirror(self, name: str, node: str) -> str:
        """Starts a pod on that node that tells over HTTP, at port 8000, the address of whoever asks; returns the pod's own."""
        return self.start(name, ["python3", "-c", _MIRROR], node=node)
