"""What the hooks know of a job: a ConfigMap that is in no manifest, which only they write.

In a job release each field is a key of the ConfigMap, which the JobManager's start script reads as files; in a session release
each job is a key that holds its fields as JSON. docs/upgrade.md describes the fields for people.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, fields, replace
from typing import Any, Dict, List, Mapping, Optional, Set, Tuple

from . import paths
from .kubernetes import Kubernetes
from .wanted import Wanted

Json = Dict[str, Any]

RUNNING, SUSPENDED, FINISHED = "running", "suspended", "finished"
# In `deployment`: there was none; and there was none, but whether there is one now says nothing.
NONE, GONE = "none", "gone"
# In `pending`: pods that are still to be replaced and must not run this generation ("restart uid uid"), all pods ("replace");
# the job is still to be submitted, or a client was asked to and whether Flink has it is unknown ("submitting time").
RESTART, REPLACE, SUBMIT, SUBMITTING = "restart", "replace", "submit", "submitting"

# Flink's id of a job has 32 digits. Without high availability each process of the JobManager runs the job under an id of its own;
# what these have in common is the first half.
HALF = 16

_HISTORY = 40
_USED = 500
_IDS = 30
# Of jobs that have left session.jobs; a ConfigMap takes 1 MiB.
_LEFT_BYTES = 250_000


@dataclass(frozen=True)
class Record:
    generation: int = 0  # how often the job was begun
    startBy: int = 0  # a pod that would be the first to run this generation does so until then, in seconds since 1970
    confirmed: int = 0  # the generation that was seen running from where it should
    ran: int = 0  # the generation whose job was seen running, while pods were still missing
    failed: str = ""  # "generation seconds": the one that an operation waited for without success, and until when
    deployment: str = ""  # the JobManager's Deployment when this was written, "uid generation", or none; gone: uninstalled since
    job: str = ""  # Flink's id of this generation; empty: there never was one
    spec: str = ""  # the specification that it runs
    parallelism: int = 0  # with which its JobManager starts it; 0: as Flink's options say
    # Vertices that have this parallelism, and not one of the program's own; empty until it is changed while the job runs.
    followers: Tuple[str, ...] = ()
    state: str = ""  # running, suspended, or finished and not to be run again
    restore: str = ""  # what it starts from; empty: nothing
    # The previous state, if this generation starts from other state: from what the values named, or from nothing.
    previous: str = ""
    previousFormer: Tuple[str, ...] = ()  # ids whose checkpoints may be newer than `previous`, the newest first
    own: bool = False  # whether `restore` is a checkpoint of this release's own, which Flink may delete in time
    former: Tuple[str, ...] = ()  # ids before this one whose checkpoints may be newer than `restore`, the newest first
    ids: Tuple[str, ...] = ()  # all ids of the release, the newest first
    fromSavepoint: str = ""  # the path that the values named last
    usedSavepoints: Tuple[str, ...] = ()  # digests of all paths that the values have named
    format: str = ""  # of `restore`, if that is a savepoint that stopped the job: CANONICAL or NATIVE
    # No earlier job is known, and the values named no state: where its directory holds some, it must not start without it.
    first: bool = False
    # What was begun and is not known to be done: a stop ("job trigger directory"), or one of the constants above.
    pending: str = ""
    stops: Tuple[str, ...] = ()  # savepoints that stopped the job, the newest last
    savepoints: Tuple[str, ...] = ()  # savepoints on demand and on schedule, the newest last
    left: Tuple[str, ...] = ()  # checkpoints of generations before that can be deleted once nothing needs them
    savepointDirectory: str = ""  # where this generation puts its savepoints
    checkpointDirectory: str = ""
    savepointVolume: str = ""  # the volumes on which these are, if they are files
    checkpointVolume: str = ""
    stores: Tuple[str, ...] = ()  # scheme=endpoint of the stores that this generation reads
    claim: str = ""  # UID of the PVC on which these are, once it is known
    backend: str = ""  # the state backend that writes the state
    flinkVersion: str = ""
    stateBackend: str = ""  # the same of the generation that wrote the state from before this one
    stateFlinkVersion: str = ""
    madeBy: str = ""  # helm, or other for what applied the objects without it; empty: not known
    history: Tuple[str, ...] = ()  # a line for each start, and one for each that was seen running

    @property
    def exists(self) -> bool:
        return bool(self.job)

    @property
    def is_confirmed(self) -> bool:
        return self.exists and self.confirmed == self.generation

    @property
    def has_run(self) -> bool:
        return self.is_confirmed or (self.exists and self.ran == self.generation)

    def is_recovered_by(self, wanted: Wanted) -> bool:
        """Whether high availability can recover a job of a session in a revision, which then writes where the job did."""
        same_directory = not self.checkpointDirectory or paths.same(self.checkpointDirectory, wanted.checkpoint_directory)
        same_backend = self.backend in ("", wanted.state_backend)
        return same_backend and same_directory and self.flinkVersion in ("", wanted.flink_version)

    @property
    def barred(self) -> Tuple[str, ...]:
        """UIDs of the pods that must not run this generation."""
        parts = self.pending.split()
        return tuple(parts[1:]) if parts[:1] == [RESTART] else ()

    @property
    def is_replaced(self) -> bool:
        """Whether no pod may run this generation before the previous one's pods are gone."""
        return self.pending == REPLACE

    @property
    def is_stopping(self) -> bool:
        """Whether a stop was begun."""
        return bool(self.job) and self.pending.startswith(self.half)

    @property
    def is_submitting(self) -> bool:
        return self.pending.split()[:1] in ([SUBMIT], [SUBMITTING])

    @property
    def written(self) -> str:
        """The last time in its history."""
        return max(re.findall(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "\n".join(self.history)), default="")

    @property
    def half(self) -> str:
        return self.job[:HALF]

    def volume_of(self, path: str) -> str:
        """The volume that held a path when it was written, as far as the record knows."""
        if paths.below(path, self.savepointDirectory):
            return self.savepointVolume
        return self.checkpointVolume if paths.below(path, self.checkpointDirectory) else ""

    def written_by(self, *, wrote_nothing: bool) -> Tuple[str, str]:
        """State backend and version of Flink that wrote the newest state, which this generation may not have."""
        return (self.stateBackend, self.stateFlinkVersion) if wrote_nothing else (self.backend, self.flinkVersion)

    def endpoint_of(self, scheme: str) -> Optional[str]:
        """At which a store was reached; None if the record does not know."""
        return dict(one.partition("=")[::2] for one in self.stores).get(scheme)

    def has_id(self, job: str) -> bool:
        """Whether it is an id of this release's job, of this generation or one before it."""
        return job[:HALF] in {known[:HALF] for known in (self.job, *self.former, *self.ids) if known}

    def has_used(self, savepoint: str) -> bool:
        return digest(savepoint) in self.usedSavepoints

    def with_used(self, savepoint: str) -> Record:
        """The record after the values have named a path: it counts once."""
        if not savepoint:
            return self
        used = [one for one in self.usedSavepoints if one != digest(savepoint)]
        return replace(self, fromSavepoint=savepoint, usedSavepoints=(*used, digest(savepoint))[-_USED:])

    def with_line(self, line: str) -> Record:
        return replace(self, history=(*self.history, line)[-_HISTORY:])

    def with_id(self, job: str) -> Record:
        """The record with another id of the job."""
        if job == self.job:
            return self
        return replace(self, job=job, ids=(job, *(known for known in self.ids if known != job))[:_IDS])


def digest(path: str) -> str:
    scheme, authority, plain = paths.split(path)
    # Of HDFS it may be left out; elsewhere it is the bucket.
    parts = (scheme, "" if scheme in ("file", "hdfs", "viewfs") else authority, plain)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


_LINES = ("history", "stops", "savepoints", "left")  # one a line; other tuples are separated by spaces


def load(data: Mapping[str, str]) -> Record:
    """The record in the keys of a ConfigMap, or in the JSON of one key; keys of other versions of the chart are left alone."""
    values: Json = {}
    for field in fields(Record):
        if field.name not in data:
            continue
        text = data[field.name]
        if isinstance(field.default, bool):
            values[field.name] = text == "true"
        elif isinstance(field.default, int):
            values[field.name] = int(text or 0)
        elif isinstance(field.default, tuple):
            values[field.name] = tuple(text.splitlines() if field.name in _LINES else text.split())
        else:
            values[field.name] = text
    record = Record(**values)
    if record.fromSavepoint and not record.has_used(record.fromSavepoint):
        record = record.with_used(record.fromSavepoint)  # written by an older chart
    return replace(record, state=SUSPENDED) if record.state == "stopped" else record


def dump(record: Record) -> Dict[str, str]:
    """The fields as texts, those that are empty left out."""
    data: Dict[str, str] = {}
    for field in fields(Record):
        value = getattr(record, field.name)
        if isinstance(value, bool):
            text = "true" if value else ""
        elif isinstance(value, tuple):
            text = "".join(f"{one}\n" for one in value) if field.name in _LINES else " ".join(value)
        else:
            text = str(value)
        if text:
            data[field.name] = text
    return data


_FIELDS = {field.name for field in fields(Record)}
_OF_JOB = "job."


def _key(name: str) -> str:
    """The key of a session's job, which may have the name of a field of a job release's record."""
    return f"{_OF_JOB}{name}" if name in _FIELDS else name


def _name(key: str) -> str:
    return key[len(_OF_JOB) :] if key.startswith(_OF_JOB) else key


def _entries(name: str, record: Record) -> Dict[str, str]:
    """The keys of the ConfigMap that hold a record."""
    return {_key(name): f"{json.dumps(dump(record), indent=1)}\n"} if name else dump(record)


class Records:
    """The ConfigMap with the records of a release; the name of a job release's one is empty."""

    def __init__(self, kubernetes: Kubernetes, wanted: Wanted) -> None:
        self._kubernetes = kubernetes
        self._wanted = wanted
        self._data: Dict[str, str] = {}
        self._version = ""
        self._assumed: Dict[str, Record] = {}
        self.read()

    def read(self) -> None:
        self._assumed = {}
        live = self._kubernetes.config_map(self._wanted.record)
        self._version = live["metadata"].get("resourceVersion", "") if live else ""
        self.created: str = live["metadata"].get("creationTimestamp", "") if live else ""
        self._data = (live.get("data") or {}) if live else {}
        self._exists = live is not None
        if not live and self._wanted.type == "session":
            # Where charts before 0.2 had it.
            legacy = self._kubernetes.config_map(f"{self._wanted.name}-jobs")
            self._data = (legacy.get("data") or {}) if legacy else {}

    @property
    def are_gone(self) -> bool:
        """Whether there is no ConfigMap, nor one that an older chart made."""
        return not self._exists and not self._data

    def make(self) -> None:
        """An empty ConfigMap, if there is none: a release that never had a job then differs from one whose record is gone."""
        if self.are_gone:
            self._kubernetes.create_config_map(self._wanted.record, self._wanted.made_labels, {})
            self.read()

    @property
    def names(self) -> Tuple[str, ...]:
        """Of the jobs of a session."""
        return tuple(_name(key) for key, text in self._data.items() if text.startswith("{"))

    def get(self, name: str) -> Record:
        if name in self._assumed:
            return self._assumed[name]
        if not name:
            return load(self._data)
        text = self._data.get(_key(name), "")
        return load(json.loads(text)) if text.startswith("{") else Record()

    def assume(self, name: str, record: Record) -> None:
        """Use a record as if it were written, until it is, or until the ConfigMap is read again."""
        self._assumed[name] = record

    def write_assumed(self, name: str) -> None:
        """Raises LookAgain as put does."""
        if name in self._assumed:
            self.put(name, self._assumed[name])

    def put(self, name: str, record: Record) -> None:
        """Raises LookAgain if somebody else has written meanwhile."""
        self._assumed.pop(name, None)
        new = _entries(name, record)
        if not self._exists:
            data = {**(self._data if name else {}), **new}
            live = self._kubernetes.create_config_map(self._wanted.record, self._wanted.made_labels, data)
            self._exists = True
        else:
            old = set() if name else _FIELDS
            gone: Dict[str, Optional[str]] = {key: None for key in old if key in self._data and key not in new}
            labels = self._wanted.made_labels
            live = self._kubernetes.patch_config_map(self._wanted.record, {**gone, **new}, self._version, labels)
            data = {key: value for key, value in {**self._data, **gone, **new}.items() if value is not None}
        self._data = data
        self._version = (live or {}).get("metadata", {}).get("resourceVersion", "")

    def drop_left(self, listed: Set[str]) -> List[str]:
        """Remove the records of the jobs that left the list first, for which there is no room; returns their names."""
        left = [(self.get(name).written, name) for name in self.names if name not in listed and self.get(name).state != RUNNING]
        room, gone = _LEFT_BYTES, []
        for _, name in sorted(left, reverse=True):
            room -= len(self._data[_key(name)])
            if room < 0:
                gone.append(name)
        if gone:
            keys: Dict[str, Optional[str]] = {_key(name): None for name in gone}
            self._kubernetes.patch_config_map(self._wanted.record, keys, self._version, self._wanted.made_labels)
            self.read()
        return gone

    def delete(self) -> None:
        self._kubernetes.delete_config_map(self._wanted.record)
        self._exists, self._data = False, {}
