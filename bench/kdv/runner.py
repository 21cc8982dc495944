"""One run of one subject, and the record of it."""

from __future__ import annotations

import itertools
import shutil
import time
from bisect import bisect_left
from pathlib import Path
from typing import Any

from harness.waits import GiveUp, wait_for
from local.kafka import Broker

from . import usage
from .data import Data
from .subject import Run, Subject, Task

_POLL_SECONDS = 0.2
_numbers = itertools.count(1)

Samples = list[tuple[float, int]]  # seconds since all ran, rows read until then


def task(broker: Broker, directory: Path, subject: Subject, data: Data, parallelism: int) -> Task:
    """A run's own directory and name."""
    name = f"{subject.name}-{next(_numbers)}"
    place = directory / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    return Task(broker, data, parallelism, place, name)


def read_all(run: Run, messages: int, limit: float) -> Samples:
    """Watch the run until it has read `messages` rows, or `limit` seconds have passed."""
    start = time.monotonic()
    samples: Samples = [(0.0, 0)]
    failures = 0
    while samples[-1][1] < messages and samples[-1][0] < limit:
        time.sleep(_POLL_SECONDS)
        try:
            position = run.position()
        except GiveUp:
            raise
        except Exception:
            failures += 1
            if failures > 150:
                raise
            continue
        samples.append((time.monotonic() - start, position))
    return samples


def steady_rate(samples: Samples) -> float:
    """Rows per second over the second half of the rows."""
    total = samples[-1][1]
    index = bisect_left(samples, total / 2, key=lambda sample: sample[1])
    (earlier, below), (later, above) = samples[index - 1], samples[index]
    half = earlier + (later - earlier) * (total / 2 - below) / (above - below)
    return total / 2 / (samples[-1][0] - half)


def committed(subject: Subject, work: Task, rows: int) -> list[str] | None:
    """The lines of the output, once there are as many as there have to be, or after the time that the largest window may take."""
    lines = subject.lines(work)
    end = time.monotonic() + 60 + work.data.rows_per_window / 40_000
    while lines is not None and len(lines) < rows and time.monotonic() < end:
        time.sleep(1)
        lines = subject.lines(work)
    return lines


def measure(broker: Broker, directory: Path, subject: Subject, data: Data, parallelism: int, limit: float) -> dict[str, Any]:
    """A run in fresh processes. Raises RuntimeError when a run that has read everything has not written everything."""
    work = task(broker, directory, subject, data, parallelism)
    with subject.run(work) as run:
        before = usage.cpu_seconds(run.sessions)
        samples = read_all(run, data.messages, limit)
        cpu, memory = usage.cpu_seconds(run.sessions) - before, usage.peak_mib(run.sessions)
        seconds, position = samples[-1]
        facts = run.facts()
        if position >= data.messages:
            run.finish()
            lines = committed(subject, work, data.events)
            if lines is not None and len(lines) != data.events:
                raise RuntimeError(f"{subject.name} wrote {len(lines)} rows instead of {data.events}: see {work.directory}")
    shutil.rmtree(work.directory)
    remove_topics(broker, work)
    return {
        "subject": subject.name,
        "partitions": data.partitions,
        "parallelism": parallelism,
        "rows": data.events,
        "rows_per_window": data.rows_per_window,
        "events": position,
        "seconds": round(seconds, 2),
        "steady_events_per_second": round(steady_rate(samples)),
        "cpu_seconds": round(cpu, 1),
        "memory_mib": round(memory),
        **facts,
        "versions": subject.versions(),
    }


def remove_topics(broker: Broker, work: Task) -> None:
    """Free the disk of a run's output and changelogs."""
    names = [name for name in broker.admin.list_topics(timeout=10).topics if name.startswith(f"{work.name}-")]
    if names:
        for removal in broker.admin.delete_topics(names).values():
            removal.result(30)
    wait_for(lambda: not set(names) & broker.admin.list_topics(timeout=10).topics.keys(), timeout=30, what="topics to go")
