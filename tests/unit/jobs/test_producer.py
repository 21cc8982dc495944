"""The rows of the producer, their pace, and what it says when it cannot deliver."""

from __future__ import annotations

import json
import signal
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from jobs.tools import producer

SAMPLE = Path(producer.__file__).parent.parent / "kdv" / "sample.jsonl"
START = datetime(2024, 5, 20, 8)
FIELDS = ["id", "product", "description", "price", "kdv", "timestamp_column"]


def rows(count: int, *, seed: int = 1, sample: tuple[bytes, ...] = (), start: datetime | None = START) -> producer.Rows:
    return producer.Rows(sample, count, seed, start, timedelta(seconds=0.5))


def read(line: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(line, parse_float=Decimal)
    return fields


def test_the_same_seed_gives_the_same_rows_and_another_one_others() -> None:
    assert list(rows(200)) == list(rows(200))
    assert list(rows(200)) != list(rows(200, seed=2))


def test_more_rows_begin_with_the_same_rows() -> None:
    assert list(rows(20))[:10] == list(rows(10))


def test_the_shape_of_an_invented_row() -> None:
    for number, fields in enumerate(map(read, rows(500)), start=1):
        assert list(fields) == FIELDS
        assert fields["id"] == number
        assert fields["product"] in producer.PRODUCTS
        price = Decimal(fields["price"])
        assert price == price.quantize(Decimal("0.01"))
        assert price > 0
        assert fields["kdv"] in producer.KDV


def test_event_time_advances_by_the_step() -> None:
    times = [datetime.fromisoformat(read(line)["timestamp_column"]) for line in rows(5)]
    assert times == [START + index * timedelta(seconds=0.5) for index in range(5)]


def test_the_lines_of_the_sample_come_first_untouched_and_ids_continue() -> None:
    broken = (b'{"id":1, "price":  18970.00}', b"\xff not json")
    lines = list(rows(2, sample=broken))
    assert tuple(lines[:2]) == broken
    assert [read(line)["id"] for line in lines[2:]] == [3, 4]


def test_a_negative_count_never_ends() -> None:
    assert len(list(islice(rows(-1), 10_000))) == 10_000


def test_without_a_start_time_rows_have_the_time_of_sending() -> None:
    before = datetime.now(UTC)
    (line,) = rows(1, start=None)
    written = datetime.fromisoformat(read(line)["timestamp_column"]).replace(tzinfo=UTC)
    assert before - timedelta(milliseconds=1) <= written <= datetime.now(UTC)


def test_closing_rows_are_later_than_every_row_one_for_each_partition() -> None:
    late = b'{"id":1,"timestamp_column":"2024-05-20 09:00:00"}'
    all_rows = rows(3, sample=(late, b"no json", b'{"timestamp_column":5}'))
    list(all_rows)
    closing = [read(line) for line in all_rows.closing(3, timedelta(minutes=10))]
    assert {fields["timestamp_column"] for fields in closing} == {"2024-05-20 09:10:00.000"}
    assert [fields["id"] for fields in closing] == [-1, -2, -3]
    assert all(list(fields) == FIELDS for fields in closing)


def test_nothing_to_close_without_an_event_time() -> None:
    assert rows(0).closing(2, timedelta(minutes=10)) == []


def test_the_sample_has_the_rows_that_the_readme_speaks_of() -> None:
    sample = [read(line) for line in SAMPLE.read_bytes().splitlines()]
    assert [fields["id"] for fields in sample] == list(range(1, len(sample) + 1))
    assert all(list(fields) == FIELDS for fields in sample)
    television = next(fields for fields in sample if fields["product"] == "Televizyon")
    assert (television["id"], television["price"], television["kdv"]) == (7, 18000, Decimal("0.18"))
    assert television["description"] == "ikinci el LG OLED TV"
    assert television["timestamp_column"].endswith(" 07:29:49")
    assert (50000, Decimal("0.10")) in [(fields["price"], fields["kdv"]) for fields in sample]


def test_event_time_of_the_sample_moves_forward() -> None:
    times = [producer.event_time(line) for line in SAMPLE.read_bytes().splitlines()]
    assert None not in times
    assert times == sorted(time for time in times if time)


class Clock:
    """Stands in for time.monotonic() and for the event that the producer waits on; waiting moves the clock."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def is_set(self) -> bool:
        return False


def test_the_rate_holds_for_invented_rows_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(producer, "time", clock)
    times = [clock.now for _ in producer.paced([b""] * 5, 2, 2, clock)]  # type: ignore[arg-type]
    assert times == [0, 0, 0, 0.5, 1]


def test_a_stop_ends_the_rows() -> None:
    stop = threading.Event()
    passed = []
    for row in producer.paced(rows(-1), 0, 0, stop):
        passed.append(row)
        if len(passed) == 3:
            stop.set()
    assert len(passed) == 3


class FakeSender:
    """Takes rows in place of Kafka; the row number `fails_at` is not delivered."""

    def __init__(self, partitions: int = 2, fails_at: int = 0) -> None:
        self.sent: list[tuple[int, bytes]] = []
        self.delivered, self.failure = 0, ""
        self._partitions, self._fails_at = partitions, fails_at

    def partitions(self) -> int:
        if not self._partitions:
            raise LookupError("topic sahibinden does not exist: create it with topic.py create")
        return self._partitions

    def send(self, line: bytes, partition: int) -> None:
        self.sent.append((partition, line))
        if len(self.sent) == self._fails_at:
            self.failure = "message too large"
        else:
            self.delivered += 1

    def flush(self) -> int:
        return 0


def run(monkeypatch: pytest.MonkeyPatch, sender: FakeSender, *arguments: str) -> int:
    monkeypatch.setattr(producer, "Sender", lambda *_: sender)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    return producer.main(list(arguments))


def test_rows_go_round_the_partitions_and_the_closing_rows_to_each(monkeypatch: pytest.MonkeyPatch) -> None:
    sender = FakeSender(partitions=3)
    arguments = ("--count=4", "--start-time=2024-05-20 08:00:00", "--close-windows=600")
    assert run(monkeypatch, sender, *arguments) == 0
    assert [partition for partition, _ in sender.sent] == [0, 1, 2, 0, 0, 1, 2]
    assert read(sender.sent[-1][1])["timestamp_column"] == "2024-05-20 08:10:03.000"


def test_a_row_that_was_not_delivered_is_a_failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, FakeSender(fails_at=2), "--count=-1") == 1
    assert "not every row was delivered: message too large" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("sender", "arguments", "sentence"),
    [
        (FakeSender(partitions=0), [], "create it with topic.py create"),
        (FakeSender(), ["--sample=/no/such/file"], "No such file"),
    ],
)
def test_what_is_missing_is_said(
    sender: FakeSender,
    arguments: list[str],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, sender, *arguments) == 1
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("--count=-2", "write 0 or more, or -1 for ever"),
        ("--count=many", "is not a number of rows"),
        ("--rate=-1", "is not a number of 0 or more"),
        ("--rate=nan", "is not a number of 0 or more"),
        ("--start-time=noon", "is not a time: write it like"),
        ("--close-windows=soon", "is not a number of 0 or more"),
    ],
)
def test_wrong_arguments_are_refused_with_a_sentence(argument: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        producer.parse_args([argument])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "when"),
    [
        (b'{"timestamp_column": "2024-05-20T08:00:00-03:00"}', datetime(2024, 5, 20, 11)),
        (b'{"timestamp_column": "2024-05-20 08:00:00"}', datetime(2024, 5, 20, 8)),
        (b'{"timestamp_column": "0001-01-01T00:00:00+03:00"}', None),
        (b"[" * 5000, None),
        (b"null", None),
    ],
)
def test_of_a_line_that_goes_out_whatever_it_holds_the_time_is_read(line: bytes, when: datetime | None) -> None:
    assert producer.event_time(line) == when


def test_closing_rows_stay_in_the_calendar() -> None:
    sent = rows(0, sample=(b'{"timestamp_column": "9999-12-31 23:59:59"}',))
    list(sent)
    (closing,) = sent.closing(1, timedelta(hours=1))
    assert read(closing)["timestamp_column"].startswith("9999-12-31 23:59:59")
