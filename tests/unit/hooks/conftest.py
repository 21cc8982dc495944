"""A release between a JobManager and an API server that are fakes, and a clock that only waiting moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hooks import clock as hooks_clock
from hooks import record
from hooks.clock import Deadline
from hooks.errors import Failed
from hooks.flink import Flink
from hooks.http_client import Http
from hooks.kubernetes import Kubernetes
from hooks.operations import EVENTS, Release
from hooks.record import Record

from tests.unit.fakes import FakeFlink, FakeKubernetes, serving
from tests.unit.hooks import build


class Clock:
    """Time passes when somebody sleeps; one of `events` happens at each sleep."""

    def __init__(self) -> None:
        self.now = 0.0
        self.events: list[Callable[[], None]] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.events:
            self.events.pop(0)()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(hooks_clock, "monotonic", clock.monotonic)
    monkeypatch.setattr(hooks_clock, "sleep", clock.sleep)
    return clock


class World:
    """The release of build.py, whose job JOB runs as generation 1, and Helm's operations on it."""

    def __init__(self, flink: FakeFlink, kubernetes: FakeKubernetes, rest: str, server: str, clock: Clock) -> None:
        self.flink, self.kubernetes, self.clock = flink, kubernetes, clock
        self.rest, self._server = rest, server
        self.flink.run(build.JOB)
        self.rolled_out("r-jobmanager", specification="a", template="t1")
        self.rolled_out("r-taskmanager")
        self.kubernetes.put("persistentvolumeclaims", {"metadata": {"name": "data", "uid": "uid"}})
        self.write(build.record())

    def rolled_out(self, name: str, *, hooks: bool = True, **marks: str) -> None:
        """A Deployment of Helm's whose pods are all there; its JobManager waits for the record, unless it is without `hooks`."""
        annotations = {f"flink/{key}": value for key, value in {"type": "job", **marks}.items()}
        if hooks and annotations["flink/type"] == "job":
            annotations["flink/record"] = "r-record"
        annotations["meta.helm.sh/release-name"] = "r"
        self.kubernetes.put("deployments", build.deployment(name=name, annotations=annotations))

    def uninstalled(self, *, keeps_claim: bool = True) -> None:
        if not keeps_claim:
            self.kubernetes.claims.clear()
        self.kubernetes.deployments.clear()
        self.kubernetes.pods.clear()
        self.flink.unreachable = True

    @property
    def record(self) -> Record:
        return record.load(self.kubernetes.config_maps["r-record"]["data"])

    def write(self, written: Record) -> None:
        """As somebody else writes it."""
        self.kubernetes.put("configmaps", {"metadata": {"name": "r-record"}, "data": record.dump(written)})

    def release(self, job: dict[str, Any] | None = None, **wanted: Any) -> Release:
        given = build.wanted(**{"rest": self.rest, "jobs": [build.job(**(job or {}))], **wanted})
        deadline = Deadline(given.timeout_seconds)
        kubernetes = Kubernetes(Http(self._server), "n", deadline)
        return Release(given, kubernetes, Flink(given.rest), deadline)

    def __call__(self, event: str, job: dict[str, Any] | None = None, **wanted: Any) -> None:
        EVENTS[event](self.release(job, **wanted))

    def refused(self, event: str, job: dict[str, Any] | None = None, **wanted: Any) -> str:
        with pytest.raises(Failed) as caught:
            self(event, job, **wanted)
        return str(caught.value)

    def untouched(self) -> Callable[[], bool]:
        """Afterwards: whether the job runs under its id, and the record is unchanged."""
        before = self.record
        return lambda: self.record == before and self.flink.jobs[build.JOB]["state"] == "RUNNING"


@pytest.fixture
def world(clock: Clock) -> Iterator[World]:
    flink, kubernetes = FakeFlink(), FakeKubernetes()
    with serving(flink) as rest, serving(kubernetes) as server:
        yield World(flink, kubernetes, rest, server, clock)
