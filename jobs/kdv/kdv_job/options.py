"""The options of Flink that belong to the job; parallelism, state and its places belong to the cluster."""

from __future__ import annotations

import argparse

from kdv_job.argument_types import MINUTE
from kdv_job.places import reject_topics

COMMIT_MILLISECONDS = 5 * MINUTE  # that a job gets to come back and commit


def configuration(args: argparse.Namespace) -> dict[str, str]:
    return {
        "pipeline.name": "kdv",
        "table.local-time-zone": "UTC",
        "table.exec.source.idle-timeout": f"{args.idle_timeout} ms",
        # In a backlog many windows are over at once, and readers wait while they are written: fewer at a time keep both busy.
        "pipeline.auto-watermark-interval": "50 ms",
        # The state of an operator is found again whatever the parallelism, and so the chaining, of the job that takes it over.
        "table.exec.uid.generation": "ALWAYS",
        # Kafka offsets and finished CSV files are committed with a checkpoint, and only then.
        "execution.checkpointing.interval": f"{args.checkpoint_interval} ms",
        "execution.checkpointing.mode": "EXACTLY_ONCE",
        # One that fails may be the last before a broker aborts what it was to commit: only the broker would know.
        "execution.checkpointing.tolerable-failed-checkpoints": "0",
        # Nearly all rows differ, so collecting them before the shuffle as well would double the work.
        "table.optimizer.agg-phase-strategy": "ONE_PHASE",
        # No operator of this job changes a row that it receives.
        "pipeline.object-reuse": "true",
    }


def checkpoint_timeout(args: argparse.Namespace, configured: int) -> int:
    """Milliseconds after which a checkpoint fails: as the cluster has it configured, and no longer than a transaction allows."""
    if not reject_topics(args):
        return configured
    return min(configured, args.transaction_timeout - args.checkpoint_interval - COMMIT_MILLISECONDS)
