"""Checkpoints of former generations: they do not grow without end, and what may still be needed stays."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from tests.model import package
from tests.model.scenes import (
    AVAILABLE_STORE,
    CLAIM,
    STORE,
    completed,
    each_mode,
    installed,
    mistyped,
    newest_checkpoint,
    rollback,
    upgrade,
)
from tests.model.values import SessionJob, Values
from tests.model.walk import Checked

# Each of its checkpoints stands alone; incremental ones share files, so that Flink would delete what a later one needs.
WHOLE = {
    name: replace(values, backend="hashmap")
    for name, values in {"claim": CLAIM, "store": STORE, "store, HA": AVAILABLE_STORE}.items()
}


def left(release: Checked) -> list[str]:
    """Checkpoints of jobs that do not run."""
    halves = {job.id[:16] for job in release.jobs}
    paths = [path for files in release.world.store.volumes.values() for path in files if "/chk-" in path]
    return [path for path in paths if not any(half in path for half in halves)]


@pytest.mark.parametrize("values", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("mode", ["last-state", "stateless", "named"])
def test_they_do_not_pile_up(values: Values, mode: str) -> None:
    release = installed(values)
    counts = []
    for program in range(2, 8):
        new = replace(values, program=program, upgrade_mode="last-state" if mode == "named" else mode)
        if mode == "named":
            new = replace(new, from_savepoint=newest_checkpoint(release))
        assert upgrade(release, new).ok
        release.world.advance(60)
        assert not release.world.ledger.faults
        counts.append(len(left(release)))
    assert counts[-1] <= counts[1]


def test_of_a_session_they_do_not_either() -> None:
    values = replace(CLAIM, backend="hashmap", type="session", upgrade_mode="last-state", jobs=(SessionJob("a"),))
    release = installed(values)
    counts = []
    for program in range(2, 7):
        assert upgrade(release, replace(values, jobs=(SessionJob("a", program),))).ok
        release.world.advance(60)
        assert not release.world.ledger.faults
        counts.append(len(left(release)))
    assert counts[-1] <= counts[1]


def test_those_that_share_files_are_left_to_flink() -> None:
    release = installed(replace(STORE, backend="rocksdb"))
    assert upgrade(release, replace(STORE, backend="rocksdb", program=2, upgrade_mode="last-state")).ok
    assert not release.world.record("app").get("left")


@pytest.mark.parametrize("values", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("how", ["mistyped", "stateless"])
def test_the_way_back_stays(values: Values, how: str) -> None:
    values = replace(values, upgrade_mode="last-state")
    release = installed(values)
    assert upgrade(release, replace(values, program=2)).ok
    release.world.advance(60)
    rows = completed(release)
    named = {"from_savepoint": mistyped(values)} if how == "mistyped" else {"upgrade_mode": "stateless"}
    release.helm.upgrade(replace(values, program=3, **named), stop="before apply" if how == "stateless" else "")  # type: ignore[arg-type]
    assert rollback(release, 1).ok
    release.world.advance(20)
    assert not release.world.ledger.faults
    assert release.jobs[0].rows >= rows


@each_mode
@pytest.mark.parametrize("seed", range(4))
def test_a_scheduled_savepoint_leaves_the_one_from_which_an_upgrade_is_to_start(values: Values, seed: int) -> None:
    """Both at the same time: it would be the oldest of those that are kept."""
    release = installed(values)
    live = release.helm.render(values)
    for _ in range(3):
        assert package.run(release.world, "savepoint", live.wanted).code == 0
        release.world.advance(10)
    oldest = release.world.record("app")["savepoints"].split()[0]
    rows = release.rows_at(oldest)
    coming = release.helm.render(replace(values, program=2, from_savepoint=oldest))
    _, before = package.run_together(release.world, ["savepoint", "before"], coming.wanted, Random(seed))
    assert before.code == 0, before.output
    assert release.rows_at(oldest) == rows
