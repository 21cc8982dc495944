"""The second computation of the KDV rows, and the comparison that the cluster tests rely on."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness_kdv.csv_output import Row
from harness_kdv.model import Broken, Expected, Input, compare, read
from jobs.tools.producer import BROKEN
from tests.unit.harness_kdv.records import TV, at, records, reject

CLOSER = {**TV, "id": 99, "timestamp_column": "2024-05-20 07:40:00"}
TV_ROW = Row(
    7,
    "Televizyon",
    "ikinci el LG OLED TV",
    Decimal(18000),
    Decimal("0.18"),
    Decimal("21240.00"),
    datetime(2024, 5, 20, 7, 28),
)


def ids(rows: frozenset[Row]) -> set[int]:
    return {row.id for row in rows}


def test_the_sample_row() -> None:
    assert Input(records([TV, CLOSER])).expect().certain == {TV_ROW}


def test_copies_within_a_window_are_one_row() -> None:
    assert Input(records([TV, TV, at("07:29:50"), CLOSER])).expect().certain == {TV_ROW}


@pytest.mark.parametrize(
    ("price", "kdv", "total"),
    [
        ("50000", "0.10", "55000.00"),
        ("0.05", "0.10", "0.06"),  # 0.055: half up
        ("1.005", "0", "1.01"),
        ("18970.00", "0.2", "22764.00"),
        ("19.90", "1", "39.80"),
    ],
)
def test_money_is_decimal_and_rounds_half_up(price: str, kdv: str, total: str) -> None:
    row = json.dumps(TV).replace("18000", price).replace("0.18", kdv).encode()
    assert str(read(row)[1].price_with_kdv) == total


@pytest.mark.parametrize("name", BROKEN)
@given(seed=st.integers())
def test_every_fault_of_the_producer_is_one(name: str, seed: int) -> None:
    with pytest.raises(Broken):
        read(BROKEN[name](TV, random.Random(seed)))


@pytest.mark.parametrize(("time", "closed"), [("07:30:04.998", False), ("07:30:04.999", True)])
def test_a_window_closes_when_the_watermark_reaches_its_end(time: str, closed: bool) -> None:
    assert (TV_ROW in Input(records([TV, at(time)])).expect().certain) is closed


def test_a_bounded_run_closes_every_window() -> None:
    assert Input(records([TV])).expect(bounded=True).certain == {TV_ROW}


def test_a_slow_partition_makes_rows_possible_only() -> None:
    result = Input(records([TV, CLOSER], [at("07:29:50", 8)])).expect()
    assert (ids(result.certain), ids(result.possible)) == (set(), {7, 8})


def test_a_late_record_is_no_row_and_one_that_is_none_is_found() -> None:
    rows = [at("07:29:00", 1), at("07:35:00", 2), at("07:29:30", 3), CLOSER]
    judged = Input(records(rows, []))
    assert ids(judged.expect().certain) == {1, 2, 3}
    assert ids(judged.expect({(0, 2)}).possible) == {1, 2}
    late = reject(0, 2, json.dumps(rows[2]).encode())
    assert judged.rejects([], [late]) == []
    assert judged.rejects([], [reject(0, 0, json.dumps(rows[0]).encode())]) == [
        "no late record: (0, 0) because " + repr(json.dumps(rows[0]).encode()[:100])
    ]
    assert judged.rejects([], [late, late]) == ["late record twice: (0, 2)"]


def test_dead_letters_are_held_against_the_input() -> None:
    judged = Input(records([b"x", TV, b"y"]))
    assert judged.rejects([reject(0, 0, b"x"), reject(0, 2, b"y")], []) == []
    assert judged.rejects([reject(0, 0, b"x")], []) == ["dead letter lost: (0, 2) b'y'"]
    assert judged.rejects([reject(0, 0, b"z"), reject(0, 2, b"y")], []) == ["dead letter altered: (0, 0) b'x' became b'z'"]
    assert judged.rejects([reject(0, 0, b"x"), reject(0, 2, b"y", "")], []) == ["dead letter without a reason: (0, 2)"]
    assert judged.rejects([reject(0, 0, b"x"), reject(0, 1, b"?"), reject(0, 2, b"y")], []) == [
        "no dead letter: (0, 1) because b'?'"
    ]


def test_no_input_no_rows() -> None:
    assert Input([]).expect() == Expected(frozenset(), frozenset())


ROW = st.builds(
    lambda number, second, price: {
        **TV,
        "id": number,
        "price": price,
        "timestamp_column": str(datetime(2024, 5, 20) + timedelta(seconds=second)),
    },
    st.integers(0, 50),
    st.integers(0, 3600),
    st.integers(0, 10**6),
)


@given(st.lists(st.lists(ROW, max_size=20), max_size=3))
def test_properties_of_the_model(partitions: list[list[dict[str, object]]]) -> None:
    result = Input(records(*partitions)).expect()
    assert result.certain <= result.possible
    times = [datetime.fromisoformat(str(row["timestamp_column"])) for rows in partitions for row in rows]
    for row in result.possible:
        assert row.window_start.second == 0
        assert row.window_start.minute % 2 == 0
        assert row.window_start + timedelta(minutes=2, seconds=5) <= max(times) + timedelta(milliseconds=1)
        assert any(timedelta() <= time - row.window_start < timedelta(minutes=2) for time in times)


@given(st.lists(ROW, min_size=1, max_size=30))
def test_rows_of_one_partition_leave_nothing_to_timing(rows: list[dict[str, object]]) -> None:
    result = Input(records(rows)).expect()
    assert result.certain == result.possible


@given(st.sets(ROW.map(lambda row: Row(*TV_ROW)._replace(id=hash(str(row)))), min_size=1), st.data())
def test_compare_finds_each_kind_of_damage(rows: set[Row], data: st.DataObject) -> None:
    expected = Expected(frozenset(rows), frozenset(rows))
    assert compare(expected, rows).ok
    victim = data.draw(st.sampled_from(sorted(rows, key=str)))
    others: Sequence[Row] = [row for row in rows if row != victim]
    assert compare(expected, others).lost == [victim]
    assert compare(expected, [*rows, victim]).twice == [victim]
    damaged = victim._replace(price_with_kdv=Decimal("0.01"))
    report = compare(expected, [*others, damaged])
    assert (report.altered, report.lost, report.unexpected) == ([(victim, damaged)], [], [])
    assert not report.ok


def test_possible_rows_may_be_there_or_not_and_others_may_not() -> None:
    expected = Expected(frozenset(), frozenset({TV_ROW}))
    assert compare(expected, []).ok
    assert compare(expected, [TV_ROW]).ok
    foreign = TV_ROW._replace(id=1)
    assert compare(expected, [foreign]).unexpected == [foreign]


def test_the_report_is_readable() -> None:
    rows = [TV_ROW._replace(id=number) for number in range(12)]
    report = str(compare(Expected(frozenset(rows), frozenset(rows)), []))
    assert report.startswith("12 rows lost:\n  ")
    assert "0,Televizyon,ikinci el LG OLED TV,18000,0.18,21240.00,2024-05-20 07:28:00" in report
    assert report.endswith("... and 2 more")
    assert str(compare(Expected(frozenset(), frozenset()), [])) == "every row is there once, as expected"
