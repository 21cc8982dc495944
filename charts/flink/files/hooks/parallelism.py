"""The parallelism of a job that runs, which Flink's adaptive scheduler changes without an end of the job.

The program may give a vertex a parallelism of its own, which stays. Flink does not tell which ones these are: those that had
another parallelism than the job when it was begun. The others follow `job.parallelism`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Optional, Tuple

from .flink import Vertex
from .record import Record
from .wanted import Job

Vertices = Tuple[Vertex, ...]


def followers(record: Record, vertices: Vertices) -> Vertices:
    if record.followers:
        return tuple(one for one in vertices if one.id in record.followers)
    # Until these are written down nothing was changed, and a vertex is as its JobManager has started it.
    return tuple(one for one in vertices if one.upper == record.parallelism)


def common(vertices: Vertices) -> int:
    """The parallelism of most vertices, which so is the job's; 0 without vertices."""
    return max(Counter(one.upper for one in vertices).items(), key=lambda item: item[1], default=(0, 0))[0]


def differs(record: Record, job: Job, vertices: Optional[Vertices]) -> bool:
    """Whether the job runs with other bounds than the values ask for."""
    if not job.parallelism or not record.parallelism:
        return False
    if vertices is None:
        return record.parallelism != job.parallelism
    following = followers(record, vertices)
    return bool(following) and (record.parallelism != job.parallelism or any(one.upper != job.parallelism for one in following))


def hindrance(record: Record, job: Job, vertices: Optional[Vertices]) -> Optional[Tuple[str, str]]:
    """Why it cannot be changed, and what to do."""
    if vertices is None:
        return (
            "Flink does not let the parallelism of this job be changed while it runs: it is a batch job, or does not run yet.",
            "Wait until it runs; a batch job takes another parallelism with jobmanager.scheduler=default.",
        )
    small = [one for one in followers(record, vertices) if 0 < one.maximum < job.parallelism]
    if not small:
        return None
    most = min(one.maximum for one in small)
    return (
        f"The parallelism of {small[0].name} can be {small[0].maximum} at most, because its state was split for that many "
        "(pipeline.max-parallelism, or setMaxParallelism in the program).",
        f"Write at most {most}, or set pipeline.max-parallelism and restart the job from scratch with job.upgradeMode=stateless.",
    )


def bounds(record: Record, job: Job, vertices: Vertices) -> Vertices:
    """All vertices with the bounds that the values ask for."""
    following = {one.id for one in followers(record, vertices)}
    return tuple(
        replace(one, lower=min(one.lower, job.parallelism), upper=job.parallelism) if one.id in following else one
        for one in vertices
    )


def slots(vertices: Vertices) -> int:
    """How many slots the upper bounds need: vertices of a group share them."""
    groups = {one.group for one in vertices}
    return sum(max(one.upper for one in vertices if one.group == group) for group in groups)
