"""A release as the hooks see it: what it should be, what its record says, and how its job does."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass

from clients import Flink, Json, Kubernetes, Refused, Unreachable

ENDED = ("FINISHED", "FAILED", "CANCELED")
POLL_SECONDS = 0.2
HALF = 16


class Failed(Exception):
    """A verb cannot be carried out; the text tells the user why, and what to do."""


@dataclass(frozen=True)
class Source:
    """Where a generation of the job starts: `restore` is empty for a start without state.

    `former`: a job whose newest checkpoint on the claim is newer than `restore`. `same_job`: high availability knows the rest.
    """

    how: str
    restore: str = ""
    former: str = ""
    same_job: bool = False


class Release:
    """`wanted` is release.json: the values of the revision that is coming. `record` is the ConfigMap, {} if there is none."""

    def __init__(self, wanted: Json, kubernetes: Kubernetes, flink: Flink, deadline: float = 0) -> None:
        self.wanted = wanted
        self.kubernetes = kubernetes
        self.flink = flink
        self.record: dict[str, str] = {}
        self.job = ""  # Flink's id of the job that status() saw last
        self.deadline = deadline or time.monotonic() + wanted["timeoutSeconds"]
        self.remedy = "go on from the last checkpoint with job.upgradeMode=last-state."

    def read(self) -> bool:
        """Read the record; whether it names a job."""
        self.record = self.kubernetes.config_map(self.wanted["record"]) or {}
        return bool(self.record.get("job"))

    def create(self) -> None:
        """An empty record instead of whatever there is."""
        self.kubernetes.delete_config_map(self.wanted["record"])
        self.kubernetes.create_config_map(self.wanted["record"], self.wanted["labels"], {})
        self.record = {}

    def write(self, **changes: str | None) -> None:
        """Change keys of the record; None removes one."""
        self.kubernetes.patch_config_map(self.wanted["record"], dict(changes))
        kept = {**self.record, **changes}
        self.record = {key: value for key, value in kept.items() if value is not None}

    def begin(self, source: Source) -> None:
        """Write the next generation. A new id, because Flink never runs an ended one again, and the files of the old one stay."""
        generation = str(int(self.record.get("generation", 0)) + 1)
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = f"{generation}  {when}  {source.how}  from {source.restore or 'the beginning'}"
        if source.former or source.same_job:
            line += " or a newer checkpoint"
        self.write(
            generation=generation,
            job=self.record["job"] if source.same_job else secrets.token_hex(16),
            former=source.former or None,
            spec=self.wanted["specification"],
            restore=source.restore,
            state=self.wanted["state"],
            fromSavepoint=self.wanted["fromSavepoint"],
            history=f"{self.record.get('history', '')}{line}\n",
            pending=None,
        )
        say(line)

    def adopt(self) -> None:
        """Make the record of a release that an older chart made, or no hook: its job is the one that REST shows."""
        try:
            jobs = self.flink.jobs()
        except Unreachable as error:
            raise Failed(f"The release has no record, and its job cannot be asked: {error}. Nothing was changed.") from error
        alive = [job for job in jobs if job["state"] not in ENDED] or jobs[:1]
        if len(alive) != 1:
            raise Failed(f"The release has no record, and {len(alive)} jobs run: stop all but one. Nothing was changed.")
        self.create()
        self.write(generation="0", job=alive[0]["jid"], spec="", state="running", restore="", fromSavepoint="")

    @property
    def elsewhere(self) -> str:
        """job.fromSavepoint, if it was changed since the job began: the user's word wins."""
        wanted = self.wanted["fromSavepoint"]
        return wanted if wanted != self.record.get("fromSavepoint", "") else ""

    @property
    def proven(self) -> bool:
        """Whether this generation was seen running."""
        return self.record.get("confirmed") == self.record.get("generation")

    def status(self) -> tuple[str, Json | None]:
        """(running, unhealthy, ended, absent or down; the job).

        Without high availability each process of the JobManager runs the job under an id of its own, see job.sh: what they have
        in common is the first half.
        """
        self.job = self.record["job"]
        try:
            known = self._known()
            self.job = known[0]["jid"] if known else self.job
            job = self.flink.job(self.job)
        except (Unreachable, Refused):
            return "down", None
        if job is None:
            return "absent", None
        if job["state"] in ENDED:
            return "ended", job
        tasks = {vertex["status"] for vertex in job["vertices"]}
        well = job["state"] == "RUNNING" and tasks <= {"RUNNING", "FINISHED"}
        return ("running" if well else "unhealthy"), job

    def over(self) -> bool:
        """Whether the job has ended: the list of jobs knows at once, what status() asks may be web.refresh-interval old, 3 s."""
        try:
            return all(job["state"] in ENDED for job in self._known())
        except (Unreachable, Refused):
            return True

    def _known(self) -> list[Json]:
        return [job for job in self.flink.jobs() if job["jid"].startswith(self.record["job"][:HALF])]

    def look(self, patience: float) -> tuple[str, Json | None]:
        """The status, after up to `patience` seconds for the job to run or end."""
        until = time.monotonic() + patience
        while True:
            status, job = self.status()
            if status in ("running", "ended") or time.monotonic() > until:
                return status, job
            time.sleep(POLL_SECONDS)

    def drop_taskmanagers(self, *, former: bool = False) -> None:
        """Remove those that Flink made, or those of a `former` pod template: a new JobManager would take them over."""
        if selector := self.wanted["taskmanagers"]:
            self.kubernetes.delete_pods(f"{selector},flink/template!={self.wanted['template']}" if former else selector)

    def restarts(self) -> int:
        """How often the containers of the newest JobManager pod were started again."""
        pod = self._newest_pod()
        return sum(status["restartCount"] for status in (pod or {}).get("status", {}).get("containerStatuses", []))

    def reason(self) -> str:
        """What the newest JobManager pod waits for, and the last cause in its log."""
        pod = self._newest_pod()
        if not pod:
            return "There is no JobManager pod."
        name, status = pod["metadata"]["name"], pod["status"]
        states = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
        waiting = [state["state"]["waiting"] for state in states if state.get("state", {}).get("waiting")]
        told = [f"{wait.get('reason', '')} {wait.get('message', '')}".strip() for wait in waiting]
        for previous in (True, False):
            lines = self.kubernetes.log(name, "jobmanager", previous).splitlines()
            causes = [line.strip() for line in lines if "Caused by: " in line or " FATAL " in line]
            if causes:
                told.append(causes[-1][:600])
                break
        return f"Pod {name}: {'; '.join(told) or 'see its log'}"

    def _newest_pod(self) -> Json | None:
        pods = self.kubernetes.pods(self.wanted["selector"])
        return max(pods, key=lambda pod: pod["metadata"]["creationTimestamp"], default=None)

    @property
    def seconds_left(self) -> float:
        return self.deadline - time.monotonic()

    def until_deadline(self, *, gently: bool = False) -> Iterator[None]:
        """Ticks until hooks.timeoutSeconds are over, `gently` for a JobManager that is busy with its start."""
        while self.seconds_left > 0:
            yield
            time.sleep(POLL_SECONDS * (5 if gently else 1))


def say(text: str) -> None:
    print(text, flush=True)
