"""Ways in which a release is changed that are not the straight one: the job keeps its newest state, or runs on untouched."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from ci.core.paths import FLINK
from harness import faults
from harness.cluster import Cluster
from harness.helm import Helm, HelmError, merged
from harness.release import FlinkRelease
from harness.rest import is_savepoint
from harness.waits import wait_for
from tests.kind.installs import Install
from tests.kind.jar_job import (
    NAME,
    Values,
    another,
    newest,
    record,
    restored,
    running,
    savepoint,
    scale_jobmanager,
    started,
    values,
)

pytestmark = pytest.mark.state

Refused = Callable[[FlinkRelease, Values], str]


@pytest.fixture
def refused(helm: Helm, namespace: str) -> Refused:
    """refused(release, values): what Helm says of an upgrade that leaves everything as it was."""

    def do(flink: FlinkRelease, job_values: Values, *options: str) -> str:
        def seen() -> tuple[Any, ...]:
            pods = flink.cluster.pods(namespace, f"app.kubernetes.io/instance={flink.name}")
            uids = {pod.metadata.uid for pod in pods if pod.metadata.labels["app.kubernetes.io/component"] != "hooks"}
            return running(flink), record(flink), uids

        before = seen()
        with pytest.raises(HelmError) as caught:
            helm.upgrade(flink.name, FLINK, job_values, namespace=namespace, options=options)
        assert seen() == before
        return str(caught.value)

    return do


@pytest.mark.full
def test_a_path_counts_once(install: Install, helm: Helm, namespace: str) -> None:
    """A rollback to a revision with job.fromSavepoint resumes from where the job is, not from where it was long ago."""
    first = values()
    flink = started(install, "once", first)
    path = savepoint(flink, "once-by-hand")
    named = merged(another(first, "b"), {"job": {"fromSavepoint": path}})
    helm.upgrade("once", FLINK, named, namespace=namespace)
    assert restored(flink)["external_path"].removeprefix("file:") == path.removeprefix("file:")

    # In the values of the next upgrade it stands for nothing any more, in another spelling neither.
    second = running(flink)
    spelled = merged(another(first, "c"), {"job": {"fromSavepoint": f"file://{path.removeprefix('file:')}/"}})
    helm.upgrade("once", FLINK, spelled, namespace=namespace)
    assert f"/savepoints/{second}/stop/" in restored(flink)["external_path"]
    helm.upgrade("once", FLINK, another(first, "d"), namespace=namespace)
    last = running(flink)
    helm.rollback("once", 2, namespace=namespace)
    assert f"/savepoints/{last}/stop/" in restored(flink)["external_path"]


@pytest.mark.full
def test_a_job_that_ended_under_high_availability_goes_on_from_its_newest_checkpoint(
    install: Install, helm: Helm, cluster: Cluster, namespace: str
) -> None:
    """Cancelled by hand, and the JobManager that knew it is gone: the files on the claim tell how far it came."""
    first = values(highAvailability={"type": "kubernetes"})
    flink = started(install, "ended", first)
    job, number = running(flink), newest(flink)
    flink.rest.cancel(job)
    wait_for(lambda: flink.rest.job(job)["state"] == "CANCELED", timeout=60, what="the job to end")
    faults.delete_pods(cluster, namespace, flink.selector("jobmanager"))
    wait_for(lambda: flink.rest.jobs() == [], timeout=120, what="a JobManager that does not know the job")

    helm.upgrade("ended", FLINK, another(first), namespace=namespace)
    checkpoint = restored(flink)
    assert checkpoint["id"] >= number
    assert f"/checkpoints/{job[:16]}" in checkpoint["external_path"]


@pytest.mark.full
def test_a_job_is_suspended_while_its_jobmanager_is_away(install: Install, helm: Helm, namespace: str) -> None:
    """Nothing comes back that could take a savepoint, so the newest checkpoint counts whatever the mode."""
    first = values()
    flink = started(install, "away", first)
    job, number = running(flink), newest(flink)
    scale_jobmanager(flink, 0)
    suspended = merged(first, {"job": {"state": "suspended"}, "hooks": {"forceConflicts": True}})
    options = ["--force-conflicts"]  # of .spec.replicas, which this test has changed
    helm.upgrade("away", FLINK, suspended, namespace=namespace, options=options)
    back = merged(first, {"hooks": {"forceConflicts": True}})
    helm.upgrade("away", FLINK, back, namespace=namespace, options=options)
    checkpoint = restored(flink)
    assert checkpoint["id"] >= number
    assert f"/checkpoints/{job[:16]}" in checkpoint["external_path"]


@pytest.mark.full
def test_a_job_whose_newest_checkpoint_nobody_can_tell_is_left_alone(
    install: Install, cluster: Cluster, namespace: str, refused: Refused
) -> None:
    """Checkpoints where neither hooks nor a JobManager that starts can list them, no high availability, and REST out of reach."""
    elsewhere = {"execution.checkpointing.dir": "file:///flink-data/elsewhere"}
    first = values(flink={"config": elsewhere}, job={"upgradeMode": "savepoint"})
    flink = started(install, "unknown", first)
    url = flink.rest.url
    service = {"spec": {"selector": {"app.kubernetes.io/component": "none"}}}
    job = running(flink)
    cluster.core.patch_namespaced_service("unknown-flink-rest", namespace, service)
    with pytest.raises(HelmError, match="cannot be reached"):
        Helm("helm", cluster.kubeconfig).upgrade("unknown", FLINK, another(first), namespace=namespace)
    back = {"spec": {"selector": {"app.kubernetes.io/component": "jobmanager"}}}
    cluster.core.patch_namespaced_service("unknown-flink-rest", namespace, back)
    assert flink.rest.url == url
    assert running(flink) == job

    # A JobManager that starts again waits for somebody who knows, instead of going back to the beginning.
    faults.kill(cluster, namespace, flink.selector("jobmanager"), "jobmanager")

    def says_why() -> bool:
        log = cluster.log(namespace, cluster.pod(namespace, flink.selector("jobmanager")))
        return "it cannot tell the job's newest checkpoint in file:///flink-data/elsewhere" in log

    wait_for(says_why, timeout=60, what="the JobManager to say why it waits")
    assert flink.rest_service()


@pytest.mark.full
@pytest.mark.parametrize("available", [False, True], ids=["", "HA"])
def test_state_without_a_record_is_not_passed_over(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, available: bool
) -> None:
    """Somebody has deleted the record and the Deployments: what is left looks like nothing was ever there, save for the state."""
    changes: Values = {"highAvailability": {"type": "kubernetes"}} if available else {}
    first = values(hooks={"timeoutSeconds": 60}, **changes)
    flink = started(install, "forgotten", first)
    taken = savepoint(flink, f"forgotten-by-hand-{available}".lower())
    number = newest(flink)
    for component in ("jobmanager", "taskmanager"):
        cluster.apps.delete_namespaced_deployment(f"forgotten-flink-{component}", namespace)
    cluster.core.delete_namespaced_config_map("forgotten-flink-record", namespace)
    gone = "the JobManager to go"
    wait_for(lambda: not cluster.pods(namespace, flink.selector("jobmanager")), timeout=60, what=gone)
    with pytest.raises(HelmError) as caught:
        helm.upgrade("forgotten", FLINK, first, namespace=namespace, timeout="90s")
    if available:
        path, number = taken, 0
        assert "The release has no record, and high availability knows jobs of a release of this name" in str(caught.value)
    else:
        log = cluster.log(namespace, cluster.pod(namespace, flink.selector("jobmanager")))
        (path,) = re.findall(r"job.fromSavepoint=(\S+),", log)
    named = merged(first, {"job": {"fromSavepoint": path}})
    helm.upgrade("forgotten", FLINK, named, namespace=namespace)
    checkpoint = restored(flink)
    assert checkpoint["id"] >= number
    assert checkpoint["external_path"].replace("file:///", "file:/") == path.replace("file:///", "file:/")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            {"jobmanager": {"podSpec": {"dnsPolicy": "Nowhere"}}},
            "Deployment refused-flink-jobmanager.*Unsupported value",
            id="field of a pod",
        ),
        pytest.param(
            {"taskmanager": {"extraVolumeMounts": [{"name": "nowhere", "mountPath": "/mine"}]}},
            "Not found",
            id="no volume of that name",
        ),
        pytest.param({"storage": {"accessModes": ["ReadWriteMany"]}}, "spec is immutable", id="access modes of the claim"),
        pytest.param(
            {"jobmanager": {"priorityClassName": "none"}}, "no PriorityClass with name none", id="pods that nobody admits"
        ),
        pytest.param(
            {"storage": {"existingClaim": "refused-flink-data"}},
            "would be deleted with all its files",
            id="the claim as one of the user's",
        ),
        pytest.param({"storage": {"existingClaim": "other"}}, "would be deleted with all its files", id="another claim"),
        pytest.param({"nameOverride": "other"}, "others would start without their state", id="other names"),
        pytest.param({"state": {"backend": "forst"}}, "was written by hashmap, and forst cannot read it", id="another backend"),
        pytest.param(
            {"state": {"root": "s3://bucket/x"}, "storage": {"enabled": False}},
            "would be deleted with all its files",
            id="another store",
        ),
    ],
)
def test_what_could_not_come_up_is_refused_before_the_stop(
    shared: FlinkRelease, refused: Refused, change: Values, message: str
) -> None:
    text = refused(shared, merged(another(values(), "refused"), change))
    assert re.search(message, text), text
    assert "Nothing was changed" in text


@pytest.fixture(scope="module")
def shared(cluster: Cluster, namespace: str) -> FlinkRelease:
    """A release that is never changed."""
    helm = Helm("helm", cluster.kubeconfig)
    helm.install("refused", FLINK, values(), namespace=namespace)
    flink = FlinkRelease(cluster, namespace, "refused")
    flink.rest.wait_running(NAME)
    return flink


@pytest.mark.full
def test_taskmanagers_that_never_come_fail_the_upgrade(install: Install, helm: Helm, namespace: str) -> None:
    """An upgrade of TaskManagers alone does not stop the job, and is proven all the same."""
    first = values()
    flink = started(install, "proven", first)
    job = running(flink)
    broken = merged(first, {"taskmanager": {"resources": {"requests": {"cpu": "100"}}}, "hooks": {"timeoutSeconds": 40}})
    with pytest.raises(HelmError, match="after 40 s"):
        helm.upgrade("proven", FLINK, broken, namespace=namespace, wait=False)
    helm.upgrade("proven", FLINK, first, namespace=namespace)
    assert running(flink) == job
    assert record(flink)["generation"] == "1"


@pytest.mark.full
def test_an_upgrade_after_a_jobmanager_that_was_started_again(
    install: Install, helm: Helm, cluster: Cluster, namespace: str
) -> None:
    """Without --wait the hook may still see the old pod, whose restarts say nothing about the new one."""
    first = values()
    flink = started(install, "restarted", first)
    for _ in range(2):
        number = newest(flink)
        faults.kill(cluster, namespace, flink.selector("jobmanager"), "jobmanager")
        flink.rest.wait_checkpoint(running(flink), number + 1)
    helm.upgrade("restarted", FLINK, another(first), namespace=namespace, wait=False)
    assert is_savepoint(restored(flink))


def test_what_does_not_concern_the_jobmanagers_process_stops_no_job(install: Install, helm: Helm, namespace: str) -> None:
    """The pod is replaced, and the job resumes from its newest checkpoint, without a savepoint."""
    first = values()
    flink = started(install, "same", first)
    number = newest(flink)
    rolled = merged(
        first, {"jobmanager": {"podLabels": {"team": "veri"}, "startupSeconds": 200}, "hooks": {"timeoutSeconds": 160}}
    )
    helm.upgrade("same", FLINK, rolled, namespace=namespace)
    assert restored(flink)["id"] >= number
    assert "/checkpoints/" in restored(flink)["external_path"]
    assert record(flink)["generation"] == "1"
    assert "stops" not in record(flink)


@pytest.mark.full
def test_taskmanagers_that_stay_are_ready_throughout(install: Install, helm: Helm, namespace: str) -> None:
    """Helm 4 fails an operation whose last pod becomes ready in the moment in which another one ceases to be."""
    first = values(highAvailability={"type": "kubernetes"})  # without it they are replaced as well
    flink = started(install, "throughout", first)

    def ready_since() -> tuple[str, object]:
        (pod,) = flink.cluster.pods(namespace, flink.selector("taskmanager"))
        (when,) = (one.last_transition_time for one in pod.status.conditions if (one.type, one.status) == ("Ready", "True"))
        return pod.metadata.uid, when

    before = ready_since()
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    slow = {"name": "slow", "image": "python:3.11-slim-bookworm", "command": ["sleep", "25"], "securityContext": security}
    helm.upgrade("throughout", FLINK, merged(first, {"jobmanager": {"initContainers": [slow]}}), namespace=namespace)
    assert is_savepoint(restored(flink))
    assert ready_since() == before


@pytest.mark.full
def test_a_session_becomes_a_job_only_when_it_is_empty(install: Install, helm: Helm, namespace: str) -> None:
    flink = install("kind", FLINK, {"state": {"checkpointing": {"interval": "2 s"}}})
    job = flink.submit("--detached", "/opt/flink/examples/streaming/TopSpeedWindowing.jar")
    flink.rest.wait_running(job)
    with pytest.raises(HelmError, match=f"these jobs of it would be lost: {NAME}"):
        helm.upgrade("kind", FLINK, values(), namespace=namespace)
    assert running(flink) == job
    flink.rest.cancel(job)
    wait_for(lambda: flink.rest.job(job)["state"] == "CANCELED", timeout=60, what="the job to end")
    helm.upgrade("kind", FLINK, values(), namespace=namespace)
    assert running(flink) != job


@pytest.mark.full
@pytest.mark.parametrize("keep", [True, False])
def test_a_rollback_after_an_uninstall_that_kept_the_history(install: Install, helm: Helm, namespace: str, keep: bool) -> None:
    """It resumes where the claim has stayed, and restarts from scratch where the state has gone with it."""
    name = f"history-{'kept' if keep else 'gone'}"
    flink = started(install, name, merged(values(), {"storage": {"keep": keep}}))
    number = newest(flink)
    helm.run("uninstall", name, f"--namespace={namespace}", "--keep-history", "--wait")
    helm.rollback(name, 1, namespace=namespace)
    if keep:
        assert record(flink)["generation"] == "2"
        assert restored(flink)["id"] >= number
    else:
        assert record(flink)["generation"] == "1"
        assert restored(flink) == {}


@pytest.mark.full
@pytest.mark.parametrize("helm", ["helm", "helm3"], indirect=True)
def test_objects_that_are_replaced_by_force(install: Install, helm: Helm, namespace: str) -> None:
    """What hooks wrote is in no manifest, so that nothing sets it back."""
    first: Values = {
        "session": {"jobs": [{"name": "speeds", "jar": {"file": "/opt/flink/examples/streaming/TopSpeedWindowing.jar"}}]},
        "state": {"checkpointing": {"interval": "2 s"}},
        "highAvailability": {"type": "kubernetes"},
        "commonLabels": {"team": "a"},
    }
    name = f"forced-{helm.binary}"
    flink = install(name, FLINK, first)
    job = running(flink)
    options = ["--force"] if helm.binary == "helm3" else ["--force-replace", "--server-side=false"]
    with suppress(HelmError):  # Helm replaces what cannot be replaced, a Service's address, and says so
        helm.upgrade(name, FLINK, {**first, "commonLabels": {"team": "b"}}, namespace=namespace, options=options)
    assert running(flink) == job
