"""Releases that speak TLS: their Secrets, and their REST API as it is asked from within."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ci.core import versions
from ci.machine import golang
from harness import evidence
from harness.certificates import Authority
from harness.cluster import Cluster
from harness.release import FlinkRelease
from harness.rest import FlinkError, FlinkRest
from tests.kind import kinds

Values = dict[str, Any]


class FromWithin(FlinkRest):
    """The REST API, asked by the chart's script in a JobManager's pod, which shows the certificate of the Secret. GET alone."""

    def __init__(self, flink: FlinkRelease) -> None:
        super().__init__("", on_timeout=lambda: evidence.summary(flink.cluster, flink.namespace))
        self._flink = flink

    def call(self, method: str, path: str, **options: Any) -> Any:
        if method != "GET" or options:
            raise FlinkError(f"{method} {path}: only GET is asked from within")
        return json.loads(ask(self._flink, f"/{path.lstrip('/')}"))


def ask(flink: FlinkRelease, path: str, *, component: str = "rest", port: int = 8081) -> str:
    """The answer of a server of the release to who looks at its name and shows the certificate of the Secret."""
    host = f"{flink.name}-flink-{component}"
    return flink.jobmanager(["bash", "/opt/flink/scripts/rest.sh", "get", host, str(port), path])


def names(release: str) -> list[str]:
    return [*(f"{release}-flink-{component}" for component in ("rest", "sql-gateway", "history-server")), "localhost"]


def put_secret(cluster: Cluster, namespace: str, name: str, data: dict[str, str]) -> None:
    """Make a Secret, or give one another content."""
    body = {"metadata": {"name": name}, "stringData": data}
    if name in {secret.metadata.name for secret in cluster.core.list_namespaced_secret(namespace).items}:
        cluster.core.patch_namespaced_secret(name, namespace, body)
    else:
        cluster.core.create_namespaced_secret(namespace, body)


def locked(cluster: Cluster, namespace: str, release: str, authority: Authority, **rest: Any) -> Values:
    """Values of a release with both locks, and their Secrets; `rest` is more of tls.rest."""
    for part in ("internal", "rest"):
        put_secret(cluster, namespace, f"{release}-{part}", authority.issue(names(release)))
    return {
        "tls": {
            "internal": {"enabled": True, "secretName": f"{release}-internal"},
            "rest": {"enabled": True, "secretName": f"{release}-rest", **rest},
        }
    }


def shown(flink: FlinkRelease, component: str = "rest", port: int = 8081) -> str:
    """The certificate that a server of the release shows, in PEM."""
    host = f"{flink.name}-flink-{component}:{port}"
    script = f"openssl s_client -connect {host} </dev/null 2>/dev/null | openssl x509"
    return flink.jobmanager(["bash", "-c", script])


def speaks_tls(flink: FlinkRelease, host: str, ports: Sequence[int]) -> dict[int, bool]:
    """Whether something at these ports of a host answers to the beginning of TLS."""
    begin = 'timeout 10 openssl s_client -connect "$1:$port" </dev/null 2>/dev/null'
    script = f"""for port in "${{@:2}}"; do {begin} | grep -c '^Server certificate'; done"""
    counts = flink.jobmanager(["bash", "-c", f"{script}; true", "-", host, *map(str, ports)]).split()
    return {port: count == "1" for port, count in zip(ports, counts, strict=True)}


def define_certificates(cluster: Cluster) -> None:
    """Have the cluster know cert-manager's Certificates."""
    folder = golang.module_folder("github.com/cert-manager/cert-manager", versions.get("access", "cert-manager")) / "deploy/crds"
    (file,) = (file for file in Path(folder).glob("*certificates.yaml") if "kind: Certificate\n" in file.read_text())
    kinds.define(cluster, [file.read_text()], "certificates.cert-manager.io")
