"""Nodes of a cluster of several: taken from it, emptied, and given back.

A node is a container of the engine with the node's name, as kind makes it.
"""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from functools import partial
from typing import Any

from kubernetes import client

from .cluster import Cluster
from .waits import wait_for

_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


def _docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True, timeout=120).stdout.strip()


class Nodes:
    """The workers of a cluster. Whatever was done to them, give_back() undoes it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._leases: Any = client.CoordinationV1Api(cluster.api)
        nodes = [node.metadata for node in cluster.core.list_node().items]
        self.workers: list[str] = sorted(node.name for node in nodes if _CONTROL_PLANE not in node.labels)

    def lose(self, node: str) -> None:
        """A node that hangs: none of its processes moves, while its kernel closes no connection and takes new ones.

        Kubernetes takes about 50 s to see it, see wait_not_ready(), and 300 s more to delete the pods that do not ask for less.
        Given back, the processes on it continue where they were.
        """
        _docker("pause", node)

    def power_off(self, node: str) -> None:
        """A node without power: its processes are gone, its disk stays. Given back, it boots."""
        _docker("kill", node)

    def wait_not_ready(self, node: str, *, timeout: float = 120) -> None:
        wait_for(lambda: not self._ready(node), timeout=timeout, what=f"Kubernetes to miss node {node}")

    def drain(self, node: str, *, timeout: float = 120) -> None:
        """Evict the pods of a node, which takes no new ones, as `kubectl drain` does it.

        PodDisruptionBudgets may hold it up, and pods without a controller forbid it.
        """
        options = ["--ignore-daemonsets", "--delete-emptydir-data", f"--timeout={timeout:g}s"]
        command = ["kubectl", f"--kubeconfig={self._cluster.kubeconfig}", "drain", node, *options]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"node {node} was not drained: {done.stderr}")

    def uncordon(self, node: str) -> None:
        self._cluster.core.patch_node(node, {"spec": {"unschedulable": None}})

    def give_back(self) -> None:
        """Make every worker whole again, and wait until it takes pods."""
        since = datetime.now(UTC)
        awaited = []
        for node in self.workers:
            state = _docker("inspect", "--format={{.State.Status}}", node)
            if state != "running":
                _docker("unpause" if state == "paused" else "start", node)
                awaited.append(node)
            self.uncordon(node)
        for node in awaited:
            wait_for(partial(self._heard_of, node, since), timeout=180, what=f"node {node} to be heard of again")
        for node in self.workers:
            wait_for(partial(self._takes_pods, node), timeout=60, what=f"node {node} to take pods")

    def _heard_of(self, node: str, since: datetime) -> bool:
        # Ready alone is what Kubernetes thought last.
        return bool(self._leases.read_namespaced_lease(node, "kube-node-lease").spec.renew_time > since)

    def _ready(self, node: str) -> bool:
        conditions = self._cluster.core.read_node(node).status.conditions
        return any(condition.type == "Ready" and condition.status == "True" for condition in conditions)

    def _takes_pods(self, node: str) -> bool:
        return self._ready(node) and not self._cluster.core.read_node(node).spec.taints
