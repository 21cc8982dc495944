"""What a test has beside Prometheus and Alertmanager: it takes the alerts that are delivered, and tells Prometheus the pods.

POST /: what Alertmanager delivers. GET /: all of it. GET /targets: each port of the pods in the namespace, with the labels that
Prometheus would give it, if Debian's could ask Kubernetes.
"""

from __future__ import annotations

import json
import re
import ssl
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
ALERTS: list[dict[str, Any]] = []


def pods() -> list[dict[str, Any]]:
    url = f"https://kubernetes.default.svc/api/v1/namespaces/{(ACCOUNT / 'namespace').read_text()}/pods"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {(ACCOUNT / 'token').read_text()}"})
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))) as answer:
        objects: list[dict[str, Any]] = json.load(answer)["items"]
        return objects


def targets() -> Iterator[dict[str, Any]]:
    for pod in pods():
        metadata, status = pod["metadata"], pod["status"]
        about = {"namespace": metadata["namespace"], "pod_name": metadata["name"], "pod_phase": status["phase"]}
        for name, value in metadata.get("labels", {}).items():
            about[f"pod_label_{re.sub('[^a-zA-Z0-9_]', '_', name)}"] = value
        for container in pod["spec"]["containers"]:
            for port in container.get("ports", []) if "podIP" in status else []:
                own = {"pod_container_name": container["name"], "pod_container_port_name": port.get("name", "")}
                labels = {f"__meta_kubernetes_{name}": value for name, value in {**about, **own}.items()}
                yield {"targets": [f"{status['podIP']}:{port['containerPort']}"], "labels": labels}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        ALERTS.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"])
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:
        answer = list(targets()) if self.path == "/targets" else ALERTS
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())


if __name__ == "__main__":
    ThreadingHTTPServer(("", 9900), Handler).serve_forever()
