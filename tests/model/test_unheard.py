"""What nobody could ask is no answer: a hook that waits in vain, a Deployment that is gone, a PVC that is another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.model import chart, flink
from tests.model.helm import Helm
from tests.model.scenes import (
    AVAILABLE,
    AVAILABLE_STORE,
    CLAIM,
    STORE,
    completed,
    each_mode,
    installed,
    nothing_is_lost_or_twice,
    rest_is_unreachable,
    upgrade,
)
from tests.model.values import SessionJob, Values
from tests.model.walk import Checked
from tests.model.world import World

LATE = 19


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    """The TaskManagers of this program come when the operation has waited for them in vain."""
    has = World.has_taskmanager
    since: dict[str, float] = {}

    def slow(self: World, jobmanager: flink.JobManager) -> bool:
        if jobmanager.process.program == LATE and self.now < since.setdefault(jobmanager.pod, self.now) + 130:
            return False
        return has(self, jobmanager)

    monkeypatch.setattr(World, "has_taskmanager", slow)


def unheard(release: Checked, values: Values, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade whose job runs, while REST is unreachable for the hook that waits for it."""
    apply = Helm._apply

    def blocked(self: Helm, manifest: Any, partly: bool = False) -> Any:
        rest_is_unreachable(release, 250)
        return apply(self, manifest, partly)

    with monkeypatch.context() as patched:
        patched.setattr(Helm, "_apply", blocked)
        assert not release.helm.upgrade(values).ok


class TestAHookThatWaitedInVain:
    @each_mode
    @pytest.mark.parametrize("then", ["rollback", "upgrade"])
    def test_because_nothing_answered(self, values: Values, then: str, monkeypatch: pytest.MonkeyPatch) -> None:
        release = installed(values)
        unheard(release, replace(values, program=2), monkeypatch)
        release.world.advance(5)
        assert completed(release) > 100
        release.helm.rollback(0) if then == "rollback" else release.helm.upgrade(replace(values, program=3))
        nothing_is_lost_or_twice(release, 60)

    @each_mode
    def test_before_an_uninstall(self, values: Values, monkeypatch: pytest.MonkeyPatch) -> None:
        values = replace(values, keep=True)
        release = installed(values)
        unheard(release, replace(values, program=2), monkeypatch)
        release.helm.uninstall()
        rest_is_unreachable(release, 0)
        release.world.advance(20)
        release.helm.upgrade(replace(values, program=3))
        nothing_is_lost_or_twice(release, 60)

    @each_mode
    @pytest.mark.usefixtures("late")
    def test_and_the_job_runs_afterwards_where_nobody_can_ask(self, values: Values) -> None:
        release = installed(values)
        assert not release.helm.upgrade(replace(values, program=LATE)).ok
        release.world.advance(60)
        assert completed(release) > 100
        rest_is_unreachable(release, 60)
        release.helm.rollback(0)
        nothing_is_lost_or_twice(release, 60)

    @each_mode
    @pytest.mark.usefixtures("late")
    def test_and_the_job_runs_afterwards_on_a_newer_flink(self, values: Values) -> None:
        release = installed(values)
        assert not release.helm.upgrade(replace(values, program=LATE, flink_version="2.3")).ok
        release.world.advance(40)
        assert completed(release) > 100
        (job,) = release.jobs
        refused = release.helm.rollback(0)
        assert refused.state == "refused"
        assert "was written by Flink 2.3" in refused.output
        assert release.jobs == [job]

    @each_mode
    @pytest.mark.usefixtures("late")
    @pytest.mark.parametrize("then", ["rollback", "upgrade"])
    def test_and_the_job_runs_afterwards_until_its_jobmanager_ends(self, values: Values, then: str) -> None:
        release = installed(values)
        assert not release.helm.upgrade(replace(values, program=LATE)).ok
        release.world.advance(60)
        assert completed(release) > 100
        for name in list(release.world.jobmanagers):
            release.world.crash(name, "killed")
        rest_is_unreachable(release, 60)
        if then == "rollback":
            release.helm.rollback(0)
        else:
            release.helm.upgrade(replace(values, program=3, upgrade_mode="last-state"))
        nothing_is_lost_or_twice(release, 60)

    @each_mode
    @pytest.mark.usefixtures("late")
    @pytest.mark.parametrize("first", [False, True], ids=["upgrade", "install"])
    def test_and_the_job_runs_afterwards_until_an_uninstall(self, values: Values, first: bool) -> None:
        values = replace(values, keep=True)
        release = Checked(values) if first else installed(values)
        assert not release.helm.upgrade(replace(values, program=LATE)).ok
        release.world.advance(40)
        assert completed(release) > 100
        release.helm.uninstall()
        release.world.advance(30)
        release.helm.upgrade(replace(values, program=3))
        nothing_is_lost_or_twice(release, 60)


class TestADeploymentThatIsGone:
    @each_mode
    @pytest.mark.parametrize("how", ["helm uninstall --no-hooks", "kubectl delete"])
    def test_its_job_ran_and_nobody_saw_it(self, values: Values, how: str) -> None:
        values = replace(values, keep=True)
        release = Checked(values)
        release.helm.upgrade(values, stop="after apply")
        release.world.advance(3600)
        if how == "kubectl delete":
            release.world.kubernetes.remove("Deployment", "app-jobmanager")
        else:
            release.helm.uninstall(hooks=False)
        release.world.advance(30)
        release.helm.upgrade(replace(values, program=2))
        nothing_is_lost_or_twice(release, 60)

    @each_mode
    def test_its_job_was_resumed_and_nobody_saw_it(self, values: Values) -> None:
        values = replace(values, keep=True)
        release = installed(values)
        assert upgrade(release, replace(values, state="suspended")).ok
        release.helm.uninstall()
        release.world.advance(20)
        release.helm.upgrade(values, stop="after apply")
        release.world.advance(3600)
        release.helm.uninstall(hooks=False)
        release.world.advance(30)
        release.helm.upgrade(replace(values, program=2))
        nothing_is_lost_or_twice(release, 60)

    def test_the_record_of_an_older_chart_does_not_tell_of_one(self) -> None:
        release = installed(STORE)
        release.helm.upgrade(replace(STORE, program=2), stop="after apply")
        release.world.kubernetes.kind("configmaps")["app-record"]["data"].pop("deployment")
        release.world.advance(3600)
        release.helm.upgrade(replace(STORE, program=3), hooks=False)
        release.world.advance(30)
        release.helm.upgrade(replace(STORE, program=3))
        nothing_is_lost_or_twice(release, 60)

    def test_there_are_two_while_one_mode_follows_the_other(self) -> None:
        release = installed(STORE)
        release.helm.upgrade(replace(STORE, program=2), stop="before apply")
        coming = next(obj for obj in release.helm.revisions[-1].objects if obj["metadata"]["name"] == "app-jobmanager")
        release.world.kubernetes.apply({**coming, "metadata": {**coming["metadata"], "name": "app"}})
        release.world.advance(600)
        for name in [name for name in release.world.jobmanagers if name.startswith("app-7f")]:
            release.world.kubernetes.lose_pod(name)
        rest_is_unreachable(release, 40)
        release.helm.rollback(0)
        nothing_is_lost_or_twice(release, 60)


class TestAnOperationThatWasEndedBeforeItAppliedAnything:
    @each_mode
    @pytest.mark.parametrize("later", [5, 3600])
    @pytest.mark.parametrize("program", [1, 2], ids=["the same", "another program"])
    def test_a_first_install(self, values: Values, later: float, program: int) -> None:
        release = Checked(values)
        release.helm.upgrade(values, stop="before apply")
        release.world.advance(later)
        outcome = release.helm.upgrade(replace(values, program=program))
        release.world.advance(30)
        if values == STORE and later > 300:
            # Nobody can tell it from one that ran and was deleted.
            assert "restart the job from scratch with job.upgradeMode=stateless" in outcome.output
        else:
            assert outcome.ok, outcome.output
            assert release.jobs

    @each_mode
    @pytest.mark.parametrize("later", [5, 3600])
    def test_a_resume(self, values: Values, later: float) -> None:
        release = installed(values)
        rows = completed(release)
        assert upgrade(release, replace(values, state="suspended")).ok
        release.world.advance(30)
        release.helm.upgrade(values, stop="before apply")
        release.world.advance(later)
        outcome = release.helm.upgrade(values)
        assert outcome.ok, outcome.output
        nothing_is_lost_or_twice(release, 60)
        assert release.jobs[0].rows >= rows


@pytest.mark.parametrize("values", [AVAILABLE, AVAILABLE_STORE], ids=["claim", "store"])
@pytest.mark.parametrize("how", ["last-state", "stateless", "rollback"])
def test_high_availability_of_a_users_own_kind_brings_no_second_job(
    values: Values, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hooks cannot delete what it stores."""
    contract = chart._wanted

    def other(*args: Any) -> Mapping[str, Any]:
        return {**contract(*args), "high_availability": "other"}

    monkeypatch.setattr(chart, "_wanted", other)
    values = replace(values, upgrade_mode="" if how == "rollback" else how)
    release = installed(values)
    if how == "rollback":
        assert upgrade(release, replace(values, program=2)).ok
        release.world.advance(60)
    (job,) = release.jobs
    rest_is_unreachable(release, 75)
    refused = release.helm.rollback(0) if how == "rollback" else release.helm.upgrade(replace(values, program=2))
    assert refused.state == "refused"
    assert "Wait until it answers." in refused.output
    release.world.advance(90)
    assert [one.id for one in release.jobs] == [job.id]


@pytest.mark.parametrize("values", [CLAIM, AVAILABLE], ids=["none", "HA"])
@pytest.mark.parametrize("how", ["the same", "another pod", "another program"])
def test_a_session_on_a_pvc_that_was_made_anew_starts_nothing_from_scratch(values: Values, how: str) -> None:
    values = replace(values, type="session", jobs=(SessionJob("a"),))
    changes: dict[str, dict[str, Any]] = {
        "the same": {},
        "another pod": {"startup_seconds": 9},
        "another program": {"jobs": (SessionJob("a", 2),)},
    }
    release = installed(values)
    release.world.advance(60)
    release.world.kubernetes.remove("PersistentVolumeClaim", "app-data")
    for name in list(release.world.kubernetes.kind("pods")):
        release.world.kubernetes.lose_pod(name)
    release.world.advance(30)
    outcome = release.helm.upgrade(replace(values, **changes[how]))
    assert not outcome.ok
    assert "PVC" in outcome.output
    release.world.advance(40)
    assert not release.world.ledger.faults
