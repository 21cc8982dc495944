"""What an operation does about a job: a pure function of the values, the record and the observation.

docs/upgrade.md has the table, tests/unit/hooks/test_plan.py tests it row by row.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import Optional, Tuple

from . import observe, parallelism, paths, refusals
from .observe import Observation, Status
from .reach import Reach
from .record import FINISHED, RUNNING, SUSPENDED, Record
from .wanted import Job, Wanted


class Action(enum.Enum):
    KEEP = "leave the job as it is"
    RESCALE = "leave it as it is: its parallelism is changed while it runs, once its pods are those of this revision"
    BEGIN = "write the next generation: nothing runs"
    RESUME = "write the next generation of a suspended job"
    STOP = "stop the job with a savepoint, then write the next generation"
    CANCEL = "cancel the job, then write the next generation"
    ADOPT = "make a record of the job that runs, then plan again"
    REFUSE = "change nothing, and say why"


@dataclass(frozen=True)
class Source:
    """Where the next generation starts."""

    how: str  # for the history
    restore: str = ""  # savepoint or checkpoint; empty: nothing
    own: bool = False  # whether Flink may delete it in time, because it is the release's own checkpoint
    former: Tuple[str, ...] = ()  # jobs whose newest checkpoint in the directory is newer than `restore`, if they have one
    same_job: bool = False  # high availability knows the rest
    format: str = ""  # of a savepoint that was just taken
    # The previous state, if this one is another: a rollback of a generation that never ran returns to it.
    previous: str = ""
    previous_former: Tuple[str, ...] = ()  # jobs whose newest checkpoint is newer than `previous`, if they have one
    first: bool = False  # as in the record
    left: Tuple[str, ...] = ()  # checkpoints that the job has left behind, each of which can be deleted without the others


@dataclass(frozen=True)
class Plan:
    action: Action
    why: str
    source: Optional[Source] = None  # None for STOP and CANCEL: known from Flink once the job has ended
    state: str = RUNNING  # of the next generation
    job: str = ""  # the one to adopt

    @property
    def leaves_the_job(self) -> bool:
        """Whether the hook before the operation does nothing to the job."""
        return self.action in (Action.KEEP, Action.RESCALE)

    @property
    def ends_a_job(self) -> bool:
        return self.action in (Action.STOP, Action.CANCEL)


def plan(wanted: Wanted, job: Job, record: Record, seen: Observation, *, lenient: bool = False) -> Plan:
    """`lenient`: a rollback, which leaves a broken version behind and names no state of its own."""
    return _Planner(wanted, job, record, seen, lenient).plan()


class _Planner:
    def __init__(self, wanted: Wanted, job: Job, record: Record, seen: Observation, lenient: bool) -> None:
        self.wanted, self.job, self.record, self.seen, self.lenient = wanted, job, record, seen, lenient
        self.reach = Reach(wanted, record, seen)
        # A path is used once. A rollback brings back old values, whose path and mode do not apply again.
        new = job.from_savepoint and not record.has_used(job.from_savepoint)
        self.named = job.from_savepoint if new and not (lenient and (record.exists or seen.jobmanager)) else ""
        keeps_state = lenient and bool(wanted.savepoint_directory or wanted.checkpoint_directory)
        self.mode = "savepoint" if keeps_state and job.upgrade_mode == "stateless" else job.upgrade_mode or self._default_mode

    def plan(self) -> Plan:
        if self.seen.renamed_from:
            return self._refuse(*refusals.renamed(self.seen.renamed_from, self.wanted.jobmanager_deployment))
        if self.seen.claim_that_goes and not (self.job.upgrade_mode == "stateless" and not self.lenient):
            return self._refuse(*refusals.claim_goes(self.seen.claim_that_goes))
        if self.seen.claim_being_deleted and not self._does_without(self.seen.claim_being_deleted):
            return self._refuse(*refusals.claim_is_deleted(self.seen.claim_being_deleted))
        if self.wanted.type == "job" and self.seen.jobmanager and self.seen.jobmanager.type == "session":
            refused = self._jobs_of_a_session()
            if refused:
                return refused
        if self.seen.bounded:
            return self._refuse(*refusals.bounded_runs(self.seen.bounded[0]))
        if not self.record.exists:
            return self._without_record()
        resumed = self.record.state == SUSPENDED and self.job.state == RUNNING  # it was changed while it was suspended
        if self.record.state != FINISHED and (resumed or self.job.specification != self.record.spec or self._goes_with_others):
            refused = self._refused(self._loses_the_state())
            if refused:
                return refused
        if self.wanted.type == "job" and (job := self._runs_all_the_same):
            return Plan(Action.ADOPT, "The job runs although the record says that it does not.", job=job)
        if self.record.state == SUSPENDED:
            return self._suspended()
        return self._finished() if self.record.state == FINISHED else self._running()

    def _does_without(self, claim: str) -> bool:
        """Whether this revision neither mounts a PVC nor needs what is stored there."""
        other_state = bool(self.named) or (self.job.upgrade_mode == "stateless" and not self.lenient)
        return other_state and claim not in observe.claim_names(observe.coming_volumes(self.wanted).values())

    def _loses_the_state(self) -> Optional[Tuple[str, str]]:
        """Why this revision would lose the state of the job although the values do not ask for that."""
        if self.named:
            return None
        if self.mode != "stateless":
            return None if self._has_left else self.reach.flink()
        # A rollback brings back old values, and an empty mode says nothing.
        return self.reach.directory() if self.lenient or not self.job.upgrade_mode else None

    @property
    def changed(self) -> bool:
        """Whether the job has to be ended: for another specification or state, or because its JobManager would forget it."""
        other = self.job.specification != self.record.spec or self.job.state != self.record.state
        return (
            other
            or (self.record.state == SUSPENDED and self.seen.is_alive)
            or (self._waits_for_a_restart and not self.seen.is_alive)
            or bool(self.named)
            or self._lets_the_first_job_start
            or self.seen.jobmanager_replaced
            or self._failed_elsewhere
            or self._pod_is_replaced_for_good
        )

    @property
    def _has_left(self) -> bool:
        """Whether it has left session.jobs."""
        return self.wanted.type == "session" and self.job.state == SUSPENDED

    @property
    def _goes_with_others(self) -> bool:
        """Whether an unchanged job of a session ends, because it leaves the list or its JobManager is replaced, or is started
        again, because that is gone."""
        seen = self.seen
        runs = self.wanted.type == "session" and self.record.state == RUNNING and seen.status is not Status.FINISHED
        has_gone = not seen.jobmanager or seen.status is Status.ABSENT
        return runs and (self._has_left or seen.jobmanager_replaced or has_gone)

    @property
    def _waits_for_a_restart(self) -> bool:
        return bool(self.record.barred) or self.record.is_replaced

    @property
    def _lets_the_first_job_start(self) -> bool:
        """Whether the values now say what a waiting first job needs: that the state in its directory is not wanted."""
        record = self.record
        return record.first and not record.has_run and not self.seen.is_alive and self.mode == "stateless"

    @property
    def _default_mode(self) -> str:
        """What an empty upgradeMode means: the best for which there is a directory."""
        if self.wanted.savepoint_directory:
            return "savepoint"
        return "last-state" if self.wanted.checkpoint_directory else "stateless"

    @property
    def _pod_is_replaced_for_good(self) -> bool:
        """Whether a new pod would not find the newest state by itself: neither high availability nor a PVC has it."""
        live, wanted = self.seen.jobmanager, self.wanted
        if wanted.type == "session" or not live or not live.is_replaced_by(wanted):
            return False
        return wanted.high_availability == "none" and not wanted.claim_directory

    @property
    def _failed_elsewhere(self) -> bool:
        """Whether the generation was to start from other state than the previous, does not run, and is no longer asked for."""
        record = self.record
        if not self._is_elsewhere or self.seen.status is Status.RUNNING:
            return False
        if self._has_completed:
            return False
        if self.lenient:
            return True
        if record.restore:
            return not paths.same(self.job.from_savepoint, record.restore)
        return self.mode != "stateless"

    @property
    def _is_elsewhere(self) -> bool:
        """Whether the generation starts from other state than the previous, and was never seen running from there."""
        return bool(self.record.previous or self.record.previousFormer) and not self.record.is_confirmed

    @property
    def _has_completed(self) -> bool:
        """Whether Flink shows state that the generation has written."""
        newest = self.seen.checkpoints.newest or self._own_savepoint
        begun = self.record.state == RUNNING
        return begun and bool(newest) and not paths.same(newest, self.record.restore)

    # A release without a record

    def _without_record(self) -> Plan:
        live = self.seen.jobmanager
        if self.wanted.type == "session":
            return self._session_job_without_record()
        if not live:
            return self._first()
        if live.type == "session":
            return self._begin(Source("install", self.named))
        if len(self.seen.others) > 1:
            jobs = ", ".join(name for _, name in self.seen.others)
            return self._refuse(f"The release has no record, and several jobs run: {jobs}.", "Stop all but one.")
        if self.seen.others or self.seen.ended_others:
            job = self.seen.others[0][0] if self.seen.others else self.seen.ended_others[0]
            return Plan(Action.ADOPT, "The release has no record: its job is the one that Flink shows.", job=job)
        used_before = paths.same(self.named, live.from_savepoint)
        if self.mode == "stateless" or (self.named and not used_before):
            return self._begin(self._as_the_user_says())
        if live.is_new:
            return self._first()
        return self._refuse(
            "The release has no record, and its job is unreachable, so where it would resume is not known.",
            f"Name its newest state with job.fromSavepoint={self.reach.example('')}, or restart it from scratch with "
            "job.upgradeMode=stateless.",
        )

    def _first(self) -> Plan:
        """An install, or what looks like one: record and Deployment may have been deleted, and the job's state not."""
        names_state = bool(self.named) or self.mode == "stateless"
        if self.seen.stored and not names_state:
            return self._refuse(*refusals.stored(self.seen.stored, self.reach.example(self.seen.stored[0])))
        return self._begin(Source("install", self.named, first=not names_state))

    def _jobs_of_a_session(self) -> Optional[Plan]:
        """A refusal if a session cluster is to become one of a job, and runs others."""
        silent = self.seen.status is Status.UNREACHABLE and not self.lenient
        if not self.seen.others and not silent:
            return None
        jobs = ", ".join(name for _, name in self.seen.others) or "unknown, because REST does not answer"
        return self._refuse(
            f"The release is a session cluster, and these jobs of it would be lost: {jobs}.",
            "Stop them first, with a savepoint, and resume from that with job.fromSavepoint.",
        )

    def _session_job_without_record(self) -> Plan:
        """New in the list, unless the record of the whole release is gone, or a job of that name runs."""
        live = self.seen.jobmanager
        is_gone = self.seen.record_is_gone and live is not None and live.has_record and not live.is_new
        same_name = [job for job, name in self.seen.others if name == self.job.name]
        if is_gone and len(same_name) == 1:
            return Plan(Action.ADOPT, "The release has no record: its job is the one of that name.", job=same_name[0])
        if same_name:
            return self._refuse(
                f"A job of this name runs in the session, and no record knows it: {', '.join(same_name)}.",
                "Stop it with a savepoint (`flink stop`), and name that with fromSavepoint; or give this job another name.",
            )
        if not is_gone or live is None:
            return self._begin(Source("install", self.named))
        lost = "The record of the release is gone, and where this job would resume is not known."
        if self.seen.status is Status.UNREACHABLE:
            remedy = "Wait until the JobManager answers; replace one that cannot come up with `helm upgrade --no-hooks`."
            return self._refuse(lost, remedy)
        if not live.may_have_listed(self.job.name) or (self.named and not live.has_named(self.job.name, self.named)):
            return self._begin(Source("install", self.named))
        return self._refuse(
            lost, "Name its newest state with fromSavepoint, or give the job another name to restart it from scratch."
        )

    # A job that is suspended

    def _suspended(self) -> Plan:
        if self.seen.is_alive:
            return self._alive()  # what should have ended it did not happen
        if self.job.state == SUSPENDED:
            return self._keep("The job stays suspended.")
        if self.named or self.mode == "stateless":
            return replace(self._begin(self._as_the_user_says()), action=Action.RESUME)
        source = replace(self._as_recorded("resume"), same_job=self.seen.known_to_store and self.wanted.type == "job")
        return self._out_of_reach(source) or replace(self._begin(source), action=Action.RESUME)

    def _as_the_user_says(self) -> Source:
        before = self._as_it_would_resume()
        how = "job.fromSavepoint" if self.named else "stateless"
        return Source(how, self.named, previous=before.restore, previous_former=before.former)

    def _as_it_would_resume(self) -> Source:
        """Where the job would resume if the values named nothing; empty if that is unknown or does not exist."""
        record, seen = self.record, self.seen
        if not record.exists:
            return Source("")
        if record.state == SUSPENDED or seen.never_ran:
            return self._as_recorded("")
        if seen.status is Status.FINISHED:
            return Source("", self._stopped_with)
        if seen.status in (Status.FAILED, Status.CANCELED, Status.RUNNING, Status.UNHEALTHY):
            newest = seen.checkpoints.newest or self._own_savepoint
            if not newest or (self._is_elsewhere and not self._has_completed):
                return self._as_recorded("")
            gone = self._is_deleted_with_the_job(newest)
            return Source("", self._own_savepoint) if gone else self._from_checkpoint(newest)
        return self._from_the_files("")

    def _from_the_files(self, how: str) -> Source:
        """The newest of the checkpoints that the job and those before it have left, or else where the record says."""
        source = self._as_recorded(how)
        return replace(source, former=(self.record.job, *source.former))

    def _as_recorded(self, how: str) -> Source:
        """Where the record's generation starts; the previous state, if it was to start from other state and never ran."""
        if self._failed_elsewhere or (self._is_elsewhere and (self.named or self.mode == "stateless")):
            return replace(from_checkpoint(self.record, self.record.previous, how), former=self.record.previousFormer)
        source = Source(how, self.record.restore, self.record.own, self.record.former)
        if self.record.is_confirmed:
            return source
        # It is tried again: the previous state stays known.
        return replace(source, previous=self.record.previous, previous_former=self.record.previousFormer, first=self.record.first)

    @property
    def _own_savepoint(self) -> str:
        """The newest savepoint on demand or on schedule of the job that runs."""
        own = [path for path in self.record.savepoints if observe.is_half_of(self.record.job, path)]
        return own[-1] if own else ""

    @property
    def _stopped_with(self) -> str:
        return (self.seen.stop.location if self.seen.stop else "") or self.seen.checkpoints.stopped_with

    def _is_deleted_with_the_job(self, path: str) -> bool:
        """Whether Flink deletes a checkpoint when the job ends as it is to end, or has ended. Savepoints are the user's."""
        config = self.seen.config
        if "/chk-" not in path:
            return False
        if paths.same(path, self.seen.checkpoints.restored) and not (self.record.own and self.wanted.claims_own_checkpoints):
            return False  # not Flink's
        if self.seen.status is Status.FAILED:
            return not (config and config.survives_failure)
        return not (config and config.retained)

    # A job that should run

    def _running(self) -> Plan:
        status = self.seen.status
        if self.seen.is_alive:
            return self._alive()
        if status is Status.FINISHED:
            return self._finished()
        if status in (Status.FAILED, Status.CANCELED):
            return self._ended()
        return self._out_of_sight()

    def _alive(self) -> Plan:
        if self.seen.stop and not self.seen.stop.failure:
            if self.named or self.mode == "stateless":
                return Plan(Action.STOP, "A stop that has begun continues.", self._as_the_user_says(), self.job.state)
            directory = self.record.savepointDirectory or self.wanted.savepoint_directory
            refused = self._unreadable(directory) or self._other_backend()
            return refused or Plan(Action.STOP, "A stop that has begun continues.", None, self.job.state)
        if not self.changed:
            return self._rescale() or self._keep("Nothing that concerns the job has changed.")
        if self.mode == "stateless":
            return self._cancel("job.upgradeMode is stateless.", self._as_the_user_says())
        if self.mode == "savepoint":
            if self.seen.status is Status.RUNNING:
                return self._stop()
            if self.named:
                return self._cancel("job.fromSavepoint names where it resumes.", self._as_the_user_says())
            if not self.lenient and not self._failed_elsewhere:
                return self._refuse(
                    "No savepoint can be taken, because not all tasks of the job run: "
                    f"{self.seen.failure or 'no failure is recorded.'}",
                    f"Wait until it runs, or {self._remedy}.",
                )
        return self._by_last_checkpoint()

    def _rescale(self) -> Optional[Plan]:
        record, job, vertices = self.record, self.job, self.seen.vertices
        if job.state == SUSPENDED or not parallelism.differs(record, job, vertices):
            return None
        refused = self._refused(parallelism.hindrance(record, job, vertices))
        why = f"Its parallelism becomes {job.parallelism} while it runs."
        return refused or Plan(Action.RESCALE, why, state=record.state)

    def _stop(self) -> Plan:
        directory = self.record.savepointDirectory or self.wanted.savepoint_directory
        if not directory:
            return self._refuse(
                "There is no directory for a savepoint.",
                "Set storage.enabled or state.root, or job.upgradeMode=last-state or stateless.",
            )
        live = self.seen.jobmanager
        if paths.scheme(directory) == "file" and not self.record.savepointDirectory and live and not live.volume_of(directory):
            return self._refuse(
                f"The pods of the job that runs have no volume at {directory}, so no savepoint can be taken.",
                "Its state is nowhere but in them: restart it from scratch with job.upgradeMode=stateless.",
            )
        if not self.named:
            refused = self._unreadable(directory) or self._other_backend()
            if refused:
                return refused
        source = Source("job.fromSavepoint", self.named) if self.named else None
        if source and self._is_own_checkpoint(source.restore):
            # Flink deletes the checkpoints of a job that was stopped with a savepoint.
            if not (self.seen.config and self.seen.config.retained):
                return self._refuse(
                    f"job.fromSavepoint names a checkpoint of the job that runs, {source.restore}, which would go with it.",
                    "Leave job.fromSavepoint out: the job resumes from its newest state by itself. Or name a savepoint.",
                )
            return self._cancel("job.fromSavepoint names a checkpoint of its own.", source)
        return Plan(Action.STOP, "It is stopped with a savepoint.", source, self.job.state)

    def _is_own_checkpoint(self, path: str) -> bool:
        """Whether Flink deletes it with the job: its own, or the one of a former id that it has claimed."""
        claimed = self.wanted.claims_own_checkpoints and self.record.has_id(_job_of(path))
        restored = paths.same(path, self.seen.checkpoints.restored) or paths.same(path, self.record.restore)
        return "/chk-" in path and (observe.is_half_of(self.record.job, path) or (claimed and restored))

    def _by_last_checkpoint(self) -> Plan:
        """Cancel, and resume from the newest checkpoint, which has to survive that."""
        if self.named:
            return self._cancel("job.fromSavepoint names where it resumes.", self._as_the_user_says())
        if self._failed_elsewhere:
            source = self._as_recorded("last-state")
            return self._out_of_reach(source) or self._cancel("It goes back to where it was before.", source)
        checkpoints = self.seen.checkpoints
        if checkpoints.in_memory:
            return self._refuse(
                "Its newest checkpoint is in memory alone, and would go with the job.", "Set state.root or storage.enabled."
            )
        if self.seen.may_complete_what_goes or self._is_deleted_with_the_job(checkpoints.newest):
            return self._refuse(
                "Flink deletes its checkpoints when it is cancelled (execution.checkpointing.externalized-checkpoint-retention).",
                "Use job.upgradeMode=savepoint, or set RETAIN_ON_CANCELLATION in the job.",
            )
        if not checkpoints.newest:
            if self._own_savepoint:
                source = Source("last-state", self._own_savepoint)
                return self._out_of_reach(source) or self._cancel("It resumes from its newest savepoint.", source)
            if self.record.restore or self.record.former:
                return self._cancel("It has completed no checkpoint since it started.", self._as_recorded("last-state"))
            return self._cancel("It has never completed a checkpoint.", Source("last-state"))
        refused = self._out_of_reach(self._from_checkpoint(checkpoints.newest))
        return refused or self._cancel("It is cancelled, and resumes from its newest checkpoint.", None)

    def _finished(self) -> Plan:
        savepoint = self._stopped_with
        # Without statistics of checkpoints it is unknown whether a stop that has begun has ended it.
        if savepoint or (self.record.is_stopping and not self.seen.stop and not self.seen.config):
            if self.named or self.mode == "stateless":
                return self._begin(self._as_the_user_says())
            if savepoint:
                source = Source("savepoint", savepoint)
                return self._out_of_reach(source) or self._begin(source)
            return self._out_of_sight()
        if self.job.specification == self.record.spec and not self.named:
            return self._keep("The job has finished.")
        return self._begin(Source("after its end", self.named))

    def _ended(self) -> Plan:
        """FAILED, or cancelled by somebody: Flink never runs a terminal id again."""
        if self.named or self.mode == "stateless":
            return self._begin(self._as_the_user_says())
        if other := self._on_another_claim():
            return other
        checkpoints = self.seen.checkpoints
        if checkpoints.in_memory:
            return self._refuse("Its newest checkpoint was in memory alone.", "Name another state with job.fromSavepoint.")
        if not checkpoints.newest or self._failed_elsewhere:
            source = Source("last-state", self._own_savepoint) if self._own_savepoint else self._as_recorded("last-state")
            return self._out_of_reach(source) or self._begin(source)
        if self._is_deleted_with_the_job(checkpoints.newest):
            ended = "was cancelled" if self.seen.status is Status.CANCELED else "has failed"
            return self._refuse(
                f"It {ended}, and Flink deleted its checkpoints (execution.checkpointing.externalized-checkpoint-retention).",
                "Name another state with job.fromSavepoint, or restart it from scratch with job.upgradeMode=stateless.",
            )
        source = self._from_checkpoint(checkpoints.newest)
        return self._out_of_reach(source) or self._begin(source)

    def _from_checkpoint(self, path: str) -> Source:
        return from_checkpoint(self.record, path)

    def _out_of_sight(self) -> Plan:
        """REST does not answer, or does not know the job: the record, the directory and high availability decide."""
        seen, record = self.seen, self.record
        if left := self._left_out_of_sight():
            return left
        if not self.changed and seen.status is Status.UNREACHABLE and seen.jobmanager:
            return self._keep("Nothing that concerns the job has changed.")
        if self.wanted.type == "job" and (job := self._job_without_hooks):
            return Plan(Action.ADOPT, "It was started without hooks, after the record was written.", job=job)
        coming = not seen.jobmanager or seen.jobmanager.specification != record.spec
        if not self.changed and seen.never_ran and coming and self.wanted.type == "job":
            return self._keep("It starts with this revision.")
        if self.wanted.type == "job" and seen.others and not seen.never_ran:
            jobs = ", ".join(name for _, name in seen.others)
            return self._refuse(
                f"Flink does not know the job {record.job}, and runs others: {jobs}.", "Stop them first, or wait."
            )
        unknown_store = self.wanted.type == "job" and self.wanted.high_availability == "other" and seen.jobmanager
        if unknown_store and seen.status is Status.UNREACHABLE and not seen.never_ran:
            return self._refuse(
                "The JobManager does not answer, and its high availability, which is of a kind of your own, would run the job "
                "that it has stored beside the new one.",
                "Wait until it answers.",
            )
        if self.named or self.mode == "stateless":
            return self._begin(self._as_the_user_says())
        if self.wanted.type == "job" and seen.jobmanager and not seen.jobmanager.has_record:
            return self._refuse(
                "The job was started without hooks after its record was written, and is unreachable, so its newest state is "
                "not known.",
                f"Wait until the JobManager answers, or name it with job.fromSavepoint={self.reach.example('')}.",
            )
        if other := self._on_another_claim():
            return other
        if self._should_wait:
            return self._refuse(
                f"The job {record.job} cannot be reached at {self.wanted.rest}, so no savepoint can be taken.",
                f"Wait until the JobManager answers, or {self._remedy}.",
            )
        if seen.known_to_store and not self._failed_elsewhere:
            if self.wanted.type == "session":
                return self._refuse(
                    f"High availability knows the job {record.job}, but Flink does not show it.", self._until_it_is_shown
                )
            # A suspended job may resume without what high availability knows, and its checkpoints are where they were.
            former = (record.job, *record.former) if self.job.state == SUSPENDED else record.former
            # Flink resumes from a checkpoint that high availability knows, and from the path only if that knows none.
            saved = self._own_savepoint
            source = Source("last-state", saved or record.restore, record.own and not saved, former, same_job=True)
            return self._out_of_reach(source) or self._begin(source)
        if self._has_files:
            source = self._from_the_files("last-state")
            return self._out_of_reach(source) or self._begin(source)
        if seen.never_ran:
            source = self._as_recorded("last-state")
            return self._out_of_reach(source) or self._begin(source)
        if seen.jobmanager and not seen.jobmanager.is_alone:
            names = observe.jobmanager_names(self.wanted)
            return self._refuse(*refusals.two_jobmanagers(names, runs=seen.jobmanager.specification == record.spec))
        return self._refuse(
            f"The job {record.job} is unreachable, and its newest state is not known.",
            f"Name it with job.fromSavepoint={self.reach.newest}, or restart the job from scratch with "
            "job.upgradeMode=stateless.",
        )

    @property
    def _has_files(self) -> bool:
        """Whether the coming JobManager looks for checkpoints where the job has left them."""
        directory = self.wanted.claim_directory
        return bool(directory) and paths.below(self.record.checkpointDirectory or "/", directory)

    def _left_out_of_sight(self) -> Optional[Plan]:
        """The same for a job that has left session.jobs: where it would resume may stay unknown."""
        seen, record = self.seen, self.record
        if not self._has_left or seen.jobmanager_replaced:
            return None
        if seen.known_to_store and self.lenient and seen.status is Status.UNREACHABLE:
            return self._keep("High availability keeps it running: the next upgrade stops it.")
        if seen.known_to_store:
            return None
        if seen.status is Status.ABSENT:
            former = record.former if seen.never_ran else (record.job, *record.former)
            return self._begin(Source("has left session.jobs", record.restore, record.own, former))
        if not seen.jobmanager:
            return None
        if self.lenient:
            return self._keep("It cannot be reached: the next upgrade stops it.")
        return self._refuse("The JobManager cannot be reached, so that the job cannot be stopped.", "Wait until it answers.")

    @property
    def _should_wait(self) -> bool:
        """Whether a savepoint can be taken later: the JobManager that runs the job is unreachable, but should come back."""
        live = self.seen.jobmanager
        return (
            self.wanted.type == "job"
            and live is not None
            and live.specification == self.record.spec
            and live.replicas > 0  # nothing comes back where it has been scaled away
            and self.mode == "savepoint"
            and self.record.is_confirmed
            and not self.lenient
            and self.seen.status is Status.UNREACHABLE
        )

    @property
    def _job_without_hooks(self) -> str:
        """The job of a live revision that is not the record's, which did not know it: hooks.enabled was false meanwhile."""
        live = self.seen.jobmanager
        if not live or live.specification == self.record.spec:
            return ""
        living = [job for job, _ in self.seen.others]
        strange = [job for job in living or self.seen.ended_others if not self.record.has_id(job)]
        return strange[0] if len(living) <= 1 and strange else ""

    def _on_another_claim(self) -> Optional[Plan]:
        """What to do where the PVC is not the one on which the job ran. The JobManager of a job release finds out by itself."""
        record, seen = self.record, self.seen
        if not record.state or not self._claim_is_another or (self.wanted.type == "job" and seen.jobmanager):
            return None
        if not seen.claim:
            return self._refuse(
                "The PVC with the state of the job is gone.",
                "Make it again of a copy under its name, or name a copy of the state with job.fromSavepoint, or restart the "
                "job from scratch with job.upgradeMode=stateless.",
            )
        # A PVC restored from a copy still has the files, and a new one has none.
        former = tuple(dict.fromkeys((record.job, *record.former, *record.ids)))
        return self._begin(Source("the files of the PVC, which is another one", former=former))

    @property
    def _runs_all_the_same(self) -> str:
        """The job that runs although the record says that none does, under another id than the record's."""
        live, record = self.seen.jobmanager, self.record
        if record.state == RUNNING or not live or live.type != "job":
            return ""
        living = [job for job, _ in self.seen.others]
        if record.state == SUSPENDED and len(living) == 1 and record.has_id(living[0]):
            return living[0]  # it was suspended while unreachable, and that operation was not applied
        return "" if live.has_record else self._job_without_hooks

    @property
    def _claim_is_another(self) -> bool:
        path = self.record.savepointDirectory or self.record.checkpointDirectory
        volume = self.record.volume_of(path)
        same_volume = bool(volume) and volume == observe.volume_of(observe.coming_volumes(self.wanted), path)
        return bool(self.record.claim) and same_volume and self.record.claim != self.seen.claim

    # What the coming release could not read

    def _out_of_reach(self, source: Source) -> Optional[Plan]:
        """A refusal if the coming release could not start from there."""
        return self._refused(self.reach.source(source.restore, source.former, source.same_job))

    def _unreadable(self, path: str) -> Optional[Plan]:
        return self._refused(self.reach.path(path))

    def _other_backend(self) -> Optional[Plan]:
        """A refusal if the coming release could not read the savepoint that is about to be taken."""
        return self._refused(self.reach.backend(canonical=True))

    def _refused(self, reason: Optional[Tuple[str, str]]) -> Optional[Plan]:
        return self._refuse(*reason) if reason else None

    # Messages

    @property
    def _until_it_is_shown(self) -> str:
        """What to do about a job of a session that high availability brings back."""
        if self._has_left:
            return "Wait until it does, or leave the job in session.jobs for this upgrade, and take it out in the next one."
        same = self.record.is_recovered_by(self.wanted)
        return "Wait until it does" + ("." if same else ", or leave Flink's version, state.backend and state.root as they were.")

    @property
    def _remedy(self) -> str:
        if self.wanted.type == "session":
            return "cancel it with `flink cancel`: then it resumes from its last checkpoint"
        return "resume from its newest checkpoint with job.upgradeMode=last-state"

    def _keep(self, why: str) -> Plan:
        return Plan(Action.KEEP, why, state=self.record.state)

    def _begin(self, source: Source) -> Plan:
        return Plan(Action.BEGIN, f"It starts from {source.restore or 'nothing'}.", source, self.job.state)

    def _cancel(self, why: str, source: Optional[Source]) -> Plan:
        return Plan(Action.CANCEL, why, source, self.job.state)

    def _refuse(self, what: str, remedy: str) -> Plan:
        message = refusals.text(what, remedy, session=self.wanted.type == "session")
        return Plan(Action.REFUSE, message, state=self.record.state)


def _job_of(path: str) -> str:
    """Flink's id of the job that wrote a checkpoint: <directory>/<job>/chk-<number>."""
    parts = path.rstrip("/").split("/")
    return next((before for before, part in zip(parts, parts[1:]) if part.startswith("chk-")), "")


def from_checkpoint(record: Record, path: str, how: str = "last-state") -> Source:
    """Where an ended job resumes. A checkpoint in the directory of an id of this release may be deleted in time."""
    own = any(observe.is_half_of(job, path) for job in (record.job, *record.former, *record.ids))
    is_checkpoint = "/chk-" in path
    return Source(how, path, own=own and is_checkpoint)
