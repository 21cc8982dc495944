"""Bytewax: windows of its own event clock for each partition, one CSV file."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import bytewax.operators as op
import bytewax.operators.windowing as win
from bytewax.connectors.files import FileSink
from bytewax.connectors.kafka import KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.run import cli_main

from bench.kdv.subjects.common import BROKER, DELAY_MS, OUTPUT, TOPIC, WINDOW_MS, position, read

Row = tuple[int, str]  # event time in milliseconds, line


def rows(messages: list[KafkaSourceMessage[bytes, bytes]]) -> Iterable[tuple[str, Row]]:
    for message in messages:
        position.count += 1
        try:
            when, _, line = read(message.value)
        except (ValueError, TypeError, KeyError):
            continue
        yield str(message.partition), (when, line)


def event_time(row: Row) -> datetime:
    return datetime.fromtimestamp(row[0] / 1000, UTC)


def add(lines: set[str], row: Row) -> set[str]:
    lines.add(row[1])
    return lines


def main() -> None:
    flow = Dataflow("kdv")
    source = KafkaSource([BROKER], [TOPIC], tail=True, batch_size=1000)
    keyed = op.flat_map_batch("rows", op.input("kafka", flow, source), rows)
    clock = win.EventClock(event_time, wait_for_system_duration=timedelta(milliseconds=DELAY_MS))
    windower = win.TumblingWindower(length=timedelta(milliseconds=WINDOW_MS), align_to=datetime(2024, 1, 1, tzinfo=UTC))
    windows = win.fold_window("windows", keyed, clock, windower, set, add, set.union, ordered=False)
    lines = op.flat_map_value("lines", op.map_value("unpack", windows.down, lambda window: window[1]), lambda lines: lines)
    op.output("csv", lines, FileSink(Path(OUTPUT)))
    position.report()
    cli_main(flow, workers_per_process=1)


main()
