"""Renders the objects of a revision, and the contract of its hooks (`flink.hooks.wanted`), from the model's values."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.model.values import SessionJob, Values

Json = dict[str, Any]

NAMESPACE = "n"
MOUNT = "/flink-data"
SECONDS = 120  # hooks.timeoutSeconds
MORE = 0


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Process:
    """What Flink and the start script see in a pod of the JobManager."""

    release: str
    type: str
    native: bool
    program: int
    backend: str
    checkpoints: str
    savepoints: str
    ha_directory: str
    high_availability: str
    claim_directory: str
    flink_version: str
    retained: int
    retained_on_cancellation: bool
    schemes: tuple[str, ...]
    adaptive: bool
    parallelism: int  # MORE: the record tells it
    taskmanager_template: str  # in native mode


@dataclass
class Manifest:
    """A revision as Helm stores it."""

    values: Values
    objects: list[Json]
    wanted: Json
    events: dict[str, str] = field(default_factory=dict)


def folder(release: str, values: Values, part: str) -> str:
    if part == "savepoints" and not values.savepoints:
        return ""
    if values.root:
        return f"{values.root}/{NAMESPACE}/{release}/{part}"
    return f"file://{MOUNT}/{release}/{part}" if values.storage else ""


def claim_directory(release: str, values: Values) -> str:
    checkpoints = folder(release, values, "checkpoints")
    return checkpoints.removeprefix("file://").removesuffix("/checkpoints") if checkpoints.startswith("file://") else ""


def claim_name(release: str, values: Values) -> str:
    return values.existing_claim or f"{release}-data"


def jobmanager_name(release: str, values: Values) -> str:
    """Of its Deployment."""
    return release if values.mode == "native" else f"{release}-jobmanager"


def scales(values: Values, parallelism: int) -> int:
    """The parallelism to which a job is changed while it runs; 0: another one is another job."""
    return parallelism if values.adaptive and parallelism > 1 else 0


def process(release: str, values: Values) -> Process:
    # Plugins are linked for what the values name.
    schemes = {uri.split(":")[0] for uri in (values.root, values.from_savepoint) if "://" in uri} - {"file"}
    return Process(
        release=release,
        type=values.type,
        native=values.mode == "native",
        program=values.program if values.type == "job" else 0,
        backend=values.backend,
        checkpoints=folder(release, values, "checkpoints"),
        savepoints=folder(release, values, "savepoints"),
        ha_directory=folder(release, values, "ha") if values.high_availability != "none" else "",
        high_availability=values.high_availability,
        claim_directory=claim_directory(release, values),
        flink_version=values.flink_version,
        retained=values.retained,
        retained_on_cancellation=values.retained_on_cancellation,
        schemes=tuple(sorted(schemes)),
        adaptive=values.adaptive,
        parallelism=MORE if scales(values, values.parallelism) else values.parallelism,
        taskmanager_template=digest([values.taskmanager, values.flink_version]) if values.mode == "native" else "",
    )


def kept_in(ours: Process) -> Json:
    """Where high availability keeps jobs."""
    available = ours.high_availability != "none"
    return {"type": ours.high_availability, "folder": ours.ha_directory} if available else {}


def render(release: str, values: Values, *, by_helm: bool = True) -> Manifest:
    ours = process(release, values)
    volumes: list[Json] = []
    mounts: list[Json] = []
    if values.storage:
        volumes.append({"name": "data", "persistentVolumeClaim": {"claimName": claim_name(release, values)}})
        mounts.append({"name": "data", "mountPath": MOUNT})
    specification = digest([asdict(ours), volumes])
    template = digest([specification, values.startup_seconds])
    carried = values.type == "job"
    replicas = 0 if carried and values.state == "suspended" else 1

    def labels(component: str) -> Json:
        return {
            "app.kubernetes.io/name": "flink",
            "app.kubernetes.io/instance": release,
            "app.kubernetes.io/component": component,
        }

    helms = {"meta.helm.sh/release-name": release} if by_helm else {}

    def deployment(component: str, annotations: Json, marks: Json, env: list[Json]) -> Json:
        container = {"name": component, "args": ["standalone-job" if carried else component], "env": env, "volumeMounts": mounts}
        extra = {"extra": values.label} if values.label else {}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": jobmanager_name(release, values) if component == "jobmanager" else f"{release}-{component}",
                "labels": {**labels(component), **extra},
                "annotations": {**helms, **annotations},
            },
            "spec": {
                "replicas": replicas,
                "template": {
                    "metadata": {"labels": labels(component), "annotations": marks},
                    "spec": {"containers": [container], "volumes": volumes},
                },
            },
        }

    objects: list[Json] = []
    if values.storage and not values.existing_claim:
        kept = {"helm.sh/resource-policy": "keep"} if values.keep else {}
        metadata = {"name": f"{release}-data", "labels": labels("data"), "annotations": {**helms, **kept}}
        objects.append({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata})
    env = [{"name": "PROCESS", "value": json.dumps(asdict(ours))}, {"name": "JOB_SPECIFICATION", "value": specification}]
    marks = {"flink/specification": specification, "flink/chart": "flink/templates", "seconds": str(values.startup_seconds)}
    objects.append(
        deployment(
            "jobmanager",
            {
                "flink/specification": specification,
                "flink/template": template,
                "flink/type": values.type,
                "flink/jobs-kept-in": json.dumps(kept_in(ours)),
                "flink/record": f"{release}-record",
                "flink/parallelism": str(scales(values, values.parallelism)),
                "flink/jobs": json.dumps({job.name: job.from_savepoint for job in values.jobs}),
            },
            marks,
            env,
        )
    )
    if values.mode == "standalone":
        with_jobmanager = {"flink/jobmanager-template": template} if carried and values.high_availability == "none" else {}
        marks = {**with_jobmanager, "taskmanager": f"{values.taskmanager} {values.flink_version}"}
        objects.append(deployment("taskmanager", {}, marks, []))
    return Manifest(values, objects, _wanted(release, values, ours, specification, template, objects), _events(values))


def _events(values: Values) -> dict[str, str]:
    events = {"before": "before", "before-rollback": "before-rollback", "after-uninstall": "after-uninstall"}
    if values.type == "job" or values.jobs or values.mode == "native":
        events |= {"after": "after", "after-rollback": "after-rollback"}
    if values.type == "job" and values.savepoint_on_uninstall:
        events["before-uninstall"] = "before-uninstall"
    return events


def _session_job(values: Values, job: SessionJob) -> Json:
    scaled = scales(values, job.parallelism)
    program = {
        "file": "/opt/job.jar",
        "url": "",
        "sha256": "",
        "sql": False,
        "argv": ["/opt/job.jar", str(job.program)],
        "options": {"pipeline.name": job.name, "parallelism.default": str(job.parallelism)},
        "allow_non_restored_state": False,
    }
    return {
        "name": job.name,
        "specification": digest([job.name, job.program, values.flink_version, not scaled and job.parallelism]),
        "upgrade_mode": "",
        "state": "running",
        "from_savepoint": job.from_savepoint,
        "parallelism": scaled,
        "program": program,
    }


def _wanted(release: str, values: Values, ours: Process, specification: str, template: str, objects: list[Json]) -> Json:
    native = values.mode == "native"
    job = {
        "name": "",
        "specification": specification,
        "upgrade_mode": values.upgrade_mode,
        "state": values.state,
        "from_savepoint": values.from_savepoint,
        "parallelism": scales(values, values.parallelism),
        "program": None,
    }
    session = values.type == "session"

    def selector(component: str) -> str:
        named = f"app.kubernetes.io/component={component},app.kubernetes.io/instance={release}"
        return f"{named},app.kubernetes.io/name=flink"

    on_claim = values.storage and ours.claim_directory.startswith(f"{MOUNT}/")
    return {
        "type": values.type,
        "release": release,
        "chart": "flink/templates",
        "name": release,
        "record": f"{release}-record",
        "labels": {"app.kubernetes.io/name": "flink", "app.kubernetes.io/instance": release},
        "common_labels": {},
        "rest": f"http://{release}-rest:8081",
        "rest_secret": "",
        "certificates": [],
        "jobmanager_deployment": jobmanager_name(release, values),
        "jobmanager_selector": selector("jobmanager"),
        "jobmanager_template": template,
        "jobmanager_specification": specification,
        "taskmanager_deployment": "" if native else f"{release}-taskmanager",
        "min_taskmanagers": 0,
        "taskmanager_selector": selector("taskmanager"),
        "native_taskmanager_selector": selector("taskmanager") if native else "",
        "native_taskmanager_template": ours.taskmanager_template,
        "flink_version": values.flink_version,
        "state_backend": values.backend,
        "savepoint_format": "NATIVE" if values.backend == "forst" else "CANONICAL",
        "claims_own_checkpoints": True,
        "checkpoint_directory": ours.checkpoints,
        "savepoint_directory": ours.savepoints,
        "claim_directory": ours.claim_directory if not session or on_claim else "",
        "stores": {"hdfs": "", **dict.fromkeys(ours.schemes, "")},
        "s3": None,
        "download": None,
        "high_availability": values.high_availability,
        "zookeeper": None,
        "jobs_kept_in": kept_in(ours),
        "jobs_survive_restart": values.high_availability != "none",
        "timeout_seconds": SECONDS,
        "keep_savepoints": 3,
        "keep_stop_savepoints": 3,
        "force_conflicts": False,
        "jobs": [_session_job(values, one) for one in values.jobs] if session else [job],
        "objects": objects,
        "pods": [],
    }
