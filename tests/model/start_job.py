"""The rules of files/start-job.sh: when the job may be started, and from where. test_start_job.py compares both."""

from __future__ import annotations

from dataclasses import dataclass

HALF = 16


@dataclass(frozen=True)
class Settings:
    specification: str
    high_availability: bool
    directory: str  # where checkpoints/ and savepoints/ are files
    retained: int = 3
    generation: str = ""  # that the pod ran last
    has_completed: bool = False  # whether its log tells of a checkpoint
    has_finished: bool = False  # whether its log tells of the job's end
    pod: str = ""  # UID
    was_here: bool = False  # whether the volume tells that the job has run on it
    now: float = 0


@dataclass(frozen=True)
class Start:
    restore: str
    claims: bool
    deleted: tuple[str, ...]  # checkpoints of former processes
    parallelism: int = 0  # of the job; 0: as the options say


def hindrance(record: dict[str, str], settings: Settings, files: dict[str, float]) -> str:
    was_seen = record.get("generation", "") in (record.get("confirmed", ""), record.get("ran", ""))
    has_run = was_seen
    if settings.generation == record.get("generation", ""):
        has_run |= settings.has_completed
    else:
        has_run |= bool(record.get("startBy")) and settings.now > int(record["startBy"])
    pending = record.get("pending", "").split()
    if not record.get("job"):
        return "no record"
    if record.get("state") != "running":
        return "not to run"
    if record.get("spec") != settings.specification:
        return "another specification"
    if pending == ["replace"] or (pending[:1] == ["restart"] and settings.pod in pending):
        return "another process"
    if not settings.directory and not settings.high_availability and record.get("checkpointDirectory") and has_run:
        return "newest checkpoint unknown"
    if newest(record, settings, files):
        return ""
    here = settings.generation == record.get("generation", "") and not record.get("pending")
    if here and settings.has_finished and not settings.high_availability:
        return "finished"
    restore = one_form(record.get("restore", "")).removeprefix("file://")
    own = record.get("own") == "true" and settings.directory and restore.startswith(f"{settings.directory}/checkpoints/")
    if own and restore not in files:
        return "finished, and its checkpoint is gone"
    if settings.directory and record.get("first") == "true" and not was_seen and states(settings.directory, "", files):
        return "state of a job that nobody knows"
    ever_seen = any(record.get(field, "0") != "0" for field in ("confirmed", "ran"))
    began = was_seen or (ever_seen and bool(record.get("former")))
    return "another volume" if settings.directory and began and not settings.was_here else ""


def states(directory: str, job: str, files: dict[str, float]) -> list[str]:
    """Of a job, of all for "", the newest first: `files` are paths of checkpoints and savepoints, and when they were written."""
    half = job[:HALF]

    def of_job(path: str) -> bool:
        parts = path.removeprefix(f"{directory}/").split("/")
        checkpoint = len(parts) == 3 and parts[0] == "checkpoints" and parts[2].startswith("chk-")
        stopped = len(parts) == 4 and parts[0] == "savepoints" and parts[2] == "stop"
        stopped |= len(parts) == 3 and parts[0] == "savepoints" and parts[2].startswith("savepoint-")
        by_flink_stop = len(parts) == 2 and parts[0] == "savepoints" and parts[1].startswith(f"savepoint-{job[:6]}")
        of_the_job = (checkpoint or stopped) and parts[1].startswith(half)
        return path.startswith(f"{directory}/") and (of_the_job or by_flink_stop)

    return sorted((path for path in files if of_job(path)), key=lambda path: -files[path])


def one_form(path: str) -> str:
    """file:/a, as Flink writes it, as file:///a."""
    return f"file:///{path.removeprefix('file:').lstrip('/')}".removesuffix("/_metadata") if path.startswith("file:") else path


def newest(record: dict[str, str], settings: Settings, files: dict[str, float]) -> str:
    jobs = [record["job"], *record.get("former", "").split()] if settings.directory else []
    return next((paths[0] for paths in (states(settings.directory, job, files) for job in jobs) if paths), "")


def decide(record: dict[str, str], settings: Settings, files: dict[str, float]) -> Start:
    restore, own = one_form(record.get("restore", "")), record.get("own") == "true"
    deleted: list[str] = []
    if settings.directory:
        state = newest(record, settings, files)
        if state:
            restore, own = f"file://{state}", True
        former = (states(settings.directory, job, files) for job in record.get("previousFormer", "").split())
        ways_back = [f"file://{paths[0]}" for paths in former if paths]
        protected = [restore, one_form(record.get("previous", "")), *ways_back]
        kept = 0
        for job in record.get("ids", "").split():
            for path in states(settings.directory, job, files):
                if not path.rpartition("/")[2].startswith("chk-") or f"file://{path}" in protected:
                    continue
                kept += 1
                if kept >= settings.retained:
                    deleted.append(path)
    claims = own and restore.rpartition("/")[2].startswith("chk-")
    return Start(restore, claims, tuple(deleted), int(record.get("parallelism", 0)))
