"""The jobs that a release gives its session cluster (session.jobs): the same plans as for a job release, one after the other."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Iterator, List, Tuple

from . import download, observe, submit
from .act import Actor, check_objects, say
from .errors import Failed, HttpError, Unreachable
from .flink import ENDED
from .observe import Observation, Status
from .plan import Action, Plan, Source
from .prove import prove
from .record import HALF, RUNNING, SUSPENDED, Records
from .submit import Client
from .wanted import Job, Json, Wanted

EXCHANGE = Path("/exchange")
_ENDED = (Status.FINISHED, Status.FAILED, Status.CANCELED)


def jobs_of(wanted: Wanted, records: Records) -> List[Job]:
    """Those of the list, and those of which only a record knows: these are to be stopped."""
    listed = {job.name for job in wanted.jobs}
    mode = "savepoint" if wanted.savepoint_directory else "stateless"
    gone = [Job(name, records.get(name).spec, mode, SUSPENDED, "", program=None) for name in records.names if name not in listed]
    return [*wanted.jobs, *gone]


@contextmanager
def named(actor: Actor) -> Iterator[None]:
    """A failure that says of which job it is."""
    try:
        yield
    except Failed as failure:
        raise Failed(f"Job {actor.job.name}: {failure}") from failure


def before(actors: List[Actor], *, lenient: bool) -> None:
    """Stop what changes or goes, and everything if the JobManager is replaced and would forget its jobs.

    All is decided before anything is stopped.
    """
    if not actors:
        return
    first = actors[0]
    live = observe.jobmanager(first.wanted, first.kubernetes)
    other = bool(live) and live is not None and live.template != first.wanted.jobmanager_template
    # What high availability has stored is of this backend and this Flink alone.
    replaced = other and not (first.wanted.jobs_survive_restart and all(_can_recover(actor) for actor in actors))
    if not lenient:
        check_downloads(actors)
        if replaced:
            refuse_strangers(actors)
    lost = bool(live) and first.records.are_gone
    steps: List[Tuple[Actor, Plan, Observation]] = []
    for actor in actors:
        if not actor.record.exists and lost:
            with named(actor):
                _adopt(actor)
        if actor.record.exists and actor.record.state == RUNNING:
            unchanged = actor.record.spec == actor.job.specification and not replaced
            with named(actor):
                seen = actor.observe(patience=10 if unchanged or lenient else 30)
                seen = replace(seen, jobmanager_replaced=replaced)
                steps.append((actor, _planned(actor, seen, lenient), seen))
    if any(step.ends_a_job for _, step, _ in steps):
        check_objects(first.wanted, first.kubernetes)
    stopped: List[str] = []
    for actor, step, seen in steps:
        try:
            if _settle(actor, step, seen, lenient):
                stopped.append(actor.job.name)
        except Failed as failure:
            done = f" Stopped already: {', '.join(stopped)}. `helm rollback` starts them again from there." if stopped else ""
            raise Failed(f"Job {actor.job.name}: {failure}{done}") from failure
    if replaced:
        first.drop_taskmanagers()


def _can_recover(actor: Actor) -> bool:
    record, wanted = actor.record, actor.wanted
    return record.backend in ("", wanted.state_backend) and record.flinkVersion in ("", wanted.flink_version)


def _adopt(actor: Actor) -> None:
    """Take the living job of that name over, if the record of the release is gone."""
    step = _planned(actor, actor.observe(patience=10), lenient=False)
    if step.action is Action.ADOPT:
        actor.adopt(step.job)


def _planned(actor: Actor, seen: Observation, lenient: bool) -> Plan:
    step = actor.plan(seen, lenient=lenient)
    if step.action is Action.REFUSE:
        raise Failed(step.why)
    return step


def _settle(actor: Actor, step: Plan, seen: Observation, lenient: bool) -> bool:
    """End the job, if it is to end, and write where it goes on; whether it was stopped."""
    if step.action is Action.KEEP:
        if seen.status is Status.FINISHED:
            actor.finish()
        return False
    if not step.ends_a_job and seen.status not in _ENDED and actor.job.state == RUNNING and not seen.jobmanager_replaced:
        return False  # it is begun after the upgrade
    source = actor.end(step, seen, lenient=lenient)
    actor.settle(source, SUSPENDED)
    say(f"{actor.job.name}: stopped" + (f", with its state in {source.restore}" if source.restore else ""))
    return step.ends_a_job


def check_downloads(actors: List[Actor]) -> None:
    """What cannot be fetched is found before anything is stopped for it."""
    for actor in actors:
        if actor.record.spec != actor.job.specification:
            fetch(actor, os.devnull)


def fetch(actor: Actor, to: str) -> None:
    """Read the file of a job that is given by a URL to the path `to`."""
    program = actor.job.program
    if program and program.url:
        with named(actor):
            download.fetch(program.url, program.sha256, to)


def refuse_strangers(actors: List[Actor]) -> None:
    """Jobs that others submitted cannot be submitted again by the hooks."""
    ours = {actor.record.half for actor in actors if actor.record.exists}
    jobs: List[Json] = []
    first = actors[0]
    for _ in first.deadline.ticks(within=30):
        try:
            jobs = first.flink.jobs()
            break
        except (Unreachable, HttpError):
            continue
    else:
        if any(observe.is_ready(pod) for pod in first.kubernetes.pods(first.wanted.jobmanager_selector)):
            raise Failed(
                f"This upgrade replaces the JobManager, and nobody answers at {first.wanted.rest} which jobs would be "
                "lost. Nothing was "
                "changed. Look whether a network policy keeps the hooks from it, or upgrade with --no-hooks."
            )
    lost = [job["name"] for job in jobs if job["state"] not in ENDED and job["jid"][:HALF] not in ours]
    if lost:
        raise Failed(
            f"This upgrade replaces the JobManager, and these jobs would be lost: {', '.join(lost)}. Nothing was "
            "changed. Stop them "
            "with a savepoint first, or give them up with `helm upgrade --no-hooks`; highAvailability.type=kubernetes keeps them."
        )


def after(actors: List[Actor]) -> None:
    """Submit what does not run yet, and wait until all of it runs, each from where it should."""
    if not actors:
        return
    client = Client(EXCHANGE, actors[0].deadline)
    try:
        renew(actors[0])
        listed = [actor for actor in actors if actor.job.program]
        for actor in listed:
            with named(actor):
                _start_if_due(actor, client)
        for actor in listed:
            with named(actor):
                prove(actor)
    finally:
        client.end()


def renew(actor: Actor) -> None:
    """Replace TaskManagers that Flink made for a JobManager of before; jobs go on from their checkpoints on new ones."""
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
    raise Failed(f"The JobManager is not ready after {actor.deadline.seconds:g} s (hooks.timeoutSeconds): look at its pod.")


def _start_if_due(actor: Actor, client: Client) -> None:
    patience = 0 if not actor.record.exists or actor.record.state != RUNNING else 30
    seen = actor.observe(patience)
    step = _planned(actor, seen, lenient=False)
    if step.action is Action.KEEP:
        if seen.status is Status.FINISHED:
            actor.finish()
        say(f"{actor.job.name}: {step.why}")
        return
    _start(actor, client, actor.end(step, seen))


def _start(actor: Actor, client: Client, source: Source) -> None:
    program = actor.job.program
    if not program:
        return
    found = submit.newest(actor.wanted.claim_directory, source.former)
    if found:
        source = replace(source, restore=found, own=submit.is_checkpoint(found), former=())
    say(f"{actor.job.name}:")
    fetch(actor, program.file)
    actor.begin(source, RUNNING)
    # The client may have reached Flink even if it says that it has not.
    code, output = client.run(actor.job.name, submit.argv(program, actor.record, actor.wanted.claims_own_checkpoints))
    if code or "[ERROR]" in output:  # the SQL client ends with 0 in any case
        say(output)
        raise Failed(f"It could not be submitted: {submit.cause(output)}")
    actor.write(replace(actor.record, pending=""))
