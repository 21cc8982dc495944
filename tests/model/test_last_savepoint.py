"""job.savepointOnUninstall: the last savepoint is taken of what runs, whatever the record says, or the uninstall is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.model import package
from tests.model.package import Result
from tests.model.scenes import AVAILABLE_STORE, STORE, each_mode, installed, rest_is_unreachable, upgrade
from tests.model.values import Values
from tests.model.walk import Checked

each_store = pytest.mark.parametrize("values", [STORE, AVAILABLE_STORE], ids=["store", "store, HA"])


def installed_with(values: Values) -> tuple[Checked, Values]:
    values = replace(values, savepoint_on_uninstall=True, keep=True)
    return installed(values), values


def suspended_out_of_sight(values: Values, *, applied: bool) -> Checked:
    release, values = installed_with(values)
    rest_is_unreachable(release, 60)
    release.helm.upgrade(replace(values, state="suspended", upgrade_mode="last-state"), stop="" if applied else "before apply")
    release.world.advance(600)
    return release


def started_without_hooks(release: Checked, values: Values) -> None:
    """hooks.enabled=false: the JobManager starts its job by itself."""
    for obj in release.helm.render(replace(values, program=5)).objects:
        release.world.kubernetes.apply(obj)
    release.world.kubernetes.kind("deployments")["app-jobmanager"]["metadata"]["annotations"].pop("flink/record")
    release.world.advance(8)
    jobmanager = next(iter(release.world.jobmanagers.values()))
    jobmanager.state = "up"
    graph = {"name": "", "program": 5, "restore": "", "claims": False, "version": "2.2"}
    release.world.ledger.life("app/").allowed = {0}
    jobmanager.submit(release.world, "f" * 32, graph)
    release.world.advance(20)


def before_uninstall(release: Checked) -> Result:
    assert release.helm.applied
    return package.run(release.world, "before-uninstall", release.helm.applied.wanted)


def took_one(release: Checked, result: Any) -> None:
    assert not release.jobs
    assert "The last state is" in result.output
    assert "/stop/savepoint-" in result.output


@each_mode
def test_the_record_is_gone(values: Values) -> None:
    release, _ = installed_with(values)
    release.world.advance(130)
    release.world.delete_config_map("app-record")
    took_one(release, before_uninstall(release))


@each_mode
def test_the_record_is_gone_and_nobody_answers(values: Values) -> None:
    release, _ = installed_with(values)
    release.world.advance(130)
    release.world.delete_config_map("app-record")
    rest_is_unreachable(release, 60)
    output = before_uninstall(release).output
    assert "Error" in output
    assert "helm uninstall --no-hooks" in output


@each_mode
def test_it_runs_though_the_record_says_that_it_is_suspended(values: Values) -> None:
    release = suspended_out_of_sight(values, applied=False)
    if release.world.record("app")["state"] == "suspended":
        assert release.jobs
    took_one(release, before_uninstall(release))


@each_mode
def test_it_runs_though_suspended_and_the_release_is_installed_again(values: Values) -> None:
    release = suspended_out_of_sight(values, applied=False)
    assert release.helm.uninstall().ok
    release.world.advance(30)
    assert release.helm.upgrade(values).ok
    release.world.advance(30)
    assert not release.world.ledger.faults


@each_store
def test_it_was_suspended_out_of_sight_and_its_newest_state_goes_with_high_availability(values: Values) -> None:
    release = suspended_out_of_sight(values, applied=True)
    if release.world.record("app")["state"] == "suspended":
        assert release.helm.uninstall().state == "refused"


@each_mode
@pytest.mark.parametrize("before", ["runs", "suspended"])
def test_it_was_started_without_hooks(values: Values, before: str) -> None:
    release, values = installed_with(values)
    if before == "suspended":
        assert upgrade(release, replace(values, state="suspended")).ok
        release.world.advance(20)
    started_without_hooks(release, values)
    took_one(release, before_uninstall(release))


@each_mode
def test_it_is_suspended_and_says_so(values: Values) -> None:
    release, values = installed_with(values)
    assert upgrade(release, replace(values, state="suspended")).ok
    release.world.advance(20)
    took_one(release, before_uninstall(release))


@each_mode
def test_a_release_that_was_started_without_hooks_while_suspended_is_taken_over_by_an_upgrade(values: Values) -> None:
    release = installed(values)
    assert upgrade(release, replace(values, state="suspended")).ok
    release.world.advance(20)
    started_without_hooks(release, values)
    assert release.helm.upgrade(replace(values, program=6)).ok
    release.world.advance(30)
    assert not release.world.ledger.faults
    assert [job.program for job in release.jobs] == [6]
