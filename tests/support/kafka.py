"""Kafka seen from inside its broker's pod, by the scripts of its distribution."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .cluster import Run

_RECORD = re.compile(r"Partition:(\d+)\tOffset:(\d+)\t(.*)")


class Record(NamedTuple):
    partition: int
    offset: int
    value: str


class Kafka:
    """`run` runs commands in a pod with Kafka's scripts, `bootstrap` is the broker as seen from there."""

    def __init__(self, run: Run, bootstrap: str = "localhost:9092", home: str = "/opt/kafka") -> None:
        self._run = run
        self._bootstrap = bootstrap
        self._home = home

    def _script(self, name: str, *options: str, stdin: str | None = None) -> str:
        command = [f"{self._home}/bin/{name}", "--bootstrap-server", self._bootstrap, *options]
        return self._run(command, stdin=stdin)

    def topics(self) -> set[str]:
        return set(self._script("kafka-topics.sh", "--list").split())

    def end_offsets(self, topic: str) -> dict[int, int]:
        """For each partition the offset that its next record will get."""
        lines = self._script("kafka-get-offsets.sh", "--topic", topic).split()
        fields = [line.rsplit(":", 2) for line in lines if line.startswith(f"{topic}:")]
        return {int(partition): int(offset) for _, partition, offset in fields}

    def produce(self, topic: str, values: Iterable[str]) -> None:
        """Append records, one for each text; they must be single lines."""
        lines = list(values)
        if broken := [line for line in lines if "\n" in line]:
            raise ValueError(f"a record must be one line: {broken[0]!r}")
        text = "".join(f"{line}\n" for line in lines)
        self._script("kafka-console-producer.sh", "--topic", topic, stdin=text)

    def consume(self, topic: str) -> list[Record]:
        """All records that are in the topic now, ordered by partition and offset."""
        count = sum(self.end_offsets(topic).values())
        if count == 0:
            return []
        shown = [f"--property=print.{name}=true" for name in ("partition", "offset")]
        output = self._script(
            "kafka-console-consumer.sh", "--topic", topic, "--from-beginning", f"--max-messages={count}",
            "--timeout-ms=60000", *shown,
        )  # fmt: skip
        records = [Record(int(m[1]), int(m[2]), m[3]) for m in map(_RECORD.fullmatch, output.splitlines()) if m]
        if len(records) != count:
            raise ValueError(f"read {len(records)} of the {count} records of topic {topic}")
        return sorted(records)


def by_partition(records: Sequence[Record]) -> list[list[str]]:
    """The values of each partition in the order of offsets, as `kdv_model.expect` takes them."""
    partitions: dict[int, list[str]] = defaultdict(list)
    for record in sorted(records):
        partitions[record.partition].append(record.value)
    return list(partitions.values())
