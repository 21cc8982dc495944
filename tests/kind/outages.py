"""What becomes of a job's checkpoints while the store of its state is unreachable, and afterwards."""

from __future__ import annotations

import time

from harness import faults
from harness.release import FlinkRelease
from harness.waits import wait_for
from tests.kind.demo_job import restored

SECONDS = 30


def wait_missed(flink: FlinkRelease, job: str, since: float) -> None:
    """Wait until a checkpoint has missed its store, which was there until then (seconds of the epoch) and is gone now.

    Afterwards there may be none that begins: a task that restarts reads its state first. A JobManager that waits for its
    store for too long ends, and knows of none.
    """

    def missed() -> bool:
        return _ended(flink, since) or _missed(flink, job, since)

    wait_for(missed, timeout=180, what="a checkpoint to miss its store", interval=2)


def _ended(flink: FlinkRelease, since: float) -> bool:
    """Whether the process of a JobManager has ended after `since` (seconds of the epoch)."""
    pods = flink.cluster.pods(flink.namespace, flink.selector("jobmanager"))
    last = [status.last_state.terminated for pod in pods for status in pod.status.container_statuses or []]
    return any(state and state.finished_at.timestamp() > since for state in last)


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


def wait_next_checkpoint(flink: FlinkRelease, job: str) -> int:
    """Wait for one that begins after those that are there; the id of the last of these."""
    newest: int = flink.rest.checkpoints(job)["latest"]["completed"]["id"]
    flink.rest.wait_checkpoint(job, newest + 1, timeout=300)
    return newest


def delete_flink(flink: FlinkRelease, job: str) -> None:
    """All pods of Flink go after the next checkpoint; the job resumes from it or a later one."""
    newest = wait_next_checkpoint(flink, job)
    labels = f"app.kubernetes.io/instance={flink.name},app.kubernetes.io/name=flink"
    faults.delete_pods(flink.cluster, flink.namespace, labels)
    wait_for(lambda: (restored(flink) or {}).get("id", 0) > newest, timeout=240, what="the job to resume from its store")
