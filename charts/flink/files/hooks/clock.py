"""Time, in one place, so that tests can move it."""

from __future__ import annotations

import calendar
import time
from typing import Iterator

POLL_SECONDS = 0.2


def monotonic() -> float:
    return time.monotonic()


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def now() -> str:
    """The time as Kubernetes writes it, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def now_seconds() -> int:
    """Seconds of the epoch now."""
    return int(seconds_of(now()))


def seconds_since(text: str) -> float:
    """How long ago a time was, as Kubernetes writes it."""
    return time.time() - seconds_of(text)


def seconds_of(text: str) -> float:
    """Seconds of the epoch of a time as Kubernetes writes it."""
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


class Deadline:
    """When a hook has to end; everything that waits or retries asks it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = monotonic() + seconds

    @property
    def left(self) -> float:
        return self._end - monotonic()

    def ticks(self, every: float = POLL_SECONDS, within: float = float("inf")) -> Iterator[None]:
        """One tick now, then one each `every` seconds until the deadline, or until `within` seconds are over."""
        end = monotonic() + min(self.left, within)
        while True:
            yield
            if monotonic() + every > end:
                return
            sleep(every)
