"""Refusals of a revision of a session cluster as a whole, whatever jobs the release gives it."""

from __future__ import annotations

from typing import List, Optional, Set

from . import observe, refusals
from .act import Actor
from .errors import Failed, HttpError, Unreachable
from .flink import ENDED
from .observe import JobManager
from .record import FINISHED, HALF, SUSPENDED
from .wanted import Json


def check(cluster: Actor, live: Optional[JobManager], *, lenient: bool) -> None:
    """Raises Failed for a revision that would lose what the release has."""
    wanted, kubernetes = cluster.wanted, cluster.kubernetes
    renamed = observe.renamed_from(wanted, kubernetes)
    if renamed:
        raise Failed(refusals.text(*refusals.renamed(renamed, wanted.jobmanager_deployment)))
    if live is None:
        bounded = observe.bounded(wanted, kubernetes)
        if bounded:
            raise Failed(refusals.text(*refusals.bounded_runs(bounded[0])))
        return
    claim = observe.claim_that_goes(wanted, cluster.record, live, kubernetes)
    if claim:
        raise Failed(refusals.text(*refusals.claim_goes(claim)))
    deleted = observe.claim_being_deleted(wanted, cluster.record, live, kubernetes)
    if deleted:
        raise Failed(refusals.text(*refusals.claim_is_deleted(deleted), session=True))
    if live.type == "job" and not (lenient and not cluster.record.has_run):
        _refuse_the_end_of_the_job(cluster)


def _refuse_the_end_of_the_job(cluster: Actor) -> None:
    """The one job of a job release would be killed, and high availability would recover it inside the session."""
    if cluster.record.exists and cluster.record.state in (SUSPENDED, FINISHED):
        return
    jobs = _living(cluster)
    if jobs == []:
        return
    names = "unknown, because REST does not answer" if jobs is None else ", ".join(job["name"] for job in jobs)
    refusal = refusals.text(
        f"The release runs a job ({names}), and this revision makes a session cluster of it, which would kill the job.",
        "Suspend it first: `helm upgrade` with the previous values and job.state=suspended.",
    )
    raise Failed(cluster.with_distrust(refusal))


def _living(cluster: Actor) -> Optional[List[Json]]:
    """Jobs that have not ended; None if Flink does not answer."""
    for _ in cluster.deadline.ticks(within=30):
        try:
            return [job for job in cluster.flink.jobs() if job["state"] not in ENDED]
        except (Unreachable, HttpError):
            continue
    return None


def refuse_foreign_jobs(cluster: Actor, ours: Set[str], *, lenient: bool) -> None:
    """The hooks cannot submit the jobs of others again. `ours`: first halves of the ids of the release's own jobs."""
    jobs = _living(cluster)
    if jobs is None:
        ready = any(observe.is_ready(pod) for pod in cluster.kubernetes.pods(cluster.wanted.jobmanager_selector))
        if ready and not lenient:
            raise Failed(
                cluster.with_distrust(
                    f"This upgrade replaces the JobManager, and {cluster.wanted.rest} does not answer, so the jobs that would be "
                    "lost are not known. Nothing was changed. Look whether a network policy keeps the hooks from it, or upgrade "
                    "with --no-hooks."
                )
            )
        return
    lost = [job["name"] for job in jobs if job["jid"][:HALF] not in ours]
    if lost:
        raise Failed(
            f"This {'rollback' if lenient else 'upgrade'} replaces the JobManager, and these jobs would be lost: "
            f"{', '.join(lost)}. Nothing was changed. Stop them with a savepoint first, or give them up with "
            f"`helm {'rollback' if lenient else 'upgrade'} --no-hooks`; highAvailability.type=kubernetes keeps them."
        )
