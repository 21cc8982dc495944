"""State and output on S3: the KDV job loses no row when its TaskManager, its JobManager or the store itself goes."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ci.core.paths import DEMO, FLINK
from harness import evidence, faults
from harness.cluster import Cluster
from harness.helm import Helm, HelmError, merged
from harness.waits import wait_for
from tests.kind import jar_job, outages, s3_store
from tests.kind.demo_job import ARGS, check_rows, producer_done, restored, started, with_interval
from tests.kind.installs import NEW, OLD, Install

pytestmark = pytest.mark.state


@pytest.fixture
def s3(cluster: Cluster, namespace: str) -> dict[str, Any]:
    """Values for charts/flink whose store runs in the namespace."""
    return s3_store.serve(cluster, namespace)


@pytest.mark.faults
@pytest.mark.parametrize("version", [NEW, pytest.param(OLD, marks=pytest.mark.full)])
def test_a_job_with_its_state_on_s3(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, s3: dict[str, Any], version: str
) -> None:
    name = f"stored-{version.partition('.')[0]}"
    output = f"output/{name}"
    args = [*ARGS, f"--output=s3://flink/{output}"]
    image = {"tag": f"{version}-s3"}
    values, flink, kafka, first = started(install, name, version=version, image=image, job={"args": args}, **s3)
    job = first["jid"]
    directory = f"s3://flink/state/{namespace}/{name}-flink"
    assert flink.rest.checkpoints(job)["latest"]["completed"]["external_path"].startswith(f"{directory}/checkpoints/{job}/chk-")
    assert s3_store.directories(cluster, namespace, f"state/{namespace}/{name}-flink") == {"checkpoints", "ha"}

    # The store is unreachable for a while, and the pods that know the state go as well.
    before = time.time()
    s3_store.stop(cluster, namespace)
    outages.wait_missed(flink, job, before)
    s3_store.start(cluster, namespace)
    outages.delete_flink(flink, job)
    assert [entry["jid"] for entry in flink.rest.jobs()] == [job]

    helm.upgrade(name, DEMO, with_interval(values, "3 s"), namespace=namespace)
    assert restored(flink)["external_path"].startswith(f"{directory}/savepoints/{job}/")
    producer_done(flink)
    check_rows(flink, kafka, 2000, lambda: s3_store.output(cluster, namespace, output))


@pytest.mark.parametrize("version", [NEW, pytest.param(OLD, marks=pytest.mark.full)])
def test_flinks_own_image_keeps_its_state_on_s3(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, s3: dict[str, Any], version: str
) -> None:
    """Nothing but the plugin in its opt/, and no volume."""
    name = f"plain-{version.partition('.')[0]}"
    values = jar_job.values(**s3, flink={"type": "job", "version": version})
    flink = jar_job.started(install, name, values)
    (pod,) = cluster.pods(namespace, flink.selector("jobmanager"))
    assert pod.spec.containers[0].image == f"flink:{version}-java17"
    newest = jar_job.newest(flink)
    faults.delete_pods(cluster, namespace, flink.selector("jobmanager"))
    wait_for(lambda: jar_job.restored(flink).get("id", 0) >= newest, timeout=240, what="the job to resume from S3")
    assert jar_job.restored(flink)["external_path"].startswith(f"s3://flink/state/{namespace}/{name}-flink/checkpoints/")
    assert s3_store.directories(cluster, namespace, f"state/{namespace}/{name}-flink") == {"checkpoints", "ha"}

    job = jar_job.running(flink)
    s3_store.make_secret(cluster, namespace, f"{name}-wrong", "flink", "wrong")
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
