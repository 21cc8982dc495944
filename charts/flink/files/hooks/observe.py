"""What Kubernetes, Flink and the store say about a job now."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass, field, replace
from typing import Any, Dict, Iterable, List, Optional, Set, Tuple

from . import clock, paths
from .clock import Deadline
from .errors import HttpError, Unreachable
from .flink import ENDED, CheckpointConfig, Checkpoints, Flink, Operation, Vertex
from .high_availability import Store
from .kubernetes import COMPONENT, INSTANCE, Kubernetes, was_applied_since
from .record import HALF, NONE, RUNNING, SUBMIT, SUBMITTING, Record
from .wanted import Json, Wanted

# Annotations with what the JobManager runs, of the current chart and of hooks before 0.2.
SPECIFICATION = "flink/specification"
TEMPLATE = "flink/template"
TYPE = "flink/type"
RECORD = "flink/record"
REST = "flink/rest"
FROM_SAVEPOINT = "flink/from-savepoint"
JOBS = "flink/jobs"
JOBS_KEPT_IN = "flink/jobs-kept-in"
PARALLELISM = "flink/parallelism"
MAIN_CONTAINERS = ("jobmanager", "flink-main-container")
# Distinguishes several charts of one release that are this chart under other names.
CHART = "flink/chart"


class Status(enum.Enum):
    RUNNING = "all its tasks run"
    UNHEALTHY = "not all of its tasks run"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    ABSENT = "Flink does not know it"
    UNREACHABLE = "Flink does not answer"


ALIVE = (Status.RUNNING, Status.UNHEALTHY)
OVER = (Status.FINISHED, Status.FAILED, Status.CANCELED)


@dataclass(frozen=True)
class JobManager:
    """The live Deployment of the JobManager."""

    name: str  # another one in standalone than in native mode
    type: str  # job or session
    specification: str
    template: str
    made_by_helm: bool
    is_new: bool  # made a moment ago, by the operation that runs this hook
    volumes: Dict[str, str]  # path in the pods -> what is mounted there
    from_savepoint: str = ""  # the path that its values named
    has_record: bool = False  # whether hooks have made a record of the release
    replicas: int = 1
    without_pods_since: float = 0  # since when its pods cannot be made, in seconds since 1970; 0: they can
    jobs_kept_in: Dict[str, str] = field(default_factory=dict)  # as in wanted.py
    jobs: Optional[Dict[str, str]] = None  # of session.jobs: name -> the path that the values named; None: it does not say
    rest_scheme: str = "http"  # of its REST API
    rest_port: int = 0  # of that; 0: it does not say
    version: str = ""  # "uid generation" of the Deployment: another one after each change of what it asks for
    parallelism: int = 0  # that its values gave the job, if it can be changed while it runs
    is_alone: bool = True  # no second Deployment lives, as while one of standalone mode follows one of native mode

    def volume_of(self, path: str) -> str:
        return volume_of(self.volumes, path)

    @property
    def claims(self) -> Set[str]:
        """Names of the PVCs that its pods mount."""
        return claim_names(self.volumes.values())

    def is_replaced_by(self, wanted: Wanted) -> bool:
        """Whether the coming revision makes another pod of it."""
        return self.template != wanted.jobmanager_template

    def has_named(self, job: str, path: str) -> bool:
        """Whether the values of the revision that runs gave a job of a session this path."""
        return bool(path) and paths.same(path, (self.jobs or {}).get(job, ""))

    def may_have_listed(self, job: str) -> bool:
        """Whether session.jobs of the revision that runs may have had a job of this name."""
        return self.jobs is None or job in self.jobs


@dataclass(frozen=True)
class Observation:
    status: Status
    job: str  # Flink's id of it, which may differ from the record's in its second half
    jobmanager: Optional[JobManager]
    never_ran: bool  # certain: no process of this generation has got as far as to write state of the job
    known_to_store: bool  # high availability brings this generation back where it was
    others: Tuple[Tuple[str, str], ...]  # (id, name) of living jobs that are not this one; in a session, of which no record knows
    ended_others: Tuple[str, ...]  # ids of jobs that have ended
    bounded: Tuple[str, ...]  # pods of a bounded job of this release that run
    checkpoints: Checkpoints
    config: Optional[CheckpointConfig]
    stop: Optional[Operation]  # the end of the stop that the record knows as begun
    failure: str
    claim: str  # UID of the PVC; empty: there is none
    claim_that_goes: str  # name of the PVC with the live release's files, if the coming revision makes Helm delete it
    claim_being_deleted: str  # name of a PVC that lives on in the pods alone, if they would not start without it, or it has state
    renamed_from: str  # the Deployment of the same JobManager under another name, if nameOverride or the like has changed
    stored: Tuple[str, ...] = ()  # jobs that high availability would run, of a release that has neither record nor JobManager
    record_is_gone: bool = False  # the whole ConfigMap, and not only the record of one job
    vertices: Optional[Tuple[Vertex, ...]] = None  # of a job whose parallelism can be changed while it runs
    jobmanager_replaced: bool = False  # a session: the JobManager goes, and its jobs with it

    @property
    def may_complete_what_goes(self) -> bool:
        """Whether the job may complete another checkpoint, which Flink would delete if it were cancelled."""
        return self.status is Status.RUNNING and self.config is not None and not self.config.retained

    @property
    def is_alive(self) -> bool:
        """Whether Flink shows the job, and it has not ended."""
        return self.status in ALIVE


NO_CHECKPOINTS = Checkpoints("", "", "", False, 0)


def observe(
    wanted: Wanted, record: Record, kubernetes: Kubernetes, flink: Flink, store: Store, deadline: Deadline, patience: float
) -> Observation:
    """Ask for up to `patience` seconds until the job runs or has ended, because pods come and go; once without a JobManager."""
    live = jobmanager(wanted, kubernetes)
    if live and live.is_new:
        served = any(was_ready(pod) for pod in kubernetes.pods(wanted.jobmanager_selector))
        live = replace(live, is_new=not served and not _old_claim(live, wanted, kubernetes))
    report = Report(Status.UNREACHABLE, record.job)
    for _ in deadline.ticks(within=patience if live else 0):
        report = ask(flink, record)
        if report.status not in (Status.UNREACHABLE, Status.ABSENT, Status.UNHEALTHY):
            break
        if report.status is Status.ABSENT and live and wanted.type == "job" and live.specification != record.spec:
            break  # the live JobManager is not the one that would know it
    status, job, known = report.status, report.job, report.known
    reachable = status not in (Status.UNREACHABLE, Status.ABSENT)
    return Observation(
        status=status,
        job=job,
        jobmanager=live,
        never_ran=not record.has_run and _never_ran(wanted, record, live, report, kubernetes),
        known_to_store=record.exists and not reachable and store.knows(record.job),
        stored=store.jobs() if not record.exists and (not live or live.is_new) else (),
        others=tuple((one["jid"], one.get("name", "")) for one in known if one["jid"] != job and one["state"] not in ENDED),
        ended_others=tuple(one["jid"] for one in known if one["jid"] != job and one["state"] in ENDED),
        bounded=bounded(wanted, kubernetes) if not live else (),
        checkpoints=report.checkpoints,
        config=report.config,
        stop=report.stop,
        failure=report.failure,
        vertices=report.vertices,
        claim=claim_uid(wanted, kubernetes),
        claim_that_goes=claim_that_goes(wanted, record, live, kubernetes) if live else "",
        claim_being_deleted=claim_being_deleted(wanted, record, live, kubernetes) if live else "",
        renamed_from=renamed_from(wanted, kubernetes),
    )


@dataclass(frozen=True)
class Report:
    """What Flink says of a job: everything, or that it does not answer."""

    status: Status
    job: str
    known: Tuple[Json, ...] = ()
    checkpoints: Checkpoints = NO_CHECKPOINTS
    config: Optional[CheckpointConfig] = None
    stop: Optional[Operation] = None
    failure: str = ""
    vertices: Optional[Tuple[Vertex, ...]] = None


def ask(flink: Flink, record: Record) -> Report:
    """Everything or UNREACHABLE: a request without an answer must not look like an answer that there is nothing."""
    status, job, known = look(flink, record)
    if status in (Status.UNREACHABLE, Status.ABSENT):
        return Report(status, job, tuple(known))
    pending = record.pending.split()
    try:
        if status in OVER:
            # The answer that Flink keeps may be older than the end of the job, and name a checkpoint before its last one.
            clock.sleep(flink.seconds_of_cache())
        checkpoints = flink.checkpoints(job) or _without_checkpoints(flink, job)
        config = flink.checkpoint_config(job)
        stop = flink.operation(job, pending[1]) if pending[:1] == [job] else None
        failure = flink.failure(job)
        vertices = flink.vertices(job) if record.parallelism and status in ALIVE else None
    except (Unreachable, HttpError):
        return Report(Status.UNREACHABLE, record.job)
    return Report(status, job, tuple(known), checkpoints, config, stop, failure, vertices)


def _without_checkpoints(flink: Flink, job: str) -> Checkpoints:
    """Flink answers 404 for a job that takes none, and for one that it no longer knows. Raises Unreachable for the latter."""
    if flink.job(job) is None:
        raise Unreachable(f"the job {job} is gone")
    return NO_CHECKPOINTS


def look(flink: Flink, record: Record) -> Tuple[Status, str, List[Json]]:
    """(status of the job, its id, all jobs that Flink knows)."""
    try:
        known = flink.jobs()
        mine = [job for job in known if record.half and job["jid"].startswith(record.half)]
        if not mine:
            return Status.ABSENT, record.job, known
        job_id = mine[0]["jid"]
        job = flink.job(job_id)
    except (Unreachable, HttpError):
        return Status.UNREACHABLE, record.job, []
    state = mine[0]["state"]
    if state in ENDED:
        return Status[state], job_id, known
    return (Status.RUNNING if job and _runs(mine[0], job) else Status.UNHEALTHY), job_id, known


def _runs(listed: Json, details: Json) -> bool:
    """Whether a job has tasks, and all of them run or are done.

    The list is current, and the details may be as old as web.refresh-interval, 3 s, from before the job had any tasks. A job
    that Flink calls RUNNING may have tasks that fail as soon as they start.
    """
    counts = listed.get("tasks")
    if counts and not 0 < counts["total"] == counts["running"] + counts["finished"]:
        return False
    statuses = {vertex["status"] for vertex in details["vertices"]}
    return listed["state"] == details["state"] == "RUNNING" and bool(statuses) and statuses <= {"RUNNING", "FINISHED"}


def jobmanager(wanted: Wanted, kubernetes: Kubernetes) -> Optional[JobManager]:
    deployments = [kubernetes.deployment(name) for name in jobmanager_names(wanted)]
    living = [one for one in deployments if one and _is_jobmanager(one, wanted)]
    if not living:
        return None
    live = living[0]
    annotations = live["metadata"].get("annotations") or {}
    container = _main(live["spec"]["template"]["spec"])
    # A Deployment with a second revision has run its job before.
    first = annotations.get("deployment.kubernetes.io/revision", "1") == "1"
    conditions = (live.get("status") or {}).get("conditions") or []
    failures = [one for one in conditions if one["type"] == "ReplicaFailure" and one["status"] == "True"]
    return JobManager(
        name=live["metadata"]["name"],
        type=annotations.get(TYPE) or _type_of(container),
        specification=annotations.get(SPECIFICATION, ""),
        template=annotations.get(TEMPLATE, ""),
        from_savepoint=annotations.get(FROM_SAVEPOINT) or _named_in(container),
        has_record=RECORD in annotations,
        made_by_helm=annotations.get("meta.helm.sh/release-name") == wanted.release
        and not was_applied_since(live["metadata"], SPECIFICATION),
        is_new=first and clock.seconds_since(live["metadata"]["creationTimestamp"]) < _NEW_SECONDS,
        volumes=volumes(live["spec"]["template"]["spec"]),
        replicas=live["spec"].get("replicas", 1),
        without_pods_since=min((clock.seconds_of(one["lastTransitionTime"]) for one in failures), default=0),
        jobs=json.loads(annotations.get(JOBS, "null")),
        jobs_kept_in=_jobs_kept_in(annotations.get(JOBS_KEPT_IN), container, wanted),
        rest_scheme=annotations.get(REST, "http"),
        rest_port=next((port["containerPort"] for port in container.get("ports") or [] if port.get("name") == "rest"), 0),
        version=f"{live['metadata'].get('uid', '')} {live['metadata'].get('generation', 0)}",
        parallelism=int(annotations.get(PARALLELISM, 0)),
        is_alone=len(living) == 1,
    )


def _is_jobmanager(deployment: Json, wanted: Wanted) -> bool:
    """Whether it is a live one of this release: one of somebody else may have its name."""
    labels = deployment["spec"]["template"].get("metadata", {}).get("labels") or {}
    ours = (labels.get(INSTANCE), labels.get(COMPONENT)) == (wanted.release, "jobmanager")
    return ours and not deployment["metadata"].get("deletionTimestamp")


def _jobs_kept_in(annotation: Optional[str], container: Json, wanted: Wanted) -> Dict[str, str]:
    """As the Deployment says. One of an older chart, which does not, keeps them where the coming one does, if anywhere."""
    if annotation is None:
        return wanted.jobs_kept_in if any("rpc.address=$(POD_IP)" in argument for argument in container.get("args") or []) else {}
    kept: Dict[str, str] = json.loads(annotation)
    return kept


def rest_of(wanted: Wanted, live: Optional[JobManager]) -> str:
    """URL of the live JobManager's REST API, whose scheme and port may be others than those of the coming one."""
    if not live:
        return wanted.rest
    host, _, port = wanted.rest.partition("://")[2].rpartition(":")
    return f"{live.rest_scheme}://{host}:{live.rest_port or port}"


# The maximum that Helm, kubectl or a GitOps tool takes from the first object to the first hook.
_NEW_SECONDS = 120


def jobmanager_names(wanted: Wanted) -> List[str]:
    """The name of the Deployment in this revision, then its name in the other mode, standalone or native."""
    return sorted({wanted.name, f"{wanted.name}-jobmanager"}, key=lambda name: name != wanted.jobmanager_deployment)


def _main(spec: Json) -> Json:
    """The container that runs Flink."""
    containers: List[Json] = spec.get("containers") or [{}]
    return next((container for container in containers if container.get("name") in MAIN_CONTAINERS), containers[0])


def _named_in(container: Json) -> str:
    """The path from which a JobManager without hooks starts its job."""
    argv: List[str] = [*container.get("command", []), *container.get("args", [])]
    option = "execution.state-recovery.path="
    named = [value for key, value in zip(argv, argv[1:]) if key == "--fromSavepoint"]
    return next(iter(named + [word[len(option) :] for word in argv if word.startswith(option)]), "")


def _old_claim(live: JobManager, wanted: Wanted, kubernetes: Kubernetes) -> bool:
    """Whether the chart's PVC is older than the operation that runs this hook: a release of this name existed before."""
    claims = filter(None, map(kubernetes.claim, live.claims))
    return any(
        _made_by_chart(claim, wanted) and clock.seconds_since(claim["metadata"]["creationTimestamp"]) > _NEW_SECONDS
        for claim in claims
    )


def _type_of(container: Json) -> str:
    """For Deployments of older charts, which do not say it."""
    argv = " ".join([*container.get("command", []), *container.get("args", [])])
    return "job" if any(word in argv for word in ("standalone-job", "job.sh", "kubernetes-application")) else "session"


def volumes(spec: Json) -> Dict[str, str]:
    """Path in the container of a pod -> the volume that is mounted there, as text that can be compared."""
    known = {volume["name"]: volume for volume in spec.get("volumes") or []}
    mounted = {}
    for mount in _main(spec).get("volumeMounts") or []:
        volume = {key: value for key, value in known.get(mount["name"], {}).items() if key != "name"}
        mounted[mount["mountPath"].rstrip("/") or "/"] = json.dumps([_plain(volume), mount.get("subPath", "")], sort_keys=True)
    return mounted


def _plain(value: Any) -> Any:
    """Without what the API server adds."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if key not in ("defaultMode", "type") and one not in (None, "")}
    return value


def volume_of(mounted: Dict[str, str], path: str) -> str:
    """The volume that holds a path, given as a URI; empty if it is no file, or on no volume."""
    scheme, _, plain = paths.split(path)
    if not path or scheme != "file":
        return ""
    holding = [place for place in mounted if (plain + "/").startswith(place.rstrip("/") + "/")]
    return mounted[max(holding, key=len)] if holding else ""


def coming_volumes(wanted: Wanted) -> Dict[str, str]:
    """Those of the coming JobManager."""
    for obj in wanted.objects:
        if obj["kind"] == "Deployment" and obj["metadata"]["name"] == wanted.jobmanager_deployment:
            return volumes(obj["spec"]["template"]["spec"])
    return {}


def claim_name(volume: str) -> str:
    """Name of the PVC behind a volume; empty if there is none."""
    if not volume:
        return ""
    source = json.loads(volume)[0]
    return str((source.get("persistentVolumeClaim") or {}).get("claimName", ""))


def claim_names(of: Iterable[str]) -> Set[str]:
    """Names of the PVCs among volumes."""
    return {claim_name(volume) for volume in of} - {""}


def claim_uid(wanted: Wanted, kubernetes: Kubernetes) -> str:
    """UID of the PVC with the coming release's state; empty if there is none yet."""
    name = claim_name(volume_of(coming_volumes(wanted), wanted.savepoint_directory or wanted.checkpoint_directory))
    live = kubernetes.claim(name) if name else None
    return "" if not live or live["metadata"].get("deletionTimestamp") else live["metadata"].get("uid", "")


def claim_that_goes(wanted: Wanted, record: Record, live: JobManager, kubernetes: Kubernetes) -> str:
    """Helm, and Argo CD with pruning, delete what leaves the manifest, unless the object asks to be kept.

    A Deployment that was applied without a hook's consent may mount another PVC than the one with the state.
    """
    coming = {obj["metadata"]["name"] for obj in wanted.objects if obj["kind"] == "PersistentVolumeClaim"}
    holding = claim_names((record.savepointVolume, record.checkpointVolume))
    for name in sorted((live.claims | holding) - coming):
        claim = kubernetes.claim(name)
        if claim and _made_by_chart(claim, wanted) and not _is_kept(claim):
            return name
    return ""


def claim_being_deleted(wanted: Wanted, record: Record, live: JobManager, kubernetes: Kubernetes) -> str:
    """Kubernetes keeps a PVC that somebody has deleted until the last pod that mounts it has ended."""
    places = (record.savepointDirectory, record.checkpointDirectory, wanted.savepoint_directory, wanted.checkpoint_directory)
    holding = claim_names(live.volume_of(place) for place in places)
    for name in sorted(live.claims & (claim_names(coming_volumes(wanted).values()) | holding)):
        claim = kubernetes.claim(name)
        if claim and claim["metadata"].get("deletionTimestamp"):
            return name
    return ""


def _is_kept(claim: Json) -> bool:
    annotations: Json = claim["metadata"].get("annotations") or {}
    return annotations.get("helm.sh/resource-policy") == "keep"


def _made_by_chart(claim: Json, wanted: Wanted) -> bool:
    return wanted.labels.items() <= (claim["metadata"].get("labels") or {}).items()


def renamed_from(wanted: Wanted, kubernetes: Kubernetes) -> str:
    """Name of the release's JobManager before nameOverride or the like has changed; a suspended job has a Deployment as well."""
    for deployment in kubernetes.deployments(f"{COMPONENT}=jobmanager"):
        annotations = deployment["spec"]["template"]["metadata"].get("annotations") or {}
        name = str(deployment["metadata"]["name"])
        ours = _is_jobmanager(deployment, wanted) and annotations.get(CHART) == wanted.chart
        if ours and name not in jobmanager_names(wanted):
            return name
    return ""


def pods_of(pods: List[Json], spec: str) -> List[Json]:
    return [pod for pod in pods if specification(pod) == spec]


def serving(pods: List[Json]) -> Optional[Json]:
    """A pod that has served REST; None if such pods differ in what they run. Their Deployment may be another one by now."""
    served = [pod for pod in pods if was_ready(pod)]
    return served[0] if len({specification(pod) for pod in served}) == 1 else None


def specification(pod: Json) -> str:
    return str((pod["metadata"].get("annotations") or {}).get(SPECIFICATION, ""))


# The maximum between the start of a pod and its first conditions: later ones have changed.
_FIRST_STATUS_SECONDS = 3


def is_ready(pod: Json) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in (pod.get("status") or {}).get("conditions") or [])


def was_ready(pod: Json) -> bool:
    """Whether its JobManager has ever served REST."""
    status = pod.get("status") or {}
    ready = next((one for one in status.get("conditions") or [] if one["type"] == "Ready"), None)
    if not ready or not status.get("startTime"):
        return False
    changed = clock.seconds_of(ready["lastTransitionTime"]) > clock.seconds_of(status["startTime"]) + _FIRST_STATUS_SECONDS
    return ready["status"] == "True" or changed


def _never_ran(wanted: Wanted, record: Record, live: Optional[JobManager], report: Report, kubernetes: Kubernetes) -> bool:
    """Whether it is certain that no process has written state of this generation, which was never seen running."""
    if report.status in (Status.RUNNING, Status.FINISHED):
        return False
    if report.status not in (Status.UNREACHABLE, Status.ABSENT):
        return _has_written_nothing(record, report.checkpoints)
    if wanted.type == "session":
        return record.pending == SUBMIT or _never_arrived(wanted, record, report, kubernetes)
    return _never_ran_unseen(wanted, record, live, report.status, kubernetes)


def _has_written_nothing(record: Record, checkpoints: Checkpoints) -> bool:
    """Whether no state of the job is known: a JobManager that was restarted does not tell of its savepoints any more."""
    known = (checkpoints.newest, checkpoints.restored, *record.savepoints, *record.stops)
    return not checkpoints.in_memory and not any(is_half_of(record.job, path) for path in known)


def _never_ran_unseen(wanted: Wanted, record: Record, live: Optional[JobManager], status: Status, kubernetes: Kubernetes) -> bool:
    """The same for a job that Flink does not list."""
    if record.is_replaced:
        return True
    if not live:
        # One that was made and deleted meanwhile may have run it, which only high availability remembers.
        lately = clock.now_seconds() < record.startBy or _is_remembered(wanted)
        return (record.deployment == NONE and lately) or _failed_lately(record)
    if not live.is_alone:
        return False
    if live.specification != record.spec:
        # What should have run it was never created, if nothing has changed since.
        return record.deployment == live.version or _failed_lately(record)
    if live.replicas == 0 and record.deployment == live.version:
        return True
    pods = pods_of(kubernetes.pods(wanted.jobmanager_selector), record.spec)
    free = [pod for pod in pods if pod["metadata"]["uid"] not in record.barred]
    if pods and not free:
        return True
    # A pod that is younger may not be the first one to run it.
    first = record.startBy or float("inf")
    if free and all(not was_ready(pod) and clock.seconds_of(pod["metadata"]["creationTimestamp"]) < first for pod in free):
        return True
    return _failed(record, live, status, free)


def _is_remembered(wanted: Wanted) -> bool:
    """Whether what high availability stores outlives the JobManager and all that Helm has made."""
    return wanted.high_availability == "kubernetes" or (wanted.zookeeper is not None and not wanted.zookeeper.bundled)


def _failed(record: Record, live: JobManager, status: Status, pods: List[Json]) -> bool:
    """Whether an operation waited for this generation without success, and nothing can have run it since."""
    if _failed_lately(record):
        # One that is ready, but does not answer, may run the job by now.
        return status is Status.ABSENT or not any(is_ready(pod) for pod in pods)
    end = _end_of_failure(record)
    if not end:
        return False
    if not pods:
        return 0 < live.without_pods_since < end
    return all(_never_ready_since(pod, end) or (status is Status.ABSENT and _runs_since(pod, end)) for pod in pods)


# A rollback that follows at once.
_SLACK_SECONDS = 120


def _end_of_failure(record: Record) -> int:
    """Until when an operation waited for this generation without success, and a while more; 0: none did."""
    generation, _, until = record.failed.partition(" ")
    return int(until) + _SLACK_SECONDS if generation == str(record.generation) else 0


def _failed_lately(record: Record) -> bool:
    return clock.now_seconds() < _end_of_failure(record)


def may_have_run(record: Record) -> bool:
    """Whether a generation that was never seen running may have run all the same, now that its JobManager is gone."""
    unseen = record.exists and record.state == RUNNING and not record.has_run
    return unseen and record.pending != SUBMIT and not record.is_replaced and not _failed_lately(record)


def _never_ready_since(pod: Json, moment: float) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    ready = next((one for one in conditions if one["type"] == "Ready"), None)
    return ready is not None and ready["status"] != "True" and clock.seconds_of(ready["lastTransitionTime"]) < moment


def _runs_since(pod: Json, moment: float) -> bool:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    states = [status.get("state") or {} for status in statuses if status["name"] in MAIN_CONTAINERS]
    return bool(states) and all("running" in one and clock.seconds_of(one["running"]["startedAt"]) < moment for one in states)


# Flink forgets an ended job after an hour, by its default (jobstore.expiration-time).
_REMEMBERED_SECONDS = 3000


def _never_arrived(wanted: Wanted, record: Record, report: Report, kubernetes: Kubernetes) -> bool:
    """Whether the JobManager, which has not restarted since a session job was submitted, does not know that job."""
    pending = record.pending.split()
    if pending[:1] != [SUBMITTING] or report.status is not Status.ABSENT or clock.seconds_since(pending[1]) > _REMEMBERED_SECONDS:
        return False
    starts = [_started(pod) for pod in kubernetes.pods(wanted.jobmanager_selector)]
    return bool(starts) and all(start and clock.seconds_of(start) < clock.seconds_of(pending[1]) for start in starts)


def _started(pod: Json) -> str:
    """When Flink's container in a pod was last started; empty while it does not run."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    states = [one.get("state") or {} for one in statuses if one["name"] in MAIN_CONTAINERS]
    return str((states[0].get("running") or {}).get("startedAt", "")) if states else ""


def bounded(wanted: Wanted, kubernetes: Kubernetes) -> Tuple[str, ...]:
    """Pods of a bounded job of this release that run."""

    def of_a_job(pod: Json) -> bool:
        return any(owner["kind"] == "Job" for owner in pod["metadata"].get("ownerReferences") or [])

    pods = kubernetes.pods(wanted.jobmanager_selector)
    return tuple(
        pod["metadata"]["name"] for pod in pods if of_a_job(pod) and pod["status"].get("phase") in ("Pending", "Running")
    )


def is_half_of(job: str, path: str) -> bool:
    """Whether a path was written by a job, under any of its ids. `flink stop` puts six digits of it into the name."""
    if not job:
        return False
    parts = path.rstrip("/").split("/")
    return any(part.startswith(job[:HALF]) for part in parts) or parts[-1].startswith(f"savepoint-{job[:6]}-")


def wrote_nothing(record: Record, seen: Observation) -> bool:
    """Whether the newest state is older than this generation: it never ran, or has written none since its start."""
    stuck = seen.status in (Status.UNHEALTHY, Status.FAILED, Status.CANCELED) and not seen.stop
    return seen.never_ran or (stuck and _has_written_nothing(record, seen.checkpoints))
