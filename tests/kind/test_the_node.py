"""The node itself is restarted, and with it everything that runs there."""

from __future__ import annotations

import subprocess
import threading
import time

import pytest

from ci.core.paths import DEMO
from harness.cluster import Cluster
from harness.helm import Helm, HelmError
from harness.rest import is_savepoint
from harness.waits import wait_for
from tests.kind.demo_job import check_rows, producer_done, record, restored, started, with_interval
from tests.kind.installs import Install

pytestmark = [pytest.mark.faults, pytest.mark.full, pytest.mark.alone]


@pytest.mark.parametrize("availability", ["none", "kubernetes"])
def test_a_job_outlives_its_node(install: Install, cluster: Cluster, namespace: str, availability: str) -> None:
    _, flink, kafka, first = started(install, f"node-{availability}", highAvailability={"type": availability})
    node = cluster.core.list_node().items[0].metadata.name
    newest = flink.rest.checkpoints(first["jid"])["latest"]["completed"]["id"]
    subprocess.run(["docker", "restart", node], check=True, capture_output=True)
    wait_for(lambda: (restored(flink) or {}).get("id", 0) >= newest, timeout=400, what="the job after the node's restart")
    producer_done(flink)
    check_rows(flink, kafka, 2000)


AWAY_SECONDS = 30


def signal(node: str, name: str) -> None:
    subprocess.run(["docker", "exec", node, "pkill", f"-{name}", "-x", "kube-apiserver"], check=True, capture_output=True)


def test_an_upgrade_while_the_api_server_is_away(install: Install, helm: Helm, cluster: Cluster, namespace: str) -> None:
    """From the moment in which the job is being stopped. Helm may give up; the same upgrade again ends as if nothing had been."""
    values, flink, kafka, first = started(install, "deaf")
    node = cluster.core.list_node().items[0].metadata.name
    upgraded = with_interval(values, "3 s")
    failures: list[HelmError] = []

    def upgrade() -> None:
        try:
            helm.upgrade("deaf", DEMO, upgraded, namespace=namespace)
        except HelmError as error:
            failures.append(error)

    thread = threading.Thread(target=upgrade)
    thread.start()
    wait_for(lambda: record(flink).get("pending"), timeout=120, what="the stop to be written down", interval=0.1)
    signal(node, "STOP")
    try:
        time.sleep(AWAY_SECONDS)  # the fault itself
    finally:
        signal(node, "CONT")
    thread.join()
    if failures:
        helm.rollback("deaf", 1, namespace=namespace)
        helm.upgrade("deaf", DEMO, upgraded, namespace=namespace)
    assert is_savepoint(restored(flink))
    assert f"/savepoints/{first['jid']}/stop/" in record(flink)["history"]
    producer_done(flink)
    check_rows(flink, kafka, 2000)
