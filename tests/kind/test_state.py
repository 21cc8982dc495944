"""State on S3: the KDV job loses no row when its TaskManager, its JobManager or the store itself goes."""

from __future__ import annotations

import secrets
import time
from typing import Any

import pytest
import yaml
from kubernetes import client, utils

from ci.core.paths import DEMO, FLINK, VALUES
from harness import evidence, faults
from harness.cluster import Cluster
from harness.helm import Helm, HelmError, merged
from harness.waits import wait_for
from tests.kind import jar_job, outages, s3_store
from tests.kind.demo_job import check_rows, producer_done, restored, started, with_interval
from tests.kind.installs import NEW, OLD, Install

pytestmark = pytest.mark.state


@pytest.fixture
def s3(cluster: Cluster, namespace: str) -> dict[str, Any]:
    """Values for charts/flink whose store, as docs/state.md sets it up, runs in the namespace."""
    credentials = {"AWS_ACCESS_KEY_ID": "flink", "AWS_SECRET_ACCESS_KEY": secrets.token_hex(16)}
    secret = client.V1Secret(metadata=client.V1ObjectMeta(name="s3"), string_data=credentials)
    if not cluster.pods(namespace, s3_store.PODS):
        cluster.core.create_namespaced_secret(namespace, secret)
        utils.create_from_yaml(cluster.api, str(s3_store.MANIFEST), namespace=namespace)
    s3_store.wait_serving(cluster, namespace)
    values: dict[str, Any] = yaml.safe_load((VALUES / "s3.yaml").read_text())
    # What is too much for memory is kept there most often.
    values["state"]["backend"] = "rocksdb"
    return {**values, "storage": {"enabled": True}}  # for the CSV files of the demo


def scale_store(cluster: Cluster, namespace: str, replicas: int) -> None:
    cluster.apps.patch_namespaced_deployment_scale(s3_store.DEPLOYMENT, namespace, {"spec": {"replicas": replicas}})


def stored(cluster: Cluster, namespace: str, release: str) -> set[str]:
    """The directories of a release in the bucket."""
    directory = f"/data/flink/state/{namespace}/{release}-flink"
    return set(cluster.runner(namespace, s3_store.PODS)(["ls", directory]).split())


@pytest.mark.faults
@pytest.mark.parametrize("version", [NEW, pytest.param(OLD, marks=pytest.mark.full)])
def test_a_job_with_its_state_on_s3(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, s3: dict[str, Any], version: str
) -> None:
    name = f"stored-{version.partition('.')[0]}"
    values, flink, kafka, first = started(install, name, version=version, image={"tag": f"{version}-s3"}, **s3)
    job = first["jid"]
    directory = f"s3://flink/state/{namespace}/{name}-flink"
    assert flink.rest.checkpoints(job)["latest"]["completed"]["external_path"].startswith(f"{directory}/checkpoints/{job}/chk-")
    assert stored(cluster, namespace, name) == {"checkpoints", "ha"}

    # The store is unreachable for a while, and the pods that know the state go as well.
    before = time.time()
    scale_store(cluster, namespace, 0)
    wait_for(lambda: not cluster.pods(namespace, s3_store.PODS), timeout=60, what="the store to go")
    outages.wait_missed(flink, job, before)
    scale_store(cluster, namespace, 1)
    s3_store.wait_serving(cluster, namespace)
    newest = flink.rest.checkpoints(job)["latest"]["completed"]["id"]
    flink.rest.wait_checkpoint(job, newest + 1, timeout=300)
    faults.delete_pods(cluster, namespace, f"app.kubernetes.io/instance={name},app.kubernetes.io/name=flink")
    wait_for(lambda: (restored(flink) or {}).get("id", 0) > newest, timeout=240, what="the job to resume from S3")
    assert [entry["jid"] for entry in flink.rest.jobs()] == [job]

    helm.upgrade(name, DEMO, with_interval(values, "3 s"), namespace=namespace)
    assert restored(flink)["external_path"].startswith(f"{directory}/savepoints/{job}/")
    producer_done(flink)
    check_rows(flink, kafka, 2000)


@pytest.mark.parametrize("version", [NEW, pytest.param(OLD, marks=pytest.mark.full)])
def test_flinks_own_image_keeps_its_state_on_s3(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, s3: dict[str, Any], version: str
) -> None:
    """Nothing but the plugin in its opt/, and no volume."""
    name = f"plain-{version.partition('.')[0]}"
    values = jar_job.values(**{**s3, "flink": {"type": "job", "version": version}, "storage": {"enabled": False}})
    flink = jar_job.started(install, name, values)
    (pod,) = cluster.pods(namespace, flink.selector("jobmanager"))
    assert pod.spec.containers[0].image == f"flink:{version}-java17"
    newest = jar_job.newest(flink)
    faults.delete_pods(cluster, namespace, flink.selector("jobmanager"))
    wait_for(lambda: jar_job.restored(flink).get("id", 0) >= newest, timeout=240, what="the job to resume from S3")
    assert jar_job.restored(flink)["external_path"].startswith(f"s3://flink/state/{namespace}/{name}-flink/checkpoints/")
    assert stored(cluster, namespace, name) == {"checkpoints", "ha"}

    job = jar_job.running(flink)
    wrong = client.V1Secret(
        metadata=client.V1ObjectMeta(name=f"{name}-wrong"),
        string_data={"AWS_ACCESS_KEY_ID": "flink", "AWS_SECRET_ACCESS_KEY": "wrong"},
    )
    cluster.core.create_namespaced_secret(namespace, wrong)
    for change, why in (
        ({"s3": {"credentialsSecret": f"{name}-wrong"}}, f"does not accept the secret key in the Secret {name}-wrong"),
        ({"s3": {"credentialsSecret": f"{name}-missing"}}, f"names the Secret {name}-missing, which is not there"),
        ({"folders": {"checkpoints": "s3://none/checkpoints"}}, "has no bucket none: make it"),
    ):
        with pytest.raises(HelmError, match=why):
            helm.upgrade(name, FLINK, merged(values, {"state": change}), namespace=namespace)
    assert jar_job.running(flink) == job


@pytest.mark.full
@pytest.mark.faults
@pytest.mark.parametrize("version", [NEW, OLD])
def test_a_job_whose_leader_zookeeper_knows(install: Install, helm: Helm, cluster: Cluster, namespace: str, version: str) -> None:
    name = f"keeper-{version.partition('.')[0]}"
    before = evidence.leftovers(cluster, namespace)
    values, flink, kafka, first = started(install, name, version=version, highAvailability={"type": "zookeeper"})
    job = first["jid"]
    zookeeper = flink.selector("zookeeper")
    flink_pods = f"app.kubernetes.io/instance={name},app.kubernetes.io/component in (jobmanager, taskmanager)"

    faults.delete_pods(cluster, namespace, zookeeper)
    newest = flink.rest.checkpoints(job)["latest"]["completed"]["id"]
    flink.rest.wait_checkpoint(job, newest + 1, timeout=240)
    newest = flink.rest.checkpoints(job)["latest"]["completed"]["id"]
    faults.delete_pods(cluster, namespace, flink_pods)
    wait_for(lambda: (restored(flink) or {}).get("id", 0) >= newest, timeout=240, what="the job to resume")
    assert [entry["jid"] for entry in flink.rest.jobs()] == [job]

    helm.upgrade(name, DEMO, with_interval(values, "3 s"), namespace=namespace)
    assert f"/savepoints/{job}/stop/" in restored(flink)["external_path"]
    producer_done(flink)
    check_rows(flink, kafka, 2000)

    helm.uninstall(name, namespace=namespace)
    left = {*before, "Pod/tools"}
    wait_for(lambda: evidence.leftovers(cluster, namespace) <= left, timeout=90, what="everything of the release to go")
