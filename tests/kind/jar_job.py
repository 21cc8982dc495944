"""A job from a jar that ships with Flink and checkpoints often, for tests that look at states and not at rows."""

from __future__ import annotations

from typing import Any

from ci.core.console import run
from ci.core.paths import FLINK
from ci.kubernetes import tools
from harness.helm import merged
from harness.release import FlinkRelease
from harness.waits import wait_for
from tests.kind.installs import Install

Values = dict[str, Any]
NAME = "CarTopSpeedWindowingExample"

VALUES: Values = {
    "flink": {"type": "job"},
    "job": {"jar": {"file": "/opt/flink/examples/streaming/TopSpeedWindowing.jar"}},
    "state": {"checkpointing": {"interval": "2 s"}},
    "taskmanager": {"slots": 1},
    "hooks": {"timeoutSeconds": 150},
}


def values(**changes: Any) -> Values:
    """The values of the job with others; mappings are merged at every depth."""
    return merged(VALUES, changes)


def another(base: Values, word: str = "another") -> Values:
    """Values that change what the JobManager's process sees, and nothing of the job's state."""
    return merged(base, {"jobmanager": {"extraEnv": [{"name": "WORD", "value": word}]}})


def started(install: Install, name: str, job_values: Values) -> FlinkRelease:
    """The release, its job with two checkpoints."""
    flink = install(name, FLINK, job_values)
    flink.rest.wait_checkpoint(running(flink), 2)
    return flink


def running(flink: FlinkRelease) -> str:
    """Flink's id of the only job that lives, once it runs."""
    job: str = flink.rest.wait_running(NAME)["jid"]
    return job


def newest(flink: FlinkRelease) -> int:
    """The number of the newest completed checkpoint."""
    return int(flink.rest.checkpoints(running(flink))["latest"]["completed"]["id"])


def restored(flink: FlinkRelease) -> Values:
    """What the job that runs was restored from: id, external_path; {} if it started from nothing."""
    checkpoint: Values | None = flink.rest.checkpoints(running(flink))["latest"]["restored"]
    return checkpoint or {}


def record(flink: FlinkRelease) -> dict[str, str]:
    data = flink.cluster.core.read_namespaced_config_map(f"{flink.name}-flink-record", flink.namespace).data
    return dict(data or {})


def savepoint(flink: FlinkRelease, name: str) -> str:
    """The path of a savepoint that is taken by hand as docs/upgrade.md says."""
    kubectl = tools.kubectl(flink.cluster.kubeconfig, f"--namespace={flink.namespace}")
    run([*kubectl, "create", "job", name, f"--from=cronjob/{flink.name}-flink-savepoint"])

    def taken() -> str:
        return record(flink).get("savepoints", "").strip()

    return str(wait_for(taken, timeout=90, what="the savepoint"))


def scale_jobmanager(flink: FlinkRelease, replicas: int) -> None:
    body = {"spec": {"replicas": replicas}}
    flink.cluster.apps.patch_namespaced_deployment(f"{flink.name}-flink-jobmanager", flink.namespace, body)
    if replicas == 0:
        gone = "the JobManager to go"
        wait_for(lambda: not flink.cluster.pods(flink.namespace, flink.selector("jobmanager")), timeout=60, what=gone)
