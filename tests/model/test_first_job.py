"""A first job that no operation has seen running."""

from __future__ import annotations

from dataclasses import replace

from tests.model.scenes import each_mode
from tests.model.values import Values
from tests.model.walk import Checked


@each_mode
def test_one_that_runs_is_left_alone_where_nothing_of_it_changes(values: Values) -> None:
    """The install was interrupted before it saw the job run; an hour later somebody scales, with a stateless in the values."""
    release = Checked(values)
    assert release.helm.upgrade(values, stop="after apply").state == "killed"
    release.world.advance(3600)
    job = release.jobs[0].id
    release.helm.upgrade(replace(values, taskmanager=2, upgrade_mode="stateless"))
    release.world.advance(20)
    assert [one.id for one in release.jobs] == [job]
