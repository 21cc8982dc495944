"""python -m bench.kdv <command>"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource

from bench import store
from ci.core.console import say, step
from ci.core.paths import BUILD
from local import kafka
from local.kafka import Broker

from . import check, page, runner
from .data import Data
from .flink import CHECKPOINT_INTERVAL, TASKMANAGER_MEMORY
from .registry import ALL, COMPARED, LARGE
from .subject import Subject

RESULTS = Path(__file__).parent.parent / "results" / "kdv.json"
DIRECTORY = BUILD / "bench-kdv"


@contextlib.contextmanager
def broker() -> Iterator[Broker]:
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    with kafka.running(DIRECTORY / "kafka") as running:
        # Some write records with the time of the event, years ago, which a broker would remove at once.
        for_ever = ConfigEntry("log.retention.ms", "-1", incremental_operation=AlterConfigOpType.SET)
        broker_options = ConfigResource(ConfigResource.Type.BROKER, "1", incremental_configs=[for_ever])
        for change in running.admin.incremental_alter_configs([broker_options]).values():
            change.result(30)
        yield running


def measure(kafka_: Broker, subject: Subject, data: Data, parallelism: int, limit: float) -> bool:
    what = f"{subject.name}, {data.partitions} partitions, parallelism {parallelism}"
    try:
        with step(what):
            run = runner.measure(kafka_, DIRECTORY, subject, data, parallelism, limit)
    except Exception as error:  # the others are measured all the same
        say(f"failed: {type(error).__name__}: {error}")
        return False
    say(f"{run['steady_events_per_second']:,} events/s, {run['cpu_seconds']} s of CPU, {run['memory_mib']} MiB")
    store.add(RESULTS, {**run, "day": date.today().isoformat()})
    return True


def combinations(options: argparse.Namespace) -> Iterator[tuple[Subject, int, int]]:
    """(subject, partitions, parallelism), leaving out threads that could do nothing."""
    for partitions in options.partitions:
        for parallelism in options.parallelism:
            for name in options.subjects:
                subject = ALL[name]
                threads = subject.threads(partitions)
                if parallelism <= threads and (partitions == 1 or subject.partitioned):
                    yield subject, partitions, parallelism


def run_measure(options: argparse.Namespace) -> bool:
    with broker() as kafka_:
        for partitions in options.partitions:
            with step(f"{options.events} rows in {partitions} partitions"):
                Data(options.events, partitions, options.rows_per_window).send(kafka_)
        done = [
            measure(kafka_, subject, Data(options.events, partitions, options.rows_per_window), parallelism, options.limit)
            for _ in range(options.runs)
            for subject, partitions, parallelism in combinations(options)
        ]
    return all(done)


def run_sweep(options: argparse.Namespace) -> bool:
    done = []
    for rows_per_window in options.rows_per_window:
        data = Data(options.events, 1, rows_per_window)
        with broker() as kafka_:
            with step(f"{options.events} rows, {rows_per_window} in a window"):
                data.send(kafka_)
            done += [measure(kafka_, ALL[name], data, 1, options.limit) for _ in range(options.runs) for name in options.subjects]
    return all(done)


def run_check(options: argparse.Namespace) -> bool:
    good = True
    with broker() as kafka_:
        for partitions in options.partitions:
            Data(options.events, partitions, odd=True).send(kafka_)
        for subject, partitions, parallelism in combinations(options):
            data = Data(options.events, partitions, odd=True)
            with step(f"{subject.name}, {partitions} partitions, parallelism {parallelism}"):
                try:
                    report = check.check(kafka_, DIRECTORY, subject, data, parallelism)
                except Exception as error:
                    say(f"failed: {type(error).__name__}: {error}")
                    good = False
                    continue
                say(str(report) if report else "read everything, writes nothing")
                good = good and (report is None or report.ok)
    return good


def run_page(options: argparse.Namespace) -> bool:
    lacks = {name: subject.lacks for name, subject in ALL.items()}
    page.write(store.runs(RESULTS), lacks, memory=TASKMANAGER_MEMORY, interval=CHECKPOINT_INTERVAL)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.kdv", description="The KDV job beside others.")
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name: str, program: Any, help_: str, events: int, subjects: list[str]) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help_, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
        made.set_defaults(program=program)
        made.add_argument("--subjects", nargs="+", default=subjects, choices=ALL, metavar="SUBJECT", help=", ".join(ALL))
        made.add_argument("--events", type=int, default=events, help="rows in the topic")
        return made

    def shape(made: argparse.ArgumentParser) -> None:
        made.add_argument("--partitions", type=int, nargs="+", default=[1, 4])
        made.add_argument("--parallelism", type=int, nargs="+", default=[1, 2])

    def repeated(made: argparse.ArgumentParser, limit: int) -> None:
        made.add_argument("--runs", type=int, default=3, help="rounds; each runs every subject once")
        made.add_argument("--limit", type=float, default=limit, help="break a run off after so many seconds; what it read counts")

    shape(command("check", run_check, "compare every subject with the model", 100_000, COMPARED))
    made = command("measure", run_measure, "measure, interleaved", 2_000_000, COMPARED)
    made.add_argument("--rows-per-window", type=int, default=8_000)
    shape(made)
    repeated(made, 60)
    made = command("sweep", run_sweep, "ours with larger and larger windows", 16_000_000, LARGE)
    made.add_argument("--rows-per-window", type=int, nargs="+", default=[500_000, 2_000_000])
    repeated(made, 300)
    commands.add_parser("page", help="write docs/bench.md from the records").set_defaults(program=run_page)
    options = parser.parse_args()
    return 0 if options.program(options) else 1


if __name__ == "__main__":
    sys.exit(main())
