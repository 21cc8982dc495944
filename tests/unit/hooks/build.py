"""A release whose job runs, as the hooks see it; tests say only what is different.

Its specification is `a`, its state lies on the claim `data`, and its JobManager's Deployment is `r-jobmanager`.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from hooks import observe
from hooks.flink import CheckpointConfig, Checkpoints, Operation, Vertex
from hooks.observe import NO_CHECKPOINTS, JobManager, Observation, Status
from hooks.record import Record
from hooks.wanted import Job, Program, Wanted, ZooKeeper

JOB, FORMER, OTHER = "a" * 32, "b" * 32, "c" * 32
CLAIM = "/flink-data/r"
CHECKPOINTS, SAVEPOINTS = f"file://{CLAIM}/checkpoints", f"file://{CLAIM}/savepoints"
CHECKPOINT = f"{CHECKPOINTS}/{JOB}/chk-7"
S3 = {
    "checkpoint_directory": "s3://b/checkpoints",
    "savepoint_directory": "s3://b/savepoints",
    "claim_directory": "",
    "stores": {"s3": ""},
}
S3_RECORD = {
    "checkpointDirectory": "s3://b/checkpoints",
    "savepointDirectory": "s3://b/savepoints",
    "savepointVolume": "",
    "checkpointVolume": "",
    "claim": "",
    "stores": ("hdfs=", "s3="),
}
MINUTES_AGO = "2020-01-01T00:00:00Z"
# What a renamed release has in place of r-....
RENAMED: dict[str, Any] = {
    "name": "x",
    "record": "x-record",
    "jobmanager_deployment": "x-jobmanager",
    "taskmanager_deployment": "x-taskmanager",
}


def deployment(claim: str = "data", name: str = "r-jobmanager", **metadata: Any) -> dict[str, Any]:
    """A Deployment with a pod that mounts the claim, or none; all of its pods are there."""
    mounts = [{"name": "data", "mountPath": "/flink-data"}] if claim else []
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}] if claim else []
    pod = {"containers": [{"name": "jobmanager", "args": ["start-job.sh"], "volumeMounts": mounts}], "volumes": volumes}
    counts = dict.fromkeys(("observedGeneration", "replicas", "updatedReplicas", "readyReplicas"), 1)
    labels = {
        "app.kubernetes.io/instance": "r",
        "app.kubernetes.io/component": "taskmanager" if name.endswith("taskmanager") else "jobmanager",
    }
    about = {"name": name, "generation": 1, "creationTimestamp": MINUTES_AGO, "labels": labels, **metadata}
    template_metadata = {"labels": labels, "annotations": {"flink/chart": "flink/templates"}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": about,
        "spec": {"replicas": 1, "template": {"metadata": template_metadata, "spec": pod}},
        "status": counts,
    }


def job(**changes: Any) -> Job:
    given: dict[str, Any] = {
        "name": "",
        "specification": "b",
        "upgrade_mode": "savepoint",
        "state": "running",
        "from_savepoint": "",
        "parallelism": 0,
        "program": None,
    }
    return Job(**{**given, **changes})


def program(**changes: Any) -> Program:
    given: dict[str, Any] = {
        "file": "/a.jar",
        "url": "",
        "sha256": "",
        "sql": False,
        "argv": ["/a.jar"],
        "options": {},
        "allow_non_restored_state": False,
    }
    return Program(**{**given, **changes})


def pod(component: str = "jobmanager", uid: str = "uid-1", specification: str = "a", **status: Any) -> dict[str, Any]:
    """One that was made in the year 2026."""
    labels, made = {"component": component}, "2026-01-01T00:00:00Z"
    metadata = {"name": f"r-{component}-{uid}", "uid": uid, "labels": labels, "creationTimestamp": made}
    return {"metadata": {**metadata, "annotations": {"flink/specification": specification}}, "status": status}


def wanted(**changes: Any) -> Wanted:
    """The coming revision: another specification of the job. `claim` is the one that its pods mount."""
    claim = changes.pop("claim", "data")
    given: dict[str, Any] = {
        "type": "job",
        "release": "r",
        "chart": "flink/templates",
        "name": "r",
        "record": "r-record",
        "labels": {"app": "r"},
        "common_labels": {},
        "rest": "http://r-rest:8081",
        "rest_secret": "",
        "certificates": [],
        "jobmanager_deployment": "r-jobmanager",
        "jobmanager_selector": "component=jobmanager",
        "jobmanager_template": "t2",
        "jobmanager_specification": "b",
        "taskmanager_deployment": "r-taskmanager",
        "min_taskmanagers": 0,
        "taskmanager_selector": "component=taskmanager",
        "native_taskmanager_selector": "",
        "native_taskmanager_template": "n2",
        "flink_version": "2.2",
        "state_backend": "hashmap",
        "savepoint_format": "CANONICAL",
        "claims_own_checkpoints": True,
        "checkpoint_directory": CHECKPOINTS,
        "savepoint_directory": SAVEPOINTS,
        "claim_directory": CLAIM,
        "stores": {},
        "s3": None,
        "download": None,
        "high_availability": "none",
        "zookeeper": None,
        "jobs_kept_in": {},
        "jobs_survive_restart": False,
        "timeout_seconds": 30,
        "keep_savepoints": 2,
        "keep_stop_savepoints": 2,
        "force_conflicts": False,
        "jobs": [job()],
        "objects": [deployment(claim)],
        "pods": [],
    }
    return Wanted(**{**given, **changes})


def volume(claim: str = "data") -> str:
    """What is mounted where the state lies."""
    return observe.volume_of(observe.volumes(deployment(claim)["spec"]["template"]["spec"]), SAVEPOINTS)


def record(**changes: Any) -> Record:
    """The first generation, which was seen running."""
    given: dict[str, Any] = {
        "generation": 1,
        "confirmed": 1,
        "job": JOB,
        "ids": (JOB,),
        "spec": "a",
        "state": "running",
        "savepointDirectory": SAVEPOINTS,
        "checkpointDirectory": CHECKPOINTS,
        "savepointVolume": volume(),
        "checkpointVolume": volume(),
        "claim": "uid",
        "backend": "hashmap",
        "flinkVersion": "2.2",
    }
    used = changes.pop("used", "")
    return Record(**{**given, **changes}).with_used(used)


NO_RECORD = {field.name: field.default for field in fields(Record)}


def jobmanager(**changes: Any) -> JobManager:
    given: dict[str, Any] = {
        "name": "r-jobmanager",
        "type": "job",
        "specification": "a",
        "template": "t1",
        "made_by_helm": True,
        "has_record": True,
        "is_new": False,
        "volumes": observe.volumes(deployment()["spec"]["template"]["spec"]),
    }
    return JobManager(**{**given, **changes})


def checkpoints(newest: str = CHECKPOINT, **changes: Any) -> Checkpoints:
    return replace(NO_CHECKPOINTS, newest=newest, **changes)


def retained(kept: bool = True) -> CheckpointConfig:
    return CheckpointConfig(timeout_seconds=20, retained=kept)


def vertices(*upper: int, maximum: int = 128) -> tuple[Vertex, ...]:
    """v0, v1 and so on with their upper bounds."""
    return tuple(Vertex(f"v{number}", 1, one, f"v{number}", one, maximum) for number, one in enumerate(upper))


def stopped(location: str = "", failure: str = "", ended: bool = True) -> Operation:
    return Operation(ended, location, failure)


def seen(status: str = "RUNNING", **changes: Any) -> Observation:
    """What is there now: a job that runs, with a checkpoint."""
    answers = status not in ("ABSENT", "UNREACHABLE")
    given: dict[str, Any] = {
        "job": JOB,
        "jobmanager": jobmanager(),
        "never_ran": False,
        "known_to_store": False,
        "others": (),
        "ended_others": (),
        "bounded": (),
        "checkpoints": checkpoints() if answers else NO_CHECKPOINTS,
        "config": retained() if answers else None,
        "stop": None,
        "failure": "",
        "claim": "uid",
        "claim_that_goes": "",
        "claim_being_deleted": "",
        "renamed_from": "",
    }
    return Observation(status=Status[status], **{**given, **changes})


def wanted_zookeeper(**changes: Any) -> ZooKeeper:
    return ZooKeeper(**{"bundled": False, "secret": "", **changes})
