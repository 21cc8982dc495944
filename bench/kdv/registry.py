"""Everything that is measured, by name."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from pathlib import Path

from ci.core import cache as built
from ci.core import versions
from ci.core.console import run
from ci.core.paths import JOBS
from ci.images import artifacts
from ci.machine import java, venv

from .flink import CHECKPOINT_INTERVAL, FlinkSubject, java_version
from .peer import Peer
from .subject import Subject, Task

_PROGRAMS = Path(__file__).parent / "subjects"
_KDV = JOBS / "kdv" / "kdv.py"
_MINI_BATCH = {
    f"table.exec.mini-batch.{key}": value for key, value in {"enabled": "true", "allow-latency": "2 s", "size": "5000"}.items()
}


def _ours(task: Task) -> list[str]:
    given = {
        "bootstrap-servers": task.broker.address,
        "topic": task.data.topic,
        "group": task.name,
        "output": task.output.as_uri(),
    }
    return [f"--{key}={value}" for key, value in given.items()]


def _reference(task: Task) -> list[str]:
    return [task.broker.address, task.data.topic, task.name, task.output.as_uri(), CHECKPOINT_INTERVAL]


def _ceiling(kind: str, version: str) -> FlinkSubject:
    def arguments(task: Task) -> list[str]:
        return [kind, task.broker.address, task.data.topic, task.name, CHECKPOINT_INTERVAL]

    lacks = "Everything but reading" + " and decoding" * (kind == "json") + ": it shows the maximum that Flink's source allows."
    return FlinkSubject(f"{kind}-blackhole-{version}", version, _PROGRAMS / "ceiling.py", arguments, writes=False, lacks=lacks)


def _flink(version: str) -> list[Subject]:
    return [
        FlinkSubject(f"ours-{version}", version, _KDV, _ours),
        FlinkSubject(f"ours-mini-batch-{version}", version, _KDV, _ours, config=_MINI_BATCH),
        FlinkSubject(
            f"reference-{version}",
            version,
            _PROGRAMS / "reference.py",
            _reference,
            exact=False,
            lacks="Amounts are binary fractions (55000.00000000001), broken and late rows vanish without a word.",
        ),
        _ceiling("json", version),
        _ceiling("raw", version),
    ]


def _streams_command() -> list[str | Path]:
    jars = artifacts.fetch("kafka-streams")
    source = _PROGRAMS / "KdvStreams.java"

    def compile_(directory: Path) -> None:
        java.ensure()
        run(["javac", "-Xlint:all,-processing,-classfile", "-cp", f"{jars}/*", "-d", directory, source])

    classes = built.entry("bench-streams", {"source": built.file_hash(source), "jars": jars.name}, compile_)
    return ["java", "-Xms1g", "-Xmx1g", "-cp", f"{classes}:{jars}/*", "KdvStreams"]


def _streams(name: str, guarantee: str, store: str, lacks: str) -> Peer:
    return Peer(
        name,
        _streams_command,
        lambda: {"kafka-streams": versions.get("kafka", "version"), "java": java_version()},
        lacks,
        parallel=True,
        to_topic=True,
        environment={"KDV_GUARANTEE": guarantee, "KDV_STORE": store},
    )


def _python(name: str, file: str, package: str, lacks: str, *, to_topic: bool = False, partitioned: bool = True) -> Peer:
    def installed() -> dict[str, str]:
        return {package: _installed(package), "python": platform.python_version()}

    return Peer(
        name, lambda: [venv.bench_python(), _PROGRAMS / file], installed, lacks, to_topic=to_topic, partitioned=partitioned
    )


@cache
def _installed(package: str) -> str:
    code = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.run([venv.bench_python(), "-c", code], capture_output=True, text=True, check=True).stdout.strip()


_SUBJECTS: list[Subject] = [
    *(subject for version in versions.section("flink")["releases"] for subject in _flink(version)),
    _streams(
        "kafka-streams-exactly-once",
        "exactly_once_v2",
        "persistent",
        "Equal rows of different partitions are not merged; it writes to a topic: files are another program's task.",
    ),
    _streams(
        "kafka-streams-exactly-once-in-memory",
        "exactly_once_v2",
        "memory",
        "Like exactly-once; a restart reads the open windows again from the changelog.",
    ),
    _streams(
        "kafka-streams",
        "at_least_once",
        "memory",
        "A kill gives rows of the last ten seconds twice; for the rest like exactly-once.",
    ),
    _python(
        "python-confluent-kafka",
        "python_loop.py",
        "confluent-kafka",
        "A kill loses the open windows and leaves half a file; broken and late rows vanish; one thread.",
    ),
    _python(
        "bytewax",
        "bytewax_flow.py",
        "bytewax",
        "Without its recovery store a kill begins again; broken and late rows vanish; one thread.",
    ),
    _python(
        "quixstreams",
        "quixstreams_app.py",
        "quixstreams",
        "Equal rows of different partitions are not merged; broken and late rows vanish; it writes to a topic; one thread.",
        to_topic=True,
    ),
    _python(
        "pathway",
        "pathway_graph.py",
        "pathway",
        "Its event time knows no partitions: of several, it loses rows as late, so one is measured. Without its persistence "
        "a kill begins again; broken and late rows vanish; one thread; its licence is not an open source one.",
        partitioned=False,
    ),
]
# Windows of millions of rows want more than the TaskManager of the comparison, or a state backend on disk.
_LARGE: list[Subject] = [
    FlinkSubject("ours-12g-2.2.1", "2.2.1", _KDV, _ours, config={"taskmanager.memory.process.size": "12g"}),
    FlinkSubject("ours-rocksdb-2.2.1", "2.2.1", _KDV, _ours, config={"state.backend.type": "rocksdb"}),
]
ALL: dict[str, Subject] = {subject.name: subject for subject in [*_SUBJECTS, *_LARGE]}
COMPARED, LARGE = ([subject.name for subject in subjects] for subjects in (_SUBJECTS, _LARGE))
