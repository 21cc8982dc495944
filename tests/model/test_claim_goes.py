"""The release's own PVC, with the state, leaves the manifest: Helm, and Argo CD with pruning, would delete it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.model.scenes import AVAILABLE, AVAILABLE_STORE, CLAIM, SESSIONS, delete_deployments, installed, synced, upgrade
from tests.model.values import Values

JOBS = {"job": CLAIM, "job, HA": AVAILABLE}
ALL = {**JOBS, "session": SESSIONS["claim"], "session, HA": SESSIONS["claim, HA"]}
LEAVES = "PVC app-data leaves the release"


@pytest.mark.parametrize("values", ALL.values(), ids=ALL)
def test_also_where_the_deployment_that_mounted_it_is_gone(values: Values) -> None:
    release = installed(values)
    delete_deployments(release, "jobmanager", seconds=60)
    outcome = upgrade(release, replace(values, existing_claim="app-data"))
    assert (outcome.state, LEAVES in outcome.output) == ("refused", True)


@pytest.mark.parametrize("values", JOBS.values(), ids=JOBS)
def test_also_where_the_deployment_mounts_another_one_that_was_applied_without_a_hook(values: Values) -> None:
    release = synced(values)
    release.world.advance(30)
    other = replace(values, existing_claim="mine")
    release.change(other, lambda helm: helm.apply_everything_until_taken(other, 25), at_once=True)
    coming = replace(values, existing_claim="app-data")
    outcome = release.change(coming, lambda helm: helm.sync(coming))
    assert (outcome.state, LEAVES in outcome.output) == ("refused", True)


def test_a_pvc_that_a_release_has_left_long_ago_is_of_no_interest() -> None:
    release = installed(replace(AVAILABLE_STORE, storage=True))
    assert upgrade(release, replace(AVAILABLE_STORE, storage=False, program=2, upgrade_mode="stateless")).ok
    delete_deployments(release, "jobmanager", seconds=60)
    assert upgrade(release, replace(AVAILABLE_STORE, storage=False, program=2)).ok
