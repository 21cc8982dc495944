"""Sessions: no job loses its state, none runs twice, and high availability brings back what it should."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.model import flink
from tests.model.scenes import (
    AVAILABLE,
    AVAILABLE_STORE,
    CLAIM,
    STORE,
    A,
    B,
    delete_deployments,
    each_session,
    installed,
    nothing_is_lost_or_twice,
    restart_jobmanager,
    somebody_submits,
    upgrade,
    without_record,
)
from tests.model.values import SessionJob, Values

DIRECTORIES = {
    "claim": replace(CLAIM, existing_claim="mine"),
    "store": replace(STORE, storage=False),
    "store, HA": replace(AVAILABLE_STORE, storage=False),
}
each_directory = pytest.mark.parametrize("values", DIRECTORIES.values(), ids=DIRECTORIES)
each_available = pytest.mark.parametrize("values", [AVAILABLE, AVAILABLE_STORE], ids=["claim", "store"])
NOWHERE = replace(CLAIM, storage=False)


def session(values: Values, *jobs: Any) -> Values:
    return replace(values, type="session", jobs=jobs)


class TestARevisionWithoutDirectories:
    @each_directory
    @pytest.mark.parametrize("jobs", [(A,), ()], ids=["stays", "leaves"])
    @pytest.mark.parametrize("how", ["upgrade", "rollback"])
    def test_restarts_no_job_from_scratch(self, values: Values, jobs: Any, how: str) -> None:
        before, without = session(values, A), session(NOWHERE, *jobs)
        if how == "rollback":
            release = installed(session(NOWHERE))
            if not jobs:
                assert release.helm.upgrade(before).ok
            release.helm.revisions[0] = release.helm.render(without)
            assert release.helm.upgrade(before).ok
            release.world.advance(30)
            outcome = release.helm.rollback(0)
        else:
            release = installed(before)
            outcome = release.helm.upgrade(without)
        nothing_is_lost_or_twice(release)
        assert outcome.state == "refused", outcome.output
        assert "upgradeMode" not in outcome.output

    @each_directory
    def test_restarts_no_job_whose_jobmanager_is_gone(self, values: Values) -> None:
        release = installed(session(values, A))
        delete_deployments(release, "jobmanager")
        outcome = release.helm.upgrade(session(NOWHERE, A))
        nothing_is_lost_or_twice(release)
        assert outcome.state == "refused", outcome.output

    @each_directory
    def test_is_applied_once_the_job_has_left_the_list(self, values: Values) -> None:
        release = installed(session(values, A))
        assert release.helm.upgrade(session(values)).ok
        outcome = release.helm.upgrade(session(NOWHERE))
        assert outcome.ok, outcome.output
        outcome = release.helm.upgrade(session(NOWHERE, B))
        assert outcome.ok, outcome.output
        nothing_is_lost_or_twice(release)

    @each_directory
    def test_restarts_no_job_that_is_taken_over(self, values: Values) -> None:
        release = without_record(session(values, A))
        outcome = release.helm.upgrade(session(NOWHERE, A))
        nothing_is_lost_or_twice(release)
        assert outcome.state == "refused", outcome.output

    @each_directory
    def test_nor_the_one_of_a_job_release(self, values: Values) -> None:
        release = without_record(values)
        outcome = release.helm.upgrade(NOWHERE)
        nothing_is_lost_or_twice(release)
        assert outcome.state == "refused", outcome.output


@each_session
@pytest.mark.parametrize("jobs", [(SessionJob("a", 2),), ()], ids=["changes", "leaves"])
def test_a_job_with_checkpoints_and_no_directory_for_savepoints_resumes(values: Values, jobs: Any) -> None:
    values = replace(values, savepoints=False)
    release = installed(values)
    assert release.helm.upgrade(replace(values, jobs=jobs)).ok
    release.world.advance(20)
    assert release.helm.upgrade(replace(values, jobs=(SessionJob("a", 3),))).ok
    nothing_is_lost_or_twice(release)
    assert [job.program for job in release.jobs] == [3]


class TestAJobThatNoRecordKnows:
    """The record was deleted, and the operation without the job left it running."""

    @each_session
    @pytest.mark.parametrize("how", ["upgrade", "rollback"])
    def test_is_not_started_beside_itself(self, values: Values, how: str) -> None:
        release = without_record(values)
        assert release.helm.upgrade(replace(values, jobs=())).ok
        release.world.advance(20)
        outcome = release.helm.upgrade(values) if how == "upgrade" else release.helm.rollback(0)
        nothing_is_lost_or_twice(release)
        assert outcome.state == "refused", outcome.output

    @each_session
    def test_resumes_as_the_sentence_says(self, values: Values) -> None:
        release = without_record(values)
        assert release.helm.upgrade(replace(values, jobs=())).ok
        assert "`flink stop`" in release.helm.upgrade(values).output
        (job,) = release.jobs
        jobmanager = release.world.serving("app")
        assert jobmanager
        jobmanager.rest(release.world, "POST", f"/jobs/{job.id}/stop", {})
        release.world.advance(5)
        named = SessionJob("a", from_savepoint=job.stopped_with.replace("file:/", "file:///"))
        outcome = release.helm.upgrade(replace(values, jobs=(named,)))
        assert outcome.ok, outcome.output
        nothing_is_lost_or_twice(release)


class TestHighAvailability:
    """The Deployment was deleted, or the release was one of a job before."""

    @each_available
    @pytest.mark.parametrize("jobs", [(), (A,)], ids=["without a list", "with one"])
    def test_brings_jobs_of_others_back(self, values: Values, jobs: Any) -> None:
        """The record is there, and empty: no release is begun."""
        release = installed(session(values))
        somebody_submits(release)
        delete_deployments(release, "jobmanager")
        outcome = release.helm.upgrade(session(values, *jobs))
        assert outcome.ok, outcome.output
        release.world.advance(30)
        assert {job.name for job in release.world.live("app")} == {"app/guest", *(f"app/{job.name}" for job in jobs)}

    @each_available
    def test_brings_no_job_back_where_record_and_deployment_are_gone(self, values: Values) -> None:
        release = installed(session(values))
        somebody_submits(release)
        release.world.delete_config_map("app-record")
        delete_deployments(release, "jobmanager")
        assert release.helm.upgrade(session(values)).ok
        release.world.advance(30)
        assert not release.world.live("app")

    @each_available
    def test_brings_no_job_of_a_job_release_into_a_session(self, values: Values) -> None:
        release = installed(values)
        delete_deployments(release, "jobmanager")
        assert release.helm.upgrade(session(values, B)).ok
        release.world.advance(30)
        assert [job.name for job in release.jobs] == ["app/b"]

    @each_available
    @pytest.mark.parametrize("program", [1, 2], ids=["same", "changed"])
    def test_brings_the_jobs_of_the_list_back(self, values: Values, program: int) -> None:
        release = installed(session(values, A))
        delete_deployments(release, "jobmanager")
        outcome = release.helm.upgrade(session(values, SessionJob("a", program)))
        assert outcome.ok, outcome.output
        nothing_is_lost_or_twice(release)
        assert [job.program for job in release.jobs] == [program]

    def test_brings_no_job_back_elsewhere_than_it_was(self) -> None:
        """It would write elsewhere than its record says."""
        release = installed(session(AVAILABLE_STORE, A))
        delete_deployments(release, "jobmanager")
        outcome = release.helm.upgrade(session(replace(AVAILABLE_STORE, root="s3://bucket/two"), A))
        assert "leave Flink's version, state.backend and state.root as they were" in outcome.output
        assert release.helm.upgrade(session(AVAILABLE_STORE, A)).ok
        nothing_is_lost_or_twice(release)
        assert len(release.jobs) == 1

    @each_available
    def test_runs_a_job_on_that_left_the_list_until_it_can_be_stopped(self, values: Values) -> None:
        release = installed(session(values))
        assert release.helm.upgrade(session(values, A)).ok
        release.world.advance(30)
        delete_deployments(release, "jobmanager")
        output = release.helm.upgrade(session(values)).output
        assert "leave the job in session.jobs for this upgrade" in output
        assert release.helm.rollback(0).ok
        release.world.advance(30)
        assert [job.name for job in release.jobs] == ["app/a"]
        assert release.helm.upgrade(session(values)).ok
        assert not release.jobs
        nothing_is_lost_or_twice(release)

    @each_available
    @pytest.mark.parametrize("runs", [True, False])
    def test_takes_no_job_along_in_a_rollback_to_a_session(self, values: Values, runs: bool, monkeypatch: Any) -> None:
        """The upgrade made a job of it, whose pods were not all there in time, or which never ran."""
        release = installed(session(values))
        ready = release.world.kubernetes.set_ready

        def late(name: str, value: bool) -> None:
            ready(name, value and "taskmanager" not in name)

        monkeypatch.setattr(release.world.kubernetes, "set_ready", late)
        if not runs:
            monkeypatch.setattr(flink.JobManager, "tasks_run", lambda self, world, job: False)
        assert not release.helm.upgrade(values).ok
        outcome = release.helm.rollback(0)
        assert (outcome.state == "refused") is runs, outcome.output
        release.world.advance(60)
        jobmanager = release.world.serving("app")
        assert jobmanager
        assert (jobmanager.process.type, len(release.jobs)) == (("job", 1) if runs else ("session", 0))


def test_a_job_of_any_name_keeps_its_record_where_the_release_becomes_one_of_a_job() -> None:
    """Fields of the record, and what older charts wrote into it."""
    names = ("specification", "state", "job")
    values = session(CLAIM, *(SessionJob(name) for name in names))
    release = installed(values)
    assert release.helm.upgrade(session(CLAIM)).ok
    assert release.helm.upgrade(CLAIM).ok
    assert release.helm.upgrade(replace(CLAIM, state="suspended")).ok
    assert release.helm.upgrade(values).ok
    nothing_is_lost_or_twice(release)
    assert {job.name for job in release.jobs} == {f"app/{name}" for name in names}


def test_a_job_whose_checkpoint_went_when_it_finished_is_not_run_again() -> None:
    """Its JobManager, which would know that it has finished, was restarted."""
    values = session(replace(CLAIM, savepoints=False), A)
    release = installed(values)
    assert upgrade(release, replace(values, jobs=(replace(A, program=2),))).ok
    jobmanager = release.world.serving("app")
    assert jobmanager
    jobmanager.end(release.world, release.jobs[0], "FINISHED")
    restart_jobmanager(release)
    outcome = release.helm.upgrade(replace(release.values, startup_seconds=7))
    assert "is gone: Flink deletes it when the job finishes" in outcome.output
    assert not release.jobs
