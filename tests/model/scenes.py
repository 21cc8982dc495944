"""Releases in the model, and what happens to them, for tests that walk a path of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.model import flink
from tests.model.helm import Outcome
from tests.model.trouble import Trouble
from tests.model.values import SessionJob, Values
from tests.model.walk import Checked

CLAIM = Values()
AVAILABLE = Values(high_availability="kubernetes")
STORE = Values(root="s3://bucket/one")
AVAILABLE_STORE = replace(STORE, high_availability="kubernetes")
MODES = {"claim": CLAIM, "claim, HA": AVAILABLE, "store": STORE, "store, HA": AVAILABLE_STORE}
A, B = SessionJob("a"), SessionJob("b")
SESSIONS = {name: replace(values, type="session", jobs=(A,)) for name, values in MODES.items()}
each_mode = pytest.mark.parametrize("values", MODES.values(), ids=MODES)
each_session = pytest.mark.parametrize("values", SESSIONS.values(), ids=SESSIONS)
BROKEN, STUCK = 13, 17  # programs: one cannot read any state, and the tasks of the other never run


def with_bad_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = flink.JobManager._begin

    def begins(self: Any, world: Any, job: str, graph: Any) -> None:
        if graph["program"] == BROKEN:
            raise flink.RestoreFailed("Cannot map the state of an operator")
        begin(self, world, job, graph)
        self.jobs[job].stuck |= graph["program"] == STUCK

    monkeypatch.setattr(flink.JobManager, "_begin", begins)


def installed(values: Values) -> Checked:
    release = Checked(values)
    assert upgrade(release, values).ok
    release.world.advance(30)
    return release


def synced(values: Values) -> Checked:
    """One that Helm has not made."""
    release = Checked(values, by_helm=False)
    assert release.change(values, lambda helm: helm.sync(values)).ok
    return release


def without_record(values: Values, install: Callable[[Values], Checked] = installed) -> Checked:
    """One that is not new any more, and whose record somebody has deleted."""
    release = install(values)
    release.world.advance(200)
    release.world.delete_config_map("app-record")
    return release


def delete_deployments(release: Checked, *components: str, seconds: float = 20) -> None:
    for component in components:
        release.world.kubernetes.remove("Deployment", f"app-{component}")
    release.world.advance(seconds)


def upgrade(release: Checked, values: Values, trouble: Trouble | None = None) -> Outcome:
    return release.change(values, lambda helm: helm.upgrade(values), trouble)


def rollback(release: Checked, index: int, trouble: Trouble | None = None) -> Outcome:
    values = release.helm.revisions[index].values
    return release.change(values, lambda helm: helm.rollback(index), trouble, names_state=False)


def mistyped(values: Values) -> str:
    """A path where nothing is stored."""
    return f"{values.root or 'file:///flink-data'}/mistyped"


def newest_checkpoint(release: Checked) -> str:
    return release.jobs[0].checkpoints[-1][1].replace("file:/", "file:///")


def completed(release: Checked) -> int:
    """Rows of the newest checkpoint."""
    return max(rows for _, _, rows in release.jobs[0].checkpoints)


def ends(release: Checked, state: str) -> None:
    jobmanager = release.world.serving("app")
    assert jobmanager
    jobmanager.end(release.world, release.jobs[0], state)
    release.world.advance(15)


def stop_by_hand(release: Checked) -> None:
    jobmanager = release.world.serving("app")
    assert jobmanager
    jobmanager.rest(release.world, "POST", f"/jobs/{release.jobs[0].id}/stop", {})
    release.world.advance(5)
    assert not release.jobs


def somebody_submits(release: Checked) -> None:
    """A job to a session, with `flink run`."""
    jobmanager = release.world.serving("app")
    assert jobmanager
    graph = {"name": "guest", "program": 1, "restore": "", "claims": False, "version": jobmanager.process.flink_version}
    jobmanager.submit(release.world, release.world.token(), graph)
    release.world.advance(30)


def rest_is_unreachable(release: Checked, seconds: float) -> None:
    release.world.rest_is_unreachable_until = release.world.now + seconds


def restart_jobmanager(release: Checked, seconds: float = 40) -> None:
    """Its container ends, and another one has come up."""
    for name in list(release.world.jobmanagers):
        release.world.crash(name, "killed")
    release.world.advance(seconds)


def lose_jobmanager(release: Checked, seconds: float) -> None:
    for name in list(release.world.jobmanagers):
        release.world.kubernetes.lose_pod(name)
    release.world.advance(seconds)


def nothing_is_lost_or_twice(release: Checked, seconds: float = 30) -> None:
    release.world.advance(seconds)
    assert not release.world.ledger.faults
