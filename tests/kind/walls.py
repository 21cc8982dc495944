"""networkPolicy of a release in the tests' cluster, and who gets through."""

from __future__ import annotations

from typing import Any

from harness.cluster import Cluster
from harness_kdv.tools import tools

COMPONENT = "app.kubernetes.io/component"
_SCRAPER = {"podSelector": {"matchLabels": {COMPONENT: "scraper"}}}


def policy(cluster: Cluster, **services: Any) -> dict[str, Any]:
    """The value with the API server of this cluster and no other address.

    REST is open to the node of the API server too, by which the tests ask: it is another one than those of the pods.
    """
    (slices,) = cluster.core.read_namespaced_endpoints("kubernetes", "default").subsets
    servers = [{"ipBlock": {"cidr": f"{address.ip}/32"}} for address in slices.addresses]
    ports = [{"port": port.port} for port in slices.ports]
    ingress = {**dict.fromkeys(("rest", "sqlGateway", "historyServer"), servers), "metrics": [_SCRAPER]}
    return {"enabled": True, "ingress": ingress, "egress": {"apiServer": [{"to": servers, "ports": ports}], **services}}


_OPEN = 'timeout 5 bash -c "exec 3<>/dev/tcp/$0/$1" 2>/dev/null && echo open || echo shut'


def opens(cluster: Cluster, namespace: str, pod: str, host: str, port: int) -> bool:
    return cluster.exec(namespace, pod, ["bash", "-c", _OPEN, host, str(port)]).strip() == "open"


def stranger(cluster: Cluster, namespace: str) -> str:
    """A pod of nobody's in the namespace."""
    tools(cluster, namespace).start("stranger", ["sleep", "infinity"])
    return "stranger"
