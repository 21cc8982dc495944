"""Somebody has deleted the PVC with the state: it stays, terminating, until the last pod that mounts it has ended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.model.scenes import AVAILABLE, CLAIM, SESSIONS, B, installed, rollback, upgrade
from tests.model.values import Values

WITH_CLAIM = {"job": CLAIM, "job, HA": AVAILABLE, "session": SESSIONS["claim"], "session, HA": SESSIONS["claim, HA"]}
each_release = pytest.mark.parametrize("values", WITH_CLAIM.values(), ids=WITH_CLAIM)


@each_release
@pytest.mark.parametrize("change", [{"program": 2}, {"startup_seconds": 9}, {"state": "suspended"}, {"jobs": (B,)}])
def test_nothing_ends_its_last_pod(values: Values, change: dict[str, Any]) -> None:
    if ("jobs" in change) != (values.type == "session") and set(change) & {"jobs", "program", "state"}:
        pytest.skip("not of this type")
    release = installed(values)
    release.world.kubernetes.remove("PersistentVolumeClaim", "app-data")
    outcome = upgrade(release, replace(values, **change))
    assert outcome.state == "refused"
    assert "PVC app-data is being deleted" in outcome.output
    assert release.jobs


def test_a_rollback_neither() -> None:
    release = installed(CLAIM)
    assert upgrade(release, replace(CLAIM, program=2)).ok
    release.world.kubernetes.remove("PersistentVolumeClaim", "app-data")
    assert rollback(release, 0).state == "refused"
    assert release.jobs


def test_the_user_may_say_that_the_state_is_not_needed() -> None:
    release = installed(CLAIM)
    release.world.kubernetes.remove("PersistentVolumeClaim", "app-data")
    assert upgrade(release, replace(CLAIM, program=2, upgrade_mode="stateless", existing_claim="mine")).ok
