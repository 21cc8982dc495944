"""TaskManagers and brokers are killed, the job is stopped and rescaled: every record still ends exactly once where it belongs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from harness_kdv.adverts import advert, rows_of_minutes
from local import flink, kafka
from local.flink import FlinkCluster
from tests.local.kdv import NEW, OLD, VERSIONS, Kdv, close


@pytest.fixture
def own_cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FlinkCluster]:
    """A cluster of the test's own, of (version, state backend), whose processes it may kill."""
    version, backend = request.param
    config = {
        "state.backend.type": backend,
        "heartbeat.interval": "1000",  # a killed TaskManager is missed after two
    }
    with flink.running(version, tmp_path / "flink", slots=4, config=config) as running:
        yield running


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[kafka.Broker]:
    with kafka.running(tmp_path / "kafka") as running:
        yield running


def ids(value: object) -> str:
    if isinstance(value, list):
        return "both" if value == BOTH else "one idle"
    return "-".join(value) if isinstance(value, tuple) else str(value)


def faulty(first: int, count: int, partition: int) -> list[bytes]:
    """Rows in time, and after each one that is broken and one that is late; no two of a partition or of two are equal."""
    return [
        line
        for number, row in enumerate(rows_of_minutes(count, first), start=first)
        for line in (row, b"broken %d %d" % (partition, number), advert(id=-10 * number - partition - 1, time="00:00:00"))
    ]


BOTH, ONE_IDLE = [0, 1], [0]


@pytest.mark.full  # the next test is of the representative set
@pytest.mark.parametrize(
    ("own_cluster", "parallelism", "partitions"),
    [
        ((version, backend), parallelism, partitions)
        for version in VERSIONS
        for backend, parallelism in [("rocksdb", 2), ("hashmap", 1)]
        for partitions in [BOTH, ONE_IDLE]
    ],
    indirect=["own_cluster"],
    ids=ids,
)
def test_nothing_is_lost_or_doubled_when_taskmanagers_are_killed(
    own_cluster: FlinkCluster, broker: kafka.Broker, tmp_path: Path, parallelism: int, partitions: list[int]
) -> None:
    with own_cluster.submitter() as submitter:
        name = f"killed-{own_cluster.version}-{parallelism}-{len(partitions)}"
        kdv = Kdv(broker, own_cluster.rest, submitter, name, tmp_path)
        kdv.create_topic(2)
        kdv.send({partition: faulty(0, 100, partition) for partition in partitions})
        job = kdv.start(f"--idle-timeout={'0 s' if len(partitions) == 2 else '1 s'}", parallelism=parallelism)
        for number in range(1, 4):
            kdv.wait_ids(range(100 * number - 1))  # what is late now is late for good
            restored = kdv.rest.checkpoints(job)["counts"]["restored"]
            own_cluster.taskmanagers[-1].kill()
            kdv.send({partition: faulty(100 * number, 100, partition) for partition in partitions})
            own_cluster.add_taskmanager()
            kdv.wait_restored(job, restored + 1)
        read = kdv.wait_accounted()
        assert len(read.broken) == 400 * len(partitions)
        assert len(kdv.late()) >= 300 * len(partitions)


class Chance:
    """Random rows and deeds; event time moves on by half an hour with each round."""

    def __init__(self, seed: int) -> None:
        self.choice = random.Random(seed)
        self.number = 0
        self.hour = datetime(2024, 5, 20, 1)

    def round(self, partitions: int) -> dict[int, list[bytes]]:
        """Rows for some of the partitions; the others are idle."""
        self.hour += timedelta(minutes=30)
        awake = self.choice.sample(range(partitions), self.choice.randint(1, partitions))
        return {partition: [self.row() for _ in range(300)] for partition in awake}

    def row(self) -> bytes:
        self.number += 1
        if self.choice.random() < 0.1:
            return b"broken %d" % self.number
        number = self.number - self.choice.choice([0] * 9 + [1])  # a copy, where the time is the same as well
        time = self.hour + timedelta(seconds=self.choice.randint(-3600, 1800) // 30 * 30)
        return advert(id=number, timestamp_column=str(time))


@pytest.mark.parametrize(
    "own_cluster", [(NEW, "rocksdb"), pytest.param((OLD, "hashmap"), marks=pytest.mark.full)], indirect=True, ids=ids
)
def test_kills_and_rescaling_at_random(own_cluster: FlinkCluster, own_broker: kafka.Broker, tmp_path: Path) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    chance = Chance(seed)
    partitions = 3
    kdv = Kdv(own_broker, own_cluster.rest, None, "random", tmp_path)  # type: ignore[arg-type]
    kdv.create_topic(partitions)

    def start(savepoint: str = "") -> str:
        with own_cluster.submitter() as kdv.submitter:
            return kdv.start("--idle-timeout=500 ms", parallelism=chance.choice.randint(1, 4), savepoint=savepoint)

    def checkpoints(more: int) -> None:
        newest = kdv.rest.checkpoints(job)["latest"]["completed"]
        kdv.rest.wait_checkpoint(job, (newest["id"] if newest else 0) + more)

    def kill() -> None:
        restored = kdv.rest.checkpoints(job)["counts"]["restored"]
        own_cluster.taskmanagers[-1].kill()
        own_cluster.add_taskmanager()
        kdv.wait_restored(job, restored + 1)  # until Flink has seen it, the job cannot be stopped

    def kill_broker() -> None:
        assert own_broker.process
        own_broker.process.kill()
        own_broker.start()

    job = start()
    for deed in chance.choice.sample([kill, kill, kill_broker, None], 4):
        kdv.send(chance.round(partitions))
        checkpoints(chance.choice.randint(0, 3))
        print(f"round with {deed.__name__ if deed else 'another parallelism'}")
        if deed:
            deed()
        else:
            job = start(kdv.rest.stop_with_savepoint(job))
        kdv.send(chance.round(partitions))
        checkpoints(1)  # it is there again
    close(kdv, partitions)
    read = kdv.wait_accounted(idle=True)
    assert kdv.late()
    assert len(read.broken) + len(read.good) == len(kdv.input())
