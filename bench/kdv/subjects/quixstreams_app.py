"""Quix Streams: its own tumbling windows, whose state is in RocksDB with a changelog, and an output topic."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from quixstreams import Application
from quixstreams.models import BytesDeserializer, StringSerializer

from bench.kdv.subjects.common import BROKER, COMMIT_SECONDS, DELAY_MS, DIRECTORY, NAME, OUTPUT, TOPIC, WINDOW_MS, position, read


def row(value: bytes) -> dict[str, Any] | None:
    position.count += 1
    try:
        when, _, line = read(value)
    except (ValueError, TypeError, KeyError):
        return None
    return {"when": when, "line": line}


def main() -> None:
    app = Application(
        broker_address=BROKER,
        consumer_group=NAME,
        auto_offset_reset="earliest",
        state_dir=f"{DIRECTORY}/state",
        processing_guarantee="exactly-once",
        commit_interval=COMMIT_SECONDS,
        topic_create_timeout=60,
        loglevel="WARNING",
    )
    source = app.topic(TOPIC, key_deserializer="bytes", value_deserializer=BytesDeserializer())
    target = app.topic(OUTPUT, value_serializer=StringSerializer())
    rows = app.dataframe(source).apply(row).filter(lambda row: row is not None)
    rows = rows.set_timestamp(lambda row, *_: row["when"]).apply(lambda row: row["line"])
    windows = rows.tumbling_window(timedelta(milliseconds=WINDOW_MS), grace_ms=timedelta(milliseconds=DELAY_MS)).collect().final()
    windows.apply(lambda window: sorted(set(window["value"])), expand=True).to_topic(target)
    position.report()
    app.run()


main()
