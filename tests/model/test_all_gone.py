"""Somebody has deleted the record and the JobManager's Deployment: state of the job is all that is left of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.model.helm import Outcome
from tests.model.scenes import (
    AVAILABLE,
    AVAILABLE_STORE,
    CLAIM,
    SESSIONS,
    completed,
    delete_deployments,
    installed,
    newest_checkpoint,
    nothing_is_lost_or_twice,
    upgrade,
)
from tests.model.values import Values
from tests.model.walk import Checked

# On a store without high availability nothing tells that a job was there.
KNOWN = {"claim": CLAIM, "claim, HA": AVAILABLE, "store, HA": AVAILABLE_STORE}
KNOWN_SESSIONS = {name: SESSIONS[name] for name in KNOWN}
OWN_CLAIM = replace(CLAIM, existing_claim="mine")
each_known = pytest.mark.parametrize("values", KNOWN.values(), ids=KNOWN)
each_known_session = pytest.mark.parametrize("values", KNOWN_SESSIONS.values(), ids=KNOWN_SESSIONS)


def delete_all(release: Checked) -> None:
    release.world.delete_config_map("app-record")
    delete_deployments(release, "jobmanager", "taskmanager")
    assert not release.jobs


def left_without_record(values: Values, seconds: float = 0) -> Checked:
    release = installed(values)
    release.world.advance(seconds)
    delete_all(release)
    return release


def helm_upgrade(release: Checked, values: Values) -> Outcome:
    """Without the demand that it ends well when it is repeated."""
    outcome = release.helm.upgrade(values)
    release.world.advance(30)
    assert not release.world.ledger.faults
    return outcome


@each_known
@pytest.mark.parametrize("seconds", [0, 130])
@pytest.mark.parametrize("program", [1, 2])
def test_the_job_does_not_start_from_nothing(values: Values, seconds: float, program: int) -> None:
    release = left_without_record(values, seconds)
    for again in (program, program, 3):
        assert not helm_upgrade(release, replace(values, program=again)).ok
        assert not release.jobs


def test_nor_on_a_claim_of_the_users_own() -> None:
    release = left_without_record(OWN_CLAIM)
    assert not helm_upgrade(release, OWN_CLAIM).ok
    assert not release.jobs


@each_known
@pytest.mark.parametrize("refused_first", [False, True])
def test_it_resumes_from_the_state_that_is_named(values: Values, refused_first: bool) -> None:
    release = installed(values)
    path, rows = newest_checkpoint(release), completed(release)
    delete_all(release)
    if refused_first:
        assert not helm_upgrade(release, values).ok
    assert upgrade(release, replace(values, from_savepoint=path)).ok
    release.world.advance(20)
    assert release.jobs[0].rows >= rows


@each_known
@pytest.mark.parametrize("refused_first", [False, True])
def test_it_restarts_from_scratch_if_the_values_say_so(values: Values, refused_first: bool) -> None:
    release = left_without_record(values)
    if refused_first:
        assert not helm_upgrade(release, values).ok
    assert upgrade(release, replace(values, upgrade_mode="stateless")).ok
    nothing_is_lost_or_twice(release)
    assert len(release.jobs) == 1


@each_known_session
def test_jobs_of_a_session_do_not_start_from_nothing(values: Values) -> None:
    release = left_without_record(values)
    for _ in range(2):
        assert not helm_upgrade(release, values).ok
        assert not release.jobs


@each_known_session
def test_a_job_of_a_session_resumes_from_the_state_that_is_named(values: Values) -> None:
    release = installed(values)
    path, rows = newest_checkpoint(release), completed(release)
    delete_all(release)
    assert upgrade(release, replace(values, jobs=(replace(values.jobs[0], from_savepoint=path),))).ok
    release.world.advance(20)
    assert release.jobs[0].rows >= rows


@pytest.mark.parametrize("values", [CLAIM, SESSIONS["claim"]], ids=["job", "session"])
def test_a_first_install_finds_nothing_of_this(values: Values) -> None:
    release = installed(values)
    assert len(release.jobs) == 1
