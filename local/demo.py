"""make demo-local: the demo's pipeline on this machine, until somebody ends it: producer -> Kafka -> Flink -> CSV files.

python -m local.demo --flink 2.2.1 --rate 5
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from ci.commands import demo
from ci.core import versions
from ci.core.console import say, step
from ci.core.paths import JOBS
from harness.waits import GiveUp, wait_for

from . import flink, kafka
from .process import Process

TOPIC = "sahibinden"
GROUP = "kdv"


def rows(directory: Path) -> list[list[str]]:
    """The rows of all finished CSV files."""
    return [row for part in directory.glob("part-*") for row in csv.reader(part.read_text().splitlines())]


def run(directory: Path, version: str, rate: str, once: bool) -> None:
    with contextlib.ExitStack() as running:
        with step("Kafka"):
            broker = running.enter_context(kafka.running(directory / "kafka"))
        with step(f"Flink {version}"):
            cluster = running.enter_context(flink.running(version, directory / "flink"))
        address = f"--bootstrap-servers={broker.address}"
        broker.create_topic(TOPIC)
        command: list[str | Path] = [sys.executable, JOBS / "tools" / "producer.py", address, f"--topic={TOPIC}"]
        command += [f"--sample={demo.SAMPLE}", "--count=-1", f"--rate={rate}", "--faults=2"]
        producer = running.enter_context(Process(command, directory / "producer.log"))
        output = directory / "output"
        with step("the KDV job"), cluster.submitter() as submitter:
            submitter.submit(
                address, f"--topic={TOPIC}", f"--group={GROUP}", f"--output={output.as_uri()}", "--checkpoint-interval=5 s"
            )

        def sample_is_there() -> bool:
            if not producer.running():
                raise GiveUp("the producer ended")
            return demo.sample_ids() <= {row[0] for row in rows(output)}

        with step("wait for the sample rows in the CSV files"):
            wait_for(sample_is_there, timeout=demo.TIMEOUT_SECONDS, what="the sample rows", on_timeout=producer.tail)
        say(f"\n{demo.table(rows(output))}\n")
        say(f"Flink's UI:  {cluster.rest.url}\nCSV files:   {output}")
        say(f"Kafka:       {broker.address}, topics {TOPIC}, {GROUP}-dead and {GROUP}-late")
        if not once:
            say("Ctrl-C ends everything and removes the files.")
            signal.pause()


def main() -> None:
    parser = argparse.ArgumentParser(description="The demo as processes of this machine.")
    parser.add_argument("--flink", default=versions.get("flink", "default"), choices=versions.section("flink")["releases"])
    parser.add_argument("--rate", default="5", help="rows per second")
    parser.add_argument("--once", action="store_true", help="end when the sample rows are there")
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="flink-demo-"))
    try:
        run(directory, options.flink, options.rate, options.once)
    except KeyboardInterrupt:
        say("ended")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
