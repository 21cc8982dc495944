"""The contract with the templates: what the coming revision of the release asks for.

`flink.hooks.wanted` in templates/hooks/_wanted.tpl writes it as wanted.json. A field that is missing or unknown is refused, so
that neither side can change alone.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Dict, List, Optional, Type, TypeVar

Json = Dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Program:
    """How the client submits a job of a session."""

    file: str  # its path in the pod that submits
    url: str  # where it is fetched from; empty: it is there already
    sha256: str  # SHA-256 that a fetched file has to have
    sql: bool  # whether it is a file in SQL
    argv: List[str]  # arguments of `flink run` after its own options
    options: Dict[str, str]  # Flink's options for this job alone
    allow_non_restored_state: bool  # start even if the state holds what no operator takes


@dataclass(frozen=True)
class Job:
    """A job: the one of a job release, or one of session.jobs."""

    name: str  # its name in session.jobs; empty in a job release
    specification: str  # hash of what it runs: another one is another job
    upgrade_mode: str  # savepoint, last-state or stateless; empty: as there are directories for it
    state: str  # running or suspended
    from_savepoint: str  # savepoint or checkpoint that the values name; empty: none
    parallelism: int  # what is changed while the job runs, by the adaptive scheduler; 0: another one is another job
    program: Optional[Program]  # None in a job release, whose JobManager starts it


@dataclass(frozen=True)
class Download:
    """The file of a job release, which its JobManager fetches before it starts."""

    url: str
    sha256: str  # SHA-256 that the file has to have


@dataclass(frozen=True)
class Certificates:
    """What the pods of the revision show each other."""

    part: str  # of tls in the values: internal or rest
    secret: str
    host: str  # that the certificate has to be for; empty: any
    clients: bool  # whether clients show it too


@dataclass(frozen=True)
class ZooKeeper:
    quorum: str  # servers, "host:port,host:port"
    secret: str  # Secret with the certificates for them; empty: they speak plain
    path: str  # the release's own path
    bundled: bool  # whether the servers come and go with the release


@dataclass(frozen=True)
class S3:
    """Where the pods keep state, with credentials of a Secret."""

    endpoint: str  # address of the store, without a scheme by HTTPS; empty: AWS
    region: str  # empty: as the endpoint says
    path_style: bool  # whether the bucket is part of the path
    buckets: List[str]
    secret: str  # Secret with the credentials
    keys: List[str]  # what they are called there


@dataclass(frozen=True)
class Wanted:
    type: str  # job or session
    release: str  # Helm's name of the release
    chart: str  # where the chart stands in the release, which may hold several
    name: str  # base name of the objects, and Flink's cluster id
    record: str  # name of the ConfigMap that holds the records
    labels: Dict[str, str]  # labels that all objects of the release have, and always had
    common_labels: Dict[str, str]  # those that the values add
    rest: str  # URL of Flink's REST API
    rest_secret: str  # Secret with the certificates of HTTPS, as far as values name it; empty: none
    certificates: List[Certificates]
    jobmanager_deployment: str
    jobmanager_selector: str  # selects the JobManager's pods
    jobmanager_template: str  # hash of the JobManager's pod template: another one replaces the pod
    jobmanager_specification: str  # hash of what the JobManager's process sees of it
    taskmanager_deployment: str  # empty in native mode
    min_taskmanagers: int  # how many there are at least, where an autoscaler says how many; 0: all of the Deployment
    taskmanager_selector: str  # selects the TaskManagers' pods
    native_taskmanager_selector: str  # selects the pods that Flink makes; empty in standalone mode
    native_taskmanager_template: str  # hash of their template, which they have as a label
    flink_version: str  # major.minor
    state_backend: str
    savepoint_format: str  # CANONICAL or NATIVE
    claims_own_checkpoints: (
        bool  # whether Flink may delete own checkpoints in time; not if flink.config says how it takes state over
    )
    checkpoint_directory: str  # URI; empty: none
    savepoint_directory: str  # URI; empty: none
    claim_directory: str  # path in the pods where checkpoints/ and savepoints/ are files; empty: they are stored elsewhere
    stores: Dict[str, str]  # scheme -> endpoint of the stores that the pods can read
    s3: Optional[S3]  # None: nobody is to be asked
    download: Optional[Download]  # None: the file of the job is there already
    high_availability: str  # none, kubernetes, zookeeper, or other
    zookeeper: Optional[ZooKeeper]
    jobs_kept_in: Dict[str, str]  # where high availability keeps jobs: type, folder, servers and the like; empty without it
    jobs_survive_restart: bool  # whether a JobManager that starts again finds its jobs
    timeout_seconds: float  # for the whole of a hook
    force_conflicts: bool  # whether fields that others changed are no reason to refuse an upgrade
    keep_savepoints: int  # how many savepoints of the schedule are kept
    keep_stop_savepoints: int  # how many savepoints that stopped a job are kept
    jobs: List[Job]
    objects: List[Json]  # all objects of the coming revision
    pods: List[Json]  # pods that no object holds: of hooks that come after the stop, and those that Flink makes

    @property
    def made_labels(self) -> Dict[str, str]:
        """Of what the hooks make: a policy may ask for them."""
        return {**self.common_labels, **self.labels}


def _build(of: Type[T], data: Json, where: str) -> T:
    known = {field.name for field in fields(of)}  # type: ignore[arg-type]
    wrong = [f"{key} is missing" for key in sorted(known - data.keys())]
    wrong += [f"{key} is unknown" for key in sorted(data.keys() - known)]
    if wrong:
        raise ValueError(f"{where}: {'; '.join(wrong)}")
    return of(**data)


def parse(data: Json) -> Wanted:
    """Raises ValueError for what does not fit the contract."""
    parts = dict(data)
    if "jobs" in data:
        parts["jobs"] = [_job(job) for job in data["jobs"]]
    if "certificates" in data:
        parts["certificates"] = [_build(Certificates, one, "certificates") for one in data["certificates"]]
    if "zookeeper" in data:
        parts["zookeeper"] = _build(ZooKeeper, data["zookeeper"], "zookeeper") if data["zookeeper"] else None
    if data.get("s3"):
        parts["s3"] = _build(S3, data["s3"], "s3")
    if data.get("download"):
        parts["download"] = _build(Download, data["download"], "download")
    return _build(Wanted, parts, "wanted.json")


def _job(data: Json) -> Job:
    where = f"job {data.get('name')!r}"
    program = data.get("program")
    built = {"program": _build(Program, program, where)} if program else {}
    return _build(Job, {**data, **built}, where)
