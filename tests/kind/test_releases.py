"""Released charts: upgrades from each of them."""

from __future__ import annotations

import pytest

from ci.core.paths import DEMO
from ci.release import agreement
from harness.helm import Helm
from tests.kind.demo_job import broker, check_rows, demo, producer_done, restored
from tests.kind.installs import NEW, OLD, Install

pytestmark = [pytest.mark.state, pytest.mark.full]
KEPT = agreement.kept()


@pytest.mark.parametrize("flink_version", [NEW, OLD])
@pytest.mark.parametrize("chart_version", KEPT)
def test_a_release_of_an_older_chart_is_taken_over(
    install: Install, helm: Helm, namespace: str, chart_version: str, flink_version: str
) -> None:
    """That of 0.1.0 has no hooks, so that there is no record, and Flink has chosen the job's id."""
    values = demo(flink_version, count=2000, rate=50)
    flink = install("older", KEPT[chart_version], values)
    job = flink.rest.wait_running("kdv")
    flink.rest.wait_checkpoint(job["jid"], 1)
    helm.upgrade("older", DEMO, values, namespace=namespace)
    assert f"/savepoints/{job['jid']}/stop/" in restored(flink)["external_path"]
    producer_done(flink)
    check_rows(flink, broker(flink), 2000)
