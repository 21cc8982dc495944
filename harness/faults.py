"""What goes wrong in a cluster, done on purpose."""

from __future__ import annotations

import subprocess

from .cluster import Cluster
from .waits import wait_for


def kill(cluster: Cluster, namespace: str, selector: str, container: str) -> None:
    """SIGKILL for all processes of a container of the only such pod, see kill_in()."""
    kill_in(cluster, namespace, cluster.pod(namespace, selector), container)


def kill_in(cluster: Cluster, namespace: str, pod_name: str, container: str) -> None:
    """SIGKILL for all processes of a container; the kubelet starts it again.

    From the node, because the first process of a container is deaf to it from inside. The node is a container of the engine
    with the node's name, as kind makes it. Returns when the container has been started again.
    """
    pod = cluster.core.read_namespaced_pod(pod_name, namespace)
    before = next(status for status in pod.status.container_statuses if status.name == container)
    identity = before.container_id.rpartition("/")[2]
    script = f"for pid in $(grep -l {identity} /proc/[0-9]*/cgroup | cut -d/ -f3); do kill -9 $pid; done"
    subprocess.run(["docker", "exec", pod.spec.node_name, "bash", "-c", script], check=True, capture_output=True)

    def again() -> bool:
        statuses = cluster.core.read_namespaced_pod(pod.metadata.name, namespace).status.container_statuses
        return any(status.name == container and status.restart_count > before.restart_count for status in statuses)

    wait_for(again, timeout=120, what=f"container {container} of {pod.metadata.name} to start again")


def delete_pods(cluster: Cluster, namespace: str, selector: str) -> None:
    """Delete pods at once, without the time for a clean end."""
    for pod in cluster.pods(namespace, selector):
        cluster.core.delete_namespaced_pod(pod.metadata.name, namespace, grace_period_seconds=0)
