"""The one way to wait: poll a condition until it holds, give up early, or fail with all that is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryError, Retrying, retry_if_exception, retry_if_result, stop_after_delay, wait_fixed

T = TypeVar("T")

# A mistake in the condition itself: it will not go away by waiting.
_MISTAKES = (NameError, AttributeError, TypeError, ImportError)


class GiveUp(Exception):
    """Raised by a condition when the state it looks at cannot recover; the text says why."""


class WaitFailed(AssertionError):
    """What was waited for will not come: the condition gave up."""


class WaitTimeout(WaitFailed):
    """What was waited for did not come within the time."""


def wait_for(
    condition: Callable[[], T],
    *,
    timeout: float,
    what: str,
    interval: float = 0.5,
    on_timeout: Callable[[], str] | None = None,
) -> T:
    """Call `condition` every `interval` seconds until it returns something true, and return that.

    What it raises counts as "not yet", because systems fail in many ways while they come up; a mistake in the
    code of the condition is raised at once. `timeout` is in seconds. `what` completes the sentence "waited
    for ...". `on_timeout` gives text that explains the failure: states, logs, events.

    Raises WaitTimeout with the last value or exception, WaitFailed when the condition raises GiveUp.
    """
    retrying = Retrying(
        stop=stop_after_delay(timeout),
        wait=wait_fixed(interval),
        retry=retry_if_result(lambda value: not value) | retry_if_exception(_not_yet),
    )
    try:
        return retrying(condition)
    except GiveUp as reason:
        raise WaitFailed(f"gave up waiting for {what}: {reason}{_evidence(on_timeout)}") from reason
    except RetryError as error:
        last = error.last_attempt
        cause = last.exception()
        seen = f"last failure: {type(cause).__name__}: {cause}" if cause else f"last value: {last.result()!r}"
        raise WaitTimeout(f"waited {timeout:g} s for {what}; {seen}{_evidence(on_timeout)}") from cause


def _not_yet(error: BaseException) -> bool:
    return isinstance(error, Exception) and not isinstance(error, (GiveUp, *_MISTAKES))


def _evidence(on_timeout: Callable[[], str] | None) -> str:
    if on_timeout is None:
        return ""
    try:
        return f"\n{on_timeout()}"
    except Exception as error:  # the evidence must not hide the failure that it explains
        return f"\n(no evidence: {type(error).__name__}: {error})"
