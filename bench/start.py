"""Seconds from `helm install` of the demo to what a user waits for, on the kind cluster.

    python -m bench.start --runs 3

Writes bench/results/start.json: {"runs": [{"flink": "2.2.1", "rest": 20.1, "running": 22.0, "csv": 33.3}]}, in seconds from the
start of the command, and prints median, minimum and maximum of each. Images are in the node before; runs share nothing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ci.core.paths import BUILD, DEMO
from harness.cluster import Cluster
from harness.helm import Helm
from harness.release import FlinkRelease
from harness.waits import wait_for
from harness_kdv import csv_output

RESULTS = Path(__file__).parent / "results" / "start.json"
NAMESPACE = "bench-start"
STEPS = {"rest": "REST ready", "running": "job RUNNING", "csv": "first committed CSV row"}


def begin(
    cluster: Cluster, helm: Helm, chart: Path, values: Mapping[str, Any], job: str, files: Sequence[Path] = ()
) -> tuple[FlinkRelease, float, float, float]:
    """A release in a namespace of its own: (it, when it began, seconds until REST answers, until all tasks of the job run)."""
    cluster.delete_namespace(NAMESPACE)
    cluster.create_namespace(NAMESPACE)
    start = time.monotonic()
    helm.install("demo", chart, values, files=files, namespace=NAMESPACE, wait=False)
    flink = FlinkRelease(cluster, NAMESPACE, "demo")
    flink.rest.wait_ready(timeout=300)
    rest = time.monotonic() - start
    flink.rest.wait_running(job, timeout=300)
    return flink, start, rest, time.monotonic() - start


def measure(cluster: Cluster, helm: Helm, version: str) -> dict[str, float | str]:
    values = {"flink": {"flink": {"version": version}, "image": {"tag": version}}}
    flink, start, rest, running = begin(cluster, helm, DEMO, values, "kdv")
    wait_for(lambda: csv_output.read(flink.jobmanager, "/flink-data/output").rows, timeout=300, what="the first CSV row")
    csv = time.monotonic() - start
    cluster.delete_namespace(NAMESPACE)
    return {"flink": version, "rest": round(rest, 1), "running": round(running, 1), "csv": round(csv, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures the start of the demo.")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--flink", default="2.2.1", help="version of Flink")
    options = parser.parse_args()
    cluster, helm = Cluster(BUILD / "kubeconfig"), Helm("helm", BUILD / "kubeconfig")
    runs = [measure(cluster, helm, options.flink) for _ in range(options.runs)]
    RESULTS.write_text(json.dumps({"runs": runs}, indent=2) + "\n")
    for key, what in STEPS.items():
        seconds = [float(run[key]) for run in runs]
        print(f"{what}: {statistics.median(seconds):.1f} s ({min(seconds):.1f} to {max(seconds):.1f}, {len(runs)} runs)")


if __name__ == "__main__":
    main()
