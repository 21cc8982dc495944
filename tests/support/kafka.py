"""Kafka seen from inside the cluster: by the scripts of its distribution, and, for records, by our own tool."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from .cluster import Run


class Record(NamedTuple):
    """One record; the headers as texts."""

    partition: int
    offset: int
    value: bytes
    headers: Mapping[str, str] = MappingProxyType({})


def parse(text: str) -> list[Record]:
    """What jobs/tools/records.py printed."""
    return [
        Record(
            found["partition"],
            found["offset"],
            found["text"].encode() if "text" in found else base64.b64decode(found["base64"]),
            found["headers"],
        )
        for found in map(json.loads, text.splitlines())
    ]


class Kafka:
    """`run` runs commands in the broker's pod, which sees the broker as `bootstrap`; `tools` in one with the programs of
    jobs/tools, which sees it as `address`."""

    def __init__(
        self, run: Run, tools: Run, address: str, *, bootstrap: str = "localhost:9092", home: str = "/opt/kafka"
    ) -> None:
        self._run = run
        self._tools = tools
        self._address = address
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
        """All committed records that are in the topic now."""
        command = ["python3", "/opt/kdv/records.py", "--bootstrap-servers", self._address, "--topic", topic]
        return parse(self._tools(command))
