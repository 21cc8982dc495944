"""Reading CSV parts, by the real shell script in a local directory."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from harness_kdv.csv_output import Row, Snapshot, parse, read

LINE = '7,Televizyon,"ikinci el, ""LG"" OLED TV",18000,0.18,21240.00,"2024-05-20 07:28:00"\n'
ROW = Row(
    7,
    "Televizyon",
    'ikinci el, "LG" OLED TV',
    Decimal(18000),
    Decimal("0.18"),
    Decimal("21240.00"),
    datetime(2024, 5, 20, 7, 28),
)
CHEAP = Row(8, "Çay", "", Decimal(0), Decimal(0), Decimal("0.00"), datetime(2024, 5, 20, 7, 30))


def run(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_only_finished_parts_are_read(tmp_path: Path) -> None:
    (tmp_path / "part-b-0-1").write_text(LINE)
    (tmp_path / "part-a-0-0").write_text(LINE + '8,"Çay","",0,0,0.00,"2024-05-20 07:30:00"\n')
    (tmp_path / ".part-c-0-0.inprogress.1").write_text(LINE[:10])
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "part-d").write_text(LINE)
    snapshot = read(run, str(tmp_path))
    assert snapshot.parts.keys() == {"part-a-0-0", "part-b-0-1"}
    assert snapshot.rows == [ROW, CHEAP, ROW]


def test_a_directory_that_is_empty_or_not_there_has_no_rows(tmp_path: Path) -> None:
    assert read(run, str(tmp_path)) == Snapshot({})
    assert read(run, str(tmp_path / "not-there")) == Snapshot({})


def test_parts_that_changed_or_went_are_named() -> None:
    earlier = Snapshot({"same": "a", "grown": "a", "gone": "a"})
    later = Snapshot({"same": "a", "grown": "ab", "new": "a"})
    assert later.changed_since(earlier) == {"grown", "gone"}
    assert later.changed_since(later) == set()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (LINE.rstrip("\n"), "ends in the middle of a line"),
        (LINE + "7,Televizyon\n", "row 2"),
        (LINE.replace("18000", "1.8E+4"), "no number in plain digits"),
        (LINE.replace("07:28:00", "07:28"), "row 1"),
        (LINE.replace("7,", "seven,", 1), "row 1"),
        (LINE.replace("18000", ""), "no number in plain digits"),
    ],
)
def test_a_damaged_part_is_an_error_that_names_it(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=rf"part-1.*{sentence}"):
        parse(text, "part-1")
