"""High availability by Kubernetes: the job goes on where it was, whichever JobManager leads."""

from __future__ import annotations

from tests.kind.conftest import DEMO, NEW, Install
from tests.kind.test_demo import broker, check_rows, demo, producer_done
from tests.support.helm import Helm


def test_an_upgrade_under_high_availability(install: Install, helm: Helm, namespace: str) -> None:
    values = demo(NEW, count=2000, rate=50)
    values["flink"]["highAvailability"] = {"type": "kubernetes"}
    flink = install("led", DEMO, values)
    kafka = broker(flink)
    first = flink.rest.wait_running("kdv")
    flink.rest.wait_checkpoint(first["jid"], 1)

    values["flink"]["flink"]["config"] = {"execution.checkpointing.interval": "7 s"}
    print(helm.upgrade("led", DEMO, values, namespace=namespace))

    second = flink.rest.wait_running("kdv")
    restored = flink.rest.checkpoints(second["jid"])["latest"]["restored"]
    assert first["jid"] in restored["external_path"]
    producer_done(flink)
    check_rows(flink, kafka, 2000)
