"""The tool that prints the records of a topic prints all of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import confluent_kafka
import pytest

from jobs.tools import records

EOF = confluent_kafka.KafkaError._PARTITION_EOF


class Message:
    """A record, or with `code` an event in its place."""

    def __init__(self, offset: int, code: int | None = None) -> None:
        self._offset, self._code = offset, code

    def offset(self) -> int:
        return self._offset

    def error(self) -> confluent_kafka.KafkaError | None:
        return None if self._code is None else confluent_kafka.KafkaError(self._code)

    def headers(self) -> list[tuple[str, bytes]]:
        return []

    def value(self) -> bytes:
        return b"{}"


class Consumer:
    """Of a topic with one partition, of which the broker names the end."""

    def __init__(self, messages: list[Message], end: int) -> None:
        self._messages, self._end = iter(messages), end

    def list_topics(self, topic: str, timeout: float) -> Any:
        return SimpleNamespace(topics={topic: SimpleNamespace(error=None, partitions={0: None})})

    def get_watermark_offsets(self, partition: Any, timeout: float) -> tuple[int, int]:
        return 0, self._end

    def assign(self, partitions: list[Any]) -> None:
        pass

    def poll(self, timeout: float) -> Message | None:
        return next(self._messages, None)

    def close(self) -> None:
        pass


def read(monkeypatch: pytest.MonkeyPatch, messages: list[Message], end: int) -> list[int]:
    monkeypatch.setattr("jobs.tools.records.kafka_client.client", lambda kind, settings: Consumer(messages, end))
    return [record["offset"] for record in records.read("kafka:9092", "t", {})]


def test_a_fetch_that_finds_nothing_before_the_end_is_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    messages = [Message(0), Message(1, EOF), Message(1), Message(2), Message(4, EOF), Message(4)]  # 3 is a marker
    assert read(monkeypatch, messages, 4) == [0, 1, 2]


def test_a_topic_that_is_not_read_to_its_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LookupError, match="partition 0 of t returned nothing for 30 s"):
        read(monkeypatch, [Message(0), Message(1, EOF)], 3)
