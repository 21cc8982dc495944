"""After an operation: the job runs from exactly the state that the record names, on pods of the coming revision."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.hooks import build
from tests.unit.hooks.build import CHECKPOINTS, JOB, OTHER, SAVEPOINTS
from tests.unit.hooks.conftest import World

STOP = f"{SAVEPOINTS}/{JOB}/stop/savepoint-1"


@pytest.fixture
def begun(world: World) -> World:
    """The second generation, which is to start from a savepoint; its job does not run yet."""
    world.write(build.record(generation=2, job=OTHER, ids=(OTHER, JOB), spec="b", restore=STOP, stops=(STOP,), claim=""))
    world.flink.jobs.clear()
    world.rolled_out("r-jobmanager", specification="b", template="t2")
    return world


def restored(path: str) -> dict[str, Any] | None:
    return {"id": 1, "external_path": path} if path else None


def pod(name: str, specification: str, restarts: int = 0, container: str = "jobmanager", **status: Any) -> dict[str, Any]:
    about = {
        "name": name,
        "creationTimestamp": f"2026-01-01T00:00:0{specification == 'b':d}Z",
        "labels": {"component": "jobmanager"},
        "annotations": {"flink/specification": specification},
    }
    container_status = {"name": container, "restartCount": restarts, **status}
    return {"metadata": about, "status": {"containerStatuses": [container_status]}}


@pytest.mark.parametrize(
    "path",
    [
        STOP,
        STOP.replace("file://", "file:"),
        f"{STOP}/",
        f"{CHECKPOINTS}/{OTHER}/chk-3",
        f"{CHECKPOINTS}/{OTHER[:16]}{'9' * 16}/chk-3",
    ],
)
def test_the_job_runs_from_there(begun: World, path: str) -> None:
    """Or from a checkpoint of its own, because its JobManager was restarted meanwhile."""
    begun.flink.run(OTHER, restored(path))
    begun("after")
    assert begun.record.confirmed == 2
    assert begun.record.claim == "uid"
    assert begun.record.history[-1] == f"2  runs, restored from {path}"


@pytest.mark.parametrize("state", ["RUNNING", "FINISHED"])
def test_a_job_without_checkpoints(begun: World, state: str) -> None:
    begun.write(build.record(generation=2, job=OTHER, spec="b", restore=""))
    begun.flink.run(OTHER, state=state)
    del begun.flink.checkpoints[OTHER]
    begun("after")
    assert begun.record.confirmed == 2


RUNS = {"state": "RUNNING", "vertices": [{"status": "RUNNING"}]}


@pytest.mark.parametrize(
    ("listed", "shown"),
    [
        ({}, {"state": "INITIALIZING", "vertices": []}),
        ({}, {"state": "RUNNING", "vertices": []}),
        ({}, {**RUNS, "state": "RESTARTING"}),
        ({}, {"state": "CREATED", "vertices": [{"status": "FINISHED"}]}),
        ({"tasks": {"total": 2, "running": 1, "finished": 0, "initializing": 1}}, RUNS),
        ({"tasks": {"total": 0, "running": 0, "finished": 0}}, RUNS),
    ],
)
def test_a_job_whose_tasks_do_not_all_run_proves_nothing(begun: World, listed: dict[str, Any], shown: dict[str, Any]) -> None:
    """Flink lists a job as RUNNING whose tasks fail over and over, and shows details of some seconds ago."""
    begun.flink.run(OTHER, restored(STOP))
    begun.flink.jobs[OTHER].update(listed)
    begun.flink.shown[OTHER] = {**begun.flink.jobs[OTHER], **shown}
    assert "does not run after 30 s (hooks.timeoutSeconds): not all of its tasks run." in begun.refused("after")
    assert (begun.record.ran, begun.record.is_confirmed) == (0, False)


def test_a_job_of_which_some_tasks_are_done_is_proven(begun: World) -> None:
    begun.flink.run(OTHER, restored(STOP))
    begun.flink.jobs[OTHER]["tasks"] = {"total": 3, "running": 2, "finished": 1}
    begun.flink.jobs[OTHER]["vertices"] = [{"status": "RUNNING"}, {"status": "FINISHED"}]
    begun("after")
    assert begun.record.is_confirmed


@pytest.mark.parametrize("path", ["", "file:///elsewhere", f"{CHECKPOINTS}/{JOB}/chk-9"])
def test_another_start_fails_the_release(begun: World, path: str) -> None:
    begun.flink.run(OTHER, restored(path))
    assert f"The job started from {path or 'nothing'}, not from {STOP}." in begun.refused("after")
    assert not begun.record.is_confirmed


def test_a_start_from_the_newest_of_former_jobs(begun: World) -> None:
    begun.write(build.record(generation=2, job=OTHER, spec="b", former=(JOB,)))
    begun.flink.run(OTHER, restored(f"{CHECKPOINTS}/{JOB}/chk-9"))
    begun("after")
    assert begun.record.is_confirmed


def test_an_install_is_proven_too(begun: World) -> None:
    begun.write(build.record(generation=1, confirmed=0, job=OTHER, spec="b", claim=""))
    begun.flink.run(OTHER)
    begun("after")
    assert (begun.record.confirmed, begun.record.claim) == (1, "uid")


def test_that_it_runs_is_written_before_all_pods_are_there(begun: World) -> None:
    """A JobManager pod that is lost meanwhile may have had newer checkpoints, and the next one must not take it for the first."""
    begun.flink.run(OTHER, restored(STOP))
    begun.kubernetes.deployments["r-taskmanager"]["status"]["readyReplicas"] = 0
    assert "The job runs, but after 30 s" in begun.refused("after")
    assert (begun.record.ran, begun.record.is_confirmed) == (2, False)
    begun.kubernetes.deployments["r-taskmanager"]["status"]["readyReplicas"] = 1
    begun("after")
    assert begun.record.is_confirmed


def test_the_job_of_a_jobmanager_that_is_about_to_go_proves_nothing(begun: World) -> None:
    """Without --wait the old one may still answer."""
    begun.flink.run(JOB)
    assert f"The job {OTHER} does not run after 30 s (hooks.timeoutSeconds): Flink does not know it." in begun.refused("after")


def test_it_comes_in_time(begun: World) -> None:
    begun.flink.unreachable = True

    def comes() -> None:
        begun.flink.unreachable = False
        begun.flink.run(OTHER, restored(STOP))

    begun.clock.events = [lambda: None, lambda: None, comes]
    begun("after")
    assert begun.record.is_confirmed


@pytest.mark.parametrize("trouble", [503, "dies", "hangs up", "html"])
@pytest.mark.parametrize("path", ["/overview", "/checkpoints"])
def test_one_answer_that_fails_to_come_fails_no_good_upgrade(begun: World, path: str, trouble: str | int) -> None:
    begun.flink.run(OTHER, restored(STOP))
    broken: list[str] = []

    def breaks(method: str, asked: str) -> None:
        if asked.endswith(path) and not broken:
            broken.append(asked)
            begun.flink.trouble = [trouble]

    begun.flink.before = breaks
    begun("after")
    assert broken
    assert begun.record.is_confirmed


@pytest.mark.parametrize("trouble", [503, 429, "answer lost", "hangs up"])
def test_one_answer_of_kubernetes_that_fails_to_come_does_not_either(begun: World, trouble: str | int) -> None:
    begun.flink.run(OTHER, restored(STOP))
    tried: set[str] = set()

    def breaks(method: str, path: str) -> None:
        if f"{method} {path}" not in tried:
            tried.add(f"{method} {path}")
            begun.kubernetes.trouble = [trouble]

    begun.kubernetes.before = breaks
    begun("after")
    assert begun.record.is_confirmed
    assert len(begun.record.history) == 1


def test_a_failed_job_fails_the_release_with_its_reason(begun: World) -> None:
    begun.flink.run(OTHER, state="FAILED")
    refusal = begun.refused("after")
    assert "The job is FAILED: java.lang.Exception: outer Caused by: java.io.IOException: the cause" in refusal


def test_a_job_that_fails_again_and_again_fails_the_release_with_its_failure(begun: World) -> None:
    begun.flink.run(OTHER, state="RESTARTING", tasks="FAILED")
    refusal = begun.refused("after")
    assert "not all of its tasks run. java.lang.Exception: outer Caused by: java.io.IOException: the cause" in refusal


def test_it_is_named_as_flink_shows_it(begun: World) -> None:
    """Without high availability each process of the JobManager gives its job another second half of the id."""
    shown = f"{OTHER[:16]}{'9' * 16}"
    begun.flink.run(shown, state="RESTARTING", tasks="FAILED")
    refusal = begun.refused("after")
    assert f"The job {shown} does not run" in refusal
    assert "java.io.IOException: the cause" in refusal


class TestPods:
    """Only those of the new specification count."""

    def test_a_jobmanager_that_cannot_start_tells_why(self, begun: World) -> None:
        """Ready proves nothing: one that is about to keep crashing was ready for a moment."""
        waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
        ended = {"terminated": {"exitCode": 1, "message": "INFO a\nCaused by: java.lang.X: no such operator\n\tat x\n"}}
        begun.kubernetes.pods = [pod("new", "b", 2, state=waiting, lastState=ended)]
        refusal = begun.refused("after")
        assert "The JobManager keeps crashing: Pod new: CrashLoopBackOff back-off; Caused by: java.lang.X: no such" in refusal
        assert "(`kubectl logs --previous new -c jobmanager` has all of it)" in refusal
        assert begun.clock.now < 30

    @pytest.mark.parametrize("lost", [0, 120], ids=["whole", "without its beginning"])
    def test_one_that_logs_json_tells_it_as_well(self, begun: World, lost: int) -> None:
        stack = "a.B: b\n\tat x\nCaused by: java.lang.X: no\n\tat y\n"
        line = json.dumps({"level": "ERROR", "message": "It ends.", "exception": stack})
        text = "\n".join([json.dumps({"level": "INFO", "message": "m" * 200}), line])[lost:]
        begun.kubernetes.pods = [pod("new", "b", 2, lastState={"terminated": {"exitCode": 1, "message": text}})]
        assert "Pod new: Caused by: java.lang.X: no (`kubectl logs --previous" in begun.refused("after")

    def test_one_that_logs_json_and_no_cause(self, begun: World) -> None:
        line = json.dumps({"level": "ERROR", "message": "It ends."})
        begun.kubernetes.pods = [pod("new", "b", 2, lastState={"terminated": {"exitCode": 1, "message": f"{line}\nbye\n"}})]
        assert 'Pod new: {"level": "ERROR", "message": "It ends.' in begun.refused("after")

    def test_one_of_before_that_was_restarted_does_not_count(self, begun: World) -> None:
        """`helm upgrade` without --wait, whose old pod had restarted twice in its life."""
        begun.kubernetes.pods = [pod("old", "a", 5)]
        begun.clock.events = [lambda: begun.flink.run(OTHER, restored(STOP))]
        begun("after")
        assert begun.record.is_confirmed

    def test_one_of_before_is_not_named_as_the_reason(self, begun: World) -> None:
        begun.kubernetes.pods = [pod("old", "a", 5)]
        assert "There is no JobManager pod of this revision" in begun.refused("after")

    def test_a_sidecar_that_was_restarted_does_not_count(self, begun: World) -> None:
        begun.kubernetes.pods = [pod("new", "b", 5, container="sidecar")]
        begun.clock.events = [lambda: begun.flink.run(OTHER, restored(STOP))]
        begun("after")
        assert begun.record.is_confirmed

    def test_a_jobmanager_that_cannot_be_placed(self, begun: World) -> None:
        begun.kubernetes.pods = [pod("new", "b")]
        condition = {"type": "PodScheduled", "reason": "Unschedulable", "message": "0/1 nodes are available"}
        begun.kubernetes.pods[0]["status"]["conditions"] = [condition]
        assert "Pod new: Unschedulable: 0/1 nodes are available" in begun.refused("after")

    def test_an_image_that_is_not_there(self, begun: World) -> None:
        waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
        begun.kubernetes.pods = [pod("new", "b", state=waiting)]
        assert "Pod new: ImagePullBackOff no such image" in begun.refused("after")


class TestTaskManagers:
    """An upgrade of TaskManagers alone is proven as well."""

    def unfinished(self, world: World, **counts: int) -> dict[str, Any]:
        live: dict[str, Any] = world.kubernetes.deployments["r-taskmanager"]
        live["status"] = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, **counts}
        return live

    @pytest.mark.parametrize(
        "counts", [{"updatedReplicas": 0}, {"readyReplicas": 0}, {"replicas": 2}, {"observedGeneration": 0}], ids=str
    )
    def test_the_job_runs_on_those_of_before(self, world: World, counts: dict[str, int]) -> None:
        self.unfinished(world, **counts)
        refusal = world.refused("after", {"specification": "a"})
        assert "The job runs, but after 30 s (hooks.timeoutSeconds) Deployment r-taskmanager" in refusal
        assert world.record == build.record()

    def test_the_new_ones_come(self, world: World) -> None:
        live = self.unfinished(world, updatedReplicas=0)
        world.clock.events = [lambda: live["status"].update(updatedReplicas=1)]
        world("after", {"specification": "a"})
        assert world.clock.now > 0

    def test_the_job_restarts_for_ever_on_the_new_ones(self, world: World) -> None:
        world.flink.run(JOB, state="RESTARTING")
        assert "not all of its tasks run" in world.refused("after", {"specification": "a"})

    def test_there_is_none(self, world: World) -> None:
        del world.kubernetes.deployments["r-taskmanager"]
        assert "there is no Deployment r-taskmanager" in world.refused("after", {"specification": "a"})

    @pytest.mark.parametrize(
        ("counts", "proven"),
        [
            ({"readyReplicas": 2}, True),  # of four, two of which have no node yet
            ({"readyReplicas": 1}, False),
            ({"readyReplicas": 4, "updatedReplicas": 3}, False),  # a previous one is there
        ],
        ids=str,
    )
    def test_an_autoscaler_says_how_many_there_are(self, world: World, counts: dict[str, int], proven: bool) -> None:
        live = self.unfinished(world, **{"replicas": 4, "updatedReplicas": 4, **counts})
        live["spec"]["replicas"] = 4
        job, scaled = {"specification": "a"}, {"min_taskmanagers": 2}
        if proven:
            world("after", job, **scaled)
        else:
            assert f"has {counts['readyReplicas']} of 4 pods" in world.refused("after", job, **scaled)

    def test_one_that_has_none_keeps_none(self, world: World) -> None:
        """Somebody has scaled them away for a while, which an autoscaler respects."""
        live = self.unfinished(world, replicas=0, updatedReplicas=0, readyReplicas=0)
        live["spec"]["replicas"] = 0
        world("after", {"specification": "a"}, min_taskmanagers=2)

    def test_those_that_flink_made_are_of_the_new_template(self, world: World) -> None:
        native = {"taskmanager_deployment": "", "native_taskmanager_selector": "tm=1"}
        world.kubernetes.pods = [{"metadata": {"name": "tm", "labels": {"tm": "1", "flink/template": "n1"}}}]
        assert "TaskManagers of the former template" in world.refused("after", {"specification": "a"}, **native)
        assert "tm=1,flink/template!=n2" in world.kubernetes.dropped
        world.kubernetes.pods[0]["metadata"]["labels"]["flink/template"] = "n2"
        world("after", {"specification": "a"}, **native)


def test_a_suspended_job_is_proven_by_its_record(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.write(build.record(state="suspended", restore=STOP))
    world.flink.unreachable = True
    world("after")
    assert f"It will resume from {STOP}" in capsys.readouterr().out


def test_checkpoints_of_jobs_before_are_deleted_when_nothing_needs_them(begun: World) -> None:
    one, two, three, four = (f"s3://b/checkpoints/{number * 16}/chk-1" for number in ("1", "2", "3", "4"))
    five = f"s3://b/checkpoints/{'5' * 16}/chk-2"
    left = (one, two, three, four, five)
    begun.write(
        build.record(
            generation=2,
            job=OTHER,
            spec="b",
            restore=two.replace("s3:", "s3a:"),
            previous=f"{three}/_metadata",
            previousFormer=("4" * 32,),
            fromSavepoint=five,
            left=left,
        )
    )
    begun.flink.run(OTHER, restored(two))
    begun("after")
    assert begun.flink.disposed == [one]
    assert begun.record.left == (two, three, four, five)


class TestOldSavepoints:
    """Those that stopped the job go when it runs again, up to a number."""

    def stops(self, *numbers: int) -> tuple[str, ...]:
        return tuple(f"{SAVEPOINTS}/{number}/stop/savepoint-{number}" for number in numbers)

    def proven(self, world: World, **record: Any) -> None:
        given = {"generation": 2, "job": OTHER, "spec": "b", "restore": self.stops(5)[0], "stops": self.stops(1, 2, 3, 4, 5)}
        world.write(build.record(**{**given, **record}))
        world.flink.run(OTHER, restored(str({**given, **record}["restore"])))
        world("after", keep_stop_savepoints=2)

    def test_the_newest_stay(self, begun: World) -> None:
        self.proven(begun)
        assert begun.record.stops == self.stops(4, 5)
        assert begun.flink.disposed == list(self.stops(1, 2, 3))

    def test_what_is_needed_stays(self, begun: World) -> None:
        one, two, three = self.stops(1, 2, 3)
        self.proven(begun, restore=one.replace("file://", "file:"), fromSavepoint=f"{two}/", savepoints=(three,))
        assert begun.flink.disposed == []
        assert begun.record.stops == self.stops(1, 2, 3, 4, 5)

    def test_nothing_goes_before_the_job_was_seen_running(self, begun: World) -> None:
        begun.write(build.record(generation=2, job=OTHER, spec="b", restore=STOP, stops=self.stops(1, 2, 3, 4, 5)))
        begun.refused("after", keep_stop_savepoints=2)
        assert begun.flink.disposed == []

    def test_one_that_cannot_be_deleted_fails_nothing(self, begun: World, capsys: pytest.CaptureFixture[str]) -> None:
        def refuses(method: str, path: str) -> None:
            if path.endswith("/savepoint-disposal"):
                begun.flink.trouble = [500]

        begun.flink.before = refuses
        self.proven(begun)
        assert begun.record.is_confirmed
        assert "could not be deleted" in capsys.readouterr().out
