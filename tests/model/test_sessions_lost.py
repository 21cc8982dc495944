"""Sessions: no job loses its state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.model.scenes import (
    AVAILABLE_STORE,
    CLAIM,
    STORE,
    A,
    B,
    each_session,
    installed,
    nothing_is_lost_or_twice,
    without_record,
)
from tests.model.values import SessionJob, Values

DIRECTORIES = {
    "claim": replace(CLAIM, existing_claim="mine"),
    "store": replace(STORE, storage=False),
    "store, HA": replace(AVAILABLE_STORE, storage=False),
}
each_directory = pytest.mark.parametrize("values", DIRECTORIES.values(), ids=DIRECTORIES)
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
        assert outcome.state == "refused", outcome.said
        assert "upgradeMode" not in outcome.said

    @each_directory
    def test_restarts_no_job_whose_jobmanager_is_gone(self, values: Values) -> None:
        release = installed(session(values, A))
        release.world.kubernetes.remove("Deployment", "app-jobmanager")
        release.world.advance(20)
        outcome = release.helm.upgrade(session(NOWHERE, A))
        nothing_is_lost_or_twice(release)
        assert outcome.state == "refused", outcome.said

    @each_directory
    def test_is_applied_once_the_job_has_left_the_list(self, values: Values) -> None:
        release = installed(session(values, A))
        assert release.helm.upgrade(session(values)).ok
        outcome = release.helm.upgrade(session(NOWHERE))
        assert outcome.ok, outcome.said
        outcome = release.helm.upgrade(session(NOWHERE, B))
        assert outcome.ok, outcome.said
        nothing_is_lost_or_twice(release)

    @each_directory
    def test_restarts_no_job_that_is_taken_over(self, values: Values) -> None:
        release = without_record(session(values, A))
        outcome = release.helm.upgrade(session(NOWHERE, A))
        nothing_is_lost_or_twice(release)
        assert outcome.state == "refused", outcome.said

    @each_directory
    def test_nor_the_one_of_a_job_release(self, values: Values) -> None:
        release = without_record(values)
        outcome = release.helm.upgrade(NOWHERE)
        nothing_is_lost_or_twice(release)
        assert outcome.state == "refused", outcome.said


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
