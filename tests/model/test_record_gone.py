"""Somebody has deleted the record of a job that runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.model.scenes import AVAILABLE, STORE, each_mode, restart_jobmanager, synced, upgrade, without_record
from tests.model.values import Values


@each_mode
def test_the_job_is_left_alone_where_nothing_changes(values: Values) -> None:
    release = without_record(values)
    assert release.helm.upgrade(values).ok
    assert not release.world.ended
    assert len(release.jobs) == 1


@each_mode
@pytest.mark.parametrize("then", ["upgrade", "restart"])
def test_the_record_that_is_made_anew_tells_all(values: Values, then: str) -> None:
    release = without_record(values)
    assert release.helm.upgrade(values).ok
    release.world.advance(20)
    if then == "upgrade":
        assert upgrade(release, replace(values, program=2)).ok
    else:
        restart_jobmanager(release)
    release.world.advance(20)
    assert not release.world.ledger.faults
    # On a store without high availability nobody can tell the newest checkpoint: the JobManager waits.
    assert bool(release.jobs) is (then == "upgrade" or values is not STORE)


@each_mode
@pytest.mark.parametrize("state", ["RUNNING", "CANCELED"])
@pytest.mark.parametrize(
    ("change", "reason"), [({"backend": "forst"}, "forst cannot read it"), ({"flink_version": "2.1"}, "written by Flink 2.2")]
)
def test_what_could_not_read_its_state_is_refused(values: Values, state: str, change: dict[str, Any], reason: str) -> None:
    release = without_record(values)
    jobmanager = release.world.serving("app")
    assert jobmanager
    if state == "CANCELED":
        jobmanager.end(release.world, release.jobs[0], state)
    outcome = upgrade(release, replace(values, **change))
    assert (outcome.state, reason in outcome.output) == ("refused", True)


@pytest.mark.parametrize("order", range(6))
def test_another_parallelism_is_applied_together_with_its_hooks(order: int) -> None:
    values = replace(AVAILABLE, adaptive=True, parallelism=2)
    release = without_record(values, synced)
    other = replace(values, parallelism=4)
    assert release.change(other, lambda helm: helm.apply_everything(other, order), at_once=True).ok


@each_mode
@pytest.mark.parametrize("mode", ["standalone", "native"])
@pytest.mark.parametrize("upgrade_mode", ["savepoint", "last-state"])
@pytest.mark.parametrize("order", range(3))
def test_another_program_is_applied_together_with_its_hooks(values: Values, mode: str, upgrade_mode: str, order: int) -> None:
    """The Deployment is another one already when the hooks look, and the pod that serves is on its way out."""
    values = replace(values, mode=mode)
    release = without_record(values, synced)
    other = replace(values, program=2, upgrade_mode=upgrade_mode)
    outcome = release.change(other, lambda helm: helm.apply_everything_until_taken(other, order), at_once=True)
    # On a store nobody can tell what the old pod has written last.
    assert outcome.ok is not bool(values.root)
    assert [job.program for job in release.jobs] == ([] if values.root else [2])
