"""The job while it runs: faults of the systems around it, loads that change, and the settings for both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.waits import WaitFailed, wait_for
from harness_kdv.adverts import advert, rows_of_minutes
from local import kafka
from local.flink import FlinkCluster
from tests.local.kdv import NEW, OLD, Kdv, cancel_all, check

# The rows are checked on each version of Flink by test_rows; how the job runs, on the older one, belongs to the whole matrix.
pytestmark = pytest.mark.parametrize("cluster", [NEW, pytest.param(OLD, marks=pytest.mark.full)], indirect=True, scope="session")


def stopped(cluster: FlinkCluster, kdv: Kdv, count: int) -> str:
    """The savepoint of a job that was stopped when it had written `count` rows.

    Each start is in a JVM of its own, as on a cluster: the planner numbers its operators on within one.
    """
    with cluster.submitter() as kdv.submitter:
        job = kdv.start()
        kdv.wait_rows(count)
        return str(kdv.rest.stop_with_savepoint(job))


def test_a_savepoint_is_restored_at_another_parallelism(cluster: FlinkCluster, kdv: Kdv) -> None:
    kdv.send({0: rows_of_minutes(20), 1: rows_of_minutes(20)})
    savepoint = stopped(cluster, kdv, 19)
    kdv.send({0: rows_of_minutes(20, first=20), 1: rows_of_minutes(20, first=20)})
    with cluster.submitter() as kdv.submitter:
        job = kdv.start(parallelism=2, savepoint=savepoint)
    kdv.wait_accounted()
    assert len(kdv.rows()) == 39
    assert kdv.rest.checkpoints(job)["latest"]["restored"]["external_path"] == savepoint
    assert max(vertex["parallelism"] for vertex in kdv.rest.job(job)["vertices"]) == 2


def test_the_job_waits_for_its_topic(new_kdv: Callable[..., Kdv]) -> None:
    kdv = new_kdv(partitions=0)
    with kdv.submitting() as log:
        wait_for(lambda: f"topic {kdv.topic} does not exist yet" in log(), timeout=120, what="the job to say what it waits for")
        kdv.create_topic(1)
        kdv.send(rows_of_minutes(3))
    kdv.wait_rows(2)


def test_the_job_waits_for_its_broker(new_kdv: Callable[..., Kdv], tmp_path: Path) -> None:
    later = kafka.Broker(tmp_path / "later")
    kdv = new_kdv(partitions=0, broker=later)
    try:
        with kdv.submitting() as log:
            wait_for(
                lambda: f"waiting for Kafka at {later.address}" in log(), timeout=120, what="the job to say what it waits for"
            )
            later.start()
            kdv.create_topic(1)
            kdv.send(rows_of_minutes(3))
        kdv.wait_rows(2)
        cancel_all(kdv.rest)
    finally:
        later.stop()


def test_a_broker_that_is_away_fills_no_log(cluster: FlinkCluster, new_kdv: Callable[..., Kdv], tmp_path: Path) -> None:
    """An admin client that begins again with its first addresses does so without a pause, and says so each time."""
    assert cluster.jobmanager
    log = cluster.jobmanager.log
    with kafka.running(tmp_path / "own") as broker:
        kdv = new_kdv(1, broker)
        kdv.send(rows_of_minutes(5))
        kdv.start("--partition-discovery=200 ms")
        kdv.wait_rows(4)
        before = log.stat().st_size

        def said() -> str:
            return log.read_bytes()[before:].decode()

        assert broker.process
        broker.process.kill()
        wait_for(lambda: said().count("could not be established") >= 3, timeout=60, what="clients that look for the broker")
        broker.start()
        kdv.send(rows_of_minutes(5, first=5))
        kdv.wait_rows(9)
        assert "Rebootstrapping" not in said()
        cancel_all(kdv.rest)


def test_new_partitions_are_read(new_kdv: Callable[..., Kdv]) -> None:
    kdv = new_kdv(1)
    kdv.send(rows_of_minutes(5))
    kdv.start("--partition-discovery=200 ms")
    kdv.wait_rows(4)
    kdv.broker.add_partitions(kdv.topic, 3)
    kdv.send({0: rows_of_minutes(5, first=5), 2: rows_of_minutes(5, first=10)})
    kdv.wait_rows(9)


def test_an_idle_partition_holds_nothing_back_and_without_a_timeout_it_does(new_kdv: Callable[..., Kdv]) -> None:
    for timeout, closed in (("500 ms", True), ("0 s", False)):
        kdv = new_kdv(2)
        kdv.send({0: rows_of_minutes(5), 1: []})
        job = kdv.start(f"--idle-timeout={timeout}")
        if closed:
            kdv.wait_rows(4)
        else:
            kdv.rest.wait_checkpoint(job, 8)
            assert kdv.rows() == []


def test_a_broken_record_fails_the_job_if_asked(kdv: Kdv) -> None:
    kdv.send([*rows_of_minutes(2), b"broken"])
    with pytest.raises(WaitFailed, match="Broken record: no JSON: broken"):
        kdv.run("--on-error=fail", restart=False)
    assert kdv.dead() == []


@pytest.mark.parametrize("format", ["checked-json", "json"])
def test_broken_records_are_skipped_if_asked_and_counted(kdv: Kdv, format: str) -> None:
    kdv.send([*rows_of_minutes(3), advert(price=-1), advert(kdv=None), *rows_of_minutes(2, first=3)])
    job = kdv.start("--on-error=skip", f"--format={format}")
    kdv.wait_rows(4)
    wait_for(lambda: kdv.counted(job, "dead_letters") == 2, timeout=120, what="the counter", interval=0.2)
    assert kdv.dead() == []


def test_rejects_are_counted(kdv: Kdv) -> None:
    kdv.send([*rows_of_minutes(5), b"x", b"y", b"z"])
    job = kdv.start("--idle-timeout=500 ms")
    kdv.wait_rows(4)
    kdv.send([advert(time="00:00:00")] * 2)
    wait_for(lambda: kdv.counted(job, "dead_letters") == 3, timeout=120, what="the counter of dead letters", interval=0.2)
    wait_for(lambda: kdv.counted(job, "late_records") == 2, timeout=120, what="the counter of late records", interval=0.2)


def test_rejects_go_to_folders_if_asked(kdv: Kdv) -> None:
    kdv.send([*rows_of_minutes(5), b"\xff"])
    places = [f"--dead-letters={(kdv.directory / 'dead').as_uri()}", f"--late-records={(kdv.directory / 'late').as_uri()}"]
    kdv.start("--idle-timeout=500 ms", *places)
    kdv.wait_rows(4)
    kdv.send([advert(time="00:00:00")])
    wait_for(lambda: kdv.lines("dead") and kdv.lines("late"), timeout=120, what="both files")
    origin = {"topic": kdv.topic, "partition": 0}
    assert kdv.lines("dead") == [{"message": "/w==", "reason": "not UTF-8", **origin, "offset": 5}]
    assert [(line["topic"], line["partition"], line["offset"]) for line in kdv.lines("late")] == [(kdv.topic, 0, 6)]


def test_rejects_go_to_another_kind_of_place_from_a_savepoint_on(cluster: FlinkCluster, kdv: Kdv) -> None:
    """What the state of the former sink held was committed with the savepoint; all other state is restored."""
    kdv.send({0: [*rows_of_minutes(5), b"x"], 1: rows_of_minutes(5)})
    savepoint = stopped(cluster, kdv, 4)
    assert [record.value for record in kdv.dead()] == [b"x"]
    kdv.send({0: [b"\xff", *rows_of_minutes(5, first=5)], 1: rows_of_minutes(6, first=5)})
    with cluster.submitter() as kdv.submitter:
        kdv.start(f"--dead-letters={(kdv.directory / 'dead').as_uri()}", savepoint=savepoint, unclaimed=True)
    kdv.wait_rows(9)
    wait_for(lambda: kdv.lines("dead"), timeout=120, what="the file")
    assert [(line["message"], line["offset"]) for line in kdv.lines("dead")] == [("/w==", 6)]
    assert sorted(row.id for row in kdv.rows()) == list(range(9))
    assert kdv.late() == []


def test_windows_that_are_open_when_their_size_changes_close_at_their_own_end(cluster: FlinkCluster, kdv: Kdv) -> None:
    kdv.send({0: rows_of_minutes(3), 1: rows_of_minutes(3)})
    savepoint = stopped(cluster, kdv, 2)
    later = [advert(id=100, time="00:05:30"), advert(id=101, time="00:20:00")]
    kdv.send({0: later, 1: later})
    with cluster.submitter() as kdv.submitter:
        kdv.start("--window=5 min", parallelism=2, savepoint=savepoint)
    kdv.wait_rows(4)
    starts = {0: "00:00:00", 1: "00:02:00", 2: "00:04:00", 100: "00:05:00"}
    assert sorted((row.id, str(row.window_start)) for row in kdv.rows()) == [
        (number, f"2024-05-20 {start}") for number, start in starts.items()
    ]


def test_iso_8601(kdv: Kdv) -> None:
    times = ["2024-05-20T08:00:00", "2024-05-20T08:02:00.123456Z", "2024-05-20T11:04:00+03:00", "2024-05-20 08:06:00"]
    kdv.send([advert(id=number, timestamp_column=time) for number, time in enumerate(times)])
    kdv.run("--timestamp-format=ISO-8601")
    assert {row.id: str(row.window_start) for row in kdv.rows()} == {
        0: "2024-05-20 08:00:00",
        1: "2024-05-20 08:02:00",
        2: "2024-05-20 08:04:00",
    }
    assert [record.headers["reason"] for record in kdv.dead()] == ["timestamp_column: unreadable time"]


def test_files_are_rolled_by_size_and_merged_if_asked(new_kdv: Callable[..., Kdv]) -> None:
    many = [advert(id=number, time=f"08:00:00.{number % 1000:03}") for number in range(2000)]
    counts = {}
    for name, args in {
        "one": [],
        "by size": ["--rolling-size=4 kb"],
        "merged": ["--rolling-size=4 kb", "--compact=128 mb"],
    }.items():
        kdv = new_kdv(1)
        kdv.send(many)
        kdv.run("--rolling-interval=1 h", *args)
        assert len(kdv.rows()) == 2000
        counts[name] = len(kdv.parts())
    assert counts["one"] == 1
    assert counts["by size"] > 10
    assert counts["merged"] < counts["by size"]


def test_fewer_writers_than_readers(kdv: Kdv) -> None:
    kdv.send({0: rows_of_minutes(20), 1: rows_of_minutes(20)})
    job = kdv.run("--sink-parallelism=1", parallelism=2)
    writers = {vertex["parallelism"] for vertex in kdv.rest.job(job)["vertices"] if "FileWriter" in vertex["name"]}
    assert writers == {1}
    assert {vertex["parallelism"] for vertex in kdv.rest.job(job)["vertices"] if "Source" in vertex["name"]} == {2}
    check(kdv)
