"""JobManagers with their jobs, and what high availability keeps of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tests.model import start_job
from tests.model.chart import Process
from tests.model.store import State

if TYPE_CHECKING:
    from tests.model.world import World

Json = dict[str, Any]

ENDED = ("FINISHED", "FAILED", "CANCELED")
JVM, INTERVAL, SAVEPOINT, REGISTER = 3.0, 5.0, 1.5, 2.0  # seconds
REFRESH = 3.0  # how old what REST says of checkpoints may be
OWN = 7  # parallelism that the program gives a vertex, and no test its job
NO_PATH = "<checkpoint-not-externally-addressable>"


@dataclass
class Operation:
    """A savepoint; `stops` the job."""

    trigger: str
    directory: str
    stops: bool
    native: bool
    ready: float
    location: str = ""
    failure: str = ""

    @property
    def ended(self) -> bool:
        return bool(self.location or self.failure)


@dataclass
class Job:
    id: str
    name: str  # of the life that it leads, see ledger.py
    program: int
    backend: str
    restored: str  # URI
    rows: int = 0
    number: int = 1  # of the next checkpoint
    state: str = "RUNNING"
    runs_from: float = 0
    last: float = 0  # when the last checkpoint was
    began: float = 0
    checkpoints: list[tuple[int, str, int]] = field(default_factory=list)  # number, URI, rows
    restored_number: int = 0
    stopped_with: str = ""
    operations: dict[str, Operation] = field(default_factory=dict)
    retained: bool = True
    stranger: bool = False
    parallelism: int = 1
    upper: int = 1  # what the adaptive scheduler makes of it when a checkpoint is complete
    stuck: bool = False  # its tasks cannot read the state, and are restarted for ever

    @property
    def alive(self) -> bool:
        return self.state not in ENDED


class RestoreFailed(Exception):
    """No job can be started from there."""


@dataclass
class Log:
    """What a pod keeps when its container starts again."""

    generation: str = ""
    has_completed: bool = False
    has_finished: bool = False


@dataclass
class JobManager:
    """A process of the JobManager, as long as its container lives."""

    pod: str
    process: Process
    specification: str
    mounts: dict[str, str]
    state: str = "script"  # script, starting, up
    hindrance: str = ""
    up_at: float = 0
    start: start_job.Start | None = None
    start_id: str = ""
    jobs: dict[str, Job] = field(default_factory=dict)
    log: Log = field(default_factory=Log)
    shown: dict[str, tuple[float, Json]] = field(default_factory=dict)  # job -> what REST says of its checkpoints, and since when

    @property
    def settings(self) -> start_job.Settings:
        process = self.process
        available = process.high_availability != "none"
        return start_job.Settings(
            self.specification,
            available,
            process.claim_directory,
            process.retained,
            self.log.generation,
            self.log.has_completed,
            self.log.has_finished,
            self.pod,
        )

    # Its start

    def tick(self, world: World) -> None:
        if self.state == "script":
            self._script(world)
        if self.state == "starting" and world.now >= self.up_at:
            self._come_up(world)
        if self.state == "up":
            for job in list(self.jobs.values()):
                if job.alive:
                    self._run(world, job)

    def _script(self, world: World) -> None:
        if self.process.type == "session":
            self.state, self.up_at = "starting", world.now + JVM
            return
        record = world.record(self.process.release)
        files = world.files_seen(self.mounts)
        mark = world.store.place(f"file://{self.process.claim_directory}/started", self.mounts)
        settings = replace(self.settings, now=world.now, was_here=mark in world.store.marks)
        self.hindrance = world.rules.hindrance(record, settings, files)
        if self.hindrance:
            if record.get("state") == "finished":
                self.state, self.up_at = "starting", world.now + JVM  # without a job
            return
        self.start = world.rules.decide(record, self.settings, files)
        for path in self.start.deleted:
            world.store.delete(world.store.place(f"file://{path}", self.mounts), by=self.process.release)
        if mark:
            world.store.marks.add(mark)
        self.start_id = record["job"]
        self.log.generation = record.get("generation", "")
        if self.process.high_availability == "none":
            self.start_id = self.start_id[:16] + world.token(8)
        self.state, self.up_at = "starting", world.now + JVM

    def _come_up(self, world: World) -> None:
        self.state = "up"
        try:
            graphs = self._graphs(world)
            for job_id, graph in graphs.items():
                if not self._has_ended(world, job_id):
                    self._recover(world, job_id, graph)
            if self.start and self.start_id not in graphs and not self._has_ended(world, self.start_id):
                graph = {
                    "name": "",
                    "program": self.process.program,
                    "restore": self.start.restore,
                    "claims": self.start.claims,
                    "parallelism": self.start.parallelism or self.process.parallelism,
                    "version": self.process.flink_version,
                }
                self.submit(world, self.start_id, graph)
        except RestoreFailed as failure:
            if self.process.high_availability != "none" and self.start:
                self._mark_ended(world, self.start_id)
            world.crash(self.pod, str(failure))

    def _recover(self, world: World, job_id: str, graph: Json) -> None:
        try:
            self._begin(world, job_id, graph)
        except RestoreFailed:
            if self.process.type == "job" or graph["version"] != self.process.flink_version:
                raise
            failed = Job(job_id, f"{self.process.release}/{graph['name']}", graph["program"], "", graph["restore"])
            self.jobs[job_id] = failed
            self.end(world, failed, "FAILED")

    def submit(self, world: World, job_id: str, graph: Json) -> None:
        if self.process.high_availability != "none":
            world.kubernetes_patch(f"{self.process.release}-cluster-config-map", {f"jobGraph-{job_id}": json.dumps(graph)})
        self._begin(world, job_id, graph)

    def _begin(self, world: World, job_id: str, graph: Json) -> None:
        if graph["version"] != self.process.flink_version:
            raise RestoreFailed("the program was stored by another Flink")
        pointers = self._pointers(world, job_id)
        restore, claims = (pointers[-1][1], True) if pointers else (graph["restore"], graph["claims"])
        name = f"{self.process.release}/{graph['name']}"
        job = Job(job_id, name, graph["program"], self.process.backend, restore)
        job.retained = self.process.retained_on_cancellation
        job.began = world.now
        job.parallelism = job.upper = graph.get("parallelism", 1)
        if not job.parallelism:
            world.ledger.fault("nobody tells the JobManager the parallelism of its job")
        if restore:
            state = world.store.read(world.store.place(restore, self.mounts))
            if state is None:
                raise RestoreFailed(f"there is no {restore}")
            foreign = state.backend != self.process.backend
            job.stuck = foreign and (not state.canonical or self.process.backend == "forst")
            job.rows = state.rows
            job.restored_number = pointers[-1][0] if pointers else world.number_of(restore)
            job.number = job.restored_number + 1
            if pointers:
                job.checkpoints = pointers
            elif claims:
                job.checkpoints = [(job.restored_number, restore, state.rows)]
        world.ledger.starts(name, job.rows, restore, in_vain=job.stuck)
        job.runs_from = job.last = world.now + REGISTER
        self.jobs[job_id] = job
        self._write_pointers(world, job)

    # High availability

    @property
    def _store(self) -> str:
        return f"{self.process.release}-cluster-config-map" if self.process.high_availability != "none" else ""

    def _graphs(self, world: World) -> dict[str, Json]:
        if not self._store:
            return {}
        data = world.config_map(self._store)
        return {key.removeprefix("jobGraph-"): json.loads(text) for key, text in data.items() if key.startswith("jobGraph-")}

    def _pointers(self, world: World, job: str) -> list[tuple[int, str, int]]:
        if not self._store:
            return []
        data = world.config_map(f"{self.process.release}-{job}-config-map")
        pointers = [(int(key.removeprefix("checkpointID-")), uri) for key, uri in data.items() if key.startswith("checkpointID-")]
        read = [(number, uri, world.store.read(world.store.place(uri, self.mounts))) for number, uri in sorted(pointers)]
        return [(number, uri, state.rows if state else -1) for number, uri, state in read]

    def _write_pointers(self, world: World, job: Job) -> None:
        if self._store:
            data = {f"checkpointID-{number:019d}": uri for number, uri, _ in job.checkpoints if uri != NO_PATH}
            world.put_config_map(f"{self.process.release}-{job.id}-config-map", self.process.release, data)

    def _result(self, world: World, job: str) -> tuple[str, str] | None:
        return world.store.place(f"{self.process.ha_directory}/job-result-store/{job}", self.mounts) if self._store else None

    def _has_ended(self, world: World, job: str) -> bool:
        return self._result(world, job) in world.store.marks

    def _mark_ended(self, world: World, job: str) -> None:
        place = self._result(world, job)
        if place:
            world.store.marks.add(place)
        if self._store:
            world.kubernetes_patch(self._store, {f"jobGraph-{job}": None})
            world.delete_config_map(f"{self.process.release}-{job}-config-map")

    # A job that lives

    def _run(self, world: World, job: Job) -> None:
        if not self.tasks_run(world, job):
            for operation in job.operations.values():
                if not operation.ended:
                    operation.failure = "java.lang.Exception: not all tasks run"
            return
        elapsed = world.step
        job.rows += round(elapsed * 10)
        for operation in job.operations.values():
            if not operation.ended and world.now >= operation.ready:
                self._complete(world, job, operation)
                if not job.alive:
                    return
        if world.now - job.last >= INTERVAL:
            self.checkpoint(world, job)

    def tasks_run(self, world: World, job: Job) -> bool:
        if not job.alive or job.stuck:
            return False
        if not world.has_taskmanager(self):
            job.runs_from = world.now + REGISTER
            if job.state == "RUNNING" and job.checkpoints is not None:
                self._fall_back(job, world)
            return False
        return world.now >= job.runs_from

    def _fall_back(self, job: Job, world: World) -> None:
        """Its tasks are gone: it resumes from its newest checkpoint."""
        if job.checkpoints:
            job.rows = job.checkpoints[-1][2]
        else:
            state = world.store.read(world.store.place(job.restored, self.mounts)) if job.restored else None
            job.rows = state.rows if state else 0

    def complete_checkpoints(self, world: World) -> None:
        for job in list(self.jobs.values()):
            if self.state == "up" and self.tasks_run(world, job):
                self.checkpoint(world, job)

    def checkpoint(self, world: World, job: Job) -> None:
        number, job.number, job.last = job.number, job.number + 1, world.now
        uri = NO_PATH
        if self.process.checkpoints:
            uri = f"{self.process.checkpoints}/{job.id}/chk-{number}".replace("file:///", "file:/")
            place = world.store.place(uri, self.mounts)
            if place is None:
                return
            if world.store.read(place):
                world.ledger.fault(f"{uri} is there already: the job fails over for ever")
            world.store.write(place, State(job.rows, world.now, job.name, job.backend))
            world.ledger.completed(job.name, job.rows)
        job.checkpoints.append((number, uri, job.rows))
        job.parallelism = job.upper
        self.log.has_completed = True
        self._write_pointers_of(world, job)

    def _write_pointers_of(self, world: World, job: Job) -> None:
        dropped = job.checkpoints[: -self.process.retained]
        del job.checkpoints[: -self.process.retained]
        self._write_pointers(world, job)
        for _, old, _ in dropped:
            self._delete(world, old)

    def _delete(self, world: World, uri: str) -> None:
        if uri != NO_PATH:
            world.store.delete(world.store.place(uri, self.mounts), by=self.process.release)

    def _complete(self, world: World, job: Job, operation: Operation) -> None:
        if job.backend == "forst" and not operation.native:
            operation.failure = "java.lang.UnsupportedOperationException: canonical savepoints of ForSt"
            job.runs_from = world.now + REGISTER
            self._fall_back(job, world)
            return
        uri = f"{operation.directory}/savepoint-{job.id[:6]}-{operation.trigger[:12]}".replace("file:///", "file:/")
        place = world.store.place(uri, self.mounts)
        if place is None:
            operation.failure = "java.io.IOException: no such volume"
            return
        world.store.write(place, State(job.rows, world.now, job.name, job.backend, canonical=not operation.native))
        world.ledger.completed(job.name, job.rows)
        job.number += 1
        operation.location = uri
        if operation.stops:
            job.stopped_with = uri
            self.end(world, job, "FINISHED")

    def end(self, world: World, job: Job, state: str) -> None:
        job.state = state
        self.log.has_finished |= state == "FINISHED"
        if state == "FINISHED" or (state == "CANCELED" and not job.retained):
            for _, uri, _ in job.checkpoints:
                self._delete(world, uri)
        self._mark_ended(world, job.id)

    # REST

    def rest(self, world: World, method: str, path: str, body: Json | None) -> tuple[int, Any]:
        path, _, query = path.partition("?")
        match path.strip("/").split("/"):
            case ["jobs", "overview"]:
                return 200, {"jobs": [self._listed(job) for job in self.jobs.values()]}
            case ["jobmanager", "config"]:
                return 200, []  # as Flink has it: what it answers may be REFRESH old
            case ["overview"]:
                return 200, {"slots-available": 0, "slots-total": 100, "flink-version": f"{self.process.flink_version}.1"}
            case ["savepoint-disposal"]:
                world.dispose(self, (body or {})["savepoint-path"])
                return 202, {"request-id": "d"}
            case ["jobs", job, *rest] if job in self.jobs:
                return self._job(world, method, self.jobs[job], rest, body or {})
            case ["jobs", _, "stop"]:
                return 202, {"request-id": (body or {})["triggerId"]}
        return 404, {"errors": ["not found"]}

    def _listed(self, job: Job) -> Json:
        name = job.name.partition("/")[2]  # its pipeline.name
        return {"jid": job.id, "name": name, "state": job.state, "start-time": round(job.began * 1000)}

    def _job(self, world: World, method: str, job: Job, rest: list[str], body: Json) -> tuple[int, Any]:
        match method, rest:
            case "GET", []:
                task = "RUNNING" if self.tasks_run(world, job) else "SCHEDULED" if job.alive else job.state
                shown = {"status": task, "name": "map", "parallelism": job.parallelism, "maxParallelism": 128}
                return 200, {**self._listed(job), "vertices": [{"id": "map", **shown}]}
            case "GET", ["resource-requirements"] if self.process.adaptive:
                own = {"own": {"parallelism": {"lowerBound": 1, "upperBound": OWN}}}  # of the program
                return 200, {"map": {"parallelism": {"lowerBound": 1, "upperBound": job.upper}}, **own}
            case "PUT", ["resource-requirements"] if self.process.adaptive:
                if body["own"]["parallelism"]["upperBound"] != OWN:
                    world.ledger.fault("a parallelism of the program was changed")
                self._rescale(world, job, body["map"]["parallelism"]["upperBound"])
                return 200, {}
            case "POST", ["checkpoints"]:
                if self.tasks_run(world, job):
                    self.checkpoint(world, job)
                return 202, {"request-id": body["triggerId"]}
            case "PATCH", []:
                if not job.alive:
                    return 409, {"errors": ["already ended"]}
                world.ended_by_a_hook(job, "cancelled")
                self.end(world, job, "CANCELED")
                return 202, {}
            case "GET", ["checkpoints"]:
                return 200, self._shown_checkpoints(world, job)
            case "GET", ["checkpoints", "config"]:
                retention = {"enabled": True, "delete_on_cancellation": not job.retained}
                classes = {
                    "hashmap": "HashMapStateBackend",
                    "rocksdb": "EmbeddedRocksDBStateBackend",
                    "forst": "ForStStateBackend",
                }
                backend = classes[self.process.backend]
                state_backend = {"state_backend": backend, "state_changelog_enabled": False}
                return 200, {"timeout": 600_000, "externalization": retention, **state_backend}
            case "GET", ["exceptions"]:
                return 200, {"exceptionHistory": {"entries": [{"stacktrace": "java.lang.Exception: because"}]}}
            case "POST", ["stop" | "savepoints" as what]:
                return 202, {"request-id": self._trigger(world, job, body, stops=what == "stop")}
            case "GET", ["savepoints", trigger] if trigger in job.operations:
                return 200, self._savepoint_status(job.operations[trigger])
        return 404, {"errors": ["not found"]}

    def _rescale(self, world: World, job: Job, upper: int) -> None:
        job.upper = upper
        graph = self._graphs(world).get(job.id)
        if graph:
            world.kubernetes_patch(self._store, {f"jobGraph-{job.id}": json.dumps({**graph, "parallelism": upper})})

    def _trigger(self, world: World, job: Job, body: Json, *, stops: bool) -> str:
        trigger: str = body.get("triggerId") or world.token(16)
        if trigger in job.operations:
            return trigger
        directory = body.get("targetDirectory") or body.get("target-directory") or self.process.savepoints
        operation = Operation(trigger, directory, stops, body.get("formatType") == "NATIVE", world.now + SAVEPOINT)
        if not job.alive:
            operation.failure = "java.lang.Exception: the job has ended"
        if stops:
            world.ended_by_a_hook(job, "stopped")
            for other in job.operations.values():
                if other.stops and not other.ended:
                    other.failure = operation.failure = "java.lang.Exception: another stop"
        job.operations[trigger] = operation
        return trigger

    @staticmethod
    def _savepoint_status(operation: Operation) -> Json:
        if not operation.ended:
            return {"status": {"id": "IN_PROGRESS"}}
        if operation.location:
            return {"status": {"id": "COMPLETED"}, "operation": {"location": operation.location}}
        cause = {"class": "java.lang.Exception", "stack-trace": operation.failure}
        return {"status": {"id": "COMPLETED"}, "operation": {"failure-cause": cause}}

    def _shown_checkpoints(self, world: World, job: Job) -> Json:
        """Flink answers with what it has answered within the last seconds."""
        since, answer = self.shown.get(job.id, (-REFRESH, {}))
        if world.now - since >= REFRESH:
            since, answer = self.shown[job.id] = (world.now, self._checkpoints(job))
        return answer

    @staticmethod
    def _checkpoints(job: Job) -> Json:
        own = [one for one in job.checkpoints if one[0] > job.restored_number]
        completed = {"id": own[-1][0], "external_path": own[-1][1]} if own else None
        restored = {"id": job.restored_number, "external_path": job.restored} if job.restored else None
        stopped = {"id": job.number, "external_path": job.stopped_with, "checkpoint_type": "SYNC_SAVEPOINT"}
        savepoint = stopped if job.stopped_with else None
        history = [{"status": "COMPLETED", "external_path": uri, "discarded": False} for _, uri, _ in own]
        return {"latest": {"completed": completed, "restored": restored, "savepoint": savepoint}, "history": history}


Rules = Callable[..., Any]
