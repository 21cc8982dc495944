"""What a person needs to see after a failure: a summary for the message, and everything in a directory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.resource import ResourceList

from .cluster import Cluster

_LOG_LINES = 30

# What Kubernetes derives from other objects, or puts into each namespace by itself.
_DERIVED_KINDS = {"Event", "Endpoints", "EndpointSlice", "PodMetrics"}
_GIVEN = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}


def container_statuses(pod: Any) -> list[Any]:
    """The states (V1ContainerStatus) of all containers of a pod, init containers first."""
    return [*(pod.status.init_container_statuses or []), *(pod.status.container_statuses or [])]


def summary(cluster: Cluster, namespace: str) -> str:
    """The unhealthy pods with their states and last lines of log, and the newest warnings."""
    lines = []
    for pod in cluster.core.list_namespaced_pod(namespace).items:
        bad = [status for status in container_statuses(pod) if not _healthy(status)]
        if pod.status.phase == "Pending" or bad:
            lines.append(f"pod {pod.metadata.name}: {pod.status.phase}")
        for status in bad:
            lines.append(f"  container {status.name}: {_state(status)}, {status.restart_count} restarts")
            for _, text in _logs(cluster, pod, status, _LOG_LINES):
                lines += [f"    | {line}" for line in text.splitlines()]
    warnings = [line for line in events(cluster, namespace) if " Warning " in line]
    return "\n".join([*lines, *warnings[-10:]]) or "every pod is healthy, and there is no warning"


def dump(cluster: Cluster, namespace: str, directory: str | Path) -> Path:
    """Write every object as KIND.yaml (of Secrets the keys), every log and the events. Returns the directory."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "summary.txt").write_text(summary(cluster, namespace) + "\n")
    (directory / "events.txt").write_text("".join(f"{line}\n" for line in events(cluster, namespace)))
    for kind, items in objects(cluster, namespace):
        for item in items:
            item["metadata"].pop("managedFields", None)
            if kind == "Secret":
                item["data"] = sorted(item.get("data") or {})
        (directory / f"{kind}.yaml").write_text(yaml.safe_dump_all(items, allow_unicode=True))
    for pod in cluster.core.list_namespaced_pod(namespace).items:
        for status in container_statuses(pod):
            for suffix, text in _logs(cluster, pod, status):
                (directory / f"{pod.metadata.name}.{status.name}{suffix}.log").write_text(text)
    return directory


def objects(cluster: Cluster, namespace: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """(kind, objects) of everything that somebody put into a namespace."""
    for resource in DynamicClient(cluster.api).resources.search(namespaced=True):
        listable = not isinstance(resource, ResourceList) and "list" in (resource.verbs or ())
        if listable and resource.kind not in _DERIVED_KINDS:
            items = [item.to_dict() for item in resource.get(namespace=namespace).items]
            items = [item for item in items if (resource.kind, item["metadata"]["name"]) not in _GIVEN]
            if items:
                yield resource.kind, items


def leftovers(cluster: Cluster, namespace: str) -> set[str]:
    """`Kind/name` of everything that somebody put into a namespace."""
    return {f"{kind}/{item['metadata']['name']}" for kind, items in objects(cluster, namespace) for item in items}


def events(cluster: Cluster, namespace: str) -> list[str]:
    """The events, oldest first, one line each."""
    items = cluster.core.list_namespaced_event(namespace).items
    moments = [(str(event.last_timestamp or event.event_time or ""), event) for event in items]
    return [
        f"{moment} {event.type} {event.involved_object.kind}/{event.involved_object.name} {event.reason}: {event.message}"
        for moment, event in sorted(moments, key=lambda pair: pair[0])
    ]


def _healthy(status: Any) -> bool:
    ended = status.state.terminated
    return bool(status.ready or (ended and ended.exit_code == 0))


def _state(status: Any) -> str:
    for state in (status.state.waiting, status.state.terminated):
        if state:
            return f"{state.reason} {state.message or ''}".strip()
    return "running, not ready"


def _logs(cluster: Cluster, pod: Any, status: Any, lines: int | None = None) -> Iterator[tuple[str, str]]:
    """(suffix, text) of the log, and of the former container's if there was one."""
    for suffix, previous in (("", False), (".previous", True)):
        if previous and not status.restart_count:
            return
        try:
            yield (
                suffix,
                cluster.log(
                    pod.metadata.namespace,
                    pod.metadata.name,
                    container=status.name,
                    previous=previous,
                    tail_lines=lines,
                ),
            )
        except ApiException as error:
            yield suffix, f"(no log: {error.reason})"
