"""The demo: its chart on the kind cluster, until its CSV rows can be read; or its programs as processes of this machine."""

from __future__ import annotations

import csv
import json
import subprocess
import time

from ci.core.console import CommandFailed, run, say, step
from ci.core.paths import BUILD, DEMO, JOBS, ROOT, VALUES
from ci.images import images
from ci.kubernetes import cluster, tools
from ci.machine import java, venv

NAME = "demo"
SAMPLE = JOBS / "kdv" / "sample.jsonl"
HEADINGS = ["id", "product", "description", "price", "kdv", "price with KDV", "window start"]
TIMEOUT_SECONDS = 300


def _kubectl(*arguments: str) -> str:
    return run([tools.path("kubectl"), f"--namespace={NAME}", *arguments], env={"KUBECONFIG": str(BUILD / "kubeconfig")})


def _rows() -> list[list[str]]:
    """The rows of all committed CSV files, none while there are none."""
    command = ("exec", f"deployment/{NAME}-flink-jobmanager", "-c", "jobmanager", "--", "bash", "-c")
    text = _kubectl(*command, "shopt -s nullglob; for part in /flink-data/output/part-*; do cat $part; done")
    return list(csv.reader(text.splitlines()))


def sample_ids() -> set[str]:
    """The ids of the sample rows, as they stand in a CSV file."""
    return {str(json.loads(line)["id"]) for line in SAMPLE.read_text().splitlines()}


def _wait_for_sample() -> list[list[str]]:
    """The CSV rows, once every sample row is among them; raises CommandFailed with the last state after the time is over."""
    samples = sample_ids()
    deadline = time.monotonic() + TIMEOUT_SECONDS
    seen = "no CSV row"
    while time.monotonic() < deadline:
        try:
            rows = _rows()
            if samples <= {row[0] for row in rows}:
                return rows
            seen = f"{len(rows)} CSV rows, without the sample rows {', '.join(sorted(samples - {row[0] for row in rows}))}"
        except CommandFailed as error:
            seen = str(error)
        time.sleep(2)
    raise CommandFailed(f"the sample rows did not arrive within {TIMEOUT_SECONDS} s: {seen}\n{_kubectl('get', 'pods')}")


def table(rows: list[list[str]]) -> str:
    """The sample rows among `rows`, for people."""
    samples = sample_ids()
    rows = [HEADINGS, *sorted((row for row in rows if row[0] in samples), key=lambda row: int(row[0]))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def main(arguments: list[str]) -> None:
    """Install the demo, or upgrade it; `arguments` go to helm."""
    cluster.ensure()
    images.load(tests=False)
    with step(f"helm upgrade --install {NAME}"):
        run(
            [tools.path("helm"), "upgrade", "--install", NAME, DEMO, f"--namespace={NAME}", "--create-namespace",
             f"--values={VALUES / 'demo.yaml'}", "--wait", "--timeout=5m", *arguments],
            env={"KUBECONFIG": str(BUILD / "kubeconfig")},
        )  # fmt: skip
    with step("wait for the sample rows in the CSV files"):
        rows = _wait_for_sample()
    say(f"\n{table(rows)}\n({len(rows)} rows so far)\n")
    bin_directory = tools.BIN.relative_to(ROOT)
    say(
        "Open the Flink UI at http://localhost:8081:\n"
        f"  KUBECONFIG=.build/kubeconfig {bin_directory}/kubectl -n {NAME} port-forward service/{NAME}-flink-rest 8081\n"
        "Read the CSV rows:\n"
        f"  KUBECONFIG=.build/kubeconfig {bin_directory}/kubectl -n {NAME} exec deployment/{NAME}-flink-jobmanager -c jobmanager"
        " -- bash -c 'cat /flink-data/output/part-*'\n"
        "Remove the demo:\n"
        f"  KUBECONFIG=.build/kubeconfig {bin_directory}/helm -n {NAME} uninstall {NAME}"
    )


def local(arguments: list[str]) -> int:
    """The demo's pipeline as processes of this machine; `arguments` are options of local/demo.py."""
    python = venv.python()
    java.ensure()
    return subprocess.run([python, "-m", "local.demo", *arguments], cwd=ROOT).returncode
