"""Helm operations keep the KDV job and its state: every row arrives once, whatever happened to the release in between."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from ci.core.paths import DEMO, FLINK
from harness.cluster import Cluster
from harness.helm import Helm, HelmError
from harness.manifests import Object
from harness.release import FlinkRelease
from harness.rest import is_savepoint
from harness.waits import wait_for
from tests.kind.demo_job import (
    OUTPUT,
    TOPIC,
    another,
    broker,
    changed,
    check_rows,
    demo,
    is_another,
    no_pods,
    producer_done,
    record,
    restored,
    started,
    with_interval,
)
from tests.kind.installs import NEW, OLD, Install

pytestmark = pytest.mark.state
# docs/disaster.md: the newest complete checkpoint below a directory.
NEWEST = 'ls -td "$1"/checkpoints/*/chk-*/_metadata | head -n 1'


def jobmanager(flink: FlinkRelease) -> Object:
    (pod,) = flink.cluster.pods(flink.namespace, flink.selector("jobmanager"))
    return {"uid": pod.metadata.uid, "restarts": sum(status.restart_count for status in pod.status.container_statuses)}


@pytest.mark.parametrize(
    ("helm", "version"), [("helm", NEW), pytest.param("helm3", OLD, marks=pytest.mark.full)], indirect=["helm"]
)
def test_upgrade_rollback_suspend_and_resume(install: Install, helm: Helm, namespace: str, version: str) -> None:
    values, flink, kafka, first = started(install, "carried", version=version)
    pod = jobmanager(flink)

    # What does not concern the job leaves it alone.
    aside = changed(values, commonLabels={"team": "veri"}, rest={"service": {"type": "NodePort"}}, taskmanager={"replicas": 2})
    helm.upgrade("carried", DEMO, aside, namespace=namespace)
    assert jobmanager(flink) == pod
    assert record(flink)["generation"] == "1"

    helm.upgrade("carried", DEMO, another(values, version), namespace=namespace)
    assert is_another(flink)
    savepoint = restored(flink)
    assert is_savepoint(savepoint)
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


@pytest.mark.full
@pytest.mark.parametrize(("helm", "version"), [("helm3", OLD), ("helm", NEW)], indirect=["helm"])
def test_a_broken_image_is_rolled_back_to_the_last_state(install: Install, helm: Helm, namespace: str, version: str) -> None:
    values, flink, kafka, first = started(install, "broken", version=version)
    pod = jobmanager(flink)

    def broken(timeout: str, **image: str) -> None:
        options = ["--atomic" if helm.binary == "helm3" else "--rollback-on-failure"]
        with pytest.raises(HelmError):
            helm.upgrade("broken", DEMO, changed(values, image=image), namespace=namespace, timeout=timeout, options=options)

    # One that is not there: the hook before the upgrade needs it as well, so that nothing has been stopped.
    broken("20s", tag="none")
    assert jobmanager(flink) == pod
    # One without Flink.
    broken("60s", repository="kdv-tools", tag="0.1.0")
    again = restored(flink)
    assert f"/savepoints/{first['jid']}/stop/" in again["external_path"]
    producer_done(flink)
    check_rows(flink, kafka, 2000)


@pytest.mark.full
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

    # A directory that Flink may not write.
    savepoints = "/flink-data/left-flink/savepoints"
    flink.jobmanager(["bash", "-c", f"mkdir -p {savepoints} && chmod a-w {savepoints}"])
    refusal = refused(with_interval(values, "3 s"))
    assert "The savepoint failed" in refusal
    assert f"The job still runs under the same id, {first['jid']}. Nothing was changed." in refusal
    flink.jobmanager(["chmod", "u+w", savepoints])

    # And then it works.
    helm.upgrade("left", DEMO, with_interval(values, "3 s"), namespace=namespace)
    assert is_savepoint(restored(flink))
    producer_done(flink)
    check_rows(flink, kafka, 2000)


@pytest.mark.full
@pytest.mark.parametrize("mode", ["standalone", "native"])
def test_a_job_that_was_uninstalled_goes_on_in_another_release(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, mode: str
) -> None:
    """From its last savepoint; and from its newest checkpoint, as docs/disaster.md finds it, when nobody took one."""
    name = f"first-{mode}"
    source = install("source", DEMO, demo(NEW, count=2000, rate=20))
    # The name in Kafka of the last of the three, where the check looks for its rejects.
    group = f"--group=kdv.{namespace}.third"
    brokers = [f"--bootstrap-servers={source.name}-kafka:9092", f"--topic={TOPIC}", group, f"--output=file://{OUTPUT}"]
    values: dict[str, Any] = {
        "flink": {"type": "job", "mode": mode},
        "image": {"repository": "flink-kdv", "tag": NEW},
        "job": {"python": {"file": "/opt/flink/usrlib/kdv.py"}, "args": brokers, "savepointOnUninstall": True},
        "storage": {"keep": True},
    }
    first = install(name, FLINK, values)
    first.rest.wait_checkpoint(first.rest.wait_running("kdv")["jid"], 1)
    last_state = re.search(r"The last state is (file:[-/\w]+/savepoints/[-/\w]+)", helm.uninstall(name, namespace=namespace))
    assert last_state
    gone = "all pods of the release to go"
    wait_for(lambda: not cluster.pods(namespace, f"app.kubernetes.io/instance={name}"), timeout=90, what=gone)

    values["flink"]["mode"] = "standalone"
    values["storage"] = {"existingClaim": f"{name}-flink-data"}
    values["job"]["fromSavepoint"] = last_state[1]
    second = install("second", FLINK, values)
    job = second.rest.wait_running("kdv")["jid"]
    restored_from = second.rest.checkpoints(job)["latest"]["restored"]
    assert restored_from["external_path"] == last_state[1]
    second.rest.wait_checkpoint(job, restored_from["id"] + 1)
    cluster.apps.patch_namespaced_deployment_scale("second-flink-taskmanager", namespace, {"spec": {"replicas": 0}})
    wait_for(lambda: not cluster.pods(namespace, second.selector("taskmanager")), timeout=60, what="the TaskManager to go")
    newest = second.jobmanager(["bash", "-c", NEWEST, "-", "/flink-data/second-flink"]).strip().removesuffix("/_metadata")
    assert f"/checkpoints/{job}/chk-" in newest
    helm.run("uninstall", "second", f"--namespace={namespace}", "--no-hooks", "--wait")

    values["job"]["fromSavepoint"] = f"file://{newest}"
    third = install("third", FLINK, values)
    last = third.rest.checkpoints(third.rest.wait_running("kdv")["jid"])["latest"]["restored"]
    assert last["external_path"] == f"file:{newest}"
    producer_done(source)
    check_rows(third, broker(source), 2000)
