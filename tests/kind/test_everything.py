"""values/everything.yaml, where every value has another value than its default, before a real API server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml
from kubernetes.dynamic import DynamicClient

from tests.kind.conftest import FLINK, VALUES
from tests.support.cluster import Cluster
from tests.support.helm import Helm

# What the values name, and a pod is refused without.
NEEDED = """
{apiVersion: v1, kind: ServiceAccount, metadata: {name: streams}}
---
{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: streams}, value: 1}
---
{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: gvisor}, handler: runc}
"""


@pytest.fixture
def client(cluster: Cluster, namespace: str) -> Iterator[DynamicClient]:
    # Sidecars and security contexts of users' own are not all `restricted`.
    labels = {"pod-security.kubernetes.io/enforce": "privileged"}
    cluster.core.patch_namespace(namespace, {"metadata": {"labels": labels}})
    with cluster.having(list(yaml.safe_load_all(NEEDED)), namespace):
        yield DynamicClient(cluster.api)


def test_the_api_server_takes_all_objects_and_their_pods_and_knows_each_field(client: DynamicClient, namespace: str) -> None:
    text = Helm().template(FLINK, files=[VALUES / "everything.yaml"], name="my", namespace=namespace)
    objects = [obj for obj in yaml.safe_load_all(text) if obj]
    # What admits workloads does not look at their pods.
    templates = {obj["metadata"]["name"]: obj["spec"]["template"] for obj in objects if obj["kind"] in ("Deployment", "Job")}
    for name, template in templates.items():
        metadata = {**template["metadata"], "name": f"{name}-pod"}
        objects.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
    for obj in objects:
        resource = client.resources.get(api_version=obj["apiVersion"], kind=obj["kind"])
        resource.create(body=obj, namespace=namespace, query_params=[("dryRun", "All"), ("fieldValidation", "Strict")])
    kinds = {"Deployment", "Service", "ConfigMap", "Job", "CronJob", "Ingress", "PodDisruptionBudget", "Pod"}
    assert kinds <= {obj["kind"] for obj in objects}
