"""A checkpoint that is completed while a hook looks at the job is the newest, also while REST still shows the one before it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.model.scenes import AVAILABLE, each_mode, each_session, installed, rollback, upgrade
from tests.model.trouble import Trouble
from tests.model.values import Values

CALLS = range(1, 31)  # of a hook that cancels a job, with room


@pytest.mark.parametrize("call", CALLS)
@each_mode
def test_a_job_that_is_cancelled_resumes_from_its_last_checkpoint(values: Values, call: int) -> None:
    release = installed(replace(values, upgrade_mode="last-state"))
    assert upgrade(release, replace(release.values, program=2), Trouble("checkpoint", call)).ok


@pytest.mark.parametrize("call", CALLS)
@each_session
def test_a_job_of_a_session_that_is_cancelled_resumes_from_its_last_checkpoint(values: Values, call: int) -> None:
    release = installed(replace(values, savepoints=False))
    jobs = tuple(replace(job, program=2) for job in values.jobs)
    assert upgrade(release, replace(release.values, jobs=jobs), Trouble("checkpoint", call)).ok


@each_mode
def test_a_job_that_has_just_failed_resumes_from_its_last_checkpoint(values: Values) -> None:
    release = installed(values)
    jobmanager = release.world.serving("app")
    assert jobmanager
    (job,) = release.jobs
    jobmanager.rest(release.world, "GET", f"/jobs/{job.id}/checkpoints", None)  # as the UI does
    jobmanager.complete_checkpoints(release.world)
    jobmanager.end(release.world, job, "FAILED")
    assert upgrade(release, replace(values, program=2)).ok


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("seconds", [1, 8, 20])
def test_a_rollback_of_a_job_whose_checkpoints_flink_deletes_when_it_is_cancelled(call: int, seconds: float) -> None:
    """Its savepoint fails, as its JobManager has just died, and it runs again and completes a checkpoint: that would be lost."""
    values = replace(AVAILABLE, retained_on_cancellation=False, adaptive=True)
    release = installed(values)
    assert upgrade(release, replace(values, program=2)).ok
    release.world.advance(seconds)
    rollback(release, 0, Trouble("jobmanager dies", call))
    assert not release.world.ledger.faults
