"""Metrics: what Prometheus would read of each pod is of the right job, and says what Flink and the broker say."""

from __future__ import annotations

import itertools
import json
from collections import Counter

import pytest

from ci.core.paths import DEMO, VALUES
from harness import metrics
from harness.cluster import Cluster
from harness.helm import Helm
from harness.metrics import Sample
from harness.release import FlinkRelease
from harness.waits import wait_for
from tests.kind.demo_job import TOPIC, broker, check_rows, demo, producer_done
from tests.kind.installs import NEW, OLD, Install, matrix

pytestmark = pytest.mark.modes
EXAMPLES = "/opt/flink/examples/streaming"
JSON = {"logging": {"format": "json"}}
JOB = "flink_jobmanager_job_"
TASK = "flink_taskmanager_job_task_"
OPERATOR = f"{TASK}operator_"


def scraped(flink: FlinkRelease, component: str) -> dict[str, list[Sample]]:
    """What each pod of a component exports, by its name; as Prometheus finds it, by the port called metrics."""
    samples = {}
    for pod in flink.cluster.pods(flink.namespace, flink.selector(component)):
        (port,) = [port.container_port for port in pod.spec.containers[0].ports if port.name == "metrics"]
        samples[pod.metadata.name] = metrics.scrape(flink.cluster, flink.namespace, pod.metadata.name, port)
    return samples


def samples(flink: FlinkRelease, component: str, name: str, job: str) -> list[Sample]:
    every = [sample for pod in scraped(flink, component).values() for sample in pod]
    return [sample for sample in every if sample.name == name and sample.labels.get("job_id") == job]


def value(flink: FlinkRelease, name: str, job: str) -> float:
    """A metric of the job, of which there is one."""
    (sample,) = samples(flink, "jobmanager", JOB + name, job)
    return sample.value


def runs_on(flink: FlinkRelease, job: str) -> set[str]:
    """The TaskManagers that run the job, as REST names them."""
    vertices = [flink.rest.get(f"/jobs/{job}/vertices/{vertex['id']}") for vertex in flink.rest.job(job)["vertices"]]
    return {task["taskmanager-id"] for vertex in vertices for task in vertex["subtasks"]}


def check_pods(flink: FlinkRelease, job: str) -> None:
    """The JobManager says that the job runs, and the TaskManagers that run it what it does, each under its own name."""
    wait_for(lambda: value(flink, "runningState", job) == 1, timeout=60, what="the JobManager to say that the job runs")

    def working() -> bool:
        tasks = samples(flink, "taskmanager", f"{TASK}numRecordsOut", job)
        return {task.labels["tm_id"] for task in tasks} == runs_on(flink, job)

    wait_for(working, timeout=60, what="the TaskManagers to export the job's tasks")
    for name, pod in scraped(flink, "taskmanager").items():
        assert {sample.labels["tm_id"] for sample in pod} == {name}
        labels = set().union(*(sample.labels for sample in pod))
        assert not labels & {"host", "task_attempt_id", "task_attempt_num"}


def check_logs(flink: FlinkRelease, jobs: list[str]) -> None:
    """What the pods print is an object a line, and names the jobs. So are not the start scripts' words, nor the job's results."""
    for component in ("jobmanager", "taskmanager"):
        named = set()
        for pod in flink.cluster.pods(flink.namespace, flink.selector(component)):
            printed = flink.cluster.log(flink.namespace, pod.metadata.name, container=pod.spec.containers[0].name).splitlines()
            logged = itertools.dropwhile(lambda line: not line.startswith("{"), printed)
            lines = [json.loads(line) for line in logged if not line.startswith("(")]
            assert all({"@timestamp", "level", "logger", "thread", "message"} <= line.keys() for line in lines)
            named |= {line["job_id"] for line in lines if "job_id" in line}
        assert named == set(jobs), component


def checkpoints(flink: FlinkRelease, job: str) -> float:
    """How many checkpoints Prometheus is told of, once that is as many as Flink's REST API lists."""

    def agreed() -> float:
        before, exported, after = (
            flink.rest.checkpoints(job)["counts"]["completed"],
            value(flink, "numberOfCompletedCheckpoints", job),
            flink.rest.checkpoints(job)["counts"]["completed"],
        )
        return exported if before <= exported <= after else 0

    return wait_for(agreed, timeout=60, what="metrics and REST to tell of the same checkpoints")


@matrix(("helm", NEW))
def test_of_the_kdv_job(install: Install, helm: Helm, cluster: Cluster, namespace: str, version: str) -> None:
    flink = install("read", DEMO, demo(version, count=2000, rate=200))
    kafka = broker(flink)
    job = flink.rest.wait_running("kdv")["jid"]
    assert "Succeeded" in helm.test("read", namespace=namespace)
    check_pods(flink, job)
    assert checkpoints(flink, job) >= 1
    producer_done(flink)
    check_rows(flink, kafka, 2000)

    there = Counter(record.partition for record in kafka.consume(TOPIC))

    def all_read() -> bool:
        """Of each partition the position is where the broker has the end, and nothing is pending."""
        positions: dict[int, float] = {
            int(one.labels["partition"]): one.value + 1
            for one in samples(flink, "taskmanager", f"{OPERATOR}KafkaSourceReader_topic_partition_currentOffset", job)
            if one.labels["topic"] == TOPIC
        }
        pending = samples(flink, "taskmanager", f"{OPERATOR}pendingRecords", job)
        if positions != there or not pending or any(one.value > 0 for one in pending):
            raise LookupError(f"{positions} instead of {dict(there)}; pending: {[one.value for one in pending]}")
        return all(one.labels["operator_name"].startswith("Source: adverts") for one in pending)

    wait_for(all_read, timeout=60, what="the metrics to say that all was read")


@pytest.mark.full
@pytest.mark.parametrize("version", [NEW, OLD])
def test_of_jobs_in_a_session(install: Install, helm: Helm, namespace: str, version: str) -> None:
    flink = install("both", values={"flink": {"version": version}, **JSON}, files=[VALUES / "session.yaml"])
    assert "Succeeded" in helm.test("both", namespace=namespace)
    jobs = [flink.submit("--detached", f"{EXAMPLES}/TopSpeedWindowing.jar") for _ in range(2)]
    for job in jobs:
        flink.rest.wait_running(job)
        wait_for(lambda job=job: value(flink, "runningState", job) == 1, timeout=60, what="the job's state")  # type: ignore[misc]
    check_pods(flink, jobs[0])
    check_logs(flink, jobs)
    flink.rest.cancel(jobs[0])
    left = "flink_jobmanager_job_runningState"
    wait_for(lambda: not samples(flink, "jobmanager", left, jobs[0]), timeout=60, what="the cancelled job to be exported no more")
    assert value(flink, "runningState", jobs[1]) == 1


@pytest.mark.full
def test_of_taskmanagers_that_flink_makes(install: Install, helm: Helm, namespace: str) -> None:
    flink = install("native", values=JSON, files=[VALUES / "native-session.yaml"])
    job = flink.submit("--detached", f"{EXAMPLES}/TopSpeedWindowing.jar")
    flink.rest.wait_running(job)
    check_pods(flink, job)
    check_logs(flink, [job])
    assert "Succeeded" in helm.test("native", namespace=namespace)
