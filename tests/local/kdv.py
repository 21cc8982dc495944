"""Kafka and each version of Flink as processes, once for all tests; and a run of the KDV job over the records of a test."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from ci.core import versions
from harness.rest import FlinkRest
from harness.waits import GiveUp, wait_for
from harness_kdv import csv_output
from harness_kdv.adverts import advert
from harness_kdv.csv_output import Row
from harness_kdv.kafka import Record
from harness_kdv.model import Input
from jobs.tools import records
from local.kafka import Broker
from local.submitter import Submitter

VERSIONS = list(versions.section("flink")["releases"])
NEW, OLD = VERSIONS
_PRODUCER = {"log_level": 0, "message.max.bytes": 4_000_000}


@dataclass
class Kdv:
    """One topic, one output directory, and the job between them."""

    broker: Broker
    rest: FlinkRest
    submitter: Submitter
    topic: str
    directory: Path

    def create_topic(self, partitions: int) -> None:
        self.broker.create_topic(self.topic, partitions)

    def send(self, values: Iterable[bytes] | Mapping[int, Iterable[bytes]], **options: Any) -> None:
        """Append records, to partition 0 or to those named; `options` are those of the client."""
        partitions = values if isinstance(values, Mapping) else {0: values}
        producer = Producer({**self.broker.client, **_PRODUCER, **options, "bootstrap.servers": self.broker.address})
        for partition, lines in partitions.items():
            for line in lines:
                producer.produce(self.topic, line, partition=partition)
        assert producer.flush(30) == 0

    def start(self, *args: str, parallelism: int = 1, savepoint: str = "", unclaimed: bool = False, restart: bool = True) -> str:
        """Submit the job and return its id. `unclaimed`: the savepoint may hold state that no operator takes."""
        options = {"parallelism.default": str(parallelism)}
        if savepoint:
            options["execution.state-recovery.path"] = savepoint
            options["execution.state-recovery.ignore-unclaimed-state"] = str(unclaimed).lower()
        if not restart:
            options["restart-strategy.type"] = "none"
        before = {job["jid"] for job in self.rest.jobs()}
        self.submitter.submit(
            f"--bootstrap-servers={self.broker.address}",
            f"--topic={self.topic}",
            f"--group={self.topic}",
            f"--output={(self.directory / 'output').as_uri()}",
            "--checkpoint-interval=300 ms",
            "--rolling-interval=300 ms",
            *args,
            options=options,
        )
        (job,) = (job["jid"] for job in self.rest.jobs() if job["jid"] not in before)
        return str(job)

    @contextlib.contextmanager
    def submitting(self) -> Iterator[Callable[[], str]]:
        """Submit the job while the block runs, and wait for the end of that; gives a function that reads the submitter's log."""
        with ThreadPoolExecutor(1) as other:
            started = other.submit(self.start)
            yield self.submitter.log.read_text
            started.result(timeout=120)

    def run(self, *args: str, **options: Any) -> str:
        """Read all there is, to the end, and return the job's id."""
        job = self.start("--bounded", *args, **options)

        def finished() -> bool:
            return self._state(job) == "FINISHED"

        wait_for(finished, timeout=120, what="the bounded job to finish", interval=0.1)
        return job

    def parts(self) -> list[Path]:
        """The finished parts of the output."""
        return sorted(file for file in (self.directory / "output").glob("*") if not file.name.startswith((".", "_")))

    def rows(self) -> list[Row]:
        """The rows of all finished parts."""
        return [row for file in self.parts() for row in csv_output.parse(file.read_bytes().decode(), file.name)]

    def lines(self, name: str) -> list[dict[str, Any]]:
        """The records in the finished files of a directory of rejects."""
        return [json.loads(line) for file in (self.directory / name).glob("part-*") for line in file.read_text().splitlines()]

    def counted(self, job: str, name: str) -> int:
        """How many records Flink says that the table `name` was given."""
        return sum(map(int, self.rest.metrics(job, rf"\b{name}\[\d+\](__Writer)?\.numRecordsIn$").values()))

    def wait_rows(self, count: int) -> None:
        """Wait until at least `count` rows are in finished parts."""
        wait_for(lambda: len(self.rows()) >= count, timeout=120, what=f"{count} rows", interval=0.1)

    def wait_ids(self, ids: Iterable[int]) -> None:
        """Wait until the rows with these ids are in finished parts."""
        awaited = set(ids)
        wait_for(lambda: awaited <= {row.id for row in self.rows()}, timeout=120, what=f"{len(awaited)} ids", interval=0.1)

    def wait_late(self, count: int) -> None:
        """Wait until at least `count` late records are kept."""
        wait_for(lambda: len(self.late()) >= count, timeout=120, what=f"{count} late records", interval=0.1)

    def wait_dead(self, count: int) -> None:
        """Wait until at least `count` dead letters are kept."""
        wait_for(lambda: len(self.dead()) >= count, timeout=120, what=f"{count} dead letters", interval=0.1)

    def wait_restored(self, job: str, count: int) -> None:
        """Wait until the job has gone back to a checkpoint `count` times and runs: Flink counts before the tasks have slots."""

        def restored() -> bool:
            self._state(job)
            checkpoints = self.rest.checkpoints(job)
            latest = checkpoints["latest"]
            return bool(checkpoints["counts"]["restored"] >= count and latest["completed"]["id"] > latest["restored"]["id"])

        def evidence() -> str:
            failures = [failure["stacktrace"] for failure in self.rest.exceptions(job)]
            checkpoints = self.rest.checkpoints(job)
            state = {"state": self.rest.job(job)["state"], "checkpoints": checkpoints["counts"], "latest": checkpoints["latest"]}
            return "\n".join([json.dumps(state), *failures, self.rest.on_timeout() if self.rest.on_timeout else ""])

        wait_for(restored, timeout=240, what="the job to be restored", on_timeout=evidence)

    def _state(self, job: str) -> str:
        """Of a job that is not to end badly. Raises GiveUp where it has."""
        state = str(self.rest.job(job)["state"])
        if state in ("FAILED", "CANCELED"):
            raise GiveUp(f"{state}: {self.rest.exceptions(job)[0]['stacktrace']}")
        return state

    def wait_accounted(self, *, idle: bool = False) -> Input:
        """Wait until each record of the topic is where it belongs: a row of a closed window, the copy of one, dead or late."""
        read = Input(self.input(), idle=idle)

        def accounted() -> bool:
            report = read.accounted(self.dead(), self.late(), self.rows())
            if report.for_good:
                raise GiveUp(str(report))
            if not report.ok:
                raise LookupError(str(report))
            return True

        wait_for(accounted, timeout=240, what="every record", interval=0.5)
        return read

    def input(self) -> list[Record]:
        return self._read(self.topic)

    def dead(self) -> list[Record]:
        return self._read(f"{self.topic}-dead")

    def late(self) -> list[Record]:
        return self._read(f"{self.topic}-late")

    def _read(self, topic: str) -> list[Record]:
        if topic not in self.broker.admin.list_topics(timeout=10).topics:
            return []
        return [Record(**fields) for fields in records.read(self.broker.address, topic, self.broker.client)]


def cancel_all(rest: FlinkRest) -> None:
    """End what runs."""

    def running() -> list[str]:
        return [job["jid"] for job in rest.jobs() if job["state"] not in ("FINISHED", "FAILED", "CANCELED")]

    for job in running():
        rest.cancel(job)
    wait_for(lambda: not running(), timeout=120, what="the jobs to be cancelled", interval=0.1)


def close(kdv: Kdv, partitions: int) -> None:
    """Close every window of the first hours, in each partition."""
    kdv.send({number: [advert(id=-1 - number, time="23:00:00")] for number in range(partitions)})


def check(kdv: Kdv) -> Input:
    """Every record of the topic, all of which was read and closed, is accounted for."""
    read = Input(kdv.input())
    report = read.accounted(kdv.dead(), kdv.late(), kdv.rows(), bounded=True)
    assert report.ok, report
    return read
