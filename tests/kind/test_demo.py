"""The demo's whole way: rows into Kafka, and every one of them once, unaltered, in the CSV files."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.kind.conftest import BOTH_HELMS_AND_FLINKS, DEMO, NEW, OLD, VALUES, Install, matrix
from tests.support import csv_output, evidence, faults, kdv_model, workloads
from tests.support.cluster import Cluster
from tests.support.csv_output import Row, Snapshot
from tests.support.helm import Helm
from tests.support.kafka import Kafka, Record
from tests.support.kdv_model import Input
from tests.support.release import FlinkRelease
from tests.support.waits import GiveUp, wait_for

TOPIC = "sahibinden"
OUTPUT = "/flink-data/output"
SAMPLE_ROW = "7,Televizyon,ikinci el LG OLED TV,18000,0.18,21240.00,2024-05-20 07:28:00"


def demo(version: str, *, count: int, rate: int, kind: str = "job", faults: int = 0) -> dict[str, Any]:
    """Values for a run whose rows are the same each time: event time is given, and the last rows close every window."""
    return {
        "flink": {"flink": {"type": kind, "version": version}, "image": {"tag": version}, "taskmanager": {"slots": 2}},
        "producer": {
            "count": count,
            "rate": rate,
            "faults": faults,
            "args": ["--start-time=2024-05-20 08:00:00", "--time-step=0.7", "--close-windows=600"],
        },
    }


def brokers_ready(flink: FlinkRelease) -> bool:
    pods = flink.cluster.pods(flink.namespace, flink.selector("kafka"))
    return bool(pods) and all(status.ready for pod in pods for status in pod.status.container_statuses or [])


def producer_done(flink: FlinkRelease) -> None:
    (job,) = flink.cluster.batch.list_namespaced_job(flink.namespace, label_selector=flink.selector("producer")).items
    workloads.wait_job(flink.cluster, flink.namespace, job.metadata.name)


def broker(flink: FlinkRelease) -> Kafka:
    return Kafka(workloads.tools_pod(flink.cluster, flink.namespace), f"{flink.name}-kafka:9092")


def rejects(flink: FlinkRelease, kafka: Kafka) -> tuple[list[Record], list[Record]]:
    """Dead letters and late records, in the topics that the job's name in Kafka gives."""
    group = f"kdv.{flink.namespace}.{flink.name}"
    return kafka.consume(f"{group}-dead"), kafka.consume(f"{group}-late")


def wait_for_rows(flink: FlinkRelease, kafka: Kafka, output: str = OUTPUT) -> tuple[Input, Snapshot]:
    """The judged input and the output, once no record is missing; one too much or altered ends the wait as well."""
    judged = Input(kafka.consume(TOPIC))

    def read() -> Snapshot:
        snapshot = csv_output.read(flink.jobmanager, output)
        dead, late = rejects(flink, kafka)
        report = kdv_model.compare(judged.expect(set(map(kdv_model.origin, late))), snapshot.rows)
        wrong = judged.rejects(dead, late)
        if report.twice or report.unexpected:
            raise GiveUp(str(report))
        if not report.ok or wrong:
            raise LookupError("\n".join([str(report), *wrong[:10]]))
        return snapshot

    return judged, wait_for(read, timeout=180, what="every record", interval=2)


def check_rows(flink: FlinkRelease, kafka: Kafka, count: int, output: str = OUTPUT) -> list[Row]:
    """Account for every record of the topic; `count` rows were produced besides the sample."""
    judged, snapshot = wait_for_rows(flink, kafka, output)
    assert len(judged.good) + len(judged.broken) >= count
    rows = snapshot.rows
    assert SAMPLE_ROW in [",".join(map(str, row)) for row in rows if row.id == 7]
    return rows


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
    waiting = len(judged.expect(set(map(kdv_model.origin, late)), bounded=True).certain) - len(rows)  # in windows still open
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

    told = flink.jobmanager(["flink", "stop", job["jid"]])
    savepoint = re.search(r"Path: (file:\S+)", told)
    assert savepoint, told
    values["flink"]["job"] = {"fromSavepoint": savepoint[1], "parallelism": 2}
    helm.upgrade("moved", DEMO, values, namespace=namespace)

    job = flink.rest.wait_running("kdv")
    restored = flink.rest.checkpoints(job["jid"])["latest"]["restored"]
    assert restored["is_savepoint"]
    assert restored["external_path"] == savepoint[1]
    assert max(vertex["parallelism"] for vertex in job["vertices"]) == 2
    producer_done(flink)
    check_rows(flink, kafka, 2000)


@pytest.mark.parametrize("availability", ["kubernetes", pytest.param("none", marks=pytest.mark.full)])
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
    assert flink.rest.checkpoints(after["jid"])["latest"]["restored"]["is_savepoint"]
    producer_done(flink)
    check_rows(flink, kafka, 600)


def test_the_demo_as_make_demo_installs_it(install: Install, namespace: str) -> None:
    flink = install("plain", DEMO, files=[VALUES / "demo.yaml"])
    ids = {json.loads(line)["id"] for line in (ROOT / "jobs" / "kdv" / "sample.jsonl").read_text().splitlines()}

    def sample_rows() -> bool:
        return ids <= {row.id for row in csv_output.read(flink.jobmanager, OUTPUT).rows}

    wait_for(sample_rows, timeout=180, what="the sample rows", interval=2)
