"""flink.mode changes: the JobManager's Deployment has another name then, and the old one lives until Helm has made the new."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.model.scenes import CLAIM, STORE, each_mode, installed, rest_is_unreachable, rollback, upgrade
from tests.model.values import Values
from tests.model.walk import Checked

each_way = pytest.mark.parametrize("there", ["native", "standalone"])


def other(values: Values, there: str) -> tuple[Values, Values]:
    back = {"native": "standalone", "standalone": "native"}[there]
    return replace(values, mode=back), replace(values, mode=there)


@each_mode
@each_way
def test_the_model_itself(values: Values, there: str) -> None:
    before, coming = other(values, there)
    release = installed(before)
    assert upgrade(release, coming).ok
    release.world.advance(30)
    assert rollback(release, 0).ok
    assert len(release.jobs) == 1


@each_way
def test_out_of_sight_where_nobody_prunes(there: str) -> None:
    """Argo CD without pruning: the old Deployment runs the job on, which nobody stopped, beside the new one."""
    before, coming = other(CLAIM, there)
    release = Checked(before, by_helm=False)
    assert release.helm.sync(before).ok
    release.world.advance(30)
    rest_is_unreachable(release, 60)
    release.helm.sync(replace(coming, upgrade_mode="last-state"))
    release.world.advance(60)
    assert not release.world.ledger.faults


def test_to_standalone_and_interrupted_between_the_two_deployments() -> None:
    """Two JobManagers are behind one Service: which of them answers the hook is chance, so that the user is asked."""
    before, coming = other(STORE, "standalone")
    release = installed(before)
    release.helm.upgrade(coming, stop="in apply")
    release.world.advance(40)
    refused = release.helm.upgrade(coming)
    assert "`kubectl delete deployment app`" in refused.output
    release.world.kubernetes.remove("Deployment", "app")
    release.world.advance(30)
    assert release.helm.upgrade(coming).ok
    release.world.advance(30)
    assert len(release.jobs) == 1
    assert not release.world.ledger.faults
