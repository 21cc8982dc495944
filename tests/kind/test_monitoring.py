"""Alerts that come to somebody and go again, and dashboards that show something, by a real Prometheus."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest

from ci.commands import addons
from ci.core.paths import BUILD, DEMO, FLINK
from harness.cluster import Cluster
from harness.helm import Helm, merged
from harness.release import FlinkRelease
from harness.waits import wait_for
from tests.kind import boards, jar_job, monitoring
from tests.kind.installs import NEW, OLD, Install
from tests.kind.monitoring import Monitoring

Values = dict[str, Any]
PICTURE = BUILD / "pictures" / "dashboard.svg"

# A twentieth of the waits: 3 minutes are 9 seconds.
MONITORED: Values = {
    "metrics": {
        "podMonitor": {"enabled": True},
        "prometheusRule": {"enabled": True, "patience": 0.05, "thresholds": {"restarts": 1, "checkpointAgeSeconds": 30}},
    },
    "jobmanager": {"resources": {"requests": {"cpu": "10m"}}},
    "taskmanager": {"resources": {"requests": {"cpu": "10m"}}},
}
JOB = merged(jar_job.VALUES, MONITORED)
SESSION = merged(MONITORED, {"session": {"jobs": [{"name": "speeds", **jar_job.VALUES["job"]}]}})
NATIVE = merged(JOB, {"flink": {"mode": "native"}})


@pytest.fixture(autouse=True)
def kinds(cluster: Cluster) -> None:
    monitoring.define_kinds(cluster)


def scale(flink: FlinkRelease, component: str, replicas: int) -> None:
    name = f"{flink.name}-flink-{component}"
    flink.cluster.apps.patch_namespaced_deployment_scale(name, flink.namespace, {"spec": {"replicas": replicas}})


def checkpoints_may_be_written(flink: FlinkRelease, *, may: bool) -> None:
    """Take away, or give back, the right to write into the directories of the checkpoints."""
    mode = "u+w" if may else "a-w"
    flink.jobmanager(["bash", "-c", f"find /flink-data -type d -path '*checkpoints*' -exec chmod {mode} {{}} +"])


@pytest.mark.full
def test_each_fault_is_told_and_its_end_too(install: Install, cluster: Cluster, namespace: str) -> None:
    tolerant = {"flink": {"config": {"execution.checkpointing.tolerable-failed-checkpoints": 100000}}}
    flink = jar_job.started(install, "warned", merged(JOB, tolerant))
    with monitoring.monitoring(cluster, namespace) as prometheus:
        prometheus.wait_scraped(2)
        wait_for(lambda: prometheus.query("flink_jobmanager_job_runningState == 1"), timeout=60, what="a metric of the job")
        assert not prometheus.firing()

        checkpoints_may_be_written(flink, may=False)
        prometheus.wait_fired("FlinkCheckpointsFailing", "FlinkCheckpointTooOld")
        checkpoints_may_be_written(flink, may=True)
        prometheus.wait_resolved("FlinkCheckpointsFailing", "FlinkCheckpointTooOld")

        scale(flink, "taskmanager", 0)
        prometheus.wait_fired("FlinkTaskManagersMissing", "FlinkJobNotRunning", "FlinkJobRestarting")
        scale(flink, "taskmanager", 1)
        prometheus.wait_resolved("FlinkTaskManagersMissing", "FlinkJobNotRunning", "FlinkJobRestarting")

        scale(flink, "jobmanager", 0)
        prometheus.wait_fired("FlinkJobManagerAbsent")
        scale(flink, "jobmanager", 1)
        prometheus.wait_resolved("FlinkJobManagerAbsent")

        wait_for(lambda: not prometheus.firing(), timeout=120, what="nothing to fire any more")
        for alert in prometheus.delivered("firing"):
            assert {"namespace": namespace, "release": "warned-flink"}.items() <= alert["labels"].items()
            assert "warned-flink" in alert["annotations"]["summary"]


# What comes after the exchange hashes 200 kB for each row.
SLOW = """
CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100000');
CREATE TABLE hashes (digit BIGINT, code STRING) WITH ('connector' = 'blackhole');
INSERT INTO hashes SELECT digit, MD5(REPEAT(CAST(n AS STRING), 50000)) FROM
  (SELECT MOD(n, 10) AS digit, COUNT(*) AS n FROM numbers GROUP BY MOD(n, 10));
"""


@pytest.mark.full
def test_a_job_under_too_much_load_is_told(install: Install, helm: Helm, cluster: Cluster, namespace: str) -> None:
    thresholds = {"checkpointDurationSeconds": 0.5, "memoryPercent": 5}
    values = merged(
        MONITORED,
        {
            "flink": {"type": "job"},
            "files": {"slow.sql": SLOW},
            "job": {"sql": {"file": "slow.sql"}},
            "state": {"checkpointing": {"interval": "2 s"}},
            "metrics": {"prometheusRule": {"thresholds": thresholds}},
        },
    )
    flink = install("loaded", FLINK, values)
    with monitoring.monitoring(cluster, namespace) as prometheus:
        prometheus.wait_scraped(2)
        told = ("FlinkBackpressure", "FlinkCheckpointTooLong", "FlinkMemoryNearlyFull")
        prometheus.wait_fired(*told)
        # Nothing waits for the slow task any more.
        helm.upgrade(flink.name, FLINK, merged(values, {"job": {"state": "suspended"}}), namespace=namespace)
        prometheus.wait_resolved(*told)


@pytest.mark.full
def test_a_lag_that_grows_is_told(install: Install, cluster: Cluster, namespace: str) -> None:
    """A quarter of a CPU decodes some 7000 rows per second."""
    small = {"taskmanager": {"resources": {"limits": {"cpu": "250m"}}}}
    flink = install("behind", DEMO, {"flink": merged(MONITORED, small), "producer": {"rate": 20000}})
    with monitoring.monitoring(cluster, namespace) as prometheus:
        prometheus.wait_scraped(2)
        prometheus.wait_fired("FlinkLagGrowing")
        stop_producer(cluster, namespace, flink)
        prometheus.wait_resolved("FlinkLagGrowing")


def stop_producer(cluster: Cluster, namespace: str, flink: FlinkRelease) -> None:
    for job in cluster.batch.list_namespaced_job(namespace, label_selector=flink.selector("producer")).items:
        cluster.batch.delete_namespaced_job(job.metadata.name, namespace, propagation_policy="Background")


@pytest.mark.full
@pytest.mark.usefixtures("addon")
@pytest.mark.parametrize("addon", [addons.PROMETHEUS_OPERATOR], indirect=True, ids=["operator"])
def test_the_prometheus_operator_takes_what_has_its_labels(install: Install, cluster: Cluster, namespace: str) -> None:
    labels = {"release": "kube-prometheus-stack"}
    taken = {"podMonitor": {"labels": labels, "interval": f"{monitoring.SECONDS}s"}, "prometheusRule": {"labels": labels}}
    flink = jar_job.started(install, "taken", merged(JOB, {"metrics": taken}))
    install("left", FLINK, merged(SESSION, {"session": {"jobs": []}}))
    with monitoring.operated(cluster, namespace, labels) as prometheus:
        prometheus.wait_scraped(2)
        wait_shown(prometheus, expressions("flink-release.json", "taken", namespace, (*NOT_OF_THE_JAR, "numPendingTaskManagers")))
        assert not prometheus.query('up{app_kubernetes_io_instance="left"}')
        assert not prometheus.firing()

        missing = {"FlinkTaskManagersMissing", "FlinkJobNotRunning"}
        scale(flink, "taskmanager", 0)
        wait_for(lambda: missing <= prometheus.firing(), timeout=180, what=f"{missing} to fire")
        scale(flink, "taskmanager", 1)
        wait_for(lambda: not prometheus.firing(), timeout=180, what="nothing to fire any more")


def expressions(board: str, release: str, namespace: str, absent: Sequence[str]) -> dict[str, str]:
    """The expressions of a dashboard -> the panel that each is of, save for metrics that are `absent` from the release."""
    every = ((text, panel.title) for panel in boards.panels(board, release, namespace) for text, _ in panel.targets)
    return {text: title for text, title in every if not any(metric in text for metric in absent)}


# What the job of these releases does not have: a source that can be behind, and the KDV job's own.
NOT_OF_THE_JAR = ("pendingRecords", "watermarkLag", r"late\\[", r"broken\\[")
NOT_OF_KDV = ("numPendingTaskManagers", "numLateRecordsDropped")


@pytest.mark.full
@pytest.mark.parametrize(
    ("values", "version", "absent"),
    [
        pytest.param(JOB, NEW, ("numPendingTaskManagers",), id="job"),
        pytest.param(merged(JOB, {"flink": {"version": OLD}}), OLD, ("numPendingTaskManagers",), id="job of 1.20"),
        pytest.param(SESSION, NEW, ("numPendingTaskManagers",), id="session"),
        pytest.param(NATIVE, NEW, (), id="native"),
    ],
)
def test_each_panel_shows_something(
    values: Values, version: str, absent: tuple[str, ...], install: Install, cluster: Cluster, namespace: str
) -> None:
    flink = install("shown", FLINK, merged(values, {"flink": {"version": version}}))
    flink.rest.wait_checkpoint(flink.rest.wait_running(jar_job.NAME)["jid"], 2)
    with monitoring.monitoring(cluster, namespace) as prometheus:
        prometheus.wait_scraped(2)
        for board in ("flink-release.json", "flink-releases.json"):
            panels = expressions(board, "shown", namespace, (*NOT_OF_THE_JAR, *absent))
            assert panels
            wait_shown(prometheus, panels)


@pytest.mark.full
def test_records_that_are_late_or_broken_are_told_and_shown(install: Install, cluster: Cluster, namespace: str) -> None:
    """The picture of docs/monitoring.md is what it leaves in .build/pictures."""
    begin = time.time()
    producer = {"rate": 50, "faults": 10}
    flink = install("kdv", DEMO, {"flink": merged(MONITORED, {"flink": {"version": NEW}}), "producer": producer})
    flink.rest.wait_running("kdv")
    with monitoring.monitoring(cluster, namespace) as prometheus:
        prometheus.wait_scraped(2)
        prometheus.wait_fired("FlinkDeadLetters", "FlinkRecordsLate")
        wait_shown(prometheus, expressions("flink-release.json", "kdv", namespace, NOT_OF_KDV))
        stop_producer(cluster, namespace, flink)
        prometheus.wait_resolved("FlinkDeadLetters", "FlinkRecordsLate")
        board = boards.panels("flink-release.json", "kdv", namespace)
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_text(boards.picture(prometheus, board, begin, time.time()))


def wait_shown(prometheus: Monitoring, panels: dict[str, str]) -> None:
    def shown() -> bool:
        if empty := {panel: text for text, panel in panels.items() if not prometheus.query(text)}:
            raise LookupError(f"nothing for {empty}")
        return True

    wait_for(shown, timeout=120, what="data in each panel", interval=2)
