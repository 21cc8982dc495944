"""What the KDV job has to make of its input, computed independently of it, and the comparison with what it made.

Every input record ends in one of four ways: as a CSV row, as the copy of a row of the same window, as a dead letter, or as a
late record. Which records are broken is known from the input alone. Which are late depends on timing where partitions are read at
different speeds: `Input.accounted` checks that no record was called late which cannot have been, and that all others are rows.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from .csv_output import Row
from .kafka import Record

_EPOCH = datetime(1970, 1, 1)
_TIME = re.compile(r"(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?", re.ASCII)
_SHOWN = 10
_TICK = timedelta(milliseconds=1)  # a watermark says that its own millisecond is over

WINDOW = timedelta(minutes=2)
DELAY = timedelta(seconds=5)
LONGEST = 64 * 1024
FUTURE = timedelta(hours=1)  # what comes later than that has a wrong clock

Place = tuple[int, int]  # partition and offset


class Broken(ValueError):
    """A record that cannot be a row."""


@dataclass(frozen=True)
class Expected:
    """Rows that must be there, and rows that may be there: those of windows that only some partitions have closed."""

    certain: frozenset[Row]
    possible: frozenset[Row]


class _Number(str):
    """A JSON number as it stands: only those of known fields are computed."""


def read(value: bytes, window: timedelta = WINDOW, future: timedelta | None = FUTURE) -> tuple[datetime, Row]:
    """Event time and row of a record, which may be no more than `future` beyond the clock. Raises Broken."""
    if len(value) > LONGEST:
        raise Broken("too long")
    try:
        fields = _json(value.decode().removeprefix("\ufeff"))
    except ValueError as error:
        raise Broken("no JSON in UTF-8") from error
    if not isinstance(fields, dict):
        raise Broken("no object")
    number = fields.get("id")
    if not isinstance(number, _Number) or not re.fullmatch(r"-?\d{1,19}", number) or not -(2**63) <= int(number) < 2**63:
        raise Broken("id")
    product, description = _string(fields.get("product")), _string(fields.get("description"))
    price = _amount(fields.get("price"), Decimal(10) ** 14)
    kdv = _amount(fields.get("kdv"), Decimal(1) + Decimal("0.0001"))
    total = (price * (1 + kdv)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    time = _time(fields.get("timestamp_column"))
    if future is not None and time > datetime.now(UTC).replace(tzinfo=None) + future:
        raise Broken("future")
    start = _EPOCH + (time - _EPOCH) // window * window
    return time, Row(int(number), product, description, price, kdv, total, start)


def _json(text: str) -> Any:
    def parse() -> Any:
        return json.loads(text, parse_int=_Number, parse_float=_Number, parse_constant=_no_number)

    try:
        return parse()
    except RecursionError:  # deep fields are JSON too; a record has at most LONGEST levels
        return _with_a_deep_stack(parse)


def _with_a_deep_stack(function: Callable[[], Any]) -> Any:
    size, limit = threading.stack_size(512 * 1024 * 1024), sys.getrecursionlimit()
    sys.setrecursionlimit(2 * LONGEST)
    try:
        with ThreadPoolExecutor(1) as other:
            return other.submit(function).result()
    finally:
        sys.setrecursionlimit(limit)
        threading.stack_size(size)


def _no_number(text: str) -> None:
    raise ValueError(text)


def _string(value: Any) -> str:
    if not isinstance(value, str) or isinstance(value, _Number):
        raise Broken("no text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Broken("half of a surrogate pair") from error
    return value


def _amount(value: Any, limit: Decimal) -> Decimal:
    """A number from 0 to below `limit` with at most four digits behind the point."""
    if not isinstance(value, _Number):
        raise Broken("no number")
    digits, _, exponent = value.lower().partition("e")
    if not digits.strip("-0."):
        return Decimal(0)
    if len(exponent.strip("+-").lstrip("0")) > 6:
        raise Broken("out of range")
    number = Decimal(value)
    if not 0 <= number < limit or number != number.quantize(Decimal("0.0001")):
        raise Broken("out of range")
    return number


def _time(value: Any) -> datetime:
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise Broken("time")
    try:
        time = datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S")
    except ValueError as error:
        raise Broken("time") from error
    if time < _EPOCH:
        raise Broken("time")
    return time + timedelta(milliseconds=int((match[2] or "0").ljust(3, "0")[:3]))


@dataclass(frozen=True)
class _Read:
    """One good record: `behind` says whether its window can have closed before it was read."""

    place: Place
    value: bytes
    row: Row
    behind: bool


class Input:
    """The records of a topic, judged."""

    def __init__(
        self, records: Iterable[Record], *, window: timedelta = WINDOW, delay: timedelta = DELAY, idle: bool = False
    ) -> None:
        """`idle`: whether a partition may have been idle, so that others alone closed windows of its rows."""
        self.broken: dict[Place, bytes] = {}
        self.good: list[_Read] = []
        self.window = window
        marks: dict[int, datetime] = defaultdict(lambda: datetime.min)
        for record in sorted(records, key=lambda record: (record.partition, record.offset)):
            place = (record.partition, record.offset)
            try:
                time, row = read(record.value, window)
            except Broken:
                self.broken[place] = record.value
                continue
            mark = marks[record.partition]
            self.good.append(_Read(place, record.value, row, row.window_start + window <= mark))
            marks[record.partition] = max(mark, time - delay + _TICK)
        self._marks = list(marks.values())
        if idle:
            last = max(self._marks, default=datetime.min)
            self.good = [replace(read, behind=read.row.window_start + window <= last) for read in self.good]

    def expect(self, late: Collection[Place] = (), *, bounded: bool = False) -> Expected:
        """The rows of all good records that are not among the `late` ones.

        A window is closed for certain when every partition's watermark has reached its end, and at the end of a `bounded` run.
        """
        certain, possible = set(), set()
        for read in self.good:
            end = read.row.window_start + self.window
            if read.place not in late and (bounded or end <= max(self._marks)):
                possible.add(read.row)
                if bounded or end <= min(self._marks):
                    certain.add(read.row)
        return Expected(frozenset(certain), frozenset(possible))

    def rejects(self, dead: Iterable[Record], late: Iterable[Record]) -> list[str]:
        """What is wrong with the dead letters and late records, in sentences; nothing, if all is right."""
        problems = [*_differences("dead letter", self.broken, dead)]
        late = list(late)
        candidates = {read.place: read.value for read in self.good if read.behind}
        problems += _differences(
            "late record", {place: candidates[place] for place in map(origin, late) if place in candidates}, late
        )
        return problems

    def accounted(
        self, dead: Collection[Record], late: Collection[Record], rows: Iterable[Row], *, bounded: bool = False
    ) -> Report:
        """Each record against where it ended: rows = records - dead letters - late records - copies, by identity."""
        report = compare(self.expect({origin(record) for record in late}, bounded=bounded), rows)
        return replace(report, rejects=self.rejects(dead, late))


def origin(reject: Record) -> Place:
    """Where a dead letter or late record was read from."""
    return int(reject.headers["partition"]), int(reject.headers["offset"])


def _differences(what: str, expected: dict[Place, bytes], records: Iterable[Record]) -> Iterator[str]:
    counts: Counter[Place] = Counter()
    for record in records:
        place = origin(record)
        counts[place] += 1
        if place not in expected:
            yield f"no {what}: {place} {record.headers.get('reason')} {record.value[:100]!r}"
        elif record.value != expected[place]:
            yield f"{what} altered: {place} {expected[place][:100]!r} became {record.value[:100]!r}"
        if not record.headers.get("reason"):
            yield f"{what} without a reason: {place}"
    yield from (f"{what} twice: {place}" for place, count in counts.items() if count > 1)
    yield from (f"{what} lost: {place} {value[:100]!r}" for place, value in expected.items() if place not in counts)


@dataclass(frozen=True)
class Report:
    """The differences; `str()` is for people."""

    lost: list[Row]
    twice: list[Row]
    altered: list[tuple[Row, Row]]  # (expected, actual)
    unexpected: list[Row]
    rejects: list[str] = field(default_factory=list)  # what is wrong with dead letters and late records

    @property
    def ok(self) -> bool:
        return not (self.lost or self.rejects or self.for_good)

    @property
    def for_good(self) -> bool:
        """Whether rows are wrong in a way that no waiting mends."""
        return bool(self.twice or self.altered or self.unexpected)

    def __str__(self) -> str:
        return "\n".join(self._lines()) or "every row is there once, as expected"

    def _lines(self) -> Iterator[str]:
        altered = [f"{_text(expected)}\n    became {_text(actual)}" for expected, actual in self.altered]
        for what, rows in (
            ("lost", list(map(_text, self.lost))),
            ("twice", list(map(_text, self.twice))),
            ("altered", altered),
            ("unexpected", list(map(_text, self.unexpected))),
        ):
            if rows:
                yield f"{len(rows)} rows {what}:"
                yield from (f"  {row}" for row in rows[:_SHOWN])
                if len(rows) > _SHOWN:
                    yield f"  ... and {len(rows) - _SHOWN} more"
        yield from self.rejects[:_SHOWN]
        if len(self.rejects) > _SHOWN:
            yield f"... and {len(self.rejects) - _SHOWN} more sentences on rejects"


def compare(expected: Expected, actual: Iterable[Row]) -> Report:
    """Use it as `assert report.ok, report`. An altered row has the id and window of one that is lost."""
    counts = Counter(actual)
    lost = sorted(expected.certain - counts.keys(), key=_text)
    foreign = sorted(counts.keys() - expected.possible, key=_text)
    altered = []
    for actual_row in list(foreign):
        same = (row for row in lost if (row.id, row.window_start) == (actual_row.id, actual_row.window_start))
        if lost_row := next(same, None):
            altered.append((lost_row, actual_row))
            lost.remove(lost_row)
            foreign.remove(actual_row)
    twice = [row for row, count in counts.items() for _ in range(count - 1)]
    return Report(lost, twice, altered, foreign)


def _text(row: Row) -> str:
    return ",".join("" if field is None else str(field) for field in row)
