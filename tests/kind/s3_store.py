"""The store of docs/versitygw.yaml, as tests run it in their namespace."""

from __future__ import annotations

from ci.core.paths import DOCS
from harness import evidence
from harness.cluster import Cluster
from harness.waits import wait_for

MANIFEST = DOCS / "versitygw.yaml"
DEPLOYMENT = "versitygw"
PODS = f"app.kubernetes.io/name={DEPLOYMENT}"


def wait_serving(cluster: Cluster, namespace: str) -> None:
    def ready() -> bool:
        (pod,) = cluster.pods(namespace, PODS)
        return any(status.ready for status in pod.status.container_statuses or [])

    wait_for(ready, timeout=120, what="the store to be ready", on_timeout=lambda: evidence.summary(cluster, namespace))
