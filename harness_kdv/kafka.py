"""Records of Kafka, read inside the cluster by jobs/tools/records.py."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from harness.cluster import Run


class Record(NamedTuple):
    """One record; the headers as texts."""

    partition: int
    offset: int
    value: bytes
    headers: Mapping[str, str] = MappingProxyType({})


class Kafka:
    """`tools` runs commands in a pod with the programs of jobs/tools, which sees the brokers as `address`."""

    def __init__(self, tools: Run, address: str) -> None:
        self._tools = tools
        self._address = address

    def consume(self, topic: str) -> list[Record]:
        """All committed records that are in the topic now."""
        command = ["python3", "/opt/kdv/records.py", "--bootstrap-servers", self._address, "--topic", topic]
        return parse(self._tools(command))


def parse(text: str) -> list[Record]:
    """What jobs/tools/records.py printed."""
    return [
        Record(
            line["partition"],
            line["offset"],
            line["text"].encode() if "text" in line else base64.b64decode(line["base64"]),
            line["headers"],
        )
        for line in map(json.loads, filter(None, text.split("\n")))
    ]
