"""What became of each record of a walk."""

from __future__ import annotations

import pytest

from harness_kdv.kafka import Record
from harness_kdv.model import Input
from tests.soak.account import account
from tests.unit.harness_kdv.records import at, records, reject

# One partition: a row, its copy, a row that closes the window, one that is late, a broken one.
ALL = records([at("07:28:00", 1), at("07:28:00", 1), at("07:40:00", 2), at("07:28:30", 3), b"broken"])
DEAD, LATE = reject(0, 4, b"broken"), reject(0, 3, ALL[3].value)
ROWS = [read.row for read in Input(ALL).good]
ONCE = {"row": 1, "copy": 1, "waits": 1, "dead letter": 1}


def test_each_record_has_one_end() -> None:
    report = account(Input(ALL), ROWS[:1], [DEAD], [LATE])
    assert not report.wrong + report.hopeless
    assert report.ends == {**ONCE, "late record": 1}


def test_a_late_record_may_not_vanish() -> None:
    report = account(Input(ALL), ROWS[:1], [DEAD], [])
    assert report.wrong
    assert report.ends == {**ONCE, "vanished, late": 1}


def test_a_row_in_time_may_never_vanish() -> None:
    report = account(Input(ALL), [], [DEAD], [LATE])
    assert [line.partition(" b'")[0] for line in report.wrong] == ["vanished: (0, 0)", "vanished: (0, 1)"]


@pytest.mark.parametrize(
    ("dead", "late", "wrong"),
    [
        ([], [LATE], "dead letter lost"),
        ([DEAD, DEAD], [LATE], "dead letter twice"),
        ([DEAD], [LATE, LATE], "late record twice"),
        ([DEAD], [reject(0, 0, ALL[0].value)], "no late record"),
    ],
)
def test_rejects_are_exact(dead: list[Record], late: list[Record], wrong: str) -> None:
    report = account(Input(ALL), ROWS[:1], dead, late)
    assert any(line.startswith(wrong) for line in report.wrong)


def test_what_should_not_be_there_is_hopeless() -> None:
    twice = account(Input(ALL), [ROWS[0], ROWS[0]], [DEAD], [LATE])
    foreign = account(Input(ALL), [ROWS[0], ROWS[0]._replace(id=77)], [DEAD], [LATE])
    altered = account(Input(ALL), [ROWS[0]._replace(product="Kitap")], [DEAD], [LATE])
    assert [report.hopeless[0].partition(":")[0] for report in (twice, foreign, altered)] == ["twice", "unexpected", "altered"]
