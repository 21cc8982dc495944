"""Flink's REST API: what tests ask it, and the waits for its answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import requests

from .waits import GiveUp, wait_for

Json = dict[str, Any]

ENDED = ("FAILED", "CANCELED", "FINISHED", "SUSPENDED")


def is_savepoint(restored: Json) -> bool:
    """Whether a job was restored from a savepoint, as Flink's REST API tells what it was restored from.

    By the path: Flink's own `is_savepoint` is true of a checkpoint as well, if its path was given to the job.
    """
    return "/savepoint-" in restored["external_path"]


class FlinkError(RuntimeError):
    """Flink refused a request; the text holds its answer."""


class FlinkRest:
    """The API at `url`, such as "http://localhost:8081"; the session brings what the way there asks for."""

    def __init__(
        self,
        url: str,
        session: requests.Session | None = None,
        *,
        on_timeout: Callable[[], str] | None = None,
        interval: float = 0.5,
    ) -> None:
        self.url = url.rstrip("/")
        self._session = session or requests.Session()
        self.on_timeout = on_timeout
        self._interval = interval

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The JSON answer. Raises FlinkError for an error status, requests.RequestException for none."""
        response = self._session.request(method, f"{self.url}/{path.lstrip('/')}", timeout=30, **options)
        if not response.ok:
            text = response.text[:2000]
            raise FlinkError(f"{method} {path}: {response.status_code} {response.reason}: {text}")
        return response.json()

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def overview(self) -> Json:
        return self.get("/overview")

    def taskmanagers(self) -> list[Json]:
        return self.get("/taskmanagers")["taskmanagers"]

    def config(self) -> dict[str, str]:
        """The JobManager's effective options."""
        return {entry["key"]: entry["value"] for entry in self.get("/jobmanager/config")}

    def jobs(self) -> list[Json]:
        """All jobs, ended ones too, each with jid, name and state."""
        return self.get("/jobs/overview")["jobs"]

    def job(self, job_id: str) -> Json:
        return self.get(f"/jobs/{job_id}")

    def checkpoints(self, job_id: str) -> Json:
        return self.get(f"/jobs/{job_id}/checkpoints")

    def exceptions(self, job_id: str) -> list[Json]:
        """The failures that Flink remembers, newest first, each with exceptionName and stacktrace."""
        return self.get(f"/jobs/{job_id}/exceptions")["exceptionHistory"]["entries"]

    def cancel(self, job_id: str) -> None:
        self.call("PATCH", f"/jobs/{job_id}", params={"mode": "cancel"})

    def stop_with_savepoint(self, job_id: str, *, timeout: float = 120) -> str:
        """Stop a job and return the path of its savepoint."""
        trigger = self.call("POST", f"/jobs/{job_id}/stop", json={"drain": False})["request-id"]

        def location() -> str | None:
            answer = self.get(f"/jobs/{job_id}/savepoints/{trigger}")
            if answer["status"]["id"] != "COMPLETED":
                return None
            operation = answer["operation"]
            if "failure-cause" in operation:
                raise GiveUp(str(operation["failure-cause"])[:2000])
            return str(operation["location"])

        return str(self._wait(location, f"the savepoint of job {job_id}", timeout))

    def metrics(self, job_id: str, pattern: str) -> dict[str, str]:
        """{subtask and name: value} of the job's metrics whose names match, anywhere, the regular expression."""
        values = {}
        for vertex in self.job(job_id)["vertices"]:
            path = f"/jobs/{job_id}/vertices/{vertex['id']}/metrics"
            for name in (entry["id"] for entry in self.get(path)):
                if re.search(pattern, name):
                    values.update({entry["id"]: entry["value"] for entry in self.call("GET", path, params={"get": name})})
        return values

    def wait_ready(self, *, timeout: float = 120) -> Json:
        """Wait until a leader answers."""
        return self._wait(self.overview, "Flink's REST API", timeout)

    def wait_taskmanagers(self, count: int, *, timeout: float = 120) -> list[Json]:
        """Wait until exactly `count` TaskManagers are registered."""

        def registered() -> list[Json] | None:
            taskmanagers = self.taskmanagers()
            if len(taskmanagers) != count:
                raise LookupError(f"{len(taskmanagers)} registered")
            return taskmanagers

        if count == 0:
            raise ValueError("wait for at least one TaskManager")
        return self._wait(registered, f"{count} TaskManager{'' if count == 1 else 's'}", timeout)

    def wait_running(self, job: str, *, timeout: float = 180) -> Json:
        """Wait until all tasks of the only job of this id or name run, and return the job.

        Flink calls a job RUNNING before there are slots for its tasks. Gives up when the job has ended.
        """

        def running() -> Json | None:
            ids = [entry["jid"] for entry in self.jobs() if job in (entry["jid"], entry["name"])]
            if len(ids) != 1:
                raise LookupError(f"{len(ids)} jobs are {job}; there are {self.jobs()}")
            details = self.job(ids[0])
            if details["state"] in ENDED:
                raise GiveUp(f"the job is {details['state']}: {self._first_failure(ids[0])}")
            states = {vertex["status"] for vertex in details["vertices"]}
            if details["state"] != "RUNNING" or not states or not states <= {"RUNNING", "FINISHED"}:
                raise LookupError(f"the job is {details['state']}, its tasks {sorted(states)}")
            return details

        return self._wait(running, f"job {job} to run", timeout)

    def wait_checkpoint(self, job_id: str, number: int, *, timeout: float = 120) -> Json:
        """Wait until checkpoint `number` or a later one is complete, and return it."""

        def complete() -> Json | None:
            state = self.job(job_id)["state"]
            if state in ENDED:
                raise GiveUp(f"the job is {state}: {self._first_failure(job_id)}")
            newest: Json | None = self.checkpoints(job_id)["latest"]["completed"]
            return newest if newest and newest["id"] >= number else None

        return self._wait(complete, f"checkpoint {number} of job {job_id}", timeout)

    def wait_finished(self, job_id: str, *, timeout: float = 120) -> None:
        """Wait until the job has read everything. Gives up when it has ended otherwise."""

        def finished() -> bool:
            state = self.job(job_id)["state"]
            if state in ENDED and state != "FINISHED":
                raise GiveUp(f"the job is {state}: {self._first_failure(job_id)}")
            return bool(state == "FINISHED")

        self._wait(finished, f"job {job_id} to finish", timeout)

    def _first_failure(self, job_id: str) -> str:
        failures = self.exceptions(job_id)
        return failures[0]["stacktrace"][:2000] if failures else "no exception is recorded"

    def _wait(self, condition: Callable[[], Any], what: str, timeout: float) -> Any:
        return wait_for(condition, timeout=timeout, what=what, interval=self._interval, on_timeout=self.on_timeout)
