"""A cluster of several nodes: pods reach each other, claims stay where they are, nodes go and come back."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from ci.core.paths import FLINK, VALUES
from harness.cluster import Cluster
from harness.helm import Helm
from harness.nodes import Nodes
from harness.rest import is_savepoint
from harness.waits import wait_for
from harness_kdv.tools import tools
from tests.kind import jar_job
from tests.kind.installs import Install

pytestmark = pytest.mark.nodes

_GET = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode(), end='')"


@pytest.fixture
def webs(nodes: Nodes, cluster: Cluster, namespace: str) -> Iterator[dict[str, str]]:
    """{name: address} of pods, one on each worker, and of Services, that tell whoever asks under which address it came."""
    mirrors = {}
    for number, node in enumerate(nodes.workers):
        name = f"web-{number}"
        spec = {"selector": {"app.kubernetes.io/component": name}, "ports": [{"port": 80, "targetPort": 8000}]}
        cluster.core.create_namespaced_service(namespace, {"metadata": {"name": name}, "spec": spec})
        mirrors[name] = tools(cluster, namespace).mirror(name, node)
    yield mirrors
    for name in mirrors:
        cluster.core.delete_namespaced_service(name, namespace)
        cluster.core.delete_namespaced_pod(name, namespace, grace_period_seconds=0)


def reach_each_other(cluster: Cluster, namespace: str, webs: dict[str, str]) -> None:
    """Each pod reaches the others by address and by the names of their Services, and nothing translates its own address."""
    for name, own in webs.items():
        for other in webs.keys() - {name}:
            for host in (f"{webs[other]}:8000", other, f"{other}.{namespace}.svc.cluster.local"):
                ask = partial(cluster.exec, namespace, name, ["python3", "-c", _GET, f"http://{host}"])
                assert wait_for(ask, timeout=60, what=f"an answer of {host} to {name}") == own


def test_pods_of_two_nodes_reach_each_other(cluster: Cluster, namespace: str, webs: dict[str, str]) -> None:
    reach_each_other(cluster, namespace, webs)


def test_a_claim_keeps_its_pods_on_its_node(nodes: Nodes, cluster: Cluster, namespace: str) -> None:
    for number, node in enumerate(nodes.workers):
        claim = f"claim-{number}"
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
        cluster.core.create_namespaced_persistent_volume_claim(namespace, {"metadata": {"name": claim}, "spec": spec})
        tools(cluster, namespace).run_on_claim(claim, ["sh", "-c", f"echo {node} > /claim/file"], node)
        assert tools(cluster, namespace).run_on_claim(claim, ["cat", "/claim/file"]) == f"{node}\n"
        volume = cluster.core.read_namespaced_persistent_volume_claim(claim, namespace).spec.volume_name
        (term,) = cluster.core.read_persistent_volume(volume).spec.node_affinity.required.node_selector_terms
        assert [expression.values for expression in term.match_expressions] == [[node]]


def test_a_node_that_hung_or_booted_is_whole_again(nodes: Nodes, cluster: Cluster, namespace: str, webs: dict[str, str]) -> None:
    first, second = nodes.workers[:2]
    nodes.lose(first)
    nodes.wait_not_ready(first)
    nodes.give_back()
    reach_each_other(cluster, namespace, webs)
    nodes.power_off(second)
    nodes.give_back()

    def again() -> dict[str, str]:
        """The new addresses, once the pods of the node that booted were started again."""
        pods = {pod.metadata.name: pod for pod in cluster.pods(namespace) if pod.metadata.name in webs}
        restarts = [sum(status.restart_count for status in pods[name].status.container_statuses) for name in webs]
        ready = all(status.ready for pod in pods.values() for status in pod.status.container_statuses)
        return {name: pod.status.pod_ip for name, pod in pods.items()} if any(restarts) and ready else {}

    reach_each_other(cluster, namespace, wait_for(again, timeout=120, what="the pods of the node that booted"))


def test_a_job_runs_on_two_nodes_and_goes_from_one_that_is_drained(install: Install, nodes: Nodes, cluster: Cluster) -> None:
    labels = {"app.kubernetes.io/instance": "spread", "app.kubernetes.io/component": "taskmanager"}
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "nodeTaintsPolicy": "Honor",  # a drained node does not count
        "labelSelector": {"matchLabels": labels},
    }
    values = {"storage": {"enabled": False}, "taskmanager": {"slots": 1, "topologySpreadConstraints": [spread]}}
    flink = install("spread", values=values, files=[VALUES / "session.yaml"])

    def used() -> set[str]:
        """The nodes of the TaskManagers that hold the job's tasks."""
        job = flink.rest.wait_running(identity)
        pods = cluster.pods(flink.namespace, flink.selector("taskmanager"))
        at = {pod.status.pod_ip: pod.spec.node_name for pod in pods}
        tasks = [
            task for vertex in job["vertices"] for task in flink.rest.get(f"/jobs/{identity}/vertices/{vertex['id']}")["subtasks"]
        ]
        return {at[task["endpoint"].partition(":")[0]] for task in tasks}

    identity = flink.submit("--detached", "--parallelism=2", "/opt/flink/examples/streaming/TopSpeedWindowing.jar")
    assert used() == set(nodes.workers[:2])
    # Rows of the source are read on the other node as well.
    read = r"^1\..*numRecordsInPerSecond$"
    wait_for(lambda: any(float(rate) > 0 for rate in flink.rest.metrics(identity, read).values()), timeout=60, what="rows")

    leader = cluster.core.read_namespaced_pod(
        cluster.pod(flink.namespace, flink.selector("jobmanager")), flink.namespace
    ).spec.node_name
    (drained,) = set(nodes.workers[:2]) - {leader}
    nodes.drain(drained)
    wait_for(lambda: used() == {leader}, timeout=180, what="the job on the other node")


def test_hooks_find_a_place_beside_a_claim(install: Install, helm: Helm, cluster: Cluster, namespace: str) -> None:
    """A hook that waits for pods of the release must not keep them from the one node that has their claim."""
    first = jar_job.values()
    flink = jar_job.started(install, "placed", first)
    (home,) = {pod.spec.node_name for pod in cluster.pods(namespace, f"app.kubernetes.io/instance={flink.name}")}
    helm.upgrade(flink.name, FLINK, jar_job.another(first), namespace=namespace)
    assert is_savepoint(jar_job.restored(flink))
    roles = "app.kubernetes.io/component in (jobmanager, taskmanager)"
    assert {pod.spec.node_name for pod in cluster.pods(namespace, f"app.kubernetes.io/instance={flink.name},{roles}")} == {home}


def test_a_job_on_a_node_that_is_drained(install: Install, nodes: Nodes, cluster: Cluster, namespace: str) -> None:
    """The claim is that node's own, so the pods wait for it, and the job resumes from where it was."""
    flink = jar_job.started(install, "drained", jar_job.values())
    (home,) = {pod.spec.node_name for pod in cluster.pods(namespace, flink.selector("jobmanager"))}
    number = jar_job.newest(flink)
    nodes.drain(home)
    nodes.uncordon(home)
    wait_for(lambda: jar_job.restored(flink).get("id", 0) >= number, timeout=300, what="the job after the drain")
