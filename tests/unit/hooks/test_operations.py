"""Helm's events, and those of whoever else applies the objects: what is done follows from what is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hooks import __main__ as program
from hooks import clock, errors, operations
from hooks.kubernetes import Kubernetes

from tests.unit.fakes import FakeZooKeeper
from tests.unit.hooks import build
from tests.unit.hooks.build import JOB, OTHER, RENAMED, SAVEPOINTS
from tests.unit.hooks.conftest import World

HA: dict[str, Any] = {"high_availability": "kubernetes", "jobs_survive_restart": True}
LABELS = {"app": "r", "type": "flink-native-kubernetes"}


def stored(world: World) -> None:
    """What Flink's high availability keeps of a job."""
    programs = {f"jobGraph-{JOB}": "x", "other": "y"}
    for name, data in (("r-cluster-config-map", programs), (f"r-{JOB}-config-map", {"checkpointID-1": "z"})):
        world.kubernetes.put("configmaps", {"metadata": {"name": name, "labels": LABELS}, "data": data})


class TestInstall:
    def test_a_first_one(self, world: World) -> None:
        del world.kubernetes.config_maps["r-record"]
        world.uninstalled()
        world("before")
        begun = world.record
        assert (begun.generation, begun.confirmed, begun.spec, begun.restore, begun.state) == (1, 0, "b", "", "running")
        assert len(begun.job) == 32
        assert begun.ids == (begun.job,)
        assert begun.savepointDirectory == SAVEPOINTS
        assert begun.savepointVolume == begun.checkpointVolume == build.volume()
        assert begun.backend == "hashmap"

    def test_from_a_savepoint_of_elsewhere(self, world: World) -> None:
        del world.kubernetes.config_maps["r-record"]
        world.uninstalled()
        world("before", {"from_savepoint": f"s3://production/checkpoints/{OTHER}/chk-9"})
        assert world.record.restore == f"s3://production/checkpoints/{OTHER}/chk-9"
        assert not world.record.own
        assert world.record.has_used(f"s3a://production/checkpoints/{OTHER}/chk-9/")

    def test_a_first_install_waits_for_nobody(self, world: World) -> None:
        del world.kubernetes.config_maps["r-record"]
        world.uninstalled()
        world.flink.unreachable = True
        before = world.clock.now
        world("before")
        assert world.clock.now == before

    def test_what_an_uninstall_without_hooks_left_in_high_availability_brings_no_job_back(self, world: World) -> None:
        del world.kubernetes.config_maps["r-record"]
        stored(world)
        world.uninstalled()
        assert f"high availability knows jobs of a release of this name: {JOB}" in world.refused("before", **HA)
        world("before", {"upgrade_mode": "stateless"}, **HA)
        assert world.kubernetes.config_maps["r-cluster-config-map"]["data"] == {"other": "y"}
        assert world.record.job != JOB

    @pytest.mark.parametrize("made_by", ["r", ""])
    def test_a_sync_that_runs_it_again_changes_nothing(self, world: World, made_by: str) -> None:
        """Argo CD runs the hooks of an install at each sync."""
        stored(world)
        annotations = world.kubernetes.deployments["r-jobmanager"]["metadata"]["annotations"]
        annotations["meta.helm.sh/release-name"] = made_by
        as_it_was = world.untouched()
        maps = json.dumps(world.kubernetes.config_maps)
        world("before", {"specification": "a"}, **HA)
        assert as_it_was()
        assert json.dumps(world.kubernetes.config_maps) == maps
        assert world.kubernetes.writes == []

    def test_twice_before_anything_runs_begins_one_job(self, world: World) -> None:
        del world.kubernetes.config_maps["r-record"]
        world.uninstalled()
        world("before")
        job = world.record.job
        world("before")
        assert (world.record.job, world.record.generation) == (job, 1)

    def test_znodes_of_a_living_cluster_of_the_same_name_are_left(self, world: World) -> None:
        """ZooKeeper shared by two clusters of Kubernetes."""
        del world.kubernetes.config_maps["r-record"]
        world.uninstalled()
        fake = FakeZooKeeper("/flink/n/r/leader/latch/one", f"/flink/n/r/jobs/{JOB}/checkpoints/1")
        before = set(fake.paths)
        with fake.serving() as server:
            where = build.wanted_zookeeper(quorum=server, path="/flink/n/r")
            refusal = world.refused("before", high_availability="zookeeper", zookeeper=where, timeout_seconds=300)
        assert "another cluster has a release of this name" in refusal
        assert fake.paths == before
        assert "r-record" not in world.kubernetes.config_maps

    def test_a_jobmanager_that_died_a_minute_ago_is_waited_for(self, world: World) -> None:
        """Its node in ZooKeeper lives as long as its session."""
        del world.kubernetes.config_maps["r-record"]
        world.uninstalled()
        fake = FakeZooKeeper("/flink/n/r/leader/latch/one", "/flink/n/other")
        world.clock.events = [lambda: fake.paths.discard("/flink/n/r/leader/latch/one")]
        with fake.serving() as server:
            where = build.wanted_zookeeper(quorum=server, path="/flink/n/r")
            world("before", high_availability="zookeeper", zookeeper=where)
        assert fake.paths == {"/flink", "/flink/n", "/flink/n/other"}
        assert world.record.generation == 1


class TestZooKeeper:
    """Servers, and paths, that the release comes to use."""

    def wanted(self, quorum: str, bundled: bool = False) -> dict[str, Any]:
        where = build.wanted_zookeeper(quorum=quorum, path="/flink/n/r", bundled=bundled)
        kept = {"type": "zookeeper", "servers": quorum}
        return {"high_availability": "zookeeper", "jobs_survive_restart": True, "jobs_kept_in": kept, "zookeeper": where}

    def test_servers_that_come_with_the_release_are_not_asked(self, world: World) -> None:
        world("before", **self.wanted("127.0.0.1:9", bundled=True))
        assert world.record.restore.startswith(f"{SAVEPOINTS}/{JOB}/stop/")

    def test_nor_by_an_install_that_finds_a_record(self, world: World) -> None:
        world.uninstalled()
        world("before", {"specification": "a"}, **self.wanted("127.0.0.1:9", bundled=True))
        assert world.record.former == (JOB,)

    def test_servers_that_are_away_are_noticed_before_the_stop(self, world: World) -> None:
        as_it_was = world.untouched()
        with pytest.raises(errors.Unreachable, match=r"highAvailability\.zookeeper\.quorum"):
            world("before", **self.wanted("127.0.0.1:9"))
        assert as_it_was()

    def test_a_path_of_another_cluster_is_noticed_before_the_stop(self, world: World) -> None:
        as_it_was = world.untouched()
        fake = FakeZooKeeper(f"/flink/n/r/jobgraphs/{OTHER}", "/flink/n/r/leader/latch/one")
        before = set(fake.paths)
        with fake.serving() as server:
            refusal = world.refused("before", **self.wanted(server), timeout_seconds=300)
        assert "another cluster has a release of this name" in refusal
        assert fake.paths == before
        assert as_it_was()

    def test_its_own_programs_are_forgotten_while_its_jobmanager_lives(self, world: World) -> None:
        fake = FakeZooKeeper(f"/flink/n/r/jobgraphs/{JOB}", "/flink/n/r/leader/latch/one")
        with fake.serving() as server:
            wanted = self.wanted(server)
            kept = json.dumps(wanted["jobs_kept_in"])
            world.kubernetes.deployments["r-jobmanager"]["metadata"]["annotations"]["flink/jobs-kept-in"] = kept
            world("before", **wanted)
        assert f"/flink/n/r/jobgraphs/{JOB}" not in fake.paths


class TestUninstall:
    def test_a_last_savepoint(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        world("before-uninstall")
        assert f"The last state is {SAVEPOINTS}/{JOB}/stop/savepoint-" in capsys.readouterr().out
        assert world.flink.jobs[JOB]["state"] == "FINISHED"

    @pytest.mark.parametrize("mode", ["stateless", "last-state"])
    def test_a_savepoint_that_was_asked_for_is_taken_whatever_the_mode_of_upgrades_is(self, world: World, mode: str) -> None:
        world("before-uninstall", {"upgrade_mode": mode})
        assert world.flink.asked("/stop") == 1

    def test_the_path_in_the_values_is_not_the_last_state(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        world("before-uninstall", {"from_savepoint": "s3://b/never-used"})
        assert f"The last state is {SAVEPOINTS}/" in capsys.readouterr().out

    def test_the_claim_that_goes_with_the_release_is_no_surprise(self, world: World) -> None:
        world.kubernetes.claims["data"]["metadata"]["annotations"] = {"meta.helm.sh/release-name": "r"}
        world("before-uninstall")
        assert world.flink.asked("/stop") == 1

    def test_one_that_cannot_be_taken(self, world: World) -> None:
        as_it_was = world.untouched()
        world.flink.run(JOB, tasks="SCHEDULED")
        assert "helm uninstall --no-hooks" in world.refused("before-uninstall")
        assert as_it_was()

    def test_the_port_of_the_revision_that_lives_is_asked(self, world: World) -> None:
        container = world.kubernetes.deployments["r-jobmanager"]["spec"]["template"]["spec"]["containers"][0]
        container["ports"] = [{"name": "rest", "containerPort": int(world.rest.rpartition(":")[2])}]
        world("before-uninstall", rest=f"{world.rest.rpartition(':')[0]}:1")
        assert world.flink.asked("/stop") == 1

    def test_twice(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        world("before-uninstall")
        path = world.record.restore
        world("before-uninstall")
        assert world.record.restore == path
        assert capsys.readouterr().out.count(f"The last state is {path}") == 2

    def test_what_helm_has_not_made_is_left(self, world: World) -> None:
        """`helm template | kubectl apply` runs all hooks as ordinary Jobs."""
        world.kubernetes.deployments["r-jobmanager"]["metadata"]["annotations"].pop("meta.helm.sh/release-name")
        as_it_was = world.untouched()
        world("before-uninstall")
        assert as_it_was()

    def test_nothing_stays_that_would_bring_a_job_back(self, world: World) -> None:
        stored(world)
        world.kubernetes.put("configmaps", {"metadata": {"name": "mine", "labels": LABELS}})
        world.kubernetes.put("configmaps", {"metadata": {"name": "r2-x-config-map", "labels": {**LABELS, "app": "r2"}}})
        world.uninstalled(keeps_claim=False)
        world("after-uninstall", **HA)
        assert set(world.kubernetes.config_maps) == {"mine", "r2-x-config-map"}

    @pytest.mark.parametrize("seconds_later", [0, 1, 2])
    def test_nothing_is_deleted_while_a_jobmanager_lives(self, world: World, seconds_later: int) -> None:
        """What applies all objects at once may start this hook before it makes the Deployment."""
        stored(world)
        maps = json.dumps(world.kubernetes.config_maps)
        living = dict(world.kubernetes.deployments)
        if seconds_later:
            world.kubernetes.deployments.clear()
            nothing = [lambda: None] * (seconds_later - 1)
            world.clock.events = [*nothing, lambda: world.kubernetes.deployments.update(living)]
        world("after-uninstall", **HA)
        assert json.dumps(world.kubernetes.config_maps) == maps

    def test_nothing_is_deleted_while_pods_go(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        world.uninstalled(keeps_claim=False)
        labels = {"component": "jobmanager"}
        world.kubernetes.pods = [{"metadata": {"name": "r-jobmanager-1-2", "labels": labels}, "status": {"phase": "Running"}}]
        world("after-uninstall", **HA)
        assert "pods are still there" in capsys.readouterr().out
        assert "r-record" in world.kubernetes.config_maps
        world.clock.events = [world.kubernetes.pods.clear]
        world("after-uninstall", **HA)
        assert "r-record" not in world.kubernetes.config_maps

    def test_a_zookeeper_that_is_unreachable_stops_no_uninstall(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        world.uninstalled(keeps_claim=False)
        where = build.wanted_zookeeper(quorum="127.0.0.1:9", path="/flink/n/r")
        world("after-uninstall", high_availability="zookeeper", zookeeper=where)
        assert "Warning: no ZooKeeper answers: 127.0.0.1:9: " in capsys.readouterr().out
        assert "r-record" not in world.kubernetes.config_maps

    def test_a_zookeeper_of_the_release_goes_with_it(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        world.uninstalled(keeps_claim=False)
        where = build.wanted_zookeeper(quorum="127.0.0.1:9", path="/flink/n/r", bundled=True)
        world("after-uninstall", high_availability="zookeeper", zookeeper=where)
        assert not capsys.readouterr().out

    @pytest.mark.parametrize("place", ["claim", "store", "volume of nodes"])
    def test_the_record_of_state_that_stays_does_too(self, world: World, place: str, capsys: pytest.CaptureFixture[str]) -> None:
        """`helm uninstall --keep-history`, and a rollback."""
        world.uninstalled(keeps_claim=place == "claim")
        before = build.record(**build.S3_RECORD) if place == "store" else build.record()
        world.write(before)
        wanted: dict[str, Any] = {**build.S3} if place == "store" else {}
        if place == "volume of nodes":
            mine = build.deployment()
            mine["spec"]["template"]["spec"]["volumes"] = [{"name": "data", "nfs": {"server": "nas", "path": "/"}}]
            wanted = {"objects": [mine]}
        world("after-uninstall", **wanted)
        assert world.record == before
        assert "ConfigMap r-record" in capsys.readouterr().out
        if place == "claim":
            world("before-rollback")
            assert world.record.former == (JOB,)
        if place == "store":
            refusal = world.refused("before-rollback", **wanted)
            assert "its newest state is not known" in refusal

    @pytest.mark.parametrize("record", [{}, {"savepointDirectory": "", "checkpointDirectory": ""}])
    def test_an_install_that_never_ran_leaves_nothing(self, world: World, record: dict[str, Any]) -> None:
        """An operation has waited for it in vain, just now."""
        world.write(build.record(confirmed=0, failed=f"1 {clock.now_seconds()}", **record))
        world.uninstalled()
        world("after-uninstall")
        assert "r-record" not in world.kubernetes.config_maps

    @pytest.mark.parametrize("failed", ["", "1 1000"])
    def test_an_install_that_nobody_has_seen_running_leaves_its_record(self, world: World, failed: str) -> None:
        """It may have run for hours: that there is no Deployment tells nothing from now on."""
        world.write(build.record(confirmed=0, failed=failed))
        world.uninstalled()
        world("after-uninstall")
        assert world.record.deployment == "gone"

    def test_a_claim_that_is_about_to_go_does_not_stay(self, world: World) -> None:
        world.uninstalled()
        world.kubernetes.claims["data"]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        world("after-uninstall")
        assert "r-record" not in world.kubernetes.config_maps

    def test_rights_that_are_missing_leave_no_record(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        stored(world)
        world.uninstalled(keeps_claim=False)

        def forbidden(method: str, path: str) -> None:
            if method == "GET" and path.partition("?")[0].endswith("/configmaps"):
                world.kubernetes.trouble = [403]

        world.kubernetes.before = forbidden
        world("after-uninstall", **HA)
        assert "Warning: " in capsys.readouterr().out
        assert "r-record" not in world.kubernetes.config_maps


class TestRollback:
    def test_to_a_revision_with_an_old_savepoint_goes_on_from_the_newest_state(self, world: World) -> None:
        world.write(build.record(used="s3://b/new"))
        world("before-rollback", {"from_savepoint": "s3://b/old"})
        assert world.record.restore.startswith(f"{SAVEPOINTS}/{JOB}/stop/")

    def test_of_what_helm_has_not_made(self, world: World) -> None:
        world.kubernetes.deployments["r-jobmanager"]["metadata"]["annotations"].pop("meta.helm.sh/release-name")
        as_it_was = world.untouched()
        world("before-rollback")
        assert as_it_was()

    @pytest.mark.parametrize("trouble", ["dies", "html", "hangs up", 404, 500])
    def test_whatever_the_servers_answer_is_no_fault_of_the_hook(self, world: World, trouble: str | int) -> None:
        world.write(build.record(confirmed=0))
        release = world.release({"specification": "a"})
        world.flink.trouble = [trouble] * 300
        world.kubernetes.trouble = [trouble] * 300
        with pytest.raises((errors.Failed, errors.HttpError, errors.Unreachable)):
            operations.EVENTS["after-rollback"](release)


class TestSavepoint:
    def test_is_kept_up_to_a_number(self, world: World) -> None:
        for _ in range(3):
            world("savepoint")
        kept = world.record.savepoints
        assert len(kept) == 2
        assert len(world.flink.disposed) == 1
        assert world.flink.disposed[0] not in kept
        assert all(path.startswith(f"{SAVEPOINTS}/{JOB}/savepoint-") for path in kept)
        assert world.flink.jobs[JOB]["state"] == "RUNNING"

    @pytest.mark.parametrize("field", ["restore", "fromSavepoint", "stops"])
    def test_what_is_needed_is_not_deleted(self, world: World, field: str) -> None:
        """Neither what the job would restart from, nor the path of the values, nor what stopped the job."""
        needed = "file:/flink-data/r/savepoints/needed/"
        value: Any = (needed,) if field == "stops" else needed
        world.write(build.record(**{field: value}, savepoints=("file:///flink-data/r/savepoints/needed",)))
        for _ in range(3):
            world("savepoint", keep_savepoints=1)
        assert not [path for path in world.flink.disposed if "needed" in path]
        assert world.record.savepoints[0] == "file:///flink-data/r/savepoints/needed"
        assert len(world.record.savepoints) == 2

    def test_of_a_suspended_job_is_no_failure(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        world.write(build.record(state="suspended", restore="s3://b/s"))
        world.flink.unreachable = True
        world("savepoint")
        assert capsys.readouterr().out == "The job is suspended. Its state is s3://b/s.\n"
        assert world.clock.now == 0

    def test_of_a_job_that_has_finished_is_none_though_the_jobmanager_was_replaced(
        self, world: World, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world.write(build.record(state="finished"))
        world.flink.jobs.clear()
        world("savepoint")
        assert capsys.readouterr().out == "The job has finished: there is nothing to take a savepoint of.\n"
        assert world.clock.now == 0

    def test_of_a_job_that_does_not_run_fails(self, world: World) -> None:
        world.flink.run(JOB, tasks="SCHEDULED")
        assert "the job does not run (not all of its tasks run)" in world.refused("savepoint")
        assert world.flink.asked("/savepoints") == 0

    def test_that_fails_says_why_and_writes_nothing(self, world: World) -> None:
        world.flink.stop_fails = "java.io.IOException: read-only"
        assert "java.io.IOException: read-only" in world.refused("savepoint")
        assert world.record == build.record()

    @pytest.mark.parametrize("trouble", ["answer lost", "dies", 503])
    def test_whose_answer_was_lost_is_taken_once(self, world: World, trouble: str | int) -> None:
        def breaks(method: str, path: str) -> None:
            if path.endswith("/savepoints") and not world.flink.bodies:
                world.flink.trouble = [trouble]
                world.flink.bodies.append({})

        world.flink.before = breaks
        world("savepoint")
        assert len(world.flink.operations) == 1
        assert len(world.record.savepoints) == 1

    def test_is_in_the_format_of_the_values(self, world: World) -> None:
        world("savepoint", savepoint_format="NATIVE")
        assert [body["formatType"] for body in world.flink.bodies] == ["NATIVE"]

    def test_while_an_upgrade_writes_the_record(self, world: World) -> None:
        def another(method: str, path: str) -> None:
            if path.endswith("/savepoints"):
                world.write(build.record(generation=2))

        world.flink.before = another
        world("savepoint")
        assert world.record.generation == 2
        assert len(world.record.savepoints) == 1


class TestMain:
    """`python3 -m hooks EVENT`."""

    @pytest.fixture
    def main(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
        given = build.wanted()
        data = {**vars(given), "jobs": [vars(job) for job in given.jobs]}
        (tmp_path / "wanted.json").write_text(json.dumps(data))
        monkeypatch.setattr(program, "__file__", str(tmp_path / "__main__.py"))
        monkeypatch.setattr(Kubernetes, "of_this_pod", lambda deadline: None)
        monkeypatch.setattr(program, "Release", lambda *_: None)

        def run(event: str, error: Exception | None) -> int:
            def event_of(_: Any) -> None:
                if error:
                    raise error

            monkeypatch.setitem(operations.EVENTS, event, event_of)
            return program.main(event)

        return run

    def test_ends_well(self, main: Any) -> None:
        assert main("before", None) == 0

    @pytest.mark.parametrize(
        "error",
        [errors.Failed("no"), errors.Unreachable("no"), errors.HttpError("GET", "/", 403, "no"), KeyError("no")],
        ids=lambda error: type(error).__name__,
    )
    def test_the_last_line_is_the_reason(self, main: Any, error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
        assert main("before", error) == 1
        last = capsys.readouterr().out.splitlines()[-1]
        assert last.startswith("Error: ")
        assert "no" in last

    @pytest.mark.parametrize(
        "error",
        [errors.Failed("no"), errors.Unreachable("no"), errors.HttpError("GET", "/", 403, "no"), KeyError("no")],
        ids=lambda error: type(error).__name__,
    )
    def test_after_a_rollback_it_only_warns(self, main: Any, error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
        """Helm leaves a release pending for ever when its hook after a rollback fails."""
        assert main("after-rollback", error) == 0
        assert capsys.readouterr().out.splitlines()[-1].startswith("Warning: ")

    def test_nor_does_a_record_that_cannot_be_read(self, main: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(*_: Any) -> None:
            raise errors.Unreachable("Kubernetes did not answer")

        monkeypatch.setattr(program, "Release", away)
        assert main("after-rollback", None) == 0
        assert main("before", None) == 1


def test_all_hooks_start_at_once_where_nobody_knows_hooks(world: World) -> None:
    """The record comes while the hook after the operation looks for it."""
    del world.kubernetes.config_maps["r-record"]
    world.clock.events = [lambda: world.write(build.record())]
    world("after", {"specification": "a"})
    assert world.record.is_confirmed


def test_a_record_that_nobody_writes_fails_the_operation(world: World) -> None:
    del world.kubernetes.config_maps["r-record"]
    assert world.refused("after")
    assert "r-record" not in world.kubernetes.config_maps


def test_every_event_of_the_templates_is_known() -> None:
    assert set(operations.EVENTS) == {
        "before", "before-rollback", "after", "after-rollback", "before-uninstall", "after-uninstall", "savepoint",
    }  # fmt: skip


def test_a_reinstall_that_finds_the_record_and_the_claim_goes_on(world: World) -> None:
    """An uninstall with --no-hooks leaves the record; the claim was kept."""
    world.uninstalled()
    world("before")
    assert world.record.former == (JOB,)


def test_a_reinstall_whose_claim_is_another_one_of_the_same_name(world: World) -> None:
    """Restored from a copy it has the files of the job; where there are none, it starts from nothing."""
    world.uninstalled()
    world.kubernetes.claims["data"]["metadata"]["uid"] = "another"
    world("before")
    assert (world.record.former, world.record.restore) == ((JOB,), "")


def test_the_claim_leaves_the_manifest(world: World) -> None:
    """storage.existingClaim=<its own name>: Helm would delete it, and the hook would see no change."""
    claim = world.kubernetes.claims["data"]["metadata"]
    claim["labels"] = {"app": "r"}
    claim["annotations"] = {}
    as_it_was = world.untouched()
    assert "PVC data leaves the release with this revision" in world.refused("before", {"specification": "a"})
    assert as_it_was()
    own = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}}
    world("before", {"specification": "a"}, objects=[build.deployment(), own])
    claim["annotations"]["helm.sh/resource-policy"] = "keep"
    world("before", {"specification": "a"})


@pytest.mark.parametrize("state", ["running", "suspended", "its pod is gone"])
def test_a_release_that_is_renamed_is_refused_whatever_its_job_does(world: World, state: str) -> None:
    """Under another name it is unknown where the job resumes."""
    if state == "suspended":
        world.write(build.record(state=state, restore=f"{SAVEPOINTS}/{JOB}/stop/savepoint-aaaaaa-1"))
    if state != "running":
        world.flink.unreachable = True
    before = world.record
    assert "the Deployment r-jobmanager" in world.refused("before", **RENAMED)
    assert world.record == before
    assert world.kubernetes.writes == []


def test_nor_may_it_run_under_both_names(world: World) -> None:
    """`kubectl apply` leaves the previous Deployment."""
    world.rolled_out("x-jobmanager", specification="b", template="t2")
    assert "the Deployment r-jobmanager" in world.refused("before", **RENAMED)


def test_other_charts_of_the_release_and_other_releases_are_not_taken_for_it(world: World) -> None:
    others = {"app.kubernetes.io/instance": "other", "app.kubernetes.io/component": "jobmanager"}
    for changes in ({"annotations": {"flink/chart": "umbrella/charts/other/templates"}}, {"labels": others}):
        world.uninstalled()
        world.rolled_out("old-jobmanager")
        world.kubernetes.deployments["old-jobmanager"]["spec"]["template"]["metadata"].update(changes)
        world("before")


def test_a_deployment_of_somebody_else_is_not_the_jobmanager(world: World) -> None:
    """It has the base name, which native mode gives its JobManager."""
    world.uninstalled()
    del world.kubernetes.config_maps["r-record"]
    foreign = build.deployment("", name="r", labels={"app": "somebody-elses"})
    foreign["spec"]["template"]["metadata"] = {"labels": {"app": "somebody-elses"}}
    world.kubernetes.put("deployments", foreign)
    world("before")
    assert world.record.generation == 1


def test_rest_is_asked_at_the_port_that_it_has_now(world: World) -> None:
    """The coming revision gives it another one, at which nobody answers yet."""
    container = world.kubernetes.deployments["r-jobmanager"]["spec"]["template"]["spec"]["containers"][0]
    container["ports"] = [{"name": "rest", "containerPort": int(world.rest.rpartition(":")[2])}]
    world("before", rest="http://127.0.0.1:9")
    assert world.record.restore.startswith(f"{SAVEPOINTS}/{JOB}/stop/")


@pytest.mark.parametrize(("old", "new"), [("r", "r-jobmanager"), ("r-jobmanager", "r")])
def test_standalone_and_native_mode_follow_each_other(world: World, old: str, new: str) -> None:
    labels = {"app.kubernetes.io/instance": "r", "app.kubernetes.io/component": "jobmanager"}
    metadata = {"name": f"{old}-1234-abcd", "labels": labels, "annotations": {"flink/chart": "flink/templates"}}
    world.kubernetes.deployments.clear()
    world.rolled_out(old, specification="a", template="t1")
    world.kubernetes.pods = [{"metadata": metadata, "status": {"phase": "Running"}}]
    world("before", jobmanager_deployment=new, objects=[build.deployment(name=new)])
    assert world.record.restore.startswith(f"{SAVEPOINTS}/{JOB}/stop/")


def test_a_bounded_job_that_runs_is_found(world: World) -> None:
    del world.kubernetes.config_maps["r-record"]
    world.kubernetes.deployments.clear()
    owner = {"kind": "Job", "name": "r-jobmanager"}
    metadata = {"name": "r-jobmanager-x", "labels": {"component": "jobmanager"}, "ownerReferences": [owner]}
    world.kubernetes.pods = [{"metadata": metadata, "status": {"phase": "Running"}}]
    assert "A bounded job of this release runs (pod r-jobmanager-x)" in world.refused("before")
    world.kubernetes.pods[0]["status"]["phase"] = "Succeeded"
    world.flink.unreachable = True
    world("before")
    assert world.record.generation == 1


def manager(name: str, operation: str, *annotations: str, day: int = 2) -> dict[str, Any]:
    """An entry of managedFields: the annotations that it owns."""
    fields: dict[str, Any] = {"f:metadata": {"f:annotations": {f"f:{annotation}": {} for annotation in annotations}}}
    return {"manager": name, "operation": operation, "time": f"2026-01-{day:02}T00:00:00Z", "fieldsV1": fields}


ALL, HELMS, CLIENTS = "flink/specification", "meta.helm.sh/release-name", "kubectl.kubernetes.io/last-applied-configuration"


class TestWhoAppliedLast:
    """An apply by another manager leaves Helm's annotations on the Deployment; hooks of a rollback and of an uninstall rest."""

    HELM = manager("helm", "Apply", ALL, HELMS, day=1)

    @pytest.mark.parametrize(
        ("entry", "by_helm"),
        [
            (manager("kubectl", "Apply", ALL), False),
            (manager("argocd-controller", "Apply", ALL), False),
            (manager("kubectl-client-side-apply", "Update", CLIENTS), False),
            (manager("argocd-controller", "Update", ALL, CLIENTS), False),
            (manager("kubectl-rollout", "Update"), True),
            (manager("kubectl-edit", "Update", ALL), True),
            (manager("kubectl", "Apply", "team"), True),
            ({**manager("kubectl", "Apply"), "subresource": "scale"}, True),
            (manager("kubectl", "Apply", ALL, day=1), True),
            (manager("helm-controller", "Apply", ALL, HELMS), True),
            (manager("helm-controller", "Update", ALL), True),
            (manager("terraform-provider-helm", "Apply", ALL, HELMS), True),
        ],
    )
    def test_it_is_told_by_its_entry(self, world: World, entry: dict[str, Any], by_helm: bool) -> None:
        untouched = world.untouched()
        world.kubernetes.deployments["r-jobmanager"]["metadata"]["managedFields"] = [self.HELM, entry]
        world("before-uninstall", {"specification": "a"}, jobmanager_template="t1")
        assert (world.record.state == "suspended") is by_helm
        assert untouched() is not by_helm

    def test_it_is_helm_under_another_name_alone(self, world: World) -> None:
        entry = manager("helm-controller", "Apply", ALL, HELMS)
        world.kubernetes.deployments["r-jobmanager"]["metadata"]["managedFields"] = [entry]
        world("before-uninstall", {"specification": "a"}, jobmanager_template="t1")
        assert world.record.state == "suspended"

    def test_a_path_that_an_apply_names_counts(self, world: World) -> None:
        managers = [self.HELM, manager("kubectl", "Apply", ALL)]
        world.kubernetes.deployments["r-jobmanager"]["metadata"]["managedFields"] = managers
        named = {"specification": "b", "from_savepoint": "file:///flink-data/mine", "upgrade_mode": ""}
        world("before-rollback", named)
        world("before", named)
        assert world.record.restore == "file:///flink-data/mine"


def test_a_job_that_is_taken_over_is_written_when_nothing_is_refused_any_more(world: World) -> None:
    """hooks.enabled=false meanwhile: the record is of long ago, and the job is not to be taken for one that never ran."""
    world.write(build.record(generation=3, confirmed=3))
    before = world.record
    world.rolled_out("r-jobmanager", hooks=False, specification="c", template="t9")
    world.flink.jobs.clear()
    world.flink.run(build.OTHER)
    world.flink.checkpoint(build.OTHER, 900, f"{build.CHECKPOINTS}/{build.OTHER}/chk-900")
    world.kubernetes.refused["r-jobmanager"] = (422, {"message": "a label with a space"})
    assert "a label with a space" in world.refused("before", objects=[build.deployment()])
    assert world.record == before
    world.kubernetes.refused.clear()
    world.flink.unreachable = True
    world.refused("before", objects=[build.deployment()])
    assert world.record == before
