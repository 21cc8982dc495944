"""PyFlink jobs as subjects: a cluster of its own for each run."""

from __future__ import annotations

import contextlib
import platform
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ci.core import versions
from local import flink
from local.flink import FlinkCluster

from .subject import Run, Task, lines_of_directory

CHECKPOINT_INTERVAL = "10 s"
TASKMANAGER_MEMORY = "1728 MiB of process memory"  # what local.flink gives it


@cache
def java_version() -> str:
    settings = subprocess.run(["java", "-XshowSettings:properties", "-version"], capture_output=True, text=True, check=True)
    return next(line.split("=")[1].strip() for line in settings.stderr.splitlines() if "java.version =" in line)


@dataclass(frozen=True)
class FlinkSubject:
    """`program` is a PyFlink file, `arguments` what it is called with, `config` are further options of the cluster."""

    name: str
    version: str
    program: Path
    arguments: Callable[[Task], list[str]]
    writes: bool = True
    exact: bool = True
    lacks: str = ""
    partitioned: bool = True
    config: Mapping[str, str] = field(default_factory=dict)

    def threads(self, partitions: int) -> int:
        return 2  # the slots: what follows the source is spread over them even if one partition feeds it

    def versions(self) -> dict[str, str]:
        connector = versions.section("flink")["releases"][self.version]["kafka-connector"]
        return {
            "flink": self.version,
            "kafka-connector": connector,
            "java": java_version(),
            "python": platform.python_version(),
        }

    @contextlib.contextmanager
    def run(self, task: Task) -> Iterator[Run]:
        config = {"parallelism.default": str(task.parallelism), **self.config}
        with flink.running(self.version, task.directory / "cluster", config=config) as cluster:
            with cluster.submitter(self.program) as submitter:
                submitter.submit(*self.arguments(task))
            [job] = cluster.rest.jobs()
            yield _FlinkRun(cluster, cluster.rest.wait_running(job["jid"])["jid"])

    def lines(self, task: Task) -> list[str] | None:
        return lines_of_directory(task.output) if self.writes else None


class _FlinkRun:
    def __init__(self, cluster: FlinkCluster, job: str) -> None:
        self._cluster = cluster
        self._job = job
        self._metric: tuple[str, str] | None = None

    @property
    def sessions(self) -> list[int]:
        processes = [self._cluster.jobmanager, *self._cluster.taskmanagers]
        return [process.pid for process in processes if process]

    def position(self) -> int:
        rest = self._cluster.rest
        if self._metric is None:
            self._metric = self._find_metric()
        path, name = self._metric
        [answer] = rest.call("GET", path, params={"get": name, "agg": "sum"})
        return int(answer["sum"])

    def _find_metric(self) -> tuple[str, str]:
        """Where the number of rows that the source's operator has read is to be had."""
        for vertex in self._cluster.rest.job(self._job)["vertices"]:
            path = f"/jobs/{self._job}/vertices/{vertex['id']}/subtasks/metrics"
            for metric in self._cluster.rest.get(path):
                if metric["id"].startswith("Source") and metric["id"].endswith(".numRecordsIn"):
                    return path, metric["id"]
        raise LookupError("no source has reported its metrics yet")

    def finish(self) -> None:
        self._cluster.rest.call("POST", f"/jobs/{self._job}/checkpoints", json={"checkpointType": "CONFIGURED"})

    def facts(self) -> dict[str, Any]:
        statistics = self._cluster.rest.checkpoints(self._job)
        if not statistics["counts"]["completed"]:
            return {}
        summary = statistics["summary"]
        return {
            "checkpoint": {
                "completed": statistics["counts"]["completed"],
                "failed": statistics["counts"]["failed"],
                "largest_mib": round(summary["state_size"]["max"] / 2**20, 2),
                "longest_ms": summary["end_to_end_duration"]["max"],
                "average_ms": summary["end_to_end_duration"]["avg"],
            }
        }
