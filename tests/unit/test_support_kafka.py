"""Kafka's scripts: what is called, and how their output is read."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.support.kafka import Kafka, Record, by_partition


class Broker:
    """A pod that answers each script with a text and remembers the calls."""

    def __init__(self, **outputs: str) -> None:
        self.outputs = outputs
        self.calls: list[tuple[list[str], str | None]] = []

    def __call__(self, command: Sequence[str], stdin: str | None = None) -> str:
        self.calls.append((list(command), stdin))
        script = command[0].removeprefix("/opt/kafka/bin/kafka-").removesuffix(".sh")
        return self.outputs[script.replace("-", "_")]


def test_produces_one_record_for_each_text() -> None:
    broker = Broker(console_producer="")
    Kafka(broker).produce("sahibinden", ["a", "ç"])
    ((command, stdin),) = broker.calls
    assert command[1:] == ["--bootstrap-server", "localhost:9092", "--topic", "sahibinden"]
    assert stdin == "a\nç\n"


def test_a_record_of_two_lines_is_refused() -> None:
    with pytest.raises(ValueError, match="one line"):
        Kafka(Broker()).produce("sahibinden", ["a\nb"])


def test_reads_topics_and_offsets() -> None:
    kafka = Kafka(Broker(topics="__consumer_offsets\nsahibinden\n", get_offsets="t:1:0\nt:0:2\n"))
    assert kafka.topics() == {"__consumer_offsets", "sahibinden"}
    assert kafka.end_offsets("t") == {0: 2, 1: 0}


def test_consumes_what_is_there_in_order() -> None:
    shown = 'Partition:1\tOffset:0\t{"id":\t3}\nPartition:0\tOffset:1\tb\nPartition:0\tOffset:0\ta\n'
    broker = Broker(get_offsets="t:0:2\nt:1:1\n", console_consumer=shown)
    records = Kafka(broker).consume("t")
    assert records == [Record(0, 0, "a"), Record(0, 1, "b"), Record(1, 0, '{"id":\t3}')]
    assert "--max-messages=3" in broker.calls[1][0]
    assert by_partition(records) == [["a", "b"], ['{"id":\t3}']]


def test_an_empty_topic_is_not_waited_for() -> None:
    assert Kafka(Broker(get_offsets="t:0:0\n")).consume("t") == []


def test_a_short_answer_is_an_error() -> None:
    broker = Broker(get_offsets="t:0:2\n", console_consumer="Partition:0\tOffset:0\ta\nerror\n")
    with pytest.raises(ValueError, match="read 1 of the 2 records"):
        Kafka(broker).consume("t")
