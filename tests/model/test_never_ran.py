"""Generations that never ran, or ran unseen: an operation goes back neither too far nor to where nothing is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.model import flink, package
from tests.model.helm import Outcome
from tests.model.scenes import (
    AVAILABLE,
    BROKEN,
    MODES,
    STORE,
    completed,
    each_mode,
    ends,
    installed,
    lose_jobmanager,
    mistyped,
    rest_is_unreachable,
    rollback,
    stop_by_hand,
    upgrade,
    with_bad_programs,
)
from tests.model.trouble import Trouble
from tests.model.values import Values
from tests.model.walk import Checked


@pytest.fixture(params=[0, 7], ids=["at once", "after a while"])
def broken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How long REST answers before the program fails."""
    with_bad_programs(monkeypatch)
    come_up = flink.JobManager._come_up
    due: dict[int, float] = {}

    def late(self: Any, world: Any) -> None:
        if self.process.program == BROKEN and world.now < due.setdefault(id(self), world.now + request.param):
            self.state, self.up_at = "starting", due[id(self)]
            world.kubernetes.set_ready(self.pod, True)
            return
        come_up(self, world)

    monkeypatch.setattr(flink.JobManager, "_come_up", late)


def goes_on(release: Checked, outcome: Outcome, rows: int) -> None:
    assert outcome.ok, outcome.output
    release.world.advance(30)
    assert release.jobs
    assert release.jobs[0].rows >= rows
    assert not release.world.ledger.faults


@each_mode
@pytest.mark.parametrize("remedy", ["rollback", "upgrade"])
@pytest.mark.usefixtures("broken")
def test_a_program_that_cannot_read_the_state(values: Values, remedy: str) -> None:
    release = installed(values)
    rows = release.jobs[0].rows
    assert not release.helm.upgrade(replace(values, program=BROKEN)).ok
    goes_on(release, rollback(release, 0) if remedy == "rollback" else upgrade(release, replace(values, program=14)), rows)


@each_mode
@pytest.mark.parametrize("other", [{"flink_version": "1.20"}, {"backend": "forst"}], ids=["older Flink", "another backend"])
def test_what_a_mistyped_path_left_behind_wrote_no_state(values: Values, other: dict[str, str]) -> None:
    """Who wrote the state that the job goes back to is not the revision that named the path."""
    release = installed(values)
    rows = release.jobs[0].rows
    assert not upgrade(release, replace(values, from_savepoint=mistyped(values), program=2)).ok
    refused = upgrade(release, replace(values, program=3, **other))  # type: ignore[arg-type]
    assert refused.state == "refused", refused.output
    assert "The state of the job was written by" in refused.output
    goes_on(release, upgrade(release, replace(values, program=4)), rows)


@each_mode
@pytest.mark.parametrize("other", [{"flink_version": "2.3"}, {"backend": "forst"}], ids=["newer Flink", "another backend"])
def test_a_rollback_from_a_path_that_was_mistyped_with_another_writer(values: Values, other: dict[str, str]) -> None:
    release = installed(values)
    rows = release.jobs[0].rows
    assert not upgrade(release, replace(values, from_savepoint=mistyped(values), **other)).ok  # type: ignore[arg-type]
    goes_on(release, rollback(release, 0), rows)


def fails(release: Checked) -> None:
    ends(release, "FAILED")


def is_suspended(release: Checked) -> None:
    assert upgrade(release, replace(release.values, state="suspended")).ok


def is_mistyped(release: Checked) -> None:
    assert not release.helm.upgrade(replace(release.values, from_savepoint=mistyped(release.values) + "-too")).ok


@each_mode
@pytest.mark.parametrize("before", [lambda _: None, fails, is_suspended, is_mistyped], ids=["runs", "fails", "suspended", "typo"])
def test_a_mistyped_path_is_rolled_back_to_where_the_job_would_have_gone_on(
    values: Values, before: Callable[[Checked], None]
) -> None:
    release = installed(values)
    rows = completed(release)
    before(release)
    assert not release.helm.upgrade(replace(values, from_savepoint=mistyped(values))).ok
    goes_on(release, rollback(release, 0), rows)


@each_mode
def test_a_stateless_upgrade_of_a_failed_job_that_never_came_up(values: Values) -> None:
    release = installed(values)
    rows = completed(release)
    ends(release, "FAILED")
    release.helm.upgrade(replace(values, program=2, upgrade_mode="stateless"), stop="before apply")
    goes_on(release, rollback(release, 0), rows)


@each_mode
def test_a_checkpoint_to_which_a_rollback_goes_is_kept(values: Values) -> None:
    values = replace(values, retained=1, upgrade_mode="last-state" if values is not STORE else "")
    release = installed(values)
    rows = completed(release)
    assert not release.helm.upgrade(replace(values, from_savepoint=mistyped(values))).ok
    goes_on(release, rollback(release, 0), rows)


@each_mode
@pytest.mark.parametrize("how", ["mistyped", "stateless"])
@pytest.mark.usefixtures("broken")
def test_a_way_back_that_nobody_could_ask_for_is_kept(values: Values, how: str) -> None:
    """REST is unreachable: the record knows the job, and not which of its checkpoints is the newest."""
    values = replace(values, retained=1)
    release = installed(values)
    half = release.jobs[0].id[:16]
    rest_is_unreachable(release, 60)
    named = {"from_savepoint": mistyped(values)} if how == "mistyped" else {"upgrade_mode": "stateless"}
    assert not release.helm.upgrade(replace(values, program=BROKEN, **named)).ok  # type: ignore[arg-type]
    assert [path for files in release.world.store.volumes.values() for path in files if f"/{half}" in path]


@each_mode
@pytest.mark.parametrize("how", ["upgrade", "rollback"])
def test_a_suspension_that_was_interrupted_before_the_objects_were_applied(values: Values, how: str) -> None:
    release = installed(values)
    rows = release.jobs[0].rows
    release.helm.upgrade(replace(values, state="suspended"), stop="before apply")
    release.world.advance(5)
    goes_on(release, upgrade(release, values) if how == "upgrade" else rollback(release, 0), rows)


@each_mode
def test_an_uninstall_that_was_interrupted(values: Values) -> None:
    release = installed(replace(values, savepoint_on_uninstall=True, keep=True))
    rows = release.jobs[0].rows
    assert release.helm.applied
    assert package.run(release.world, "before-uninstall", release.helm.applied.wanted).code == 0
    release.world.advance(5)
    goes_on(release, upgrade(release, release.values), rows)


@each_mode
def test_a_change_of_the_pod_alone_that_was_interrupted(values: Values) -> None:
    release = installed(values)
    rows = completed(release)
    changed = replace(values, startup_seconds=99)
    release.helm.upgrade(changed, stop="before apply")
    release.world.advance(30)
    goes_on(release, upgrade(release, replace(changed, program=2)), rows)


@each_mode
def test_a_resume_that_the_api_server_refuses(values: Values) -> None:
    release = installed(values)
    assert upgrade(release, replace(values, state="suspended")).ok
    release.world.advance(20)
    assert release.helm.upgrade(replace(values, label="not valid")).state == "refused"
    assert rollback(release, 1).ok


@pytest.mark.parametrize("first", [True, False])
def test_a_job_that_ran_unseen_is_not_sent_back(first: bool) -> None:
    """The operation was ended before it saw the job run; days later the pod is replaced, on a store that nobody can list."""
    release = Checked(STORE) if first else installed(STORE)
    release.helm.upgrade(replace(STORE, program=2), stop="after apply")
    release.world.advance(3600)
    lose_jobmanager(release, 30)
    assert not release.jobs
    assert release.helm.upgrade(replace(STORE, program=3)).state == "refused"
    assert not release.world.ledger.faults


@each_mode
def test_a_job_that_has_finished_is_not_run_again_by_a_change_of_the_pod(values: Values) -> None:
    release = installed(values)
    release.world.ledger.life(release.jobs[0].name).over = True
    ends(release, "FINISHED")
    assert release.helm.upgrade(replace(values, startup_seconds=99)).ok
    release.world.advance(40)
    assert not release.jobs


def test_an_upgrade_by_force_does_not_replace_a_pod_that_hooks_have_restarted() -> None:
    release = installed(STORE)
    stop_by_hand(release)
    assert upgrade(release, STORE).ok
    deployments = release.world.kubernetes.kind("deployments").values()
    assert not any("flink/restarted-for" in (one["spec"]["template"]["metadata"].get("annotations") or {}) for one in deployments)


def test_storage_that_is_taken_away_is_refused() -> None:
    release = installed(MODES["claim"])
    assert release.helm.upgrade(replace(MODES["claim"], storage=False)).state == "refused"
    assert release.jobs


@pytest.mark.parametrize("call", range(1, 30, 3))
@pytest.mark.parametrize("kind", ["killed before", "killed after", "conflict"])
@pytest.mark.parametrize("how", ["last-state", "stateless", "rollback"])
def test_the_old_program_never_comes_back(how: str, kind: str, call: int) -> None:
    """High availability has stored it, and REST is unreachable: whatever interrupts the replacement of its JobManager."""
    mode = "" if how == "rollback" else how
    values = replace(AVAILABLE, upgrade_mode=mode)
    release = installed(values)
    target = 2
    if how == "rollback":
        assert upgrade(release, replace(values, program=2)).ok
        target = 1
    rest_is_unreachable(release, 75)
    release.world.trouble = Trouble(kind, call)

    def operation() -> Outcome:
        return release.helm.rollback(0) if how == "rollback" else release.helm.upgrade(replace(values, program=2))

    outcome = operation()
    release.world.trouble = Trouble()
    if outcome.state == "killed":
        release.world.advance(5)
        operation()
    release.world.advance(60)
    assert [job.program for job in release.jobs] == [target]


@each_mode
@pytest.mark.parametrize("broken", [0], ids=["at once"], indirect=True)
def test_a_path_that_was_named_twice_in_vain_is_left_again(values: Values, broken: None) -> None:
    """The second try changes something else, and a rollback goes back to the state from before the first one."""
    release = installed(values)
    assert upgrade(release, replace(values, program=2)).ok
    old = release.world.record("app")["restore"]
    release.world.advance(300)
    for retained in (60, 61):
        assert not release.helm.upgrade(replace(values, program=BROKEN, from_savepoint=old, retained=retained)).ok
    release.world.ledger.faults.clear()
    release.world.ledger.life("app/").allowed = set()
    assert release.helm.rollback(1).ok
    release.world.advance(30)
    assert not release.world.ledger.faults
