"""What a pod exports for Prometheus, by way of the API server."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from .cluster import Cluster

_LINE = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


class Sample(NamedTuple):
    """One series as it was scraped."""

    name: str
    labels: Mapping[str, str]
    value: float


def parse(text: str) -> Iterator[Sample]:
    """The samples of Prometheus' text format. Raises ValueError for a line that is none."""
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        if not (match := _LINE.fullmatch(line)):
            raise ValueError(f"no sample: {line}")
        labels = {
            name: re.sub(r"\\.", lambda escaped: _ESCAPED[escaped[0]], value)
            for name, value in _LABEL.findall(match["labels"] or "")
        }
        yield Sample(match["name"], labels, float(match["value"]))


def scrape(cluster: Cluster, namespace: str, pod: str, port: int) -> list[Sample]:
    """What the pod exports now. Raises ApiException while it does not answer."""
    answer = cluster.core.connect_get_namespaced_pod_proxy_with_path(
        f"{pod}:{port}", namespace, "metrics", _preload_content=False
    )
    return list(parse(answer.data.decode()))
