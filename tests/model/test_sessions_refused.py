"""Sessions: what nothing speaks against is done, and what is refused says what works."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.model import world
from tests.model.scenes import (
    SESSIONS,
    A,
    B,
    each_session,
    ends,
    installed,
    nothing_is_lost_or_twice,
    upgrade,
    without_record,
)
from tests.model.values import SessionJob, Values

CHANGED = SessionJob("a", 2)
FORGETFUL = {name: values for name, values in SESSIONS.items() if values.high_availability == "none"}
AVAILABLE = {name: values for name, values in SESSIONS.items() if name not in FORGETFUL}


class TestTheRecordIsGone:
    @each_session
    def test_and_a_job_that_is_new_begins(self, values: Values) -> None:
        release = without_record(values)
        outcome = release.helm.upgrade(replace(values, jobs=(A, B)))
        assert outcome.ok, outcome.said
        nothing_is_lost_or_twice(release)

    @each_session
    def test_and_another_name_begins_anew_as_the_sentence_says(self, values: Values) -> None:
        release = without_record(values)
        ends(release, "FAILED")
        assert "give the job another name to restart it from scratch" in release.helm.upgrade(values).said
        outcome = release.helm.upgrade(replace(values, jobs=(B,)))
        assert outcome.ok, outcome.said

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
        assert outcome.ok, outcome.said
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
    assert outcome.ok, outcome.said
    nothing_is_lost_or_twice(release)
    assert [job.program for job in release.jobs] == [1 if how == "rollback" else 2]
