"""Which Flink and which state backend wrote the newest state: a revision that wrote none does not count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.model import package
from tests.model.scenes import (
    BROKEN,
    STUCK,
    completed,
    each_mode,
    each_session,
    ends,
    installed,
    rollback,
    upgrade,
    with_bad_programs,
)
from tests.model.values import SessionJob, Values

NEWER = {"flink_version": "2.3"}
OTHERS = pytest.mark.parametrize("other", [NEWER, {"backend": "forst"}], ids=["newer Flink", "another backend"])
MISSING = 19  # a program that cannot be submitted


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    with_bad_programs(monkeypatch)
    run = package._Client.run

    def runs(self: Any, name: str, argv: list[str]) -> tuple[int, str]:
        return (1, "Caused by: no such file") if argv[-1] == str(MISSING) else run(self, name, argv)

    monkeypatch.setattr(package._Client, "run", runs)


@each_mode
@pytest.mark.parametrize("how", ["rollback", "upgrade"])
def test_a_newer_flink_under_which_the_job_was_suspended(values: Values, how: str) -> None:
    release = installed(values)
    rows = completed(release)
    assert upgrade(release, replace(values, state="suspended", **NEWER)).ok  # type: ignore[arg-type]
    release.world.advance(20)
    assert (rollback(release, 0) if how == "rollback" else upgrade(release, values)).ok
    release.world.advance(20)
    assert release.jobs[0].rows >= rows


@each_mode
@OTHERS
@pytest.mark.parametrize("seconds", [5, 600])
def test_one_whose_tasks_never_ran(values: Values, other: dict[str, Any], seconds: float) -> None:
    release = installed(values)
    rows = completed(release)
    assert not release.helm.upgrade(replace(values, program=STUCK, **other)).ok
    release.world.advance(seconds)
    assert release.helm.rollback(0).ok
    release.world.advance(20)
    assert not release.world.ledger.faults
    assert release.jobs[0].rows >= rows
    assert not release.jobs[0].stuck


@each_mode
def test_one_that_has_completed_a_checkpoint_and_then_failed_does_count(values: Values) -> None:
    release = installed(values)
    assert upgrade(release, replace(values, program=2, **NEWER)).ok  # type: ignore[arg-type]
    release.world.advance(30)
    ends(release, "FAILED")
    refused = release.helm.rollback(0)
    assert refused.state == "refused"
    assert "written by Flink 2.3" in refused.output


@each_session
@pytest.mark.parametrize("program", [MISSING, BROKEN], ids=["not submitted", "fails at once"])
@OTHERS
def test_one_in_which_a_job_of_a_session_never_ran(values: Values, program: int, other: dict[str, Any]) -> None:
    release = installed(values)
    rows = completed(release)
    outcome = release.helm.upgrade(replace(values, jobs=(SessionJob("a", program),), **other))
    assert not outcome.ok
    release.world.advance(5)
    assert release.helm.rollback(0).ok
    release.world.advance(20)
    assert not release.world.ledger.faults
    assert release.jobs[0].rows >= rows
