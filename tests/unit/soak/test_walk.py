"""The steps of a walk, which are a pure function of its seed."""

from __future__ import annotations

from itertools import islice, pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.soak.walk import EVENTS, REFUSED, WHILE_RUNNING, Kind, Settings, Step, walk

SEEDS = st.integers(0, 10_000)


def steps(seed: int, count: int = 80) -> list[Step]:
    return list(islice(walk(seed), count))


@given(SEEDS)
def test_a_seed_replays_the_same_steps(seed: int) -> None:
    assert steps(seed) == steps(seed)
    assert steps(seed) != steps(seed + 1)


@given(SEEDS)
def test_each_step_begins_where_the_one_before_ended(seed: int) -> None:
    walk_steps = steps(seed)
    assert walk_steps[0].before == Settings()
    assert all(step.after == following.before for step, following in pairwise(walk_steps))


@given(SEEDS)
def test_what_changes_nothing(seed: int) -> None:
    for step in steps(seed):
        if step.kind in EVENTS | REFUSED | {Kind.KILLED_ROLLED_BACK}:
            assert step.after == step.before
        if step.kind in EVENTS:
            assert step.asked == step.before
        elif step.kind not in (Kind.CANCELLED, Kind.ROLLBACK):
            assert step.asked != step.before


@given(SEEDS)
def test_a_rollback_goes_to_a_revision_that_was_made(seed: int) -> None:
    made = [Settings()]
    for step in steps(seed):
        if step.kind is Kind.ROLLBACK:
            assert step.back < len(made) - 1
            assert step.after == made[step.back]
        if step.makes_revision:
            made.append(step.after)


@given(SEEDS)
def test_job_from_savepoint_names_a_new_path_only_while_the_job_is_suspended(seed: int) -> None:
    """Another moment of a new path would be an older state, and so rows twice."""
    known = 0
    for step in steps(seed):
        if step.kind is Kind.RESUME_NAMED:
            assert not step.before.running
            known += 1
            assert step.asked.path == known
        assert step.asked.path <= known
        assert step.kind is not Kind.USED_PATH or step.asked.path > 0


@given(SEEDS)
def test_a_running_job_sees_every_kind_of_step(seed: int) -> None:
    seen = {step.kind for step in steps(seed, 8 * len(Kind))}
    assert seen >= set(WHILE_RUNNING) - {Kind.ROLLBACK, Kind.USED_PATH}


def test_a_step_says_what_it_does() -> None:
    before, after = Settings(), Settings(parallelism=2)
    assert str(Step(3, Kind.PARALLELISM, before, after, after)) == "step 3, upgrade: another parallelism; parallelism 1 -> 2"
    killed = Step(4, Kind.KILLED_REPEATED, before, after, after, pause=1.25)
    assert str(killed) == "step 4, helm upgrade killed, then repeated; parallelism 1 -> 2; helm after 1.2 s"
    assert str(Step(5, Kind.JOBMANAGER_KILLED, before, before, before)) == "step 5, kill the JobManager"
