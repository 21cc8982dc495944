"""Random walks, see walk.py.

MODEL_SEED and MODEL_WALKS of the environment take others, and more; MODEL_SHRINK=1 looks for a shorter one, for minutes.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.model.walk import JobWalk, SessionWalk, WithoutHelmWalk

SEED = int(os.environ.get("MODEL_SEED", "1"))
WALKS = int(os.environ.get("MODEL_WALKS", "20"))
PHASES = [Phase.generate, *([Phase.shrink] if os.environ.get("MODEL_SHRINK") else [])]
MACHINES = [JobWalk, SessionWalk, WithoutHelmWalk]


def walk(machine: type[RuleBasedStateMachine], first: int, walks: int) -> None:
    profile = settings(
        max_examples=walks,
        stateful_step_count=10,
        deadline=None,
        database=None,
        phases=PHASES,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(seed(first)(type(machine.__name__, (machine,), {})), settings=profile)


@pytest.mark.parametrize("part", range(2))
@pytest.mark.parametrize("machine", MACHINES)
def test_some(machine: type[RuleBasedStateMachine], part: int) -> None:
    walk(machine, SEED + part, WALKS)


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", range(2, 6))
@pytest.mark.parametrize("machine", MACHINES)
def test_many(machine: type[RuleBasedStateMachine], part: int) -> None:
    walk(machine, SEED + part, WALKS * 5)
