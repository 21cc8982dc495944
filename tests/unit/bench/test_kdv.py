"""The figures of the bench: what it derives from what it saw."""

from __future__ import annotations

from typing import Any

import pytest

from bench.kdv import page
from bench.kdv.check import rows
from bench.kdv.data import Data
from bench.kdv.runner import steady_rate


def run(subject: str, rate: int, **more: Any) -> dict[str, Any]:
    fixed: dict[str, Any] = {"partitions": 1, "parallelism": 1, "rows": 2_000_000, "rows_per_window": 8000, "events": 2_000_000}
    fixed |= {"cpu_seconds": 30.0, "seconds": 1_000_000 / rate + 10, "day": "2026-11-21"}
    return {"subject": subject, "steady_events_per_second": rate, "memory_mib": 900, "versions": {}, **fixed, **more}


def written(runs: list[dict[str, Any]]) -> str:
    text, picture = page.page(runs, {"peer": "Everything."}, memory="1728 MiB", interval="10 s")
    assert picture.startswith("<svg")
    return text


def test_the_steady_rate_is_that_of_the_second_half() -> None:
    assert steady_rate([(0.0, 0), (10.0, 100), (12.0, 200)]) == pytest.approx(50)
    assert steady_rate([(0.0, 0), (4.0, 200)]) == pytest.approx(50)


def test_the_data_are_the_same_each_time_and_in_order_in_each_partition() -> None:
    data = Data(2000, 4)
    records = list(data.rows())
    assert records == list(data.rows())
    assert len(records) == data.messages
    for partition in range(4):
        times = [value.rpartition(b'"timestamp_column":')[2] for place, value in records if place == partition]
        assert len(times) == 501
        assert times == sorted(times)


def test_amounts_that_are_no_decimals_are_rounded_before_they_are_compared() -> None:
    line = '1,Kitap,"a ""b""",100.0,0.1,110.00000000000001,"2024-05-20 08:00:00"'
    [rounded], [exact] = rows([line], exact=False), rows([line], exact=True)
    assert str(rounded.price_with_kdv) == "110.00"
    assert str(exact.price_with_kdv) == "110.00000000000001"


def test_the_page_compares_the_medians_with_the_reference() -> None:
    text = written([run("ours", rate) for rate in (190_000, 220_000, 200_000)] + [run(page.BASE, 100_000)])
    assert "| ours | 1 | 200 k | 190 k to 220 k | 100 k | 2.00 | 15.0 | 900 |  | 3 |" in text


def test_runs_over_more_rows_are_a_table_of_their_own() -> None:
    text = written([run("ours", 200_000), run("ours", 150_000, rows=10_000_000, events=9_000_000, seconds=120)])
    assert text.count("| ours | 1 |") == 2
    assert "## 10,000,000 rows in 1 partition, 2026-11-21\n" in text


def test_larger_windows_have_a_table_of_their_own() -> None:
    text = written([run("ours", 200_000), run("ours", 150_000, rows_per_window=2_000_000)])
    assert "| 2,000,000 | ours | 1 | 150 k | 15.0 | 900 |  |" in text
    assert text.count("150 k") == 1


def test_what_was_not_measured_is_not_spoken_of() -> None:
    assert "Everything." not in written([run("ours", 1)])
    assert "- `peer`: Everything." in written([run("peer", 1)])


def test_rates_of_different_days_are_not_compared() -> None:
    runs = [run("reference-1.20.5", 50_000), run("ours", 100_000), run("ours", 200_000, day="2026-11-26")]
    newest, older = written(runs).split("## ")[1:3]
    assert newest.startswith("2,000,000 rows in 1 partition, 2026-11-26\n")
    assert "| ours | 1 | 200 k | 200 k to 200 k |" in newest
    assert "| reference-1.20.5 |" not in newest
    assert "| 2.00 |" in older
