"""Helm's verbs carry the KDV job and its state: every row arrives once, whatever happened to the release in between."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml

from tests.kind.conftest import BOTH_HELMS_AND_FLINKS, DEMO, NEW, Install
from tests.kind.test_demo import broker, check_rows, demo, producer_done
from tests.support import faults
from tests.support.cluster import Cluster
from tests.support.helm import Helm, HelmError
from tests.support.manifests import Object
from tests.support.release import FlinkRelease
from tests.support.waits import wait_for

pytestmark = pytest.mark.state


def changed(values: dict[str, Any], **flink: Any) -> dict[str, Any]:
    """The demo's values with others for charts/flink; mappings are merged one level deep."""
    result = copy.deepcopy(values)
    for key, value in flink.items():
        old = result["flink"].get(key)
        result["flink"][key] = {**old, **value} if isinstance(old, dict) else value
    return result


def with_interval(values: dict[str, Any], interval: str) -> dict[str, Any]:
    """One more argument of the job, which changes neither its rows nor its state."""
    args = yaml.safe_load((DEMO / "values.yaml").read_text())["flink"]["job"]["args"]
    return changed(values, job={"args": [*args, f"--checkpoint-interval={interval}"]})


def record(flink: FlinkRelease) -> dict[str, str]:
    data = flink.cluster.core.read_namespaced_config_map(f"{flink.name}-flink-record", flink.namespace).data
    return dict(data)


def restored(flink: FlinkRelease) -> dict[str, Any]:
    """What the running job was restored from."""
    job = flink.rest.wait_running("kdv")
    assert job["jid"][:16] == record(flink)["job"][:16]
    found: dict[str, Any] = flink.rest.checkpoints(job["jid"])["latest"]["restored"]
    return found


def started(install: Install, name: str, count: int = 2000, version: str = NEW, **flink_values: Any) -> tuple[Any, ...]:
    """(values, release, Kafka, the running job with a checkpoint)."""
    values = changed(demo(version, count=count, rate=50), **flink_values)
    flink = install(name, DEMO, values)
    job = flink.rest.wait_running("kdv")
    flink.rest.wait_checkpoint(job["jid"], 1)
    return values, flink, broker(flink), job


def jobmanager(flink: FlinkRelease) -> Object:
    (pod,) = flink.cluster.pods(flink.namespace, flink.selector("jobmanager"))
    return {"uid": pod.metadata.uid, "restarts": sum(status.restart_count for status in pod.status.container_statuses)}


def no_pods(flink: FlinkRelease) -> None:
    def gone() -> bool:
        return not any(flink.cluster.pods(flink.namespace, flink.selector(role)) for role in ("jobmanager", "taskmanager"))

    wait_for(gone, timeout=60, what="the pods of Flink to go")


@BOTH_HELMS_AND_FLINKS
def test_upgrade_rollback_suspend_and_resume(install: Install, helm: Helm, namespace: str, version: str) -> None:
    values, flink, kafka, first = started(install, "carried", version=version)
    pod = jobmanager(flink)

    # What does not concern the job leaves it alone.
    aside = changed(values, commonLabels={"team": "veri"}, rest={"service": {"type": "NodePort"}}, taskmanager={"replicas": 2})
    helm.upgrade("carried", DEMO, aside, namespace=namespace)
    assert jobmanager(flink) == pod
    assert record(flink)["generation"] == "1"

    helm.upgrade("carried", DEMO, with_interval(values, "3 s"), namespace=namespace)
    savepoint = restored(flink)
    assert savepoint["is_savepoint"]
    assert f"/savepoints/{first['jid']}/stop/" in savepoint["external_path"]
    assert flink.rest.config()["rest.port"] == "8081"
    second = flink.rest.wait_running("kdv")["jid"]

    helm.rollback("carried", 1, namespace=namespace)
    assert f"/savepoints/{second}/stop/" in restored(flink)["external_path"]
    third = flink.rest.wait_running("kdv")["jid"]

    suspended = changed(values, job={"state": "suspended"})
    helm.upgrade("carried", DEMO, suspended, namespace=namespace)
    no_pods(flink)
    helm.upgrade("carried", DEMO, values, namespace=namespace)
    assert f"/savepoints/{third}/stop/" in restored(flink)["external_path"]

    history = record(flink)["history"].splitlines()
    assert [line.split()[0] for line in history] == ["1", "1", "2", "2", "3", "3", "4", "5", "5"]
    producer_done(flink)
    check_rows(flink, kafka, 2000)


def test_a_broken_upgrade_is_rolled_back_to_the_last_state(install: Install, helm: Helm, namespace: str) -> None:
    values, flink, kafka, first = started(install, "broken")
    broken = changed(values, job={"args": ["--no-such-argument"]})
    with pytest.raises(HelmError):
        helm.upgrade("broken", DEMO, broken, namespace=namespace, timeout="60s", options=["--rollback-on-failure"])
    again = restored(flink)
    assert f"/savepoints/{first['jid']}/stop/" in again["external_path"]
    producer_done(flink)
    check_rows(flink, kafka, 2000)


def test_what_cannot_be_done_leaves_the_job_and_the_release_alone(
    install: Install, helm: Helm, cluster: Cluster, namespace: str
) -> None:
    values, flink, kafka, first = started(install, "left")
    pod = jobmanager(flink)

    def refused(values: dict[str, Any]) -> str:
        with pytest.raises(HelmError) as caught:
            helm.upgrade("left", DEMO, values, namespace=namespace)
        assert jobmanager(flink) == pod
        assert flink.rest.wait_running("kdv")["jid"] == first["jid"]
        history = json.loads(helm.run("history", "left", f"--namespace={namespace}", "--output=json"))
        assert [entry["revision"] for entry in history if entry["status"] == "deployed"] == [1]
        return str(caught.value)

    # Somebody scaled the TaskManagers: Helm 4 would fail after the job was stopped.
    cluster.apps.patch_namespaced_deployment_scale("left-flink-taskmanager", namespace, {"spec": {"replicas": 2}})
    assert "others changed it: .spec.replicas" in refused(with_interval(values, "3 s"))
    cluster.apps.patch_namespaced_deployment_scale("left-flink-taskmanager", namespace, {"spec": {"replicas": 1}})
    flink.rest.wait_taskmanagers(1)
    flink.rest.wait_running("kdv")

    # A folder that Flink may not write.
    nowhere = changed(
        with_interval(values, "3 s"), flink={"config": {"execution.checkpointing.savepoint-dir": "file:///proc/no"}}
    )
    said = refused(nowhere)
    assert "The savepoint failed, and the job goes on as before" in said
    assert flink.rest.job(first["jid"])["state"] == "RUNNING"

    # And then it works.
    helm.upgrade("left", DEMO, with_interval(values, "3 s"), namespace=namespace)
    assert restored(flink)["is_savepoint"]
    producer_done(flink)
    check_rows(flink, kafka, 2000)


def test_last_state_and_a_killed_jobmanager(install: Install, helm: Helm, cluster: Cluster, namespace: str) -> None:
    values, flink, kafka, first = started(install, "last", job={"upgradeMode": "last-state"})

    # Without high availability: the claim tells the new process where the job was.
    faults.kill(cluster, namespace, flink.selector("jobmanager"), "jobmanager")
    again = wait_for(lambda: flink.rest.wait_running("kdv"), timeout=180, what="the job after the kill")
    assert again["jid"] != first["jid"]  # TaskManagers refuse the program of a new process under an id that they know
    checkpoint = restored(flink)
    assert f"/checkpoints/{first['jid']}/chk-" in checkpoint["external_path"]
    flink.rest.wait_checkpoint(again["jid"], checkpoint["id"] + 1)

    faults.delete_pods(cluster, namespace, flink.selector("jobmanager"))
    wait_for(lambda: restored(flink)["id"] > checkpoint["id"], timeout=180, what="the job in a new pod")
    third = flink.rest.wait_running("kdv")["jid"]
    flink.rest.wait_checkpoint(third, restored(flink)["id"] + 1)

    helm.upgrade("last", DEMO, with_interval(values, "3 s"), namespace=namespace)
    cancelled = restored(flink)
    assert f"/checkpoints/{third}/chk-" in cancelled["external_path"]
    producer_done(flink)
    check_rows(flink, kafka, 2000)
