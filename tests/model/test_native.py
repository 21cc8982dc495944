"""In native mode Flink makes the TaskManagers, and a JobManager takes over those of the one before it."""

from __future__ import annotations

import pytest

from tests.model.values import Values
from tests.model.walk import Checked


@pytest.mark.parametrize("seconds", [0, 5, 25])
@pytest.mark.parametrize("high_availability", ["none", "kubernetes"])
@pytest.mark.parametrize("upgrade_mode", ["last-state", "stateless"])
def test_taskmanagers_that_the_previous_jobmanager_made_late_are_replaced(
    seconds: float, high_availability: str, upgrade_mode: str
) -> None:
    values = Values(mode="native", high_availability=high_availability, upgrade_mode=upgrade_mode)
    release = Checked(values, by_helm=False)
    assert release.change(values, lambda helm: helm.sync(values)).ok
    for name in list(release.world.jobmanagers):
        release.world.crash(name, "killed")
    release.world.advance(seconds)
    release.world.rest_is_unreachable_until = release.world.now + 45
    release.world.advance(2)
    other = Values(mode="native", high_availability=high_availability, upgrade_mode=upgrade_mode, taskmanager=2)
    assert release.change(other, lambda helm: helm.sync(other)).ok
