"""Operations that nobody could see the job in: it runs on, or ran, or has state in a place where nobody has looked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.model import flink, package
from tests.model.scenes import (
    AVAILABLE,
    AVAILABLE_STORE,
    CLAIM,
    STORE,
    each_mode,
    installed,
    nothing_is_lost_or_twice,
    rest_is_unreachable,
    restart_jobmanager,
    upgrade,
)
from tests.model.values import SessionJob, Values
from tests.model.walk import Checked

SESSION = Values(type="session", jobs=(SessionJob("a"), SessionJob("b")))
DEEP = "file:///flink-data/deep"


class TestAJobOfASessionThatIsToEnd:
    WITHOUT = replace(SESSION, jobs=(SessionJob("b"),))

    def test_it_leaves_the_list_while_rest_is_unreachable(self) -> None:
        release = installed(SESSION)
        rest_is_unreachable(release, 20)
        refused = release.helm.upgrade(self.WITHOUT)
        assert not refused.ok
        assert "Job a: The JobManager cannot be reached" in refused.output
        release.world.advance(30)
        assert sorted(job.name for job in release.jobs) == ["app/a", "app/b"]
        assert release.helm.upgrade(self.WITHOUT).ok
        assert [job.name for job in release.jobs] == ["app/b"]

    def test_it_is_in_the_list_again(self) -> None:
        release = installed(SESSION)
        rest_is_unreachable(release, 20)
        release.helm.upgrade(self.WITHOUT)
        release.world.advance(30)
        release.helm.upgrade(SESSION)
        nothing_is_lost_or_twice(release)

    def test_a_rollback_that_replaces_the_jobmanager_is_not_applied(self) -> None:
        release = installed(SESSION)
        now = replace(SESSION, startup_seconds=5)
        assert upgrade(release, now).ok
        rest_is_unreachable(release, 90)
        release.helm.rollback(0, stop="before apply")
        release.world.advance(90)
        release.helm.upgrade(now)
        nothing_is_lost_or_twice(release)
        assert sorted(job.name for job in release.jobs) == ["app/a", "app/b"]

    @pytest.mark.parametrize("coming", ["a2", ""])
    def test_the_jobmanager_has_forgotten_it_and_the_store_cannot_be_listed(self, coming: str) -> None:
        """What the refusal advises, another name, is taken; that it comes back is what cannot be."""
        values = replace(SESSION, root="s3://bucket/one", jobs=(SessionJob("a"),))
        release = installed(values)
        restart_jobmanager(release)
        assert release.helm.upgrade(replace(values, jobs=(SessionJob(coming),) if coming else ())).ok
        refused = release.helm.upgrade(values)
        assert not refused.ok
        assert "newest state of the job" in refused.output


class TestHighAvailabilityAloneKnowsTheState:
    @pytest.mark.parametrize("values", [AVAILABLE, AVAILABLE_STORE], ids=["claim", "store"])
    @pytest.mark.parametrize("then", ["not applied", "uninstall", "without"])
    def test_a_job_is_suspended_out_of_sight(self, values: Values, then: str) -> None:
        values = replace(values, program=2, keep=True)
        release = installed(replace(values, program=1))
        assert upgrade(release, values).ok
        release.world.advance(60)
        rest_is_unreachable(release, 60)
        suspended = replace(values, state="suspended", upgrade_mode="last-state")
        release.helm.upgrade(suspended, stop="before apply" if then == "not applied" else "")
        release.world.advance(60)
        if then == "uninstall":
            release.helm.uninstall()
            release.world.advance(20)
        release.helm.upgrade(replace(values, high_availability="none") if then == "without" else values)
        nothing_is_lost_or_twice(release)

    def test_a_savepoint_is_to_be_taken_before_an_uninstall(self) -> None:
        values = replace(AVAILABLE_STORE, savepoint_on_uninstall=True)
        release = installed(values)
        release.helm.upgrade(replace(values, program=2), stop="after apply")
        release.world.advance(3600)
        rest_is_unreachable(release, 60)
        assert not release.helm.uninstall().ok
        release.world.advance(60)
        release.helm.upgrade(replace(values, program=2))
        nothing_is_lost_or_twice(release)


class TestAGenerationThatWasNeverSeenAndRanForLong:
    @pytest.mark.parametrize(("values", "then"), [(STORE, "uninstall"), (AVAILABLE_STORE, "uninstall"), (STORE, "no hooks")])
    def test_its_deployment_is_gone_or_another_one(self, values: Values, then: str) -> None:
        release = installed(values)
        release.helm.upgrade(replace(values, program=2), stop="after apply")
        release.world.advance(3600)
        if then == "uninstall":
            release.helm.uninstall()
        else:
            release.helm.upgrade(replace(values, program=3), hooks=False)
        release.world.advance(30)
        release.helm.upgrade(replace(values, program=3))
        nothing_is_lost_or_twice(release)

    @each_mode
    def test_its_release_is_uninstalled_and_the_state_stays(self, values: Values) -> None:
        values = replace(values, keep=True)
        release = Checked(values)
        release.helm.upgrade(values, stop="after apply")
        release.world.advance(3600)
        release.helm.uninstall()
        release.world.advance(20)
        release.helm.upgrade(values)
        nothing_is_lost_or_twice(release)

    @each_mode
    def test_it_was_not_applied_and_is_repeated_a_day_later(self, values: Values) -> None:
        """That nothing has changed the Deployment since shows that nothing has run."""
        release = installed(values)
        release.helm.upgrade(replace(values, program=2), stop="before apply")
        release.world.advance(86400)
        assert release.helm.upgrade(replace(values, program=2)).ok
        nothing_is_lost_or_twice(release)
        assert release.jobs


class TestAnotherDirectoryOnTheSameVolume:
    def test_a_job_that_was_suspended_out_of_sight(self) -> None:
        deep = replace(CLAIM, root=DEEP)
        release = installed(CLAIM)
        assert upgrade(release, deep).ok
        release.world.advance(60)
        rest_is_unreachable(release, 60)
        release.helm.upgrade(replace(deep, state="suspended", upgrade_mode="last-state"))
        release.world.advance(60)
        refused = release.helm.upgrade(CLAIM)
        assert f"in {DEEP}" in refused.output
        nothing_is_lost_or_twice(release)
        assert release.helm.upgrade(deep).ok
        nothing_is_lost_or_twice(release)

    def test_a_job_of_a_session_that_comes_back(self) -> None:
        release = installed(SESSION)
        restart_jobmanager(release)
        assert release.helm.upgrade(replace(SESSION, jobs=(SessionJob("b"),))).ok
        release.world.advance(20)
        release.helm.upgrade(replace(SESSION, root=DEEP))
        nothing_is_lost_or_twice(release)


@each_mode
def test_the_first_checkpoint_is_completed_between_the_look_and_the_cancel(
    values: Values, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flink, "INTERVAL", 20.0)
    release = Checked(values)
    assert release.helm.upgrade(values).ok
    operations: Any = package.HOOKS.operations
    look = operations.check_objects

    def look_for_long(*given: Any, **options: Any) -> None:
        release.world.advance(25)
        look(*given, **options)

    monkeypatch.setattr(operations, "check_objects", look_for_long)
    release.helm.upgrade(replace(values, program=2, upgrade_mode="last-state"))
    nothing_is_lost_or_twice(release)


@each_mode
@pytest.mark.parametrize("state", ["running", "suspended"])
def test_a_savepoint_on_demand_is_all_that_it_has_completed(values: Values, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flink, "INTERVAL", 400.0)
    release = installed(values)
    assert release.helm.applied
    assert package.run(release.world, "savepoint", release.helm.applied.wanted).code == 0
    rest_is_unreachable(release, 60)
    release.helm.upgrade(replace(values, program=2, upgrade_mode="last-state", state=state))
    nothing_is_lost_or_twice(release)
    release.world.advance(60)
    release.helm.upgrade(replace(values, program=2))
    nothing_is_lost_or_twice(release)


@pytest.mark.parametrize("seconds", [0, 14], ids=["REST answers", "REST is unreachable at first"])
def test_a_rollback_of_a_session_goes_on_from_a_checkpoint_where_a_savepoint_fails(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = replace(SESSION, jobs=(SessionJob("a"),))
    release = installed(values)
    assert upgrade(release, replace(values, jobs=(SessionJob("a", 2),))).ok
    release.world.advance(30)

    def fails(self: Any, world: Any, job: Any, operation: Any) -> None:
        operation.failure = "java.lang.Exception: the savepoint fails"

    monkeypatch.setattr(flink.JobManager, "_complete", fails)
    rest_is_unreachable(release, seconds)
    assert release.helm.rollback(0).ok
    nothing_is_lost_or_twice(release)
    assert [job.program for job in release.jobs] == [1]


@pytest.mark.parametrize("name", ["job", "state", "generation", "restore", "own", "ids"])
def test_a_job_of_a_session_is_called_as_a_field_of_the_record(name: str) -> None:
    release = installed(STORE)
    assert upgrade(release, replace(STORE, state="suspended")).ok
    release.world.advance(20)
    for values in (
        replace(STORE, type="session", jobs=(SessionJob(name),)),
        replace(STORE, type="session", jobs=()),
        STORE,
    ):
        assert release.helm.upgrade(values).ok
        release.world.advance(20)
    nothing_is_lost_or_twice(release)
    assert release.jobs
