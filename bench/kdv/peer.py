"""Programs that are no Flink jobs as subjects: one process each, configured by environment variables.

KDV_BROKER, KDV_TOPIC, KDV_NAME (unlike that of any other run), KDV_THREADS, KDV_DIRECTORY (for its own use), KDV_OUTPUT (the
file, or the topic, for CSV lines), KDV_DEAD (the topic for broken rows), KDV_POSITION (the file to which it writes how many
rows it has read, several times a second, as soon as it is ready to read).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ci.core.paths import ROOT
from harness.waits import GiveUp, wait_for
from local.process import Process

from .subject import Run, Task, lines_of_directory, lines_of_topic


@dataclass(frozen=True)
class Peer:
    """`command` returns what starts it; it is called late, because it may have to fetch what it needs."""

    name: str
    command: Callable[[], Sequence[str | Path]]
    versions: Callable[[], dict[str, str]]
    lacks: str
    parallel: bool = False
    partitioned: bool = True
    to_topic: bool = False
    exact: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)

    def threads(self, partitions: int) -> int:
        return partitions if self.parallel else 1

    @contextlib.contextmanager
    def run(self, task: Task) -> Iterator[Run]:
        task.output.mkdir(parents=True, exist_ok=True)
        for topic in (self._topic(task), self._topic(task, "dead")):
            task.broker.create_topic(topic)
        position = task.directory / "position"
        environment = {
            "KDV_BROKER": task.broker.address,
            "KDV_TOPIC": task.data.topic,
            "KDV_NAME": task.name,
            "KDV_THREADS": str(task.parallelism),
            "KDV_DIRECTORY": str(task.directory),
            "KDV_OUTPUT": self._topic(task) if self.to_topic else str(task.output / "rows.csv"),
            "KDV_DEAD": self._topic(task, "dead"),
            "KDV_POSITION": str(position),
            "PYTHONPATH": str(ROOT),
            **self.environment,
        }
        position.unlink(missing_ok=True)
        with Process(self.command(), task.directory / "log", environment) as process:

            def ready() -> bool:
                if not process.running():
                    raise GiveUp("it ended")
                return position.exists() and position.read_text() != ""

            wait_for(ready, timeout=120, what=self.name, interval=0.02, on_timeout=process.tail)
            yield _PeerRun(process, position)

    def lines(self, task: Task) -> list[str]:
        return lines_of_topic(task.broker, self._topic(task)) if self.to_topic else lines_of_directory(task.output)

    @staticmethod
    def _topic(task: Task, kind: str = "output") -> str:
        return f"{task.name}-{kind}"


class _PeerRun:
    def __init__(self, process: Process, position: Path) -> None:
        self._process = process
        self._position = position

    @property
    def sessions(self) -> list[int]:
        return [self._process.pid]

    def position(self) -> int:
        if not self._process.running():
            raise GiveUp(f"it ended\n{self._process.tail()}")
        return int(self._position.read_text())

    def finish(self) -> None:
        pass

    def facts(self) -> dict[str, Any]:
        return {}

    def kill(self) -> None:
        self._process.kill()
