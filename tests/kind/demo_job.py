"""The demo's release with the KDV job in it: its values, what becomes of its rows, and where its state came from."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

import yaml

from ci.core.paths import DEMO
from harness.release import FlinkRelease
from harness.waits import GiveUp, wait_for
from harness.workloads import wait_job
from harness_kdv import csv_output, model
from harness_kdv.csv_output import Row, Snapshot
from harness_kdv.kafka import Kafka, Record
from harness_kdv.model import Input
from harness_kdv.tools import tools
from tests.kind.installs import NEW, Install

TOPIC = "sahibinden"
OUTPUT = "/flink-data/output"
Output = str | Callable[[], Snapshot]  # a directory that the JobManager mounts, or what reads another place
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
    wait_job(flink.cluster, flink.namespace, job.metadata.name)


def broker(flink: FlinkRelease) -> Kafka:
    return Kafka(tools(flink.cluster, flink.namespace).runner(), f"{flink.name}-kafka:9092")


def rejects(flink: FlinkRelease, kafka: Kafka) -> tuple[list[Record], list[Record]]:
    """Dead letters and late records, in the topics that the job's name in Kafka gives."""
    group = f"kdv.{flink.namespace}.{flink.name}"
    return kafka.consume(f"{group}-dead"), kafka.consume(f"{group}-late")


def wait_for_rows(flink: FlinkRelease, kafka: Kafka, output: Output = OUTPUT) -> tuple[Input, Snapshot]:
    """The judged input and the output, once no record is missing; one too much or altered ends the wait as well."""
    look = output if callable(output) else functools.partial(csv_output.read, flink.jobmanager, output)
    judged = Input(kafka.consume(TOPIC))

    def read() -> Snapshot:
        snapshot = look()
        dead, late = rejects(flink, kafka)
        report = model.compare(judged.expect(set(map(model.origin, late))), snapshot.rows)
        wrong = judged.rejects(dead, late)
        if report.twice or report.unexpected:
            raise GiveUp(str(report))
        if not report.ok or wrong:
            raise LookupError("\n".join([str(report), *wrong[:10]]))
        return snapshot

    return judged, wait_for(read, timeout=180, what="every record", interval=2)


def check_rows(flink: FlinkRelease, kafka: Kafka, count: int, output: Output = OUTPUT) -> list[Row]:
    """Account for every record of the topic; `count` rows were produced besides the sample."""
    judged, snapshot = wait_for_rows(flink, kafka, output)
    assert len(judged.good) + len(judged.broken) >= count
    rows = snapshot.rows
    assert SAMPLE_ROW in [",".join(map(str, row)) for row in rows if row.id == 7]
    return rows


def changed(values: dict[str, Any], **flink: Any) -> dict[str, Any]:
    """The demo's values with others for charts/flink; mappings are merged one level deep."""
    result = copy.deepcopy(values)
    for key, value in flink.items():
        old = result["flink"].get(key)
        result["flink"][key] = {**old, **value} if isinstance(old, dict) else value
    return result


ARGS = yaml.safe_load((DEMO / "values.yaml").read_text())["flink"]["job"]["args"]


def with_interval(values: dict[str, Any], interval: str) -> dict[str, Any]:
    """One more argument of the job, which changes neither its rows nor its state."""
    args = values["flink"].get("job", {}).get("args", ARGS)
    return changed(values, job={"args": [*args, f"--checkpoint-interval={interval}"]})


def another(values: dict[str, Any], version: str = NEW) -> dict[str, Any]:
    """Other arguments, another image, another parallelism: the same rows."""
    return changed(with_interval(values, "3 s"), image={"tag": f"{version}-s3"}, job={"parallelism": 2})


def is_another(flink: FlinkRelease) -> bool:
    (pod,) = flink.cluster.pods(flink.namespace, flink.selector("jobmanager"))
    widest = max(vertex["parallelism"] for vertex in flink.rest.wait_running("kdv")["vertices"])
    return pod.spec.containers[0].image.endswith("-s3") and widest == 2


def record(flink: FlinkRelease) -> dict[str, str]:
    data = flink.cluster.core.read_namespaced_config_map(f"{flink.name}-flink-record", flink.namespace).data
    return dict(data)


def restored(flink: FlinkRelease) -> dict[str, Any]:
    """What the running job was restored from."""
    job = flink.rest.wait_running("kdv")
    assert job["jid"][:16] == record(flink)["job"][:16]
    checkpoint: dict[str, Any] = flink.rest.checkpoints(job["jid"])["latest"]["restored"]
    return checkpoint


def started(install: Install, name: str, count: int = 2000, version: str = NEW, **flink_values: Any) -> tuple[Any, ...]:
    """(values, release, Kafka, the running job with a checkpoint)."""
    values = changed(demo(version, count=count, rate=50), **flink_values)
    flink = install(name, DEMO, values)
    job = flink.rest.wait_running("kdv")
    flink.rest.wait_checkpoint(job["jid"], 1)
    return values, flink, broker(flink), job


def no_pods(flink: FlinkRelease) -> None:
    def gone() -> bool:
        return not any(flink.cluster.pods(flink.namespace, flink.selector(role)) for role in ("jobmanager", "taskmanager"))

    wait_for(gone, timeout=60, what="the pods of Flink to go")
