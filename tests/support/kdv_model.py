"""What the KDV job has to write, computed independently from its input and compared with what it wrote."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from .csv_output import Row

_EPOCH = datetime(1970, 1, 1)
_SHOWN = 10


@dataclass(frozen=True)
class Expected:
    """Rows that must be there, and rows that may be there.

    Rows of `possible` alone are those of windows that only some partitions have closed, and those that were
    late in their own partition: timing decides about them.
    """

    certain: frozenset[Row]
    possible: frozenset[Row]


def expect(
    partitions: Iterable[Sequence[str]],
    *,
    window: timedelta = timedelta(minutes=2),
    delay: timedelta = timedelta(seconds=5),
) -> Expected:
    """The rows for these input texts, one sequence for each partition in the order of offsets.

    A window is closed when the watermark, the greatest event time less `delay`, has reached its end.
    """
    read = [[row for row in map(_read, texts) if row is not None] for texts in partitions]
    marks = [max(time for time, _ in rows) - delay for rows in read if rows]
    if not marks:
        return Expected(frozenset(), frozenset())
    certain, possible = set(), set()
    for rows in read:
        watermark = datetime.min
        for time, fields in rows:
            start = _EPOCH + (time - _EPOCH) // window * window
            if start + window <= max(marks):
                row = _with_kdv(fields, start)
                possible.add(row)
                if watermark < start + window <= min(marks):
                    certain.add(row)
            watermark = max(watermark, time - delay)
    return Expected(frozenset(certain), frozenset(possible))


def _read(text: str) -> tuple[datetime, dict[str, Any]] | None:
    """Event time and fields of a record; None for one that the job skips."""
    try:
        fields = json.loads(text, parse_float=Decimal)
        return datetime.fromisoformat(fields["timestamp_column"]), fields
    except (ValueError, TypeError, KeyError):
        return None


def _with_kdv(fields: dict[str, Any], start: datetime) -> Row:
    price, kdv = _decimal(fields.get("price")), _decimal(fields.get("kdv"))
    total = None
    if price is not None and kdv is not None:
        total = (price * (1 + kdv)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    texts = (fields.get("product") or None, fields.get("description") or None)
    return Row(fields.get("id"), *texts, price, kdv, total, start)


def _decimal(value: Any) -> Decimal | None:
    """A number with the four digits that the job keeps; None for none."""
    try:
        return Decimal(value).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    except (InvalidOperation, TypeError, ValueError):
        return None


@dataclass(frozen=True)
class Report:
    """The differences; `str()` is for people."""

    lost: list[Row]
    twice: list[Row]
    altered: list[tuple[Row, Row]]  # (expected, actual)
    unexpected: list[Row]

    @property
    def ok(self) -> bool:
        return not (self.lost or self.twice or self.altered or self.unexpected)

    def __str__(self) -> str:
        return "\n".join(self._lines()) or "every row is there once, as expected"

    def _lines(self) -> Iterator[str]:
        altered = [f"{_text(wanted)}\n    became {_text(actual)}" for wanted, actual in self.altered]
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


def compare(expected: Expected, actual: Iterable[Row]) -> Report:
    """Use it as `assert report.ok, report`. An altered row has the id and window of one that is lost."""
    counts = Counter(actual)
    lost = sorted(expected.certain - counts.keys(), key=_text)
    foreign = sorted(counts.keys() - expected.possible, key=_text)
    altered = []
    for actual_row in list(foreign):
        same = (row for row in lost if (row.id, row.window_start) == (actual_row.id, actual_row.window_start))
        if wanted := next(same, None):
            altered.append((wanted, actual_row))
            lost.remove(wanted)
            foreign.remove(actual_row)
    twice = [row for row, count in counts.items() for _ in range(count - 1)]
    return Report(lost, twice, altered, foreign)


def _text(row: Row) -> str:
    return ",".join("" if field is None else str(field) for field in row)
