"""Records of a topic, as tests write them down."""

from __future__ import annotations

import json
from collections.abc import Sequence

from harness_kdv.kafka import Record

TV = {
    "id": 7,
    "product": "Televizyon",
    "description": "ikinci el LG OLED TV",
    "price": 18000,
    "kdv": 0.18,
    "timestamp_column": "2024-05-20 07:29:49",
}


def records(*partitions: Sequence[dict[str, object] | bytes]) -> list[Record]:
    """One sequence of rows for each partition."""
    return [
        Record(number, offset, row if isinstance(row, bytes) else json.dumps(row).encode())
        for number, rows in enumerate(partitions)
        for offset, row in enumerate(rows)
    ]


def reject(partition: int, offset: int, value: bytes, reason: str = "because") -> Record:
    return Record(0, 0, value, {"partition": str(partition), "offset": str(offset), "reason": reason})


def at(time: str, number: int = 7) -> dict[str, object]:
    return {**TV, "id": number, "timestamp_column": f"2024-05-20 {time}"}
