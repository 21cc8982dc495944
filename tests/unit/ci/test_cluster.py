"""The clusters of one and of several nodes."""

from __future__ import annotations

import json

import pytest
import yaml

from ci.kubernetes import cluster
from ci.no_registry import network_policies, pod_network
from harness.manifests import parse


def test_the_cluster_with_workers_is_another_one() -> None:
    one, several = cluster.of(), cluster.of(2)
    assert one.nodes == ["flink-helm-control-plane"]
    workers = ["flink-helm-workers-worker", "flink-helm-workers-worker2"]
    assert several.nodes == ["flink-helm-workers-control-plane", *workers]
    assert one.kubeconfig != several.kubeconfig
    assert (cluster.of(3).name, cluster.of(3).kubeconfig) == (several.name, several.kubeconfig)


@pytest.mark.parametrize("workers", [0, 2])
def test_kind_is_asked_for_the_nodes_and_for_no_network_beside_the_images(workers: int) -> None:
    asked = yaml.safe_load(cluster.config(cluster.of(workers), own_network=True))
    assert [node["role"] for node in asked["nodes"]] == ["control-plane", *["worker"] * workers]
    assert asked["networking"] == {"disableDefaultCNI": True}
    assert "networking" not in yaml.safe_load(cluster.config(cluster.of(workers), own_network=False))


def test_deleting_ends_both_clusters_or_the_one_with_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    deleted: list[str] = []
    monkeypatch.setattr(cluster, "_delete", lambda which: deleted.append(which.name))
    cluster.main_delete([])
    assert deleted == ["flink-helm", "flink-helm-workers"]
    cluster.main_delete(["--workers", "2"])
    cluster.main_delete(["--workers"])
    assert deleted[2:] == ["flink-helm-workers"] * 2


def test_a_node_gives_addresses_of_its_own_subnet_and_translates_none_of_any_pod() -> None:
    ptp, _ = json.loads(pod_network.cni("10.244.1.0/24"))["plugins"]
    addresses = {"rangeStart": "10.244.1.2", "rangeEnd": "10.244.1.254", "gateway": "10.244.1.1"}
    assert ptp["ipam"]["ranges"] == [[{"subnet": "10.244.0.0/16", **addresses}]]


def test_a_node_has_routes_to_all_others() -> None:
    subnets = {"a": "10.244.0.0/24", "b": "10.244.1.0/24", "c": "10.244.2.0/24"}
    assert "ExecStart=/kind/pod-routes.sh 10.244.0.0/24=a 10.244.2.0/24=c\n" in pod_network.unit("b", subnets)


def test_what_enforces_policies_runs_on_every_node_with_the_image_that_was_built() -> None:
    (daemons,) = parse(network_policies.manifest("flink-helm/kube-router:1")).by("DaemonSet")
    pod = daemons["spec"]["template"]["spec"]
    assert [container["image"] for container in pod["containers"]] == ["flink-helm/kube-router:1"]
    assert pod["tolerations"] == [{"operator": "Exists"}]
