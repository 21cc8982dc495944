"""Seconds from `helm install` of a job to RUNNING in standalone and in native mode, on the kind cluster.

    python -m bench.modes --runs 3

The job is that of values/job-jar.yaml. Writes bench/results/modes.json: {"runs": [{"mode": "native", "flink": "2.2.1",
"rest": 6.1, "running": 14.9}]}, in seconds from the start of the command; interleaved.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

from bench import start
from ci.core.paths import BUILD, FLINK, VALUES
from harness.cluster import Cluster
from harness.helm import Helm

RESULTS = Path(__file__).parent / "results" / "modes.json"
FILE = VALUES / "job-jar.yaml"
JOB = "CarTopSpeedWindowingExample"
MODES = ("standalone", "native")

Record = dict[str, Any]


def measure(cluster: Cluster, helm: Helm, mode: str, version: str) -> Record:
    values = {"flink": {"mode": mode, "version": version}}
    _, _, rest, running = start.begin(cluster, helm, FLINK, values, JOB, [FILE])
    cluster.delete_namespace(start.NAMESPACE)
    return {"mode": mode, "flink": version, "rest": round(rest, 1), "running": round(running, 1)}


def section(runs: list[Record]) -> str:
    """The part of the page on the modes."""

    def figure(mode: str, key: str) -> str:
        seconds = [run[key] for run in runs if run["mode"] == mode]
        return f"{statistics.median(seconds):.1f} s ({min(seconds):.1f}-{max(seconds):.1f})"

    versions = " and ".join(sorted({run["flink"] for run in runs}))
    count = len(runs) // len(MODES)
    lines = [
        "## Standalone and native mode",
        "",
        f"From `helm install` of `values/job-jar.yaml`, Flink {versions}, {count} runs of each mode, interleaved;",
        "median, minimum and maximum. `make bench-modes` measures this on kind.",
        "In native mode the TaskManager's pod is asked for when the job is there; in standalone mode both pods start at once.",
        "",
        "| mode | REST answers | all tasks run |",
        "| --- | --- | --- |",
        *(f"| {mode} | {figure(mode, 'rest')} | {figure(mode, 'running')} |" for mode in MODES),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures the start of a job in both modes.")
    parser.add_argument("--runs", type=int, default=3, help="of each mode")
    parser.add_argument("--flink", default="2.2.1", help="version of Flink")
    options = parser.parse_args()
    cluster, helm = Cluster(BUILD / "kubeconfig"), Helm("helm", BUILD / "kubeconfig")
    runs: list[Record] = []
    for _ in range(options.runs):
        for mode in MODES:
            runs.append(measure(cluster, helm, mode, options.flink))
            print(runs[-1], flush=True)
            RESULTS.write_text(json.dumps({"runs": runs}, indent=2) + "\n")
    print(section(runs), end="")


if __name__ == "__main__":
    main()
