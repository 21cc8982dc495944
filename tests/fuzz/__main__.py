"""Hold the decoder's verdicts on seeded random records against the model's: `python -m tests.fuzz --seconds 3600`.

Ends with 1 at the first verdict that differs, and shows the record; otherwise says how many records were good and broken, and
the longest time that one took.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import IO

from ci.core import versions
from ci.images import images
from ci.machine import java
from harness_kdv.csv_output import Row
from harness_kdv.model import Broken, read
from tests.fuzz.records import records

_BATCH = 1000


class Differs(AssertionError):
    """The decoder and the model do not agree on a record."""


@dataclass
class Tally:
    verdicts: Counter[str] = field(default_factory=Counter)
    slowest: int = 0  # microseconds

    def __str__(self) -> str:
        parts = [f"{count} {verdict}" for verdict, count in self.verdicts.most_common()]
        return f"{self.verdicts.total()} records, {', '.join(parts)}; the slowest took {self.slowest} microseconds of CPU"


class Decoder:
    """The decoder of `version`'s jar in a JVM of its own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def verdicts(self, batch: Sequence[bytes]) -> list[list[str]]:
        """For each record the fields of its line; the microseconds are the last one."""
        pipe, answers = _pipes(self._process)
        pipe.write(struct.pack(">i", len(batch)) + b"".join(struct.pack(">i", len(record)) + record for record in batch))
        pipe.flush()
        return [answers.readline().decode().rstrip("\n").split("\t") for _ in batch]


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin
    assert process.stdout
    return process.stdin, process.stdout


@contextlib.contextmanager
def decoder(version: str) -> Iterator[Decoder]:
    lib = images.context("flink", version) / "flink" / "lib"
    (own,) = images.own_jars(version)
    verdicts = java.java_jar([Path(__file__).parent / "java"], [lib, own.parent], "verdicts")
    jars = ":".join(map(str, [verdicts, own, *sorted(lib.glob("*.jar"))]))
    command = ["java", "-Xmx512m", "-cp", jars, "flinkhelm.json.Verdicts"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield Decoder(process)
        finally:
            process.kill()


def expected(record: bytes) -> list[str]:
    """What the line of a record has to begin with."""
    try:
        when, row = read(record, future=None)  # the job looks at the clock, and the decoder does not
    except Broken:
        return ["broken"]
    millis = (when - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
    amounts = [str(amount.quantize(Decimal("0.0001"))) for amount in (row.price, row.kdv)]
    texts = [text.encode().hex() for text in (row.product, row.description, line(row))]
    return ["good", str(row.id), *texts[:2], *amounts, str(millis), texts[2]]


def line(row: Row) -> str:
    """The row's line of CSV, without its window."""
    texts = [text.replace('"', '""') for text in (row.product, row.description)]
    amounts = [f"{amount.normalize():f}" for amount in (row.price, row.kdv)]
    return ",".join([str(row.id), *(f'"{text}"' for text in texts), *amounts, f"{row.price_with_kdv:.2f}"])


def check(decoder: Decoder, batch: Sequence[bytes], tally: Tally) -> None:
    """Raises Differs."""
    for record, line in zip(batch, decoder.verdicts(batch), strict=True):
        verdict = expected(record)
        if line[: len(verdict)] != verdict:
            raise Differs(f"{record!r}\n    decoder: {line}\n    model:   {verdict}")
        tally.verdicts[line[0]] += 1
        tally.slowest = max(tally.slowest, int(line[-1]))


def main() -> int:
    parser = argparse.ArgumentParser(description="Hold the decoder's verdicts against the model's.")
    parser.add_argument("--flink", default=versions.get("flink", "default"), choices=versions.section("flink")["releases"])
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same records (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=60, help="how long (default: %(default)s)")
    options = parser.parse_args()
    tally, end = Tally(), time.monotonic() + options.seconds
    source = records(options.seed)
    try:
        with decoder(options.flink) as running:
            check(running, list(itertools.islice(source, _BATCH)), Tally())  # while its classes are loaded
            while time.monotonic() < end:
                check(running, list(itertools.islice(source, _BATCH)), tally)
    except Differs as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Flink {options.flink}, seed {options.seed}: {tally}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
