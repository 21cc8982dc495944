"""What a subject is: a program that does the KDV job, or a part of it, from a Kafka topic."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from confluent_kafka import Consumer, TopicPartition

from local.kafka import Broker

from .data import Data


@dataclass(frozen=True)
class Task:
    """One run: its data, its directory, empty at the start, and a name that no other run has."""

    broker: Broker
    data: Data
    parallelism: int
    directory: Path
    name: str

    @property
    def output(self) -> Path:
        return self.directory / "output"


class Run(Protocol):
    """A subject at work."""

    @property
    def sessions(self) -> Sequence[int]:
        """Ids of the sessions (setsid) of its processes."""

    def position(self) -> int:
        """How many rows it has read. Raises when it cannot tell, or has failed."""

    def finish(self) -> None:
        """Called when all is read: make it commit what it holds, where waiting for that takes long."""

    def facts(self) -> dict[str, Any]:
        """What only this kind of subject can tell, for the record."""


class Subject(Protocol):
    @property
    def name(self) -> str: ...

    def threads(self, partitions: int) -> int:
        """How many threads can share its work."""

    @property
    def partitioned(self) -> bool:
        """Whether it gives the right rows for a topic of several partitions."""

    @property
    def lacks(self) -> str:
        """What it does not promise that ours does, in one sentence; empty: nothing."""

    @property
    def exact(self) -> bool:
        """Whether its amounts are decimal ones."""

    def versions(self) -> dict[str, str]: ...

    def run(self, task: Task) -> AbstractContextManager[Run]:
        """Start it; the block begins when every part of it runs."""

    def lines(self, task: Task) -> list[str] | None:
        """The CSV lines that it has committed; None for a subject that writes nothing."""


def lines_of_directory(directory: Path) -> list[str]:
    """All lines of the files that Flink has finished."""
    files = (file for file in sorted(directory.rglob("*")) if file.is_file() and not file.name.startswith((".", "_")))
    return [line for file in files for line in file.read_text().splitlines()]


def lines_of_topic(broker: Broker, topic: str) -> list[str]:
    """All committed records of a topic with one partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": broker.address,
            "group.id": "bench-lines",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    lines: list[str] = []
    try:
        while True:
            for message in consumer.consume(10_000, 0.5):
                if message.error():  # the end of the partition
                    return lines
                lines.append((message.value() or b"").decode())
    finally:
        consumer.close()
