"""Somebody has deleted the record of a job that runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.model.scenes import STORE, each_mode, restart_jobmanager, upgrade, without_record
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
