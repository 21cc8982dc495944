"""TaskManagers are killed, and every record still ends exactly once where it belongs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local import flink, kafka
from local.flink import FlinkCluster
from tests.local.adverts import advert, rows_of_minutes
from tests.local.conftest import VERSIONS, Kdv
from tests.support.kdv_model import Input, compare
from tests.support.waits import wait_for

NEW, OLD = VERSIONS


@pytest.fixture
def own_cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FlinkCluster]:
    """A cluster of the test's own, of (version, state backend), whose processes it may kill."""
    version, backend = request.param
    with flink.running(version, tmp_path / "flink", slots=4, config={"state.backend.type": backend}) as running:
        yield running


@pytest.mark.parametrize(
    ("own_cluster", "parallelism"),
    [
        ((NEW, "rocksdb"), 2),
        ((OLD, "hashmap"), 1),
        pytest.param((NEW, "hashmap"), 1, marks=pytest.mark.full),
        pytest.param((OLD, "rocksdb"), 2, marks=pytest.mark.full),
    ],
    indirect=["own_cluster"],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else str(value),
)
def test_nothing_is_lost_or_doubled_when_taskmanagers_are_killed(
    own_cluster: FlinkCluster, broker: kafka.Broker, tmp_path: Path, parallelism: int
) -> None:
    with own_cluster.submitter() as submitter:
        kdv = Kdv(broker, own_cluster.rest, submitter, f"killed-{own_cluster.version}-{parallelism}", tmp_path)
        kdv.create_topic(2)
        faulty = [line for row in rows_of_minutes(400) for line in (row, b"broken", advert(id=-1, time="00:00:00"))]
        kdv.send({0: faulty[:300], 1: faulty[:300]})
        job = kdv.start("--idle-timeout=0 s", parallelism=parallelism)
        for number in range(2):
            kdv.rest.wait_checkpoint(job, 2 + 3 * number)
            restored = kdv.rest.checkpoints(job)["counts"]["restored"]
            own_cluster.taskmanagers[-1].kill()
            own_cluster.add_taskmanager()
            kdv.send({0: faulty[300 + 300 * number : 600 + 300 * number], 1: faulty[300 + 300 * number : 600 + 300 * number]})
            kdv.wait_restored(job, restored + 1)
        kdv.send({0: faulty[900:], 1: faulty[900:]})
        read = Input(kdv.input())

        def all_there() -> bool:
            late = {(int(record.headers["partition"]), int(record.headers["offset"])) for record in kdv.late()}
            report = compare(read.expect(late), kdv.rows())
            if report.twice or report.unexpected:
                pytest.fail(str(report))
            if not report.ok or read.rejects(kdv.dead(), kdv.late()):
                raise LookupError(str(report) + "\n".join(read.rejects(kdv.dead(), kdv.late())[:5]))
            return True

        wait_for(all_there, timeout=60, what="every record")
        assert len(kdv.dead()) == 800
