"""Servers beside a release, as a strict cluster takes them: containers, pods and their Services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]


def labels(name: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": name}


def container(name: str, image: str, command: Sequence[str], memory: str, **more: Any) -> Json:
    return {
        "name": name,
        "image": image,
        "command": [*command],
        "resources": {"requests": {"cpu": "10m", "memory": memory}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        **more,
    }


def pod_spec(containers: Sequence[Json], volumes: Sequence[Json], *, security: Json | None = None, **more: Any) -> Json:
    return {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}, **(security or {})},
        "containers": [*containers],
        "volumes": [*volumes],
        **more,
    }


def pod(name: str, spec: Json) -> Json:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels(name)}, "spec": spec}


def service(name: str, port: int, **more: Any) -> Json:
    spec = {"selector": labels(name), "ports": [{"port": port}], **more}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}
