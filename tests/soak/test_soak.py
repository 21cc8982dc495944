"""A random walk of Helm's operations and of faults, under steady load: in the end every record of the topic is accounted for.

    make test-soak ARGS="--minutes 20 --seed 7"

The walk is written to .build/soak/SEED.log as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from ci.core.paths import BUILD, DEMO
from harness.cluster import Cluster
from harness.helm import Helm
from harness.release import FlinkRelease
from tests.soak import load
from tests.soak.operations import TIMEOUT, Operations, values
from tests.soak.walk import Kind, Settings, Step, walk

NAME = "soak"
Say = Callable[[str], None]


def take(operations: Operations, step: Step, say: Say) -> None:
    say(str(step))
    since = time.monotonic()
    try:
        operations.do(step)
    except Exception as failure:
        say(f"    FAILED after {time.monotonic() - since:.0f} s: {type(failure).__name__}: {failure}")
        raise
    say(f"    {time.monotonic() - since:.0f} s: {operations.seen}")


@pytest.mark.timeout(0)
def test_a_walk_loses_nothing(cluster: Cluster, helm: Helm, namespace: str, seed: int, minutes: float, availability: str) -> None:
    log = BUILD / "soak" / f"{seed}.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text("")

    def say(text: str) -> None:
        with log.open("a") as file:
            print(f"{datetime.now():%H:%M:%S} {text}", file=file)
        print(f"{datetime.now():%H:%M:%S} {text}", flush=True)

    say(f"seed {seed}, {minutes:g} minutes: high availability {availability}, {helm.binary}")
    helm.install(NAME, DEMO, values(Settings(), availability, {}), namespace=namespace, timeout=TIMEOUT)
    flink = FlinkRelease(cluster, namespace, NAME)
    operations = Operations(flink, helm, availability, say)
    load.start_late_rows(flink)
    operations.begin()

    now = Settings()
    deadline = time.monotonic() + 60 * minutes
    for step in walk(seed):
        if time.monotonic() > deadline:
            break
        take(operations, step, say)
        now = step.after
    if not now.running:
        resumed = replace(now, state="running")
        take(operations, Step(0, Kind.RESUME, now, resumed, resumed), say)

    load.stop(flink)
    account = load.settle(flink)
    say(f"every record is accounted for: {dict(account.ends)}")
