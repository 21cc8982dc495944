"""The node itself is restarted, and with it everything that runs there."""

from __future__ import annotations

import subprocess

import pytest

from tests.kind.conftest import Install
from tests.kind.test_demo import check_rows, producer_done
from tests.kind.test_high_availability import KUBERNETES
from tests.kind.test_lifecycle import restored, started
from tests.support.cluster import Cluster
from tests.support.waits import wait_for

pytestmark = [pytest.mark.faults, pytest.mark.full, pytest.mark.alone]


@pytest.mark.parametrize("availability", ["none", KUBERNETES["type"]])
def test_a_job_outlives_its_node(install: Install, cluster: Cluster, namespace: str, availability: str) -> None:
    _, flink, kafka, first = started(install, f"node-{availability}", highAvailability={"type": availability})
    node = cluster.core.list_node().items[0].metadata.name
    newest = flink.rest.checkpoints(first["jid"])["latest"]["completed"]["id"]
    subprocess.run(["docker", "restart", node], check=True, capture_output=True)
    wait_for(lambda: (restored(flink) or {}).get("id", 0) >= newest, timeout=400, what="the job after the node's restart")
    producer_done(flink)
    check_rows(flink, kafka, 2000)
