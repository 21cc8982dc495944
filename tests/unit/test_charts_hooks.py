"""The hooks' program against an API of Flink and of Kubernetes: what it stops, what it writes, and when it refuses."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.fakes import FakeFlink, FakeKubernetes, FakeZooKeeper, serving
from tests.unit.scenarios import FLINK

HOOKS = FLINK / "files" / "hooks"
OLD = "0" * 32
CHECKPOINT = f"file:/data/checkpoints/{OLD}/chk-7"


class Hooks:
    """A release whose job OLD runs as specification `a`, and the verbs on it."""

    def __init__(self, flink: FakeFlink, kubernetes: FakeKubernetes, url: str, server: str) -> None:
        self.flink, self.kubernetes, self.url, self._server = flink, kubernetes, url, server
        self.modules = {name: importlib.import_module(name) for name in ("clients", "release", "session", "lifecycle")}
        self.flink.run(OLD)
        self.kubernetes.config_maps["record"] = {"data": {
            "generation": "1", "confirmed": "1", "job": OLD, "spec": "a", "restore": "", "state": "running",
            "fromSavepoint": "", "history": "1\n",
        }}  # fmt: skip
        self.wanted: dict[str, Any] = {
            "record": "record", "labels": {}, "jobmanager": "jm", "taskmanager": "tm", "selector": "a=b", "rest": url,
            "specification": "b", "mode": "savepoint", "state": "running", "fromSavepoint": "", "savepoints": "file:///data/savepoints",
            "keepSavepoints": 2, "claim": True, "highAvailability": False, "zookeeper": {}, "clusterId": "r",
            "timeoutSeconds": 30, "deployments": [], "jobs": [], "remembers": False, "taskmanagers": "", "template": "t",
        }  # fmt: skip

    def __call__(self, verb: str, **wanted: Any) -> None:
        clients = self.modules["clients"]
        kubernetes = clients.Kubernetes(self._server, "n")
        release = self.modules["release"].Release({**self.wanted, **wanted}, kubernetes, clients.Flink(self.wanted["rest"]))
        self.modules["lifecycle"].VERBS[verb](release)

    def refused(self, verb: str, **wanted: Any) -> str:
        with pytest.raises(self.modules["release"].Failed) as caught:
            self(verb, **wanted)
        return str(caught.value)

    @property
    def record(self) -> dict[str, str]:
        data: dict[str, str] = self.kubernetes.config_maps["record"]["data"]
        return data

    @property
    def stops(self) -> int:
        return sum(call.endswith("/stop") for call in self.flink.calls)

    def unreachable(self) -> None:
        self.wanted["rest"] = "http://127.0.0.1:9"


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hooks]:
    monkeypatch.syspath_prepend(str(HOOKS))
    flink, kubernetes = FakeFlink(), FakeKubernetes()
    with serving(flink) as url, serving(kubernetes) as server:
        found = Hooks(flink, kubernetes, url, server)
        monkeypatch.setattr(found.modules["release"], "POLL_SECONDS", 0.01)
        yield found
    for name in ("clients", "release", "zookeeper", "stored", "ending", "download", "session", "lifecycle"):
        sys.modules.pop(name, None)


def test_an_upgrade_stops_with_a_savepoint_and_begins_a_new_job_from_it(hooks: Hooks) -> None:
    hooks("pre-upgrade")
    assert hooks.flink.jobs[OLD]["state"] == "FINISHED"
    assert hooks.record["restore"].startswith(f"file:///data/savepoints/{OLD}/stop/savepoint-")
    assert hooks.record["generation"] == "2"
    assert hooks.record["spec"] == "b"
    assert hooks.record["job"] != OLD
    assert "pending" not in hooks.record
    assert "former" not in hooks.record
    assert "confirmed" in hooks.record


def test_the_end_of_a_stopped_job_is_seen_at_once(hooks: Hooks) -> None:
    """Flink keeps what it tells of one job for some seconds, in which nothing would be read."""
    hooks.flink.shown[OLD] = dict(hooks.flink.jobs[OLD])
    hooks("pre-upgrade")
    stop = next(index for index, call in enumerate(hooks.flink.calls) if call.endswith("/stop"))
    assert f"GET /jobs/{OLD}" not in hooks.flink.calls[stop:]


def test_what_does_not_concern_the_job_touches_nothing(hooks: Hooks) -> None:
    before = dict(hooks.record)
    hooks("pre-upgrade", specification="a")
    hooks("post-upgrade", specification="a")
    assert hooks.record == before
    assert hooks.stops == 0


def test_a_savepoint_that_fails_leaves_the_job_and_another_try_takes_another_id(hooks: Hooks) -> None:
    hooks.flink.stop_fails = "java.lang.Exception: no\n\tat x\nCaused by: java.io.IOException: read-only"
    said = hooks.refused("pre-upgrade")
    assert "the job goes on as before: java.lang.Exception: no Caused by: java.io.IOException: read-only" in said
    assert (hooks.record["generation"], hooks.record["job"]) == ("1", OLD)
    hooks.flink.stop_fails = ""
    hooks("pre-upgrade")
    assert hooks.record["generation"] == "2"
    assert len(hooks.flink.operations) == 2


def test_a_hook_that_died_after_its_stop_finds_the_savepoint_again(hooks: Hooks) -> None:
    """A second stop with another id would kill the first."""
    folder = f"file:///data/savepoints/{OLD}/stop"
    hooks.flink.operations["t1"] = {"location": f"{folder}/savepoint-1"}
    hooks.record["pending"] = f"{OLD} t1"
    hooks("pre-upgrade")
    assert hooks.record["restore"] == f"{folder}/savepoint-1"
    assert list(hooks.flink.operations) == ["t1"]

    # Later Flink has forgotten the operation, but not that the job ended with it.
    hooks.record.update(job=OLD, spec="a", pending=f"{OLD} t1")
    hooks.flink.operations.clear()
    hooks.flink.jobs[OLD]["state"] = "FINISHED"
    synced = {"id": 9, "external_path": f"{folder}/savepoint-1", "checkpoint_type": "SYNC_SAVEPOINT"}
    hooks.flink.checkpoints[OLD]["latest"]["savepoint"] = synced
    for name in ("jm", "tm"):
        hooks.kubernetes.deployments[name] = {"metadata": {"name": name}, "spec": {"template": {"metadata": {}}}}
    hooks("pre-upgrade", specification="a")
    assert hooks.record["restore"] == f"{folder}/savepoint-1"


def test_the_stop_is_in_the_record_before_flink_hears_of_it(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: Any) -> str:
        assert hooks.record["pending"].startswith(f"{OLD} ")
        raise hooks.modules["clients"].Unreachable("the answer was lost")

    monkeypatch.setattr(hooks.modules["clients"].Flink, "trigger", lost)
    with pytest.raises(hooks.modules["clients"].Unreachable):
        hooks("pre-upgrade")


def test_a_savepoint_that_may_outlive_the_hook_is_not_begun(hooks: Hooks) -> None:
    hooks.flink.timeout = 600_000
    assert "raise hooks.timeoutSeconds (30) and helm's --timeout" in hooks.refused("pre-upgrade")
    assert hooks.stops == 0


@pytest.mark.parametrize("mode", ["last-state", "stateless"])
def test_the_other_modes_cancel(hooks: Hooks, mode: str) -> None:
    hooks.flink.checkpoint(OLD, 7, CHECKPOINT)
    hooks("pre-upgrade", mode=mode)
    assert hooks.flink.jobs[OLD]["state"] == "CANCELED"
    assert hooks.record["restore"] == (CHECKPOINT if mode == "last-state" else "")
    assert hooks.stops == 0


def test_a_job_that_does_not_run_is_not_stopped_without_a_word(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    """RUNNING without TaskManagers: Flink would answer that the stop is complete, and nothing would have stopped."""
    monkeypatch.setattr(hooks.modules["release"].Release, "look", lambda self, patience: self.status())
    hooks.flink.run(OLD, tasks="SCHEDULED")
    said = hooks.refused("pre-upgrade")
    assert "No savepoint can be taken" in said
    assert "job.upgradeMode=last-state" in said
    assert "Caused by: java.io.IOException: the cause" in said
    assert hooks.flink.jobs[OLD]["state"] == "RUNNING"

    # A rollback leaves a broken version behind in any case.
    hooks.flink.checkpoint(OLD, 7, CHECKPOINT)
    hooks("pre-rollback")
    assert hooks.record["restore"] == CHECKPOINT


@pytest.mark.parametrize("state", ["FAILED", "CANCELED"])
def test_an_ended_job_goes_on_from_its_newest_checkpoint_under_a_new_id(hooks: Hooks, state: str) -> None:
    """Flink never runs a terminal id again: a rollback to the same one would leave a JobManager without a job."""
    hooks.flink.run(OLD, restored={"id": 9, "external_path": "file:/s"}, state=state)
    for name in ("jm", "tm"):
        hooks.kubernetes.deployments[name] = {"metadata": {"name": name}, "spec": {"template": {"metadata": {}}}}
    hooks("pre-upgrade", specification="a")
    assert hooks.record["restore"] == "file:/s"
    assert hooks.record["job"] != OLD
    # The pod's template is the same, so that Helm would restart nothing.
    for name in ("jm", "tm"):
        assert hooks.kubernetes.deployments[name]["spec"]["template"]["metadata"]["annotations"]


def test_a_process_without_high_availability_runs_the_job_under_an_id_that_begins_alike(hooks: Hooks) -> None:
    del hooks.flink.jobs[OLD]
    again = f"{OLD[:16]}{'9' * 16}"
    hooks.flink.run(again)
    hooks("pre-upgrade")
    assert hooks.flink.jobs[again]["state"] == "FINISHED"
    assert f"/{again}/stop/" in hooks.record["restore"]


def test_the_job_of_a_jobmanager_that_is_about_to_go_proves_nothing(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --wait the old one may still answer."""
    hooks.record.update(generation="2", job="2" * 32)
    assert "it is not submitted yet" in hooks.refused("post-upgrade", timeoutSeconds=1)


def test_a_job_that_finished_by_itself_stays_finished(hooks: Hooks) -> None:
    hooks.flink.jobs[OLD]["state"] = "FINISHED"
    hooks("pre-upgrade", specification="a")
    assert hooks.record["generation"] == "1"
    hooks("pre-upgrade")
    assert (hooks.record["generation"], hooks.record["restore"]) == ("2", "")


def test_a_lost_jobmanager(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks.modules["release"].Release, "look", lambda self, patience: self.status())
    hooks.unreachable()
    assert "cannot be reached" in hooks.refused("pre-upgrade")
    assert "newest checkpoint is not known" in hooks.refused("pre-upgrade", claim=False, mode="last-state")
    assert hooks.record["generation"] == "1"
    # What it started from, or what the claim shows of it.
    hooks("pre-upgrade", mode="last-state")
    assert (hooks.record["former"], hooks.record["restore"]) == (OLD, "")
    # A new version that never ran cannot block its own repair.
    hooks("pre-upgrade", specification="c")
    assert hooks.record["generation"] == "3"


def test_a_lost_jobmanager_under_high_availability(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stored graph would win over the new program, the stored checkpoint is the newest."""
    monkeypatch.setattr(hooks.modules["release"].Release, "look", lambda self, patience: self.status())
    hooks.unreachable()
    maps = hooks.kubernetes.config_maps
    maps["r-cluster-config-map"] = {"data": {f"jobGraph-{OLD}": "x", f"executionPlan-{OLD}": "x", "other": "y"}}
    maps[f"r-{OLD}-config-map"] = {"data": {"checkpointID-0000000000000000007": "z"}}
    hooks("pre-rollback", highAvailability=True)
    assert hooks.record["job"] == OLD
    assert maps["r-cluster-config-map"]["data"] == {"other": "y"}

    # Without a checkpoint of its own nothing binds it to that id, which may have ended.
    del maps[f"r-{OLD}-config-map"]
    hooks("pre-rollback", highAvailability=True, specification="c")
    assert hooks.record["job"] != OLD


def test_zookeeper_keeps_the_checkpoints_of_a_lost_jobmanager(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks.modules["release"].Release, "look", lambda self, patience: self.status())
    hooks.unreachable()
    checkpoint = f"/flink/n/r/jobs/{OLD}/checkpoints/0000000000000000007"
    known = FakeZooKeeper(checkpoint, f"/flink/n/r/jobgraphs/{OLD}/lock", f"/flink/n/r/execution-plans/{OLD}", "/flink/n/other")
    with known.serving() as server:
        where = {"quorum": f"127.0.0.1:9,{server}", "path": "/flink/n/r", "bundled": False}
        assert "Nothing was changed" in hooks.refused("pre-upgrade", highAvailability=True, zookeeper=where)
        assert f"/flink/n/r/execution-plans/{OLD}" in known.paths
        hooks("pre-rollback", highAvailability=True, zookeeper=where)
        assert hooks.record["job"] == OLD
        assert checkpoint in known.paths
        assert not any(OLD in path for path in known.paths if "/jobs/" not in path)

        hooks("forget", highAvailability=True, zookeeper=where)
        assert known.paths == {"/flink", "/flink/n", "/flink/n/other"}
        hooks("pre-rollback", highAvailability=True, zookeeper=where, specification="c")
        assert hooks.record["job"] != OLD


def test_a_zookeeper_that_is_away_stops_no_uninstall(hooks: Hooks, capsys: pytest.CaptureFixture[str]) -> None:
    where = {"quorum": "127.0.0.1:9", "path": "/flink/n/r", "bundled": False}
    hooks("post-delete", highAvailability=True, zookeeper=where)
    said = capsys.readouterr().out
    assert "no ZooKeeper answers: 127.0.0.1:9: " in said
    assert "delete /flink/n/r there" in said
    assert "record" not in hooks.kubernetes.config_maps
    # The release's own goes with it.
    hooks("post-delete", highAvailability=True, zookeeper={**where, "bundled": True})
    assert not capsys.readouterr().out


def test_fields_that_others_changed_are_found_before_the_stop(hooks: Hooks) -> None:
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "tm"}, "spec": {"replicas": 1}}
    live: dict[str, Any] = {
        **deployment,
        "metadata": {"name": "tm", "managedFields": [{"manager": "helm", "operation": "Apply"}]},
    }
    hooks.kubernetes.deployments["tm"] = live
    own = {"field": ".spec.replicas", "message": 'conflict with "helm" using apps/v1'}
    other = {"field": ".spec.replicas", "message": 'conflict with "kubectl" with subresource "scale" using apps/v1'}
    hooks.kubernetes.conflicts = [own, other]
    said = hooks.refused("pre-upgrade", deployments=[deployment])
    assert 'Deployment tm, because others changed it: .spec.replicas (conflict with "kubectl"' in said
    assert '"helm"' not in said
    assert hooks.stops == 0
    # Helm 3 does not mind.
    live["metadata"]["managedFields"][0]["operation"] = "Update"
    hooks("pre-upgrade", deployments=[deployment])
    assert hooks.stops == 1


def test_the_users_savepoint_wins_once(hooks: Hooks) -> None:
    hooks("pre-upgrade", fromSavepoint="s3://b/s")
    assert hooks.record["restore"] == "s3://b/s"
    hooks.flink.run(hooks.record["job"])
    hooks("pre-upgrade", fromSavepoint="s3://b/s", specification="c")
    assert hooks.record["restore"].startswith("file:///data/savepoints/")


def test_suspend_and_resume(hooks: Hooks) -> None:
    hooks("pre-upgrade", specification="a", state="suspended")
    path, job = hooks.record["restore"], hooks.record["job"]
    assert path.startswith("file:///data/savepoints/")
    hooks("post-upgrade", specification="a", state="suspended")
    hooks("pre-upgrade", state="suspended")
    assert (hooks.record["restore"], hooks.record["job"], hooks.record["spec"]) == (path, job, "b")
    hooks("pre-upgrade")
    assert (hooks.record["restore"], hooks.record["state"]) == (path, "running")


@pytest.mark.parametrize("state", ["running", "suspended"])
def test_taskmanagers_that_flink_made_go_with_the_job_that_was_stopped(hooks: Hooks, state: str) -> None:
    """A new JobManager would take them over, with the image and the options that they have."""
    hooks("pre-upgrade", state=state)
    assert hooks.kubernetes.dropped == []
    hooks.flink.run(hooks.record["job"])
    hooks("pre-upgrade", specification="c", taskmanagers="tm=1")
    assert hooks.kubernetes.dropped == (["tm=1"] if state == "running" else [])


def test_what_changes_nothing_leaves_the_taskmanagers(hooks: Hooks) -> None:
    hooks("pre-upgrade", specification="a", taskmanagers="tm=1")
    hooks.flink.stop_fails = "no"
    hooks.refused("pre-upgrade", taskmanagers="tm=1")
    assert hooks.kubernetes.dropped == []


def test_a_session_that_remembers_its_jobs_gets_new_taskmanagers_afterwards(hooks: Hooks) -> None:
    status = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1}
    live = {"metadata": {"generation": 1, "annotations": {"flink/specification": "a"}}, "spec": {"replicas": 1}, "status": status}
    hooks.kubernetes.deployments["jm"] = live
    hooks.kubernetes.config_maps["record"] = {"data": {}}
    hooks("session", taskmanagers="tm=1", remembers=True)
    assert hooks.kubernetes.dropped == []
    hooks("renew", taskmanagers="tm=1")
    assert hooks.kubernetes.dropped == ["tm=1,flink/template!=t"]
    # One that forgets them has none left when it is replaced.
    hooks.flink.jobs.clear()
    hooks("session", taskmanagers="tm=1")
    assert hooks.kubernetes.dropped[1:] == ["tm=1"]


def test_a_release_without_a_record_is_taken_over(hooks: Hooks) -> None:
    del hooks.kubernetes.config_maps["record"]
    hooks("pre-upgrade")
    assert f"/{OLD}/stop/" in hooks.record["restore"]
    del hooks.kubernetes.config_maps["record"]
    hooks.flink.run("1" * 32)
    hooks.flink.run("2" * 32)
    assert "2 jobs run: stop all but one" in hooks.refused("pre-upgrade")


def begun(hooks: Hooks, restore: str, **job: Any) -> None:
    hooks.record.update(generation="2", job="2" * 32, restore=restore)
    hooks.flink.run("2" * 32, **job)


@pytest.mark.parametrize("path", ["file:/data/s", f"file:/data/checkpoints/{'2' * 32}/chk-3"])
def test_an_upgrade_is_proven_by_what_was_restored(hooks: Hooks, path: str) -> None:
    begun(hooks, "file:///data/s", restored={"id": 1, "external_path": path})
    hooks("post-upgrade")
    assert hooks.record["confirmed"] == "2"
    assert f"restored from {path}" in hooks.record["history"]


@pytest.mark.parametrize(("restored", "seen"), [(None, "from nothing"), ({"id": 1, "external_path": "file:/o"}, "from file:/o")])
def test_another_start_fails_the_release(hooks: Hooks, restored: Any, seen: str) -> None:
    begun(hooks, "file:///data/s", restored=restored)
    assert seen in hooks.refused("post-upgrade")


def test_a_failed_job_fails_the_release_with_its_reason(hooks: Hooks) -> None:
    begun(hooks, "file:///data/s", state="FAILED")
    assert "The job is FAILED: java.lang.Exception: outer Caused by: java.io.IOException: the cause" in hooks.refused(
        "post-upgrade"
    )


def test_a_job_that_fails_again_and_again_fails_the_release_with_its_failure(hooks: Hooks) -> None:
    begun(hooks, "file:///data/s", state="RESTARTING", tasks="FAILED")
    said = hooks.refused("post-upgrade", timeoutSeconds=1)
    assert "its tasks do not all run. java.lang.Exception: outer Caused by: java.io.IOException: the cause" in said


def test_a_jobmanager_that_cannot_start_fails_the_release_with_its_last_words(hooks: Hooks) -> None:
    """Ready proves nothing: one that is about to end again and again was ready for a moment."""
    hooks.record.update(generation="2", job="2" * 32)
    waiting = {"reason": "CrashLoopBackOff", "message": "back-off"}
    status = {"containerStatuses": [{"restartCount": 2, "state": {"waiting": waiting}}]}
    hooks.kubernetes.pods = [{"metadata": {"name": "jm-1", "creationTimestamp": "2026"}, "status": status}]
    hooks.kubernetes.logs = "INFO a\nCaused by: java.lang.IllegalStateException: no such operator\n\tat x\n"
    said = hooks.refused("post-upgrade")
    assert "Pod jm-1: CrashLoopBackOff back-off; Caused by: java.lang.IllegalStateException: no such operator" in said


def test_nothing_stays_that_would_bring_a_job_back(hooks: Hooks) -> None:
    labels = {"app": "r", "type": "flink-native-kubernetes"}
    maps = hooks.kubernetes.config_maps
    maps["r-x-config-map"] = {"metadata": {"name": "r-x-config-map", "labels": labels}}
    maps["mine"] = {"metadata": {"name": "mine", "labels": labels}}
    hooks("post-delete", highAvailability=True)
    assert list(maps) == ["mine"]

    # Nor does it after an uninstall without hooks.
    maps["r-x-config-map"] = {"metadata": {"name": "r-x-config-map", "labels": labels}}
    maps["record"] = {"data": {"job": OLD, "restore": "file:/old", "generation": "7"}}
    hooks("pre-install", highAvailability=True)
    assert maps.keys() == {"mine", "record"}
    assert hooks.record["restore"] == ""
    assert hooks.record["generation"] == "1"
    assert hooks.record["job"] != OLD


def test_an_uninstall_can_take_a_last_savepoint(hooks: Hooks, capsys: pytest.CaptureFixture[str]) -> None:
    hooks("pre-delete")
    assert f"The last state is file:///data/savepoints/{OLD}/stop/savepoint-" in capsys.readouterr().out


def test_savepoints_are_kept_up_to_a_number(hooks: Hooks) -> None:
    for _ in range(3):
        hooks("savepoint")
    kept = hooks.record["savepoints"].split()
    assert len(kept) == 2
    assert len(hooks.flink.disposed) == 1
    assert hooks.flink.disposed[0] not in kept
    assert hooks.flink.jobs[OLD]["state"] == "RUNNING"


def test_a_rollback_ends_well_even_if_nothing_runs(hooks: Hooks, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Helm leaves a release pending for ever when its post-rollback hook fails."""
    lifecycle = hooks.modules["lifecycle"]
    (tmp_path / "release.json").write_text('{"rest": "", "timeoutSeconds": 1}')
    monkeypatch.setattr(lifecycle, "__file__", str(tmp_path / "lifecycle.py"))
    monkeypatch.setattr(lifecycle.Kubernetes, "of_this_pod", lambda: None)

    def fails(_: Any) -> None:
        raise hooks.modules["release"].Failed("no")

    monkeypatch.setattr(lifecycle, "VERBS", {"post-rollback": fails, "post-upgrade": fails})
    assert lifecycle.main("post-rollback") == 0
    assert lifecycle.main("post-upgrade") == 1
