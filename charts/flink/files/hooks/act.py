"""Carries a plan out: ends the job, and writes where it resumes.

Each step can be interrupted and repeated: a stop is recorded before Flink is asked for it, and the next generation only when
the job has ended.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from typing import Dict, List, Optional, Tuple

from . import clock, observe, paths, plan
from .clock import Deadline
from .errors import Failed, HttpError, LookAgain, Unreachable
from .flink import CheckpointConfig, Checkpoints, Flink, Operation
from .high_availability import Store
from .kubernetes import Kubernetes
from .observe import JobManager, Observation, Report, Status
from .parallelism import bounds, common, differs, followers, slots
from .plan import Action, Plan, Source
from .record import FINISHED, NONE, REPLACE, RESTART, RUNNING, SUBMIT, SUSPENDED, Record, Records
from .wanted import Job, Json, Wanted


def say(text: str) -> None:
    print(text, flush=True)


# How long a JobManager that is being restarted may not answer.
_SILENT_SECONDS = 30
# How often a checkpoint is asked for.
_CHECKPOINT_SECONDS = 10


class Actor:
    """One job, and all that an operation needs to change it."""

    def __init__(
        self, wanted: Wanted, job: Job, records: Records, kubernetes: Kubernetes, flink: Flink, store: Store, deadline: Deadline
    ) -> None:
        self.wanted = wanted
        self.job = job
        self.records = records
        self.kubernetes = kubernetes
        self.flink = flink
        self.store = store
        self.deadline = deadline
        self._silent_since: Optional[float] = None
        self._next_checkpoint = 0.0

    def with_distrust(self, why: str) -> str:
        """A reason, with what certificates have to do with it before it."""
        return " ".join(filter(None, (self.flink.distrust, why)))

    def _answered(self) -> None:
        self._silent_since = None

    def _unanswered(self) -> None:
        """Raises LookAgain when Flink has not answered for a while: its JobManager may be gone for good."""
        self._silent_since = self._silent_since or clock.monotonic()
        if clock.monotonic() - self._silent_since > _SILENT_SECONDS:
            self._silent_since = None
            raise LookAgain("The JobManager no longer answers.")

    @property
    def record(self) -> Record:
        return self.records.get(self.job.name)

    def write(self, record: Record) -> None:
        self.records.put(self.job.name, record)

    def observe(self, patience: float) -> Observation:
        seen = observe.observe(self.wanted, self.record, self.kubernetes, self.flink, self.store, self.deadline, patience)
        seen = replace(seen, record_is_gone=self.records.are_gone)
        if self.wanted.type == "job" or not seen.others:
            return seen
        known = [self.records.get(name) for name in self.records.names]
        return replace(seen, others=tuple(one for one in seen.others if not any(record.has_id(one[0]) for record in known)))

    def plan(self, seen: Observation, *, lenient: bool = False) -> Plan:
        return plan.plan(self.wanted, self.job, self.record, seen, lenient=lenient)

    # Ends of a job

    def end(self, step: Plan, seen: Observation, *, lenient: bool = False) -> Source:
        """End the job as planned; returns where it resumes. Raises Failed, with the job still running, if that is impossible."""
        if step.action is Action.STOP:
            try:
                savepoint_format = self._format(step)
                path = self.stop_with_savepoint(seen, savepoint_format)
                if step.source:
                    return replace(step.source, previous=path, previous_former=())
                return Source("savepoint", path, format=savepoint_format)
            except Failed as failure:
                if not lenient:
                    raise
                seen = self.observe(patience=5)
                if seen.may_complete_what_goes:
                    raise
                say(f"{failure} Its newest checkpoint is used instead.")
                step = self.plan(replace(seen, status=Status.UNHEALTHY) if seen.status is Status.RUNNING else seen, lenient=True)
                if not step.ends_a_job:
                    return self._source(step)
        if step.action is Action.CANCEL:
            self.records.write_assumed(self.job.name)  # nothing else would tell of the job, if its JobManager died now
            self.cancel()
            report = self._after_cancel(seen)
            return replace(self._after(report, step, seen), left=_left(report.checkpoints, report.config))
        left = _left(seen.checkpoints, seen.config) if seen.status in (Status.FAILED, Status.CANCELED) else ()
        return replace(self._source(step), left=left)

    def _after(self, report: Report, step: Plan, seen: Observation) -> Source:
        """Where a cancelled job resumes."""
        newest = report.checkpoints.newest
        last = plan.from_checkpoint(self.record, newest)
        if not step.source:
            return last
        kept = (seen.config is not None and seen.config.retained) or "/chk-" not in newest
        # Completed since the observation, if not before it.
        if not kept or not newest or paths.same(newest, report.checkpoints.restored):
            return step.source
        return last if step.source.how == "last-state" else replace(step.source, previous=newest, previous_former=())

    def _source(self, step: Plan) -> Source:
        if step.action is Action.REFUSE or not step.source:
            raise Failed(step.why)
        return step.source

    def _format(self, step: Plan) -> str:
        """Another backend can only read a canonical savepoint."""
        old = self.record.backend
        if old and old != self.wanted.state_backend and not step.source:
            return "CANONICAL"
        return "NATIVE" if "forst" in (old, self.wanted.state_backend) else self.wanted.savepoint_format

    def stop_with_savepoint(self, seen: Observation, savepoint_format: str) -> str:
        """The path of the savepoint, once the job has ended. Raises Failed if there is none, and the job still runs."""
        job = seen.job
        config, slowest = seen.config, seen.checkpoints.slowest_seconds
        # A savepoint takes about as long as a checkpoint of all state; one that outlasts the hook stops the job later.
        if config and config.timeout_seconds > self.deadline.left and slowest * 2 + 10 > self.deadline.left:
            raise Failed(
                f"A savepoint may take longer than this hook waits: the slowest checkpoint took {slowest:g} s. Nothing "
                "was changed. Raise "
                f"hooks.timeoutSeconds ({self.deadline.seconds:g}) above that, and helm's --timeout above hooks.timeoutSeconds."
            )
        directory = f"{self.record.savepointDirectory or self.wanted.savepoint_directory}/{job}/stop"
        trigger = self._trigger(job)
        # Recorded before Flink knows of it: a retry then waits for this stop, and does not kill it by a second one.
        self.write(replace(self.record, pending=f"{job} {trigger} {directory}"))
        for _ in self.deadline.ticks():
            try:
                self.flink.stop(job, directory, trigger, savepoint_format)
                self._answered()
                break
            except Unreachable:
                self._unanswered()
            except HttpError as error:
                self.write(replace(self.record, pending=""))
                raise Failed(f"Flink refuses to stop the job: {error} {self._still(job)}") from error
        end = self.wait_for(job, trigger)
        if end.location:
            self.write(
                replace(self.record, stops=(*(one for one in self.record.stops if one != end.location), end.location)[-_STOPS:])
            )
        else:
            self.write(replace(self.record, pending=""))
            raise Failed(f"The savepoint failed: {end.failure} {self._still(job)}")
        self._wait_over(job, trigger)
        return end.location

    def _trigger(self, job: str) -> str:
        """The id of the stop: that of one that has begun and has not failed, else a new one."""
        pending = self.record.pending.split()
        if pending and pending[0] == job:
            try:
                known = self.flink.operation(job, pending[1])
            except (Unreachable, HttpError):
                known = None
            if known is None or not known.failure:
                return pending[1]
        # It differs from that of the previous stop, so that Flink does not confuse the two.
        return hashlib.sha256(f"{job} {self.record.pending} {secrets.token_hex(8)}".encode()).hexdigest()[:32]

    def wait_for(self, job: str, trigger: str) -> Operation:
        """The end of a stop or savepoint. Raises Failed if it takes too long."""
        unknown = 0
        for _ in self.deadline.ticks():
            try:
                operation = self.flink.operation(job, trigger)
            except (Unreachable, HttpError):
                self._unanswered()
                continue
            self._answered()
            if operation is None:
                unknown += 1
                if unknown >= _UNKNOWN_TIMES:
                    raise LookAgain("The JobManager was restarted, and does not know the savepoint.")
            elif operation.ended:
                return operation
        raise Failed(
            f"The savepoint was not complete after {self.deadline.seconds:g} s (hooks.timeoutSeconds), and is still being taken: "
            f"run the same command again, which waits for its end. The checkpoints of job {job} in the UI and the JobManager's "
            "log say why it is slow."
        )

    def _still(self, job: str) -> str:
        """The state of the job after a failed stop: Flink may have restarted it."""
        status = Status.UNREACHABLE
        for _ in self.deadline.ticks(every=1, within=60):
            status, _, _ = observe.look(self.flink, self.record)
            if status in (Status.RUNNING, Status.FAILED, Status.FINISHED, Status.CANCELED):
                break
        if status is Status.RUNNING:
            return f"The job still runs under the same id, {job}. Nothing was changed. Look at the JobManager's log."
        return (
            f"The job {job}: {status.value}. Run the same command again once it runs; the JobManager's log says what it is doing."
        )

    def _wait_over(self, job: str, trigger: str) -> None:
        """Wait until the job that has its savepoint has ended. A JobManager that died before that still runs the job."""
        for _ in self.deadline.ticks():
            status, _, _ = observe.look(self.flink, self.record)
            if status in observe.OVER or status is Status.ABSENT:
                return
            if status is Status.UNREACHABLE:
                self._unanswered()
                continue
            self._answered()
            if status is Status.RUNNING and self._has_forgotten(job, trigger):
                raise LookAgain("The JobManager was restarted, and still runs the job.")
        raise Failed(
            f"The savepoint is complete, but the job {job} has not ended after {self.deadline.seconds:g} s "
            "(hooks.timeoutSeconds): "
            "run the same command again, which waits for its end."
        )

    def _has_forgotten(self, job: str, trigger: str) -> bool:
        try:
            return self.flink.operation(job, trigger) is None
        except (Unreachable, HttpError):
            return False

    def cancel(self) -> None:
        """Cancel the job, under whatever id it runs: a JobManager that dies meanwhile recovers it under another one."""
        absent = 0
        for _ in self.deadline.ticks():
            status, job, _ = observe.look(self.flink, self.record)
            if status in observe.OVER:
                return
            absent = absent + 1 if status is Status.ABSENT else 0
            if absent >= _UNKNOWN_TIMES:
                raise LookAgain("The JobManager was restarted, and no longer knows the job.")
            if status is Status.UNREACHABLE:
                self._unanswered()
                continue
            self._answered()
            if status is Status.ABSENT:
                continue
            try:
                self.flink.cancel(job)
            except Unreachable:
                continue
            except HttpError as error:
                if error.status not in (404, 409):  # it has ended by itself
                    raise
        raise Failed(
            f"The job {self.record.job} could not be cancelled in {self.deadline.seconds:g} s: look at the JobManager's log."
        )

    def _after_cancel(self, before: Observation) -> Report:
        """Flink's report: a checkpoint may have been completed between the observation and the cancel."""
        report = Report(Status.UNREACHABLE, before.job)
        for _ in self.deadline.ticks(within=30):
            report = observe.ask(self.flink, self.record)
            if report.status is not Status.UNREACHABLE:
                break
        if report.status not in observe.OVER:
            raise LookAgain("The JobManager was restarted after the job was cancelled.")
        return report

    # Its parallelism

    def rescale(self, report: Report) -> str:
        """Have a job that is alive take the parallelism of the values; what is still missing, empty if nothing is."""
        record, job, vertices = self.record, self.job, report.vertices
        if vertices is None:
            return f"Flink does not let its parallelism become {job.parallelism}." if differs(record, job, vertices) else ""
        following = followers(record, vertices)
        if differs(record, job, vertices):
            # Before Flink gets it: afterwards nobody can tell the followers any more, and a JobManager that starts reads it.
            self.write(replace(record, parallelism=job.parallelism, followers=tuple(one.id for one in following)))
            try:
                self.flink.rescale(report.job, bounds(self.record, job, vertices))
            except (Unreachable, HttpError) as error:
                return f"its parallelism could not be changed: {error}"
            say(f"Its parallelism becomes {job.parallelism} while it runs.")
            return "its parallelism is about to change."
        behind = [one for one in following if one.parallelism not in (0, job.parallelism)]  # 0: not shown
        if not behind or report.status is not Status.RUNNING:
            return ""
        try:
            if slots(vertices) > self.flink.slots_total():
                return ""  # it takes what there is
            self._complete_a_checkpoint(report.job)
        except (Unreachable, HttpError) as error:
            say(str(error))
        return f"it runs {behind[0].parallelism} tasks of {behind[0].name} instead of {job.parallelism}."

    def _complete_a_checkpoint(self, job: str) -> None:
        """Flink changes the parallelism when one is complete, so that nothing is read twice."""
        if clock.monotonic() < self._next_checkpoint:
            return
        self._next_checkpoint = clock.monotonic() + _CHECKPOINT_SECONDS
        self.flink.checkpoint(job, secrets.token_hex(16))

    # The next generation

    def begin(self, source: Source, state: str, *, wrote_nothing: bool, replaces: bool = False) -> None:
        """Write the next generation: a new id, because Flink never runs an ended one again, and the files of the old one stay.

        Pods of the previous generation must not run it; with `replaces` no pod at all, until those are gone. `wrote_nothing`: the
        previous generation has written no state.
        """
        old = self.record
        state_backend, state_flink = _writer(old, source, wrote_nothing)
        new = replace(
            old,
            generation=old.generation + 1,
            startBy=self.start_by(),
            spec=self.job.specification,
            parallelism=self.job.parallelism,
            followers=(),
            state=state,
            deployment=self._deployment(),
            restore=source.restore,
            own=source.own,
            first=source.first,
            former=source.former[:_FORMER],
            left=(*old.left, *source.left)[-_LEFT:],
            format=source.format or old.format if paths.same(source.restore, old.restore) else source.format,
            pending=SUBMIT if self.job.program else REPLACE if replaces else self._restart_of_pods(state),
            previous=source.previous,
            previousFormer=source.previous_former[:_FORMER],
            stateBackend=state_backend,
            stateFlinkVersion=state_flink,
        )
        new = self._writing_as_wanted(new)
        if state == SUSPENDED:
            new = replace(new, backend=state_backend, flinkVersion=state_flink)  # it writes nothing
        new = new.with_used(self.job.from_savepoint).with_id(old.job if source.same_job else secrets.token_hex(16))
        newer = " or a newer checkpoint" if source.former or source.same_job else ""
        line = f"{new.generation}  {clock.now()}  {source.how}  from {source.restore or 'the beginning'}{newer}"
        self.write(new.with_line(line))
        say(line)

    def _writing_as_wanted(self, record: Record) -> Record:
        """The record with the directories, backend and Flink version with which this revision writes its state."""
        wanted = self.wanted
        volumes = observe.coming_volumes(wanted)
        return replace(
            record,
            backend=wanted.state_backend,
            flinkVersion=wanted.flink_version,
            savepointDirectory=wanted.savepoint_directory,
            checkpointDirectory=wanted.checkpoint_directory,
            savepointVolume=observe.volume_of(volumes, wanted.savepoint_directory),
            checkpointVolume=observe.volume_of(volumes, wanted.checkpoint_directory),
            claim=observe.claim_uid(wanted, self.kubernetes),
            stores=tuple(f"{scheme}={endpoint}" for scheme, endpoint in sorted(wanted.stores.items())),
        )

    def start_by(self) -> int:
        """Until when a pod may be the first to run the generation that is written now."""
        return clock.now_seconds() + int(2 * self.wanted.timeout_seconds)

    def _deployment(self) -> str:
        """The JobManager's Deployment, as the record has it; empty for a job of a session, of which it says nothing."""
        if self.job.name:
            return ""
        live = observe.jobmanager(self.wanted, self.kubernetes)
        return live.version if live else NONE

    def _restart_of_pods(self, state: str) -> str:
        """What the record says of the previous generation's pods, which would run the next one."""
        if state != RUNNING:
            return ""
        pods = observe.pods_of(self._jobmanager_pods(), self.job.specification)
        return " ".join([RESTART, *(pod["metadata"]["uid"] for pod in pods)]) if pods else ""

    def restart(self) -> None:
        """Delete the pods that must not run this generation, and that Helm leaves alone. Idempotent."""
        barred = self.record.barred
        if not barred:
            return
        self._delete([pod for pod in self._jobmanager_pods() if pod["metadata"]["uid"] in barred])
        # With high availability the TaskManagers find the new JobManager; in native mode Flink makes others.
        if self.wanted.taskmanager_deployment and not self.wanted.jobs_survive_restart:
            self._delete(self.kubernetes.pods(self.wanted.taskmanager_selector))
        self.write(replace(self.record, pending=""))

    def replace_pods(self) -> None:
        """Wait until the previous generation's pods are gone, and with them what they store in high availability."""
        pods = self._jobmanager_pods()
        uids = {pod["metadata"]["uid"] for pod in pods}
        self._delete(pods)
        for _ in self.deadline.ticks(every=1):
            if not any(pod["metadata"]["uid"] in uids for pod in self._jobmanager_pods()):
                break
        else:
            raise Failed("The old JobManager pod is not deleted: look at its node, and run the same command again.")
        self.store.forget_programs()
        # Pods that have started meanwhile wait, and would learn late that they need not: they are restarted as well.
        self.write(replace(self.record, pending=self._restart_of_pods(RUNNING)))

    def _jobmanager_pods(self) -> List[Json]:
        return self.kubernetes.pods(self.wanted.jobmanager_selector)

    def _delete(self, pods: List[Json]) -> None:
        for pod in pods:
            self.kubernetes.delete_pod(pod["metadata"]["name"], pod["metadata"]["uid"])

    def drop_taskmanagers(self, *, former: bool = False) -> None:
        """Remove those that Flink made, or those of a `former` pod template: a new JobManager would take them over."""
        if selector := self.wanted.native_taskmanager_selector:
            template = f",flink/template!={self.wanted.native_taskmanager_template}" if former else ""
            self.kubernetes.delete_pods(f"{selector}{template}")

    def adopt(self, job: str) -> None:
        """Take over a job that has no record, or an old one, without writing it yet. The path of its values is used already."""
        old = self.record
        live = observe.jobmanager(self.wanted, self.kubernetes)
        # Without hooks its pods do not wait for a record, and would not find its newest state after a restart.
        pod = observe.serving(self._jobmanager_pods()) if live and live.has_record else None
        spec = observe.specification(pod) if pod else ""
        if old.has_id(job):  # it was to be suspended, but was unreachable
            former = tuple(one for one in old.former if one != job)
            record = replace(old, confirmed=old.generation, state=RUNNING, spec=spec, former=former, pending="")
        else:
            # What it was restored from may be a checkpoint of its own by now.
            named = self.job.from_savepoint if self.job.name or self._started_from(job) else live.from_savepoint if live else ""
            record = Record(
                generation=old.generation,
                confirmed=old.generation,  # it was just seen
                spec=spec,
                state=RUNNING,
                ids=old.ids,
                usedSavepoints=old.usedSavepoints,
                stops=old.stops,
                savepoints=old.savepoints,
                history=old.history,
            ).with_used(named)
        if spec == self.job.specification:
            # It may be left alone.
            record = replace(self._writing_as_wanted(record), parallelism=self._parallelism_of(job, live) if live else 0)
        elif not record.checkpointDirectory:
            record = self._writing_as_flink_says(record, job, observe.volumes(pod["spec"]) if pod else {})
        self.records.assume(self.job.name, record.with_id(job))
        say(f"The job {job} is taken over.")

    def _parallelism_of(self, job: str, live: JobManager) -> int:
        """What its values gave the job; 0 if that cannot be changed while it runs."""
        if not live.parallelism or live.made_by_helm:
            return live.parallelism
        # Whoever applies all at once has given the Deployment the coming one already.
        try:
            return common(self.flink.vertices(job) or ()) or live.parallelism
        except (Unreachable, HttpError):
            return live.parallelism

    def _writing_as_flink_says(self, record: Record, job: str, volumes: Dict[str, str]) -> Record:
        """The record with how and where a job writes its state, which is known from nothing else; as it is if nobody answers."""
        try:
            checkpoints, config, version = self.flink.checkpoints(job), self.flink.checkpoint_config(job), self.flink.version()
        except (Unreachable, HttpError):
            return record
        record = replace(record, backend=config.backend if config else "")
        directory, own, _ = (checkpoints.newest if checkpoints else "").partition(f"/{job}/chk-")
        if not own:
            return record
        volume = observe.volume_of(volumes, directory)
        return replace(record, checkpointDirectory=directory, checkpointVolume=volume, flinkVersion=version)

    def _started_from(self, job: str) -> bool:
        """Whether a job without a record has used the path of the values."""
        try:
            checkpoints = self.flink.checkpoints(job)
        except (Unreachable, HttpError):
            return False
        return checkpoints is not None and paths.same(checkpoints.restored, self.job.from_savepoint)

    def settle(self, source: Source, state: str, *, wrote_nothing: bool) -> None:
        """Write that the job has ended, and where it would resume."""
        old = self.record
        backend, flink_version = _writer(old, source, wrote_nothing)
        settled = replace(
            old.with_line(f"{old.generation}  {clock.now()}  ended  would resume from {source.restore or 'the beginning'}"),
            state=state,
            restore=source.restore,
            own=source.own,
            former=source.former[:_FORMER],
            left=(*old.left, *source.left)[-_LEFT:],
            format=source.format,
            backend=backend,
            flinkVersion=flink_version,
            stateBackend=backend,
            stateFlinkVersion=flink_version,
            previous=source.previous,
            previousFormer=source.previous_former[:_FORMER],
            # A start from other state may fail: a rollback then returns to the previous state.
            confirmed=0 if source.previous else old.confirmed,
            pending="",
        )
        self.write(settled)

    def finish(self) -> None:
        self.write(replace(self.record, state=FINISHED, pending=""))


def _writer(old: Record, source: Source, wrote_nothing: bool) -> Tuple[str, str]:
    """Backend and Flink that wrote the newest state. A job that seemed to have none may have completed one at its end."""
    completed = any(observe.is_half_of(old.job, path) for path in (source.restore, source.previous))
    return old.written_by(wrote_nothing=wrote_nothing and not completed)


# The maximum that a record holds of a job that is stopped again and again and never seen running.
_STOPS, _FORMER, _LEFT = 50, 20, 100

# A JobManager that has just begun a stop may not list it yet.
_UNKNOWN_TIMES = 25


def superfluous(record: Record, keep: int) -> List[str]:
    """Savepoints that stopped the job and are no longer needed, now that this generation runs."""
    needed = [record.restore, record.previous, record.fromSavepoint, *record.savepoints]
    old = record.stops[: max(len(record.stops) - keep, 0)]
    return [path for path in old if not any(paths.same(path, one) for one in needed)]


def not_needed(record: Record) -> List[str]:
    """Checkpoints of former generations that are no longer needed, now that this one runs."""
    needed = (record.restore, record.previous, record.fromSavepoint)
    jobs = (*record.former, *record.previousFormer)
    return [
        path
        for path in record.left
        if not any(paths.same(path, one) for one in needed) and not any(observe.is_half_of(job, path) for job in jobs)
    ]


def _left(checkpoints: Checkpoints, config: Optional[CheckpointConfig]) -> Tuple[str, ...]:
    """The checkpoints that a job has left behind; none where deleting one would take files from another."""
    return checkpoints.retained if config and config.self_contained else ()


def dispose(flink: Flink, path: str) -> Optional[str]:
    """Why a savepoint could not be deleted."""
    try:
        flink.dispose(path)
    except (Unreachable, HttpError) as error:
        return str(error)
    return None
