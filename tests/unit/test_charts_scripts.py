"""The scripts that run inside pods, against servers that answer as Flink and Kafka do."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.waits import wait_for

CHARTS = Path(__file__).resolve().parents[2] / "charts"
REST = CHARTS / "flink" / "files" / "rest.sh"
BOUNDED = CHARTS / "flink" / "files" / "bounded.sh"
START = CHARTS / "flink" / "files" / "job.sh"
READY = CHARTS / "flink-kafka-demo" / "files" / "kafka-ready.sh"
SUBMIT = CHARTS / "flink-kafka-demo" / "files" / "submit.py"
OVERVIEW = {"taskmanagers": 2, "slots-total": 4, "slots-available": 4, "jobs-running": 1, "jobs-finished": 0}


@contextmanager
def serving(server: socketserver.TCPServer) -> Iterator[int]:
    """Run a server on 127.0.0.1 and yield its port."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def flink(answers: dict[str, Any]) -> Iterator[int]:
    """A REST API that gives these answers by path, and 404 for others."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path in answers
            body = json.dumps(answers.get(self.path, {"errors": []}), separators=(",", ":")).encode()
            self.send_response(200 if known else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with serving(HTTPServer(("127.0.0.1", 0), Handler)) as port:
        yield port


def bash(script: Path, *words: object, seconds: float = 30, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(script), *map(str, words)], env=environment, capture_output=True, text=True, timeout=seconds
    )


JOB, FORMER = "a" * 32, "b" * 32
OTHER_HALF = f"{JOB[:16]}{'c' * 16}"


def started(tmp_path: Path, record: dict[str, str], folder: str = "", savepoint: str = "", ha: str = "") -> list[str]:
    """The arguments that job.sh gives Flink, with these keys in the record."""
    (tmp_path / "record").mkdir(exist_ok=True)
    for key, value in record.items():
        (tmp_path / "record" / key).write_text(value)
    program = tmp_path / "bin" / "standalone-job.sh"
    program.parent.mkdir(exist_ok=True)
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    environment = {"PATH": "/usr/bin:/bin", "RECORD": str(tmp_path / "record"), "FLINK_HOME": str(tmp_path)}
    done = bash(START, "spec", ha, folder, savepoint, "-D", "a=b", "--job-classname", "X", "my arg", seconds=3, **environment)
    assert done.returncode == 0, done.stderr
    words = done.stdout.splitlines()[1:]
    assert words[0] == "start-foreground"
    assert words[-5:] == ["-D", "a=b", "--job-classname", "X", "my arg"]
    words = words[1:-5]
    if "--job-id" in words:  # the last of them
        job = words.pop()
        assert len(job) == 32
        words.append(job if ha else job[:16])
    return words


def metadata(folder: Path, age: int) -> None:
    folder.mkdir(parents=True)
    (folder / "_metadata").touch()
    os.utime(folder / "_metadata", (2_000_000_000 - age, 2_000_000_000 - age))


def test_without_a_record_the_job_starts_where_the_values_say(tmp_path: Path) -> None:
    assert started(tmp_path, {}) == []
    assert started(tmp_path, {}, savepoint="s3://b/s") == ["--fromSavepoint", "s3://b/s"]


def test_a_job_starts_where_the_record_says(tmp_path: Path) -> None:
    record = {"job": JOB, "spec": "spec", "restore": "s3://b/s"}
    assert started(tmp_path, record, savepoint="s3://other") == ["--fromSavepoint", "s3://b/s", "--job-id", JOB[:16]]
    assert started(tmp_path, {**record, "restore": ""}) == ["--job-id", JOB[:16]]
    # What high availability knows, it knows by its id.
    assert started(tmp_path, record, ha="true") == ["--fromSavepoint", "s3://b/s", "--job-id", JOB]


def test_in_native_mode_the_same_is_said_by_options(tmp_path: Path) -> None:
    (tmp_path / "job").write_text(JOB)
    (tmp_path / "spec").write_text("spec")
    program = tmp_path / "bin" / "kubernetes-jobmanager.sh"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    (tmp_path / "restore").write_text("s3://b/s")
    record, home = str(tmp_path), str(tmp_path)
    words = bash(
        START, "spec", "true", "", "", "-D", "a=b c", PATH="/usr/bin:/bin", RECORD=record, FLINK_HOME=home, NATIVE="1"
    ).stdout.splitlines()[1:]
    restore, job = "execution.state-recovery.path=s3://b/s", f"$internal.pipeline.job-id={JOB}"
    assert words == ["kubernetes-application", "-D", restore, "-D", job, "-D", "a=b c"]


def test_a_restart_without_high_availability_goes_on_from_the_newest_checkpoint(tmp_path: Path) -> None:
    record = {"job": JOB, "spec": "spec", "restore": "file:/s", "former": FORMER}
    data = tmp_path / "data"
    assert started(tmp_path, record, str(data))[:2] == ["--fromSavepoint", "file:/s"]
    metadata(data / "checkpoints" / FORMER / "chk-99", age=1)
    (data / "checkpoints" / FORMER / "chk-100").mkdir()  # not complete
    claim = ["-D", "execution.state-recovery.claim-mode=CLAIM"]
    words = started(tmp_path, record, str(data))
    assert words == ["--fromSavepoint", f"file:{data}/checkpoints/{FORMER}/chk-99", *claim, "--job-id", JOB[:16]]
    # The job's own wins over that of the one before it, and the newest of these.
    metadata(data / "checkpoints" / JOB / "chk-9", age=30)
    metadata(data / "checkpoints" / OTHER_HALF / "chk-10", age=20)
    assert started(tmp_path, record, str(data))[1].endswith(f"{OTHER_HALF}/chk-10")
    # A job that was stopped goes on from there, even if the record does not know it yet; the savepoint stays the user's.
    metadata(data / "savepoints" / JOB / "stop" / "savepoint-1", age=10)
    words = started(tmp_path, record, str(data))
    assert words == ["--fromSavepoint", f"file:{data}/savepoints/{JOB}/stop/savepoint-1", "--job-id", JOB[:16]]


def test_a_pod_of_another_specification_does_not_start(tmp_path: Path) -> None:
    """Its job was stopped: to run it again would bring rows twice."""
    with pytest.raises(subprocess.TimeoutExpired):
        started(tmp_path, {"job": JOB, "spec": "newer", "restore": ""})


def test_get_prints_the_answer_and_fails_for_an_error() -> None:
    with flink({"/overview": OVERVIEW}) as port:
        assert json.loads(bash(REST, "get", "127.0.0.1", port, "/overview").stdout) == OVERVIEW
        assert bash(REST, "get", "127.0.0.1", port, "/nothing").returncode != 0
    assert bash(REST, "get", "127.0.0.1", port, "/overview").returncode != 0


def test_a_taskmanager_is_registered_when_the_jobmanager_knows_it() -> None:
    with flink({"/taskmanagers": {"taskmanagers": [{"id": "pod-1", "path": "akka"}, {"id": "pod-23"}]}}) as port:
        assert bash(REST, "registered", "127.0.0.1", port, POD_NAME="pod-1").returncode == 0
        assert bash(REST, "registered", "127.0.0.1", port, POD_NAME="pod-2").returncode != 0


def test_check_wants_the_taskmanagers_and_the_job() -> None:
    with flink({"/overview": OVERVIEW}) as port:
        assert "2 TaskManagers" in bash(REST, "check", "127.0.0.1", port, 2).stdout
        assert "the job is running" in bash(REST, "check", "127.0.0.1", port, 2, "job").stdout
        with pytest.raises(subprocess.TimeoutExpired):
            subprocess.run(["bash", REST, "check", "127.0.0.1", str(port), "3"], timeout=2, check=False)


@pytest.mark.parametrize(
    ("answer", "ready"),
    [
        ("0000000a 00000007 0000 00000000", True),
        ("0000000a 00000007 0023 00000000", False),  # an error
        ("0000000a 00000009 0000 00000000", False),  # of somebody else
        ("", False),
    ],
)
def test_kafka_is_ready_when_it_answers_without_an_error(answer: str, ready: bool) -> None:
    asked: list[bytes] = []

    class Broker(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked.append(self.request.recv(14, socket.MSG_WAITALL))  # bash sends in two parts
            self.request.sendall(bytes.fromhex(answer))

    with serving(socketserver.TCPServer(("127.0.0.1", 0), Broker)) as port:
        done = bash(READY, port, PATH="/usr/bin:/bin")
    assert (done.returncode == 0) is ready
    # Length, ApiVersions, version 0, correlation id, no client id.
    assert asked == [bytes.fromhex("0000000a 0012 0000 00000007 ffff")]


def submit(port: int, *command: str | Path, timeout: float = 30, more: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run submit.py for the job kdv; `timeout` is its own, in seconds."""
    options = [f"--rest=http://127.0.0.1:{port}", "--job-name=kdv", f"--timeout={timeout}", *more]
    words = [sys.executable, SUBMIT, *options, "--", *command]
    return subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize(
    ("jobs", "submits"),
    [
        ([], True),
        ([{"jid": "a", "name": "kdv", "state": "RUNNING"}], False),
        ([{"jid": "a", "name": "kdv", "state": "RESTARTING"}], False),
        ([{"jid": "a", "name": "kdv", "state": "CANCELED"}], True),
        ([{"jid": "a", "name": "another", "state": "RUNNING"}], True),
    ],
)
def test_a_job_is_submitted_unless_it_is_there(tmp_path: Path, jobs: list[dict[str, str]], submits: bool) -> None:
    mark = tmp_path / "submitted"
    with flink({"/overview": OVERVIEW, "/jobs/overview": {"jobs": jobs}}) as port:
        done = submit(port, "touch", mark)
    assert done.returncode == 0
    assert mark.exists() is submits
    assert ("there already" in done.stdout) is not submits


def test_the_submitter_tells_what_it_waited_for() -> None:
    with flink({"/overview": {**OVERVIEW, "slots-available": 0}, "/jobs/overview": {"jobs": []}}) as port:
        done = submit(port, "true", timeout=1)
        on_demand = submit(port, "true", timeout=1, more=["--slots-on-demand"])
    assert done.returncode == 1
    assert "no free slot" in done.stderr
    assert on_demand.returncode == 0


def test_the_submitter_hands_on_the_exit_code_of_the_command() -> None:
    with flink({"/overview": OVERVIEW, "/jobs/overview": {"jobs": []}}) as port:
        assert submit(port, "sh", "-c", "exit 7").returncode == 7


@pytest.mark.parametrize(("stays", "code"), [(False, 0), (True, 7)])
def test_a_taskmanager_of_a_bounded_job_ends_well_only_without_its_jobmanager(tmp_path: Path, stays: bool, code: int) -> None:
    """Flink's process fails in both cases: with the JobManager there it is a crash."""
    program = tmp_path / "bin" / "taskmanager.sh"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\necho "$@" >"$FLINK_HOME/began"\nwhile [ ! -e "$FLINK_HOME/end" ]; do sleep 0.1; done\nexit 7\n'
    )
    program.chmod(0o755)

    environment = {"PATH": "/usr/bin:/bin", "FLINK_HOME": str(tmp_path)}
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(flink({"/config": {}}))
        process = subprocess.Popen(["bash", BOUNDED, "127.0.0.1", str(port), "-D", "a=b"], env=environment)
        wait_for((tmp_path / "began").exists, timeout=20, interval=0.1, what="the TaskManager to begin")
        if not stays:
            stack.close()
        (tmp_path / "end").touch()
        assert process.wait(20) == code
    assert (tmp_path / "began").read_text() == "start-foreground -D a=b\n"


def test_a_taskmanager_of_a_bounded_job_does_not_wait_for_ever() -> None:
    """A JobManager that failed at once may be gone before its TaskManagers look for it."""
    done = bash(BOUNDED, "127.0.0.1", 1, PATH="/usr/bin:/bin", WAIT_SECONDS="1")
    assert (done.returncode, "No JobManager has answered" in done.stdout) == (0, True)


def test_the_wait_of_a_bounded_jobs_taskmanager_counts_the_time_of_its_tries(tmp_path: Path) -> None:
    """A name without addresses may take as long as a try is given."""
    tries = tmp_path / "tries"
    slow = tmp_path / "timeout"
    slow.write_text(f"#!/bin/sh\necho try >>{tries}\nsleep 3\nexit 124\n")
    slow.chmod(0o755)
    bash(BOUNDED, "127.0.0.1", 1, PATH=f"{tmp_path}:/usr/bin:/bin", WAIT_SECONDS="3")
    assert tries.read_text().split() == ["try"]
