"""Whether a subject writes the rows that an independent model expects: what is wrong is not worth measuring."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from harness_kdv import model
from harness_kdv.csv_output import Row
from harness_kdv.kafka import Record
from local.kafka import Broker

from .data import Data
from .runner import committed, read_all, remove_topics, task
from .subject import Subject

_LIMIT_SECONDS = 120


def expected(data: Data) -> model.Expected:
    offsets: Counter[int] = Counter()
    records = []
    for partition, value in data.rows():
        records.append(Record(partition, offsets[partition], value))
        offsets[partition] += 1
    return model.Input(records).expect()


def rows(lines: Iterable[str], *, exact: bool) -> Iterable[Row]:
    """The lines as rows; amounts of a subject that is not exact are rounded first."""

    def amount(text: str, places: str) -> Decimal:
        number = Decimal(text)
        if not exact:
            number = number.quantize(Decimal("0.000001"), ROUND_HALF_UP).quantize(Decimal(places), ROUND_HALF_UP)
        return number

    for id_, product, description, price, kdv, total, start in csv.reader(lines, strict=True):
        amounts = amount(price, "0.0001"), amount(kdv, "0.0001"), amount(total, "0.01")
        yield Row(int(id_), product, description, *amounts, datetime.fromisoformat(start))


def check(broker: Broker, directory: Path, subject: Subject, data: Data, parallelism: int) -> model.Report | None:
    """The differences; None for a subject that writes nothing. Raises TimeoutError when it does not read everything."""
    work = task(broker, directory, subject, data, parallelism)
    expected_ = expected(data)
    with subject.run(work) as run:
        position = read_all(run, data.messages, _LIMIT_SECONDS)[-1][1]
        if position < data.messages:
            raise TimeoutError(f"{subject.name} read {position} of {data.messages} rows in {_LIMIT_SECONDS} s")
        run.finish()
        lines = committed(subject, work, len(expected_.certain))
    remove_topics(broker, work)
    return None if lines is None else model.compare(expected_, rows(lines, exact=subject.exact))
