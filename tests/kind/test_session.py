"""A session cluster: it waits, takes jobs, and goes without a trace."""

from __future__ import annotations

import re
import subprocess

from ci.core.paths import VALUES
from harness import evidence
from harness.cluster import Cluster
from harness.helm import Helm
from harness.network import port_forward
from harness.waits import wait_for
from tests.kind.installs import NEW, OLD, Install, matrix

EXAMPLES = "/opt/flink/examples/streaming"


@matrix(("helm3", OLD))
def test_runs_the_published_examples(install: Install, helm: Helm, cluster: Cluster, namespace: str, version: str) -> None:
    flink = install("session", values={"flink": {"version": version}}, files=[VALUES / "session.yaml"])

    overview = flink.rest.overview()
    assert overview["flink-version"] == version
    assert overview["taskmanagers"] == 2
    assert overview["slots-total"] == 4
    assert "Succeeded" in helm.test("session", namespace=namespace)

    streaming = flink.submit("--detached", f"{EXAMPLES}/TopSpeedWindowing.jar")
    flink.rest.wait_running(streaming)
    assert streaming in flink.jobmanager(["flink", "list"])

    # Without --detached the command ends when the job has ended.
    bounded = flink.submit(f"{EXAMPLES}/WordCount.jar", "--output", "file:///flink-data/words")
    assert flink.rest.job(bounded)["state"] == "FINISHED"
    counted = flink.jobmanager(["bash", "-c", "cat $(find /flink-data/words -type f)"])
    assert "(hamlet,1)" not in counted  # no word of the text
    assert "(be,1)" in counted
    assert "(nymph,1)" in counted

    flink.jobmanager(["flink", "cancel", streaming])
    wait_for(lambda: flink.rest.job(streaming)["state"] == "CANCELED", timeout=30, what="the cancelled job to end")

    helm.uninstall("session", namespace=namespace)
    wait_for(lambda: not evidence.leftovers(cluster, namespace), timeout=60, what="everything of the release to go")


def client(*arguments: str) -> str:
    """The `flink` command of this machine: the one of Flink's own image, in the machine's own network."""
    command = ["docker", "run", "--rm", "--network=host", "--entrypoint=flink", f"flink:{NEW}-java17", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def test_the_flink_command_of_another_machine(install: Install, cluster: Cluster, namespace: str) -> None:
    flink = install("outside", values={"rest": {"service": {"type": "NodePort"}}})
    jar = f"{EXAMPLES}/TopSpeedWindowing.jar"
    with port_forward(cluster, namespace, f"service/{flink.rest_service().metadata.name}", 8081) as port:
        there = f"--jobmanager=localhost:{port}"
        first = re.search(r"JobID ([0-9a-f]{32})", client("run", there, "--detached", jar))
        assert first
        flink.rest.wait_running(first[1])
        assert first[1] in client("list", there)
        saved = re.search(r"Savepoint completed. Path: (file:\S+)", client("stop", there, first[1]))
        assert saved
        second = re.search(r"JobID ([0-9a-f]{32})", client("run", there, "--detached", f"--fromSavepoint={saved[1]}", jar))
        assert second
        flink.rest.wait_running(second[1])
        assert flink.rest.checkpoints(second[1])["latest"]["restored"]["external_path"] == saved[1]

    # The same through a port of the node.
    (node,) = cluster.core.list_node().items
    address = next(address.address for address in node.status.addresses if address.type == "InternalIP")
    there = f"--jobmanager={address}:{flink.rest_service().spec.ports[0].node_port}"
    client("cancel", there, second[1])
    wait_for(lambda: flink.rest.job(second[1])["state"] == "CANCELED", timeout=30, what="the cancelled job to end")
    assert second[1] in client("list", there, "--all")


def test_a_taskmanager_is_ready_once_it_is_registered(install: Install, cluster: Cluster, namespace: str) -> None:
    flink = install("registered")
    jobmanager, taskmanagers = "registered-flink-jobmanager", flink.selector("taskmanager")
    cluster.apps.patch_namespaced_deployment_scale(jobmanager, namespace, {"spec": {"replicas": 0}})
    wait_for(lambda: not cluster.pods(namespace, flink.selector("jobmanager")), timeout=90, what="the JobManager to go")
    (before,) = cluster.pods(namespace, taskmanagers)
    cluster.core.delete_namespaced_pod(before.metadata.name, namespace)

    def looks_for_a_jobmanager() -> str:
        names = [pod.metadata.name for pod in cluster.pods(namespace, taskmanagers)]
        (name,) = [name for name in names if name != before.metadata.name]
        return name if "Could not resolve ResourceManager address" in cluster.log(namespace, name) else ""

    after = wait_for(looks_for_a_jobmanager, timeout=120, what="a TaskManager that looks for a JobManager")

    def ready() -> bool:
        return bool(cluster.core.read_namespaced_pod(after, namespace).status.container_statuses[0].ready)

    assert not ready()
    cluster.apps.patch_namespaced_deployment_scale(jobmanager, namespace, {"spec": {"replicas": 1}})
    wait_for(ready, timeout=120, what="the TaskManager to register")
    assert flink.rest.overview()["taskmanagers"] == 1
