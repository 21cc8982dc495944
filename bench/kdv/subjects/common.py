"""What the Python peers share: a row of the topic as a line of CSV, and how they tell where they are. Standard library only."""

from __future__ import annotations

import json
import os
import threading
import time
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

BROKER, TOPIC, NAME, OUTPUT, DIRECTORY = (os.environ[f"KDV_{key}"] for key in ("BROKER", "TOPIC", "NAME", "OUTPUT", "DIRECTORY"))
WINDOW_MS = 120_000
DELAY_MS = 5_000
COMMIT_SECONDS = 10
_KURUS = Decimal("0.01")
_STEP = Decimal("0.0001")


def read(value: bytes) -> tuple[int, int, str]:
    """Event time, start of its window (both in milliseconds), and line.

    Raises ValueError, TypeError or KeyError for a broken row.
    """
    row = json.loads(value, parse_float=Decimal)
    when = int(datetime.fromisoformat(row["timestamp_column"]).replace(tzinfo=UTC).timestamp() * 1000)
    start = when - when % WINDOW_MS
    price, kdv = Decimal(row["price"]), Decimal(row["kdv"])
    total = (price * (1 + kdv)).quantize(_KURUS, ROUND_HALF_UP)
    product, description = row["product"].replace('"', '""'), row["description"].replace('"', '""')
    window = datetime.fromtimestamp(start / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return when, start, f'{row["id"]},"{product}","{description}",{price:f},{kdv:f},{total:f},"{window}"'


def window_end(start: int) -> int:
    """When the window that begins then is over, all delays included."""
    return start + WINDOW_MS + DELAY_MS


class Position:
    """The number of rows read; `report()` when ready to read."""

    def __init__(self) -> None:
        self.count = 0

    def report(self) -> None:
        threading.Thread(target=self._write, daemon=True).start()

    def _write(self) -> None:
        file = os.open(os.environ["KDV_POSITION"], os.O_WRONLY | os.O_CREAT)
        while True:
            os.pwrite(file, b"%d" % self.count, 0)
            time.sleep(0.1)


position = Position()
