"""One function for each event. The name of an event is a hint: what is done follows from what is there."""

from __future__ import annotations

import functools
import os
import secrets
from dataclasses import replace
from typing import Callable, Dict, List, Optional

from . import clock, download, observe, paths, session
from .act import Actor, dispose, say
from .clock import Deadline
from .coming_pods import check_pods
from .dry_run import check_objects
from .errors import Failed, HttpError, LookAgain, Unreachable
from .flink import Flink
from .high_availability import same_place, store
from .kubernetes import Kubernetes
from .observe import JobManager, Observation, Status
from .plan import Action, Plan
from .prove import prove
from .record import FINISHED, GONE, RUNNING, SUSPENDED, Record, Records
from .wanted import Job, Wanted


class Release:
    """A release, with the clients that its operations need."""

    def __init__(self, wanted: Wanted, kubernetes: Kubernetes, flink: Flink, deadline: Deadline) -> None:
        self.wanted = wanted
        self.kubernetes = kubernetes
        self.flink = flink
        self.deadline = deadline
        self.store = store(wanted, kubernetes, deadline, in_use=True)
        self.records = Records(kubernetes, wanted)

    def look(self) -> Optional[JobManager]:
        """The live JobManager, which is asked from now on: the coming revision may give it another port, or store."""
        live = observe.jobmanager(self.wanted, self.kubernetes)
        self.wanted = replace(self.wanted, rest=observe.rest_of(self.wanted, live))
        self.flink = Flink(self.wanted.rest, self.wanted.rest_secret)
        in_use = live is not None and same_place(live.jobs_kept_in, self.wanted.jobs_kept_in)
        self.store = store(self.wanted, self.kubernetes, self.deadline, in_use=in_use)
        return live

    def actor(self, job: Job) -> Actor:
        return Actor(self.wanted, job, self.records, self.kubernetes, self.flink, self.store, self.deadline)

    @property
    def cluster(self) -> Actor:
        """For what concerns no job."""
        return self.actor(Job("", "", "stateless", RUNNING, "", 0, None))

    @property
    def actors(self) -> List[Actor]:
        if self.wanted.type == "session":
            return [self.actor(job) for job in session.jobs_of(self.wanted, self.records)]
        return [self.actor(job) for job in self.wanted.jobs]


_TRIES = 5
_NO_ROLLBACK = "Helm has not made this release: nothing to do for a rollback."


def _retried(release: Release, step: Callable[[], None]) -> None:
    """Do a step, and retry it from the beginning when the cluster has changed meanwhile."""
    for _ in range(_TRIES):
        try:
            step()
            return
        except LookAgain as change:
            last = change
            release.records.read()
            clock.sleep(clock.POLL_SECONDS)
    raise Failed(f"Something else changes the release at the same time: {last}. Look at the Jobs of the release, and try again.")


def before(release: Release, *, lenient: bool = False) -> None:
    """Before an install, an upgrade or a rollback: end the job if it changes, and write where it resumes."""
    if lenient and not _made_by_helm(release):
        say(_NO_ROLLBACK)
        return
    if release.wanted.type == "session":
        _retried(release, lambda: _before_session(release, lenient))
        return
    for job in release.wanted.jobs:
        _retried(release, functools.partial(_before_one, release, job, lenient))


def _before_session(release: Release, lenient: bool) -> None:
    live = release.look()
    if not live:
        _forget_deleted_release(release)
    session.before(release.cluster, release.actors, live, lenient=lenient)
    release.records.make()
    gone = release.records.drop_left({job.name for job in release.wanted.jobs})
    if gone:
        say(f"The records of these jobs, which left session.jobs long ago, are deleted: {', '.join(gone)}")


def _forget_deleted_release(release: Release) -> None:
    """Forget the jobs of a deleted release of this name, while no JobManager is alive. With a record its session continues, and
    high availability recovers the jobs of others, but never that of a job release."""
    record = release.cluster.record
    if release.records.are_gone:
        session.refuse_stored_jobs(release.actors)
        release.store.clear()
    elif record.exists and any(map(record.has_id, release.store.jobs())):
        release.store.forget_programs()


def _before_one(release: Release, job: Job, lenient: bool) -> None:
    release.look()
    _before_job(release.actor(job), lenient)


def _before_job(actor: Actor, lenient: bool, *, adopted: bool = False) -> None:
    record = actor.record
    unchanged = record.spec == actor.job.specification and record.state == actor.job.state == RUNNING
    patience = 0 if record.state == SUSPENDED else 10 if unchanged or lenient else 30
    seen = actor.observe(patience)
    step = actor.plan(seen, lenient=lenient)
    if step.action is Action.REFUSE:
        raise Failed(actor.with_distrust(step.why))
    if step.action is Action.ADOPT:
        actor.adopt(step.job)
        _before_job(actor, lenient, adopted=True)
        return
    live = seen.jobmanager
    if actor.job.state == RUNNING:
        check_pods(actor.wanted, live)
    if step.leaves_the_job:
        stale = seen.is_alive and not seen.stop and (record.is_stopping or record.barred)
        kept = replace(record, spec=actor.job.specification, pending="" if stale else record.pending)
        if record.state == RUNNING and seen.never_ran:
            kept = replace(kept, startBy=actor.start_by())  # the operation that began it was interrupted, maybe long ago
        if kept != record or adopted:
            actor.write(kept)
        if seen.status is Status.FINISHED:
            actor.finish()
        say(step.why)
        return
    check_objects(actor.wanted, actor.kubernetes, lenient=lenient)
    if not lenient:
        _check_download(actor)
    if live:
        actor.store.check()
    wrote_nothing = observe.wrote_nothing(record, seen)
    source = actor.end(step, seen, lenient=lenient)
    actor.drop_taskmanagers()
    same_pod = live is not None and not live.is_replaced_by(actor.wanted)
    # Under another name it stays until Helm, which does not always prune, deletes it.
    stays = live is not None and live.name != actor.wanted.jobmanager_deployment
    unseen = step.action is Action.BEGIN and seen.status in (Status.UNREACHABLE, Status.ABSENT)
    survives = same_pod or stays or actor.wanted.jobs_survive_restart
    # A JobManager that does not answer may run the job, or be about to, and would store its program once more.
    replaces = live is not None and unseen and step.state == RUNNING and survives
    if not live and not source.same_job:
        actor.store.clear()
    elif not replaces:
        # What is stored would be run beside the new job, or instead of it.
        actor.store.forget_programs()
    actor.begin(source, step.state, wrote_nothing=wrote_nothing, replaces=replaces)
    if replaces:
        actor.replace_pods()
    if same_pod or replaces:
        actor.restart()


def _check_download(actor: Actor) -> None:
    """Raises Failed before the job is stopped, if the JobManager could not fetch its file."""
    file = actor.wanted.download
    if file and actor.job.state == RUNNING and actor.record.spec != actor.job.specification:
        try:
            download.fetch(file.url, file.sha256, os.devnull)
        except Failed as failure:
            raise Failed(f"{failure} Nothing was changed.") from failure


def after(release: Release, *, lenient: bool = False) -> None:
    """After it: the job runs from where it should, or the operation fails."""
    if lenient and not _made_by_helm(release):
        say(_NO_ROLLBACK)  # the hook of an upgrade runs at the same time
        return
    if release.wanted.type == "session":
        _after_session(release, lenient)
        return
    for _ in release.deadline.ticks(every=1):
        if any(actor.record.exists for actor in release.actors):
            break
        release.records.read()  # what applies all objects at once starts all hooks at once
    for actor in release.actors:
        _retried(release, functools.partial(prove, actor))


def _after_session(release: Release, lenient: bool) -> None:
    if not release.wanted.jobs:
        session.renew(release.cluster)
        return
    with session.submitter(release.deadline) as client:
        session.renew(release.cluster)
        for _ in release.deadline.ticks(every=1):
            release.records.read()  # what applies all objects at once starts all hooks at once
            if not release.records.are_gone:
                break
        _retried(release, lambda: session.after(release.actors, client, lenient=lenient))


def before_uninstall(release: Release) -> None:
    """Stop the job with a last savepoint."""
    if not _made_by_helm(release):
        say("Helm has not made this release: no savepoint is taken. Suspend the job with job.state=suspended first.")
        return
    for actor in release.actors:
        _retried(release, functools.partial(_last_savepoint, release, actor.job))


def _last_savepoint(release: Release, job: Job) -> None:
    live = release.look()
    record = release.records.get(job.name)
    actor = release.actor(replace(job, upgrade_mode="savepoint", state=SUSPENDED, from_savepoint="", specification=record.spec))
    has_pods = live is not None and live.replicas > 0
    if record.state != FINISHED and (record.exists or has_pods):
        seen = replace(actor.observe(patience=30 if has_pods else 0), claim_that_goes="")
        step = actor.plan(seen)
        if step.action is Action.ADOPT:
            actor.adopt(step.job)
            _last_savepoint(release, job)
            return
        why = step.why if step.action is Action.REFUSE else _why_none_is_known(actor, step, seen)
        if why:
            raise Failed(f"{actor.with_distrust(why)} To uninstall without a savepoint: helm uninstall --no-hooks.")
        if step.action is not Action.KEEP and record.exists:
            actor.begin(actor.end(step, seen), SUSPENDED, wrote_nothing=observe.wrote_nothing(record, seen))
    record = actor.record
    newer = f", or a newer checkpoint of the job {record.former[0]} in {record.checkpointDirectory}" if record.former else ""
    say(f"The last state is {record.restore or 'nothing'}{newer}")


def _why_none_is_known(actor: Actor, step: Plan, seen: Observation) -> str:
    """Why the last state of a job that is not to be stopped would be unknown; empty if it is known."""
    record = actor.record
    if step.source and step.source.same_job:
        return (
            f"The job {record.job} cannot be reached, and high availability alone knows its newest state, which goes with the "
            "release. Wait until the JobManager answers."
        )
    if step.action is not Action.KEEP or not record.former:
        return ""
    may_run = seen.status is Status.UNREACHABLE and seen.jobmanager is not None and seen.jobmanager.replicas > 0
    if may_run:
        return f"The job {record.job} was suspended while it was unreachable, and still is. Wait until the JobManager answers."
    if not actor.wanted.claim_directory:
        return f"The newest state of the job {record.former[0]} is not known. Run it with job.state=running, and uninstall then."
    return ""


def after_uninstall(release: Release) -> None:
    """Delete what high availability would recover the job from, and the record, if its state is gone: Helm knows of neither."""
    absent = 0
    for _ in release.deadline.ticks(every=2):
        if observe.jobmanager(release.wanted, release.kubernetes):
            say("A JobManager of this release is alive: nothing is deleted.")
            return
        absent = 0 if release.kubernetes.pods(release.wanted.jobmanager_selector) else absent + 1
        if absent >= _TIMES_ABSENT:
            break
    else:
        say("Warning: the JobManager's pods are still there, so what high availability has stored of it is not deleted.")
        return
    try:
        release.store.forget()
    except (Failed, HttpError, Unreachable) as error:
        say(f"Warning: {error}")
    if not _state_stays(release):
        release.records.delete()
        return
    for actor in release.actors if release.wanted.type == "job" else []:
        if observe.may_have_run(actor.record):
            actor.write(replace(actor.record, deployment=GONE))
    say(
        f"The state stays, and so does its record, ConfigMap {release.wanted.record}: an install or rollback of this name "
        "resumes from there. To restart from scratch, install with job.upgradeMode=stateless; in a session, give the job another "
        "name."
    )


def _state_stays(release: Release) -> bool:
    """Whether a job of the release has state that outlives it."""
    records = [actor.record for actor in release.actors]
    if not any(one.confirmed or one.ran or one.restore or observe.may_have_run(one) for one in records):
        return False
    path = release.wanted.savepoint_directory or release.wanted.checkpoint_directory
    if paths.scheme(path) != "file":
        return True
    volume = observe.volume_of(observe.coming_volumes(release.wanted), path)
    if observe.claim_name(volume):
        return bool(observe.claim_uid(release.wanted, release.kubernetes))
    return bool(volume) and "emptyDir" not in volume


# What applies all objects at once may start this before it makes the Deployment.
_TIMES_ABSENT = 3


def savepoint(release: Release) -> None:
    """Take one while the job runs, and delete the oldest ones taken so."""
    for actor in release.actors:
        _retried(release, functools.partial(_savepoint, release, actor))


def _savepoint(release: Release, actor: Actor) -> None:
    if actor.record.state == SUSPENDED:
        say(f"The job is suspended. Its state is {actor.record.restore or 'nothing'}.")
        return
    if actor.record.state == FINISHED:
        say(_NONE_OF_A_FINISHED_JOB)  # which a JobManager that was replaced no longer knows
        return
    status, job = Status.UNREACHABLE, ""
    for _ in release.deadline.ticks(within=30):
        status, job, _ = observe.look(release.flink, actor.record)
        if status in (Status.RUNNING, Status.FINISHED):
            break
    else:
        why = f"There is no savepoint, because the job does not run ({status.value}): look at its failures in the UI."
        raise Failed(actor.with_distrust(why))
    if status is Status.FINISHED:
        say(_NONE_OF_A_FINISHED_JOB)
        return
    directory, trigger = f"{release.wanted.savepoint_directory}/{job}", secrets.token_hex(16)
    for _ in release.deadline.ticks():
        try:
            release.flink.savepoint(job, directory, trigger, release.wanted.savepoint_format)
            break
        except Unreachable:
            continue
    end = actor.wait_for(job, trigger)
    if not end.location:
        raise Failed(f"The savepoint failed: {end.failure} Look at the JobManager's log.")
    _retried(release, functools.partial(_keep_savepoint, release, actor, end.location))
    say(f"Savepoint: {end.location}")


_NONE_OF_A_FINISHED_JOB = "The job has finished: there is nothing to take a savepoint of."


def _keep_savepoint(release: Release, actor: Actor, path: str) -> None:
    record = actor.record
    taken = [*record.savepoints, path]
    # An operation that stops the job may have to start from one of them.
    old = [] if record.pending else taken[: -release.wanted.keep_savepoints]
    gone = [one for one in old if not _is_needed(record, one)]
    actor.write(replace(record, savepoints=tuple(one for one in taken if one not in gone)))
    for one in gone:
        why = dispose(release.flink, one)
        if why:
            say(f"The savepoint {one} could not be deleted: {why}")


def _is_needed(record: Record, path: str) -> bool:
    return any(paths.same(path, one) for one in (record.restore, record.previous, record.fromSavepoint, *record.stops))


def _made_by_helm(release: Release) -> bool:
    live = observe.jobmanager(release.wanted, release.kubernetes)
    if live:
        return live.made_by_helm
    # A rollback after an uninstall with --keep-history finds none.
    return all(actor.record.madeBy != "other" for actor in release.actors)


EVENTS: Dict[str, Callable[[Release], None]] = {
    "before": before,
    "before-rollback": lambda release: before(release, lenient=True),
    "after": after,
    "after-rollback": lambda release: after(release, lenient=True),
    "before-uninstall": before_uninstall,
    "after-uninstall": after_uninstall,
    "savepoint": savepoint,
}
