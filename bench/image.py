"""Size of images of Flink, and what it takes to start a JobManager and a TaskManager from each: seconds, and CPU seconds.

    python -m bench.image before=flink-kdv:old after=flink-kdv:2.2.1 --runs 5

Writes bench/results/image.json: {"runs": [{"image": "before", "megabytes": 667, "jobmanager": {"seconds": 4.1, "cpu": 6.2},
"taskmanager": {...}}]}, and prints the medians. A JobManager is started when its REST API answers, a TaskManager when it is
registered, each from the start of its container. Runs are interleaved, so that other work on the machine falls on all of them;
CPU seconds suffer less from it. Needs a docker engine on this machine, no cluster.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

import requests

from ci.core.console import run
from harness.waits import wait_for

RESULTS = Path(__file__).parent / "results" / "image.json"
NETWORK = "flink-helm-bench"
MEMORY = {"jobmanager": "1600m", "taskmanager": "1728m"}


def cpu_seconds(container: str) -> float:
    """What the first process of a container and its ended children have used; Flink's scripts become its JVM by exec."""
    process = run(["docker", "inspect", "--format={{.State.Pid}}", container]).strip()
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def address_of(container: str) -> str:
    return run(["docker", "inspect", "--format={{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container]).strip()


def taskmanagers(jobmanager: str) -> int:
    """The number of TaskManagers registered at the JobManager of that address; -1 while REST does not answer."""
    try:
        answer = requests.get(f"http://{jobmanager}:8081/overview", timeout=5)
    except requests.ConnectionError:
        return -1
    return int(answer.json()["taskmanagers"]) if answer.ok else -1


def start(image: str, role: str, expected: int) -> dict[str, float]:
    """What it took from the start of a role until the JobManager says that it has the expected number of TaskManagers."""
    name = f"{NETWORK}-{role}"
    options = [f"--name={name}", f"--network={NETWORK}", f"--memory={MEMORY[role]}"]
    settings = ["-D", f"jobmanager.rpc.address={NETWORK}-jobmanager", "-D", f"{role}.memory.process.size={MEMORY[role]}"]
    run(["docker", "create", *options, image, role, *settings])
    begin = time.monotonic()
    run(["docker", "start", name])
    jobmanager = address_of(f"{NETWORK}-jobmanager")
    wait_for(lambda: taskmanagers(jobmanager) == expected, timeout=120, interval=0.02, what=f"the {role} of {image}")
    return {"seconds": round(time.monotonic() - begin, 2), "cpu": round(cpu_seconds(name), 2)}


def measure(label: str, image: str) -> dict[str, Any]:
    """One start of each role."""
    size = int(run(["docker", "image", "inspect", "--format={{.Size}}", image]))
    run(["docker", "network", "create", NETWORK])
    try:
        taken = {role: start(image, role, expected) for expected, role in enumerate(MEMORY)}
    finally:
        run(["docker", "rm", "--force", *(f"{NETWORK}-{role}" for role in MEMORY)])
        run(["docker", "network", "rm", NETWORK])
    return {"image": label, "megabytes": round(size / 1e6), **taken}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures images of Flink.")
    parser.add_argument("images", nargs="+", metavar="LABEL=IMAGE")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    images = dict(word.split("=", 1) for word in options.images)
    runs: list[dict[str, Any]] = []
    for label, image in list(images.items()) * options.runs:
        runs.append(measure(label, image))
        RESULTS.write_text(json.dumps({"runs": runs}, indent=2) + "\n")
    for label in images:
        own = [taken for taken in runs if taken["image"] == label]
        print(f"{label}: {own[0]['megabytes']} MB")
        for role in MEMORY:
            for unit in ("seconds", "cpu"):
                values = [taken[role][unit] for taken in own]
                print(
                    f"  {role} {unit}: {statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f}, {len(own)} runs)"
                )


if __name__ == "__main__":
    main()
