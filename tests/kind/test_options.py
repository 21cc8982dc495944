"""Values that change how a cluster is reached, named and stored, each seen at work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from ci.core.paths import FLINK, VALUES
from harness.cluster import Cluster
from harness.helm import Helm, HelmError
from harness.release import FlinkRelease
from harness.waits import wait_for
from tests.kind.installs import Install


def node_address(cluster: Cluster) -> str:
    (node,) = cluster.core.list_node().items
    return next(str(address.address) for address in node.status.addresses if address.type == "InternalIP")


def test_node_port(install: Install, cluster: Cluster) -> None:
    install("nodeport", files=[VALUES / "nodeport.yaml"])
    answer = requests.get(f"http://{node_address(cluster)}:30081/overview", timeout=10)
    assert answer.json()["taskmanagers"] == 1


def test_port_slots_parallelism_and_labels(install: Install, helm: Helm, cluster: Cluster, namespace: str) -> None:
    values = {
        "rest": {"port": 9091},
        "taskmanager": {"slots": 3, "replicas": 2},
        "flink": {"config": {"parallelism.default": 5, "web.cancel.enable": False}},
        "commonLabels": {"team": "veri"},
        "nameOverride": "akis",
        "storage": {"enabled": False},
    }
    flink = install("options", values=values)
    assert flink.rest.overview()["slots-total"] == 6
    assert flink.rest.config()["parallelism.default"] == "5"
    assert flink.rest_service().metadata.name == "options-akis-rest"
    assert flink.rest_service().spec.ports[0].port == 9091
    assert flink.rest_service().metadata.labels["team"] == "veri"
    assert not cluster.core.list_namespaced_persistent_volume_claim(namespace).items
    assert "Succeeded" in helm.test("options", namespace=namespace)
    job = flink.submit("--detached", "/opt/flink/examples/streaming/TopSpeedWindowing.jar")
    running = flink.rest.wait_running(job)
    assert max(vertex["parallelism"] for vertex in running["vertices"]) == 5


@pytest.mark.full
def test_a_jar_job_beside_a_session_with_a_long_name(install: Install, helm: Helm, namespace: str) -> None:
    long_name = "a-release-name-that-is-as-long-as-helm-allows-it-to-b"
    assert len(long_name) == 53
    session = install(long_name, values={"taskmanager": {"replicas": 1}})
    job = install("jar", files=[VALUES / "job-jar.yaml"])

    running = job.rest.wait_running("CarTopSpeedWindowingExample")
    assert max(vertex["parallelism"] for vertex in running["vertices"]) == 2
    assert "Succeeded" in helm.test("jar", namespace=namespace)
    # Each cluster has its own TaskManager and its own jobs.
    assert [len(flink.rest.taskmanagers()) for flink in (session, job)] == [1, 1]
    assert session.rest.jobs() == []
    assert "Succeeded" in helm.test(long_name, namespace=namespace)


@pytest.mark.full
def test_a_job_whose_leader_the_charts_own_zookeeper_knows(install: Install) -> None:
    flink = install("keeper", files=[VALUES / "zookeeper.yaml"])
    flink.rest.wait_running("CarTopSpeedWindowingExample")
    assert flink.rest.config()["high-availability.type"] == "zookeeper"


@pytest.mark.parametrize(
    ("name", "files", "values"),
    [
        ("python", [VALUES / "job-python.yaml"], {}),
        # The second command of the README: the job is where the chart looks for it.
        ("convention", [], {"flink": {"type": "job"}, "image": {"repository": "flink-kdv", "tag": "2.2.1"}}),
    ],
)
def test_a_python_job_waits_for_its_kafka(
    install: Install, cluster: Cluster, namespace: str, name: str, files: list[Path], values: dict[str, Any]
) -> None:
    """An install is proven, so it fails when its time is over; the job waits on."""
    with pytest.raises(HelmError, match="does not run after 30 s"):
        install(name, values={**values, "hooks": {"timeoutSeconds": 30}}, files=files)
    flink = FlinkRelease(cluster, namespace, name)
    (pod,) = cluster.pods(namespace, flink.selector("jobmanager"))

    def waits_for_kafka() -> bool:
        return "waiting for Kafka at" in cluster.log(namespace, pod.metadata.name, container="jobmanager")

    wait_for(waits_for_kafka, timeout=120, what="the job to say that it waits for Kafka")
    (pod,) = cluster.pods(namespace, flink.selector("jobmanager"))
    assert pod.status.container_statuses[0].restart_count == 0


def test_a_python_job_in_an_image_without_python_says_so(install: Install) -> None:
    with pytest.raises(HelmError, match=r"flink:2\S+-java17, which holds no Python, and job.python.file needs it"):
        install("bare", values={"flink": {"type": "job"}})


@pytest.mark.full
def test_another_level_of_a_logger_is_taken_up_without_a_restart(
    install: Install, helm: Helm, cluster: Cluster, namespace: str
) -> None:
    flink = install("levels")

    def pods() -> dict[str, str]:
        return {pod.metadata.name: pod.metadata.uid for pod in cluster.pods(namespace, "app.kubernetes.io/instance=levels")}

    first = pods()
    assert not any(" DEBUG " in cluster.log(namespace, pod) for pod in first)
    helm.upgrade("levels", FLINK, {"logging": {"loggers": {"org.apache.flink": "DEBUG"}}}, namespace=namespace)
    assert pods() == first
    wait_for(
        lambda: all(" DEBUG org.apache.flink." in cluster.log(namespace, pod) for pod in first),
        timeout=240,
        what="both processes to log more",
    )
    assert pods() == first
    assert flink.rest.overview()["taskmanagers"] == 1


@pytest.mark.full
def test_a_claim_that_is_asked_to_stay(install: Install, helm: Helm, cluster: Cluster, namespace: str) -> None:
    flink = install("kept", values={"storage": {"keep": True}})
    flink.jobmanager(["bash", "-c", "echo here > /flink-data/mark"])
    helm.uninstall("kept", namespace=namespace)
    claims = [claim.metadata.name for claim in cluster.core.list_namespaced_persistent_volume_claim(namespace).items]
    assert "kept-flink-data" in claims

    again = install("again", values={"storage": {"existingClaim": "kept-flink-data"}, "taskmanager": {"replicas": 2}})
    assert again.jobmanager(["cat", "/flink-data/mark"]) == "here\n"
    assert "Succeeded" in helm.test("again", namespace=namespace)
    helm.uninstall("again", namespace=namespace)
    cluster.core.delete_namespaced_persistent_volume_claim("kept-flink-data", namespace)
    wait_for(
        lambda: not cluster.core.list_namespaced_persistent_volume_claim(namespace).items, timeout=60, what="the claim to go"
    )
