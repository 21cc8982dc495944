"""Helm's verbs carry the KDV job and its state: every row arrives once, whatever happened to the release in between."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kind.conftest import DEMO, FLINK, NEW, OLD, Install
from tests.kind.test_demo import OUTPUT, TOPIC, broker, check_rows, demo, producer_done
from tests.support.cluster import Cluster
from tests.support.helm import Helm, HelmError
from tests.support.manifests import Object
from tests.support.release import FlinkRelease
from tests.support.waits import wait_for

pytestmark = pytest.mark.state
# docs/disaster.md: the newest complete checkpoint below a folder.
NEWEST = 'ls -td "$1"/checkpoints/*/chk-*/_metadata | head -n 1'


def changed(values: dict[str, Any], **flink: Any) -> dict[str, Any]:
    """The demo's values with others for charts/flink; mappings are merged one level deep."""
    result = copy.deepcopy(values)
    for key, value in flink.items():
        old = result["flink"].get(key)
        result["flink"][key] = {**old, **value} if isinstance(old, dict) else value
    return result


ARGS = yaml.safe_load((DEMO / "values.yaml").read_text())["flink"]["job"]["args"]


def with_interval(values: dict[str, Any], interval: str) -> dict[str, Any]:
    """One more argument of the job, which changes neither its rows nor its state."""
    return changed(values, job={"args": [*ARGS, f"--checkpoint-interval={interval}"]})


def another(values: dict[str, Any], version: str = NEW) -> dict[str, Any]:
    """Other arguments, another image, another parallelism: the same rows."""
    return changed(with_interval(values, "3 s"), image={"tag": f"{version}-s3"}, job={"parallelism": 2})


def is_another(flink: FlinkRelease) -> bool:
    (pod,) = flink.cluster.pods(flink.namespace, flink.selector("jobmanager"))
    widest = max(vertex["parallelism"] for vertex in flink.rest.wait_running("kdv")["vertices"])
    return pod.spec.containers[0].image.endswith("-s3") and widest == 2


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
    said = refused(with_interval(values, "3 s"))
    assert "The savepoint failed" in said
    assert f"The job goes on under the same id, {first['jid']}. Nothing was changed." in said
    flink.jobmanager(["chmod", "u+w", savepoints])

    # And then it works.
    helm.upgrade("left", DEMO, with_interval(values, "3 s"), namespace=namespace)
    assert restored(flink)["is_savepoint"]
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
    told = re.search(r"The last state is (file:[-/\w]+/savepoints/[-/\w]+)", helm.uninstall(name, namespace=namespace))
    assert told
    gone = "all pods of the release to go"
    wait_for(lambda: not cluster.pods(namespace, f"app.kubernetes.io/instance={name}"), timeout=90, what=gone)

    values["flink"]["mode"] = "standalone"
    values["storage"] = {"existingClaim": f"{name}-flink-data"}
    values["job"]["fromSavepoint"] = told[1]
    second = install("second", FLINK, values)
    job = second.rest.wait_running("kdv")["jid"]
    restored_from = second.rest.checkpoints(job)["latest"]["restored"]
    assert restored_from["external_path"] == told[1]
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


@pytest.mark.full
@pytest.mark.parametrize("version", [NEW, OLD])
def test_a_release_of_an_older_chart_is_taken_over(install: Install, helm: Helm, namespace: str, version: str) -> None:
    """tests/kind/previous.tgz is the demo's chart of the time before hooks: it has no record and lets Flink choose the id."""
    values = demo(version, count=2000, rate=50)
    flink = install("older", Path(__file__).parent / "previous.tgz", values)
    job = flink.rest.wait_running("kdv")
    flink.rest.wait_checkpoint(job["jid"], 1)
    helm.upgrade("older", DEMO, values, namespace=namespace)
    assert f"/savepoints/{job['jid']}/stop/" in restored(flink)["external_path"]
    producer_done(flink)
    check_rows(flink, broker(flink), 2000)
