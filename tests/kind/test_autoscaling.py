"""TaskManagers that follow the load: jobs take the ones that come, and resume without the ones that go."""

from __future__ import annotations

import functools

import pytest
import yaml

from ci.commands import addons
from ci.core.paths import FLINK, VALUES
from harness.cluster import Cluster
from harness.helm import Helm, merged
from harness.release import FlinkRelease
from harness.waits import wait_for
from tests.kind import jar_job
from tests.kind.demo_job import check_rows, producer_done, started
from tests.kind.installs import NEW, OLD, Install

pytestmark = pytest.mark.state
# Of trials: a node of the tests has no room for what a TaskManager should have.
SMALL = {"taskmanager": {"resources": {"requests": {"cpu": "10m"}}}}
QUICK = {"state": {"checkpointing": {"interval": "5 s"}}}
AT_ONCE = {"scaleUp": None, "scaleDown": {"stabilizationWindowSeconds": 0}}
UPGRADED = {"commonPodLabels": {"team": "veri"}}


def scale(flink: FlinkRelease, taskmanagers: int) -> None:
    """As an autoscaler does it."""
    name, body = f"{flink.name}-flink-taskmanager", {"spec": {"replicas": taskmanagers}}
    flink.cluster.apps.patch_namespaced_deployment_scale(name, flink.namespace, body)


def has(flink: FlinkRelease, taskmanagers: int) -> None:
    wait_for(
        lambda: len(flink.cluster.pods(flink.namespace, flink.selector("taskmanager"))) == taskmanagers,
        timeout=240,
        what=f"{taskmanagers} TaskManagers",
        interval=2,
    )


def runs_at(flink: FlinkRelease, job: str, parallelism: int) -> None:
    """Wait until the widest vertex has so many tasks, all of which run."""

    def runs() -> bool:
        vertices = flink.rest.job(job)["vertices"]
        running = {vertex["status"] for vertex in vertices} == {"RUNNING"}
        return running and max(vertex["parallelism"] for vertex in vertices) == parallelism

    wait_for(runs, timeout=240, what=f"a parallelism of {parallelism}")


@pytest.mark.full
def test_a_job_takes_the_slots_that_there_are(install: Install, helm: Helm, namespace: str) -> None:
    values = merged(yaml.safe_load((VALUES / "autoscaling.yaml").read_text()), SMALL, QUICK)
    flink = jar_job.started(install, "follows", values)
    job = jar_job.running(flink)
    scale(flink, 3)
    runs_at(flink, job, 3)

    # An operation leaves the number to whoever scales.
    helm.upgrade("follows", FLINK, merged(values, UPGRADED), namespace=namespace)
    job = jar_job.running(flink)
    runs_at(flink, job, 3)
    has(flink, 3)

    scale(flink, 1)
    runs_at(flink, job, 1)
    assert jar_job.record(flink)["generation"] == "1"


@pytest.mark.full
@pytest.mark.usefixtures("addon")
@pytest.mark.parametrize("addon", [addons.METRICS_SERVER], indirect=True, ids=["metrics server"])
def test_the_load_says_how_many_there_are(install: Install, namespace: str) -> None:
    """What a loop in one of them uses is more than 80 % of what all of them ask for."""
    wide = {"resources": {"requests": {"cpu": "150m"}}, "autoscaling": {"maxReplicas": 3, "behavior": AT_ONCE}}
    values = merged(yaml.safe_load((VALUES / "autoscaling.yaml").read_text()), {"taskmanager": wide}, QUICK)
    flink = jar_job.started(install, "loaded", values)
    job = jar_job.running(flink)
    has(flink, 1)
    (busy,) = flink.cluster.pods(namespace, flink.selector("taskmanager"))
    loop = "echo $$ >/tmp/loop; while :; do :; done"
    run = functools.partial(flink.cluster.exec, namespace, busy.metadata.name, container="taskmanager")
    run(["bash", "-c", f"bash -c '{loop}' >/dev/null 2>&1 &"])
    has(flink, 3)
    runs_at(flink, job, 3)
    run(["bash", "-c", "kill $(cat /tmp/loop)"])
    has(flink, 1)
    runs_at(flink, job, 1)
    assert jar_job.running(flink) == job


# As docs/scaling.md has it, but for the threshold.
LAG = {
    "type": "kafka",
    "metadata": {
        "bootstrapServers": "{{ .Release.Name }}-kafka.{{ .Release.Namespace }}:9092",
        "consumerGroup": "kdv.{{ .Release.Namespace }}.{{ .Release.Name }}",
        "topic": "sahibinden",
        "lagThreshold": "100",
    },
}


@pytest.mark.full
@pytest.mark.usefixtures("addon")
@pytest.mark.parametrize("addon", [addons.KEDA], indirect=True, ids=["keda"])
def test_the_lag_in_kafka_says_how_many_there_are(install: Install) -> None:
    """Between two checkpoints more rows come than one TaskManager is for; no row is lost or twice."""
    scaled = {"enabled": True, "maxReplicas": 2, "behavior": {"scaleDown": AT_ONCE["scaleDown"]}, "keda": {"triggers": [LAG]}}
    _, flink, kafka, job = started(install, "lags", count=10000, taskmanager={"slots": 1, "autoscaling": scaled})
    has(flink, 2)
    runs_at(flink, job["jid"], 2)
    producer_done(flink)
    has(flink, 1)
    runs_at(flink, job["jid"], 1)
    assert [one["jid"] for one in flink.rest.jobs()] == [job["jid"]]
    check_rows(flink, kafka, 10000)


@pytest.mark.full
@pytest.mark.parametrize("version", [NEW, OLD])
def test_no_row_is_lost_or_twice(install: Install, cluster: Cluster, namespace: str, version: str) -> None:
    scaled = {"slots": 1, "autoscaling": {"enabled": True, "maxReplicas": 2}}
    _, flink, kafka, job = started(install, f"breathes-{version[0]}", version=version, taskmanager=scaled)
    for _ in range(5):
        for taskmanagers in (2, 1):
            scale(flink, taskmanagers)
            runs_at(flink, job["jid"], taskmanagers)
    assert [one["jid"] for one in flink.rest.jobs()] == [job["jid"]]
    producer_done(flink)
    check_rows(flink, kafka, 2000)
