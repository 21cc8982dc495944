"""Pathway: windows that are given out once, one CSV file of lines."""

from __future__ import annotations

import pathway as pw

from bench.kdv.subjects.common import BROKER, DELAY_MS, NAME, OUTPUT, TOPIC, WINDOW_MS, position, read


def parsed(value: bytes) -> tuple[int, str]:
    position.count += 1
    try:
        when, _, line = read(value)
    except (ValueError, TypeError, KeyError):
        return -1, ""
    return when, line


def main() -> None:
    settings = {"bootstrap.servers": BROKER, "group.id": NAME, "auto.offset.reset": "earliest", "session.timeout.ms": "6000"}
    source = pw.io.kafka.read(settings, topic=TOPIC, format="raw", autogenerate_key=True, autocommit_duration_ms=1000)
    rows = source.select(row=pw.apply_with_type(parsed, tuple[int, str], pw.this.data))
    rows = rows.select(when=pw.this.row[0], line=pw.this.row[1]).filter(pw.this.when >= 0)
    windows = rows.windowby(
        pw.this.when,
        window=pw.temporal.tumbling(duration=WINDOW_MS),
        behavior=pw.temporal.exactly_once_behavior(shift=DELAY_MS),
    ).reduce(lines=pw.reducers.sorted_tuple(pw.this.line))
    lines = windows.select(line=pw.apply_with_type(lambda lines: tuple(set(lines)), tuple[str, ...], pw.this.lines)).flatten(
        pw.this.line
    )
    with open(OUTPUT, "w") as output:

        def write(key: pw.Pointer, row: dict[str, str], time: int, is_addition: bool) -> None:
            if is_addition:
                output.write(f"{row['line']}\n")

        pw.io.subscribe(lines, on_change=write, on_time_end=lambda time: output.flush())
        position.report()
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)


main()
