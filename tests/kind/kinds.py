"""Kinds of other projects, which the cluster of a test is to know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubernetes import client

from ci.core.console import run
from ci.kubernetes import tools
from harness.cluster import Cluster
from harness.waits import wait_for


def define(cluster: Cluster, manifests: Sequence[str], *names: str) -> None:
    """Apply custom resource definitions, and wait until these are served; done again it changes nothing."""
    apply = tools.kubectl(cluster.kubeconfig, "apply", "--server-side", "--force-conflicts", "--filename=-")
    run(apply, stdin="\n---\n".join(manifests))
    definitions = client.ApiextensionsV1Api(cluster.api)

    # `kubectl wait` fails at once for a definition that is so new that it has no conditions.
    def established() -> bool:
        statuses: list[Any] = [definitions.read_custom_resource_definition_status(name).status for name in names]
        return all(
            any((one.type, one.status) == ("Established", "True") for one in status.conditions or []) for status in statuses
        )

    wait_for(established, timeout=60, what=f"the kinds {', '.join(names)}")
