"""State that the coming revision could not read, or would not keep: each reason as (what is wrong, what to write)."""

from __future__ import annotations

from typing import Optional, Tuple

from . import observe, paths
from .observe import Observation
from .record import Record
from .wanted import Wanted

Reason = Optional[Tuple[str, str]]

_FROM_SCRATCH = "restart the job from scratch with job.upgradeMode=stateless"


class Reach:
    def __init__(self, wanted: Wanted, record: Record, seen: Observation) -> None:
        self.wanted, self.record, self.seen = wanted, record, seen

    def example(self, job: str) -> str:
        """The form of a checkpoint's path; with a placeholder for an empty job id."""
        directory = self.record.checkpointDirectory or self.wanted.checkpoint_directory
        return f"{directory}/{job or '<job>'}/chk-<number>" if directory else "<path>"

    @property
    def newest(self) -> str:
        """What to name as the newest state of an unreachable job."""
        record = self.record
        before = "" if record.has_run else record.previous or record.restore
        counts = before and not record.has_used(before)
        return self.example(record.job) + (f" (or {before}, if that job has never run)" if counts else "")

    def source(self, restore: str, former: Tuple[str, ...], same_job: bool) -> Reason:
        """Whether it could start from there: arguments as in plan.Source."""
        if same_job and self.record.flinkVersion and self.record.flinkVersion != self.wanted.flink_version:
            return (
                f"What high availability has stored is of Flink {self.record.flinkVersion}, which "
                f"{self.wanted.flink_version} cannot read.",
                f"Wait until the JobManager answers, or name a state with job.fromSavepoint={self.example(self.record.job)}.",
            )
        if former and not same_job and not self.wanted.claim_directory:
            return (
                f"The newest state of the job {former[0]} is not known.",
                f"Name it with job.fromSavepoint={self.example(former[0])}, or {_FROM_SCRATCH}.",
            )
        if former and not same_job and not paths.below(self.record.checkpointDirectory or "/", self.wanted.claim_directory):
            return (
                f"The newest state of the job {former[0]} is in {self.record.checkpointDirectory}, and this revision looks "
                f"for it in {self.wanted.claim_directory}.",
                "Leave state.root and storage.mountPath as they were, or name it with "
                f"job.fromSavepoint={self.example(former[0])}.",
            )
        by_checkpoint = bool(former) or same_job or "/chk-" in restore
        if not restore and not by_checkpoint:
            return None
        refused = self.path(self.record.checkpointDirectory) if former or same_job else None
        canonical = not by_checkpoint and self._format_of(restore) != "NATIVE"
        return refused or self.path(restore) or self.backend(canonical=canonical)

    def directory(self) -> Reason:
        """Without a directory for state the job starts from nothing."""
        record = self.record
        # The record of a job that was taken over does not say it.
        newest = "" if record.flinkVersion else self.seen.checkpoints.newest
        kept = record.savepointDirectory or record.checkpointDirectory or record.restore or newest
        if not kept:
            return None
        return (
            f"The job keeps its state in {kept}, and this revision has no directory for state: it would start from nothing.",
            "Leave storage.enabled or state.root as they were, or say job.upgradeMode=stateless.",
        )

    def flink(self) -> Reason:
        """Flink only promises to read older state."""
        _, old = self.record.written_by(wrote_nothing=observe.wrote_nothing(self.record, self.seen))
        new = self.wanted.flink_version
        if not old or _numbers(new) >= _numbers(old):
            return None
        return (
            f"The state of the job was written by Flink {old}, and {new} cannot be expected to read it.",
            f"Name a savepoint that Flink {new} has written with job.fromSavepoint, or {_FROM_SCRATCH}.",
        )

    def _format_of(self, restore: str) -> str:
        recorded = paths.same(restore, self.record.restore) and self.record.format
        return recorded or self.wanted.savepoint_format

    def path(self, path: str) -> Reason:
        """Whether it can read what is stored there."""
        if not path:
            return None
        scheme = paths.scheme(path)
        if scheme != "file":
            if scheme in self.wanted.stores:
                return self._another_store(path, scheme)
            return (
                f"The state of the job is stored in {path}, and the pods of this revision cannot read {scheme}://.",
                "Leave state.s3 and the plugin in place for this upgrade; the next one can do without.",
            )
        live = self.seen.jobmanager
        volume = self.record.volume_of(path) or (live.volume_of(path) if live else "")
        coming = observe.volume_of(observe.coming_volumes(self.wanted), path)
        if not volume or volume == coming:
            return None
        there = f"PVC {observe.claim_name(volume)}" if observe.claim_name(volume) else "a volume of its pods"
        here = (
            f"PVC {observe.claim_name(coming)}"
            if observe.claim_name(coming)
            else "no such volume"
            if not coming
            else "another volume"
        )
        return (
            f"The state of the job is stored in {path} on {there}, and this revision mounts {here} there.",
            "Set job.state=suspended first, copy the files to the new place, then set job.fromSavepoint to the copy "
            "with the new values.",
        )

    def _another_store(self, path: str, scheme: str) -> Reason:
        """Whether a store is reached at another endpoint: it may be another one, with buckets of the same names."""
        old, new = self.record.endpoint_of(scheme), self.wanted.stores[scheme]
        if old is None or old.rstrip("/") == new.rstrip("/"):
            return None
        return (
            f"The state of the job is stored in {path} at {old or 'the default endpoint'}, and this revision looks for it at "
            f"{new or 'the default endpoint'}.",
            "Set job.state=suspended first, with the previous endpoint. Then name its savepoint with job.fromSavepoint and the "
            "new endpoint: as it is if that is the same store, otherwise a copy.",
        )

    def backend(self, *, canonical: bool) -> Reason:
        """`canonical`: it is, or will be, a savepoint in the format that every backend reads."""
        old, _ = self.record.written_by(wrote_nothing=observe.wrote_nothing(self.record, self.seen))
        new = self.wanted.state_backend
        if not old or old == new:
            return None
        if "forst" not in (old, new) and canonical:
            return None
        by_savepoint = "" if "forst" in (old, new) else ", change it with job.upgradeMode=savepoint"
        return (
            f"The state of the job was written by {old}, and {new} cannot read it.",
            f"Leave state.backend={old}{by_savepoint}, or {_FROM_SCRATCH}.",
        )


def _numbers(version: str) -> Tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
