"""The jobs that a release gives its session cluster (session.jobs): which of them end, and which begin."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import download
import ending
from clients import Json, Unreachable
from release import ENDED, HALF, Failed, Release, Source, say

EXCHANGE = Path("/exchange")


class Job(Release):
    """One of them. `listed`: the coming revision has it.

    Its record is one key of the release's ConfigMap. Its `state` is `running`, `stopped`, or `finished` and not to be run again.
    """

    def __init__(self, release: Release, name: str, record: dict[str, str], entry: Json) -> None:
        mode = "savepoint" if release.wanted["savepoints"] else "stateless"
        # What high availability keeps belongs to jobs of others as well.
        wanted = {**release.wanted, **entry, "mode": mode, "highAvailability": False}
        super().__init__(wanted, release.kubernetes, release.flink, deadline=release.deadline)
        self.name = name
        self.record = record
        self.listed = bool(entry)
        self.remedy = "cancel it with `flink cancel`: then it goes on from its last checkpoint."

    def read(self) -> bool:
        return bool(self.record.get("job"))

    def write(self, **changes: str | None) -> None:
        kept = {**self.record, **changes}
        self.record = {key: value for key, value in kept.items() if value is not None}
        self.kubernetes.patch_config_map(self.wanted["record"], {self.name: f"{json.dumps(self.record, indent=1)}\n"})

    def restarts(self) -> int:
        """A session's JobManager may have been restarted long before this job."""
        return 0

    def reason(self) -> str:
        overview = self.flink.overview()
        return f"{overview['slots-available']} of {overview['slots-total']} slots are free."

    @property
    def same(self) -> bool:
        return self.listed and self.record.get("spec") == self.wanted["specification"]


class Client:
    """Flink's command line, in the container beside this one: see client.sh."""

    def __init__(self, folder: Path, release: Release) -> None:
        self._folder = folder
        self._release = release

    def run(self, name: str, words: list[str]) -> tuple[int, str]:
        """(exit code, what the command said)."""
        unfinished = self._folder / f"{name}.words"
        unfinished.write_bytes(b"".join(word.encode() + b"\0" for word in words))
        unfinished.rename(self._folder / f"{name}.in")
        code = self._folder / f"{name}.code"
        for _ in self._release.until_deadline():
            if code.exists():
                return int(code.read_text()), (self._folder / f"{name}.out").read_text(errors="replace")
        raise Failed(f"Job {name} was not submitted in time: raise hooks.timeoutSeconds, or look at the container submitter.")

    def end(self) -> None:
        (self._folder / "end").touch()


@contextmanager
def named(job: Job) -> Iterator[None]:
    """A failure that says of which job it is."""
    try:
        yield
    except Failed as failure:
        raise Failed(f"Job {job.name}: {failure}") from failure


def jobs_of(release: Release) -> list[Job]:
    """Those of the list, and those of which only the record knows."""
    records = release.kubernetes.config_map(release.wanted["record"]) or {}
    entries = {entry["name"]: entry for entry in release.wanted["jobs"]}
    names = [*entries, *(name for name in records if name not in entries)]
    return [Job(release, name, json.loads(records.get(name, "{}")), entries.get(name, {})) for name in names]


def before(release: Release, *, strict: bool = True) -> None:
    """Stop what changes or goes, and everything if the JobManager is replaced and would forget its jobs."""
    live = release.kubernetes.deployment(release.wanted["jobmanager"])
    specification = (live or {"metadata": {}})["metadata"].get("annotations", {}).get("flink/specification")
    replaced = bool(live) and specification != release.wanted["specification"] and not release.wanted["remembers"]
    jobs = jobs_of(release)
    if strict:
        check_downloads(jobs)
        if replaced:
            refuse_strangers(release, jobs)
    stopped: list[str] = []
    for job in jobs:
        if job.record.get("state") != "running" or (job.same and not replaced):
            continue
        try:
            settle(job, strict=strict)
        except Failed as failure:
            done = f" Stopped already: {', '.join(stopped)}. `helm rollback` starts them again from there." if stopped else ""
            raise Failed(f"Job {job.name}: {failure}{done}") from failure
        stopped.append(job.name)
    if replaced:
        release.drop_taskmanagers()


def check_downloads(jobs: list[Job]) -> None:
    """What cannot be fetched is found before anything is stopped for it."""
    for job in jobs:
        if job.listed and not job.same:
            fetch(job, os.devnull)


def fetch(job: Job, to: str) -> None:
    """Read the file of a job that is given by a URL to the path `to`."""
    if source := job.wanted["download"]:
        with named(job):
            download.fetch(source["url"], source["sha256"], to)


def refuse_strangers(release: Release, jobs: list[Job]) -> None:
    """Jobs that others submitted cannot be submitted again by the hooks."""
    ours = {job.record["job"][:HALF] for job in jobs if job.read()}
    try:
        lost = [job["name"] for job in release.flink.jobs() if job["state"] not in ENDED and job["jid"][:HALF] not in ours]
    except Unreachable:
        return
    if lost:
        raise Failed(
            f"This upgrade replaces the JobManager, and these jobs would be lost: {', '.join(lost)}. Stop them with a savepoint "
            "first, or give them up with `helm upgrade --no-hooks`; highAvailability.type=kubernetes keeps them."
        )


def settle(job: Job, *, strict: bool) -> None:
    """End a job and write where it goes on. Raises Failed, with the job running as before, if that cannot be."""
    status, found = job.look(patience=30 if strict else 5)
    if job.same and status == "ended" and found and found["state"] == "FINISHED" and not job.record.get("pending"):
        source = Source("finished")
    else:
        source = ending.end(job, status, found, strict=strict)
    state = "finished" if source.how == "finished" else "stopped"
    job.write(state=state, restore=source.restore, former=source.former or None, pending=None)
    say(f"{job.name}: {state}" + (f", with its state in {source.restore}" if source.restore else ""))


def renew(release: Release) -> None:
    """Replace TaskManagers that Flink made for a JobManager of before; jobs go on from their checkpoints on new ones."""
    wait_for_jobmanager(release)
    release.drop_taskmanagers(former=True)


def submit(release: Release, verify: Callable[[Release], None]) -> None:
    """Submit what does not run yet, and wait until all of it runs, each from where it should."""
    client = Client(EXCHANGE, release)
    try:
        renew(release)
        listed = [job for job in jobs_of(release) if job.listed]
        for job in listed:
            if due(job):
                start(job, client)
            else:
                say(f"{job.name}: nothing that concerns it has changed.")
        for job in listed:
            if job.record["state"] == "running":
                with named(job):
                    verify(job)
    finally:
        client.end()


def wait_for_jobmanager(release: Release) -> None:
    """An upgrade may not have replaced it yet."""
    for _ in release.until_deadline():
        live = release.kubernetes.deployment(release.wanted["jobmanager"]) or {"metadata": {"generation": 0}, "spec": {}}
        status = {"observedGeneration": -1, **live.get("status", {})}
        counts = {status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas")}
        if status["observedGeneration"] >= live["metadata"]["generation"] and counts == {live["spec"]["replicas"]}:
            try:
                release.flink.jobs()
            except Unreachable:
                continue
            return
    raise Failed(
        f"The JobManager is not ready after {release.wanted['timeoutSeconds']} s (hooks.timeoutSeconds): look at its pod."
    )


def due(job: Job) -> bool:
    """Whether the job has to be submitted. What is left of it, and should not be, is ended first."""
    state = job.record.get("state")
    if not state:
        return True
    status, found = job.status()
    alive = status in ("running", "unhealthy")
    finished = status == "ended" and found is not None and found["state"] == "FINISHED"
    if job.same and (state == "finished" or (state == "running" and (alive or finished))):
        return False
    if state == "running" and status == "absent" and job.proven and not job.wanted["claim"] and not job.elsewhere:
        raise Failed(
            f"Job {job.name} is not there any more, and its newest checkpoint is not known: name it in fromSavepoint, or "
            "give the job another name to begin anew."
        )
    if state == "running" or alive:
        settle(job, strict=False)
    return True


def start(job: Job, client: Client) -> None:
    restore = job.elsewhere or newest(job.wanted["claim"], job.record.get("former", "")) or job.record.get("restore", "")
    say(f"{job.name}:")
    fetch(job, job.wanted["file"])
    job.begin(Source("submitted", restore))
    code, said = client.run(job.name, words(job))
    if code or "[ERROR]" in said:  # the SQL client ends with 0 in any case
        say(said)
        raise Failed(f"Job {job.name} could not be submitted: {cause(said)}")


def words(job: Job) -> list[str]:
    """The command that submits a job, under the id that the record has: a second try finds it there, and does not double it."""
    wanted, restore = job.wanted, job.record["restore"]
    options = {**wanted["options"], "$internal.pipeline.job-id": job.record["job"]}
    if restore:
        options["execution.state-recovery.ignore-unclaimed-state"] = str(wanted["allowNonRestoredState"]).lower()
        options["execution.state-recovery.path"] = restore
    flags = [f"-D{key}={value}" for key, value in options.items()]
    if wanted["sql"]:
        return ["sql-client.sh", *flags, "-f", wanted["sql"]]
    lenient = ["--allowNonRestoredState"] if wanted["allowNonRestoredState"] else []
    savepoint = ["--fromSavepoint", restore, *lenient] if restore else []
    return ["flink", "run", "--detached", *flags, *savepoint, *wanted["program"]]


def newest(folder: str, job: str) -> str:
    """The newest state of a job that ended unseen, among the files of the claim; empty if there is none."""
    if not folder or not job:
        return ""
    patterns = (f"checkpoints/{job[:HALF]}*/chk-*/_metadata", f"savepoints/{job[:HALF]}*/stop/*/_metadata")
    found = [file for pattern in patterns for file in Path(folder).glob(pattern)]
    return f"file:{max(found, key=lambda file: file.stat().st_mtime).parent}" if found else ""


def cause(said: str) -> str:
    """The line of a command's output that tells most."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", said)
    lines = [line.strip() for line in plain.splitlines() if line.strip() and not re.match(r"\s+(at|\.\.\.) ", line)]
    if told := [line for line in lines if line.startswith("Caused by: ")]:
        return told[-1][:500]
    errors = [number for number, line in enumerate(lines) if "[ERROR]" in line]
    return " ".join(lines[errors[0] :][:2] if errors else lines[-2:])[:500]
