"""Another parallelism for a job that runs on, where the adaptive scheduler is on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.model.scenes import MODES, SESSIONS, installed, nothing_is_lost_or_twice, restart_jobmanager, rollback, upgrade
from tests.model.trouble import KINDS, Trouble
from tests.model.values import Values
from tests.model.walk import Checked

ADAPTIVE = {name: replace(values, adaptive=True, parallelism=2) for name, values in MODES.items()}
each_mode = pytest.mark.parametrize("values", ADAPTIVE.values(), ids=ADAPTIVE)


def begun(release: Checked) -> tuple[str, int]:
    """Which job runs, and how often its JobManager was started."""
    return release.jobs[0].id, len(release.world.crashes)


@each_mode
def test_it_is_the_same_job(values: Values) -> None:
    release = installed(values)
    before = begun(release)
    for parallelism in (4, 3, 2):
        assert upgrade(release, replace(values, parallelism=parallelism)).ok
        release.world.advance(10)
        assert release.jobs[0].parallelism == parallelism
    assert begun(release) == before
    assert rollback(release, 1).ok
    assert (release.jobs[0].upper, begun(release)) == (4, before)
    nothing_is_lost_or_twice(release)


@each_mode
def test_a_jobmanager_that_starts_again_has_it_too(values: Values) -> None:
    if "s3" in values.root and values.high_availability == "none":
        pytest.skip("it waits for a word of the user: nothing tells the newest checkpoint")
    release = installed(values)
    assert upgrade(release, replace(values, parallelism=4)).ok
    restart_jobmanager(release)
    assert release.jobs[0].parallelism == 4
    nothing_is_lost_or_twice(release)


@each_mode
@pytest.mark.parametrize("call", range(2, 26, 6))
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_one_that_was_interrupted_is_repeated(values: Values, kind: str, call: int) -> None:
    release = installed(values)
    upgrade(release, replace(values, parallelism=4), Trouble(kind=kind, call=call))
    nothing_is_lost_or_twice(release)


@each_mode
def test_from_one_and_to_one_it_is_another_job(values: Values) -> None:
    """Operators that the program keeps at one are not told from the others."""
    release = installed(replace(values, parallelism=1))
    ids = {release.jobs[0].id}
    for parallelism in (2, 1):
        assert upgrade(release, replace(values, parallelism=parallelism)).ok
        ids.add(release.jobs[0].id)
    assert len(ids) == 3
    nothing_is_lost_or_twice(release)


@pytest.mark.parametrize("values", SESSIONS.values(), ids=SESSIONS)
def test_jobs_of_a_session(values: Values) -> None:
    values = replace(values, adaptive=True, jobs=tuple(replace(job, parallelism=2) for job in values.jobs))
    release = installed(values)
    before = begun(release)
    assert upgrade(release, replace(values, jobs=tuple(replace(job, parallelism=4) for job in values.jobs))).ok
    release.world.advance(10)
    assert release.jobs[0].parallelism == 4
    assert begun(release) == before
    nothing_is_lost_or_twice(release)
