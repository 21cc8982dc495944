"""TaskManagers that follow a load, beside a fixed number of them that bears its peak, on the kind cluster.

    python -m bench.scaling --runs 1 --peaks 5

The KDV job reads what a producer sends: BASE rows per second, and PEAK for a while, over and over. A TaskManager has one slot and
a part of a CPU. `autoscaled` has one to three of them, by a HorizontalPodAutoscaler and the metrics server; `fixed` has two.
The lag and the CPU are what TaskManagers export for Prometheus, every five seconds, since that takes a tenth of their CPU if they
are asked each second; where no reader runs there is no lag to be had.
Rows are committed every INTERVAL seconds: the longest time between two commits is the time without output.
In the end each row that was sent is in the output, and none is there twice, or the run does not count.

Adds to bench/results/scaling.json: {"runs": [{"subject": "autoscaled", "peaks": [{"caught_up": 61, "most": 120000}], "gaps":
[12.1], "cpu_seconds": 300.1, "seconds": 700, "samples": [[0, 3000, 120, 1], ...]}]}: seconds from the beginning of a peak until
the lag is over, and its most; seconds without output around each change of the number of tasks; and of each second what was sent,
the lag and the TaskManagers that are ready.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from kubernetes.client.exceptions import ApiException

from bench import lines, store
from bench.lifecycle import ARGS, NAME, NAMESPACE, OUTPUT, commits, gap, installed
from ci.core.console import say
from ci.core.paths import BUILD, DOCS
from harness import metrics
from harness.cluster import Cluster
from harness.helm import Helm, merged
from harness.release import FlinkRelease
from harness.waits import wait_for
from harness_kdv.tools import tools

RESULTS = Path(__file__).parent / "results" / "scaling.json"
PICTURE = DOCS / "bench-scaling.svg"
PORT = 9249  # of Prometheus
_CPU, _LAG = "flink_taskmanager_Status_JVM_CPU_Time", "flink_taskmanager_job_task_operator_pendingRecords"
BASE, PEAK = 6500, 19500  # rows per second
SECONDS = 120  # of each
_SCRAPE = 5  # seconds
STEP = timedelta(milliseconds=30)  # of event time between two rows: a window of two minutes has 4000
MOST, FIXED = 3, 2
CPU = "320m"
CAUGHT_UP = PEAK  # a lag below a second of the peak is none
INTERVAL = 5  # seconds between commits: each second they take a third of such a CPU

Values = dict[str, Any]

_INTERVALS = [f"--{name}-interval={INTERVAL} s" for name in ("checkpoint", "rolling")]  # the last one of an argument counts
COMMON: Values = {
    "topic": {"partitions": 6},  # any number of TaskManagers has equally many
    "producer": {"enabled": False},
    "flink": {
        # What a row costs is the same in the first peak and in the last: with its optimizing compiler too, a JVM of so little CPU
        # becomes several times as fast within ten minutes.
        "flink": {"config": {"env.java.opts.taskmanager": "-XX:TieredStopAtLevel=1"}},
        "jobmanager": {"resources": {"requests": {"cpu": "10m"}}},
        "taskmanager": {"slots": 1, "resources": {"requests": {"cpu": CPU}, "limits": {"cpu": CPU}}},
        # A second is two minutes of event time: a partition whose first rows come later than the others' was idle before.
        "job": {"args": [*ARGS, *_INTERVALS, "--idle-timeout=0 s", "--kafka-properties=/opt/flink/files/kafka.properties"]},
        # By default a reader asks as often as there is a row, which takes as much CPU at any load.
        "files": {"kafka.properties": "fetch.min.bytes=100000\nfetch.max.wait.ms=500\n"},
    },
}
_QUICKLY_DOWN = {"scaleDown": {"stabilizationWindowSeconds": 60}}
SUBJECTS: dict[str, Values] = {
    "autoscaled": {"taskmanager": {"autoscaling": {"enabled": True, "maxReplicas": MOST, "behavior": _QUICKLY_DOWN}}},
    "fixed": {"taskmanager": {"replicas": FIXED}, "job": {"parallelism": FIXED}},
}


Sample = tuple[float, int, float | None, int]  # seconds, rows sent per second, lag, TaskManagers that are ready


class Watch:
    """The TaskManagers, each second from now on until `stop`, and what they export."""

    def __init__(self, flink: FlinkRelease) -> None:
        self._flink = flink
        self._ends = threading.Event()
        self._cpu: dict[str, float] = {}  # seconds, by pod
        self.began = time.time()
        self.rate = 0
        self.samples: list[Sample] = []
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    @property
    def now(self) -> float:
        return time.time() - self.began

    def stop(self) -> float:
        """The CPU seconds of all TaskManagers that there were."""
        self._ends.set()
        self._thread.join()
        return sum(self._cpu.values())

    def _look(self) -> None:
        lag = None
        while not self._ends.wait(1):
            pods = [
                pod.metadata.name
                for pod in self._flink.cluster.pods(NAMESPACE, self._flink.selector("taskmanager"))
                if any(status.ready for status in pod.status.container_statuses or [])
            ]
            if len(self.samples) % _SCRAPE == 0:
                lag = self._lag(pods)
            self.samples.append((self.now, self.rate, lag, len(pods)))

    def _lag(self, pods: Iterable[str]) -> float | None:
        lags = []
        for pod in pods:
            with suppress(ApiException):
                samples = metrics.scrape(self._flink.cluster, NAMESPACE, pod, PORT)
                self._cpu[pod] = sum(_values(samples, _CPU)) / 1e9
                lags += _values(samples, _LAG)
        return sum(lags) if lags else None


def _values(samples: Sequence[metrics.Sample], metric: str) -> list[float]:
    return [sample.value for sample in samples if sample.name == metric]


class Load:
    """A producer of rows that are all different; event time goes on from one call to the next."""

    def __init__(self, flink: FlinkRelease) -> None:
        self._run = tools(flink.cluster, NAMESPACE).runner()
        self.sent = 0

    def send(self, rate: int, seconds: float, *more: str) -> None:
        count = int(rate * seconds)
        begin = datetime(2024, 5, 20, 8) + self.sent * STEP
        given = {"bootstrap-servers": f"{NAME}-kafka:9092", "topic": "sahibinden", "rate": rate, "count": count}
        times = {"start-time": begin.isoformat(sep=" "), "time-step": STEP.total_seconds()}
        options = [f"--{name}={value}" for name, value in {**given, **times}.items()]
        self._run(["python3", "/opt/kdv/producer.py", *options, *more], timeout=seconds * 3)
        self.sent += count


def check(flink: FlinkRelease, sent: int) -> None:
    """Each row that was sent is in the output, and none twice: no two that were sent have the same fields."""

    def counted(script: str) -> int:
        return int(
            flink.jobmanager(["bash", "-c", f"find {OUTPUT} -name 'part-*' -exec cat {{}} + | {script}wc -l"], timeout=600)
        )

    wait_for(lambda: counted("") == sent, timeout=300, what=f"{sent} rows in the output", interval=5)
    different = counted("sort -u -S 100M -T /tmp | ")
    if different != sent:
        raise ValueError(f"{sent} rows were sent, of {sent} in the output only {different} differ")


def measure(cluster: Cluster, helm: Helm, subject: str, peaks: int) -> None:
    """One run of one subject."""
    with installed(cluster, helm, merged(COMMON, {"flink": SUBJECTS[subject]})) as flink:
        load, watch = Load(flink), Watch(flink)
        begins = []
        for rate in [BASE, *[PEAK, BASE] * peaks]:
            watch.rate = rate
            if rate == PEAK:
                begins.append(watch.now)
            load.send(rate, SECONDS)
        watch.rate = 0
        load.send(BASE, 1, "--close-windows=600")
        seconds = watch.now
        cpu_seconds = watch.stop()
        check(flink, load.sent)
        times = [when - watch.began for when in commits(flink.jobmanager)]
    run = {
        "subject": subject,
        "peaks": [peak(watch.samples, begin) for begin in begins],
        "gaps": [round(longest, 1) for longest in gaps(watch.samples, times)],
        "cpu_seconds": round(cpu_seconds, 1),
        "seconds": round(seconds),
        "rows": load.sent,
        "samples": [[round(when), rate, lag, ready] for when, rate, lag, ready in watch.samples],
    }
    say(f"{subject}: {run['peaks']}, {run['gaps']}, {run['cpu_seconds']} CPU s")
    store.add(RESULTS, run)


def peak(samples: Sequence[Sample], begin: float) -> dict[str, float]:
    """Seconds from the beginning of a peak until the lag is over, and the most of it; a minute after the peak TaskManagers go."""
    during = [(when, lag) for when, _, lag, _ in samples if begin <= when < begin + SECONDS + 60]
    behind = [when for when, lag in during if lag is None or lag >= CAUGHT_UP]
    return {
        "caught_up": round(max(behind, default=begin) - begin),
        "most": round(max(lag or 0 for _, lag in during)),
    }


def gaps(samples: Sequence[Sample], times: Sequence[float]) -> list[float]:
    """The longest time between two commits from each change of the TaskManagers until a minute later."""
    changes = [now[0] for before, now in pairwise(samples) if before[3] != now[3]]
    return [gap([when for when in times if when <= change + 60], change) for change in changes]


def section(runs: Iterable[Mapping[str, Any]]) -> str:
    """The part of docs/bench.md."""
    by_subject = {subject: [run for run in runs if run["subject"] == subject] for subject in SUBJECTS}

    def figure(values: Sequence[float], unit: str) -> str:
        return f"{statistics.median(values):,.0f}{unit} ({min(values):,.0f} to {max(values):,.0f})" if values else ""

    def row(subject: str) -> str:
        own = by_subject[subject]
        peaks = [one for run in own for one in run["peaks"]]
        held = sum(ready for run in own for _, _, _, ready in run["samples"]) / sum(len(run["samples"]) for run in own)
        cells = [
            subject,
            str(len(peaks)),
            f"{held:.1f}",
            f"{sum(run['cpu_seconds'] for run in own) / sum(run['rows'] for run in own) * 1e6:.0f}",
            figure([one["caught_up"] for one in peaks], " s"),
            figure([one["most"] for one in peaks], ""),
            figure([longest for run in own for longest in run["gaps"]], " s"),
        ]
        return f"| {' | '.join(cells)} |\n"

    head = [
        "",
        "peaks",
        "TaskManagers, on average",
        "CPU s per million rows",
        "from the peak's beginning to the end of the lag",
        "most lag, rows",
        "without output at a change",
    ]
    rows = "".join(row(subject) for subject in SUBJECTS if by_subject[subject])
    return f"""## TaskManagers that follow the load

`make bench-scaling` measures this on kind: {BASE:,} rows per second, and {PEAK:,} for {SECONDS} s, over and over. A TaskManager
has one slot and {CPU} of CPU; two of them bear the peak. Their JVMs compile with C1 alone, so that a row costs the same
in each peak; their readers ask Kafka for 100 kB or what half a second brings, since asking for each row takes as much CPU at
any load, which an autoscaler takes for load. Rows are committed every {INTERVAL} s. `autoscaled` has one to {MOST}, by a
HorizontalPodAutoscaler at its defaults, but for a scale-down after 60 s; `fixed` has {FIXED}. No row was lost or written
twice. Medians, minimum and maximum.

![rows sent, lag and TaskManagers over time](bench-scaling.svg)

| {" | ".join(head)} |
|{" --- |" * len(head)}
{rows}"""


def picture(runs: Sequence[Mapping[str, Any]]) -> str:
    """Of the last run of each subject."""
    last = {run["subject"]: run["samples"] for run in runs}

    def diagram(title: str, column: int) -> lines.Diagram:
        # Where no reader runs the line goes straight on.
        return lines.Diagram(
            title, {name: [(s[0], s[column]) for s in samples if s[column] is not None] for name, samples in last.items()}
        )

    titles = ("rows sent per second", "records behind", "TaskManagers that are ready")
    return lines.svg([diagram(title, column) for column, title in enumerate(titles, start=1)])


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures TaskManagers that follow a load.")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--peaks", type=int, default=5)
    parser.add_argument("--subjects", nargs="+", choices=SUBJECTS, default=list(SUBJECTS))
    options = parser.parse_args()
    cluster, helm = Cluster(BUILD / "kubeconfig"), Helm("helm", BUILD / "kubeconfig")
    for _ in range(options.runs):
        for subject in options.subjects:
            measure(cluster, helm, subject, options.peaks)


if __name__ == "__main__":
    main()
