"""The Flink Kubernetes Operator beside charts/flink with its own hooks, on the kind cluster: the same job, values and operations.

    python -m bench.operator --runs 3

`ours` is charts/flink in standalone mode, `operator` the same values with flink.mode=operator; both run Flink 1.20.5, the newest
that this operator can run, under high availability. `start` is from `helm install` until all tasks of a job in a jar run. The
others are seconds without output of the KDV job, which commits rows every second: the longest time between two commits from the
beginning of the step until they flow again; for `resume`, from the command to the first commit.

Adds to bench/results/operator.json: {"runs": [{"step": "upgrade", "subject": "ours", "seconds": 9.8}]}, and for what has to run
beside the job {"step": "memory", "subject": "operator", "mb": 210}.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes.dynamic import DynamicClient

from bench import lifecycle, modes, store
from bench.lifecycle import NAME, NAMESPACE
from ci.commands import addons
from ci.core import versions
from ci.core.console import say
from ci.core.paths import BUILD, DEMO, FLINK
from harness import faults, network
from harness.cluster import Cluster
from harness.helm import Helm, merged
from harness.rest import FlinkRest
from harness.waits import wait_for

RESULTS = Path(__file__).parent / "results" / "operator.json"
VERSION = "1.20.5"
STEPS = {
    "start": "from `helm install` to RUNNING",
    "taskmanager-kill": "the TaskManager is killed",
    "jobmanager-kill": "the JobManager is killed",
    "upgrade": "upgrade with a savepoint",
    "rollback": "rollback with a savepoint",
    "resume": "a suspended job resumes",
}

Values = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """Values of charts/flink, and how its pods are found: labels, and the name of Flink's container."""

    values: Values
    labels: str
    jobmanager: str
    taskmanager: str
    container: str


SUBJECTS = {
    "ours": Subject(
        {"flink": {"version": VERSION}},
        f"app.kubernetes.io/instance={NAME}",
        "app.kubernetes.io/component=jobmanager",
        "app.kubernetes.io/component=taskmanager",
        "jobmanager",
    ),
    "operator": Subject(
        # The name by which the operator knows this Flink.
        {"flink": {"version": VERSION, "mode": "operator"}, "operator": {"flinkVersion": "v1_19"}},
        f"app={NAME}-flink",
        "component=jobmanager",
        "component=taskmanager",
        "flink-main-container",
    ),
}


class Release:
    """The demo's release of a subject."""

    def __init__(self, cluster: Cluster, helm: Helm, subject: Subject) -> None:
        self._cluster, self._helm, self._subject = cluster, helm, subject

    def values(self, args: Sequence[str], **job: Any) -> Values:
        more = {"image": {"tag": VERSION}, "highAvailability": {"type": "kubernetes"}}
        return merged(lifecycle.values("job", args, more), {"flink": merged(self._subject.values, {"job": job})})

    def upgrade(self, args: Sequence[str], **job: Any) -> None:
        self._settle(lambda: self._helm.upgrade(NAME, DEMO, self.values(args, **job), namespace=NAMESPACE))

    def rollback(self) -> None:
        self._settle(lambda: self._helm.rollback(NAME, namespace=NAMESPACE))

    def kill_taskmanager(self) -> None:
        faults.delete_pods(self._cluster, NAMESPACE, self._taskmanagers)

    def kill_jobmanager(self) -> None:
        faults.kill(self._cluster, NAMESPACE, self._jobmanagers, self._subject.container)

    def wait_gone(self) -> None:
        """The operator keeps the JobManager of a suspended job."""
        wait_for(lambda: not self._cluster.pods(NAMESPACE, self._taskmanagers), timeout=120, what="the TaskManager to go")

    def jobmanager(self, command: Sequence[str], **options: Any) -> str:
        """The output of a command in the JobManager's container."""
        pod = self._cluster.pod(NAMESPACE, self._jobmanagers)
        return self._cluster.exec(NAMESPACE, pod, command, container=self._subject.container, **options)

    @property
    def _jobmanagers(self) -> str:
        return f"{self._subject.labels},{self._subject.jobmanager}"

    @property
    def _taskmanagers(self) -> str:
        return f"{self._subject.labels},{self._subject.taskmanager}"

    def _settle(self, operation: Callable[[], object]) -> None:
        """Helm returns when hooks have proven the job; of the operator it knows nothing."""
        if "operator" not in self._subject.values:
            operation()
            return
        kind = DynamicClient(self._cluster.api).resources.get(api_version="flink.apache.org/v1beta1", kind="FlinkDeployment")

        def status() -> Values:
            current: Values = kind.get(name=f"{NAME}-flink", namespace=NAMESPACE).to_dict()["status"]
            return current

        before = status()["reconciliationStatus"]["reconciliationTimestamp"]
        operation()

        def settled() -> bool:
            current = status()
            another = current["reconciliationStatus"]["reconciliationTimestamp"] != before
            return another and current["lifecycleState"] in ("STABLE", "SUSPENDED")

        wait_for(settled, timeout=300, what="the operator to be done", interval=0.5)


def steps(release: Release) -> Iterator[tuple[str, float]]:
    actions: list[lifecycle.Step] = [
        ("taskmanager-kill", release.kill_taskmanager),
        ("jobmanager-kill", release.kill_jobmanager),
        ("upgrade", lambda: release.upgrade(lifecycle.CHANGED)),
        ("rollback", release.rollback),
    ]
    yield from lifecycle.measured(release.jobmanager, actions)
    release.upgrade(lifecycle.ARGS, state="suspended")
    release.wait_gone()
    since = time.time()
    release.upgrade(lifecycle.ARGS)
    yield "resume", min(when for when in lifecycle.flowing(release.jobmanager, since) if when > since) - since


def started(cluster: Cluster, helm: Helm, subject: Subject) -> float:
    """Seconds from `helm install` until all tasks of the job in values/job-jar.yaml run."""
    values = merged(subject.values, {"highAvailability": {"type": "kubernetes"}, "job": {"parallelism": 1}})
    begin = time.monotonic()
    helm.install("jar", FLINK, values, files=[modes.FILE], namespace=NAMESPACE, wait=False)

    def answering() -> FlinkRest:
        session, url = network.http(cluster, NAMESPACE, "jar-flink-rest", "rest")
        rest = FlinkRest(url, session)
        rest.overview()
        return rest

    wait_for(answering, timeout=300, what="REST to answer", interval=0.5).wait_running(modes.JOB, timeout=300)
    seconds = time.monotonic() - begin
    helm.run("uninstall", "jar", f"--namespace={NAMESPACE}", "--wait")
    return seconds


def memory(cluster: Cluster) -> float:
    """Megabytes that the operator's process holds."""
    pod = cluster.pod(NAMESPACE, "app.kubernetes.io/name=flink-operator")
    status = cluster.exec(NAMESPACE, pod, ["cat", "/proc/1/status"])
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024 / 1e6


def measure(cluster: Cluster, helm: Helm, name: str) -> None:
    """One run of one subject."""
    subject = SUBJECTS[name]
    cluster.delete_namespace(NAMESPACE)
    cluster.create_namespace(NAMESPACE)
    addon = addons.flink_operator(NAMESPACE)
    if name == "operator":
        addon.install(cluster.kubeconfig)

    def add(step: str, **figure: float) -> None:
        say(f"{name}, {step}: {figure}")
        store.add(RESULTS, {"step": step, "subject": name, **{unit: round(value, 1) for unit, value in figure.items()}})

    add("start", seconds=started(cluster, helm, subject))
    release = Release(cluster, helm, subject)
    helm.install(NAME, DEMO, release.values(lifecycle.ARGS), namespace=NAMESPACE)
    for step, seconds in steps(release):
        add(step, seconds=seconds)
    helm.uninstall(NAME, namespace=NAMESPACE)
    if name == "operator":
        add("memory", mb=memory(cluster))
        addon.uninstall(cluster.kubeconfig)
    cluster.delete_namespace(NAMESPACE)


def section(runs: Iterable[Mapping[str, Any]]) -> str:
    """The part of docs/bench.md: the median of each, with the minimum and the maximum."""
    durations: dict[tuple[str, str], list[float]] = defaultdict(list)
    for run in runs:
        durations[run["step"], run["subject"]].append(run.get("seconds", run.get("mb")))

    def cell(step: str, subject: str) -> str:
        return lifecycle.spread(durations[step, subject])

    rows = "".join(f"| {what} | {' | '.join(cell(step, subject) for subject in SUBJECTS)} |\n" for step, what in STEPS.items())
    return f"""## Beside the Flink Kubernetes Operator

`make bench-operator` measures this on kind, {len(durations["start", "ours"])} runs of each, interleaved: the same job, values
and Helm operations, `operator` with `flink.mode=operator`. The operator is {versions.get("operator", "version")} of November
2023, the newest that is published as jars; newer ones may be faster. It looks for what to do every 5 s, by default every 60 s.
Flink is {VERSION}, under Kubernetes high availability. The first row is the time to RUNNING in seconds, the others the time
without output of a job that commits every second; median, minimum and maximum.

| | {" | ".join(SUBJECTS)} |
| --- |{" --- |" * len(SUBJECTS)}
{rows}
Beside the job the operator needs {cell("memory", "operator")} MB of memory, whatever runs; the hooks' pods live for seconds.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures charts/flink beside the Flink Kubernetes Operator.")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--subjects", nargs="+", choices=SUBJECTS, default=list(SUBJECTS))
    options = parser.parse_args()
    cluster, helm = Cluster(BUILD / "kubeconfig"), Helm("helm", BUILD / "kubeconfig")
    for _ in range(options.runs):
        for name in options.subjects:
            measure(cluster, helm, name)


if __name__ == "__main__":
    main()
