"""Bounded jobs: Jobs of Kubernetes that end with the job, and hold its result."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kubernetes import client

from ci.core.paths import FLINK, VALUES
from harness import evidence, workloads
from harness.cluster import Cluster
from harness.helm import Helm, HelmError
from harness.waits import wait_for
from harness_kdv.tools import tools
from tests.kind.installs import NEW, OLD, Install

pytestmark = pytest.mark.modes
VALUES_FILE = VALUES / "bounded.yaml"
WORDS = "Veri akar zaman durmaz; pencere kapanır, satır kalır: one two three 42".split()


@pytest.fixture
def text(cluster: Cluster, namespace: str) -> str:
    """The text of the ConfigMap that values/bounded.yaml reads."""
    choice = random.Random(7)
    lines = (" ".join(choice.choices(WORDS, k=9)) for _ in range(2000))
    text = "\n".join(lines)
    body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="text"), data={"text.txt": text})
    if "text" in {counts.metadata.name for counts in cluster.core.list_namespaced_config_map(namespace).items}:
        cluster.core.replace_namespaced_config_map("text", namespace, body)
    else:
        cluster.core.create_namespaced_config_map(namespace, body)
    return text


@pytest.mark.full
def test_a_job_without_an_end_is_not_killed_for_it(install: Install, helm: Helm, cluster: Cluster, namespace: str) -> None:
    """Hooks are not there to refuse it, so that Helm does."""
    jar = {"file": "/opt/flink/examples/streaming/TopSpeedWindowing.jar"}
    flink = install("endless", FLINK, {"flink": {"type": "job"}, "job": {"jar": jar}})
    bounded = {"flink": {"type": "job"}, "job": {"jar": jar, "bounded": True}}
    with pytest.raises(HelmError, match="suspend it first"):
        helm.upgrade("endless", FLINK, bounded, namespace=namespace)
    assert cluster.pods(namespace, flink.selector("jobmanager"))


def jobs(cluster: Cluster, namespace: str, selector: str) -> list[Any]:
    return list(cluster.batch.list_namespaced_job(namespace, label_selector=selector).items)


@pytest.mark.parametrize(
    ("mode", "version"),
    [
        ("native", OLD),
        pytest.param("standalone", NEW, marks=pytest.mark.full),
        pytest.param("standalone", OLD, marks=pytest.mark.full),
        pytest.param("native", NEW, marks=pytest.mark.full),
    ],
)
def test_words_are_counted_and_the_jobs_are_complete(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, text: str, mode: str, version: str
) -> None:
    values = {"flink": {"version": version, "mode": mode}}
    name = f"words-{mode}-{version.partition('.')[0]}"
    flink = install(name, FLINK, values, files=[VALUES_FILE])
    (jobmanager,) = jobs(cluster, namespace, flink.selector("jobmanager"))
    taskmanagers = jobs(cluster, namespace, flink.selector("taskmanager"))
    assert len(taskmanagers) == (1 if mode == "standalone" else 0)
    for job in (jobmanager, *taskmanagers):
        workloads.wait_job(cluster, namespace, job.metadata.name)

    def taskmanagers_gone() -> bool:
        return not any(pod.status.phase == "Running" for pod in cluster.pods(namespace, flink.selector("taskmanager")))

    wait_for(taskmanagers_gone, timeout=90, what="the TaskManagers to end with their job")
    pods = cluster.pods(namespace, flink.selector("jobmanager"))
    assert [pod.status.container_statuses[0].state.terminated.exit_code for pod in pods] == [0]

    read = ["bash", "-c", f"cat /claim/{name}/*/part-*"]
    lines = tools(cluster, namespace).run_on_claim(f"{name}-flink-data", read).splitlines()
    counts = {word: int(number) for word, number in (line.strip("()").rsplit(",", 1) for line in lines)}
    assert len(counts) == len(lines)
    # Java's \\W+ knows ASCII only.
    assert counts == Counter(filter(None, re.split(r"[^a-zA-Z0-9_]+", text.lower())))

    # What has ended is not run again by an upgrade that leaves it as it is.
    helm.upgrade(name, FLINK, {**values, "commonLabels": {"team": "veri"}}, files=[VALUES_FILE], namespace=namespace)
    (same,) = jobs(cluster, namespace, flink.selector("jobmanager"))
    assert same.metadata.uid == jobmanager.metadata.uid


@pytest.fixture
def let_them_in(cluster: Cluster, namespace: str) -> Iterator[Callable[[], None]]:
    """Gives the nodes the label `<namespace>=welcome`; it is taken away when the test ends."""

    def label(value: str | None) -> None:
        for node in cluster.core.list_node().items:
            cluster.core.patch_node(node.metadata.name, {"metadata": {"labels": {namespace: value}}})

    yield lambda: label("welcome")
    label(None)


@pytest.mark.full
@pytest.mark.parametrize("late", [False, True])
def test_a_job_that_fails_is_failed_and_not_tried_again(
    install: Install, cluster: Cluster, namespace: str, text: str, let_them_in: Callable[[], None], late: bool
) -> None:
    args = ["--execution-mode", "BATCH", "--input", "file:///nothing-is-here", "--output", "file:///flink-data/nothing"]
    # Those that are not late by intent may be so by chance, and would then hold their memory for ten minutes.
    taskmanager = {"extraEnv": [{"name": "WAIT_SECONDS", "value": "60"}], "nodeSelector": {namespace: "welcome"}}
    if not late:
        let_them_in()
    flink = install("failing", FLINK, {"job": {"args": args}, "taskmanager": taskmanager}, files=[VALUES_FILE])
    (jobmanager,) = jobs(cluster, namespace, flink.selector("jobmanager"))

    def failed() -> bool:
        conditions = cluster.batch.read_namespaced_job(jobmanager.metadata.name, namespace).status.conditions or []
        assert not any(condition.type == "Complete" for condition in conditions)
        return any(condition.type == "Failed" and condition.status == "True" for condition in conditions)

    wait_for(failed, timeout=180, what="the Job to be Failed", on_timeout=lambda: evidence.summary(cluster, namespace))
    assert len(cluster.pods(namespace, flink.selector("jobmanager"))) == 1
    let_them_in()
    (taskmanager_job,) = jobs(cluster, namespace, flink.selector("taskmanager"))
    workloads.wait_job(cluster, namespace, taskmanager_job.metadata.name)
