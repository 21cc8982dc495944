"""The end of a job: with a savepoint, by a cancel, or as it was found; and the state that it leaves."""

from __future__ import annotations

import hashlib

import stored
from clients import Json, Refused, Unreachable
from release import Failed, Release, Source, say

# Checkpoints that Flink keeps to itself have this for a path.
NO_PATH = "<checkpoint-not-externally-addressable>"


def end(release: Release, status: str, job: Json | None, *, strict: bool) -> Source:
    """End the job as job.upgradeMode says. Raises Failed, with the job running as before, if that cannot be.

    `strict`: rather fail than go on from an older state than the mode promises.
    """
    source = _end(release, status, job, strict)
    if status in ("absent", "down") and (store := stored.of(release)):
        # What it has stored would be run besides the new one, or instead of it.
        store.forget_graphs()
    return source


def _end(release: Release, status: str, job: Json | None, strict: bool) -> Source:
    mode = release.wanted["mode"]
    if mode == "stateless":
        cancel(release, status)
        return Source(mode)
    if status == "running" and mode == "savepoint":
        try:
            return Source(mode, stop_with_savepoint(release))
        except Failed as failure:
            if strict:
                raise
            say(f"{failure} The last checkpoint has to do.")
            status = release.status()[0]
    if status in ("running", "unhealthy"):
        if mode == "savepoint" and strict and not release.elsewhere:
            raise Failed(
                f"No savepoint can be taken, because not all tasks of the job run ({job and job['state']}): "
                f"{release.flink.failure(release.job) or 'no failure is recorded.'} Nothing was changed. "
                f"Wait until it runs, or {release.remedy}"
            )
        cancel(release, status)
        status = "ended"
    return _last_state(release) if status == "ended" else _out_of_reach(release, strict)


def stop_with_savepoint(release: Release) -> str:
    """The path of the savepoint, once the job has ended. Raises Failed if there is none, and the job goes on."""
    job = release.job
    limit = release.flink.checkpoint_timeout(job)
    if limit > release.seconds_left:
        raise Failed(
            f"A savepoint may take {limit:g} s (execution.checkpointing.timeout), longer than this hook waits: raise "
            f"hooks.timeoutSeconds ({release.wanted['timeoutSeconds']}) and helm's --timeout above it, or lower that option. "
            "Nothing was changed."
        )
    # The record knows of the stop before Flink does: another try asks for this one's end, and does not kill it by a second.
    begun, trigger = release.record.get("pending", ""), ""
    if begun.startswith(job):
        trigger = begun.split()[1]
        ended, location, _ = _operation(release, job, trigger)
        if ended and not location:
            trigger = ""  # that one failed
    if not trigger:
        trigger = hashlib.sha256(f"{job} {begun}".encode()).hexdigest()[:32]
    release.write(pending=f"{job} {trigger}")
    folder = f"{release.wanted['savepoints']}/{job}/stop"
    release.flink.trigger(job, "stop", {"targetDirectory": folder, "drain": False, "triggerId": trigger})
    path = wait_for_savepoint(release, job, trigger)
    for _ in release.until_deadline():
        if release.over():
            break
    return path


def wait_for_savepoint(release: Release, job: str, trigger: str) -> str:
    where = f"Look at the checkpoints of job {job} in the UI, and at the JobManager's log."
    for _ in release.until_deadline():
        ended, location, reason = _operation(release, job, trigger)
        if location:
            return location
        if ended:
            raise Failed(f"The savepoint failed, and the job goes on as before: {reason} {where}")
    raise Failed(f"The savepoint was not complete after {release.wanted['timeoutSeconds']} s (hooks.timeoutSeconds). {where}")


def _operation(release: Release, job: str, trigger: str) -> tuple[bool, str, str]:
    try:
        return release.flink.operation(job, trigger)
    except (Unreachable, Refused):
        return False, "", ""


def cancel(release: Release, status: str) -> None:
    if status in ("running", "unhealthy"):
        release.flink.cancel(release.job)
        for _ in release.until_deadline():
            if release.status()[0] == "ended":
                return
        raise Failed(f"The job {release.job} could not be cancelled: look at the JobManager's log.")


def _last_state(release: Release) -> Source:
    """What an ended job left: the savepoint that stopped it, else its newest checkpoint, else what it started from."""
    job = release.flink.job(release.job)
    latest = release.flink.checkpoints(release.job).get("latest") or {}
    savepoint, completed, restored = (latest.get(key) or {} for key in ("savepoint", "completed", "restored"))
    if job and job["state"] == "FINISHED":
        stopped = savepoint.get("checkpoint_type") == "SYNC_SAVEPOINT"
        return Source("savepoint", savepoint["external_path"]) if stopped else Source("finished")
    newest = max(completed, restored, key=lambda checkpoint: checkpoint.get("id", -1))
    path = newest.get("external_path", "")
    if path == NO_PATH:
        raise Failed("The last checkpoint has no path to start from: set storage.enabled or execution.checkpointing.dir.")
    return Source("last-state", path or release.record.get("restore", ""))


def _out_of_reach(release: Release, strict: bool) -> Source:
    """REST does not answer, or knows no job: what the record, the claim and high availability tell."""
    wanted, record = release.wanted, release.record
    lost = f"The job {record['job']} cannot be reached at {wanted['rest']}"
    if strict and release.proven and wanted["mode"] == "savepoint" and not release.elsewhere:
        raise Failed(
            f"{lost}, so no savepoint can be taken. Nothing was changed. Wait until the JobManager answers, or {release.remedy}"
        )
    if store := stored.of(release):
        if store.knows_checkpoint(record["job"]):
            return Source("last-state", record.get("restore", ""), same_job=True)
    elif strict and release.proven and not wanted["claim"] and not release.elsewhere:
        raise Failed(f"{lost}, and its newest checkpoint is not known. Nothing was changed. Name it with job.fromSavepoint.")
    return Source("last-state", record.get("restore", ""), former=record["job"])
