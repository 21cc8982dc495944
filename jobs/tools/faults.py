"""Adverts with a fault: one way to break a row for each rule of the KDV job, and the rows that it must tell from the rest."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
Write = Callable[[Row], bytes]


def _field(name: str, *values: Any) -> Callable[[Row, Write, random.Random], bytes]:
    """Puts one of `values` into a field."""
    return lambda row, write, choice: write({**row, name: choice.choice(values)})


def _without(row: Row, write: Write, choice: random.Random) -> bytes:
    gone = choice.choice(list(row))
    return write({name: value for name, value in row.items() if name != gone})


def _null(row: Row, write: Write, choice: random.Random) -> bytes:
    return write({**row, choice.choice(list(row)): None})


# name of the fault -> (row, how rows are written, source of chance) -> bytes of the record
BROKEN: dict[str, Callable[[Row, Write, random.Random], bytes]] = {
    "no JSON": lambda row, write, choice: write(row)[: -choice.randrange(1, 20)],
    "no object": lambda row, write, choice: choice.choice([b"[1]", b'"metin"', b"null", b"7"]),
    "text after the document": lambda row, write, choice: write(row) + choice.choice([b" x", b"}", b"{}"]),
    "empty": lambda row, write, choice: choice.choice([b"", b"  "]),
    "not UTF-8": lambda row, write, choice: write({**row, "product": "I"}).replace(b'"I"', b'"Is\xfd tma"'),  # ISO 8859-9
    "missing field": _without,
    "null field": _null,
    "wrong type of id": _field("id", "7", 7.5, True, [7]),
    "wrong type of text": _field("product", 7, {"ad": "Kitap"}),
    "wrong type of price": _field("price", "7", False),
    "price out of range": _field("price", -1, 10**15),
    "too many digits": _field("price", 1.00001),
    "kdv out of range": _field("kdv", -0.01, 1.01, 20),
    "id out of range": _field("id", 2**63, -(2**70)),
    "unreadable time": _field("timestamp_column", "", "dün", "2024-02-30 08:00:00", "2024-05-20 24:00:00", "20.05.2024 08:00", 0),
    "1 MB": lambda row, write, choice: write({**row, "description": "uzun " * 200_000}),
}
