"""Flink's REST API: https://nightlies.apache.org/flink/flink-docs-stable/docs/ops/rest_api/"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

from . import tls
from .errors import HttpError, Unreachable, Untrusted, first_lines
from .http_client import Http

Json = Dict[str, Any]

ENDED = ("FINISHED", "FAILED", "CANCELED")
_UNITS = {"": 0.001, "ms": 0.001, "s": 1.0, "min": 60.0}
# Where nobody can read how long it is.
_LONG_CACHE_SECONDS = 10.0
# The path of checkpoints that nothing else can read.
_NO_PATH = "<checkpoint-not-externally-addressable>"


@dataclass(frozen=True)
class Checkpoints:
    """What a job has written, by path; empty where there is none."""

    restored: str  # what it started from
    newest: str  # the newest checkpoint or savepoint of what it completed, or started from
    stopped_with: str  # the savepoint that stopped it
    in_memory: bool  # whether the newest has no path that another job could start from
    slowest_seconds: float  # of those that it completed
    retained: Tuple[str, ...] = ()  # checkpoints that it has completed and not deleted, as far as Flink remembers them


@dataclass(frozen=True)
class CheckpointConfig:
    timeout_seconds: float
    retained: bool  # whether checkpoints stay when the job is cancelled
    survives_failure: bool = True  # whether they stay when it fails for good
    self_contained: bool = False  # whether no checkpoint has files that a later one needs as well, as incremental ones do
    backend: str = ""  # as in `state.backend.type`; empty if it is none of Flink's own


@dataclass(frozen=True)
class Vertex:
    """Tasks of a job that the adaptive scheduler runs; while the job waits for slots, bounds are all that is known of them."""

    id: str
    lower: int  # bounds within which the scheduler chooses
    upper: int
    name: str = ""
    parallelism: int = 0
    maximum: int = 0  # for how many the state is split
    group: str = ""  # of vertices that share slots


@dataclass(frozen=True)
class Operation:
    """The end of a checkpoint or savepoint that was asked for."""

    ended: bool
    location: str
    failure: str


# As Flink names their classes.
_BACKENDS = {"HashMapStateBackend": "hashmap", "EmbeddedRocksDBStateBackend": "rocksdb", "ForStStateBackend": "forst"}


class Flink:
    """Every method raises Unreachable if the JobManager does not answer, or not as Flink does."""

    def __init__(self, url: str, secret: str = "") -> None:
        """`secret`: with the certificates for HTTPS, as the coming revision names it; empty: none."""
        self._url, self._secret = url, secret
        self._http: Optional[Http] = None
        self.distrust = ""  # why certificates keep calls from an answer, as a sentence; empty once there was one

    def jobs(self) -> List[Json]:
        """All jobs, ended ones too, each with jid, name and state, the newest first."""
        jobs = self._get("/jobs/overview", "jobs")
        return sorted(jobs, key=lambda job: -job.get("start-time", 0))

    def job(self, job_id: str) -> Optional[Json]:
        """The job with its vertices; None if it is not known."""
        return self._or_none(f"/jobs/{job_id}", "state", "vertices")

    def vertices(self, job_id: str) -> Optional[Tuple[Vertex, ...]]:
        """None if the job is not known, or its scheduler is not the adaptive one."""
        try:
            bounds = self._or_none(f"/jobs/{job_id}/resource-requirements")
        except HttpError:
            return None
        job = self.job(job_id)
        shown = {one.get("id"): one for one in job["vertices"]} if job else {}
        return None if bounds is None else tuple(_vertex(id_, bounds[id_], shown.get(id_, {})) for id_ in sorted(bounds))

    def rescale(self, job_id: str, vertices: Tuple[Vertex, ...]) -> None:
        """Have the scheduler choose within the bounds of the vertices, which are all of the job."""
        bounds = {one.id: {"parallelism": {"lowerBound": one.lower, "upperBound": one.upper}} for one in vertices}
        self._call("PUT", f"/jobs/{job_id}/resource-requirements", bounds)

    def checkpoint(self, job_id: str, trigger: str) -> None:
        """Begin a checkpoint. `trigger` as in stop()."""
        self._call("POST", f"/jobs/{job_id}/checkpoints", {"checkpointType": "CONFIGURED", "triggerId": trigger})

    def version(self) -> str:
        """Such as 2.2: a release for bugs changes nothing of the form of state."""
        return ".".join(str(self._get("/overview", "flink-version")["flink-version"]).split(".")[:2])

    def slots_total(self) -> int:
        return int(self._get("/overview", "slots-total")["slots-total"])

    def slots(self) -> str:
        overview = self._get("/overview")
        return f"{overview.get('slots-available')} of {overview.get('slots-total')} slots are free."

    def checkpoints(self, job_id: str) -> Optional[Checkpoints]:
        """None if the job is not known."""
        answer = self._or_none(f"/jobs/{job_id}/checkpoints", "latest")
        if not answer:
            return None
        latest = answer.get("latest") or {}
        completed, restored, savepoint = (latest.get(key) or {} for key in ("completed", "restored", "savepoint"))
        newest = max(completed, restored, savepoint, key=lambda checkpoint: checkpoint.get("id", -1))
        duration = ((answer.get("summary") or {}).get("end_to_end_duration") or {}).get("max") or 0
        stopped = savepoint.get("checkpoint_type") == "SYNC_SAVEPOINT"
        path = newest.get("external_path") or ""
        return Checkpoints(
            restored=restored.get("external_path") or "",
            newest="" if path == _NO_PATH else path,
            stopped_with=(savepoint.get("external_path") or "") if stopped else "",
            in_memory=path == _NO_PATH,
            slowest_seconds=max(duration, 0) / 1000,
            retained=tuple(one["external_path"] for one in answer.get("history") or [] if _is_retained(one)),
        )

    def seconds_of_cache(self) -> float:
        """How old what it says of checkpoints may be: `rest.cache.checkpoint-statistics.timeout`, else `web.refresh-interval`."""
        answer = self._call("GET", "/jobmanager/config")
        if not isinstance(answer, list):
            raise _not_of_flink("/jobmanager/config", answer)
        options = {one["key"]: str(one["value"]) for one in answer}
        value = options.get("rest.cache.checkpoint-statistics.timeout") or options.get("web.refresh-interval") or "3 s"
        number, unit = re.fullmatch(r"(\d*)\s*(.*)", value.strip()).groups()  # type: ignore[union-attr]
        return int(number) * _UNITS[unit] if number and unit in _UNITS else _LONG_CACHE_SECONDS

    def checkpoint_config(self, job_id: str) -> Optional[CheckpointConfig]:
        """None if the job takes no checkpoints."""
        answer = self._or_none(f"/jobs/{job_id}/checkpoints/config")
        if not answer:
            return None
        external = answer.get("externalization") or {}
        enabled = bool(external.get("enabled"))
        # Each of its checkpoints has all state, unless the changelog is written between them.
        backend = _BACKENDS.get(answer.get("state_backend", ""), "")
        whole = backend == "hashmap" and answer.get("state_changelog_enabled") is False
        retained = enabled and not external.get("delete_on_cancellation")
        return CheckpointConfig(answer.get("timeout", 0) / 1000, retained, enabled, whole, backend)

    def failure(self, job_id: str) -> str:
        """The first lines of the newest failure, and of its root; empty if there is none."""
        history = (self._or_none(f"/jobs/{job_id}/exceptions") or {}).get("exceptionHistory") or {}
        entries = history.get("entries") or []
        return first_lines(entries[0].get("stacktrace") or "") if entries else ""

    def stop(self, job_id: str, directory: str, trigger: str, savepoint_format: str) -> None:
        """Begin to stop a job with a savepoint. The same `trigger` again asks for the same stop; another one would kill it."""
        body = {"targetDirectory": directory, "drain": False, "triggerId": trigger, "formatType": savepoint_format}
        self._call("POST", f"/jobs/{job_id}/stop", body)

    def savepoint(self, job_id: str, directory: str, trigger: str, savepoint_format: str) -> None:
        """Begin a savepoint of a job that runs on. `trigger` as in stop()."""
        body = {"target-directory": directory, "cancel-job": False, "triggerId": trigger, "formatType": savepoint_format}
        self._call("POST", f"/jobs/{job_id}/savepoints", body)

    def operation(self, job_id: str, trigger: str) -> Optional[Operation]:
        """None if this JobManager knows of no such stop or savepoint."""
        answer = self._or_none(f"/jobs/{job_id}/savepoints/{trigger}", "status")
        if not answer:
            return None
        result = answer.get("operation") or {}
        cause = result.get("failure-cause") or {}
        failure = first_lines(cause.get("stack-trace") or "") or cause.get("class") or "no reason is given." if cause else ""
        return Operation(answer["status"].get("id") == "COMPLETED", result.get("location") or "", failure)

    def cancel(self, job_id: str) -> None:
        self._call("PATCH", f"/jobs/{job_id}?mode=cancel")

    def dispose(self, savepoint: str) -> None:
        """Have a savepoint deleted; Flink does it by and by."""
        self._call("POST", "/savepoint-disposal", {"savepoint-path": savepoint})

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        try:
            # A Secret may come a moment after the pod.
            self._http = self._http or Http(self._url, context=tls.context(self._url, self._secret))
            answer = self._http.call(method, path, body)
        except Untrusted as error:
            self.distrust = tls.sentence(error, self._url, self._secret)
            raise Unreachable(self.distrust) from error
        except HttpError:
            self.distrust = ""
            raise
        self.distrust = ""
        return answer

    def _get(self, path: str, *keys: str) -> Any:
        """The answer, or what it has under the one key; it is an object with all the keys."""
        answer = self._call("GET", path)
        if not isinstance(answer, dict) or any(key not in answer for key in keys):
            raise _not_of_flink(path, answer)
        return answer[keys[0]] if len(keys) == 1 and keys[0] == "jobs" else answer

    def _or_none(self, path: str, *keys: str) -> Optional[Json]:
        try:
            answer: Json = self._get(path, *keys)
            return answer
        except HttpError as error:
            if error.status == 404:
                return None
            raise


def _not_of_flink(path: str, answer: Any) -> Unreachable:
    return Unreachable(f"GET {path}: this is no answer of Flink: {str(answer)[:100]}")


def _vertex(id_: str, bounds: Json, shown: Json) -> Vertex:
    parallelism = bounds["parallelism"]
    return Vertex(
        id_,
        parallelism["lowerBound"],
        parallelism["upperBound"],
        name=shown.get("name", ""),
        parallelism=shown.get("parallelism", 0),
        maximum=shown.get("maxParallelism", 0),
        group=shown.get("slotSharingGroupId", ""),
    )


def _is_retained(checkpoint: Json) -> bool:
    completed = checkpoint.get("status") == "COMPLETED" and not checkpoint.get("is_savepoint")
    name = (checkpoint.get("external_path") or "").rpartition("/")[2]
    return completed and not checkpoint.get("discarded") and name.startswith("chk-")
