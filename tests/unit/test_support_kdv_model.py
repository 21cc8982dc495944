"""The second computation of the KDV rows, and the comparison that the cluster tests rely on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.csv_output import Row
from tests.support.kdv_model import Expected, compare, expect

TV = {
    "id": 7,
    "product": "Televizyon",
    "description": "ikinci el LG OLED TV",
    "price": 18000,
    "kdv": 0.18,
    "timestamp_column": "2024-05-20 07:29:49",
}
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


def texts(*rows: dict[str, object]) -> list[str]:
    return [json.dumps(row) for row in rows]


def at(time: str, number: int = 7) -> dict[str, object]:
    return {**TV, "id": number, "timestamp_column": f"2024-05-20 {time}"}


def ids(rows: frozenset[Row]) -> set[int | None]:
    return {row.id for row in rows}


def test_the_sample_row() -> None:
    assert expect([texts(TV, CLOSER)]).certain == {TV_ROW}


def test_copies_within_a_window_are_one_row() -> None:
    assert expect([texts(TV, TV, at("07:29:50"), CLOSER)]).certain == {TV_ROW}


@pytest.mark.parametrize(
    ("price", "kdv", "total"),
    [
        ("50000", "0.10", "55000.00"),
        ("0.05", "0.10", "0.06"),  # 0.055: half up
        ("1.005", "0", "1.01"),
        ("18970.00", "0.2", "22764.00"),
        ("-0.05", "0.10", "-0.06"),
    ],
)
def test_money_is_decimal_and_rounds_half_up(price: str, kdv: str, total: str) -> None:
    text = f'{{"id":1,"price":{price},"kdv":{kdv},"timestamp_column":"2024-05-20 07:00:00"}}'
    (row,) = expect([[text, *texts(CLOSER)]]).certain
    assert str(row.price_with_kdv) == total


@pytest.mark.parametrize(("time", "closed"), [("07:30:04.999", False), ("07:30:05", True)])
def test_a_window_closes_when_the_watermark_reaches_its_end(time: str, closed: bool) -> None:
    assert (TV_ROW in expect([texts(TV, at(time))]).certain) is closed


def test_a_slow_partition_makes_rows_possible_only() -> None:
    fast, slow = texts(TV, CLOSER), texts(at("07:29:50", 8))
    result = expect([fast, slow])
    assert (ids(result.certain), ids(result.possible)) == (set(), {7, 8})


def test_a_late_row_is_possible_only_and_an_empty_partition_does_not_matter() -> None:
    result = expect([texts(at("07:29:00", 1), at("07:35:00", 2), at("07:29:30", 3), CLOSER), []])
    assert (ids(result.certain), ids(result.possible)) == ({1, 2}, {1, 2, 3})


def test_what_the_job_skips_is_not_expected() -> None:
    broken = ["", "no json", "[1]", "{}", '{"id":1,"timestamp_column":"soon"}', "null"]
    assert expect([[*broken, *texts(TV, CLOSER)]]).possible == {TV_ROW}


def test_missing_and_unreadable_fields_are_empty() -> None:
    text = '{"id":1,"price":"many","timestamp_column":"2024-05-20 07:00:00"}'
    (row,) = expect([[text, *texts(CLOSER)]]).certain
    assert row[:6] == (1, None, None, None, None, None)


def test_no_input_no_rows() -> None:
    assert expect([[], []]) == Expected(frozenset(), frozenset())


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
    result = expect([texts(*rows) for rows in partitions])
    assert result.certain <= result.possible
    times = [datetime.fromisoformat(str(row["timestamp_column"])) for rows in partitions for row in rows]
    for row in result.possible:
        assert row.window_start.second == 0
        assert row.window_start.minute % 2 == 0
        assert row.window_start + timedelta(minutes=2, seconds=5) <= max(times)
        assert any(timedelta() <= time - row.window_start < timedelta(minutes=2) for time in times)


@given(st.lists(ROW, min_size=1, max_size=30))
def test_in_order_rows_of_one_partition_leave_nothing_to_timing(rows: list[dict[str, object]]) -> None:
    ordered = sorted(rows, key=lambda row: str(row["timestamp_column"]))
    result = expect([texts(*ordered)])
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
