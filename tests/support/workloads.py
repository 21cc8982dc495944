"""Waits for what runs in a namespace; they fail with the state of the pods, at once if there is no remedy."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from . import evidence
from .cluster import Cluster
from .waits import GiveUp, wait_for

# A pod in one of these states waits for a person.
_HOPELESS = {"InvalidImageName", "ErrImageNeverPull", "ImagePullBackOff", "CreateContainerConfigError"}


def wait_deployment(cluster: Cluster, namespace: str, name: str, *, timeout: float = 180) -> None:
    """Wait until all pods of a Deployment are of its newest template and ready."""

    def ready() -> bool:
        deployment = cluster.apps.read_namespaced_deployment(name, namespace)
        return _ready(cluster, deployment, deployment.spec.selector, deployment.status.replicas)

    _wait(ready, cluster, namespace, f"Deployment {name} to be ready", timeout)


def wait_stateful_set(cluster: Cluster, namespace: str, name: str, *, timeout: float = 180) -> None:
    """Wait until all pods of a StatefulSet are of its newest template and ready."""

    def ready() -> bool:
        stateful_set = cluster.apps.read_namespaced_stateful_set(name, namespace)
        return _ready(cluster, stateful_set, stateful_set.spec.selector, stateful_set.status.replicas)

    _wait(ready, cluster, namespace, f"StatefulSet {name} to be ready", timeout)


def wait_job(cluster: Cluster, namespace: str, name: str, *, timeout: float = 180) -> None:
    """Wait until a Job is complete; give up when it has failed."""

    def complete() -> bool:
        job = cluster.batch.read_namespaced_job(name, namespace)
        conditions = {condition.type: condition for condition in job.status.conditions or []}
        for bad in ("Failed", "FailureTarget"):
            if bad in conditions and conditions[bad].status == "True":
                raise GiveUp(f"it failed: {conditions[bad].message}")
        return "Complete" in conditions and conditions["Complete"].status == "True"

    _wait(complete, cluster, namespace, f"Job {name} to complete", timeout)


def wait_no_pods(cluster: Cluster, namespace: str, selector: str = "", *, timeout: float = 120) -> None:
    """Wait until no pod with these labels is left, terminating ones included."""

    def gone() -> bool:
        return not cluster.core.list_namespaced_pod(namespace, label_selector=selector).items

    _wait(gone, cluster, namespace, f"the pods {selector} to go", timeout)


def _ready(cluster: Cluster, workload: Any, selector: Any, replicas: int | None) -> bool:
    labels = ",".join(f"{key}={value}" for key, value in selector.match_labels.items())
    _give_up_on(cluster.pods(workload.metadata.namespace, labels))
    status, wanted = workload.status, workload.spec.replicas
    counts = [replicas or 0, status.ready_replicas or 0, status.updated_replicas or 0]
    if status.observed_generation != workload.metadata.generation or counts != [wanted] * 3:
        raise LookupError(f"of {wanted} pods there are {counts[0]}, ready {counts[1]}, updated {counts[2]}")
    return True


def _give_up_on(pods: Iterable[Any]) -> None:
    for pod in pods:
        for status in evidence.container_statuses(pod):
            waiting = status.state.waiting
            if waiting and waiting.reason in _HOPELESS:
                raise GiveUp(f"{pod.metadata.name}: {waiting.reason}: {waiting.message}")


def _wait(condition: Any, cluster: Cluster, namespace: str, what: str, timeout: float) -> None:
    explain = functools.partial(evidence.summary, cluster, namespace)
    wait_for(condition, timeout=timeout, what=f"{what} in namespace {namespace}", on_timeout=explain)
