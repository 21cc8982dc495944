"""Another parallelism for a job that runs on: the adaptive scheduler changes it, with no savepoint and no other JobManager."""

from __future__ import annotations

from typing import Any

import pytest

from ci.core.paths import DEMO, FLINK
from harness import faults
from harness.helm import Helm, merged
from harness.release import FlinkRelease
from harness.waits import wait_for
from tests.kind import jar_job
from tests.kind.demo_job import changed, check_rows, producer_done, record, started
from tests.kind.installs import NEW, OLD, Install

pytestmark = pytest.mark.state
ADAPTIVE: dict[str, Any] = {"flink": {"config": {"jobmanager.scheduler": "adaptive"}}}


def jobmanager(flink: FlinkRelease) -> tuple[str, int]:
    (pod,) = flink.cluster.pods(flink.namespace, flink.selector("jobmanager"))
    return pod.metadata.uid, sum(status.restart_count for status in pod.status.container_statuses)


def parallelism(flink: FlinkRelease, job: str) -> list[int]:
    return [vertex["parallelism"] for vertex in flink.rest.job(job)["vertices"]]


@pytest.mark.full
@pytest.mark.parametrize(("helm", "version"), [("helm", NEW), ("helm3", OLD)], indirect=["helm"])
def test_no_row_is_lost_or_twice(install: Install, helm: Helm, namespace: str, version: str) -> None:
    config = {**ADAPTIVE["flink"], "type": "job", "version": version}
    values, flink, kafka, job = started(install, "grows", version=version, flink=config, job={"parallelism": 2})
    pod = jobmanager(flink)
    for more, taskmanagers in ((4, 2), (3, 2), (2, 1)):
        grown = changed(values, job={"parallelism": more}, taskmanager={"replicas": taskmanagers})
        helm.upgrade("grows", DEMO, grown, namespace=namespace)
        assert max(parallelism(flink, job["jid"])) == more
        assert flink.rest.wait_running("kdv")["jid"] == job["jid"]
        assert jobmanager(flink) == pod
    helm.rollback("grows", 2, namespace=namespace)
    assert max(parallelism(flink, job["jid"])) == 4
    assert jobmanager(flink) == pod
    assert (record(flink)["generation"], record(flink)["parallelism"]) == ("1", "4")
    producer_done(flink)
    check_rows(flink, kafka, 2000)


@pytest.mark.full
@pytest.mark.parametrize(
    "more",
    [{}, {"highAvailability": {"type": "kubernetes"}}, {"flink": {"mode": "native"}}],
    ids=["standalone", "HA", "native"],
)
def test_a_jobmanager_that_is_replaced_has_it_too(
    install: Install, helm: Helm, namespace: str, more: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    name = f"scaled-{request.node.callspec.id.lower()}"
    values = merged(jar_job.values(job={"parallelism": 2}, taskmanager={"slots": 3}, **ADAPTIVE), more)
    flink = jar_job.started(install, name, values)
    first, pod = jar_job.running(flink), jobmanager(flink)
    own = min(parallelism(flink, first))
    helm.upgrade(name, FLINK, merged(values, {"job": {"parallelism": 3}}), namespace=namespace)
    assert jar_job.running(flink) == first
    assert jobmanager(flink) == pod
    assert sorted(parallelism(flink, first)) == [own, 3]
    newest = jar_job.newest(flink)
    faults.delete_pods(flink.cluster, namespace, flink.selector("jobmanager"))
    wait_for(lambda: jar_job.restored(flink).get("id", 0) >= newest, timeout=240, what="the job to resume")
    again = jar_job.running(flink)
    assert again[:16] == first[:16]
    wait_for(lambda: sorted(parallelism(flink, again)) == [own, 3], timeout=120, what="its parallelism")
    assert jar_job.record(flink)["generation"] == "1"
