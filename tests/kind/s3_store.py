"""The store of docs/versitygw.yaml, as tests run it in their namespace."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import yaml
from kubernetes import client, utils

from ci.core.paths import DOCS, VALUES
from harness import evidence
from harness.cluster import Cluster
from harness.waits import wait_for
from harness_kdv import csv_output
from harness_kdv.csv_output import Snapshot

MANIFEST = DOCS / "versitygw.yaml"
DEPLOYMENT = "versitygw"
PODS = f"app.kubernetes.io/name={DEPLOYMENT}"
_BUCKET = "/data/flink"


def serve(cluster: Cluster, namespace: str) -> dict[str, Any]:
    """Run the store as docs/state.md sets it up, unless it runs; the values of a release with its state there."""
    if not cluster.pods(namespace, PODS):
        make_secret(cluster, namespace, "s3", "flink", secrets.token_hex(16))
        utils.create_from_yaml(cluster.api, str(MANIFEST), namespace=namespace)
    wait_serving(cluster, namespace)
    values: dict[str, Any] = yaml.safe_load((VALUES / "s3.yaml").read_text())
    # What is too much for memory is kept there most often.
    values["state"]["backend"] = "rocksdb"
    return values


def make_secret(cluster: Cluster, namespace: str, name: str, access_key: str, secret_key: str) -> None:
    data = {"AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret_key}
    secret = client.V1Secret(metadata=client.V1ObjectMeta(name=name), string_data=data)
    cluster.core.create_namespaced_secret(namespace, secret)


def wait_serving(cluster: Cluster, namespace: str) -> None:
    def ready() -> bool:
        (pod,) = cluster.pods(namespace, PODS)
        return any(status.ready for status in pod.status.container_statuses or [])

    wait_for(ready, timeout=120, what="the store to be ready", on_timeout=lambda: evidence.summary(cluster, namespace))


def change(cluster: Cluster, namespace: str, pod: Mapping[str, Any]) -> None:
    """Run the store in another pod: a strategic merge patch of its spec."""
    stop(cluster, namespace)
    cluster.apps.patch_namespaced_deployment(DEPLOYMENT, namespace, {"spec": {"template": {"spec": pod}}})
    start(cluster, namespace)


def stop(cluster: Cluster, namespace: str) -> None:
    _scale(cluster, namespace, 0)
    wait_for(lambda: not cluster.pods(namespace, PODS), timeout=60, what="the store to go")


def start(cluster: Cluster, namespace: str) -> None:
    _scale(cluster, namespace, 1)
    wait_serving(cluster, namespace)


def _scale(cluster: Cluster, namespace: str, replicas: int) -> None:
    cluster.apps.patch_namespaced_deployment_scale(DEPLOYMENT, namespace, {"spec": {"replicas": replicas}})


def directories(cluster: Cluster, namespace: str, path: str) -> set[str]:
    """The names in a directory of the bucket."""
    return set(cluster.runner(namespace, PODS)(["ls", f"{_BUCKET}/{path}"]).split())


def output(cluster: Cluster, namespace: str, path: str) -> Snapshot:
    """The rows of the KDV job in a directory of the bucket."""
    return csv_output.read(cluster.runner(namespace, PODS), f"{_BUCKET}/{path}")
