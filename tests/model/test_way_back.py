"""A generation that was to start from a path, or from nothing, and never came up: the state before it is not forgotten."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.model.ledger import Life
from tests.model.scenes import (
    AVAILABLE,
    AVAILABLE_STORE,
    CLAIM,
    STUCK,
    completed,
    each_mode,
    each_session,
    installed,
    lose_jobmanager,
    mistyped,
    rest_is_unreachable,
    restart_jobmanager,
    upgrade,
    with_bad_programs,
)
from tests.model.values import SessionJob, Values
from tests.model.walk import Checked


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    with_bad_programs(monkeypatch)


def after_a_second_revision(values: Values) -> Checked:
    """A release that was upgraded once, and has gone on for a while."""
    release = installed(values)
    assert upgrade(release, replace(values, program=2)).ok
    release.world.advance(60)
    return release


def restore_of(release: Checked, job: str = "") -> str:
    """Where the job's record says that it starts."""
    record = release.world.record("app")
    return str((json.loads(record[job]) if job else record)["restore"])


def elsewhere(values: Values, how: str, path: str) -> Values:
    return replace(values, from_savepoint=path) if how == "named" else replace(values, upgrade_mode="stateless")


def starting_elsewhere(values: Values, how: str) -> tuple[Checked, Values, int]:
    """A release whose job never came up from an old savepoint, or nothing; the values before, and the rows of their state."""
    release, before = after_a_second_revision(values), replace(values, program=2)
    rows = completed(release)
    old = restore_of(release)
    new = elsewhere(replace(before, program=STUCK), how, old)
    release.world.ledger.life("app/").allowed = {release.rows_at(old) if how == "named" else 0}
    assert not release.helm.upgrade(new).ok
    # What was asked for has been tried, and from now on nothing older will do.
    release.world.ledger.faults.clear()
    release.world.ledger.lives["app/"] = Life(completed=rows)
    return release, before, rows


@each_mode
@pytest.mark.parametrize("how", ["named", "stateless"])
@pytest.mark.parametrize("then", ["rollback", "upgrade", "last-state"])
def test_the_way_back_of_what_never_came_up(values: Values, how: str, then: str) -> None:
    release, before, rows = starting_elsewhere(values, how)
    if then == "rollback":
        outcome = release.helm.rollback(len(release.helm.revisions) - 2)
    else:
        outcome = release.helm.upgrade(replace(before, program=3, upgrade_mode=then if then == "last-state" else ""))
    assert outcome.ok, outcome.output
    release.world.advance(30)
    assert not release.world.ledger.faults
    assert release.jobs[0].rows >= rows


@each_mode
@pytest.mark.parametrize("how", ["named", "stateless"])
def test_the_way_back_while_rest_is_unreachable(values: Values, how: str) -> None:
    """On a store nobody knows whether it has come up meanwhile, and on a PVC its files tell."""
    release, _, rows = starting_elsewhere(values, how)
    rest_is_unreachable(release, 60)
    outcome = release.helm.rollback(len(release.helm.revisions) - 2)
    release.world.advance(70)
    assert not release.world.ledger.faults
    if values.root:
        assert outcome.state == "refused", outcome.output
    else:
        assert release.jobs[0].rows >= rows, outcome.output


@each_mode
def test_a_second_path_leaves_the_way_back_where_it_was(values: Values) -> None:
    release, before, _ = starting_elsewhere(values, "named")
    way_back = release.world.record("app")["previous"]
    assert not release.helm.upgrade(replace(before, program=3, from_savepoint=mistyped(values))).ok
    assert release.world.record("app")["previous"] == way_back


@each_session
def test_the_way_back_of_a_job_of_a_session(values: Values) -> None:
    release = installed(values)
    assert upgrade(release, replace(values, jobs=(SessionJob("a", 2),))).ok
    old = restore_of(release, "a")
    release.world.advance(60)
    rows = completed(release)
    release.world.ledger.life("app/a").allowed = {release.rows_at(old)}
    assert not release.helm.upgrade(replace(values, jobs=(SessionJob("a", STUCK, old),))).ok
    release.world.ledger.faults.clear()
    release.world.ledger.lives["app/a"] = Life(completed=rows)
    outcome = release.helm.rollback(len(release.helm.revisions) - 2)
    assert outcome.ok, outcome.output
    release.world.advance(30)
    assert not release.world.ledger.faults


@each_mode
@pytest.mark.parametrize("first", ["stateless", "named"])
@pytest.mark.parametrize("then", ["upgrade", "last-state", "rollback"])
def test_a_start_elsewhere_that_was_written_out_of_sight_and_not_applied(values: Values, first: str, then: str) -> None:
    release = after_a_second_revision(values)
    rest_is_unreachable(release, 60)
    release.helm.upgrade(elsewhere(replace(values, program=3), first, mistyped(values)), stop="before apply")
    release.world.advance(300)
    release.world.ledger.life("app/").allowed = set()
    if then == "rollback":
        outcome = release.helm.rollback(1)
    else:
        outcome = release.helm.upgrade(replace(values, program=4, upgrade_mode=then if then == "last-state" else ""))
    release.world.advance(60)
    assert not release.world.ledger.faults
    assert outcome.state == "refused" or release.jobs, outcome.output


@each_mode
def test_a_mistyped_path_out_of_sight_is_rolled_back(values: Values) -> None:
    release = after_a_second_revision(values)
    rest_is_unreachable(release, 60)
    assert not release.helm.upgrade(replace(values, program=3, from_savepoint=mistyped(values))).ok
    release.world.ledger.life("app/").allowed = set()
    release.world.advance(60)
    outcome = release.helm.rollback(1)
    release.world.advance(30)
    assert not release.world.ledger.faults
    assert outcome.state == "refused" or release.jobs, outcome.output


@each_mode
def test_the_path_of_an_old_revision_does_not_count_where_the_record_is_gone(values: Values) -> None:
    release = after_a_second_revision(values)
    old = restore_of(release)
    release.world.ledger.life("app/").allowed = {release.rows_at(old)}
    assert upgrade(release, replace(values, program=3, from_savepoint=old)).ok
    release.world.ledger.life("app/").allowed = set()
    release.world.advance(60)
    assert upgrade(release, replace(values, program=4)).ok
    release.world.advance(200)
    release.world.delete_config_map("app-record")
    lose_jobmanager(release, 30)
    release.helm.rollback(len(release.helm.revisions) - 2)
    release.world.advance(30)
    assert not release.world.ledger.faults


@pytest.mark.parametrize("values", [CLAIM, AVAILABLE, AVAILABLE_STORE], ids=["claim", "claim, HA", "store, HA"])
def test_nor_does_that_of_a_job_of_a_session(values: Values) -> None:
    values = replace(values, type="session", jobs=(SessionJob("a"),))
    release = installed(values)
    assert upgrade(release, replace(values, jobs=(SessionJob("a", 2),))).ok
    old = restore_of(release, "a")
    release.world.advance(60)
    release.world.ledger.life("app/a").allowed = {release.rows_at(old)}
    assert upgrade(release, replace(values, jobs=(SessionJob("a", 3, old),))).ok
    release.world.ledger.life("app/a").allowed = set()
    release.world.advance(60)
    assert upgrade(release, replace(values, jobs=(SessionJob("a", 4),))).ok
    release.world.advance(200)
    release.world.delete_config_map("app-record")
    restart_jobmanager(release)
    release.helm.rollback(len(release.helm.revisions) - 2)
    release.world.advance(30)
    assert not release.world.ledger.faults
