"""FlinkRest against a server that answers as Flink does."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from harness.rest import FlinkError, FlinkRest
from harness.waits import WaitFailed, WaitTimeout

Answers = dict[str, Any]

JOB = {"jid": "abc", "name": "kdv", "state": "RUNNING"}


@pytest.fixture
def answers() -> Answers:
    """Path -> what is answered: JSON, or a list wrapped in `iter` for one answer after the other."""
    return {}


@pytest.fixture
def requests_seen() -> list[str]:
    return []


@pytest.fixture
def flink(answers: Answers, requests_seen: list[str]) -> Iterator[FlinkRest]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            requests_seen.append(f"{self.command} {self.path}")
            body = answers.get(self.path.partition("?")[0])
            if isinstance(body, Iterator):
                body = next(body)
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write(json.dumps({"errors": ["Not found."]} if body is None else body).encode())

        do_GET = do_PATCH = answer

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield FlinkRest(f"http://127.0.0.1:{server.server_port}/", interval=0.001)
    server.shutdown()
    server.server_close()
    thread.join()


def states(*tasks: str, job: str = "RUNNING") -> dict[str, Any]:
    return {"state": job, "vertices": [{"status": task} for task in tasks]}


def test_reads_what_flink_tells(flink: FlinkRest, answers: Answers) -> None:
    answers["/overview"] = {"flink-version": "2.2.1"}
    answers["/jobmanager/config"] = [{"key": "rest.port", "value": "8081"}]
    answers["/jobs/abc/exceptions"] = {"exceptionHistory": {"entries": [{"exceptionName": "E"}]}}
    assert flink.wait_ready(timeout=5) == {"flink-version": "2.2.1"}
    assert flink.config() == {"rest.port": "8081"}
    assert flink.exceptions("abc") == [{"exceptionName": "E"}]


def test_an_error_carries_flinks_words(flink: FlinkRest) -> None:
    with pytest.raises(FlinkError, match=r"GET /jobs/none: 404.*Not found\."):
        flink.job("none")


def test_cancels_by_patch(flink: FlinkRest, answers: Answers, requests_seen: list[str]) -> None:
    answers["/jobs/abc"] = {}
    flink.cancel("abc")
    assert requests_seen == ["PATCH /jobs/abc?mode=cancel"]


def test_waits_for_exactly_the_taskmanagers(flink: FlinkRest, answers: Answers) -> None:
    answers["/taskmanagers"] = iter([{"taskmanagers": [{"id": n} for n in range(n)]} for n in (0, 1, 3, 2)])
    assert flink.wait_taskmanagers(2, timeout=5) == [{"id": 0}, {"id": 1}]


def test_a_job_runs_when_all_its_tasks_do(flink: FlinkRest, answers: Answers) -> None:
    answers["/jobs/overview"] = {"jobs": [JOB]}
    waiting, running = states("RUNNING", "SCHEDULED"), states("RUNNING", "RUNNING")
    answers["/jobs/abc"] = iter([states("CREATED", job="INITIALIZING"), states(), waiting, running])
    assert flink.wait_running("kdv", timeout=5) == running


def test_a_job_can_be_named_by_its_id(flink: FlinkRest, answers: Answers) -> None:
    answers["/jobs/overview"] = {"jobs": [JOB, {**JOB, "jid": "other"}]}
    answers["/jobs/abc"] = states("RUNNING")
    assert flink.wait_running("abc", timeout=5) == states("RUNNING")


def test_two_jobs_of_one_name_are_no_running_job(flink: FlinkRest, answers: Answers) -> None:
    answers["/jobs/overview"] = {"jobs": [JOB, {**JOB, "jid": "other"}]}
    with pytest.raises(WaitTimeout, match="2 jobs are kdv"):
        flink.wait_running("kdv", timeout=0.05)


@pytest.mark.parametrize(
    "wait",
    [lambda flink: flink.wait_running("kdv"), lambda flink: flink.wait_checkpoint("abc", 1)],
    ids=["running", "checkpoint"],
)
def test_waits_give_up_on_an_ended_job(flink: FlinkRest, answers: Answers, wait: Callable[[FlinkRest], object]) -> None:
    answers["/jobs/overview"] = {"jobs": [JOB]}
    answers["/jobs/abc"] = states("FAILED", job="FAILED")
    answers["/jobs/abc/exceptions"] = {"exceptionHistory": {"entries": [{"stacktrace": "no such topic"}]}}
    with pytest.raises(WaitFailed, match="the job is FAILED: no such topic"):
        wait(flink)


def test_waits_for_a_checkpoint_or_a_later_one(flink: FlinkRest, answers: Answers) -> None:
    answers["/jobs/abc"] = states("RUNNING")
    newest = [None, {"id": 2}, {"id": 5}]
    answers["/jobs/abc/checkpoints"] = iter([{"latest": {"completed": entry}} for entry in newest])
    assert flink.wait_checkpoint("abc", 4, timeout=5) == {"id": 5}
