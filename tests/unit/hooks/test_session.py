"""session.jobs: which jobs the hooks submit, stop, replace and leave alone."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hooks import record, session, submit, tls
from hooks.errors import Failed
from hooks.record import Record
from hooks.submit import Client
from hooks.wanted import Certificates

from ci.core.paths import FLINK
from tests.unit.fakes import FakeFiles, serving
from tests.unit.hooks import build
from tests.unit.hooks.build import OTHER, RENAMED, SAVEPOINTS
from tests.unit.hooks.conftest import World

CLIENT = FLINK / "files" / "client.sh"
KEPT = {"type": "kubernetes", "folder": f"file://{build.CLAIM}/ha"}
REMEMBERS: dict[str, Any] = {"high_availability": "kubernetes", "jobs_survive_restart": True, "jobs_kept_in": KEPT}


def entry(name: str, specification: str = "s1", from_savepoint: str = "", **program: Any) -> Any:
    return build.job(name=name, specification=specification, from_savepoint=from_savepoint, program=build.program(**program))


class Session:
    """A session cluster, whose client submits to the fake Flink what the hooks ask for."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch, exchange: Path) -> None:
        self.world, self.flink = world, world.flink
        self.flink.jobs.clear()
        self.flink.checkpoints.clear()
        self.commands: list[list[str]] = []
        self.fails = ""
        self.fails_at = 0  # the number of the submission that fails, from 1
        self.wanted: dict[str, Any] = {"type": "session", "jobmanager_template": "t1", "claim_directory": str(exchange / "claim")}
        del world.kubernetes.config_maps["r-record"]
        world.rolled_out("r-jobmanager", specification="a", template="t1", type="session")
        monkeypatch.setattr(session, "EXCHANGE", exchange)
        self.submits = self.run
        monkeypatch.setattr(Client, "run", lambda _, name, argv: self._run(argv))

    def _run(self, argv: list[str]) -> tuple[int, str]:
        self.commands.append(argv)
        return self.submits(argv)

    def run(self, argv: list[str]) -> tuple[int, str]:
        if self.fails:
            return 1, self.fails
        self.fails_at -= 1
        if self.fails_at == 0:
            return 1, "no such class"
        options = dict(word[2:].split("=", 1) for word in argv if word.startswith("-D"))
        start = options.get("execution.state-recovery.path")
        restored = {"id": 1, "external_path": start} if start else None
        self.flink.run(options["$internal.pipeline.job-id"], restored=restored)
        return 0, ""

    def before(self, *entries: Any, rollback: bool = False, **wanted: Any) -> None:
        self.world("before-rollback" if rollback else "before", **{**self.wanted, "jobs": list(entries), **wanted})

    def after(self, *entries: Any, rollback: bool = False, **wanted: Any) -> None:
        self.world("after-rollback" if rollback else "after", **{**self.wanted, "jobs": list(entries), **wanted})

    def refused(self, event: str, *entries: Any, **wanted: Any) -> str:
        return self.world.refused(event, **{**self.wanted, "jobs": list(entries), **wanted})

    def upgrade(self, *entries: Any, rollback: bool = False, **wanted: Any) -> list[list[str]]:
        """What was submitted by an upgrade, or a rollback, to these jobs."""
        self.commands.clear()
        self.before(*entries, rollback=rollback, **wanted)
        if template := wanted.get("jobmanager_template"):
            self.rolled_out(template, wanted.get("jobs_kept_in", {}))
            self.flink.jobs.clear()
        self.after(*entries, rollback=rollback, **wanted)
        return list(self.commands)

    def rolled_out(self, template: str, kept_in: dict[str, str]) -> None:
        annotations: dict[str, Any] = {"type": "session", "template": template, "jobs-kept-in": json.dumps(kept_in)}
        self.world.rolled_out("r-jobmanager", specification="a", **annotations)

    def record(self, name: str) -> Record:
        return record.load(json.loads(self.world.kubernetes.config_maps["r-record"]["data"][name]))

    def write(self, name: str, written: Record) -> None:
        """As somebody else writes it."""
        live = self.world.kubernetes.config_maps["r-record"]
        live["data"][name] = json.dumps(record.dump(written))
        self.world.kubernetes.put("configmaps", live)

    @property
    def alive(self) -> list[str]:
        return [job for job, state in self.flink.jobs.items() if state["state"] == "RUNNING"]


@pytest.fixture
def cluster(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Session:
    return Session(world, monkeypatch, tmp_path)


def savepoint(argv: list[str]) -> str:
    return argv[argv.index("--fromSavepoint") + 1] if "--fromSavepoint" in argv else ""


def test_a_job_is_submitted_once(cluster: Session) -> None:
    (command,) = cluster.upgrade(entry("a", options={"pipeline.name": "a"}))
    job = cluster.record("a").job
    assert command == ["flink", "run", "--detached", "-Dpipeline.name=a", f"-D$internal.pipeline.job-id={job}", "/a.jar"]
    assert cluster.upgrade(entry("a")) == []
    assert cluster.alive == [job]
    assert cluster.record("a").is_confirmed
    assert cluster.record("a").pending == ""


def test_a_changed_job_goes_on_from_its_savepoint_and_the_others_run_on(cluster: Session) -> None:
    cluster.upgrade(entry("a"), entry("b"))
    first, other = cluster.record("a").job, cluster.record("b").job
    (command,) = cluster.upgrade(entry("a", "s2"), entry("b"))
    assert savepoint(command).startswith(f"{SAVEPOINTS}/{first}/stop/")
    assert "-Dexecution.state-recovery.claim-mode=CLAIM" not in command
    assert cluster.flink.jobs[first]["state"] == "FINISHED"
    assert cluster.alive == [other, cluster.record("a").job]


def test_what_leaves_the_list_is_stopped_and_comes_back_from_there(cluster: Session) -> None:
    cluster.upgrade(entry("a"))
    first = cluster.record("a").job
    assert cluster.upgrade() == []
    assert cluster.alive == []
    assert cluster.record("a").state == "suspended"
    (command,) = cluster.upgrade(entry("a"), rollback=True)
    assert f"/{first}/stop/" in savepoint(command)


def test_those_that_left_the_list_longest_ago_are_forgotten_when_there_is_no_room(cluster: Session) -> None:
    """A job that is to restart from scratch gets another name; a ConfigMap takes 1 MiB."""
    cluster.upgrade(entry("a"), entry("b"))
    cluster.upgrade()
    for number in range(800):
        old = build.record(state="suspended", history=(f"1  2020-01-01T00:{number // 60:02}:{number % 60:02}Z  install",))
        cluster.write(f"old-{number}", old)
    cluster.upgrade(entry("a"), entry("old-0"))
    data = cluster.world.kubernetes.config_maps["r-record"]["data"]
    assert sum(map(len, data.values())) < 300_000
    assert {"a", "b", "old-0", "old-799"} <= data.keys()
    assert "old-1" not in data


def test_another_jobmanager_gets_all_jobs_again_from_their_savepoints(cluster: Session) -> None:
    cluster.upgrade(entry("a"), entry("b"))
    first = [cluster.record(name).job for name in "ab"]
    commands = cluster.upgrade(entry("a"), entry("b"), jobmanager_template="t2")
    assert [job in savepoint(command) for job, command in zip(first, commands, strict=True)] == [True, True]


@pytest.mark.parametrize("remembers", [{}, REMEMBERS])
def test_no_jobmanager_is_replaced_by_one_whose_certificates_do_not_fit(
    cluster: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, remembers: dict[str, Any]
) -> None:
    monkeypatch.setattr(tls, "_CERTIFICATES", tmp_path / "none")
    certificates = [Certificates("internal", "mine", "", clients=True)]
    cluster.upgrade(entry("one"), certificates=certificates, **remembers)  # the JobManager stays
    refusal = cluster.refused("before", entry("one"), jobmanager_template="t2", certificates=certificates, **remembers)
    assert refusal.startswith("Secret mine, which tls.internal needs, has no ca.crt, tls.crt, tls.key: ")
    assert len(cluster.alive) == 1


@pytest.mark.parametrize("guest", [False, True])
def test_high_availability_brings_jobs_back_by_itself(cluster: Session, guest: bool) -> None:
    cluster.rolled_out("t1", KEPT)
    cluster.upgrade(entry("a"), entry("b"), **REMEMBERS)
    if guest:
        cluster.flink.run(OTHER)
    alive = cluster.alive
    cluster.before(entry("a"), entry("b"), jobmanager_template="t2", **REMEMBERS)
    assert cluster.alive == alive


ELSEWHERE = [{}, {**KEPT, "folder": "s3://b/ha"}, {"type": "zookeeper", "folder": KEPT["folder"]}]


@pytest.mark.parametrize("kept", ELSEWHERE, ids=str)
@pytest.mark.parametrize("rollback", [False, True])
def test_but_not_what_was_kept_elsewhere(cluster: Session, kept: dict[str, str], rollback: bool) -> None:
    """The coming JobManager finds nothing there: jobs are stopped with savepoints, and those of others would be lost."""
    cluster.rolled_out("t1", kept)
    cluster.upgrade(entry("a"), jobs_kept_in=kept)
    first = cluster.record("a").job
    cluster.flink.run(OTHER)
    event = "before-rollback" if rollback else "before"
    assert "these jobs would be lost: job." in cluster.refused(event, entry("a"), jobmanager_template="t2", **REMEMBERS)
    del cluster.flink.jobs[OTHER]
    (command,) = cluster.upgrade(entry("a"), rollback=rollback, jobmanager_template="t2", **REMEMBERS)
    assert f"/{first}/stop/" in savepoint(command)


def test_what_was_kept_there_long_ago_brings_no_job_back(cluster: Session) -> None:
    programs = {"metadata": {"name": "r-cluster-config-map"}, "data": {f"jobGraph-{OTHER}": "x"}}
    cluster.world.kubernetes.put("configmaps", programs)
    cluster.before(jobmanager_template="t2", **REMEMBERS)
    assert cluster.world.kubernetes.config_maps["r-cluster-config-map"]["data"] == {}


def test_a_jobmanager_of_an_older_chart_says_by_its_arguments_that_it_remembers(cluster: Session) -> None:
    cluster.upgrade(entry("a"), **REMEMBERS)
    container = cluster.world.kubernetes.deployments["r-jobmanager"]["spec"]["template"]["spec"]["containers"][0]
    container["args"] = ["jobmanager", "-D", "jobmanager.rpc.address=$(POD_IP)"]
    cluster.before(entry("a"), jobmanager_template="t2", **REMEMBERS)
    assert cluster.alive == [cluster.record("a").job]


def test_jobs_of_others_are_not_lost_in_silence(cluster: Session) -> None:
    cluster.upgrade(entry("a"))
    cluster.flink.run(OTHER)
    refusal = cluster.refused("before", entry("a"), jobmanager_template="t2")
    assert "these jobs would be lost: job." in refusal
    assert "highAvailability.type=kubernetes" in refusal
    assert len(cluster.alive) == 2
    cluster.before(entry("a"))
    cluster.flink.jobs[OTHER]["state"] = "FINISHED"
    cluster.before(entry("a"), jobmanager_template="t2")


def test_nor_by_a_rollback(cluster: Session) -> None:
    cluster.upgrade(entry("a"))
    cluster.flink.run(OTHER)
    refusal = cluster.refused("before-rollback", entry("a"), jobmanager_template="t2")
    assert "This rollback replaces the JobManager, and these jobs would be lost: job." in refusal
    assert len(cluster.alive) == 2


def test_a_rollback_leaves_a_jobmanager_behind_that_answers_nobody(cluster: Session) -> None:
    cluster.flink.unreachable = True
    cluster.world.kubernetes.pods = [
        {
            "metadata": {"name": "r-jobmanager-1-2", "labels": {"component": "jobmanager"}},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }
    ]
    assert "does not answer, so the jobs that would be lost are not known" in cluster.refused("before", jobmanager_template="t2")
    cluster.before(rollback=True, jobmanager_template="t2")


def test_a_path_of_the_values_of_long_ago_is_not_meant_by_a_rollback(cluster: Session) -> None:
    """Nor by the hook that follows it: hooks were off when it stood in the values."""
    cluster.upgrade(entry("a"))
    assert cluster.upgrade(entry("a", from_savepoint="s3://b/old"), rollback=True) == []
    assert cluster.record("a").restore == ""


@pytest.mark.parametrize("left", [False, True])
def test_a_store_at_another_endpoint_is_noticed_before_anything_is_stopped(cluster: Session, left: bool) -> None:
    """It may be another one. A job that has left the list comes back to it as one that runs."""
    here: dict[str, Any] = {**build.S3}
    cluster.upgrade(entry("a"), entry("b"), **here)
    if left:
        cluster.upgrade(entry("b"), **here)
    alive = cluster.alive
    elsewhere: dict[str, Any] = {**here, "stores": {"s3": "http://new-minio:9000"}}
    refusal = cluster.refused("before", entry("a"), entry("b", "s2"), **elsewhere)
    assert refusal.startswith("Job a: The state of the job is stored in s3://b/savepoints") or not left
    assert "at the default endpoint, and this revision looks for it at http://new-minio:9000." in refusal
    assert "Take the job out of session.jobs first" in refusal
    assert cluster.alive == alive


class TestASessionWithoutJobsOfItsOwn:
    """It runs the jobs of others, which nobody would submit again."""

    def test_loses_none(self, cluster: Session) -> None:
        cluster.flink.run(OTHER)
        assert "these jobs would be lost: job." in cluster.refused("before", jobmanager_template="t2")
        cluster.before()
        cluster.flink.jobs[OTHER]["state"] = "CANCELED"
        cluster.before(jobmanager_template="t2")

    def test_loses_no_claim(self, cluster: Session) -> None:
        claim = {"metadata": {"name": "data", "uid": "uid", "labels": {"app": "r"}}}
        cluster.world.kubernetes.put("persistentvolumeclaims", claim)
        assert "PVC data leaves the release" in cluster.refused("before")

    def test_is_not_renamed(self, cluster: Session) -> None:
        assert "the Deployment r-jobmanager" in cluster.refused("before", **RENAMED)

    def test_does_not_start_beside_a_bounded_job(self, cluster: Session) -> None:
        cluster.world.kubernetes.deployments.clear()
        owner = {"kind": "Job", "name": "r-jobmanager"}
        metadata = {"name": "r-jobmanager-x", "labels": {"component": "jobmanager"}, "ownerReferences": [owner]}
        cluster.world.kubernetes.pods = [{"metadata": metadata, "status": {"phase": "Running"}}]
        assert "A bounded job of this release runs (pod r-jobmanager-x)" in cluster.refused("before")


def test_a_session_with_jobs_is_not_renamed_either(cluster: Session) -> None:
    cluster.upgrade(entry("a"))
    assert "the Deployment r-jobmanager" in cluster.refused("before", entry("a"), **RENAMED)
    assert set(cluster.world.kubernetes.config_maps) == {"r-record"}


class TestAJobReleaseThatBecomesASession:
    """The one job would be killed; with high availability it would run on inside the session."""

    @pytest.fixture
    def job(self, cluster: Session) -> Session:
        cluster.world.rolled_out("r-jobmanager", specification="a", template="t1")
        cluster.world.write(build.record())
        cluster.flink.run(build.JOB)
        return cluster

    @pytest.mark.parametrize("entries", [(), ("a",)])
    def test_is_refused_while_the_job_runs(self, job: Session, entries: tuple[str, ...]) -> None:
        as_it_was = job.world.untouched()
        refusal = job.refused("before", *map(entry, entries), jobmanager_template="t2")
        assert refusal.startswith("The release runs a job (job), and this revision makes a session cluster of it")
        assert "job.state=suspended" in refusal
        assert as_it_was()

    def test_and_while_nobody_knows_what_it_does(self, job: Session) -> None:
        job.flink.unreachable = True
        assert "because REST does not answer" in job.refused("before", jobmanager_template="t2")

    def test_is_done_once_the_job_is_suspended(self, job: Session) -> None:
        job.world.write(build.record(state="suspended"))
        job.flink.unreachable = True
        job.before(jobmanager_template="t2")

    def test_goes_back_when_the_job_has_never_run(self, job: Session) -> None:
        """The rollback of an upgrade that made a job of the session and failed."""
        job.world.write(build.record(confirmed=0))
        job.flink.jobs.clear()
        job.before(rollback=True, jobmanager_template="t2")


def test_a_job_that_cannot_be_submitted_keeps_no_other_one_down(cluster: Session) -> None:
    cluster.upgrade(entry("a"), entry("b"))
    cluster.before(entry("a", "s2"), entry("b"), jobmanager_template="t2")
    cluster.world.rolled_out("r-jobmanager", specification="a", template="t2", type="session")
    cluster.flink.jobs.clear()
    cluster.fails_at = 1
    refusal = cluster.refused("after", entry("a", "s2"), entry("b"), jobmanager_template="t2")
    assert refusal == "Job a: It could not be submitted: no such class"
    assert cluster.alive == [cluster.record("b").job]
    assert cluster.record("b").is_confirmed


def test_thirty_jobs_that_the_jobmanager_forgot_come_back_in_the_time_of_one(cluster: Session, tmp_path: Path) -> None:
    jobs = [entry(f"j{number}") for number in range(30)]
    here: dict[str, Any] = {"checkpoint_directory": f"file://{tmp_path}/claim/checkpoints", "timeout_seconds": 120}
    cluster.upgrade(*jobs, **here)
    cluster.flink.jobs.clear()
    began = cluster.world.clock.now
    assert len(cluster.upgrade(*jobs, **here)) == 30
    assert cluster.world.clock.now - began < 60


class TestAllIsDecidedBeforeAnythingIsStopped:
    def test_the_second_job_cannot_be_stopped(self, cluster: Session) -> None:
        cluster.upgrade(entry("a"), entry("b"))
        both = [cluster.record(name) for name in "ab"]
        cluster.flink.run(both[1].job, tasks="SCHEDULED")
        refusal = cluster.refused("before", entry("a", "s2"), entry("b", "s2"))
        assert refusal.startswith("Job b: No savepoint can be taken")
        assert "cancel it with `flink cancel`" in refusal
        assert "Nothing was changed." in refusal
        assert sorted(cluster.alive) == sorted(one.job for one in both)
        assert [cluster.record(name) for name in "ab"] == both
        assert cluster.flink.asked("/stop") == 0

    def test_an_object_would_be_refused(self, cluster: Session) -> None:
        cluster.upgrade(entry("a"))
        cluster.world.kubernetes.refused["r-jobmanager"] = (422, {"message": "a label with a space"})
        refusal = cluster.refused("before", entry("a", "s2"))
        assert "Deployment r-jobmanager: a label with a space" in refusal
        assert len(cluster.alive) == 1
        assert cluster.flink.asked("/stop") == 0

    def test_the_pod_that_submits_would_be_refused(self, cluster: Session) -> None:
        cluster.upgrade(entry("a"))
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "r-after-dry-run"}, "spec": {}}
        cluster.world.kubernetes.refused["r-after-dry-run"] = (403, {"message": "maximum memory usage per Container is 1Gi"})
        refusal = cluster.refused("before", entry("a", "s2"), pods=[pod])
        assert "pod r-after-dry-run: maximum memory usage per Container is 1Gi" in refusal
        assert len(cluster.alive) == 1

    @pytest.mark.parametrize("event", ["upgrade", "another JobManager"])
    def test_a_savepoint_fails_and_those_that_were_stopped_are_named(self, cluster: Session, event: str) -> None:
        cluster.upgrade(entry("a"), entry("b"))
        second = cluster.record("b").job

        def fails(method: str, path: str) -> None:
            cluster.flink.stop_fails = "read-only" if second in path else ""

        cluster.flink.before = fails
        replaced: dict[str, Any] = {} if event == "upgrade" else {"jobmanager_template": "t2"}
        refusal = cluster.refused("before", entry("a", "s2"), entry("b", "s2"), **replaced)
        assert refusal.startswith("Job b: The savepoint failed: read-only")
        assert "Stopped already: a." in refusal
        assert cluster.alive == [second]
        cluster.flink.before = lambda method, path: None
        cluster.flink.stop_fails = ""
        # The revision before has both again.
        (command,) = cluster.upgrade(entry("a"), entry("b"), rollback=True)
        assert savepoint(command)
        assert len(cluster.alive) == 2

    def test_a_jobmanager_that_does_not_answer_is_not_replaced_under_jobs_whose_state_nobody_knows(
        self, cluster: Session
    ) -> None:
        s3: dict[str, Any] = {
            "savepoint_directory": "s3://b/s",
            "checkpoint_directory": "s3://b/c",
            "claim_directory": "",
            "stores": {"s3": ""},
        }
        cluster.upgrade(entry("a"), **s3)
        before = cluster.record("a")
        cluster.flink.unreachable = True
        assert "its newest state is not known" in cluster.refused("before", entry("a"), jobmanager_template="t2", **s3)
        assert cluster.record("a") == before


def test_a_job_that_finished_is_not_run_again_until_it_changes(cluster: Session) -> None:
    cluster.upgrade(entry("a"))
    cluster.flink.jobs[cluster.record("a").job]["state"] = "FINISHED"
    assert cluster.upgrade(entry("a")) == []
    assert cluster.record("a").state == "finished"
    assert cluster.upgrade(entry("a"), jobmanager_template="t2") == []
    (command,) = cluster.upgrade(entry("a", "s2"), jobmanager_template="t2")
    assert savepoint(command) == ""


@pytest.mark.parametrize("state", ["FAILED", "CANCELED"])
def test_a_job_that_ended_otherwise_goes_on_from_its_newest_checkpoint(cluster: Session, state: str) -> None:
    cluster.upgrade(entry("a"))
    first = cluster.record("a").job
    path = f"file:/flink-data/r/checkpoints/{first}/chk-7"
    cluster.flink.checkpoint(first, 7, path)
    cluster.flink.jobs[first]["state"] = state
    (command,) = cluster.upgrade(entry("a"))
    assert savepoint(command) == path
    assert "-Dexecution.state-recovery.claim-mode=CLAIM" in command


def test_an_own_checkpoint_is_not_claimed_where_the_user_says_how_state_is_taken_over(cluster: Session) -> None:
    cluster.upgrade(entry("a"))
    first = cluster.record("a").job
    cluster.flink.checkpoint(first, 7, f"file:/flink-data/r/checkpoints/{first}/chk-7")
    cluster.flink.jobs[first]["state"] = "FAILED"
    (command,) = cluster.upgrade(entry("a"), claims_own_checkpoints=False)
    assert not any("claim-mode" in word for word in command)


def test_a_job_that_the_jobmanager_forgot_goes_on_from_its_newest_file(cluster: Session, tmp_path: Path) -> None:
    here: dict[str, Any] = {f"{part}_directory": f"file://{tmp_path}/claim/{part}s" for part in ("checkpoint", "savepoint")}
    cluster.upgrade(entry("a"), **here)
    first = cluster.record("a").job
    cluster.flink.jobs.clear()
    for number in (3, 4):
        file = tmp_path / "claim" / "checkpoints" / first / f"chk-{number}" / "_metadata"
        file.parent.mkdir(parents=True)
        file.touch()
        os.utime(file, (number, number))
    (command,) = cluster.upgrade(entry("a"), **here)
    assert savepoint(command) == f"file://{tmp_path}/claim/checkpoints/{first}/chk-4"
    assert cluster.record("a").former == ()
    assert cluster.record("a").own


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_job_that_the_jobmanager_forgot_on_s3_does_not_restart_from_scratch(cluster: Session, confirmed: bool) -> None:
    """It may have run for an hour without having been proven, because another job of the list failed."""
    s3: dict[str, Any] = {
        "savepoint_directory": "s3://b/s",
        "checkpoint_directory": "s3://b/c",
        "claim_directory": "",
        "stores": {"s3": ""},
    }
    cluster.upgrade(entry("a"), **s3)
    if not confirmed:
        cluster.write("a", build.record(**{**vars(cluster.record("a")), "confirmed": 0}))
    cluster.flink.jobs.clear()
    assert "its newest state is not known" in cluster.refused("after", entry("a"), **s3)


def test_one_job_that_does_not_run_leaves_the_others_submitted(cluster: Session) -> None:
    def never_runs(method: str, path: str) -> None:
        for job in cluster.flink.jobs.values():
            if job is next(iter(cluster.flink.jobs.values())):
                job["vertices"] = [{"status": "SCHEDULED"}]

    cluster.flink.before = never_runs
    assert cluster.refused("after", entry("a"), entry("b")).startswith("Job a: ")
    assert len(cluster.alive) == 2


class TestWhatTheClientHasBegun:
    """Only Flink says whether a job is there, and nothing does before the client was asked to submit it."""

    S3: dict[str, Any] = {**build.S3}

    def begun(self, cluster: Session, seconds_ago: float) -> None:
        """The hook was killed while its client was at work, and Flink shows nothing."""
        cluster.upgrade(entry("a"), **self.S3)
        cluster.flink.jobs.clear()
        began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds_ago))
        job = build.record(**{**vars(cluster.record("a")), "confirmed": 0, "ran": 0, "pending": f"submitting {began}"})
        cluster.write("a", job)

    def jobmanager(self, cluster: Session, seconds_ago: float) -> None:
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds_ago))
        status = {"name": "jobmanager", "state": {"running": {"startedAt": since}}}
        metadata = {"name": "r-jobmanager-1-2", "labels": {"component": "jobmanager"}}
        cluster.world.kubernetes.pods = [{"metadata": metadata, "status": {"containerStatuses": [status]}}]

    def test_that_never_reached_a_jobmanager_which_lives_since_before(self, cluster: Session) -> None:
        self.begun(cluster, 60)
        self.jobmanager(cluster, 600)
        job = cluster.record("a").job
        (command,) = cluster.upgrade(entry("a"), **self.S3)
        assert f"-D$internal.pipeline.job-id={job}" in command  # so that one that comes late is no second one

    def test_that_is_written_down_while_a_jobmanager_lives_that_can_tell(self, cluster: Session) -> None:
        """With high availability an upgrade replaces it without the end of a job."""
        cluster.rolled_out("t1", KEPT)
        self.begun(cluster, 60)
        self.jobmanager(cluster, 600)
        cluster.before(entry("a"), jobmanager_template="t2", **{**self.S3, **REMEMBERS})
        self.jobmanager(cluster, 1)
        cluster.rolled_out("t2", KEPT)
        cluster.after(entry("a"), jobmanager_template="t2", **{**self.S3, **REMEMBERS})
        assert cluster.alive == [cluster.record("a").job]

    @pytest.mark.parametrize(("began", "lives"), [(60, 30), (7000, 9000)])
    def test_nobody_knows_of_a_jobmanager_that_is_younger_or_forgets(self, cluster: Session, began: int, lives: int) -> None:
        self.begun(cluster, began)
        self.jobmanager(cluster, lives)
        assert "its newest state is not known" in cluster.refused("before", entry("a"), **self.S3)
        assert "its newest state is not known" in cluster.refused("after", entry("a"), **self.S3)

    def test_a_job_that_runs_is_not_taken_for_one_that_is_to_be_submitted(self, cluster: Session) -> None:
        """The client's answer was lost, and the job runs for days; then the JobManager is lost with it."""
        run = cluster.flink.run

        def lost(argv: list[str]) -> tuple[int, str]:
            run(argv[-2].partition("=")[2])
            return 1, "Caused by: java.util.concurrent.TimeoutException"

        cluster.submits = lost
        cluster.refused("after", entry("a"), **self.S3)
        assert cluster.record("a").pending == ""
        cluster.flink.jobs.clear()
        assert "its newest state is not known" in cluster.refused("before", entry("a", "s2"), **self.S3)

    def test_one_that_flink_does_not_know_after_all_is_submitted_again(self, cluster: Session) -> None:
        cluster.fails = "no such class"
        cluster.refused("after", entry("a"), **self.S3)
        assert cluster.record("a").pending == "submit"
        cluster.fails = ""
        assert len(cluster.upgrade(entry("a", "s2"), **self.S3)) == 1

    @pytest.mark.parametrize("event", ["before", "after"])
    def test_one_that_is_found_to_run_is_begun(self, cluster: Session, event: str) -> None:
        cluster.upgrade(entry("a"))
        cluster.write("a", build.record(**{**vars(cluster.record("a")), "pending": "submitting 2020-01-01T00:00:00Z"}))
        cluster.world(event, **{**cluster.wanted, "jobs": [entry("a")]})
        assert cluster.record("a").pending == ""

    def test_one_that_finished_meanwhile_is_over(self, cluster: Session) -> None:
        cluster.upgrade(entry("a"), **self.S3)
        cluster.write("a", build.record(**{**vars(cluster.record("a")), "pending": "submitting 2020-01-01T00:00:00Z"}))
        cluster.flink.jobs[cluster.record("a").job]["state"] = "FINISHED"
        assert cluster.upgrade(entry("a"), **self.S3) == []
        assert cluster.record("a").state == "finished"


class TestTheRecordIsGone:
    """The job of each name is taken over; a path that the values had before does not count once more."""

    PATH = "s3://b/old"

    def lost(self, cluster: Session, named_before: dict[str, str] | None) -> str:
        cluster.upgrade(entry("a"))
        (job,) = cluster.flink.jobs
        cluster.flink.jobs[job]["name"] = "a"
        cluster.flink.checkpoint(job, 25, f"{build.CHECKPOINTS}/{job}/chk-25")
        del cluster.world.kubernetes.config_maps["r-record"]
        annotations = cluster.world.kubernetes.deployments["r-jobmanager"]["metadata"]["annotations"]
        annotations["flink/record"] = "r-record"
        if named_before is not None:
            annotations["flink/jobs"] = json.dumps(named_before)
        return job

    @pytest.mark.parametrize("named_before", [{"a": PATH}, None])
    def test_the_job_goes_on(self, cluster: Session, named_before: dict[str, str] | None) -> None:
        """None: an older chart did not say what it was."""
        job = self.lost(cluster, named_before)
        (command,) = cluster.upgrade(entry("a", from_savepoint=self.PATH))
        assert f"/{job}/stop/" in savepoint(command)
        assert len(cluster.alive) == 1

    def test_a_path_that_is_new_counts(self, cluster: Session) -> None:
        self.lost(cluster, {"a": ""})
        (command,) = cluster.upgrade(entry("a", from_savepoint=self.PATH))
        assert savepoint(command) == self.PATH
        assert len(cluster.alive) == 1

    def test_a_jobmanager_that_does_not_answer_may_run_it(self, cluster: Session) -> None:
        self.lost(cluster, {"a": ""})
        cluster.flink.unreachable = True
        assert "The record of the release is gone" in cluster.refused("before", entry("a", from_savepoint=self.PATH))

    def test_a_path_of_before_is_not_its_newest_state(self, cluster: Session) -> None:
        self.lost(cluster, {"a": self.PATH})
        cluster.flink.jobs.clear()
        assert "The record of the release is gone" in cluster.refused("before", entry("a", from_savepoint=self.PATH))


class TestAWrongPath:
    WRONG = "file:///flink-data/nothing"

    def mistyped(self, cluster: Session) -> str:
        cluster.upgrade(entry("a"))
        first = cluster.record("a").job
        cluster.before(entry("a", from_savepoint=self.WRONG))
        return first

    def submitted_in_vain(self, cluster: Session) -> None:
        cluster.submits = lambda argv: (1, "Caused by: java.io.FileNotFoundException")
        cluster.refused("after", entry("a", from_savepoint=self.WRONG))
        cluster.submits = cluster.run

    def test_is_left_by_a_rollback(self, cluster: Session) -> None:
        first = self.mistyped(cluster)
        self.submitted_in_vain(cluster)
        (command,) = cluster.upgrade(entry("a"), rollback=True)
        assert f"/{first}/stop/" in savepoint(command)

    @pytest.mark.parametrize("rollback", [False, True])
    def test_is_left_when_helm_was_ended_before_the_job_was_submitted(self, cluster: Session, rollback: bool) -> None:
        first = self.mistyped(cluster)
        (command,) = cluster.upgrade(entry("a"), rollback=rollback)
        assert f"/{first}/stop/" in savepoint(command)

    def test_that_was_right_after_all_is_kept_by_an_upgrade_that_is_repeated(self, cluster: Session) -> None:
        self.mistyped(cluster)
        self.submitted_in_vain(cluster)
        (command,) = cluster.upgrade(entry("a", from_savepoint=self.WRONG))
        assert savepoint(command) == self.WRONG


class TestSubmission:
    def test_whose_answer_was_lost_is_found_under_its_id(self, cluster: Session) -> None:
        cluster.fails = "Caused by: java.io.IOException: no answer"
        refusal = cluster.refused("after", entry("a"))
        assert refusal == "Job a: It could not be submitted: Caused by: java.io.IOException: no answer"
        cluster.flink.run(cluster.record("a").job)
        cluster.fails = ""
        assert cluster.upgrade(entry("a")) == []

    def test_that_failed_is_done_again_from_the_same_state(self, cluster: Session) -> None:
        cluster.upgrade(entry("a"))
        cluster.before(entry("a", "s2"))
        path = cluster.record("a").restore
        cluster.fails = "no slots"
        cluster.refused("after", entry("a", "s2"))
        cluster.fails = ""
        cluster.commands.clear()
        cluster.after(entry("a", "s2"))
        assert [savepoint(command) for command in cluster.commands] == [path]

    def test_the_users_savepoint_wins_once(self, cluster: Session) -> None:
        (command,) = cluster.upgrade(entry("a", from_savepoint="s3://b/s", allow_non_restored_state=True))
        assert savepoint(command) == "s3://b/s"
        assert "--allowNonRestoredState" in command
        (command,) = cluster.upgrade(entry("a", "s2", from_savepoint="s3://b/s"))
        assert "/stop/" in savepoint(command)

    def test_sql_goes_through_the_sql_client(self, cluster: Session) -> None:
        (command,) = cluster.upgrade(entry("a", from_savepoint="s3://b/s", sql=True, file="/a.sql"))
        assert command[0] == "sql-client.sh"
        assert command[-2:] == ["-f", "/a.sql"]
        assert "-Dexecution.state-recovery.path=s3://b/s" in command
        assert "-Dexecution.state-recovery.ignore-unclaimed-state=false" in command

    def test_what_the_sql_client_says_is_what_went_wrong(self) -> None:
        """Its exit code is 0 in any case."""
        coloured = (
            "ok\n\x1b[31;1m[ERROR] Could not execute SQL statement. Reason:\norg.a.X: no such table\x1b[0m\n\nShutting down\n"
        )
        assert submit.cause(coloured).endswith("Reason: org.a.X: no such table")

    def test_a_job_without_slots_fails_the_release(self, cluster: Session) -> None:
        def scheduled(method: str, path: str) -> None:
            for job in cluster.flink.jobs.values():
                job["vertices"] = [{"status": "SCHEDULED"}]

        cluster.flink.before = scheduled
        refusal = cluster.refused("after", entry("a"))
        assert refusal.startswith("Job a: ")
        assert "0 of 2 slots are free." in refusal

    def test_a_jobmanager_that_is_about_to_be_replaced_gets_no_job(self, cluster: Session) -> None:
        cluster.world.kubernetes.deployments["r-jobmanager"]["metadata"]["generation"] = 2
        assert "The JobManager is not ready" in cluster.refused("after", entry("a"))
        assert cluster.commands == []

    def test_it_ends_its_client_in_any_case(self, cluster: Session, tmp_path: Path) -> None:
        cluster.fails = "no"
        cluster.refused("after", entry("a"))
        assert (tmp_path / "end").exists()


class TestNative:
    NATIVE: dict[str, Any] = {"taskmanager_deployment": "", "native_taskmanager_selector": "tm=1"}

    def test_a_session_that_remembers_its_jobs_gets_new_taskmanagers_afterwards(self, cluster: Session) -> None:
        cluster.rolled_out("t1", KEPT)
        cluster.before(jobmanager_template="t2", **REMEMBERS, **self.NATIVE)
        assert cluster.world.kubernetes.dropped == []
        cluster.after(jobmanager_template="t2", **REMEMBERS, **self.NATIVE)
        assert cluster.world.kubernetes.dropped == ["tm=1,flink/template!=n2"]

    def test_one_that_forgets_them_has_none_left_when_it_is_replaced(self, cluster: Session) -> None:
        cluster.upgrade(entry("a"), **self.NATIVE)
        cluster.world.kubernetes.dropped.clear()
        cluster.before(entry("a"), jobmanager_template="t2", **self.NATIVE)
        assert cluster.world.kubernetes.dropped == ["tm=1"]


def test_a_sync_that_changes_nothing_forgets_no_job(cluster: Session) -> None:
    """Argo CD runs the hooks of an install at each sync."""
    cluster.upgrade(entry("a"), **REMEMBERS)
    programs = {"metadata": {"name": "r-cluster-config-map"}, "data": {f"jobGraph-{OTHER}": "x"}}
    cluster.world.kubernetes.put("configmaps", programs)
    for _ in range(2):
        cluster.before(entry("a"), **REMEMBERS)
        cluster.after(entry("a"), **REMEMBERS)
    assert cluster.world.kubernetes.config_maps["r-cluster-config-map"]["data"] == {f"jobGraph-{OTHER}": "x"}
    assert cluster.alive == [cluster.record("a").job]
    assert cluster.record("a").generation == 1


@pytest.fixture
def served() -> Iterator[dict[str, str]]:
    """A file that a server of this machine has: its url and sha256."""
    with serving(FakeFiles({"/a.jar": "a jar"})) as url:
        yield {"url": f"{url}/a.jar", "sha256": hashlib.sha256(b"a jar").hexdigest()}


def test_a_file_from_a_url_lies_where_the_client_looks_for_it(cluster: Session, served: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "files" / "a" / "a.jar"
    assert len(cluster.upgrade(entry("a", file=str(file), **served))) == 1
    assert file.read_bytes() == b"a jar"


@pytest.mark.parametrize(("wrong", "refusal"), [("sha256", "is another file"), ("url", "could not be read")])
def test_a_file_that_cannot_be_had_stops_nothing(cluster: Session, served: dict[str, str], wrong: str, refusal: str) -> None:
    cluster.upgrade(entry("a"))
    job = cluster.record("a").job
    changed = entry("a", "s2", **{**served, wrong: {"sha256": "0" * 64, "url": f"{served['url']}.old"}[wrong]})
    assert refusal in cluster.refused("before", changed)
    assert cluster.alive == [job]
    # A rollback stops what it has to, and says so only when it comes to the file.
    cluster.before(changed, rollback=True)
    assert refusal in cluster.refused("after", changed)


def test_jobs_that_others_submitted_are_not_lost_while_nobody_answers(cluster: Session) -> None:
    cluster.upgrade(entry("a"))
    cluster.flink.run(OTHER)
    cluster.flink.trouble = [503]
    assert "these jobs would be lost: job." in cluster.refused("before", entry("a"), jobmanager_template="t2")


def test_the_client_runs_words_as_they_are_and_ends_when_told(tmp_path: Path) -> None:
    argv = ["bash", "-c", 'printf "%s|" "$@"; exit 3', "-", "a b", "$HOME", "*", ""]
    (tmp_path / "x.in").write_bytes(b"".join(word.encode() + b"\0" for word in argv))
    process = subprocess.Popen(["bash", CLIENT, tmp_path])
    code = tmp_path / "x.code"
    while not code.exists():
        assert process.poll() is None
    assert code.read_text() == "3\n"
    assert (tmp_path / "x.out").read_text() == "a b|$HOME|*||"
    (tmp_path / "end").touch()
    assert process.wait(10) == 0


def test_the_client_expands_variables_as_kubernetes_does(tmp_path: Path) -> None:
    argv = [
        "--password=$(PASSWORD)",
        "$(UNKNOWN) $$(PASSWORD) $$",
        "$(EMPTY)|$(PASSWORD)$(PASSWORD)",
        "$internal.x=$5 $( a $()",
        "$(name) $(a.b-c)",
    ]
    (tmp_path / "x.in").write_bytes(b"".join(word.encode() + b"\0" for word in ["printf", "%s\n", *argv]))
    environment = {"PATH": "/usr/bin:/bin", "PASSWORD": "a $(EMPTY) 'b\" *\nc", "EMPTY": "", "a.b-c": "7"}
    process = subprocess.Popen(["bash", CLIENT, tmp_path], env=environment)
    while not (tmp_path / "x.code").exists():
        assert process.poll() is None
    password = environment["PASSWORD"]
    expected = [
        f"--password={password}",
        "$(UNKNOWN) $(PASSWORD) $",
        f"|{password}{password}",
        "$internal.x=$5 $( a $()",
        "$(name) 7",
    ]
    assert (tmp_path / "x.out").read_text() == "\n".join(expected) + "\n"
    (tmp_path / "end").touch()
    assert process.wait(10) == 0


def test_a_client_that_does_not_answer_ends_in_a_sentence(world: World, tmp_path: Path) -> None:
    client = Client(tmp_path, world.release().deadline)
    with pytest.raises(Failed, match="was not submitted in time"):
        client.run("a", ["flink"])
    assert (tmp_path / "a.in").read_bytes() == b"flink\0"


def test_states_are_told_from_their_names() -> None:
    assert submit.is_checkpoint("file:///a/chk-7")
    assert not submit.is_checkpoint("file:///a/stop/savepoint-7")
