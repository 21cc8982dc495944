"""Adverts for the tests: a good one, and the records made of it."""

from __future__ import annotations

from typing import Any

from jobs.tools.producer import to_json

GOOD: dict[str, Any] = {
    "id": 7,
    "product": "Televizyon",
    "description": "ikinci el LG OLED TV",
    "price": 18000,
    "kdv": 0.18,
    "timestamp_column": "2024-05-20 08:00:30",
}


def advert(**fields: Any) -> bytes:
    """The good one with other fields; `time` is that of its day."""
    if time := fields.pop("time", None):
        fields["timestamp_column"] = f"2024-05-20 {time}"
    return to_json({**GOOD, **fields})


def rows_of_minutes(count: int, first: int = 0) -> list[bytes]:
    """One good row for each window from 00:00 on, each of which closes the window before it."""
    return [advert(id=number, time=f"{number * 2 // 60:02}:{number * 2 % 60:02}:05") for number in range(first, first + count)]
