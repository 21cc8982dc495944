"""values/everything.yaml, where every value has another value than its default, before a real API server and installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from kubernetes import utils
from kubernetes.dynamic import DynamicClient

from ci.core.paths import FLINK, VALUES
from ci.images import access
from harness.cluster import Cluster
from harness.helm import Helm
from tests.kind import doors, jar_job, monitoring, s3_store
from tests.kind.installs import Install
from tests.kind.jar_job import another

EVERYTHING = VALUES / "everything.yaml"
HERE = Path(__file__).parent / "here.yaml"
IMAGES = {"uiProxy": {"image": access.IMAGE}}

# What the values name, and a pod is refused without.
NEEDED = """
{apiVersion: v1, kind: ServiceAccount, metadata: {name: streams}}
---
{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: streams}, value: 1}
---
{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: gvisor}, handler: runc}
"""
# What a pod waits for. The store takes its keys by the names of AWS.
MOUNTED = """
{apiVersion: v1, kind: Secret, metadata: {name: credentials}, stringData: {TOKEN: "1"}}
---
{apiVersion: v1, kind: Secret, metadata: {name: truststore}, stringData: {ca.pem: none}}
---
{apiVersion: v1, kind: Secret, metadata: {name: azure}, stringData: {key: none}}
---
{apiVersion: v1, kind: Secret, metadata: {name: people}, stringData: {auth: "ada:{SHA}fEqNCco3Yq9h5ZUglD3CZJT4lBs="}}
---
apiVersion: v1
kind: Secret
metadata: {name: s3}
stringData: {id: &id flink, key: &key flink-flink, AWS_ACCESS_KEY_ID: *id, AWS_SECRET_ACCESS_KEY: *key}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: hadoop}, data: {core-site.xml: <configuration/>}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: mine}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""


@pytest.fixture
def client(cluster: Cluster, namespace: str) -> Iterator[DynamicClient]:
    # Sidecars and security contexts of users' own are not all `restricted`.
    labels = {"pod-security.kubernetes.io/enforce": "privileged"}
    cluster.core.patch_namespace(namespace, {"metadata": {"labels": labels}})
    monitoring.define_kinds(cluster)
    doors.define_kinds(cluster)
    with cluster.having(list(yaml.safe_load_all(NEEDED)), namespace):
        yield DynamicClient(cluster.api)


@pytest.fixture
def surroundings(client: DynamicClient, cluster: Cluster, helm: Helm, namespace: str) -> Iterator[None]:
    """All that the values name: a store with its buckets, objects that pods mount, and the rights that rbac.create would give."""
    text = helm.template(FLINK, {"rbac": {"create": True}}, files=[EVERYTHING, HERE], name="my", namespace=namespace)
    rights = [obj for obj in yaml.safe_load_all(text) if obj and obj["kind"] in ("Role", "RoleBinding")]
    assert rights
    for obj in rights:
        obj["metadata"].pop("annotations", None)  # of Helm
    with cluster.having([*yaml.safe_load_all(MOUNTED), *rights], namespace):
        utils.create_from_yaml(cluster.api, str(s3_store.MANIFEST), namespace=namespace)
        s3_store.wait_serving(cluster, namespace)
        doors.load_images(cluster)
        cluster.runner(namespace, s3_store.PODS)(["mkdir", "/data/bucket", "/data/fast"])
        yield


def test_the_api_server_takes_all_objects_and_their_pods_and_knows_each_field(client: DynamicClient, namespace: str) -> None:
    text = Helm().template(FLINK, files=[EVERYTHING], name="my", namespace=namespace)
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


@pytest.mark.full
@pytest.mark.alone  # nine pods with every sidecar
def test_all_of_it_is_installed_and_carries_its_job(
    surroundings: None, install: Install, helm: Helm, cluster: Cluster, namespace: str
) -> None:
    flink = install("my", values=IMAGES, files=[EVERYTHING, HERE])
    job = jar_job.running(flink)
    flink.rest.wait_checkpoint(job, 1)
    assert flink.rest.checkpoints(job)["latest"]["completed"]["external_path"].startswith("s3://fast/checkpoints/")
    for pod in cluster.pods(namespace, "app.kubernetes.io/instance=my"):
        assert pod.metadata.labels["team"] == "streams"
        assert pod.metadata.annotations["sidecar.istio.io/inject"] == "false"

    helm.upgrade("my", FLINK, another(IMAGES), files=[EVERYTHING, HERE], namespace=namespace)
    assert jar_job.restored(flink)["external_path"].startswith("s3://")
    assert "Succeeded" in helm.test("my", namespace=namespace)
    helm.uninstall("my", namespace=namespace)
