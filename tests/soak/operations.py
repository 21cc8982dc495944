"""Each step of a walk, done to a real release, and what has to hold after it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ci.core.paths import DEMO
from harness import faults
from harness.helm import Helm, HelmError
from harness.release import FlinkRelease
from harness.rest import ENDED
from harness.waits import GiveUp, wait_for
from tests.kind.demo_job import ARGS, no_pods, record
from tests.kind.installs import NEW
from tests.soak.load import PRODUCER
from tests.soak.walk import EVENTS, REFUSED, UNTOUCHED, Kind, Settings, Step

PATIENCE = 400  # seconds, on a machine that others load as well
HOOK_SECONDS = 420
TIMEOUT = "10m"  # of helm
SMALL = {"requests": {"cpu": "50m"}}  # so that a pod does not wait for those of other tests to go
KEPT = ["--history-max=100"]


def values(settings: Settings, availability: str, paths: dict[int, str]) -> dict[str, Any]:
    """The demo's values. An idle partition holds the windows back: rows in time are never late, however slow the machine."""
    job = {
        "args": [
            *ARGS,
            f"--checkpoint-interval={settings.checkpoint_interval} s",
            "--rolling-interval=5 s",
            "--idle-timeout=0 s",
        ],
        "parallelism": settings.parallelism,
        "upgradeMode": settings.upgrade_mode,
        "state": settings.state,
        "fromSavepoint": paths.get(settings.path, ""),
    }
    flink = {
        "image": {"tag": f"{NEW}{settings.image_suffix}"},
        "job": job,
        "commonLabels": {"walk": str(settings.label)},
        "jobmanager": {"podAnnotations": {"walk": str(settings.template)}, "resources": SMALL},
        "taskmanager": {"slots": 2, "podAnnotations": {"walk": str(settings.taskmanager)}, "resources": SMALL},
        "highAvailability": {"type": availability},
        "hooks": {"timeoutSeconds": HOOK_SECONDS},
    }
    return {"flink": flink, "producer": PRODUCER, "kafka": {"resources": SMALL}}


@dataclass(frozen=True)
class Seen:
    """The job at one moment; without an id it does not run."""

    job: str = ""
    newest: int = 0  # number of its newest completed checkpoint, or of the one that it was restored from
    restored: dict[str, Any] | None = None
    pods: frozenset[str] = frozenset()
    record: dict[str, str] = field(default_factory=dict)

    def same_run(self, other: Seen) -> bool:
        return (self.job, self.restored) == (other.job, other.restored)

    def left_alone(self, other: Seen) -> bool:
        """Flink may have restarted its tasks: on a machine under load heartbeats are missed."""
        return (self.job, self.pods) == (other.job, other.pods)

    def __str__(self) -> str:
        if not self.job:
            return f"suspended after checkpoint {self.newest}"
        source = (
            f"restored from {self.restored['id']}, {self.restored['external_path']}" if self.restored else "begun from nothing"
        )
        return f"job {self.job} at checkpoint {self.newest}, {source}"


class Operations:
    """The release `name` of the demo, and what the walk has done to it."""

    def __init__(self, flink: FlinkRelease, helm: Helm, availability: str, say: Callable[[str], None]) -> None:
        self.flink, self.helm, self.availability, self.say = flink, helm, availability, say
        self.revisions = [1]  # Helm's numbers of the walk's revisions
        self.paths: dict[int, str] = {}
        self.seen = Seen()
        self._does: dict[Kind, Callable[[Step], None]] = {
            Kind.RESUME_NAMED: self._resume_named,
            Kind.ROLLBACK: lambda step: self._rollback(self.revisions[step.back]),
            Kind.SAVEPOINT: self._savepoint,
            Kind.REFUSED_LABEL: lambda step: self._refused(step, {"jobmanager": {"podLabels": {"walk": "not allowed"}}}),
            Kind.REFUSED_CLAIM: lambda step: self._refused(step, {"storage": {"existingClaim": "another"}}),
            Kind.KILLED_ROLLED_BACK: self._killed,
            Kind.KILLED_REPEATED: self._killed,
            Kind.HOOK_DELETED: self._hook_deleted,
            Kind.JOBMANAGER_KILLED: lambda step: self._kill("jobmanager"),
            Kind.TASKMANAGER_KILLED: lambda step: self._kill("taskmanager"),
            Kind.PODS_DELETED: self._pods_deleted,
            Kind.CANCELLED: self._cancelled,
        }

    def begin(self) -> None:
        """Wait for the job that was installed."""
        self.seen = self._wait_running(Seen(), None)

    def do(self, step: Step) -> None:
        """The step, and the proof that it was right. Raises AssertionError."""
        before = self.seen
        if before.job:
            now = self._wait_running(before, None)
            assert before.left_alone(now), f"between the steps: {before}, then {now}"
            before = now
        self._does.get(step.kind, lambda step: self._upgrade(step.asked))(step)
        if step.makes_revision:
            self.revisions.append(self._deployed())
        self.seen = self._wait_running(before, step) if step.after.running else self._wait_suspended(before)
        if step.kind in UNTOUCHED:
            assert before.left_alone(self.seen), f"the job was to be left alone: {before}, then {self.seen}"
        if step.kind in REFUSED:
            assert before.record == self.seen.record, f"the record was to be left alone: {before.record}, then {self.seen.record}"

    # What is seen

    def _wait_running(self, before: Seen, step: Step | None) -> Seen:
        """The only job, once all of it runs and has completed a checkpoint; one that went back behind `before` ends the wait."""
        restarted = step is not None and step.kind in EVENTS - UNTOUCHED | {Kind.TEMPLATE, Kind.CANCELLED}

        def look() -> Seen:
            rest = self.flink.rest
            living = [job["jid"] for job in rest.jobs() if job["state"] not in ENDED]
            if len(living) > 1:
                raise GiveUp(f"{len(living)} jobs run: {living}")
            if not living:
                raise LookupError(f"no job runs: {rest.jobs()}")
            job = rest.job(living[0])
            states = {vertex["status"] for vertex in job["vertices"]}
            if job["state"] != "RUNNING" or states != {"RUNNING"}:
                raise LookupError(f"the job is {job['state']}, its tasks {states}")
            latest = rest.checkpoints(job["jid"])["latest"]
            restored, completed = latest["restored"], latest["completed"]
            newest = max(point["id"] for point in (restored, completed, {"id": 0}) if point)
            seen = Seen(job["jid"], newest, restored, self._pods(), record(self.flink))
            if not seen.same_run(before) and before.newest and (not restored or restored["id"] < before.newest):
                raise GiveUp(f"the job went back behind checkpoint {before.newest}: {seen}")
            if restarted and seen.same_run(before):
                raise LookupError(f"it was not restarted yet: {seen}")
            if not completed or completed["id"] <= (before.newest if step else 0):
                raise LookupError(f"no checkpoint since: {seen}")
            return seen

        return wait_for(look, timeout=PATIENCE, what="the job", interval=1)

    def _pods(self) -> frozenset[str]:
        roles = ("jobmanager", "taskmanager")
        by_role = [self.flink.cluster.pods(self.flink.namespace, self.flink.selector(role)) for role in roles]
        return frozenset(pod.metadata.uid for pods in by_role for pod in pods)

    def _wait_suspended(self, before: Seen) -> Seen:
        no_pods(self.flink)
        written = record(self.flink)
        assert written["state"] == "suspended", written
        return Seen(newest=before.newest, record=written)

    def _deployed(self) -> int:
        history = self.helm.history(self.flink.name, namespace=self.flink.namespace)
        return max(int(entry["revision"]) for entry in history if entry["status"] == "deployed")

    # What is done

    def values(self, settings: Settings) -> dict[str, Any]:
        return values(settings, self.availability, self.paths)

    def _upgrade(self, settings: Settings, **more: Any) -> None:
        values = self.values(settings)
        values["flink"] |= more
        self.helm.upgrade(self.flink.name, DEMO, values, namespace=self.flink.namespace, timeout=TIMEOUT, options=KEPT)

    def _rollback(self, revision: int) -> None:
        self.helm.rollback(self.flink.name, revision, namespace=self.flink.namespace, timeout=TIMEOUT, options=KEPT)

    def _resume_named(self, step: Step) -> None:
        self.paths[step.asked.path] = self.seen.record["restore"]
        self._upgrade(step.asked)

    def _savepoint(self, step: Step) -> None:
        """As docs/upgrade.md takes it: `kubectl create job --from=cronjob/...`."""
        batch, namespace = self.flink.cluster.batch, self.flink.namespace
        pattern = batch.read_namespaced_cron_job(f"{self.flink.name}-flink-savepoint", namespace)
        spec = self.flink.cluster.api.sanitize_for_serialization(pattern.spec.job_template.spec)
        batch.create_namespaced_job(namespace, {"metadata": {"name": f"by-hand-{step.number}"}, "spec": spec})
        before = self.seen.record.get("savepoints", "")
        wait_for(lambda: record(self.flink).get("savepoints", "") != before, timeout=PATIENCE, what="the savepoint")

    def _refused(self, step: Step, more: dict[str, Any]) -> None:
        try:
            self._upgrade(step.asked, **more)
        except HelmError as refusal:
            self.say(f"    refused: {refusal.stderr.strip()[-300:]}")
        else:
            raise AssertionError(f"an upgrade with {more} was to be refused")

    def _killed(self, step: Step) -> None:
        name, namespace = self.flink.name, self.flink.namespace
        code = self.helm.upgrade_killed(name, DEMO, self.values(step.asked), namespace=namespace, after=step.pause)
        newest = self.helm.history(name, namespace=namespace)[-1]
        self.say(f"    helm ended with {code}; revision {newest['revision']} is {newest['status']}")
        if step.kind is Kind.KILLED_ROLLED_BACK:
            self._rollback(self.revisions[-1])
            return
        try:
            self._upgrade(step.asked)
        except HelmError as refusal:
            if "another operation" not in str(refusal):
                raise
            self._rollback(self.revisions[-1])
            self._upgrade(step.asked)

    def _hook_deleted(self, step: Step) -> None:
        failures: list[HelmError] = []

        def upgrade() -> None:
            try:
                self._upgrade(step.asked)
            except HelmError as failure:
                failures.append(failure)

        thread = threading.Thread(target=upgrade)
        thread.start()
        selector = f"job-name={self.flink.name}-flink-{step.hook}"

        def hook_runs() -> bool:
            pods = self.flink.cluster.pods(self.flink.namespace, selector)
            return not thread.is_alive() or any(pod.status.phase == "Running" for pod in pods)

        wait_for(hook_runs, timeout=PATIENCE, what=f"the hook {step.hook}", interval=0.2)
        thread.join(step.pause)  # the moment of the fault
        gone = [pod.metadata.name for pod in self.flink.cluster.pods(self.flink.namespace, selector)]
        faults.delete_pods(self.flink.cluster, self.flink.namespace, selector)
        thread.join()
        self.say(f"    deleted {gone}; helm {'failed: ' + str(failures[0])[-300:] if failures else 'continued'}")
        if failures:
            self._upgrade(step.asked)

    def _kill(self, role: str) -> None:
        faults.kill(self.flink.cluster, self.flink.namespace, self.flink.selector(role), role)

    def _pods_deleted(self, step: Step) -> None:
        for role in ("jobmanager", "taskmanager"):
            faults.delete_pods(self.flink.cluster, self.flink.namespace, self.flink.selector(role))

    def _cancelled(self, step: Step) -> None:
        rest, job = self.flink.rest, self.seen.job
        rest.cancel(job)
        wait_for(lambda: rest.job(job)["state"] == "CANCELED", timeout=PATIENCE, what="the job to be cancelled")
        self._upgrade(step.asked)
