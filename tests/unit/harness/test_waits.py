"""wait_for: what it returns, when it stops, what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from harness.waits import GiveUp, WaitFailed, WaitTimeout, wait_for


def answers(*values: object) -> Callable[[], object]:
    """A condition that gives these values one after the other, raising those that are exceptions."""
    left: Iterator[object] = iter(values)

    def condition() -> object:
        value = next(left)
        if isinstance(value, BaseException):
            raise value
        return value

    return condition


def test_returns_the_first_true_value() -> None:
    condition = answers(None, 0, OSError("refused"), [], "ready", "later")
    assert wait_for(condition, timeout=5, interval=0, what="readiness") == "ready"


def test_a_timeout_names_the_goal_and_the_last_value() -> None:
    with pytest.raises(WaitTimeout, match=r"waited 0\.01 s for two pods; last value: \[\]"):
        wait_for(lambda: [], timeout=0.01, interval=0.001, what="two pods")


def test_a_timeout_carries_the_last_exception_and_the_evidence() -> None:
    def condition() -> bool:
        raise OSError("connection refused")

    with pytest.raises(WaitTimeout, match="last failure: OSError: connection refused\npod a: Pending") as caught:
        wait_for(condition, timeout=0.01, interval=0.001, what="REST", on_timeout=lambda: "pod a: Pending")
    assert isinstance(caught.value.__cause__, OSError)


def test_evidence_that_fails_does_not_hide_the_failure() -> None:
    def evidence() -> str:
        raise RuntimeError("no cluster")

    with pytest.raises(WaitTimeout, match=r"for REST.*\n\(no evidence: RuntimeError: no cluster\)"):
        wait_for(lambda: False, timeout=0.01, interval=0.001, what="REST", on_timeout=evidence)


def test_giving_up_ends_the_wait_at_once_with_the_reason() -> None:
    condition = answers(False, GiveUp("the job is FAILED"), True)
    with pytest.raises(WaitFailed, match="gave up waiting for the job: the job is FAILED\nlogs") as caught:
        wait_for(condition, timeout=60, interval=0, what="the job", on_timeout=lambda: "logs")
    assert not isinstance(caught.value, WaitTimeout)


def test_a_mistake_in_the_condition_is_not_waited_for() -> None:
    with pytest.raises(TypeError):
        wait_for(answers(TypeError("missing argument"), True), timeout=60, interval=0, what="anything")
