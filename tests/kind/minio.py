"""The store of docs/minio.yaml, as tests run it in their namespace."""

from __future__ import annotations

from harness import evidence
from harness.cluster import Cluster
from harness.waits import wait_for

MINIO = "app.kubernetes.io/name=minio"


def wait_serving(cluster: Cluster, namespace: str) -> None:
    def ready() -> bool:
        (pod,) = cluster.pods(namespace, MINIO)
        return any(status.ready for status in pod.status.container_statuses or [])

    wait_for(ready, timeout=120, what="MinIO to be ready", on_timeout=lambda: evidence.summary(cluster, namespace))
