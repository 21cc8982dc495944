"""docs/bench.md and its plot, from the records alone."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from bench import lifecycle, modes, operator, scaling, store, timeline
from ci.core.paths import DOCS

PAGE = DOCS / "bench.md"
PLOT = DOCS / "bench-kdv.svg"
BASE = "reference-1.20.5"

_HEAD = """# How fast the KDV job is

`make bench-kdv` measures this on your machine: our job, the same job as tutorials publish it
(`reference`), what reading alone allows (`blackhole`), and what one would pick instead of Flink.
Every subject reads the same topic of the same broker, in fresh processes, interleaved with the
others of its day; all of them share the machine with that broker. Before it is measured, `python -m
bench.kdv check` holds the rows that it writes against an independent model, with some rows sent
twice and some broken.

Events per second are those of the second half of the rows, as the median of the runs with the
minimum and maximum; the first half, in which the JVMs warm up, stands beside them. CPU is that of
all processes of the subject, JobManager included, from the moment all of them run until the last
row is read. Memory is their largest resident size. A TaskManager has {memory} and two slots;
checkpoints and commits are {interval} apart. Rows are about 190 bytes.
"""

_LARGER = """`ours-12g` has a TaskManager with 12 GiB of process memory. That of `ours-rocksdb` has what all others have, and
keeps its windows on disk (`state.backend.type: rocksdb`).
"""


@dataclass(frozen=True)
class Group:
    """The runs of one subject over the same data with the same parallelism."""

    subject: str
    parallelism: int
    runs: Sequence[Mapping[str, Any]]

    def values(self, key: str) -> list[float]:
        return [float(run[key]) for run in self.runs]

    @property
    def rate(self) -> float:
        return statistics.median(self.values("steady_events_per_second"))

    @property
    def first_half(self) -> float:
        """Rows per second while the first half was read, from what the records hold of the whole and of the second half."""

        def rate(run: Mapping[str, Any]) -> float:
            half = run["events"] / 2
            return float(half / (run["seconds"] - half / run["steady_events_per_second"]))

        return statistics.median(map(rate, self.runs))

    def row(self, base: float | None) -> list[str]:
        rates = self.values("steady_events_per_second")
        cpu = statistics.median(float(run["cpu_seconds"]) / run["events"] * 1e6 for run in self.runs)
        return [
            self.subject,
            str(self.parallelism),
            _thousands(self.rate),
            f"{_thousands(min(rates))} to {_thousands(max(rates))}",
            _thousands(self.first_half),
            f"{self.rate / base:.2f}" if base else "",
            f"{cpu:.1f}",
            f"{statistics.median(self.values('memory_mib')):.0f}",
            self.checkpoints(),
            str(len(self.runs)),
        ]

    def checkpoints(self) -> str:
        """Largest size and longest duration; nothing for what has none."""
        entries = [run["checkpoint"] for run in self.runs if "checkpoint" in run]
        if not entries:
            return ""
        return f"{max(entry['largest_mib'] for entry in entries):.1f} MiB, {max(entry['longest_ms'] for entry in entries)} ms"


def groups(runs: Iterable[Mapping[str, Any]], *, partitions: int, rows: int, rows_per_window: int) -> list[Group]:
    """Those of this data, fastest first."""
    members: dict[tuple[str, int], list[Mapping[str, Any]]] = defaultdict(list)
    for run in runs:
        if (run["partitions"], run["rows"], run["rows_per_window"]) == (partitions, rows, rows_per_window):
            members[run["subject"], run["parallelism"]].append(run)
    return sorted((Group(*key, of_group) for key, of_group in members.items()), key=lambda group: -group.rate)


def _thousands(rate: float) -> str:
    return f"{rate / 1000:.0f} k"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, ["---"] * len(head), *rows))


def _comparison(groups: Sequence[Group]) -> str:
    bases = {group.parallelism: group.rate for group in groups if group.subject == BASE}
    head = [
        "subject",
        "parallelism",
        "events/s",
        "from to",
        "first half",
        f"times {BASE}",
        "CPU s per million",
        "MiB",
        "largest checkpoint",
        "runs",
    ]
    return _table(head, (group.row(bases.get(group.parallelism)) for group in groups))


def _sweep(runs: Sequence[Mapping[str, Any]]) -> str:
    head = ["rows in a window", "subject", "parallelism", "events/s", "CPU s per million", "MiB", "largest checkpoint", "runs"]
    rows = []
    # Subjects that are slower are given fewer rows.
    for size, count in sorted({(run["rows_per_window"], run["rows"]) for run in runs}):
        for group in groups(runs, partitions=1, rows=count, rows_per_window=size):
            subject, parallelism, rate, _, _, _, cpu, memory, checkpoint, times = group.row(None)
            rows.append([f"{size:,}", subject, parallelism, rate, cpu, memory, checkpoint, times])
    return _table(head, rows)


def plot(charts: Mapping[str, Sequence[Group]]) -> str:
    """An SVG with a bar for each group, and a line from the minimum to the maximum."""
    most = max(max(group.values("steady_events_per_second")) for bars in charts.values() for group in bars)
    left, width, height = 250, 500, 20
    parts, y = [], 0

    def text(x: float, label: str, look: str = "") -> str:
        return f'<text x="{x:.0f}" y="{y + 14}" {look}>{escape(label)}</text>'

    for title, bars in charts.items():
        parts.append(text(10, title, 'font-weight="bold"'))
        y += height + 4
        for group in bars:
            rates = group.values("steady_events_per_second")
            low, middle, high = (rate / most * width for rate in (min(rates), group.rate, max(rates)))
            colour = "#e6526f" if group.subject.startswith("ours") else "#8fa3ad"
            parts.append(text(left - 8, f"{group.subject} x{group.parallelism}", 'text-anchor="end"'))
            parts.append(f'<rect x="{left}" y="{y + 3}" width="{middle:.1f}" height="{height - 6}" fill="{colour}"/>')
            parts.append(f'<path d="M{left + low:.1f} {y + 10}H{left + high:.1f}" stroke="#222"/>')
            parts.append(text(left + high + 6, _thousands(group.rate)))
            y += height
        y += height
    size = f'width="{left + width + 70}" height="{y}"'
    body = "\n".join(parts)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">'
    return f'{head}\n<rect {size} fill="#fff"/>\n{body}\n</svg>\n'


def page(runs: Sequence[Mapping[str, Any]], lacks: Mapping[str, str], *, memory: str, interval: str) -> tuple[str, str]:
    """The page and its plot. The smallest windows are the comparison; larger ones, if there are any, show the growth of cost."""
    smallest = min(run["rows_per_window"] for run in runs)
    compared = [run for run in runs if run["rows_per_window"] == smallest]
    charts = {}
    parts = [_HEAD.format(memory=memory, interval=interval), "![events per second](bench-kdv.svg)\n"]
    # What was measured on one day was interleaved: rates of different days are not compared.
    for day, rows, partitions in sorted({(run["day"], run["rows"], run["partitions"]) for run in compared}, reverse=True):
        title = f"{rows:,} rows in {partitions} partition{'s' * (partitions > 1)}, {day}"
        of_day = [run for run in compared if run["day"] == day]
        charts[title] = groups(of_day, partitions=partitions, rows=rows, rows_per_window=smallest)
        parts.append(f"## {title}\n\n{_comparison(charts[title])}")
    if larger := [run for run in runs if run["rows_per_window"] != smallest]:
        parts.append(f"## Larger windows\n\n{_LARGER}\n{_sweep(larger)}")
    measured = {run["subject"] for run in runs}
    parts.append(
        "## What each does not promise\n\n"
        + "".join(f"- `{name}`: {lack}\n" for name, lack in lacks.items() if lack and name in measured)
    )
    newest = {run["subject"]: run["versions"] for run in runs}
    lines = (f"- `{name}`: " + ", ".join(f"{what} {which}" for what, which in used.items()) for name, used in newest.items())
    parts.append("## Versions\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts), plot(charts)


def write(runs: Sequence[Mapping[str, Any]], lacks: Mapping[str, str], *, memory: str, interval: str) -> None:
    text, picture = page(runs, lacks, memory=memory, interval=interval)
    parts = (lifecycle, operator, timeline, scaling, modes)
    sections = [part.section(measurements) for part in parts if (measurements := store.runs(part.RESULTS))]
    PAGE.write_text("\n".join([text, *sections]))
    PLOT.write_text(picture)
    if measurements := store.runs(scaling.RESULTS):
        scaling.PICTURE.write_text(scaling.picture(measurements))
