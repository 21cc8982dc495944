"""Native mode: Flink makes its TaskManagers from the values of standalone mode, and nothing of them stays behind."""

from __future__ import annotations

from typing import Any

import pytest

from ci.core.paths import DEMO, VALUES
from harness import evidence, faults
from harness.cluster import Cluster
from harness.helm import Helm
from harness.release import FlinkRelease
from harness.waits import wait_for
from tests.kind.demo_job import changed, check_rows, no_pods, producer_done, record, restored, started, with_interval
from tests.kind.installs import NEW, OLD, Install

pytestmark = pytest.mark.modes
EXAMPLES = "/opt/flink/examples/streaming"
NATIVE = {"mode": "native"}


def taskmanagers(flink: FlinkRelease) -> list[Any]:
    return flink.cluster.pods(flink.namespace, flink.selector("taskmanager"))


def nothing_left(cluster: Cluster, namespace: str) -> None:
    gone = "everything of the release to go"
    wait_for(lambda: evidence.leftovers(cluster, namespace) <= {"Pod/tools"}, timeout=90, what=gone)


@pytest.mark.full
@pytest.mark.parametrize("version", [NEW, OLD])
def test_a_session_makes_taskmanagers_as_jobs_need_them(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, version: str
) -> None:
    name = f"made-{version[0]}"
    flink = install(name, values={"flink": {"version": version}}, files=[VALUES / "native-session.yaml"])
    assert flink.rest.overview()["taskmanagers"] == 0
    assert taskmanagers(flink) == []
    assert "Succeeded" in helm.test(name, namespace=namespace)

    job = flink.submit("--detached", f"{EXAMPLES}/TopSpeedWindowing.jar")
    flink.rest.wait_running(job)
    (pod,) = taskmanagers(flink)
    (container,) = pod.spec.containers
    assert flink.rest.taskmanagers()[0]["id"] == pod.metadata.name
    assert pod.metadata.labels["team"] == "streams"
    assert container.resources.requests == {"cpu": "100m", "memory": "1200Mi"}
    assert container.resources.limits == {"cpu": "1", "memory": "1200Mi"}
    assert container.security_context.read_only_root_filesystem
    assert pod.spec.security_context.run_as_user == 9999
    assert "/flink-data" in {mount.mount_path for mount in container.volume_mounts}

    flink.rest.cancel(job)
    wait_for(lambda: not taskmanagers(flink), timeout=90, what="the idle TaskManager to be released")
    again = flink.submit("--detached", f"{EXAMPLES}/TopSpeedWindowing.jar")
    flink.rest.wait_running(again)
    helm.uninstall(name, namespace=namespace)
    nothing_left(cluster, namespace)


@pytest.mark.full
@pytest.mark.parametrize("version", [OLD, NEW])
def test_a_jar_job_goes_on_without_its_pods(install: Install, helm: Helm, cluster: Cluster, namespace: str, version: str) -> None:
    name = f"jar-{version[0]}"
    more = {"flink": {"version": version}, "state": {"checkpointing": {"interval": "2 s"}}}
    flink = install(name, values=more, files=[VALUES / "native-job.yaml"])
    (job,) = flink.rest.jobs()
    flink.rest.wait_running(job["jid"])
    assert len(taskmanagers(flink)) == 2
    flink.rest.wait_checkpoint(job["jid"], 1)

    faults.delete_pods(cluster, namespace, f"app.kubernetes.io/instance={name},app.kubernetes.io/name=flink")

    def goes_on() -> bool:
        return bool(flink.rest.checkpoints(flink.rest.wait_running(job["jid"])["jid"])["latest"]["restored"])

    wait_for(goes_on, timeout=240, what="the job to be restored")
    helm.uninstall(name, namespace=namespace)
    nothing_left(cluster, namespace)


@pytest.mark.full
@pytest.mark.state
@pytest.mark.parametrize("version", [OLD, NEW])
def test_helm_carries_the_job(install: Install, helm: Helm, cluster: Cluster, namespace: str, version: str) -> None:
    name = f"native-{version[0]}"
    values, flink, kafka, first = started(install, name, version=version, flink={**NATIVE, "version": version})
    (before,) = taskmanagers(flink)

    more = {"requests": {"cpu": "150m", "memory": "1728Mi"}, "limits": {"memory": "1728Mi"}}
    upgraded = changed(with_interval(values, "3 s"), taskmanager={"resources": more})
    helm.upgrade(name, DEMO, upgraded, namespace=namespace)
    savepoint = restored(flink)
    assert f"/savepoints/{first['jid']}/stop/" in savepoint["external_path"]
    (after,) = taskmanagers(flink)
    assert after.metadata.uid != before.metadata.uid
    assert after.spec.containers[0].resources.requests["cpu"] == "150m"
    second = flink.rest.wait_running("kdv")["jid"]

    helm.rollback(name, 1, namespace=namespace)
    assert f"/savepoints/{second}/stop/" in restored(flink)["external_path"]
    third = flink.rest.wait_running("kdv")["jid"]

    helm.upgrade(name, DEMO, changed(values, job={"state": "suspended"}), namespace=namespace)
    no_pods(flink)
    helm.upgrade(name, DEMO, values, namespace=namespace)
    assert f"/savepoints/{third}/stop/" in restored(flink)["external_path"]
    assert [line.split()[0] for line in record(flink)["history"].splitlines()] == ["1", "1", "2", "2", "3", "3", "4", "5", "5"]
    producer_done(flink)
    check_rows(flink, kafka, 2000)

    helm.uninstall(name, namespace=namespace)
    nothing_left(cluster, namespace)


@pytest.mark.full
def test_a_job_in_sql(install: Install) -> None:
    flink = install("sql", values={"flink": NATIVE}, files=[VALUES / "job-sql.yaml"])
    (job,) = wait_for(flink.rest.jobs, timeout=60, what="the job to be there")
    flink.rest.wait_running(job["jid"])
    flink.rest.wait_checkpoint(job["jid"], 2)
    assert "0,0\n" in flink.jobmanager(["bash", "-c", "cat /flink-data/squares/part-*"])
