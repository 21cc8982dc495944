"""Faults that the walks have found: each by its shortest way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.model.helm import Helm, Outcome
from tests.model.scenes import (
    AVAILABLE,
    CLAIM,
    installed,
    lose_jobmanager,
    newest_checkpoint,
    rest_is_unreachable,
    restart_jobmanager,
    rollback,
    stop_by_hand,
    upgrade,
)
from tests.model.trouble import Trouble
from tests.model.values import SessionJob, Values
from tests.model.walk import Checked


@pytest.mark.parametrize("values", [CLAIM, AVAILABLE], ids=["none", "kubernetes"])
def test_the_only_checkpoint_that_is_kept_is_not_deleted_by_the_start_from_it(values: Values) -> None:
    release = installed(replace(values, retained=1))
    assert upgrade(release, replace(release.values, program=2, upgrade_mode="last-state")).ok


@pytest.mark.parametrize("values", [CLAIM, AVAILABLE], ids=["none", "kubernetes"])
def test_a_rollback_brings_back_a_job_whose_named_savepoint_is_missing(values: Values) -> None:
    release = installed(values)
    completed = release.jobs[0].rows
    outcome = release.helm.upgrade(replace(values, from_savepoint="file:///flink-data/mistyped"))
    assert not outcome.ok
    assert rollback(release, 0).ok
    assert release.jobs[0].rows >= completed


def test_a_job_can_be_started_again_from_its_own_newest_checkpoint() -> None:
    release = installed(CLAIM)
    assert upgrade(release, replace(CLAIM, from_savepoint=newest_checkpoint(release), program=2)).ok


@pytest.mark.parametrize("kind", ["conflict", "killed before", "killed after"])
@pytest.mark.parametrize("call", range(1, 40, 2))
def test_a_restart_that_was_interrupted_is_taken_up_again(kind: str, call: int) -> None:
    release = installed(AVAILABLE)
    stop_by_hand(release)
    assert upgrade(release, AVAILABLE, Trouble(kind, call)).ok
    assert release.jobs


def test_a_job_that_was_stopped_by_hand_goes_on_from_that_savepoint() -> None:
    release = installed(AVAILABLE)
    stop_by_hand(release)
    lose_jobmanager(release, 25)
    upgrade(release, AVAILABLE)


def test_a_rollback_while_the_jobmanager_starts_brings_back_the_program() -> None:
    release = installed(AVAILABLE)
    assert upgrade(release, replace(AVAILABLE, program=2)).ok
    for seconds in (1, 2, 3, 4, 5, 6):
        lose_jobmanager(release, seconds)
        assert rollback(release, 0).ok
        assert release.jobs[0].program == 1
        assert upgrade(release, replace(AVAILABLE, program=2)).ok


def test_restarts_of_long_ago_do_not_count() -> None:
    release = installed(AVAILABLE)
    for _ in range(3):
        restart_jobmanager(release)
    rest_is_unreachable(release, 20)
    assert upgrade(release, AVAILABLE).ok


@pytest.mark.parametrize("values", [CLAIM, AVAILABLE], ids=["none", "kubernetes"])
def test_jobs_of_a_session_without_their_record_are_not_doubled(values: Values) -> None:
    release = installed(replace(values, type="session", jobs=(SessionJob("a"), SessionJob("b"))))
    release.world.delete_config_map("app-record")
    upgrade(release, release.values)


@pytest.mark.parametrize("root", ["", "s3://bucket/one"], ids=["claim", "s3"])
def test_jobs_of_a_session_go_on_when_it_comes_to_be_highly_available(root: str) -> None:
    release = installed(Values(type="session", root=root, jobs=(SessionJob("a"),)))
    completed = release.jobs[0].rows
    assert upgrade(release, replace(release.values, high_availability="kubernetes")).ok
    assert release.jobs[0].rows >= completed


@pytest.mark.parametrize("values", [CLAIM, AVAILABLE, Values(root="s3://bucket/one")], ids=["claim", "kubernetes", "s3"])
def test_a_rollback_brings_back_a_job_of_a_session_whose_named_savepoint_is_missing(values: Values) -> None:
    release = installed(replace(values, type="session", jobs=(SessionJob("a"),)))
    completed = release.jobs[0].rows
    wrong = SessionJob("a", from_savepoint=f"{values.root or 'file:///flink-data'}/mistyped")
    assert not release.helm.upgrade(replace(release.values, jobs=(wrong,))).ok
    assert rollback(release, 0).ok
    assert release.jobs[0].rows >= completed


@pytest.mark.parametrize("again", ["rollback", "install"])
def test_what_an_uninstall_leaves_is_gone_on_from(again: str) -> None:
    release = installed(replace(CLAIM, keep=True))
    completed = max(rows for _, _, rows in release.jobs[0].checkpoints)
    assert release.helm.uninstall(keep_history=True).ok
    release.world.advance(15)
    assert (rollback(release, 0) if again == "rollback" else upgrade(release, release.values)).ok
    assert release.jobs[0].rows >= completed


def test_a_changed_release_that_is_applied_at_once_comes_up() -> None:
    release = Checked(Values(upgrade_mode="last-state", high_availability="kubernetes"), by_helm=False)
    values = release.values
    assert release.change(values, lambda helm: helm.sync(values)).ok
    values = replace(values, program=2)

    def twice(helm: Helm) -> Outcome:
        helm.apply_everything(values, 11)
        return helm.apply_everything(values, 12)

    assert release.change(values, twice, at_once=True).ok


def test_a_claim_that_argo_cd_would_prune_is_noticed() -> None:
    release = Checked(CLAIM, by_helm=False)
    release.helm.prunes = True
    assert release.change(CLAIM, lambda helm: helm.sync(CLAIM)).ok
    values = replace(CLAIM, existing_claim="app-data", startup_seconds=9)
    assert release.change(values, lambda helm: helm.sync(values)).state == "refused"


def test_jobs_of_a_session_that_could_not_read_their_state_are_not_left_to_another_backend() -> None:
    release = installed(replace(AVAILABLE, type="session", jobs=(SessionJob("a"),)))
    assert release.helm.upgrade(replace(release.values, backend="hashmap")).state != "failed"


@pytest.mark.parametrize("values", [CLAIM, AVAILABLE], ids=["none", "kubernetes"])
@pytest.mark.parametrize("order", range(6))
def test_a_claim_that_went_with_the_objects_does_not_begin_the_job_anew_without_a_word(values: Values, order: int) -> None:
    """`kubectl delete` of what was applied: the record is not among it, and stays."""
    release = Checked(values, by_helm=False)
    assert release.helm.sync(values).ok
    release.world.advance(30)
    assert upgrade(release, replace(values, program=2)).ok
    release.world.advance(30)
    release.helm.uninstall(hooks=False)
    release.world.advance(30)
    again = replace(values, program=2)
    release.values = again
    for _ in range(2):
        release.helm.apply_everything(again, order)
        release.world.advance(60)
    assert not release.jobs
    assert not release.world.ledger.faults
    release.world.delete_config_map("app-record")
    release.forget("")  # as the JobManager's log says
    assert release.helm.apply_everything(replace(again, upgrade_mode="stateless"), order).ok
    release.world.advance(60)
    assert release.jobs


@pytest.mark.parametrize("values", [CLAIM, AVAILABLE], ids=["none", "kubernetes"])
def test_a_claim_that_was_deleted_by_hand_is_missed(values: Values) -> None:
    release = installed(replace(values, keep=True))
    release.helm.uninstall()
    release.world.advance(30)
    release.world.kubernetes.remove("PersistentVolumeClaim", "app-data")
    release.world.advance(30)
    refused = release.helm.upgrade(values)
    assert refused.state == "refused"
    assert "The PVC with the state of the job is gone" in refused.output
    release.forget("")
    assert release.helm.upgrade(replace(values, upgrade_mode="stateless")).ok
