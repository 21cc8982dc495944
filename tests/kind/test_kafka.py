"""Kafka of three brokers: the KDV job loses no row when brokers are lost with their disks."""

from __future__ import annotations

import pytest

from ci.core.paths import DEMO
from harness.cluster import Cluster
from harness.helm import Helm, HelmError, merged
from harness.release import FlinkRelease
from harness.waits import wait_for
from harness.workloads import wait_ready
from tests.kind.demo_job import broker, check_rows, demo, producer_done
from tests.kind.installs import NEW, Install

pytestmark = [pytest.mark.platform, pytest.mark.faults, pytest.mark.full]
_DESCRIBE = ["/opt/kafka/bin/kafka-topics.sh", "--bootstrap-server=localhost:9092", "--describe"]


def lose(flink: FlinkRelease, number: int) -> None:
    """A broker goes with its disk, and is there again with an empty one."""
    core, namespace, pod = flink.cluster.core, flink.namespace, f"{flink.name}-kafka-{number}"
    claim = f"data-{pod}"
    before = core.read_namespaced_persistent_volume_claim(claim, namespace).metadata.uid
    core.delete_namespaced_persistent_volume_claim(claim, namespace)
    core.delete_namespaced_pod(pod, namespace, grace_period_seconds=0)

    def another() -> bool:
        claims = core.list_namespaced_persistent_volume_claim(namespace).items
        uids = [one.metadata.uid for one in claims if one.metadata.name == claim and not one.metadata.deletion_timestamp]
        return bool(uids) and before not in uids

    wait_for(another, timeout=120, what=f"another {claim}")
    wait_ready(flink.cluster, namespace, pod)


def described(flink: FlinkRelease, *options: str) -> list[str]:
    """Lines about partitions, as the first broker has them."""
    lines = flink.cluster.exec(flink.namespace, f"{flink.name}-kafka-0", [*_DESCRIBE, *options]).splitlines()
    return [line for line in lines if "Partition:" in line]


def test_no_row_is_lost_with_brokers_and_their_disks(install: Install, helm: Helm, cluster: Cluster, namespace: str) -> None:
    values = merged(demo(NEW, count=3000, rate=50), {"kafka": {"brokers": 3}, "topic": {"partitions": 3}})
    flink = install("three", DEMO, values)
    kafka = broker(flink)
    job = flink.rest.wait_running("kdv")["jid"]
    flink.rest.wait_checkpoint(job, 1)

    for number in (1, 0):
        lose(flink, number)
        wait_for(
            lambda: described(flink) and not described(flink, "--under-replicated-partitions"),
            timeout=180,
            what=f"broker {number} to have all copies again",
            interval=2,
        )
    assert [entry["jid"] for entry in flink.rest.jobs()] == [job]

    with pytest.raises(HelmError, match="kafka.brokers is 1, but the release's Kafka was installed with another number"):
        helm.upgrade("three", DEMO, merged(values, {"kafka": {"brokers": 1}}), namespace=namespace)
    producer_done(flink)
    check_rows(flink, kafka, 3000)
