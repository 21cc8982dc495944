"""A wait for what runs in a namespace; it fails with the state of the pods, at once if there is no remedy."""

from __future__ import annotations

import functools

from . import evidence
from .cluster import Cluster
from .waits import GiveUp, wait_for


def wait_job(cluster: Cluster, namespace: str, name: str, *, timeout: float = 180) -> None:
    """Wait until a Job is complete; give up when it has failed."""

    def complete() -> bool:
        job = cluster.batch.read_namespaced_job(name, namespace)
        conditions = {condition.type: condition for condition in job.status.conditions or []}
        for bad in ("Failed", "FailureTarget"):
            if bad in conditions and conditions[bad].status == "True":
                raise GiveUp(f"it failed: {conditions[bad].message}")
        return "Complete" in conditions and conditions["Complete"].status == "True"

    explain = functools.partial(evidence.summary, cluster, namespace)
    wait_for(complete, timeout=timeout, what=f"Job {name} to complete in namespace {namespace}", on_timeout=explain)
