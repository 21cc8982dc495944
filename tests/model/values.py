"""What a user sets, as far as the model knows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SessionJob:
    name: str
    program: int = 1
    from_savepoint: str = ""
    parallelism: int = 1


@dataclass(frozen=True)
class Values:
    type: str = "job"
    mode: str = "standalone"
    program: int = 1  # the job's jar
    adaptive: bool = False  # the scheduler
    parallelism: int = 1
    startup_seconds: int = 60  # concerns the pod alone
    taskmanager: int = 1  # concerns the TaskManagers alone
    upgrade_mode: str = ""
    state: str = "running"
    from_savepoint: str = ""
    backend: str = "rocksdb"
    storage: bool = True
    existing_claim: str = ""
    keep: bool = False
    root: str = ""
    savepoints: bool = True  # without: state.folders.checkpoints alone
    high_availability: str = "none"
    flink_version: str = "2.2"
    retained: int = 3
    retained_on_cancellation: bool = True
    savepoint_on_uninstall: bool = False
    label: str = ""  # one with a space is refused by the API server
    jobs: tuple[SessionJob, ...] = ()
