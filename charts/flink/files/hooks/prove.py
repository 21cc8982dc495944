"""Waits until the job runs from exactly the state that the record names, on pods of the coming revision."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Dict, List

from . import clock, observe, paths
from .act import Actor, dispose, not_needed, say, superfluous
from .errors import Failed, HttpError, Unreachable
from .observe import Status
from .record import FINISHED, SUSPENDED, Record

Json = Dict[str, Any]

_WELL = (Status.RUNNING, Status.FINISHED)


def prove(actor: Actor) -> None:
    """Raises Failed with the reason if the job does not run until the deadline, or not from there."""
    record = actor.record
    if _is_at_rest(record):
        return
    report, missing, ran = observe.Report(Status.UNREACHABLE, record.job), "", False

    def failed(text: str, *, for_good: bool = True) -> Failed:
        """Recorded for the next operation: the job did not run during this one. A JobManager that has come up may run it a
        moment later, unless the job has failed `for_good`, or never arrived there."""
        certain = for_good or not any(observe.was_ready(pod) for pod in _pods(actor, record))
        if record.exists and not ran and certain and not record.is_confirmed:
            actor.write(replace(actor.record, failed=f"{record.generation} {clock.now_seconds()}"))
        return Failed(text)

    # A pod that has run for weeks may have been restarted before.
    at_first = restarts(actor, record) if record.is_confirmed else {}
    for _ in actor.deadline.ticks(every=1):
        report = observe.ask(actor.flink, record)
        status, newest = report.status, report.checkpoints.newest
        ran = ran or status in _WELL or bool(newest and not paths.same(newest, report.checkpoints.restored))
        if status in (Status.FAILED, Status.CANCELED):
            raise failed(f"The job is {status.value}: {report.failure or reason(actor, record)}")
        if status is Status.FINISHED and report.checkpoints.stopped_with:
            raise failed(
                f"The job was stopped with savepoint {report.checkpoints.stopped_with}: run the same command again to resume it."
            )
        if status in _WELL and not record.has_run and _is_from_there(record, report.checkpoints.restored):
            # Before all pods are ready: if one is lost meanwhile, its checkpoints are newer than the record's state.
            record = replace(record, ran=record.generation)
            actor.write(record)
        # One that waits for slots may need fewer.
        change = actor.rescale(report) if status in observe.ALIVE else ""
        record = actor.record
        if status in _WELL:
            missing = "" if status is Status.FINISHED else not_there(actor) or change
            if not missing:
                _confirm(actor, record, report.checkpoints.restored)
                return
        # What applies all objects at once runs this beside the hook that writes the record.
        actor.records.read()
        record = actor.record
        if _is_at_rest(record):
            return
        if status in _WELL:
            continue
        if any(count - at_first.get(pod, 0) >= 2 for pod, count in restarts(actor, record).items()):
            raise failed(f"The JobManager keeps crashing: {reason(actor, record)}")
    waited = f"{actor.deadline.seconds:g} s (hooks.timeoutSeconds)"
    if missing:
        raise failed(f"The job runs, but after {waited} {missing}", for_good=False)
    text = f"The job {report.job or record.job} does not run after {waited}: {report.status.value}."
    text = actor.with_distrust(" ".join(filter(None, [text, report.failure, reason(actor, record)])))
    raise failed(text, for_good=report.status is Status.ABSENT)


def _is_at_rest(record: Record) -> bool:
    """Whether the job is not to run."""
    if record.state == SUSPENDED:
        say(f"The job is suspended. It will resume from {record.restore or 'the beginning'}.")
    return record.state in (SUSPENDED, FINISHED)


def _confirm(actor: Actor, record: Record, path: str) -> None:
    if record.is_confirmed:
        if record.barred:
            actor.write(replace(record, pending=""))
        return
    if not _is_from_there(record, path):
        raise Failed(f"The job started from {path or 'nothing'}, not from {record.restore or 'nothing'}.")
    line = f"{record.generation}  runs" + (f", restored from {path}" if path else "")
    gone = superfluous(record, actor.wanted.keep_stop_savepoints)
    for savepoint in gone:
        why = dispose(actor.flink, savepoint)
        if why:
            say(f"The savepoint {savepoint} is no longer needed, and could not be deleted: {why}")
    left = not_needed(record)
    for checkpoint in left:
        dispose(actor.flink, checkpoint)  # Flink may have deleted it by itself
    kept = tuple(savepoint for savepoint in record.stops if savepoint not in gone)
    claim = observe.claim_uid(actor.wanted, actor.kubernetes)
    live = observe.jobmanager(actor.wanted, actor.kubernetes)
    still_left = tuple(checkpoint for checkpoint in record.left if checkpoint not in left)
    new = replace(record, confirmed=record.generation, stops=kept, left=still_left, claim=claim, pending="", failed="")
    actor.write(replace(new, madeBy="helm" if live and live.made_by_helm else "other").with_line(line))
    say(line)


def _is_from_there(record: Record, path: str) -> bool:
    """Whether a job started from where it should; one whose JobManager was restarted has resumed from a checkpoint of its own."""
    own = [record.job, *record.former]
    return paths.same(path, record.restore) or any(observe.is_half_of(one, path) for one in own)


def not_there(actor: Actor) -> str:
    """Which of the coming revision's pods are still missing; empty if none are. TaskManagers that would stay are deleted."""
    wanted = actor.wanted
    for name in filter(None, (wanted.jobmanager_deployment, wanted.taskmanager_deployment)):
        live = actor.kubernetes.deployment(name)
        if not live:
            return f"there is no Deployment {name}."
        status = live.get("status") or {}
        replicas = live["spec"].get("replicas", 1)
        if status.get("observedGeneration", -1) < live["metadata"].get("generation", 0):
            return f"Deployment {name} is not rolled out."
        current, updated, ready = (status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas"))
        autoscaled = wanted.min_taskmanagers if name == wanted.taskmanager_deployment else 0
        # Those that an autoscaler has just asked for may be starting, or have no node yet.
        enough = current == updated and ready >= min(autoscaled, replicas)
        if not (enough if autoscaled else current == updated == ready == replicas):
            return f"Deployment {name} has {status.get('readyReplicas', 0)} of {replicas} pods of the new template ready."
    if wanted.native_taskmanager_selector:
        former = f"{wanted.native_taskmanager_selector},flink/template!={wanted.native_taskmanager_template}"
        if actor.kubernetes.pods(former):
            # Those that the previous JobManager made after they were all deleted; its successor has taken them over.
            actor.drop_taskmanagers(former=True)
            return "TaskManagers of the former template are still there."
    return ""


def _pods(actor: Actor, record: Record) -> List[Json]:
    pods = observe.pods_of(actor.kubernetes.pods(actor.wanted.jobmanager_selector), record.spec)
    pods = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    return sorted(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp")))


def restarts(actor: Actor, record: Record) -> Dict[str, int]:
    """Name of each pod of this specification -> how often Flink was started again there. A session's is older than its jobs."""
    return {pod["metadata"]["name"]: _restarts_of(pod) for pod in ([] if actor.job.name else _pods(actor, record))}


def _restarts_of(pod: Json) -> int:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return sum(status.get("restartCount", 0) for status in statuses if status["name"] in observe.MAIN_CONTAINERS)


def reason(actor: Actor, record: Record) -> str:
    """What the newest JobManager pod waits for, or how it ended; in a session, how many slots are free."""
    if actor.job.name:
        try:
            return actor.flink.slots()
        except (Unreachable, HttpError) as error:
            return str(error)
    pods = _pods(actor, record)
    if not pods:
        deployment = actor.wanted.jobmanager_deployment
        return f"There is no JobManager pod of this revision: look at `kubectl describe deployment {deployment}`."
    name, status = pods[-1]["metadata"]["name"], pods[-1].get("status") or {}
    causes = [
        f"{one.get('reason', '')}: {one.get('message', '')}"
        for one in status.get("conditions") or []
        if one.get("reason") == "Unschedulable"
    ]
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") not in (None, "PodInitializing", "ContainerCreating"):
            causes.append(f"{waiting.get('reason')} {waiting.get('message', '')}".strip())
        for state, option in (("lastState", "--previous "), ("state", "")):
            ended = (container.get(state) or {}).get("terminated")
            if ended and ended.get("exitCode"):
                cause = last_cause(ended.get("message") or f"{container['name']} ended with exit code {ended['exitCode']}")
                # Kubernetes keeps the end of a log alone, which may be what Flink logs after the cause.
                causes.append(f"{cause} (`kubectl logs {option}{name} -c {container['name']}` has all of it)")
                break
    return f"Pod {name}: {'; '.join(filter(None, causes)) or 'see its log.'}"


def last_cause(text: str) -> str:
    """The most telling line in the end of a log. One in JSON, which may have lost its beginning, holds several."""
    text = re.sub(r'"\}$', "", text.replace(r"\n", "\n").replace(r"\t", "\t"), flags=re.MULTILINE)
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("at ")]
    causes = [line for line in lines if "Caused by: " in line or re.search('[ "](FATAL|ERROR)[ "]', line)]
    return (causes or lines or [""])[-1][:600]
