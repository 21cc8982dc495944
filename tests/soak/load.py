"""The load of a walk: rows in time from the demo's own producer, and late ones that all differ from a second one."""

from __future__ import annotations

from typing import Any

from kubernetes.client.exceptions import ApiException

from harness.release import FlinkRelease
from harness.waits import GiveUp, wait_for
from harness_kdv import csv_output
from harness_kdv.model import Input
from harness_kdv.tools import tools
from tests.kind.demo_job import OUTPUT, TOPIC, broker, rejects
from tests.soak.account import Account, account

LATE = "late-producer"
# Windows of two minutes close every three seconds. Some rows are broken, copies, or an hour late.
PRODUCER: dict[str, Any] = {
    "count": -1,
    "rate": 20,
    "faults": 1,
    "args": ["--start-time=2024-05-20 08:00:00", "--time-step=2"],
}
# Rows of the day before: each is late and differs from all others.
_LATE_ARGS = ["--count=-1", "--rate=2", "--seed=2", "--start-time=2024-05-19 00:00:00", "--time-step=2"]
# Later than whatever was sent: two rows, one for each partition, close all windows before theirs.
_CLOSING_ARGS = ["--count=2", "--start-time=2026-01-01 00:00:00"]


def _command(flink: FlinkRelease, *args: str) -> list[str]:
    return ["python3", "/opt/kdv/producer.py", f"--bootstrap-servers={flink.name}-kafka:9092", f"--topic={TOPIC}", *args]


def start_late_rows(flink: FlinkRelease) -> None:
    tools(flink.cluster, flink.namespace).start(LATE, _command(flink, *_LATE_ARGS), grace=60)


def stop(flink: FlinkRelease) -> None:
    """End both producers, which deliver what they have sent, and close the windows."""
    core, batch = flink.cluster.core, flink.cluster.batch
    core.delete_namespaced_pod(LATE, flink.namespace)
    for job in batch.list_namespaced_job(flink.namespace, label_selector=flink.selector("producer")).items:
        batch.delete_namespaced_job(job.metadata.name, flink.namespace, propagation_policy="Foreground")

    def gone() -> bool:
        try:
            core.read_namespaced_pod(LATE, flink.namespace)
        except ApiException as error:
            return (
                error.status == 404
                and not core.list_namespaced_pod(flink.namespace, label_selector=flink.selector("producer")).items
            )
        return False

    wait_for(gone, timeout=180, what="the producers to end")
    tools(flink.cluster, flink.namespace).runner()(_command(flink, *_CLOSING_ARGS))


def settle(flink: FlinkRelease) -> Account:
    """Wait until every record is accounted for; one too much or altered ends the wait as well."""
    kafka = broker(flink)
    judged = Input(kafka.consume(TOPIC))

    def done() -> Account:
        rows = csv_output.read(flink.jobmanager, OUTPUT).rows
        result = account(judged, rows, *rejects(flink, kafka))
        complaints = "\n".join([str(dict(result.ends)), *result.hopeless[:20], *result.wrong[:20]])
        if result.hopeless:
            raise GiveUp(complaints)
        if result.wrong:
            raise LookupError(complaints)
        return result

    result = wait_for(done, timeout=400, what="every record", interval=5)
    late = {record.value for record in rejects(flink, kafka)[1]}
    assert len(late) == result.ends["late record"] > 0, "late records are to differ"
    return result
