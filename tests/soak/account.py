"""What became of each record of a walk, by its place in the topic, compared with the independent model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness_kdv import model
from harness_kdv.csv_output import Row
from harness_kdv.kafka import Record
from harness_kdv.model import Input


@dataclass(frozen=True)
class Account:
    """`ends`: how many records became a row, a copy, a dead letter, a late record, wait in open windows, or vanished."""

    ends: Counter[str]
    wrong: tuple[str, ...]  # what may still come right
    hopeless: tuple[str, ...]  # what is there and should not be


def account(judged: Input, rows: Sequence[Row], dead: Sequence[Record], late: Sequence[Record]) -> Account:
    places = set(map(model.origin, late))
    expected = judged.expect(places)
    report = model.compare(expected, rows)
    written, counted = set(rows), set[Row]()
    ends = Counter({"dead letter": len(judged.broken)})
    vanished = []
    for read in judged.good:
        if read.place in places:
            end = "late record"
        elif read.row in counted:
            end = "copy"
        elif read.row in written:
            end = "row"
            counted.add(read.row)
        elif read.row not in expected.certain:
            end = "waits"
        else:
            end = "vanished, late" if read.behind else "vanished"
            vanished.append(f"vanished: {read.place} {read.value[:150]!r}")
        ends[end] += 1
    hopeless = [f"twice: {row}" for row in report.twice] + [f"unexpected: {row}" for row in report.unexpected]
    hopeless += [f"altered: {old} became {new}" for old, new in report.altered]
    return Account(ends, (*vanished, *judged.rejects(dead, late)), tuple(hopeless))
