"""A release where others rule: a tainted node, a quota, ranges of limits, `restricted` pods, a label that everything needs,
and a sidecar that every pod gets which does not ask to be left alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci.core.paths import FLINK
from harness.cluster import Cluster
from harness.helm import Helm, HelmError, merged
from harness.waits import wait_for
from tests.kind import jar_job
from tests.kind.installs import Install
from tests.kind.jar_job import another

pytestmark = [pytest.mark.full, pytest.mark.alone]
TAINT = {"key": "dedicated", "value": "streams", "effect": "NoSchedule"}
LABELS = {"cost-center": "42"}
TOLERATIONS = [{"key": "dedicated", "operator": "Equal", "value": "streams", "effect": "NoSchedule"}]
STRICT: dict[str, Any] = {
    "commonLabels": LABELS,
    "commonPodLabels": {**LABELS, "sidecar": "none"},
    "jobmanager": {"tolerations": TOLERATIONS},
    "taskmanager": {"tolerations": TOLERATIONS},
    "savepoints": {"schedule": "0 3 1 1 *"},
}


@pytest.fixture
def strict(cluster: Cluster, namespace: str) -> Iterator[None]:
    """The policies hold, as a pod shows that gets its sidecar, and the node is tainted; all goes after the releases."""
    text = (Path(__file__).parent / "policies.yaml").read_text().replace("{namespace}", namespace)
    node = cluster.core.list_node().items[0].metadata.name
    with cluster.having([obj for obj in yaml.safe_load_all(text) if obj], namespace):
        wait_for(lambda: has_sidecar(cluster, namespace), timeout=60, what="the policies to hold")
        cluster.core.patch_node(node, {"spec": {"taints": [TAINT]}})
        try:
            yield
        finally:
            cluster.core.patch_node(node, {"spec": {"taints": None}})


def has_sidecar(cluster: Cluster, namespace: str) -> bool:
    """Whether a pod that asks for nothing would get one."""
    container = {
        "name": "main",
        "image": "python:3.11-slim-bookworm",
        "resources": {"limits": {"memory": "32Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
    pod = {"metadata": {"name": "plain", "labels": LABELS}, "spec": {"securityContext": security, "containers": [container]}}
    made = cluster.core.create_namespaced_pod(namespace, pod, dry_run="All")
    return {one.name for one in made.spec.containers} == {"main", "mesh"}


def pods_are_alone(cluster: Cluster, namespace: str) -> None:
    """No pod of a release has got a container that is not the chart's."""
    for pod in cluster.pods(namespace):
        assert "mesh" not in {container.name for container in pod.spec.containers}
        assert pod.metadata.labels.items() >= LABELS.items()


@pytest.mark.parametrize("mode", ["standalone", "native"])
def test_a_job_over_the_operations_of_helm(
    strict: None, install: Install, helm: Helm, cluster: Cluster, namespace: str, mode: str
) -> None:
    first = merged(jar_job.values(flink={"type": "job", "mode": mode}), STRICT)
    if mode == "native":  # where Flink writes a limit of CPU by itself
        first = merged(first, {"taskmanager": {"resources": {"limits": {"cpu": "500m"}}}})
    flink = jar_job.started(install, f"strict-{mode}", first)
    pods_are_alone(cluster, namespace)
    job = jar_job.running(flink)

    jar_job.savepoint(flink, f"strict-{mode}-by-hand")
    helm.upgrade(flink.name, FLINK, another(first), namespace=namespace)
    assert f"/savepoints/{job}/stop/" in jar_job.restored(flink)["external_path"]
    second = jar_job.running(flink)
    pods_are_alone(cluster, namespace)

    # The refusal comes while the job runs.
    large = {"taskmanager": {"resources": {"limits": {"memory": "3Gi"}}}}
    with pytest.raises(HelmError, match="maximum memory usage per Container is 2Gi"):
        helm.upgrade(flink.name, FLINK, merged(another(first, "large"), large), namespace=namespace)
    assert jar_job.running(flink) == second

    helm.rollback(flink.name, 1, namespace=namespace)
    assert f"/savepoints/{second}/stop/" in jar_job.restored(flink)["external_path"]
    assert "Succeeded" in helm.test(flink.name, namespace=namespace)
    pods_are_alone(cluster, namespace)
    helm.uninstall(flink.name, namespace=namespace)


def test_a_session_and_its_jobs(strict: None, install: Install, helm: Helm, cluster: Cluster, namespace: str) -> None:
    speeds = {"name": "speeds", "jar": {"file": "/opt/flink/examples/streaming/TopSpeedWindowing.jar"}}
    values = merged({"state": {"checkpointing": {"interval": "2 s"}}, "session": {"jobs": [speeds]}}, STRICT)
    del values["savepoints"]
    flink = install("strict-session", FLINK, values)
    job = jar_job.running(flink)
    flink.rest.wait_checkpoint(job, 1)
    helm.upgrade(flink.name, FLINK, another(values), namespace=namespace)
    assert f"/savepoints/{job}/stop/" in jar_job.restored(flink)["external_path"]
    pods_are_alone(cluster, namespace)
    assert "Succeeded" in helm.test(flink.name, namespace=namespace)
    helm.uninstall(flink.name, namespace=namespace)
