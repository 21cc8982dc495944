"""The demo's whole way: rows into Kafka, and every one of them once, unaltered, in the CSV files."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from ci.core.paths import DEMO, JOBS, VALUES
from harness import evidence, faults
from harness.cluster import Cluster
from harness.helm import Helm
from harness.rest import is_savepoint
from harness.waits import wait_for
from harness_kdv import csv_output, model
from harness_kdv.model import Input
from tests.kind.demo_job import OUTPUT, TOPIC, broker, brokers_ready, check_rows, demo, producer_done, rejects
from tests.kind.installs import BOTH_HELMS_AND_FLINKS, NEW, OLD, Install, matrix


@BOTH_HELMS_AND_FLINKS
def test_every_row_arrives_once(install: Install, helm: Helm, cluster: Cluster, namespace: str, version: str) -> None:
    flink = install("demo", DEMO, demo(version, count=2000, rate=200))
    kafka = broker(flink)

    flink.rest.wait_running("kdv")
    assert flink.rest.overview()["flink-version"] == version
    assert "Succeeded" in helm.test("demo", namespace=namespace)
    producer_done(flink)
    check_rows(flink, kafka, 2000)

    helm.uninstall("demo", namespace=namespace)
    wait_for(lambda: evidence.leftovers(cluster, namespace) <= {"Pod/tools"}, timeout=90, what="everything of the demo to go")


def test_every_row_arrives_once_when_taskmanager_and_broker_go(install: Install, cluster: Cluster, namespace: str) -> None:
    flink = install("killed", DEMO, demo(NEW, count=3000, rate=100))
    kafka = broker(flink)
    job = flink.rest.wait_running("kdv")
    flink.rest.wait_checkpoint(job["jid"], 1)
    before = csv_output.read(flink.jobmanager, OUTPUT)

    faults.kill(cluster, namespace, flink.selector("taskmanager"), "taskmanager")
    wait_for(lambda: flink.rest.checkpoints(job["jid"])["counts"]["restored"] > 0, timeout=180, what="the job to be restored")
    faults.delete_pods(cluster, namespace, flink.selector("kafka"))
    wait_for(lambda: brokers_ready(flink), timeout=180, what="the broker to be back")
    producer_done(flink)
    check_rows(flink, kafka, 3000)
    assert not csv_output.read(flink.jobmanager, OUTPUT).changed_since(before)


@matrix(("helm3", OLD))
def test_of_faulty_input_every_record_is_accounted_for(install: Install, helm: Helm, version: str) -> None:
    flink = install("faulty", DEMO, demo(version, count=2000, rate=60, faults=5))
    kafka = broker(flink)
    producer_done(flink)
    rows = check_rows(flink, kafka, 2000)
    judged, (dead, late) = Input(kafka.consume(TOPIC)), rejects(flink, kafka)
    assert len(dead) == len(judged.broken) >= 50
    waiting = len(judged.expect(set(map(model.origin, late)), bounded=True).certain) - len(rows)  # in windows still open
    copies = len(judged.good) - len(late) - len(rows) - waiting
    assert copies > 0
    assert len(kafka.consume(TOPIC)) == len(rows) + waiting + len(dead) + len(late) + copies


@pytest.mark.full
def test_a_savepoint_carries_the_job_over_an_upgrade(install: Install, helm: Helm, cluster: Cluster, namespace: str) -> None:
    values = demo(NEW, count=2000, rate=50)
    flink = install("moved", DEMO, values)
    kafka = broker(flink)
    job = flink.rest.wait_running("kdv")
    flink.rest.wait_checkpoint(job["jid"], 1)

    output = flink.jobmanager(["flink", "stop", job["jid"]])
    savepoint = re.search(r"Path: (file:\S+)", output)
    assert savepoint, output
    values["flink"]["job"] = {"fromSavepoint": savepoint[1], "parallelism": 2}
    helm.upgrade("moved", DEMO, values, namespace=namespace)

    job = flink.rest.wait_running("kdv")
    restored = flink.rest.checkpoints(job["jid"])["latest"]["restored"]
    assert restored["external_path"] == savepoint[1]
    assert max(vertex["parallelism"] for vertex in job["vertices"]) == 2
    producer_done(flink)
    check_rows(flink, kafka, 2000)


@pytest.mark.full
@pytest.mark.parametrize("availability", ["kubernetes", "none"])
def test_a_session_carries_the_job_over_an_upgrade(install: Install, helm: Helm, namespace: str, availability: str) -> None:
    file = VALUES / "demo-session.yaml"
    values = demo(NEW, count=600, rate=20, kind="session")
    values["flink"]["highAvailability"] = {"type": availability}
    flink = install("submitted", DEMO, values, files=[file])
    kafka = broker(flink)
    before = flink.rest.wait_running("kdv")
    flink.rest.wait_checkpoint(before["jid"], 1)

    (job,) = yaml.safe_load(file.read_text())["flink"]["session"]["jobs"]
    job["args"].append("--checkpoint-interval=5 s")
    values["flink"]["session"] = {"jobs": [job]}
    helm.upgrade("submitted", DEMO, values, files=[file], namespace=namespace)

    (after,) = (one for one in flink.rest.jobs() if one["state"] == "RUNNING")  # the one that was stopped is listed as well
    assert after["jid"] != before["jid"]
    assert is_savepoint(flink.rest.checkpoints(after["jid"])["latest"]["restored"])
    producer_done(flink)
    check_rows(flink, kafka, 600)


@pytest.mark.full
def test_the_demo_as_make_demo_installs_it(install: Install, namespace: str) -> None:
    flink = install("plain", DEMO, files=[VALUES / "demo.yaml"])
    ids = {json.loads(line)["id"] for line in (JOBS / "kdv" / "sample.jsonl").read_text().splitlines()}

    def sample_rows() -> bool:
        return ids <= {row.id for row in csv_output.read(flink.jobmanager, OUTPUT).rows}

    wait_for(sample_rows, timeout=180, what="the sample rows", interval=2)
