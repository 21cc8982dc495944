"""What an upgrade's seconds without output are made of, on the kind cluster.

    python -m bench.timeline --runs 3

An upgrade of the KDV job with a savepoint, by Helm (`ours`) and by hand, as in lifecycle.py. Moments come from the logs of
Flink's pods and of the hooks, with the time that the container runtime gives each line, and from looking at the pods ten times a
second; they count from the last commit of rows before the job stops.

Adds to bench/results/timeline.json: {"runs": [{"subject": "ours", "seconds": {"savepoint": 1.2, "rows": 16.3}}]}.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench import store
from bench.lifecycle import ARGS, NAME, NAMESPACE, SUBJECTS, flowing, installed, values
from ci.core.console import say
from ci.core.paths import BUILD
from harness.cluster import Cluster
from harness.helm import Helm
from harness.release import FlinkRelease

RESULTS = Path(__file__).parent / "results" / "timeline.json"

Line = tuple[str, str, float, str]  # component, "old" or "new", time, text

# Moments by the line of a log that tells of them: (component, old or new pod, pattern); the first such line counts.
_LINES = {
    "stop": ("jobmanager", "old", r"Triggering stop-with-savepoint"),
    "savepoint": ("jobmanager", "old", r"Completed checkpoint \d+ for job"),
    "jobmanager-jvm": ("jobmanager", "new", r"Starting StandaloneApplicationClusterEntryPoint"),
    "jobmanager-rest": ("jobmanager", "new", r"Rest endpoint listening"),
    "job": ("jobmanager", "new", r"switched from state CREATED to RUNNING"),
    "taskmanager-jvm": ("taskmanager", "new", r"Starting TaskManager"),
    "registered": ("jobmanager", "new", r"Registering TaskManager with ResourceID"),
    "checkpoint": ("jobmanager", "new", r"Completed checkpoint \d+ for job"),
}
MOMENTS = {
    "stop": "the old JobManager is asked to stop the job",
    "savepoint": "the savepoint is complete",
    "hook": "the hook has ended",
    "jobmanager-pod": "the new JobManager's pod is made",
    "jobmanager-container": "its container runs",
    "jobmanager-jvm": "its JVM runs Flink",
    "jobmanager-rest": "its REST API answers",
    "job": "the job is restored",
    "taskmanager-pod": "the new TaskManager's pod is made",
    "taskmanager-container": "its container runs",
    "taskmanager-jvm": "its JVM runs Flink",
    "registered": "the TaskManager is registered",
    "tasks": "all tasks run",
    "checkpoint": "the first checkpoint is complete",
    "rows": "rows are committed",
}


class Watch:
    """The pods of the release from now on, and what they print, until `stop`."""

    def __init__(self, flink: FlinkRelease) -> None:
        self._flink = flink
        self._old = {pod.metadata.uid for pod in self._pods()}
        self._ends = threading.Event()
        self.moments: dict[str, float] = {}
        self.lines: list[Line] = []
        self._followed: set[str] = set()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def stop(self) -> None:
        self._ends.set()
        self._thread.join()

    def _pods(self) -> list[Any]:
        return list(self._flink.cluster.pods(NAMESPACE, f"app.kubernetes.io/instance={NAME}"))

    def _look(self) -> None:
        while not self._ends.wait(0.1):
            for pod in self._pods():
                component = pod.metadata.labels.get("app.kubernetes.io/component", "")
                age = "old" if pod.metadata.uid in self._old else "new"
                statuses = pod.status.container_statuses or []
                runs = any(status.state.running for status in statuses)
                if component == "hooks" and pod.status.phase == "Succeeded":
                    self.moments.setdefault("hook", time.time())
                if component in ("jobmanager", "taskmanager") and age == "new":
                    self.moments.setdefault(f"{component}-pod", time.time())
                    if runs:
                        self.moments.setdefault(f"{component}-container", time.time())
                if component in ("jobmanager", "taskmanager") and runs and pod.metadata.uid not in self._followed:
                    self._followed.add(pod.metadata.uid)
                    threading.Thread(target=self._follow, args=(pod.metadata.name, component, age), daemon=True).start()

    def _follow(self, pod: str, component: str, age: str) -> None:
        command = ["kubectl", "--kubeconfig", str(BUILD / "kubeconfig"), "--namespace", NAMESPACE, "logs", "-f", "--timestamps"]
        since = ["--since=1s"] if age == "old" else []
        with subprocess.Popen([*command, *since, pod], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as log:
            assert log.stdout
            for line in log.stdout:
                when, _, text = line.partition(" ")
                self.lines.append((component, age, _seconds(when), text))


def _seconds(when: str) -> float:
    """Of 2026-11-26T06:09:09.192345678Z."""
    whole, _, fraction = when.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{fraction or 0}")


def moments(seen: Mapping[str, float], lines: Sequence[Line], times: Sequence[float]) -> dict[str, float]:
    """Seconds from the last of the commits `times` before the longest gap, by moment; `seen` and `lines` are those of Watch."""
    last, rows = max(pairwise(times), key=lambda pair: pair[1] - pair[0])
    by_moment = {**seen, "rows": rows}

    def logged(component: str, age: str, pattern: str) -> list[float]:
        return [when for one, at, when, text in lines if (one, at) == (component, age) and re.search(pattern, text)]

    for name, line in _LINES.items():
        since = by_moment.get("stop", 0) if name == "savepoint" else 0
        if times_logged := [when for when in logged(*line) if when >= since]:
            by_moment[name] = min(times_logged)
    runs = logged("jobmanager", "new", r"switched from INITIALIZING to RUNNING")
    if runs_before := [when for when in runs if when <= by_moment.get("checkpoint", rows)]:
        by_moment["tasks"] = max(runs_before)
    return {name: round(by_moment[name] - last, 1) for name in MOMENTS if name in by_moment}


def measure(cluster: Cluster, helm: Helm, subject: str) -> None:
    kind, steps = SUBJECTS[subject]
    with installed(cluster, helm, values(kind, ARGS, {})) as flink:
        (upgrade,) = [act for step, act in steps(flink, helm, {}) if step == "upgrade"]
        flowing(flink.jobmanager, 0)
        since = time.time()
        watch = Watch(flink)
        upgrade()
        times = flowing(flink.jobmanager, time.time())
        watch.stop()
    seconds = moments(watch.moments, watch.lines, [when for when in times if when >= since - 5])
    say(f"{subject}: {seconds}")
    store.add(RESULTS, {"subject": subject, "seconds": seconds})


def section(runs: Iterable[Mapping[str, Any]]) -> str:
    """The part of docs/bench.md: the median of each moment."""
    subjects = ["ours", "by-hand"]
    by_subject = {subject: [run["seconds"] for run in runs if run["subject"] == subject] for subject in subjects}

    def cell(subject: str, moment: str) -> str:
        seconds = [run[moment] for run in by_subject[subject] if moment in run]
        return f"{statistics.median(seconds):.1f}" if seconds else ""

    rows = "".join(f"| {text} | {' | '.join(cell(one, moment) for one in subjects)} |\n" for moment, text in MOMENTS.items())
    return f"""### What an upgrade's seconds are made of

`python -m bench.timeline`: seconds since the last rows before the job stops, medians of {len(by_subject["ours"])} runs.

| | {" | ".join(subjects)} |
| --- |{" --- |" * len(subjects)}
{rows}"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures what the seconds of an upgrade are made of.")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    cluster, helm = Cluster(BUILD / "kubeconfig"), Helm("helm", BUILD / "kubeconfig")
    for _ in range(options.runs):
        for subject in ("ours", "by-hand"):
            measure(cluster, helm, subject)


if __name__ == "__main__":
    main()
