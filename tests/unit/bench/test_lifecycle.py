"""The figures of the bench of kills and upgrades."""

from __future__ import annotations

import pytest

from bench import lifecycle


def test_the_gap_is_the_longest_one_that_ends_after_the_step_began() -> None:
    times = [1.0, 30.0, 31.0, 32.0, 44.5, 45.5]
    assert lifecycle.gap(times, 31.5) == pytest.approx(12.5)


def test_the_section_has_a_row_for_each_step_and_says_nothing_of_what_was_not_measured() -> None:
    runs = [{"step": "upgrade", "subject": "ours", "seconds": seconds} for seconds in (9.0, 8.0, 12.0)]
    text = lifecycle.section([*runs, {"step": "upgrade", "subject": "by-hand", "seconds": 20}])
    assert "| upgrade with a savepoint | 9.0 (8.0 to 12.0) | 20.0 (20.0 to 20.0) |  |" in text
    assert "| rollback with a savepoint |  |  |  |" in text
