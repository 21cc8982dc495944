"""An upgrade against an API of Flink and of Kubernetes: what it stops, what it writes, and what is as it was when it cannot."""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import replace
from typing import Any

import pytest
from hooks import clock, errors, flink, kubernetes
from hooks.wanted import Download

from tests.unit.fakes import FakeFiles, serving
from tests.unit.hooks import build
from tests.unit.hooks.build import CHECKPOINT, CHECKPOINTS, JOB, SAVEPOINTS
from tests.unit.hooks.conftest import World

LAST_STATE = {"upgrade_mode": "last-state"}


def test_an_upgrade_stops_with_a_savepoint_and_begins_a_new_job_from_it(world: World) -> None:
    world("before")
    after = world.record
    assert world.flink.jobs[JOB]["state"] == "FINISHED"
    assert after.restore.startswith(f"{SAVEPOINTS}/{JOB}/stop/savepoint-")
    assert (after.generation, after.spec, after.state, after.pending) == (2, "b", "running", "")
    assert after.job != JOB
    assert after.ids == (after.job, JOB)
    assert after.stops == (after.restore,)
    assert not after.is_confirmed
    assert not after.own
    assert after.history[-1].startswith("2  ")


def test_the_end_of_a_stopped_job_is_seen_at_once(world: World) -> None:
    """Flink keeps what it tells of one job for some seconds, in which nothing would be read."""
    world.flink.shown[JOB] = dict(world.flink.jobs[JOB])
    world("before")
    assert world.record.generation == 2
    assert world.clock.now == 0


def test_what_does_not_concern_the_job_touches_nothing(world: World) -> None:
    as_it_was = world.untouched()
    world("before", {"specification": "a"})
    world("after", {"specification": "a"})
    assert as_it_was()
    assert world.flink.asked("/stop") == 0
    assert world.kubernetes.writes == []


def test_a_file_that_the_jobmanager_could_not_fetch_stops_no_job(world: World) -> None:
    as_it_was = world.untouched()
    with serving(FakeFiles({"/a.jar": "a jar"})) as url:
        right = Download(f"{url}/a.jar", hashlib.sha256(b"a jar").hexdigest())
        for download in (replace(right, sha256="0" * 64), replace(right, url=f"{url}/b.jar")):
            assert "Nothing was changed" in world.refused("before", download=download)
            assert as_it_was()
        world("before", download=right)
    assert world.record.generation == 2


@pytest.mark.parametrize(("event", "job"), [("before-rollback", {}), ("before", {"state": "suspended"})])
def test_where_nothing_is_started_or_helm_goes_back_the_file_is_not_asked_for(
    world: World, event: str, job: dict[str, str]
) -> None:
    world(event, job, download=Download("http://127.0.0.1:1/a.jar", "0" * 64))
    assert world.record.generation == 2


def test_a_savepoint_that_fails_leaves_the_job_and_another_try_takes_another_id(world: World) -> None:
    as_it_was = world.untouched()
    world.flink.stop_fails = "java.lang.Exception: no\n\tat x\nCaused by: java.io.IOException: read-only"
    refusal = world.refused("before")
    assert "java.lang.Exception: no Caused by: java.io.IOException: read-only" in refusal
    assert f"The job still runs under the same id, {JOB}. Nothing was changed." in refusal
    assert as_it_was()
    world.flink.stop_fails = ""
    world("before")
    assert world.record.generation == 2
    assert len(world.flink.operations) == 2


def test_a_failed_savepoint_that_fails_the_job_over_says_so(world: World) -> None:
    """A stop in a format that the backend cannot write restarts the job."""
    world.flink.stop_fails = "java.lang.UnsupportedOperationException"

    def fails_over(method: str, path: str) -> None:
        if path.endswith("/stop"):
            world.flink.run(JOB, state="RESTARTING")

    world.flink.before = fails_over
    refusal = world.refused("before")
    assert "still runs under the same id" not in refusal
    assert "not all of its tasks run" in refusal


def test_the_stop_is_in_the_record_before_flink_hears_of_it(world: World) -> None:
    written = []

    def look(method: str, path: str) -> None:
        if path.endswith("/stop"):
            written.append(world.record.pending)

    world.flink.before = look
    world("before")
    job, trigger, directory = written[0].split()
    assert (job, directory) == (JOB, f"{SAVEPOINTS}/{JOB}/stop")
    assert trigger in world.flink.operations


@pytest.mark.parametrize("trouble", ["answer lost", "dies", "hangs up", "html", 503])
def test_a_stop_whose_answer_was_lost_is_asked_for_again_under_the_same_trigger(world: World, trouble: str | int) -> None:
    """A second stop with another id would kill the first."""

    troubles = [trouble, trouble]

    def breaks(method: str, path: str) -> None:
        if path.endswith("/stop") and troubles:
            world.flink.trouble = [troubles.pop()]

    world.flink.before = breaks
    world("before")
    assert not troubles
    assert len({body["triggerId"] for body in world.flink.bodies}) == 1
    assert len(world.flink.operations) == 1
    assert world.record.restore == next(iter(world.flink.operations.values()))["location"]


def test_a_hook_that_was_killed_after_its_stop_finds_the_savepoint(world: World) -> None:
    path = f"{SAVEPOINTS}/{JOB}/stop/savepoint-1"
    world.write(build.record(pending=f"{JOB} t1 {SAVEPOINTS}/{JOB}/stop"))
    world.flink.operations["t1"] = {"location": path}
    world.flink.jobs[JOB]["state"] = "FINISHED"
    world("before")
    assert world.record.restore == path
    assert list(world.flink.operations) == ["t1"]


def test_a_stop_that_goes_on_is_waited_for_and_not_doubled(world: World) -> None:
    path = f"{SAVEPOINTS}/{JOB}/stop/savepoint-1"
    world.write(build.record(pending=f"{JOB} t1 {SAVEPOINTS}/{JOB}/stop"))
    world.flink.operations["t1"] = {"location": path}

    def finishes(method: str, path: str) -> None:
        if path.endswith("/stop"):
            world.flink.jobs[JOB]["state"] = "FINISHED"

    world.flink.before = finishes
    world("before")
    assert [body["triggerId"] for body in world.flink.bodies] == ["t1"]
    assert world.record.restore == path


def test_flink_has_forgotten_the_stop_but_not_that_the_job_ended_with_it(world: World) -> None:
    path = f"{SAVEPOINTS}/{JOB}/stop/savepoint-1"
    world.write(build.record(pending=f"{JOB} t1 {SAVEPOINTS}/{JOB}/stop"))
    world.flink.jobs[JOB]["state"] = "FINISHED"
    world.flink.checkpoints[JOB]["latest"]["savepoint"] = {"id": 9, "external_path": path, "checkpoint_type": "SYNC_SAVEPOINT"}
    world("before", {"specification": "a"})
    assert world.record.restore == path


def test_a_rollback_does_not_leave_a_stop_that_goes_on_to_itself(world: World) -> None:
    """Its hook gave up waiting; the revision to go back to is the one that runs, until the savepoint is complete."""
    world.write(build.record(pending=f"{JOB} t1 {SAVEPOINTS}/{JOB}/stop"))
    world.flink.operations["t1"] = {"location": f"{SAVEPOINTS}/{JOB}/stop/savepoint-1"}

    def finishes(method: str, path: str) -> None:
        if path.endswith("/stop"):
            world.flink.jobs[JOB]["state"] = "FINISHED"

    world.flink.before = finishes
    world("before-rollback", {"specification": "a"})
    assert world.record.generation == 2
    assert world.record.restore == f"{SAVEPOINTS}/{JOB}/stop/savepoint-1"


def test_a_savepoint_that_may_outlive_the_hook_is_not_begun(world: World) -> None:
    as_it_was = world.untouched()
    world.flink.timeout = 600_000
    world.flink.checkpoints[JOB]["summary"] = {"end_to_end_duration": {"max": 15_000}}
    refusal = world.refused("before")
    assert "the slowest checkpoint took 15 s" in refusal
    assert "Raise hooks.timeoutSeconds (30) above that, and helm's --timeout" in refusal
    assert as_it_was()
    assert world.flink.asked("/stop") == 0
    # A long time-out alone says nothing.
    world.flink.checkpoints[JOB]["summary"]["end_to_end_duration"]["max"] = 500
    world("before")


def test_a_savepoint_that_takes_too_long_goes_on_and_the_user_is_told(world: World) -> None:
    world.flink.answer = _in_progress(world)  # type: ignore[method-assign]
    refusal = world.refused("before")
    assert "run the same command again, which waits for its end" in refusal
    assert world.record.pending.startswith(f"{JOB} ")
    assert world.record.generation == 1


def _in_progress(world: World) -> Any:
    answer = world.flink.answer

    def asked(method: str, path: str, body: Any) -> tuple[int, Any]:
        if "/savepoints/" in path:
            return 200, {"status": {"id": "IN_PROGRESS"}, "operation": None}
        return answer(method, path, body)

    return asked


@pytest.mark.parametrize(("mode", "restore"), [("last-state", CHECKPOINT), ("stateless", "")])
def test_the_other_modes_cancel(world: World, mode: str, restore: str) -> None:
    world.flink.checkpoint(JOB, 7, CHECKPOINT)
    world("before", {"upgrade_mode": mode})
    assert world.flink.jobs[JOB]["state"] == "CANCELED"
    assert world.record.restore == restore
    assert world.record.own is bool(restore)
    assert world.flink.asked("/stop") == 0


def test_a_checkpoint_that_was_completed_between_the_look_and_the_cancel_counts(world: World) -> None:
    world.flink.checkpoint(JOB, 7, CHECKPOINT)

    def completes(method: str, path: str) -> None:
        if method == "PATCH":
            world.flink.checkpoint(JOB, 8, f"{CHECKPOINTS}/{JOB}/chk-8")

    world.flink.before = completes
    world("before", LAST_STATE)
    assert world.record.restore == f"{CHECKPOINTS}/{JOB}/chk-8"


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        ({}, 3),
        ({"web.refresh-interval": "5000"}, 5),
        ({"web.refresh-interval": "3s", "rest.cache.checkpoint-statistics.timeout": "0ms"}, 0),
        ({"rest.cache.checkpoint-statistics.timeout": "2 min"}, 120),
        ({"rest.cache.checkpoint-statistics.timeout": "PT1S"}, 10),
    ],
)
def test_an_ended_job_is_asked_for_its_checkpoints_once_older_answers_are_forgotten(
    world: World, options: dict[str, str], seconds: float
) -> None:
    world.flink.options = options
    asked: dict[str, float] = {}
    world.flink.before = lambda method, path: asked.update({path: world.clock.now})
    world.flink.jobs[JOB]["state"] = "FAILED"
    world("before", LAST_STATE)
    assert asked[f"/jobs/{JOB}/checkpoints"] - asked["/jobs/overview"] == pytest.approx(seconds)


@pytest.mark.parametrize("trouble", [503, "dies", "hangs up", "html"])
@pytest.mark.parametrize("state", ["RUNNING", "FAILED"])
def test_a_question_about_checkpoints_that_failed_is_not_the_answer_that_there_are_none(
    world: World, state: str, trouble: str | int
) -> None:
    """The JobManager does not answer one request: the job would start from scratch, or from an old state."""
    world.flink.checkpoint(JOB, 7, CHECKPOINT)
    world.flink.jobs[JOB]["state"] = state
    broken: list[str] = []

    def breaks(method: str, path: str) -> None:
        if path.endswith("/checkpoints") and not broken:
            broken.append(path)
            world.flink.trouble = [trouble]

    world.flink.before = breaks
    try:
        world("before", LAST_STATE)
    except errors.Failed:
        assert world.record.generation == 1
        assert world.flink.jobs[JOB]["state"] == state
    else:
        assert world.record.restore == CHECKPOINT
    assert broken


def test_a_stop_whose_end_cannot_be_asked_for_is_not_the_jobs_own_end(world: World) -> None:
    """FINISHED, and neither the operation nor the checkpoints could be read: it was stopped, and has its state in a savepoint."""
    path = f"{SAVEPOINTS}/{JOB}/stop/savepoint-1"
    world.write(build.record())
    world.flink.jobs[JOB]["state"] = "FINISHED"
    world.flink.checkpoints[JOB]["latest"]["savepoint"] = {"id": 9, "external_path": path, "checkpoint_type": "SYNC_SAVEPOINT"}
    broken: list[str] = []

    def breaks(method: str, at: str) -> None:
        if at.endswith("/checkpoints") and not broken:
            broken.append(at)
            world.flink.trouble = [503]

    world.flink.before = breaks
    try:
        world("before")
    except errors.Failed:
        assert world.record.generation == 1
    else:
        assert world.record.restore == path


def test_a_cancel_whose_answer_was_lost_is_asked_for_again(world: World) -> None:
    world.flink.checkpoint(JOB, 7, CHECKPOINT)

    def breaks(method: str, path: str) -> None:
        if method == "PATCH" and world.flink.jobs[JOB]["state"] == "RUNNING":
            world.flink.trouble = ["answer lost"]

    world.flink.before = breaks
    world("before", LAST_STATE)
    assert world.flink.jobs[JOB]["state"] == "CANCELED"
    assert world.record.restore == CHECKPOINT


def test_a_job_is_cancelled_when_flink_says_so_and_not_when_it_says_nothing(world: World) -> None:
    """The next generation beside a job that still runs would be two jobs."""
    world.flink.checkpoint(JOB, 7, CHECKPOINT)

    def recovers(method: str, path: str) -> None:
        if method == "GET" and world.flink.jobs[JOB]["state"] == "CANCELED":
            world.flink.before = lambda method, path: None
            world.flink.run(JOB)  # its JobManager died, and high availability had another one
            world.flink.checkpoint(JOB, 7, CHECKPOINT)
            world.flink.trouble = [503]

    world.flink.before = recovers
    world("before", LAST_STATE)
    assert world.flink.jobs[JOB]["state"] == "CANCELED"
    assert world.record.restore == CHECKPOINT


def test_not_all_tasks_run(world: World) -> None:
    """RUNNING without TaskManagers: Flink would answer that the stop is complete, and nothing would have stopped."""
    world.flink.run(JOB, tasks="SCHEDULED")
    as_it_was = world.untouched()
    refusal = world.refused("before")
    assert "No savepoint can be taken" in refusal
    assert "job.upgradeMode=last-state" in refusal
    assert "Caused by: java.io.IOException: the cause" in refusal
    assert as_it_was()
    # A rollback leaves a broken version behind in any case.
    world.flink.checkpoint(JOB, 7, CHECKPOINT)
    world("before-rollback")
    assert world.record.restore == CHECKPOINT


def test_a_rollback_whose_savepoint_fails_takes_the_newest_checkpoint(world: World) -> None:
    world.flink.checkpoint(JOB, 7, CHECKPOINT)
    world.flink.stop_fails = "no"
    world("before-rollback")
    assert world.flink.jobs[JOB]["state"] == "CANCELED"
    assert world.record.restore == CHECKPOINT


@pytest.mark.parametrize("state", ["FAILED", "CANCELED"])
def test_an_ended_job_goes_on_from_its_newest_checkpoint_under_a_new_id(world: World, state: str) -> None:
    """Flink never runs a terminal id again: a rollback to the same one would leave a JobManager without a job."""
    world.kubernetes.pods = [build.pod("jobmanager"), build.pod("taskmanager")]
    world.flink.run(JOB, state=state)
    world.flink.checkpoint(JOB, 7, CHECKPOINT)
    world("before", {"specification": "a"}, jobmanager_template="t1")
    assert world.record.restore == CHECKPOINT
    assert world.record.job != JOB
    assert world.record.pending == ""
    # The pod's template is the same, so that Helm would restart nothing.
    assert world.kubernetes.pods == []


def test_a_jobmanager_that_helm_replaces_is_not_restarted_besides(world: World) -> None:
    world.flink.run(JOB, state="FAILED")
    world.flink.checkpoint(JOB, 7, CHECKPOINT)
    world("before")
    assert not any("deployments" in write for write in world.kubernetes.writes)


def test_a_hook_that_was_killed_before_the_restart_restarts_the_next_time(world: World) -> None:
    """The pod of the generation before is the only one: nobody can have run this one."""
    uid = build.pod()["metadata"]["uid"]
    world.kubernetes.pods = [build.pod()]
    changes = {"job": build.OTHER, "ids": (build.OTHER, JOB), "pending": f"restart {uid}"}
    world.write(build.record(generation=2, confirmed=1, restore=CHECKPOINT, own=True, **changes))
    world.flink.run(JOB, state="FAILED")
    world("before", {"specification": "a"}, jobmanager_template="t1")
    assert world.record.restore == CHECKPOINT
    assert world.record.pending == ""
    assert uid not in [pod["metadata"]["uid"] for pod in world.kubernetes.pods]


def test_what_the_pods_of_the_generation_before_must_not_run_is_in_the_record(world: World) -> None:
    """A change of the pod alone, of which Helm makes another one: nothing is deleted, and the old one waits."""
    uid = build.pod()["metadata"]["uid"]
    world.kubernetes.pods = [build.pod()]
    world.flink.run(JOB, state="FAILED")
    world.flink.checkpoint(JOB, 7, CHECKPOINT)
    world("before", {"specification": "a"}, jobmanager_template="t2")
    assert world.record.barred == (uid,)
    assert [pod["metadata"]["uid"] for pod in world.kubernetes.pods] == [uid]


def test_a_process_without_high_availability_runs_the_job_under_an_id_that_begins_alike(world: World) -> None:
    del world.flink.jobs[JOB]
    again = f"{JOB[:16]}{'9' * 16}"
    world.flink.run(again)
    world("before")
    assert world.flink.jobs[again]["state"] == "FINISHED"
    assert f"/{again}/stop/" in world.record.restore


def test_a_lost_jobmanager(world: World) -> None:
    world.flink.unreachable = True
    as_it_was = world.record
    assert "cannot be reached" in world.refused("before")
    assert world.record == as_it_was
    world("before", LAST_STATE)
    assert (world.record.former, world.record.restore) == ((JOB,), "")


def test_a_lost_jobmanager_comes_back_while_the_hook_looks(world: World) -> None:
    world.flink.trouble = [503, "hangs up", "dies", "html"]
    world("before")
    assert world.flink.asked("/stop") == 1


def test_suspend_and_resume(world: World) -> None:
    world("before", {"specification": "a", "state": "suspended"})
    path, job = world.record.restore, world.record.job
    assert path.startswith(f"{SAVEPOINTS}/{JOB}/stop/")
    world("after", {"specification": "a", "state": "suspended"})
    world("before", {"state": "suspended"})
    assert (world.record.restore, world.record.job, world.record.spec) == (path, job, "b")
    world("before")
    assert (world.record.restore, world.record.state) == (path, "running")
    assert world.record.job != job


def test_the_users_savepoint_wins_once(world: World) -> None:
    world("before", {"from_savepoint": "s3://b/s"})
    assert world.record.restore == "s3://b/s"
    assert not world.record.own
    world.flink.run(world.record.job)
    world.rolled_out("r-jobmanager", specification="b", template="t2")
    world("before", {"from_savepoint": "s3://b/s/", "specification": "c"})
    assert world.record.restore.startswith(f"{SAVEPOINTS}/")


@pytest.mark.parametrize(
    ("old", "new", "asked", "written"),
    [
        ("hashmap", "hashmap", "CANONICAL", "CANONICAL"),
        ("hashmap", "hashmap", "NATIVE", "NATIVE"),
        ("hashmap", "rocksdb", "NATIVE", "CANONICAL"),
        ("forst", "forst", "NATIVE", "NATIVE"),
        ("", "rocksdb", "CANONICAL", "CANONICAL"),
    ],
)
def test_the_savepoint_is_in_a_format_that_both_backends_take(world: World, old: str, new: str, asked: str, written: str) -> None:
    world.write(build.record(backend=old))
    world("before", state_backend=new, savepoint_format=asked)
    assert [body["formatType"] for body in world.flink.bodies] == [written]
    assert world.record.backend == new


def test_the_savepoint_goes_where_the_old_job_can_write(world: World) -> None:
    world("before", savepoint_directory="s3://b/savepoints", stores={"s3": ""})
    assert world.flink.bodies[0]["targetDirectory"] == f"{SAVEPOINTS}/{JOB}/stop"
    assert world.record.savepointDirectory == "s3://b/savepoints"


@pytest.mark.parametrize(
    ("config", "left"),
    [
        ({"state_backend": "HashMapStateBackend", "state_changelog_enabled": False}, ["chk-2", "chk-4"]),
        ({"state_backend": "HashMapStateBackend", "state_changelog_enabled": True}, []),
        ({"state_backend": "EmbeddedRocksDBStateBackend", "state_changelog_enabled": False}, []),
        ({}, []),
    ],
    ids=["full", "with the changelog", "incremental", "unknown"],
)
def test_what_a_cancelled_job_leaves_behind_is_written_down(world: World, config: dict[str, Any], left: list[str]) -> None:
    world.flink.checkpoint(JOB, 4, f"{CHECKPOINTS}/{JOB}/chk-4")
    world.flink.config = config
    world.flink.checkpoints[JOB]["history"] = [
        {"status": "FAILED", "external_path": None},
        {"status": "COMPLETED", "external_path": f"{CHECKPOINTS}/{JOB}/chk-1", "discarded": True},
        {"status": "COMPLETED", "external_path": f"{CHECKPOINTS}/{JOB}/chk-2", "discarded": False},
        {"status": "COMPLETED", "external_path": f"{SAVEPOINTS}/{JOB}/savepoint-3", "is_savepoint": True},
        {"status": "COMPLETED", "external_path": f"{CHECKPOINTS}/{JOB}/chk-4", "discarded": False},
    ]
    world("before", {"upgrade_mode": "last-state"})
    assert [path.rpartition("/")[2] for path in world.record.left] == left


def test_a_release_without_a_record_is_taken_over(world: World) -> None:
    del world.kubernetes.config_maps["r-record"]
    world("before")
    assert f"/{JOB}/stop/" in world.record.restore
    assert world.record.ids == (world.record.job, JOB)


def test_a_release_without_a_record_that_started_from_the_path_of_the_values_does_not_go_back_there(world: World) -> None:
    del world.kubernetes.config_maps["r-record"]
    world.flink.run(JOB, restored={"id": 1, "external_path": "s3://b/s"})
    world("before", {"from_savepoint": "s3a://b/s/"})
    assert f"/{JOB}/stop/" in world.record.restore


def test_somebody_else_writes_the_record_meanwhile(world: World) -> None:
    """Two operations at once: the second looks again, and finds what the first has done."""

    def another(method: str, path: str) -> None:
        if path.endswith("/stop"):
            world.flink.before = lambda method, path: None
            world.write(build.record(generation=2, confirmed=2, spec="b"))

    world.flink.before = another
    world("before")
    # It is begun once more, because the job was stopped; what the other wrote is kept.
    assert world.record.generation == 3
    assert world.record.confirmed == 2
    assert world.record.restore.startswith(f"{SAVEPOINTS}/{JOB}/stop/")


def test_a_record_that_changes_all_the_time_ends_in_a_sentence(world: World) -> None:
    def another(method: str, path: str) -> None:
        if path.endswith("/jobs/overview"):
            world.write(build.record())

    world.flink.before = another
    assert "Something else changes the release at the same time" in world.refused("before")


@pytest.mark.parametrize("trouble", [503, 429, 500, "hangs up", "html"])
def test_each_question_to_kubernetes_is_asked_again(world: World, trouble: str | int) -> None:
    tried: set[str] = set()

    def breaks(method: str, path: str) -> None:
        # With 500 the API server says of a dry run as well that it cannot read the object.
        final = trouble == 500 and "dryRun" in path
        if f"{method} {path}" not in tried and not final:
            tried.add(f"{method} {path}")
            world.kubernetes.trouble = [trouble]

    world.kubernetes.before = breaks
    world("before")
    assert world.record.generation == 2
    assert world.flink.asked("/stop") == 1


@pytest.mark.parametrize("lost", range(4))
def test_a_write_whose_answer_was_lost_is_found_to_be_done(world: World, lost: int) -> None:
    """The API server did it, and its answer never came: the same again is a conflict with oneself."""
    world.flink.checkpoint(JOB, 7, CHECKPOINT)
    writes = []

    def breaks(method: str, path: str) -> None:
        if method in ("POST", "PATCH") and "dryRun" not in path:
            writes.append(path)
            if len(writes) == lost + 1:
                world.kubernetes.trouble = ["answer lost"]

    world.kubernetes.before = breaks
    world("before")
    assert world.record.spec == "b"
    assert world.record.pending == ""
    assert world.record.restore.startswith(f"{SAVEPOINTS}/{JOB}/stop/")
    assert len(world.flink.operations) == 1


def test_kubernetes_stays_away(world: World) -> None:
    world.kubernetes.trouble = [503] * 100
    with pytest.raises(errors.Unreachable, match="Kubernetes did not answer for 30 s"):
        world("before")


class TestDryRun:
    """The hook refuses what the API server would refuse before anything is stopped."""

    OBJECTS = [
        build.deployment(),
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "r-rest"}, "spec": {}},
        {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "r-savepoint"}, "spec": {}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"}, "rules": []},
    ]

    def test_all_objects_are_looked_at_save_for_rights(self, world: World) -> None:
        world("before", objects=self.OBJECTS)
        assert set(world.kubernetes.dry) == {
            ("deployments", "r-jobmanager"),
            ("pods", "r-jobmanager-dry-run"),
            ("services", "r-rest"),
            ("cronjobs", "r-savepoint"),
        }

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("r-jobmanager", "Deployment r-jobmanager"),
            ("r-rest", "Service r-rest"),
            ("r-savepoint", "CronJob r-savepoint"),
            ("r-jobmanager-dry-run", "pods of Deployment r-jobmanager"),
        ],
    )
    @pytest.mark.parametrize("status", [400, 403, 404, 422])
    def test_what_is_refused_leaves_everything(self, world: World, name: str, kind: str, status: int) -> None:
        as_it_was = world.untouched()
        world.kubernetes.refused[name] = (status, {"message": "the NodePort is in use"})
        refusal = world.refused("before", objects=self.OBJECTS)
        assert f"{kind}: the NodePort is in use. Nothing was changed." in refusal
        assert as_it_was()
        assert world.kubernetes.writes == []

    @pytest.mark.parametrize("answer", ["<html>denied</html>", "null", '"no"', "[]"])
    def test_a_conflict_that_is_no_json_is_said_in_a_sentence(self, world: World, answer: str) -> None:
        as_it_was = world.untouched()
        world.kubernetes.refused["r-rest"] = (409, answer)
        assert "Service r-rest: " in world.refused("before", objects=self.OBJECTS)
        assert as_it_was()

    def test_fields_that_others_changed(self, world: World) -> None:
        causes = [{"field": ".spec.replicas", "message": 'conflict with "kubectl" with subresource "scale"'}]
        world.kubernetes.refused["r-jobmanager"] = (409, {"details": {"causes": causes}})
        refusal = world.refused("before", objects=self.OBJECTS)
        assert 'Deployment r-jobmanager: others changed it: .spec.replicas (conflict with "kubectl"' in refusal
        assert "helm upgrade --force-conflicts --set hooks.forceConflicts=true" in refusal

    @pytest.mark.parametrize(
        ("managers", "forces", "asked"),
        [
            ([("helm", "Apply")], False, "helm"),
            ([("helm", "Update")], False, "helm&force=true"),
            ([("helm", "Apply")], True, "helm&force=true"),
            ([("helm-controller", "Apply")], False, "helm-controller&force=true"),
            ([("helm", "Apply"), ("helm-controller", "Apply")], False, "helm-controller&force=true"),
            ([("terraform", "Apply")], False, "terraform"),
            ([("argocd-controller", "Update")], False, "argocd-controller&force=true"),
            ([], False, "helm&force=true"),
        ],
    )
    def test_conflicts_count_only_where_helm_heeds_them(
        self, world: World, managers: list[tuple[str, str]], forces: bool, asked: str
    ) -> None:
        """Helm 3, Flux, whoever else manages the objects, and who says so, overwrites what others changed."""
        managers_asked = []
        fields: dict[str, Any] = {"f:metadata": {"f:annotations": {"f:meta.helm.sh/release-name": {}}}}
        world.kubernetes.deployments["r-jobmanager"]["metadata"]["managedFields"] = [
            {"manager": name, "operation": operation, "time": f"2026-01-0{day}T00:00:00Z", "fieldsV1": fields}
            for day, (name, operation) in enumerate(managers, 1)
        ]
        world.kubernetes.before = lambda method, path: (
            managers_asked.append(path.partition("fieldManager=")[2]) if "dryRun" in path and "/deployments/" in path else None
        )
        world("before", objects=self.OBJECTS, force_conflicts=forces)
        assert managers_asked == [asked]

    def test_a_rollback_does_not_inherit_that_conflicts_are_no_reason(self, world: World) -> None:
        """The value is of an operation of long ago, and `helm rollback` does not force by itself."""
        asked: list[str] = []
        world.kubernetes.deployments["r-jobmanager"]["metadata"]["managedFields"] = [{"manager": "helm", "operation": "Apply"}]
        world.kubernetes.before = lambda method, path: asked.append(path) if "dryRun" in path else None
        world("before-rollback", objects=self.OBJECTS, force_conflicts=True)
        assert any("/deployments/r-jobmanager?" in path and "force=true" not in path for path in asked)

    @pytest.mark.parametrize(
        "refusal", ["exceeded quota: pods", 'error looking up service account n/r: serviceaccount "r" not found']
    )
    def test_what_will_be_so_no_more_when_the_objects_are_there_does_not_count(self, world: World, refusal: str) -> None:
        world.kubernetes.refused["r-jobmanager-dry-run"] = (403, {"message": refusal})
        world("before", objects=self.OBJECTS)
        assert world.record.generation == 2

    def test_a_kind_that_the_cluster_does_not_know(self, world: World) -> None:
        strange = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t"}}
        with pytest.raises((errors.Failed, errors.HttpError)):
            world("before", objects=[*self.OBJECTS, strange])
        assert world.flink.asked("/stop") == 0

    def test_nothing_is_asked_when_nothing_ends(self, world: World) -> None:
        world("before", {"specification": "a"}, objects=self.OBJECTS)
        assert world.kubernetes.dry == []


class TestHighAvailability:
    """The stored program would win over the new one, the stored checkpoint is the newest."""

    def stored(self, world: World) -> dict[str, Any]:
        data = {f"jobGraph-{JOB}": "x", f"executionPlan-{JOB}": "x", "other": "y"}
        world.kubernetes.put("configmaps", {"metadata": {"name": "r-cluster-config-map"}, "data": data})
        world.kubernetes.put("configmaps", {"metadata": {"name": f"r-{JOB}-config-map"}, "data": {}})
        return {"high_availability": "kubernetes", "jobs_survive_restart": True}

    def test_a_lost_jobmanager(self, world: World) -> None:
        ha = self.stored(world)
        world.flink.unreachable = True
        world("before", LAST_STATE, **ha)
        assert world.record.job == JOB
        assert world.kubernetes.config_maps["r-cluster-config-map"]["data"] == {"other": "y"}

    def test_a_job_that_it_has_forgotten_gets_another_id_and_its_newest_files(self, world: World) -> None:
        ha = self.stored(world)
        del world.kubernetes.config_maps[f"r-{JOB}-config-map"]
        world.flink.jobs.clear()
        world("before", LAST_STATE, **ha)
        assert world.record.job != JOB
        assert world.record.former == (JOB,)

    def test_suspended_while_the_jobmanager_is_unreachable_and_resumed(self, world: World) -> None:
        ha = self.stored(world)
        world.flink.unreachable = True
        world("before", {**LAST_STATE, "state": "suspended", "specification": "a"}, **ha)
        world.kubernetes.deployments["r-jobmanager"]["spec"]["replicas"] = 0
        world("before", {**LAST_STATE, "specification": "a"}, **ha)
        resumed = world.record
        assert resumed.job == JOB or JOB in resumed.former

    def test_a_jobmanager_that_dies_in_the_stop_of_a_rollback_does_not_bring_the_old_program_back(self, world: World) -> None:
        ha = self.stored(world)

        def dies(method: str, path: str) -> None:
            if path.endswith("/stop"):
                world.flink.unreachable = True

        world.flink.before = dies
        world.flink.stop_fails = "the JobManager is gone"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(flink.Flink, "stop", _raises(errors.HttpError("POST", "/stop", 409, "no leader"), world))
            world("before-rollback", **ha)
        assert world.record.job == JOB
        assert world.kubernetes.config_maps["r-cluster-config-map"]["data"] == {"other": "y"}


def _raises(error: Exception, world: World) -> Any:
    def stop(*_: Any) -> None:
        world.flink.unreachable = True
        raise error

    return stop


@pytest.mark.parametrize("state", ["running", "suspended"])
def test_taskmanagers_that_flink_made_go_with_the_job_that_was_stopped(world: World, state: str) -> None:
    """A new JobManager would take them over, with the image and the options that they have."""
    native: dict[str, Any] = {"taskmanager_deployment": "", "native_taskmanager_selector": "tm=1"}
    world("before", {"state": state}, **native)
    assert world.kubernetes.dropped == ["tm=1"]


def test_what_stops_nothing_leaves_the_taskmanagers(world: World) -> None:
    native: dict[str, Any] = {"taskmanager_deployment": "", "native_taskmanager_selector": "tm=1"}
    world("before", {"specification": "a"}, **native)
    world.flink.stop_fails = "no"
    world.refused("before", **native)
    assert world.kubernetes.dropped == []


def test_the_certificates_of_many_clusters_have_no_key_identifiers(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Python 3.13 wants them by default."""
    strict = ssl.create_default_context()
    strict.verify_flags |= ssl.VERIFY_X509_STRICT
    monkeypatch.setattr(ssl, "create_default_context", lambda purpose, cafile: strict)
    monkeypatch.setattr(kubernetes, "_ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    given: dict[str, Any] = {}
    monkeypatch.setattr(kubernetes, "Http", lambda url, bearer, context: given.update(url=url, bearer=bearer, context=context))
    for name in ("namespace", "token", "ca.crt"):
        (tmp_path / name).write_text(name)
    kubernetes.Kubernetes.of_this_pod(clock.Deadline(1))
    assert given == {"url": "https://[fd00::1]:443", "bearer": "token", "context": strict}
    assert not strict.verify_flags & ssl.VERIFY_X509_STRICT
    assert strict.verify_mode is ssl.CERT_REQUIRED
    assert strict.check_hostname
