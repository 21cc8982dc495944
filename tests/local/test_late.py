"""Rows that come when their window may have closed: each is a row or a late record, whatever the readers know of one another."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.waits import wait_for
from harness_kdv.adverts import advert, rows_of_minutes
from local.flink import FlinkCluster
from tests.local.kdv import NEW, OLD, Kdv, close

pytestmark = pytest.mark.parametrize("cluster", [NEW, pytest.param(OLD, marks=pytest.mark.full)], indirect=True, scope="session")


def others(values: list[bytes]) -> list[bytes]:
    """The same rows by other sellers: none of them is a copy."""
    return [value.replace(b"Televizyon", b"Telefon") for value in values]


@pytest.mark.parametrize(("partitions", "asleep"), [(2, [1]), (4, [1, 3])])
def test_a_reader_whose_partitions_were_all_idle(new_kdv: Callable[..., Kdv], partitions: int, asleep: list[int]) -> None:
    kdv = new_kdv(partitions)
    kdv.send({number: others(rows_of_minutes(5)) if number % 2 else rows_of_minutes(5) for number in range(partitions)})
    kdv.start("--idle-timeout=500 ms", parallelism=2)
    kdv.wait_rows(4)
    rows = rows_of_minutes(100, first=5)
    awake = [number for number in range(partitions) if number not in asleep]
    kdv.send({number: rows for number in awake})
    kdv.wait_rows(90)  # the windows closed without those that sleep
    kdv.send(
        {
            number: [advert(id=1000 * number + index, time=f"{index // 30:02}:{index % 30 * 2:02}:09") for index in range(5, 105)]
            for number in asleep
        }
    )
    close(kdv, partitions)
    read = kdv.wait_accounted(idle=True)
    assert len(read.good) == 5 * partitions + 100 * partitions + partitions
    assert kdv.late()


def test_a_partition_that_is_added_late(new_kdv: Callable[..., Kdv]) -> None:
    kdv = new_kdv(2)
    kdv.send({0: rows_of_minutes(100), 1: rows_of_minutes(100)})
    kdv.start("--partition-discovery=200 ms", "--idle-timeout=500 ms", parallelism=2)
    kdv.wait_rows(99)
    kdv.broker.add_partitions(kdv.topic, 3)
    kdv.send({2: others(rows_of_minutes(100))})
    close(kdv, 3)
    kdv.wait_accounted(idle=True)
    assert len(kdv.late()) >= 99


@pytest.mark.parametrize(("parallelism", "first"), [(1, []), (2, []), (2, rows_of_minutes(1))])
@pytest.mark.parametrize("broken", [b"no JSON", advert(timestamp_column="9999-12-31 20:00:00")], ids=["no JSON", "wrong clock"])
def test_a_partition_with_broken_records_alone_holds_back_no_window(
    kdv: Kdv, parallelism: int, first: list[bytes], broken: bytes
) -> None:
    kdv.send({0: rows_of_minutes(5), 1: first})
    kdv.start("--idle-timeout=2 s", parallelism=parallelism)

    def closed() -> bool:
        kdv.send({1: [broken]})  # continues, so that the partition is never without records
        return len(kdv.rows()) >= 4

    wait_for(closed, timeout=120, what="the rows", interval=0.1)
    close(kdv, 2)
    read = kdv.wait_accounted(idle=True)
    assert kdv.late() == []
    assert len(kdv.dead()) == len(read.broken)


@pytest.mark.parametrize("year", ["9999-12-31 20:00:00", "9999-12-31 23:59:59", "2100-01-01 00:00:00"])
def test_a_wrong_clock_closes_no_window(kdv: Kdv, year: str) -> None:
    kdv.send({0: [advert(id=1), advert(id=2, timestamp_column=year)], 1: [advert(id=3)]})
    kdv.start()
    kdv.wait_dead(1)
    kdv.send({0: rows_of_minutes(100, first=300), 1: rows_of_minutes(100, first=300)})
    kdv.wait_accounted()
    assert [record.headers["reason"] for record in kdv.dead()] == ["timestamp_column: in the future"]
    assert kdv.late() == []


def test_a_savepoint_with_a_watermark_of_the_future_is_healed(cluster: FlinkCluster, kdv: Kdv) -> None:
    kdv.send({0: [advert(id=1), advert(id=2, timestamp_column="9999-12-31 20:00:00")], 1: []})
    with cluster.submitter() as kdv.submitter:
        job = kdv.start("--max-future=off", "--idle-timeout=500 ms")
        kdv.wait_rows(1)  # the poison has closed its window
        savepoint = kdv.rest.stop_with_savepoint(job)
    kdv.send({0: rows_of_minutes(100, first=300), 1: rows_of_minutes(100, first=300)})
    with cluster.submitter() as kdv.submitter:
        kdv.start("--max-future=1 h", savepoint=savepoint)
    kdv.wait_rows(100)
    assert kdv.late() == []


def test_what_a_partition_says_of_its_own_rows_outlives_a_stop(cluster: FlinkCluster, kdv: Kdv) -> None:
    """Readers restart without a watermark; the windows do not."""
    kdv.send({0: rows_of_minutes(100), 1: []})
    with cluster.submitter() as kdv.submitter:
        job = kdv.start("--idle-timeout=500 ms", parallelism=2)
        kdv.wait_rows(99)
        savepoint = kdv.rest.stop_with_savepoint(job)
    kdv.send({0: others(rows_of_minutes(100)), 1: rows_of_minutes(50)})
    close(kdv, 2)
    with cluster.submitter() as kdv.submitter:
        kdv.start(parallelism=4, savepoint=savepoint)
    kdv.wait_accounted(idle=True)
    assert len(kdv.late()) == 99 + 50
