"""Seconds without output while something of the KDV job is killed, and while it is upgraded and rolled back, on the kind cluster.

    python -m bench.lifecycle --runs 3

`ours` is charts/flink with flink.type=job and Helm's operations. `by-hand` is the same replacement by somebody who knows each
command and never has to think: `flink stop`, then `kubectl apply` of the changed Deployments, which start from the savepoint.
`session` is the bound: the job in a session cluster, stopped by `flink stop` and submitted again by `flink run`, and no pod is
replaced. The job commits rows every second; a figure is the longest time between two commits from the beginning of the step
until they flow again.

Adds to bench/results/lifecycle.json: {"runs": [{"step": "upgrade", "subject": "ours", "seconds": 9.8}]}.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import secrets
import statistics
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from bench import store
from ci.core.console import say
from ci.core.paths import BUILD, DEMO
from harness import faults
from harness.cluster import Cluster, Run
from harness.helm import Helm
from harness.release import FlinkRelease
from harness.waits import wait_for

RESULTS = Path(__file__).parent / "results" / "lifecycle.json"
NAMESPACE = "bench-lifecycle"
NAME = "bench"
OUTPUT = "/flink-data/output"
TWO = {"highAvailability": {"type": "kubernetes"}, "jobmanager": {"replicas": 2}}
STEPS = {
    "taskmanager-kill": "the TaskManager is killed",
    "jobmanager-kill": "the JobManager is killed, and there is no other",
    "jobmanager-kill-standby": "the leader of two JobManagers is killed",
    "upgrade": "upgrade with a savepoint",
    "upgrade-ha": "the same under high availability",
    "rollback": "rollback with a savepoint",
}
ARGS = [
    "--bootstrap-servers=bench-kafka:9092",
    "--topic=sahibinden",
    f"--output=file://{OUTPUT}",
    "--checkpoint-interval=1 s",
    "--rolling-interval=1 s",
]
CHANGED = [*ARGS, "--idle-timeout=9 s"]

Step = tuple[str, Callable[[], object]]


def values(kind: str, args: Sequence[str], more: Mapping[str, Any]) -> dict[str, Any]:
    """Windows of two minutes close twice a second."""
    program = {"name": "kdv", "python": {"file": "/opt/flink/usrlib/kdv.py"}, "args": list(args)}
    given = {"session": {"jobs": [program]}} if kind == "session" else {"job": {"args": list(args)}}
    flink = {"flink": {"type": kind}, **given, **more}
    return {"flink": flink, "producer": {"rate": 20, "args": ["--start-time=2024-05-20 08:00:00", "--time-step=12"]}}


def commits(jobmanager: Run) -> list[float]:
    """When each finished part was committed: the moment of its last name. The JobManager's pod has the directory."""
    return sorted(map(float, jobmanager(["find", OUTPUT, "-name", "part-*", "-printf", "%C@\n"]).split()))


def gap(times: Sequence[float], since: float) -> float:
    """The longest time between two of `times`, the second of which came after `since`."""
    return max(later - earlier for earlier, later in pairwise(times) if later > since)


def flowing(jobmanager: Run, since: float) -> list[float]:
    """All commits, once there are five after `since`."""

    def enough() -> list[float]:
        times = commits(jobmanager)
        return times if len([when for when in times if when > since]) >= 5 else []

    return wait_for(enough, timeout=300, what="rows to come again")


def measured(jobmanager: Run, steps: Iterable[Step]) -> Iterator[tuple[str, float]]:
    flowing(jobmanager, 0)
    for step, act in steps:
        since = time.time()
        act()
        yield step, gap(flowing(jobmanager, time.time()), since)


def kill(flink: FlinkRelease, role: str) -> None:
    faults.kill(flink.cluster, NAMESPACE, flink.selector(role), role)


def kill_leader(flink: FlinkRelease) -> None:
    data = flink.cluster.core.read_namespaced_config_map(f"{NAME}-flink-cluster-config-map", NAMESPACE).data
    address = data["org.apache.flink.k8s.leader.restserver"]
    (leader,) = [pod for pod in flink.cluster.pods(NAMESPACE, flink.selector("jobmanager")) if pod.status.pod_ip in address]
    faults.kill_in(flink.cluster, NAMESPACE, leader.metadata.name, "jobmanager")


def ours(flink: FlinkRelease, helm: Helm, more: Mapping[str, Any]) -> Iterator[Step]:
    def upgrade() -> None:
        helm.upgrade(NAME, DEMO, values("job", CHANGED, more), namespace=NAMESPACE)

    if more:
        yield "jobmanager-kill-standby", lambda: kill_leader(flink)
        yield "upgrade-ha", upgrade
    else:
        yield "taskmanager-kill", lambda: kill(flink, "taskmanager")
        yield "jobmanager-kill", lambda: kill(flink, "jobmanager")
        yield "upgrade", upgrade
        yield "rollback", lambda: helm.rollback(NAME, namespace=NAMESPACE)


def stopped(flink: FlinkRelease) -> str:
    """The savepoint of `flink stop`, run in the JobManager's pod."""
    (running,) = [job["jid"] for job in flink.rest.jobs() if job["state"] == "RUNNING"]
    output = flink.jobmanager(["flink", "stop", running], timeout=180)
    savepoint = re.search(r"Path: (file:\S+)", output)
    if not savepoint:
        raise ValueError(f"flink stop named no savepoint: {output}")
    return savepoint[1]


def newest_checkpoint(flink: FlinkRelease) -> str:
    newest = "ls -td /flink-data/bench-flink/checkpoints/*/chk-*/_metadata | head -n 1"
    return flink.jobmanager(["bash", "-c", newest]).strip().removesuffix("/_metadata")


def session(flink: FlinkRelease, helm: Helm, more: Mapping[str, Any]) -> Iterator[Step]:
    def run(restore: str, args: Sequence[str]) -> None:
        flink.submit("--detached", "--fromSavepoint", restore, "--python", "/opt/flink/usrlib/kdv.py", *args)

    def again() -> None:
        kill(flink, "jobmanager")
        flink.rest.wait_taskmanagers(1)
        run(newest_checkpoint(flink), ARGS)

    if more:
        yield "jobmanager-kill-standby", lambda: kill_leader(flink)
    else:
        yield "taskmanager-kill", lambda: kill(flink, "taskmanager")
        yield "jobmanager-kill", again
        yield "upgrade", lambda: run(stopped(flink), CHANGED)
        yield "rollback", lambda: run(stopped(flink), ARGS)


def by_hand(flink: FlinkRelease, helm: Helm, more: Mapping[str, Any]) -> Iterator[Step]:
    def replace(args: Sequence[str]) -> None:
        apply(deployments(helm, values("job", args, more), stopped(flink)))

    if more:
        yield "upgrade-ha", lambda: replace(CHANGED)
    else:
        yield "upgrade", lambda: replace(CHANGED)
        yield "rollback", lambda: replace(ARGS)


def deployments(helm: Helm, given: Mapping[str, Any], restore: str) -> list[dict[str, Any]]:
    """Flink's Deployments of the chart, whose JobManager starts the job as Flink's documentation has it, and asks nobody."""
    text = helm.template(DEMO, given, name=NAME, namespace=NAMESPACE)
    objects = [obj for obj in yaml.safe_load_all(text) if obj and obj["kind"] == "Deployment"]
    for obj in objects:
        (container,) = obj["spec"]["template"]["spec"]["containers"]
        if container["name"] == "jobmanager":
            arguments = container["args"][container["args"].index("/opt/flink/scripts/start-job.sh") + 1 :]
            program = ["/opt/flink/bin/standalone-job.sh", "start-foreground", "--job-id", secrets.token_hex(16)]
            container["args"] = [*program, "--fromSavepoint", restore, *arguments]
    return [obj for obj in objects if obj["metadata"]["name"].startswith(f"{NAME}-flink-")]


def apply(objects: Sequence[Mapping[str, Any]]) -> None:
    command = ["kubectl", "--kubeconfig", str(BUILD / "kubeconfig"), "--namespace", NAMESPACE, "apply", "--server-side"]
    text = yaml.safe_dump_all(objects)
    subprocess.run([*command, "--force-conflicts", "-f", "-"], input=text, text=True, check=True, stdout=subprocess.DEVNULL)


SUBJECTS = {"ours": ("job", ours), "by-hand": ("job", by_hand), "session": ("session", session)}


@contextlib.contextmanager
def installed(cluster: Cluster, helm: Helm, given: Mapping[str, Any]) -> Iterator[FlinkRelease]:
    """The demo with these values, its job running, in a namespace of its own."""
    cluster.delete_namespace(NAMESPACE)
    cluster.create_namespace(NAMESPACE)
    helm.install(NAME, DEMO, given, namespace=NAMESPACE)
    flink = FlinkRelease(cluster, NAMESPACE, NAME)
    flink.rest.wait_running("kdv", timeout=300)
    yield flink
    helm.uninstall(NAME, namespace=NAMESPACE)
    cluster.delete_namespace(NAMESPACE)


def measure(cluster: Cluster, helm: Helm, subject: str, more: Mapping[str, Any]) -> None:
    """One run of one subject."""
    kind, steps = SUBJECTS[subject]
    with installed(cluster, helm, values(kind, ARGS, more)) as flink:
        for step, seconds in measured(flink.jobmanager, steps(flink, helm, more)):
            say(f"{subject}, {STEPS[step]}: {seconds:.1f} s")
            store.add(RESULTS, {"step": step, "subject": subject, "seconds": round(seconds, 1)})


def spread(figures: Sequence[float]) -> str:
    """The median, with the minimum and the maximum."""
    return f"{statistics.median(figures):.1f} ({min(figures):.1f} to {max(figures):.1f})"


def section(runs: Iterable[Mapping[str, Any]]) -> str:
    """The part of docs/bench.md: the median of each, with the minimum and the maximum."""
    durations: dict[tuple[str, str], list[float]] = defaultdict(list)
    for run in runs:
        durations[run["step"], run["subject"]].append(run["seconds"])

    def cell(step: str, subject: str) -> str:
        seconds = durations.get((step, subject))
        return spread(seconds) if seconds else ""

    rows = "".join(f"| {what} | {' | '.join(cell(step, subject) for subject in SUBJECTS)} |\n" for step, what in STEPS.items())
    return f"""## Seconds without output

`make bench-lifecycle` measures this on kind: the longest time between two commits of rows, for a job that commits every second.
`ours` is a Helm operation. `by-hand` is the same replacement by somebody who never has to think: `flink stop`, then
`kubectl apply` of the changed Deployments, which start from the savepoint. `session` is the bound: the job in a session cluster,
with `flink stop` and `flink run`; no pod is replaced there, and so neither image nor configuration.

| | {" | ".join(SUBJECTS)} |
| --- |{" --- |" * len(SUBJECTS)}
{rows}"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures seconds without output.")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--subjects", nargs="+", choices=SUBJECTS, default=list(SUBJECTS))
    parser.add_argument("--high-availability", choices=["both", "on", "off"], default="both")
    options = parser.parse_args()
    cluster, helm = Cluster(BUILD / "kubeconfig"), Helm("helm", BUILD / "kubeconfig")
    settings = [more for name, more in (("off", {}), ("on", TWO)) if options.high_availability in (name, "both")]
    for _ in range(options.runs):
        for subject in options.subjects:
            for more in settings:
                measure(cluster, helm, subject, more)


if __name__ == "__main__":
    main()
