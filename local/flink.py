"""A Flink session cluster, with the files of our image but none of its containers, and a way to start the KDV job on it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import requests

from ci.core.paths import JOBS, ROOT
from ci.images import images
from harness.rest import FlinkRest
from harness.waits import GiveUp, wait_for

from .process import Process, free_port
from .submitter import Submitter

# One JobManager and TaskManagers of the size that the chart gives by default.
_CONFIG = {
    "jobmanager.rpc.address": "127.0.0.1",
    "rest.address": "127.0.0.1",
    "rest.bind-address": "127.0.0.1",
    "jobmanager.memory.process.size": "1024m",
    "taskmanager.memory.process.size": "1728m",
    "taskmanager.host": "127.0.0.1",
    "blob.server.port": "0",
    "execution.target": "remote",
    "web.refresh-interval": "250",
    "metrics.fetcher.update-interval": "250",
    "cluster.io-pool.size": "4",
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": "2147483647",
    "restart-strategy.fixed-delay.delay": "500ms",
}


class FlinkCluster:
    """Flink of `version` with `taskmanagers` times `slots`; `config` goes over the options above."""

    def __init__(
        self, version: str, directory: Path, *, taskmanagers: int = 1, slots: int = 2, config: Mapping[str, str] | None = None
    ) -> None:
        self.version = version
        self.directory = directory
        files = images.context("flink", version)
        self.home = _home(version, files / "flink", directory / "flink")
        conf = directory / "conf"
        shutil.copytree(self.home / "conf", conf, ignore=shutil.ignore_patterns("config.yaml"))
        rest = free_port()
        options = {
            **_CONFIG,
            "env.java.default-opts.all": _java_options(self.home / "conf" / "config.yaml"),
            "rest.port": str(rest),
            "jobmanager.rpc.port": str(free_port()),
            "taskmanager.numberOfTaskSlots": str(slots),
            "execution.checkpointing.dir": (directory / "checkpoints").as_uri(),
            "execution.checkpointing.savepoint-dir": (directory / "savepoints").as_uri(),
            "io.tmp.dirs": str(directory / "tmp"),
            **(config or {}),
        }
        (conf / "config.yaml").write_text("".join(f'{key}: "{value}"\n' for key, value in sorted(options.items())))
        for name in ("tmp", "log"):
            (directory / name).mkdir()
        self.env = {
            "FLINK_HOME": str(self.home),
            "FLINK_CONF_DIR": str(conf),
            "FLINK_LOG_DIR": str(directory / "log"),
            "FLINK_PID_DIR": str(directory),
            "PYTHONPATH": f"{files / 'python'}:{ROOT}",
            "SUBMIT_ARGS": "remote --detached",  # pyflink submits as `flink run` does, instead of running the job in its own JVM
            "MALLOC_ARENA_MAX": "1",
        }
        self._taskmanager_count = taskmanagers
        self.jobmanager: Process | None = None
        self.taskmanagers: list[Process] = []
        session = requests.Session()
        session.trust_env = False
        self.rest = FlinkRest(f"http://127.0.0.1:{rest}", session, on_timeout=self._tails, interval=0.1)

    def start(self) -> None:
        self.jobmanager = self.launch("jobmanager")
        for _ in range(self._taskmanager_count):
            self.add_taskmanager()

        def registered() -> bool:
            if not all(process.running() for process in self._processes()):
                raise GiveUp("a process ended")
            return len(self.rest.taskmanagers()) == self._taskmanager_count

        wait_for(registered, timeout=120, what=f"Flink {self.version}", on_timeout=self._tails, interval=0.2)

    def add_taskmanager(self) -> Process:
        process = self.launch("taskmanager", str(len(self.taskmanagers)))
        self.taskmanagers.append(process)
        return process

    def stop(self) -> None:
        for process in reversed(self._processes()):
            process.stop()

    @contextlib.contextmanager
    def submitter(self, job: Path = JOBS / "kdv" / "kdv.py") -> Iterator[Submitter]:
        """A Python process that starts jobs of the program `job`, one after the other."""
        with Submitter([sys.executable, "-m", "local.submitter", job], self.directory / "submitter.log", self.env) as submitter:
            yield submitter

    def launch(self, role: str, suffix: str = "") -> Process:
        """A process of its own, of which nobody but its caller takes care."""
        script = self.home / "bin" / f"{role}.sh"
        return Process([script, "start-foreground"], self.directory / f"{role}{suffix}.log", self.env)

    def _processes(self) -> Sequence[Process]:
        return [*([self.jobmanager] if self.jobmanager else []), *self.taskmanagers]

    def _tails(self) -> str:
        return "\n".join(process.tail() for process in self._processes())


def _home(version: str, files: Path, directory: Path) -> Path:
    """FLINK_HOME as the image has it: links to what was laid out, and our own jars."""
    shutil.copytree(files, directory, copy_function=os.symlink, ignore=shutil.ignore_patterns("bin"))
    shutil.copytree(files / "bin", directory / "bin")  # its scripts look for their neighbours where the real files are
    for jar in images.own_jars(version):
        (directory / "lib" / jar.name).symlink_to(jar)
    return directory


def _java_options(config: Path) -> str:
    """What the shipped configuration opens to Flink under newer Java versions."""
    lines = iter(config.read_text().splitlines())
    for line in lines:
        if line.strip().startswith("all: --add-exports"):
            return line.strip().removeprefix("all: ")
    raise ValueError(f"{config} names no Java options")


@contextlib.contextmanager
def running(
    version: str, directory: Path, *, taskmanagers: int = 1, slots: int = 2, config: Mapping[str, str] | None = None
) -> Iterator[FlinkCluster]:
    """A cluster with all its TaskManagers, for as long as the block runs."""
    directory.mkdir(parents=True)
    cluster = FlinkCluster(version, directory, taskmanagers=taskmanagers, slots=slots, config=config)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
