"""The jobs that a release gives its session cluster (session.jobs): the same plans as for a job release, one after the other."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional, Tuple

from . import clock, download, observe, paths, submit
from .act import Actor, say
from .clock import Deadline
from .cluster import check, refuse_foreign_jobs
from .coming_pods import check_pods
from .dry_run import check_objects
from .errors import Failed, HttpError, Unreachable
from .high_availability import same_place
from .observe import JobManager, Observation, Status
from .plan import Action, Plan, Source
from .prove import prove
from .record import FINISHED, RUNNING, SUBMIT, SUBMITTING, SUSPENDED, Record, Records
from .submit import Client
from .wanted import Job, Wanted

EXCHANGE = Path("/exchange")


def jobs_of(wanted: Wanted, records: Records) -> List[Job]:
    """Those of the list, and those that only a record knows, which are to be stopped."""
    listed = {job.name for job in wanted.jobs}
    gone = [Job(name, records.get(name).spec, "", SUSPENDED, "", 0, program=None) for name in records.names if name not in listed]
    return [*wanted.jobs, *gone]


@contextmanager
def named(actor: Actor) -> Iterator[None]:
    """Names the job in a failure."""
    try:
        yield
    except Failed as failure:
        raise Failed(f"Job {actor.job.name}: {failure}") from failure


def for_each(actors: List[Actor], step: Callable[[Actor], None]) -> Dict[str, str]:
    """Job -> why a step failed. It is taken for each job, whether another one fails or not."""
    failures: Dict[str, str] = {}
    for actor in actors:
        try:
            with named(actor):
                step(actor)
        except Failed as failure:
            failures[actor.job.name] = str(failure)
    return failures


def before(cluster: Actor, actors: List[Actor], live: Optional[JobManager], *, lenient: bool) -> None:
    """Stop what changes or leaves, and everything if the JobManager is replaced and would forget its jobs.

    All is decided before anything is stopped.
    """
    check(cluster, live, lenient=lenient)
    other = live is not None and live.is_replaced_by(cluster.wanted)
    # What high availability has stored is only found in the same place, and only read by the same backend and Flink.
    elsewhere = live is not None and not same_place(live.jobs_kept_in, cluster.wanted.jobs_kept_in)
    survive = cluster.wanted.jobs_survive_restart and not elsewhere
    replaced = other and not (survive and all(actor.record.is_recovered_by(cluster.wanted) for actor in actors))
    check_pods(cluster.wanted, live)
    if not lenient:
        check_downloads(actors)
    adopted = _take_over(actors, live, lenient)
    if replaced:
        ours = {actor.record.half for actor in actors if actor.record.exists}
        refuse_foreign_jobs(cluster, ours, lenient=lenient)
        cluster.store.check()
    steps = _decide(actors, replaced, survive and (live is None or other), lenient)
    if any(step.ends_a_job for _, step, _ in steps):
        check_objects(cluster.wanted, cluster.kubernetes, lenient=lenient)
    for actor in adopted:
        actor.write(actor.record)
    stopped: List[str] = []
    for actor, step, seen in steps:
        try:
            if _settle(actor, step, seen, lenient):
                stopped.append(actor.job.name)
        except Failed as failure:
            done = f" Stopped already: {', '.join(stopped)}. `helm rollback` starts them again from there." if stopped else ""
            raise Failed(f"Job {actor.job.name}: {failure}{done}") from failure
    if replaced:
        cluster.drop_taskmanagers()
    if live is not None and (live.type == "job" or (replaced and elsewhere)):
        # The job of a job release, which has not run, or jobs of long ago, when they were kept there.
        cluster.store.forget_programs()


def _take_over(actors: List[Actor], live: Optional[JobManager], lenient: bool) -> List[Actor]:
    """Those whose job is taken over, because the record of the release is gone. Raises Failed for one that must not begin."""
    adopted: List[Actor] = []
    for actor in actors:
        if live is not None and not actor.record.exists:
            with named(actor):
                if _adopt(actor, live, lenient):
                    adopted.append(actor)
    return adopted


def _decide(actors: List[Actor], replaced: bool, recovered: bool, lenient: bool) -> List[Tuple[Actor, Plan, Observation]]:
    """What is done about each job that may run; what would be refused later is refused now. `recovered`: high availability
    brings the jobs that it knows back with the coming JobManager."""
    began = clock.monotonic()
    steps: List[Tuple[Actor, Plan, Observation]] = []
    for actor in actors:
        record = actor.record
        if not record.exists or record.state == FINISHED:
            continue
        unchanged = record.spec == actor.job.specification and not replaced
        patience = 0 if record.state == SUSPENDED else _left(10 if unchanged or lenient else 30, began)
        with named(actor):
            seen = replace(actor.observe(patience), jobmanager_replaced=replaced)
            if recovered and _is_seen_later(actor, seen):
                continue
            step = _planned(actor, seen, lenient)
        if record.state == RUNNING or seen.is_alive:
            steps.append((actor, step, seen))
    return steps


def _is_seen_later(actor: Actor, seen: Observation) -> bool:
    """Whether the hook after the upgrade finds the job running, and can stop it then: the old JobManager need not come up."""
    unseen = seen.status is Status.UNREACHABLE and seen.known_to_store
    return unseen and actor.job.state == RUNNING and actor.record.is_recovered_by(actor.wanted)


def _left(seconds: float, began: float) -> float:
    """The wait for a JobManager on behalf of one job counts for the next one."""
    return max(0, seconds - (clock.monotonic() - began))


def _adopt(actor: Actor, live: JobManager, lenient: bool) -> bool:
    """Take the living job of that name over, if the record of the release is gone; it is to be written when all is decided."""
    step = _planned(actor, actor.observe(patience=10 if actor.records.are_gone else 0), lenient)
    if step.action is not Action.ADOPT:
        return False
    path = actor.job.from_savepoint
    # The path of the previous values was used; that Flink shows another state means that the job has resumed since.
    used = live.jobs is None or live.has_named(actor.job.name, path)
    record = Record(job=step.job, ids=(step.job,), state=RUNNING).with_used(path if used else "")
    actor.records.assume(actor.job.name, record)
    say(f"{actor.job.name}: the job {step.job} is taken over")
    return True


def _planned(actor: Actor, seen: Observation, lenient: bool) -> Plan:
    step = actor.plan(seen, lenient=lenient)
    if step.action is Action.REFUSE:
        raise Failed(actor.with_distrust(step.why))
    return step


def _settle(actor: Actor, step: Plan, seen: Observation, lenient: bool) -> bool:
    """End the job, if it is to end, and write where it resumes; returns whether it was stopped."""
    if step.leaves_the_job:
        _leave(actor, seen)
        return False
    if not step.ends_a_job and seen.status not in observe.OVER and actor.job.state == RUNNING and not seen.jobmanager_replaced:
        _leave(actor, seen)
        return False  # it is begun after the upgrade
    wrote_nothing = observe.wrote_nothing(actor.record, seen)
    source = actor.end(step, seen, lenient=lenient)
    actor.settle(source, SUSPENDED, wrote_nothing=wrote_nothing)
    say(f"{actor.job.name}: stopped" + (f", with its state in {source.restore}" if source.restore else ""))
    return step.ends_a_job


def _leave(actor: Actor, seen: Observation) -> None:
    """Write what is known now of a job that is left as it is."""
    if seen.status is Status.FINISHED:
        actor.finish()
    elif seen.is_alive and actor.record.is_submitting:
        actor.write(replace(actor.record, pending=""))
    elif seen.status is Status.ABSENT and seen.never_ran and actor.record.pending != SUBMIT:
        actor.write(replace(actor.record, pending=SUBMIT))  # the JobManager that can tell may be about to be replaced


def check_downloads(actors: List[Actor]) -> None:
    """Raises Failed before anything is stopped, if a file cannot be fetched."""
    for actor in actors:
        if actor.record.spec != actor.job.specification:
            fetch(actor, os.devnull)


def fetch(actor: Actor, to: str) -> None:
    """Read the file of a job that is given by a URL to the path `to`."""
    program = actor.job.program
    if program and program.url:
        with named(actor):
            download.fetch(program.url, program.sha256, to)


@contextmanager
def submitter(deadline: Deadline) -> Iterator[Client]:
    """The container beside this one, which ends for good with it."""
    client = Client(EXCHANGE, deadline)
    try:
        yield client
    finally:
        client.end()


def after(actors: List[Actor], client: Client, *, lenient: bool) -> None:
    """Submit what does not run yet, and wait until all of it runs, each from where it should."""
    began = clock.monotonic()
    listed = [actor for actor in actors if actor.job.program]
    _refuse_older_files(listed)
    failures = for_each(listed, lambda actor: _start_if_due(actor, client, began, lenient))
    failures.update(for_each([actor for actor in listed if actor.job.name not in failures], prove))
    if failures:
        raise Failed(" ".join(failures.values()))


def _refuse_older_files(actors: List[Actor]) -> None:
    """Raises Failed if unknown jobs have left state before this session was made, and the values name none."""
    if not actors or actors[0].records.names or all(actor.job.from_savepoint for actor in actors):
        return
    wanted, records = actors[0].wanted, actors[0].records
    live = actors[0].kubernetes.deployment(wanted.jobmanager_deployment)
    directory = wanted.claim_directory
    # A Deployment that was made again is younger than the session, and so is a record.
    made = [one for one in (records.created, live["metadata"]["creationTimestamp"] if live else "") if one]
    state = submit.newest_before(directory, min(map(clock.seconds_of, made))) if made else ""
    if state:
        raise Failed(
            f"The release had no record, and {directory} holds state of jobs of a session of its name, the newest in {state}. "
            "Name where each job resumes with fromSavepoint in session.jobs, and add jobs that are to start from nothing in the "
            f"next upgrade. To restart all of them from scratch, delete the files first: `kubectl exec "
            f"deploy/{wanted.jobmanager_deployment} -- rm -r {directory}/checkpoints {directory}/savepoints`."
        )


def refuse_stored_jobs(actors: List[Actor]) -> None:
    """Raises Failed if high availability knows jobs, no record does, and the values name no state. No JobManager is alive."""
    listed = [actor for actor in actors if actor.job.program]
    if not listed or all(actor.job.from_savepoint for actor in listed):
        return
    if stored := listed[0].store.jobs():
        raise Failed(
            f"The release has no record, and high availability knows jobs of a session of its name: {', '.join(stored)}. Nothing "
            "was changed. Name where each job resumes with fromSavepoint in session.jobs. To restart all of them from scratch, "
            f"delete {listed[0].store.place}."
        )


def renew(actor: Actor) -> None:
    """Replace TaskManagers that Flink made for the previous JobManager; jobs resume from their checkpoints on new ones."""
    wait_for_jobmanager(actor)
    actor.drop_taskmanagers(former=True)


def wait_for_jobmanager(actor: Actor) -> None:
    """An upgrade may not have replaced it yet."""
    for _ in actor.deadline.ticks():
        live = actor.kubernetes.deployment(actor.wanted.jobmanager_deployment) or {"metadata": {"generation": 0}, "spec": {}}
        status = {"observedGeneration": -1, **(live.get("status") or {})}
        counts = {status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas")}
        if status["observedGeneration"] >= live["metadata"].get("generation", 0) and counts == {live["spec"].get("replicas")}:
            try:
                actor.flink.jobs()
            except (Unreachable, HttpError):
                continue
            return
    why = f"The JobManager is not ready after {actor.deadline.seconds:g} s (hooks.timeoutSeconds): look at its pod."
    raise Failed(actor.with_distrust(why))


def _start_if_due(actor: Actor, client: Client, began: float, lenient: bool) -> None:
    patience = 0 if not actor.record.exists or actor.record.state != RUNNING else 30
    seen = actor.observe(_left(patience, began))
    step = _planned(actor, seen, lenient)
    if step.leaves_the_job:
        _leave(actor, seen)
        say(f"{actor.job.name}: {step.why}")
        return
    record = actor.record
    wrote_nothing = observe.wrote_nothing(record, seen) or (record.is_submitting and not record.is_confirmed)
    source = actor.end(step, seen, lenient=lenient)
    # Flink takes an id once: a submission that is still on its way does not double the job.
    again = seen.never_ran and seen.status is Status.ABSENT
    _start(actor, client, replace(source, same_job=True) if again else source, wrote_nothing)


def _start(actor: Actor, client: Client, source: Source, wrote_nothing: bool) -> None:
    program = actor.job.program
    if not program:
        return
    newest = submit.newest(actor.wanted.claim_directory, source.former)
    if not newest and source.former and actor.record.claim not in ("", observe.claim_uid(actor.wanted, actor.kubernetes)):
        raise Failed(
            f"Nothing of the job is left in {actor.wanted.claim_directory}, which is on another PVC than it ran on. Bring its "
            "files back, or name a copy of its state with fromSavepoint, or give the job another name to restart it from scratch."
        )
    if newest:
        source = replace(source, restore=newest, own=submit.is_checkpoint(newest), former=())
    elif source.own and submit.is_gone(actor.wanted.claim_directory, source.restore):
        raise Failed(
            f"Checkpoint {source.restore}, from which the job started, is gone: Flink deletes it when the job finishes. It is "
            "not run again. Name its state with fromSavepoint, or give the job another name to restart it from scratch."
        )
    record = actor.record
    if not source.previous and not record.is_confirmed and paths.same(source.restore, record.restore):
        # As the hook before the upgrade has written it.
        source = replace(source, previous=record.previous, previous_former=record.previousFormer)
    say(f"{actor.job.name}:")
    fetch(actor, program.file)
    actor.begin(source, RUNNING, wrote_nothing=wrote_nothing)
    actor.write(replace(actor.record, pending=f"{SUBMITTING} {clock.now()}"))
    code, output = client.run(actor.job.name, submit.argv(program, actor.record, actor.wanted.claims_own_checkpoints))
    if code or "[ERROR]" in output:  # the SQL client ends with 0 in any case
        say(output)
        status = _arrived(actor)
        if status is not Status.UNREACHABLE:
            actor.write(replace(actor.record, pending=SUBMIT if status is Status.ABSENT else ""))
        raise Failed(f"It could not be submitted: {submit.cause(output)}")
    actor.write(replace(actor.record, pending=""))


def _arrived(actor: Actor) -> Status:
    """The status of a job that the client failed to submit: it may have reached Flink all the same."""
    status = Status.UNREACHABLE
    for _ in actor.deadline.ticks(every=1, within=10):
        status, _, _ = observe.look(actor.flink, actor.record)
        if status not in (Status.UNREACHABLE, Status.ABSENT):
            break
    return status
