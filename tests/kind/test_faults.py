"""A JobManager that is killed without high availability, and the upgrades that take no savepoint."""

from __future__ import annotations

import pytest

from ci.core.paths import DEMO
from harness import faults
from harness.cluster import Cluster
from harness.helm import Helm
from harness.waits import wait_for
from tests.kind.demo_job import ARGS, another, changed, check_rows, is_another, producer_done, restored, started
from tests.kind.installs import Install

pytestmark = [pytest.mark.state, pytest.mark.faults]


@pytest.mark.full
def test_last_state_and_a_killed_jobmanager(install: Install, helm: Helm, cluster: Cluster, namespace: str) -> None:
    values, flink, kafka, first = started(install, "last", job={"upgradeMode": "last-state"})

    # Without high availability: the claim tells the new process where the job was.
    faults.kill(cluster, namespace, flink.selector("jobmanager"), "jobmanager")
    again = wait_for(lambda: flink.rest.wait_running("kdv"), timeout=180, what="the job after the kill")
    assert again["jid"] != first["jid"]  # TaskManagers refuse the program of a new process under an id that they know
    checkpoint = restored(flink)
    assert f"/checkpoints/{first['jid']}/chk-" in checkpoint["external_path"]
    flink.rest.wait_checkpoint(again["jid"], checkpoint["id"] + 1)

    faults.delete_pods(cluster, namespace, flink.selector("jobmanager"))
    wait_for(lambda: restored(flink)["id"] > checkpoint["id"], timeout=180, what="the job in a new pod")
    third = flink.rest.wait_running("kdv")["jid"]
    flink.rest.wait_checkpoint(third, restored(flink)["id"] + 1)

    helm.upgrade("last", DEMO, another(values), namespace=namespace)
    assert is_another(flink)
    cancelled = restored(flink)
    assert f"/checkpoints/{third}/chk-" in cancelled["external_path"]
    producer_done(flink)
    check_rows(flink, kafka, 2000)

    # Without its state the job restarts from scratch, and so it writes all rows again.
    fresh = changed(another(values), job={"upgradeMode": "stateless", "args": [*ARGS, "--output=file:///flink-data/anew"]})
    helm.upgrade("last", DEMO, fresh, namespace=namespace)
    assert restored(flink) is None
    check_rows(flink, kafka, 2000, output="/flink-data/anew")
