"""The chart without Helm, as docs/gitops.md describes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from harness.cluster import Cluster
from harness.helm import merged
from harness.release import FlinkRelease
from harness.waits import wait_for
from tests.kind.gitops import ArgoCD, Kubectl
from tests.kind.jar_job import another, record, restored, running, values

pytestmark = pytest.mark.state


@pytest.fixture
def cleaned(cluster: Cluster, namespace: str) -> Iterator[None]:
    yield
    cluster.delete_namespace(namespace)
    cluster.create_namespace(namespace, {"pod-security.kubernetes.io/enforce": "restricted"})


@pytest.mark.parametrize("high_availability", ["none", pytest.param("kubernetes", marks=pytest.mark.full)])
def test_syncs_of_argo_cd(cluster: Cluster, namespace: str, cleaned: None, high_availability: str) -> None:
    """Each sync runs the hooks of install and of upgrade; one that changes nothing touches nothing."""
    first = values(highAvailability={"type": high_availability})
    argo = ArgoCD(cluster, namespace, "synced")
    argo.sync(first)
    flink = FlinkRelease(cluster, namespace, "synced")
    job = running(flink)
    flink.rest.wait_checkpoint(job, 2)
    before = record(flink)
    assert before["confirmed"] == "1"

    argo.sync(first)
    assert running(flink) == job
    assert record(flink) == before

    argo.sync(another(first))
    assert f"/savepoints/{job}/stop/" in restored(flink)["external_path"]
    assert record(flink)["generation"] == "2"


@pytest.mark.full
def test_all_objects_at_once(cluster: Cluster, namespace: str, cleaned: None) -> None:
    """All hooks run at once, those of rollback and uninstall too: the job runs, and nothing of it is deleted."""
    first: dict[str, Any] = values(job={"savepointOnUninstall": True}, storage={"keep": True})
    kubectl = Kubectl(cluster, namespace, "applied")
    jobs = kubectl.apply_all(first)
    for job in jobs:
        kubectl.wait_done(job)
    flink = FlinkRelease(cluster, namespace, "applied")
    running(flink)
    assert record(flink)["generation"] == "1"
    assert "nothing is deleted" in kubectl.log_of("applied-flink-after-uninstall")
    assert "no savepoint is taken" in kubectl.log_of("applied-flink-before-uninstall")

    # Once more, for another specification: the previous Jobs have to go first, since a Job cannot be changed.
    flink.rest.wait_checkpoint(running(flink), 2)
    for job in jobs:
        kubectl.delete(job)
    for job in kubectl.apply_all(merged(another(first), {})):
        kubectl.wait_done(job)
    assert restored(flink)["external_path"]
    assert record(flink)["generation"] == "2"


@pytest.mark.full
def test_a_claim_that_was_deleted_with_the_objects_is_missed(cluster: Cluster, namespace: str, cleaned: None) -> None:
    """The record is no object of the text: what is applied again would restart the job from scratch, and is refused instead."""
    kubectl = Kubectl(cluster, namespace, "missed")
    for job in kubectl.apply_all(values()):
        kubectl.wait_done(job)
    flink = FlinkRelease(cluster, namespace, "missed")
    flink.rest.wait_checkpoint(running(flink), 1)
    kubectl.delete_all(values())
    kubectl.apply_all(values())

    def says_why() -> bool:
        log = cluster.log(namespace, cluster.pod(namespace, flink.selector("jobmanager")))
        return "Nothing of the job is left in /flink-data/missed-flink" in log

    wait_for(says_why, timeout=120, what="the JobManager to say why it waits")
