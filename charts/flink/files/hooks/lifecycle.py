"""Carries the state of a job over helm's verbs: python3 lifecycle.py VERB, with the release in release.json beside it.

The record of a release is a ConfigMap; docs/upgrade.md describes it. Exit code 1: the reason is the last line that was printed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import ending
import session
import stored
from clients import Flink, Kubernetes, Refused, Unreachable
from release import HALF, Failed, Release, Source, say


def install(release: Release) -> None:
    """Nothing of an earlier release of this name may bring its job back."""
    forget(release)
    release.create()
    release.begin(Source("install", release.wanted["fromSavepoint"]))


def upgrade(release: Release, *, strict: bool = True) -> None:
    """Stop the job, if what runs it changes, and write where it goes on. A rollback is not strict: see ending.end()."""
    wanted = release.wanted
    if strict:
        refuse_conflicts(release)
    if not release.read():
        release.adopt()
    same = release.record["spec"] == wanted["specification"]
    if release.record["state"] == "suspended":
        if wanted["state"] == "suspended":
            release.write(spec=wanted["specification"])
            say("The job stays suspended.")
        else:
            release.begin(Source("resume", release.elsewhere or release.record["restore"]))
        return
    unchanged = same and wanted["state"] == "running"
    status, job = release.look(patience=0 if unchanged else 30 if strict else 5)
    finished = status == "ended" and job and job["state"] == "FINISHED" and not release.record.get("pending")
    if unchanged and (finished or status in ("running", "unhealthy", "down")):
        say("Nothing that concerns the job has changed.")
        return
    source = ending.end(release, status, job, strict=strict)
    release.drop_taskmanagers()
    if release.elsewhere:
        source = Source("job.fromSavepoint", release.elsewhere)
    release.begin(source)
    if unchanged:  # then Helm replaces no pod
        # With high availability the TaskManagers find the new JobManager; in native mode Flink makes others.
        replaced = [wanted["jobmanager"]] if wanted["highAvailability"] else [wanted["jobmanager"], wanted["taskmanager"]]
        for deployment in filter(None, replaced):
            release.kubernetes.restart(deployment, f"generation-{release.record['generation']}")


def refuse_conflicts(release: Release) -> None:
    """Helm 4 would find them as well, but only after the job was stopped."""
    for deployment in release.wanted["deployments"]:
        live = release.kubernetes.deployment(deployment["metadata"]["name"])
        fields = live["metadata"].get("managedFields", []) if live else []
        applied = any(entry["manager"] == "helm" and entry["operation"] == "Apply" for entry in fields)
        found = release.kubernetes.conflicts(deployment) if applied else []
        if found:
            raise Failed(
                f"Helm could not upgrade Deployment {deployment['metadata']['name']}, because others changed it: "
                f"{'; '.join(found)}. Nothing was changed. Give the release the values that are there now, or undo the change."
            )


def verify(release: Release) -> None:
    """Wait until the job runs from exactly the state that the record names."""
    release.read()
    record = release.record
    if record["state"] == "suspended":
        say(f"The job is suspended. It will go on from {record['restore']}")
        return
    if release.proven:
        return
    told = {"down": "REST does not answer", "absent": "it is not submitted yet", "unhealthy": "its tasks do not all run"}
    status = "down"
    for _ in release.until_deadline(gently=True):
        status, job = release.status()
        if status == "running" or (job and job["state"] == "FINISHED"):
            confirm(release)
            return
        if job and status == "ended":
            raise Failed(f"The job is {job['state']}: {release.flink.failure(release.job) or release.reason()}")
        if release.restarts() >= 2:
            raise Failed(f"The JobManager ends again and again: {release.reason()}")
    waited = f"{release.wanted['timeoutSeconds']} s (hooks.timeoutSeconds)"
    failure = release.flink.failure(release.job) if status == "unhealthy" else ""
    why = " ".join(filter(None, [failure, release.reason()]))
    raise Failed(f"The job {record['job']} does not run after {waited}: {told.get(status, status)}. {why}")


def confirm(release: Release) -> None:
    """Write which state the job was restored from. Raises Failed if it is not the one that it should be."""
    record = release.record
    restored = (release.flink.checkpoints(release.job).get("latest") or {}).get("restored") or {}
    path = restored.get("external_path", "")
    # A JobManager that was restarted in between has gone on from a checkpoint of the job's own.
    own = any(f"/{job[:HALF]}" in path for job in (record["job"], record.get("former")) if job)
    if plain(path) != plain(record["restore"]) and not own:
        raise Failed(f"The job started from {path or 'nothing'}, not from {record['restore'] or 'nothing'}.")
    line = f"{record['generation']}  runs" + (f", restored from {path}" if path else "")
    release.write(confirmed=record["generation"], history=f"{record['history']}{line}\n")
    say(line)


def plain(path: str) -> str:
    """file:///a, file:/a and /a are one."""
    return "/" + path.removeprefix("file:").strip("/") if path.startswith(("file:", "/")) else path.rstrip("/")


def before_uninstall(release: Release) -> None:
    if release.read() and release.record["state"] != "suspended":
        status, job = release.look(patience=30)
        say(f"The last state is {ending.end(release, status, job, strict=True).restore or 'nothing'}")
    else:
        say(f"The last state is {release.record.get('restore') or 'nothing'}")


def after_uninstall(release: Release) -> None:
    """Delete what Helm does not know of: the record, and what high availability would bring the job back from."""
    for _ in release.until_deadline():
        if not release.kubernetes.pods(release.wanted["selector"]):
            break
    forget(release)
    release.kubernetes.delete_config_map(release.wanted["record"])


def forget(release: Release) -> None:
    """Delete what high availability would bring jobs back from."""
    if store := stored.of(release):
        store.forget()


def savepoint(release: Release) -> None:
    """Take one while the job runs on, and delete the oldest of those taken so."""
    if not release.read() or release.look(patience=30)[0] != "running":
        raise Failed("There is no savepoint, because not all tasks of the job run: look at its state and failures in the UI.")
    job = release.job
    body = {"target-directory": f"{release.wanted['savepoints']}/{job}", "cancel-job": False}
    path = ending.wait_for_savepoint(release, job, release.flink.trigger(job, "savepoints", body))
    taken = [*release.record.get("savepoints", "").split(), path]
    keep = release.wanted["keepSavepoints"]
    for old in taken[:-keep]:
        release.flink.dispose(old)
    release.write(savepoints="".join(f"{one}\n" for one in taken[-keep:]))
    say(f"Savepoint: {path}")


VERBS: dict[str, Callable[[Release], None]] = {
    "pre-install": install,
    "pre-upgrade": upgrade,
    "pre-rollback": lambda release: upgrade(release, strict=False),
    "post-upgrade": verify,
    "post-rollback": verify,
    "pre-delete": before_uninstall,
    "post-delete": after_uninstall,
    "forget": forget,
    "savepoint": savepoint,
    "session": session.before,
    "session-back": lambda release: session.before(release, strict=False),
    "renew": session.renew,
    "renew-back": session.renew,
    "submit": lambda release: session.submit(release, verify),
    "submit-back": lambda release: session.submit(release, verify),
}


def main(verb: str) -> int:
    wanted = json.loads((Path(__file__).parent / "release.json").read_text())
    try:
        VERBS[verb](Release(wanted, Kubernetes.of_this_pod(), Flink(wanted["rest"])))
    except (Failed, Refused, Unreachable) as error:
        # Helm would leave a release whose post-rollback hook failed as pending for ever.
        warning = verb in ("post-rollback", "submit-back", "renew-back")
        say(f"{'Warning' if warning else 'Error'}: {error}")
        return 0 if warning else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
