"""The tables of docs/security.md."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ci.core.paths import DOCS

PAGE = (DOCS / "security.md").read_text()


def spans(cell: str) -> list[str]:
    """What a cell writes as code."""
    return re.findall(r"`([^`]+)`", cell)


def rows(heading: str, first: str) -> list[list[str]]:
    """The cells of the table below a heading that begins with the column `first`."""
    section = re.split(r"(?m)^#+ ", PAGE.split(f"# {heading}\n", 1)[1])[0]
    table = re.search(rf"(?m)^\| {re.escape(first)} \|.*\n\|[-| ]+\|\n((?:\|.*\n)+)", section)
    assert table, f"{heading}: no table {first}"
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in table[1].splitlines()]


HEADING = "Who may speak to whom"
# All components that listen.
COMPONENTS = {spans(row[0])[0] for row in rows("Ports", "pod | port | name")}


def _ranges(cell: str) -> Iterator[range]:
    for text in cell.split(", "):
        first, _, last = text.partition("-")
        yield range(int(first), int(last or first) + 1)


def connections() -> set[tuple[str, str, range]]:
    """(from, to, ports): what passes between components."""
    return {
        (source, target, ports)
        for sources, targets, cell in rows(HEADING, "from | to | ports")
        for source in spans(sources)
        for target in spans(targets)
        for ports in _ranges(cell)
    }


def _holds(condition: str, values: Mapping[str, Any]) -> bool:
    """Whether `path` is true in the values, or `path=text` that text."""
    path, _, text = condition.partition("=")
    value: Any = values
    for key in path.split("."):
        value = value.get(key, {})
    return bool(value == (text or True))


def clients(there: Collection[str], values: Mapping[str, Any] = MappingProxyType({})) -> set[tuple[str, str, int]]:
    """(value of networkPolicy.ingress, component, port): what those whom it names reach of the components that are there, with
    these values of charts/flink."""
    passes: set[tuple[str, str, int]] = set()
    for value, targets, cell in rows(HEADING, "value | reaches"):
        if targets.startswith("with ") and not _holds(spans(targets)[0], values):
            continue
        key, port = spans(value)[0].rpartition(".")[2], int(cell)
        instead = targets.startswith("else ") and key in {other for other, *_ in passes}
        passes |= {(key, target, port) for target in spans(targets) if target in there and not instead}
    return passes


def destinations() -> dict[str, str]:
    """Value of networkPolicy.egress -> the cell that says which pods get out by it."""
    return {spans(value)[0].rpartition(".")[2]: pods for value, pods, _ in rows(HEADING, "value | from")}
