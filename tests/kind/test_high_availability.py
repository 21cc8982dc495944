"""High availability by Kubernetes: a job resumes where it was, whichever JobManager leads, and none comes back from the dead."""

from __future__ import annotations

from typing import Any

import pytest

from ci.core.paths import DEMO
from harness import evidence, faults
from harness.cluster import Cluster
from harness.helm import Helm
from harness.release import FlinkRelease
from harness.waits import wait_for
from tests.kind.demo_job import check_rows, producer_done, record, restored, started, with_interval
from tests.kind.installs import Install

pytestmark = pytest.mark.faults
KUBERNETES = {"type": "kubernetes"}
EXAMPLE = "/opt/flink/examples/streaming/TopSpeedWindowing.jar"


def leader(flink: FlinkRelease) -> str:
    """The address in the ConfigMap of the leader."""
    data = flink.cluster.core.read_namespaced_config_map(f"{flink.name}-flink-cluster-config-map", flink.namespace).data
    return str(data["org.apache.flink.k8s.leader.restserver"])


def wait_restored(flink: FlinkRelease, job: str, number: int) -> int:
    """Wait until the job was restored from a checkpoint after `number` and has taken another; returns that one's."""

    def done() -> bool:
        checkpoint: dict[str, Any] | None = restored(flink)
        return bool(checkpoint and checkpoint["id"] > number)

    wait_for(done, timeout=240, what=f"the job to be restored after checkpoint {number}")
    newest: int = flink.rest.wait_checkpoint(job, restored(flink)["id"] + 1)["id"]
    return newest


def test_a_job_outlives_its_jobmanagers(install: Install, helm: Helm, cluster: Cluster, namespace: str) -> None:
    """A standby takes over; then all pods go at once; then an upgrade rolls; then nothing is left."""
    values, flink, kafka, first = started(
        install, "led", highAvailability=KUBERNETES, jobmanager={"replicas": 2, "strategy": {"type": "RollingUpdate"}}
    )
    job = first["jid"]
    led_by = leader(flink)
    (leading,) = [pod for pod in cluster.pods(namespace, flink.selector("jobmanager")) if pod.status.pod_ip in led_by]
    (standby,) = [pod for pod in cluster.pods(namespace, flink.selector("jobmanager")) if pod.status.pod_ip not in led_by]
    assert standby.status.container_statuses[0].ready

    cluster.core.delete_namespaced_pod(leading.metadata.name, namespace, grace_period_seconds=0)
    newest = wait_restored(flink, job, 0)
    assert leader(flink) != led_by

    faults.delete_pods(cluster, namespace, f"app.kubernetes.io/instance={flink.name},app.kubernetes.io/name=flink")
    wait_restored(flink, job, newest - 1)
    assert [entry["jid"] for entry in flink.rest.jobs()] == [job]

    helm.upgrade("led", DEMO, with_interval(values, "3 s"), namespace=namespace)
    assert f"/savepoints/{job}/stop/" in restored(flink)["external_path"]
    assert [entry["jid"] for entry in flink.rest.jobs()] == [record(flink)["job"]]
    producer_done(flink)
    check_rows(flink, kafka, 2000)

    helm.uninstall("led", namespace=namespace)
    wait_for(lambda: evidence.leftovers(cluster, namespace) <= {"Pod/tools"}, timeout=90, what="everything of the release to go")


@pytest.mark.full
def test_a_killed_jobmanager_under_high_availability(install: Install, helm: Helm, cluster: Cluster, namespace: str) -> None:
    _, flink, kafka, first = started(install, "killed", highAvailability=KUBERNETES)
    faults.kill(cluster, namespace, flink.selector("jobmanager"), "jobmanager")
    wait_restored(flink, first["jid"], 0)
    assert [entry["jid"] for entry in flink.rest.jobs()] == [first["jid"]]
    producer_done(flink)
    check_rows(flink, kafka, 2000)

    # What an uninstall without hooks leaves behind brings nothing back; that the state has gone with its claim has to be said.
    helm.run("uninstall", "killed", f"--namespace={namespace}", "--no-hooks", "--wait")
    assert any("-config-map" in name for name in evidence.leftovers(cluster, namespace))
    from_scratch: dict[str, Any] = {"job": {"upgradeMode": "stateless"}}
    _, again, _, second = started(install, "killed", highAvailability=KUBERNETES, **from_scratch)
    assert [entry["jid"] for entry in again.rest.jobs()] == [second["jid"]]
    assert second["jid"] != first["jid"]


@pytest.mark.full
def test_a_session_keeps_its_jobs_over_an_upgrade(install: Install, helm: Helm, namespace: str) -> None:
    values: dict[str, Any] = {"highAvailability": KUBERNETES}
    flink = install("session", values=values)
    job = flink.submit("--detached", EXAMPLE)
    flink.rest.wait_running(job)
    values["jobmanager"] = {"podAnnotations": {"example.com/new": "pod"}}
    helm.upgrade("session", "charts/flink", values, namespace=namespace)
    assert wait_for(lambda: flink.rest.wait_running(job), timeout=180, what="the job of the session")["jid"] == job
