"""In native mode Flink makes the TaskManagers, and a JobManager takes over those of the one before it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.model.scenes import rest_is_unreachable, restart_jobmanager, synced
from tests.model.values import Values


@pytest.mark.parametrize("seconds", [0, 5, 25])
@pytest.mark.parametrize("high_availability", ["none", "kubernetes"])
@pytest.mark.parametrize("upgrade_mode", ["last-state", "stateless"])
def test_taskmanagers_that_the_previous_jobmanager_made_late_are_replaced(
    seconds: float, high_availability: str, upgrade_mode: str
) -> None:
    values = Values(mode="native", high_availability=high_availability, upgrade_mode=upgrade_mode)
    release = synced(values)
    restart_jobmanager(release, seconds)
    rest_is_unreachable(release, 45)
    release.world.advance(2)
    other = replace(values, taskmanager=2)
    assert release.change(other, lambda helm: helm.sync(other)).ok
