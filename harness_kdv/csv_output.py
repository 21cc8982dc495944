"""The CSV files that the KDV job wrote: the finished parts, and their rows."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from harness.cluster import Run

# Prints each file with its name in front, set off by a character that no CSV of ours holds.
_SCRIPT = r"""
test -d "$1" || exit 0
cd "$1" && find . -type f -exec sh -c 'for file; do printf "\036%s\n" "$file"; cat "$file"; done' - {} +
"""


class Row(NamedTuple):
    """One row of the output."""

    id: int
    product: str
    description: str
    price: Decimal
    kdv: Decimal
    price_with_kdv: Decimal
    window_start: datetime


@dataclass(frozen=True)
class Snapshot:
    """The output directory at one moment: text of the finished parts by name."""

    parts: dict[str, str]

    @property
    def rows(self) -> list[Row]:
        return [row for name, text in sorted(self.parts.items()) for row in parse(text, name)]

    def changed_since(self, earlier: Snapshot) -> set[str]:
        """Parts that are gone or different now: none, because a finished part is never touched again."""
        return {name for name, text in earlier.parts.items() if self.parts.get(name) != text}


def read(run: Run, directory: str) -> Snapshot:
    """Read a directory in the pod in which `run` runs commands; one that is not there yet is empty."""
    files = {}
    for block in run(["sh", "-c", _SCRIPT, "-", directory]).split("\x1e")[1:]:
        name, _, text = block.partition("\n")
        files[name.removeprefix("./")] = text
    return committed(files)


def committed(files: Mapping[str, str]) -> Snapshot:
    """Of {name in the directory: text} the finished parts."""
    return Snapshot({name: text for name, text in files.items() if _is_part(name)})


def _is_part(name: str) -> bool:
    """Flink hides what it has not committed behind a leading dot or underscore."""
    return not any(step.startswith((".", "_")) for step in name.split("/"))


def parse(text: str, name: str = "part") -> list[Row]:
    """The rows of a part. Raises ValueError with the line if one is not whole or not as the job promises."""
    if text and not text.endswith("\n"):
        raise ValueError(f"{name} ends in the middle of a line: {text[-200:]!r}")
    rows = []
    for number, fields in enumerate(csv.reader(io.StringIO(text, newline=""), strict=True), start=1):
        try:
            id_, product, description, price, kdv, price_with_kdv, window_start = fields
            rows.append(
                Row(
                    int(id_),
                    product,
                    description,
                    _plain_decimal(price),
                    _plain_decimal(kdv),
                    _plain_decimal(price_with_kdv),
                    datetime.strptime(window_start, "%Y-%m-%d %H:%M:%S"),
                )
            )
        except ValueError as error:
            raise ValueError(f"{name}, row {number}: {fields}: {error}") from error
    return rows


def _plain_decimal(text: str) -> Decimal:
    if not re.fullmatch(r"-?\d+(\.\d+)?", text):
        raise ValueError(f"{text!r} is no number in plain digits")
    return Decimal(text)
