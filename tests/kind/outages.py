"""What becomes of a job's checkpoints while the store of its state is unreachable."""

from __future__ import annotations

import time

from harness.release import FlinkRelease
from harness.waits import wait_for

SECONDS = 30


def wait_missed(flink: FlinkRelease, job: str, since: float) -> None:
    """Wait until a checkpoint has missed its store, which was there until then (seconds of the epoch) and is gone now.

    Afterwards there may be none that begins: a task that restarts reads its state first.
    """
    wait_for(lambda: _missed(flink, job, since), timeout=180, what="a checkpoint to miss its store", interval=2)


def _missed(flink: FlinkRelease, job: str, since: float) -> bool:
    """Whether a checkpoint has failed after `since` (seconds of the epoch), or waits for the store for so long.

    One that had begun before waits as well, and no other begins beside it.
    """
    now = time.time()
    for checkpoint in flink.rest.checkpoints(job)["history"]:
        began = max(checkpoint["trigger_timestamp"] / 1000, since)
        if checkpoint["status"] == "IN_PROGRESS" and now - began > SECONDS:
            return True
        if checkpoint["status"] == "FAILED" and checkpoint["failure_timestamp"] / 1000 > since:
            return True
    return False
