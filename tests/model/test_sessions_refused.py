"""Sessions: what nothing speaks against is done, and what is refused says what works."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.model import package, world
from tests.model.scenes import (
    SESSIONS,
    A,
    B,
    delete_deployments,
    each_session,
    ends,
    installed,
    newest_checkpoint,
    nothing_is_lost_or_twice,
    somebody_submits,
    upgrade,
    without_record,
)
from tests.model.trouble import Trouble
from tests.model.values import SessionJob, Values
from tests.model.walk import Checked

CHANGED = SessionJob("a", 2)
FORGETFUL = {name: values for name, values in SESSIONS.items() if values.high_availability == "none"}
AVAILABLE = {name: values for name, values in SESSIONS.items() if name not in FORGETFUL}


@each_session
def test_the_record_is_written_by_another_while_a_job_is_submitted(values: Values) -> None:
    """All is looked at again, and the container that submits is still there."""
    release = installed(values)
    manifest = release.helm.render(replace(values, jobs=(CHANGED,)))
    assert package.run(release.world, "before", manifest.wanted).code == 0
    release.world.trouble = Trouble("conflict", 1)
    result = package.run(release.world, "after", manifest.wanted)
    assert result.code == 0, result.output


@each_session
@pytest.mark.parametrize("order", range(6))
def test_a_session_that_is_applied_at_once_comes_up(values: Values, order: int) -> None:
    """The hook that submits has read the record before the other one has made it."""
    release = Checked(values, by_helm=False)
    outcome = release.helm.apply_everything(values, order)
    assert outcome.ok, outcome.output
    nothing_is_lost_or_twice(release)
    assert len(release.jobs) == 1


class TestFilesOfBefore:
    VALUES = SESSIONS["claim"]

    def test_of_others_keep_no_first_job_from_its_start(self) -> None:
        """The Deployment was made again, so it is younger than their files; the record is older."""
        none = replace(self.VALUES, jobs=())
        release = installed(none)
        somebody_submits(release)
        delete_deployments(release, "jobmanager")
        assert release.helm.upgrade(none).ok
        release.world.advance(200)
        outcome = release.helm.upgrade(self.VALUES)
        assert outcome.ok, outcome.output

    def test_of_one_job_of_two_are_taken_as_the_sentence_says(self) -> None:
        values = replace(self.VALUES, existing_claim="mine")
        release = installed(values)
        named = SessionJob("a", from_savepoint=newest_checkpoint(release))
        release.world.delete_config_map("app-record")
        delete_deployments(release, "jobmanager", "taskmanager", seconds=200)
        outcome = release.helm.upgrade(replace(values, jobs=(named, B)))
        assert "add jobs that are to start from nothing in the next upgrade" in outcome.output
        for jobs in ((named,), (named, B)):
            outcome = release.helm.upgrade(replace(values, jobs=jobs))
            assert outcome.ok, outcome.output
        nothing_is_lost_or_twice(release)
        assert len(release.jobs) == 2


class TestTheRecordIsGone:
    @each_session
    def test_and_a_job_that_is_new_begins(self, values: Values) -> None:
        release = without_record(values)
        outcome = release.helm.upgrade(replace(values, jobs=(A, B)))
        assert outcome.ok, outcome.output
        nothing_is_lost_or_twice(release)

    @each_session
    def test_and_another_name_begins_anew_as_the_sentence_says(self, values: Values) -> None:
        release = without_record(values)
        ends(release, "FAILED")
        assert "give the job another name to restart it from scratch" in release.helm.upgrade(values).output
        outcome = release.helm.upgrade(replace(values, jobs=(B,)))
        assert outcome.ok, outcome.output

    @pytest.mark.parametrize("values", FORGETFUL.values(), ids=FORGETFUL)
    @pytest.mark.parametrize("how", ["upgrade", "rollback"])
    def test_and_the_pod_changes(self, values: Values, how: str) -> None:
        """The job is taken over, and not taken for one of others."""
        other = replace(values, startup_seconds=90)
        release = installed(other if how == "rollback" else values)
        if how == "rollback":
            assert upgrade(release, values).ok
        release.world.advance(200)
        release.world.delete_config_map("app-record")
        outcome = release.helm.rollback(0) if how == "rollback" else release.helm.upgrade(other)
        assert outcome.ok, outcome.output
        nothing_is_lost_or_twice(release)
        assert len(release.jobs) == 1


@pytest.mark.parametrize("values", AVAILABLE.values(), ids=AVAILABLE)
@pytest.mark.parametrize("how", ["upgrade", "rollback"])
def test_an_image_that_is_gone_is_replaced_by_another_one(values: Values, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No JobManager of that image comes up any more, and each job changes with the image."""
    start = world.World._start_container
    gone: list[str] = []

    def starts(self: Any, name: str, pod: Any) -> None:
        if pod["metadata"]["annotations"]["seconds"] not in gone:
            start(self, name, pod)

    monkeypatch.setattr(world.World, "_start_container", starts)
    release = installed(values)
    other = replace(values, startup_seconds=61, jobs=(CHANGED,))
    if how == "rollback":
        assert upgrade(release, other).ok
        release.world.advance(30)
    gone.append("61" if how == "rollback" else "60")
    for name in list(release.world.jobmanagers):
        release.world.kubernetes.lose_pod(name)
    release.world.advance(60)
    assert not release.jobs
    outcome = release.helm.rollback(0) if how == "rollback" else release.helm.upgrade(other)
    assert outcome.ok, outcome.output
    nothing_is_lost_or_twice(release)
    assert [job.program for job in release.jobs] == [1 if how == "rollback" else 2]


def test_a_session_is_not_told_of_a_value_that_its_jobs_do_not_have() -> None:
    """Its PVC was made again. Jobs of session.jobs have no upgradeMode."""
    values = replace(SESSIONS["claim"], existing_claim="mine")
    release = installed(values)
    claims = release.world.kubernetes.kind("persistentvolumeclaims")
    claims["mine"] = {**claims["mine"], "metadata": {**claims["mine"]["metadata"], "uid": "uid-anew"}}
    release.world.advance(5)
    for name in list(release.world.jobmanagers):
        release.world.kubernetes.lose_pod(name)
    release.world.advance(40)
    outcome = release.helm.upgrade(replace(values, jobs=(CHANGED,)))
    assert "give the job another name" in outcome.output
    assert "upgradeMode" not in outcome.output
    outcome = release.helm.upgrade(replace(values, jobs=(B,)))
    assert outcome.ok, outcome.output
