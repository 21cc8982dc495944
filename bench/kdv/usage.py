"""CPU time and memory of processes, from /proc."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def _members(sessions: Collection[int]) -> Iterator[tuple[Path, list[str]]]:
    """Folder in /proc and fields of `stat`, from the state on, of every process of these sessions."""
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            fields = (directory / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended
            continue
        if int(fields[3]) in sessions:
            yield directory, fields


def cpu_seconds(sessions: Collection[int]) -> float:
    """What the processes, and the ended ones that they waited for, have used."""
    return sum(sum(map(int, fields[11:15])) for _, fields in _members(sessions)) / _TICKS


def peak_mib(sessions: Collection[int]) -> float:
    """The sum of the greatest resident sizes of the processes."""
    kib = 0
    for directory, _ in _members(sessions):
        status = dict(line.split(":", 1) for line in (directory / "status").read_text().splitlines())
        kib += int(status.get("VmHWM", "0").split()[0])
    return kib / 1024
