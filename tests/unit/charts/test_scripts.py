"""The scripts that run inside pods, against servers that answer as Flink and Kafka do."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci.core.paths import DEMO, FLINK
from harness.certificates import Authority, write
from harness.waits import wait_for

REST = FLINK / "files" / "rest.sh"
CONFIGURE = FLINK / "files" / "configure.sh"
BOUNDED = FLINK / "files" / "bounded.sh"
START = FLINK / "files" / "start-job.sh"
READY = DEMO / "files" / "kafka-ready.sh"
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
def flink(answers: dict[str, Any], tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server of HTTP, with `tls` of HTTPS, that gives these answers by path, or by "POST <path>", and 404 for others; texts as
    they are."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(self.path, 200)

        def do_POST(self) -> None:
            self.answer(f"POST {self.path}", 202)

        def answer(self, asked: str, status: int) -> None:
            known = asked in answers
            answer = answers.get(asked, {"errors": []})
            answer = answer() if callable(answer) else answer
            body = (answer if isinstance(answer, str) else json.dumps(answer, separators=(",", ":"))).encode()
            self.send_response(status if known else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    with serving(server) as port:
        yield port


def bash(script: Path, *arguments: object, seconds: float = 30, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(script), *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=seconds
    )


JOB, FORMER, OLDER = "a" * 32, "b" * 32, "d" * 32
OTHER_HALF = f"{JOB[:16]}{'c' * 16}"
CLAIM = ["-D", "execution.state-recovery.claim-mode=CLAIM"]


class JobManager:
    """A pod that runs start-job.sh with these keys in the record; `argv` are the arguments that it gives Flink."""

    def __init__(self, home: Path) -> None:
        self.home, self.data = home, home / "data"
        for script in ("standalone-job.sh", "kubernetes-jobmanager.sh"):
            self.program(script, '#!/bin/sh\nprintf "%s\\n" "$@"\n')
        (home / "log").mkdir()
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "RECORD": str(home / "record"),
            "FLINK_HOME": str(home),
            "JOB_SPECIFICATION": "spec",
            "HIGH_AVAILABILITY": "false",
            "CLAIM_DIRECTORY": str(self.data),
            "RETAINED_CHECKPOINTS": "3",
            "CLAIM_OWN_CHECKPOINTS": "true",
        }

    def program(self, name: str, text: str) -> None:
        """One of Flink's start scripts."""
        program = self.home / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(text)
        program.chmod(0o755)

    def record(self, **keys: str) -> None:
        folder = self.home / "record"
        folder.mkdir(exist_ok=True)
        for file in folder.iterdir():
            file.unlink()
        given = {"job": JOB, "ids": JOB, "spec": "spec", "state": "running", "generation": "1", "confirmed": "0"}
        for key, value in {**given, **keys}.items():
            if value:
                (folder / key).write_text(value)

    def argv(self, **environment: str) -> list[str]:
        done = bash(START, "-D", "a=b", "my arg", seconds=20, **{**self.environment, **environment})
        assert done.returncode == 0, done.stderr
        argv = done.stdout.splitlines()[1:]
        assert argv[-3:] == ["-D", "a=b", "my arg"]
        return argv[:-3]

    def starts(self, **environment: str) -> list[str]:
        """The arguments for standalone mode, without the id of the job, whose second half differs each time."""
        program, option, job, *arguments = self.argv(**environment)
        assert (program, option) == ("start-foreground", "--job-id")
        assert job[:16] == JOB[:16]
        assert len(job) == 32
        return arguments

    def waits(self, **environment: str) -> str:
        """What it says while it waits."""
        process = subprocess.Popen(
            ["bash", START, "-D", "a=b"], env={**self.environment, **environment}, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr
        line = process.stderr.readline()
        assert process.poll() is None
        process.terminate()
        process.communicate()
        assert process.returncode == 143
        return line

    def state(self, path: str, age: int) -> Path:
        folder = self.data / path
        folder.mkdir(parents=True)
        (folder / "_metadata").touch()
        os.utime(folder / "_metadata", (2_000_000_000 - age, 2_000_000_000 - age))
        return folder


@pytest.fixture
def pod(tmp_path: Path) -> JobManager:
    return JobManager(tmp_path)


S3 = {"CLAIM_DIRECTORY": ""}
ON_S3 = {"checkpointDirectory": "s3://b/checkpoints", "restore": "s3://b/s"}


class TestItWaits:
    """To run a job that the record does not name would bring rows twice, or none."""

    def test_without_a_record(self, pod: JobManager) -> None:
        assert "Waiting for the record of the release" in pod.waits()

    def test_for_the_id_in_it(self, pod: JobManager) -> None:
        pod.record(job="")
        assert "Waiting for the record of the release" in pod.waits()

    @pytest.mark.parametrize("state", ["suspended", "finished", "stopped"])
    def test_when_the_job_is_not_to_run(self, pod: JobManager, state: str) -> None:
        pod.record(state=state)
        assert f"The job is {state}" in pod.waits()

    def test_when_the_record_is_for_another_specification(self, pod: JobManager) -> None:
        pod.record(spec="newer")
        assert "The record is for specification newer, this pod has spec" in pod.waits()

    @pytest.mark.parametrize("pending", ["replace", "restart this", "restart that this"])
    def test_when_the_hook_is_about_to_replace_it(self, pod: JobManager, pending: str) -> None:
        pod.record(pending=pending)
        assert "continues in another pod" in pod.waits(POD_UID="this")

    def test_not_when_the_hook_replaces_others(self, pod: JobManager) -> None:
        pod.record(pending="restart that")
        assert pod.starts(POD_UID="this") == []

    def test_on_a_store_that_it_cannot_list_when_the_job_was_seen_running(self, pod: JobManager) -> None:
        pod.record(**ON_S3, confirmed="1")
        message = pod.waits(**S3)
        assert "cannot tell the job's newest checkpoint in s3://b/checkpoints" in message
        assert "job.fromSavepoint" in message

    def test_on_a_store_that_it_cannot_list_when_it_has_run_and_completed_a_checkpoint(self, pod: JobManager) -> None:
        pod.record(**ON_S3)
        assert pod.starts(**S3) == ["--fromSavepoint", "s3://b/s"]
        (pod.home / "log" / "flink.log").write_text("INFO Completed checkpoint 1 for job\n")
        assert "cannot tell the job's newest checkpoint" in pod.waits(**S3)
        # Another generation has not.
        pod.record(**ON_S3, generation="2")
        assert pod.starts(**S3) == ["--fromSavepoint", "s3://b/s"]

    def test_on_a_store_when_another_pod_may_have_run_it_long_ago(self, pod: JobManager) -> None:
        pod.record(**ON_S3, startBy="1000000000")
        assert "cannot tell the job's newest checkpoint" in pod.waits(**S3)

    def test_on_a_store_with_a_log_that_tells_little(self, pod: JobManager) -> None:
        pod.record(**ON_S3, startBy="1000000000")
        (pod.home / "log" / "generation").write_text("1")
        (pod.home / "log" / "flink--standalonejob-0.log").write_text("WARN  a.b.C - a warning\n")
        assert "cannot tell the job's newest checkpoint" in pod.waits(**S3)

    def test_not_in_the_time_of_the_operation_that_began_it(self, pod: JobManager) -> None:
        pod.record(**ON_S3, startBy="99999999999")
        assert pod.starts(**S3)[:1] == ["--fromSavepoint"]

    @pytest.mark.parametrize("native", ["", "true"])
    def test_not_for_a_job_that_has_finished_whose_jobmanager_has_no_job(self, pod: JobManager, native: str) -> None:
        pod.record(state="finished")
        session = pod.home / "bin" / "jobmanager.sh"
        session.write_text('#!/bin/sh\nprintf "%s\\n" session "$@"\n')
        session.chmod(0o755)
        arguments = ["-D", "a=b", "--allowNonRestoredState", "-D", "c=d", "--", "-D", "e=f"]
        done = bash(START, *arguments, seconds=20, **{**pod.environment, "NATIVE": native})
        start = ["kubernetes-session"] if native else ["session", "start-foreground"]
        assert done.stdout.splitlines() == [*start, "-D", "a=b", "-D", "c=d"]

    def test_not_before_its_first_checkpoint(self, pod: JobManager) -> None:
        """An image that has to be mended in place, a crash at the start: Kubernetes tries again."""
        pod.record(**ON_S3)
        (pod.home / "log" / "flink.log").write_text("INFO Starting\n")
        for _ in range(2):
            assert pod.starts(**S3) == ["--fromSavepoint", "s3://b/s"]

    def finished(self, pod: JobManager, generation: str = "1") -> None:
        (pod.home / "log" / "generation").write_text(generation)
        (pod.home / "log" / "flink--standalonejob-0.log").write_text(f"Job {JOB} reached terminal state FINISHED.\n")

    @pytest.mark.parametrize("directory", ["claim", ""])
    def test_for_good_when_the_job_has_finished_in_this_pod(self, pod: JobManager, directory: str) -> None:
        pod.record()
        self.finished(pod)
        assert "has finished" in pod.waits(**({} if directory else {"CLAIM_DIRECTORY": ""}))

    def test_for_good_when_high_availability_tells_that_the_job_before_has_finished(self, pod: JobManager) -> None:
        results = pod.data / "ha" / "job-result-store" / "my-flink"
        results.mkdir(parents=True)
        (results / f"{FORMER}.json").write_text('{"result":{"application-status":"SUCCEEDED"}}')
        pod.record(former=FORMER)
        assert "has finished" in pod.waits(HIGH_AVAILABILITY="true")
        pod.state(f"savepoints/{FORMER}/stop/savepoint-1", 1)  # it was stopped
        assert pod.argv(HIGH_AVAILABILITY="true")[3:4] == ["--fromSavepoint"]

    @pytest.mark.parametrize(
        "changes",
        [{"former": FORMER, "confirmed": "1"}, {"confirmed": "2"}, {"ran": "2"}],
        ids=["resumes", "was proven", "was seen running"],
    )
    def test_for_a_volume_on_which_the_job_has_not_run(self, pod: JobManager, changes: dict[str, str]) -> None:
        pod.record(generation="2", **changes)
        message = pod.waits()
        assert f"Nothing of the job is left in {pod.data}" in message
        assert "job.upgradeMode=stateless" in message
        pod.data.mkdir(exist_ok=True)
        (pod.data / "started").touch()
        assert pod.starts() == []

    def test_not_for_a_job_before_it_that_nobody_has_ever_seen_running(self, pod: JobManager) -> None:
        pod.record(generation="2", former=FORMER, confirmed="0")
        assert pod.starts() == []

    def test_not_when_another_generation_finished(self, pod: JobManager) -> None:
        pod.record(generation="2")
        self.finished(pod)
        assert pod.starts() == []

    def test_not_when_a_stop_ended_the_job(self, pod: JobManager) -> None:
        pod.record(pending=f"{JOB} {OLDER} file:///s")
        self.finished(pod)
        assert pod.starts() == []

    def test_not_when_a_savepoint_tells_that_it_was_stopped(self, pod: JobManager) -> None:
        pod.record()
        self.finished(pod)
        state = pod.state(f"savepoints/savepoint-{JOB[:6]}-1", 1)
        assert pod.starts()[:2] == ["--fromSavepoint", f"file://{state}"]

    @pytest.mark.parametrize("form", ["file:{}", "file://{}", "file://{}/_metadata"])
    def test_for_good_when_flink_has_deleted_the_checkpoint_that_it_started_from(self, pod: JobManager, form: str) -> None:
        path = f"{pod.data}/checkpoints/{FORMER}/chk-7"
        pod.record(restore=form.format(path), own="true")
        assert f"Checkpoint {path}, from which the job started, is gone" in pod.waits()

    def test_for_good_however_slashes_are_repeated(self, pod: JobManager) -> None:
        pod.record(restore=f"file:/{pod.data}//checkpoints//{FORMER}/chk-7//_metadata", own="true")
        path = f"{pod.data}/checkpoints/{FORMER}/chk-7"
        for directory in (f"{pod.data}/", f"{pod.data.parent}//{pod.data.name}"):
            assert f"Checkpoint {path}, from which the job started, is gone" in pod.waits(CLAIM_DIRECTORY=directory)

    def test_not_where_high_availability_finds_it(self, pod: JobManager) -> None:
        pod.record(**ON_S3, confirmed="1")
        assert pod.starts(**S3, HIGH_AVAILABILITY="true") == ["--fromSavepoint", "s3://b/s"]

    def test_not_for_a_job_without_checkpoints(self, pod: JobManager) -> None:
        pod.record(confirmed="1")
        assert pod.starts(**S3) == []


def test_a_job_starts_where_the_record_says(pod: JobManager) -> None:
    pod.record(restore="s3://b/s")
    assert pod.starts() == ["--fromSavepoint", "s3://b/s"]
    pod.record()
    assert pod.starts() == []


# Flink's start scripts, which handle no signal, and its process, which ends well.
DEAF = """#!/bin/sh
touch "$FLINK_HOME/began"
while :; do sleep 0.1; done
"""
WELL = """#!/bin/bash
trap 'sleep 0.5; touch "$FLINK_HOME/ended"; exit 143' TERM
touch "$FLINK_HOME/began"
while :; do sleep 0.1; done
"""


@contextmanager
def first_process(*argv: str, began: Path, **environment: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """It as the first process of a container: the kernel drops signals that it does not handle. (The container, process id)."""
    container = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
    with subprocess.Popen([*container, *argv], env=environment) as process:
        try:
            wait_for(began.exists, timeout=20, interval=0.1, what=f"{argv[1]} to begin")
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
            yield process, int(children)
        finally:
            process.kill()


class TestADeletedPod:
    """One that went on until the kubelet kills it would run the job beside the next pod's."""

    @pytest.mark.parametrize("state", ["running", "finished"])
    def test_ends_while_flink_starts(self, pod: JobManager, state: str) -> None:
        for script in ("standalone-job.sh", "jobmanager.sh"):
            pod.program(script, DEAF)
        pod.record(state=state)
        began = pod.home / "began"
        with first_process("bash", str(START), "-D", "a=b", began=began, **pod.environment) as (container, first):
            os.kill(first, signal.SIGTERM)
            container.wait(10)

    def test_ends_while_the_taskmanager_of_a_bounded_job_starts(self, pod: JobManager) -> None:
        pod.program("taskmanager.sh", DEAF)
        with flink({"/config": {}}) as port:
            argv = ["bash", str(BOUNDED), "127.0.0.1", str(port)]
            with first_process(*argv, began=pod.home / "began", **pod.environment) as (container, first):
                os.kill(first, signal.SIGTERM)
                container.wait(10)

    def test_ends_while_the_taskmanager_of_a_bounded_job_waits(self, pod: JobManager) -> None:
        argv = ["bash", "-c", 'touch "$FLINK_HOME/began"; exec bash "$@"', "bash", str(BOUNDED), "127.0.0.1", "1"]
        with first_process(*argv, began=pod.home / "began", **pod.environment) as (container, first):
            command = Path(f"/proc/{first}/cmdline")
            wait_for(lambda: str(BOUNDED) in command.read_text().split("\0")[1], timeout=20, interval=0.1, what="the script")

            def catches_sigterm() -> bool:
                status = dict(line.split(":", 1) for line in Path(f"/proc/{first}/status").read_text().splitlines())
                return bool(int(status["SigCgt"], 16) & 1 << signal.SIGTERM - 1)

            wait_for(catches_sigterm, timeout=10, interval=0.1, what="the script to listen")
            os.kill(first, signal.SIGTERM)
            container.wait(10)

    def test_has_the_time_that_flink_needs(self, pod: JobManager) -> None:
        pod.program("standalone-job.sh", WELL)
        pod.record()
        began = pod.home / "began"
        with first_process("bash", str(START), "-D", "a=b", began=began, **pod.environment) as (container, first):
            os.kill(first, signal.SIGTERM)
            assert container.wait(10) == 143
        assert (pod.home / "ended").exists()

    def test_ends_as_flink_does(self, pod: JobManager) -> None:
        pod.program("standalone-job.sh", "#!/bin/sh\nexit 7\n")
        pod.record()
        assert bash(START, "-D", "a=b", seconds=20, **pod.environment).returncode == 7


def test_arguments_of_the_job_are_not_printed(pod: JobManager) -> None:
    pod.record(restore="s3://b/s")
    (pod.home / "bin" / "standalone-job.sh").write_text('#!/bin/sh\n[ "$7" = --password=a ]\n')
    done = bash(START, "--", "--password=a", seconds=20, **pod.environment)
    assert done.returncode == 0
    assert "Starting the job: --job-id" in done.stdout
    assert "--fromSavepoint s3://b/s" in done.stdout
    assert "password" not in done.stdout + done.stderr


def test_what_high_availability_knows_it_knows_by_its_id(pod: JobManager) -> None:
    pod.record(restore="s3://b/s")
    assert pod.argv(HIGH_AVAILABILITY="true")[:3] == ["start-foreground", "--job-id", JOB]
    # Without it, a TaskManager refuses a program that is uploaded again under an id that it knows.
    assert pod.argv()[2] != pod.argv()[2]


def test_in_native_mode_the_same_is_said_by_options(pod: JobManager) -> None:
    pod.record(restore=f"s3://b/{FORMER}/chk-1", own="true")
    assert pod.argv(NATIVE="1", HIGH_AVAILABILITY="true") == [
        "kubernetes-application",
        "-D",
        f"$internal.pipeline.job-id={JOB}",
        "-D",
        f"execution.state-recovery.path=s3://b/{FORMER}/chk-1",
        *CLAIM,
    ]


class TestNewestState:
    """Without high availability Flink remembers nothing: the files tell how far the job came."""

    def test_a_savepoint_on_demand_that_is_newer(self, pod: JobManager) -> None:
        pod.record()
        pod.state(f"checkpoints/{JOB}/chk-9", 5)
        state = pod.state(f"savepoints/{OTHER_HALF}/savepoint-{JOB[:6]}-1", 1)
        assert pod.starts() == ["--fromSavepoint", f"file://{state}"]

    def test_that_of_a_former_job(self, pod: JobManager) -> None:
        pod.record(restore="file:/s", former=f"{FORMER} {OLDER}")
        pod.data.mkdir(exist_ok=True)
        (pod.data / "started").touch()  # by the one before, which has completed nothing
        assert pod.starts() == ["--fromSavepoint", "file:/s"]
        pod.state(f"checkpoints/{OLDER}/chk-500", age=1)
        pod.state(f"checkpoints/{FORMER}/chk-99", age=50)
        (pod.data / "checkpoints" / FORMER / "chk-100").mkdir()  # not complete
        assert pod.starts() == ["--fromSavepoint", f"file://{pod.data}/checkpoints/{FORMER}/chk-99", *CLAIM]

    def test_that_of_the_job_itself_under_all_its_ids(self, pod: JobManager) -> None:
        pod.record(restore="file:/s", former=FORMER)
        pod.state(f"checkpoints/{FORMER}/chk-99", age=1)
        pod.state(f"checkpoints/{JOB}/chk-9", age=30)
        pod.state(f"checkpoints/{OTHER_HALF}/chk-10", age=20)
        assert pod.starts()[1] == f"file://{pod.data}/checkpoints/{OTHER_HALF}/chk-10"

    def test_the_savepoint_that_stopped_it_even_if_the_record_does_not_know_it_yet(self, pod: JobManager) -> None:
        pod.record()
        pod.state(f"checkpoints/{JOB}/chk-9", age=30)
        pod.state(f"savepoints/{JOB}/stop/savepoint-1", age=5)
        pod.state(f"savepoints/{JOB}/savepoint-2", age=10)  # of the schedule: the job kept running after it
        assert pod.starts() == ["--fromSavepoint", f"file://{pod.data}/savepoints/{JOB}/stop/savepoint-1"]

    def test_under_high_availability_too(self, pod: JobManager) -> None:
        """It forgets a job that has ended, and then the record's former ids count."""
        pod.record(former=FORMER)
        pod.state(f"checkpoints/{FORMER}/chk-99", age=1)
        assert pod.starts(HIGH_AVAILABILITY="true")[1] == f"file://{pod.data}/checkpoints/{FORMER}/chk-99"

    def test_not_that_of_another_job(self, pod: JobManager) -> None:
        pod.record()
        pod.state(f"checkpoints/{OLDER}/chk-99", age=1)
        assert pod.starts() == []


class TestClaim:
    """Flink deletes a checkpoint that it claims in time: only the release's own."""

    @pytest.mark.parametrize(
        ("restore", "own", "allowed", "claims"),
        [
            ("s3://b/x/chk-1", "true", "true", True),
            ("s3://production/x/chk-1", "", "true", False),
            ("s3://b/x/savepoint-1", "true", "true", False),
            ("s3://b/x/chk-1", "true", "false", False),
            ("s3://b/x/chk-1", "true", "", False),
        ],
    )
    def test_of_what_the_record_names(self, pod: JobManager, restore: str, own: str, allowed: str, claims: bool) -> None:
        pod.record(restore=restore, own=own)
        arguments = pod.starts(**S3, CLAIM_OWN_CHECKPOINTS=allowed)
        assert arguments == ["--fromSavepoint", restore, *(CLAIM if claims else [])]

    def test_of_what_the_files_tell(self, pod: JobManager) -> None:
        pod.record()
        pod.state(f"checkpoints/{JOB}/chk-1", age=1)
        assert pod.starts()[2:] == CLAIM
        assert pod.starts(CLAIM_OWN_CHECKPOINTS="false")[2:] == []


class TestOldCheckpoints:
    """Each process has an id of its own, and would leave its last checkpoints for ever."""

    def left(self, pod: JobManager) -> set[str]:
        return {file.parent.name for file in pod.data.glob("checkpoints/*/chk-*/_metadata")}

    def test_some_are_kept_and_the_one_that_it_starts_from(self, pod: JobManager) -> None:
        pod.record(ids=f"{JOB} {FORMER}")
        for number in range(1, 8):
            pod.state(f"checkpoints/{(JOB, OTHER_HALF, FORMER)[number % 3]}/chk-{number}", age=100 - number)
        assert pod.starts()[1].endswith("/chk-7")
        assert {"chk-7"} <= self.left(pod)
        assert len(self.left(pod)) == 3

    @pytest.mark.parametrize("form", ["file:{}", "file://{}", "{}", "file:{}/", "file:{}/_metadata"])
    @pytest.mark.parametrize("retained", ["1", "3"])
    def test_the_one_in_the_record_however_it_is_written(self, pod: JobManager, retained: str, form: str) -> None:
        pod.record(ids=f"{JOB} {FORMER} {OLDER}", own="true")
        for number in range(1, 6):
            pod.state(f"checkpoints/{FORMER}/chk-{number}", age=100 - number)
        start = pod.state(f"checkpoints/{OLDER}/chk-9", age=500)
        pod.record(ids=f"{JOB} {FORMER} {OLDER}", own="true", restore=form.format(start))
        pod.starts(RETAINED_CHECKPOINTS=retained)
        assert (start / "_metadata").exists()

    def test_the_one_to_which_a_rollback_would_go(self, pod: JobManager) -> None:
        state = pod.state(f"checkpoints/{FORMER}/chk-9", 1)
        pod.record(ids=f"{JOB} {FORMER}", restore="file:///typo", previous=f"file:{state}")
        pod.starts(RETAINED_CHECKPOINTS="1")
        assert state.exists()

    def test_the_one_in_the_record_with_another_slash(self, pod: JobManager) -> None:
        state = pod.state(f"checkpoints/{FORMER}/chk-9", 1)
        pod.record(ids=f"{JOB} {FORMER}", restore=f"file://{pod.data}//checkpoints/{FORMER}/chk-9")
        pod.starts(RETAINED_CHECKPOINTS="1")
        assert state.exists()

    def test_savepoints_and_what_is_shared_stay(self, pod: JobManager) -> None:
        pod.record(ids=f"{JOB} {FORMER}")
        savepoints = [pod.state(f"savepoints/{FORMER}/stop/savepoint-{number}", age=number) for number in range(5)]
        for number in range(5):
            pod.state(f"checkpoints/{FORMER}/chk-{number}", age=number)
        (pod.data / "checkpoints" / FORMER / "shared").mkdir()
        pod.starts(RETAINED_CHECKPOINTS="1")
        assert all(path.exists() for path in savepoints)
        assert (pod.data / "checkpoints" / FORMER / "shared").exists()

    def test_those_of_other_jobs_stay(self, pod: JobManager) -> None:
        pod.record()
        for number in range(5):
            pod.state(f"checkpoints/{OLDER}/chk-{number}", age=number)
        pod.starts()
        assert len(self.left(pod)) == 5

    def test_a_pod_that_waits_deletes_nothing(self, pod: JobManager) -> None:
        pod.record(state="suspended", ids=FORMER)
        for number in range(5):
            pod.state(f"checkpoints/{FORMER}/chk-{number}", age=number)
        pod.waits()
        assert len(self.left(pod)) == 5


def test_get_prints_the_answer_and_fails_for_an_error() -> None:
    with flink({"/overview": OVERVIEW}) as port:
        assert json.loads(bash(REST, "get", "127.0.0.1", port, "/overview").stdout) == OVERVIEW
        assert bash(REST, "get", "127.0.0.1", port, "/nothing").returncode != 0
    assert bash(REST, "get", "127.0.0.1", port, "/overview").returncode != 0


def test_a_taskmanager_is_registered_when_the_jobmanager_knows_it() -> None:
    with flink({"/taskmanagers": {"taskmanagers": [{"id": "pod-1", "path": "akka"}, {"id": "pod-23"}]}}) as port:
        assert bash(REST, "registered", "127.0.0.1", port, POD_NAME="pod-1").returncode == 0
        assert bash(REST, "registered", "127.0.0.1", port, POD_NAME="pod-2").returncode != 0


def test_a_taskmanager_that_goes_has_each_job_complete_a_checkpoint() -> None:
    begun, looks = [], iter(["IN_PROGRESS", "COMPLETED"])
    ended = []

    def begins() -> dict[str, str]:
        begun.append(JOB)
        return {"request-id": "1f"}

    def looked() -> dict[str, Any]:
        ended.append(next(looks))
        return {"status": {"id": ended[-1]}}

    answers = {
        "/jobs": {
            "jobs": [{"id": FORMER, "status": "FINISHED"}, {"id": OLDER, "status": "RUNNING"}, {"id": JOB, "status": "RUNNING"}]
        },
        f"POST /jobs/{JOB}/checkpoints": begins,  # and another one that takes none
        f"/jobs/{JOB}/checkpoints/1f": looked,
    }
    with flink(answers) as port:
        assert bash(REST, "checkpoint", "127.0.0.1", port).returncode == 0
    assert (begun, ended) == ([JOB], ["IN_PROGRESS", "COMPLETED"])
    with flink({"/jobs": {"jobs": []}}) as port:
        assert bash(REST, "checkpoint", "127.0.0.1", port).returncode == 0


def jobs(state: str, **tasks: int) -> dict[str, Any]:
    """Flink's answer of /jobs/overview, where another job has ended."""
    ended = {"jid": FORMER, "name": "a", "state": "FAILED", "tasks": {"total": 1, "running": 0, "finished": 0, "failed": 1}}
    return {"jobs": [ended, {"jid": JOB, "name": '"state":"RUNNING" {}', "state": state, "last-modification": 1, "tasks": tasks}]}


RUNS = jobs("RUNNING", total=3, running=2, finished=1, failed=0)


@pytest.mark.parametrize(
    ("answer", "runs"),
    [
        (RUNS, True),
        (jobs("RUNNING", total=3, running=2, finished=0, deploying=1), False),
        (jobs("RUNNING", total=3, running=0, finished=0, created=3), False),
        (jobs("RUNNING", total=0, running=0, finished=0), False),  # its tasks are not known yet
        (jobs("RESTARTING", total=3, running=3, finished=0), False),
        ({"jobs": []}, False),
    ],
)
def test_check_wants_a_job_all_of_whose_tasks_run(answer: dict[str, Any], runs: bool) -> None:
    with flink({"/overview": OVERVIEW, "/jobs/overview": answer}) as port:
        if runs:
            assert "the job is running with all its tasks: " in bash(REST, "check", "127.0.0.1", port, 2, "job").stdout
        else:
            assert waits("127.0.0.1", port, 2, "job")


def test_check_wants_the_taskmanagers_and_the_job() -> None:
    with flink({"/overview": OVERVIEW, "/jobs/overview": RUNS}) as port:
        session = bash(REST, "check", "127.0.0.1", port, 2, "session").stdout
        assert "2 TaskManagers are registered: " in session
        assert "the job is running with all its tasks: " in bash(REST, "check", "127.0.0.1", port, 2, "job").stdout
        assert waits("127.0.0.1", port, 3, "session")


RUNNING = 'flink_jobmanager_job_runningState{job_id="a",job_name="a } job",} %s\n'
REGISTERED = "flink_jobmanager_numRegisteredTaskManagers 2.0\n"


@pytest.mark.parametrize(
    ("type", "metrics", "there"),
    [
        ("job", REGISTERED + RUNNING % "1.0", True),
        ("job", REGISTERED + RUNNING % "0.0", False),
        ("job", REGISTERED + f"# {RUNNING % '1.0'}", False),
        ("job", REGISTERED, False),
        ("session", REGISTERED, True),
        ("session", "flink_jobmanager_Status_JVM_CPU_Load 0.1\n", False),  # of one that does not lead
    ],
)
def test_check_wants_a_metric_of_the_job(type: str, metrics: str, there: bool) -> None:
    with flink({"/overview": OVERVIEW, "/jobs/overview": RUNS, "/metrics": metrics}) as port:
        arguments = ("127.0.0.1", port, 2, type, "127.0.0.1", port)
        if there:
            assert "its metrics say so: " in bash(REST, "check", *arguments).stdout
        else:
            assert waits(*arguments)


def waits(*arguments: object) -> bool:
    """Whether rest.sh check looks again and again."""
    with pytest.raises(subprocess.TimeoutExpired):
        bash(REST, "check", *arguments, seconds=2)
    return True


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


PATH = "/usr/bin:/bin"


# Runs a command some times, as a kubelet does, up to five seconds each, and prints how many processes that left behind.
ADOPT = """
import ctypes, os, subprocess, sys
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
left = 0
for _ in range(int(sys.argv[1])):
    try:
        subprocess.run(sys.argv[2:], timeout=5)
    except subprocess.TimeoutExpired:
        pass
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            break
        left += 1
print(left)
"""


class TestRestByTls:
    @pytest.fixture
    def asked(self, authority: Authority, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
        """asked(arguments..., names=, clients=): rest.sh with the certificates of a Secret, against a server that has them."""

        def ask(
            *arguments: object,
            names: Sequence[str] = ("localhost",),
            days: int = 2,
            clients: bool = False,
            mounted: str = "",
            signer: Authority = authority,
            **env: Any,
        ) -> subprocess.CompletedProcess[str]:
            server = write(signer.issue(names, days=days), tmp_path / "server")
            secret = signer.issue(["client"])
            if mounted == "authority":
                secret = {"ca.crt": secret["ca.crt"]}
            tls = write(secret if mounted != "another" else Authority(tmp_path / "another").issue(["a"]), tmp_path / "secret")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.load_cert_chain(server / "tls.crt", server / "tls.key")
            if clients:
                context.load_verify_locations(server / "ca.crt")
                context.verify_mode = ssl.CERT_REQUIRED
            with flink({"/overview": OVERVIEW, "/metrics": REGISTERED}, context) as port:
                given = [port if argument == "PORT" else argument for argument in arguments]
                return bash(REST, *given, PATH=PATH, TLS=str(tls), **env)

        return ask

    def test_it_asks_who_has_a_certificate_of_the_authority(self, asked: Callable[..., Any]) -> None:
        done = asked("get", "localhost", "PORT", "/overview", mounted="authority")
        assert (done.returncode, json.loads(done.stdout)) == (0, OVERVIEW)

    def test_an_authority_below_another_one_is_enough(
        self, asked: Callable[..., Any], authority: Authority, tmp_path: Path
    ) -> None:
        below = Authority(tmp_path / "below", signed_by=authority.directory)
        done = asked("get", "localhost", "PORT", "/overview", signer=below)
        assert (done.returncode, json.loads(done.stdout)) == (0, OVERVIEW)

    @pytest.mark.parametrize("mounted", ["", "authority"])
    def test_it_shows_the_certificate_of_the_secret(self, asked: Callable[..., Any], mounted: str) -> None:
        done = asked("get", "localhost", "PORT", "/overview", mounted=mounted, clients=True)
        assert (done.returncode == 0) is (not mounted)

    @pytest.mark.parametrize(
        ("values", "error"),
        [
            ({"days": -1}, "certificate has expired"),
            ({"names": ["r-flink-rest"]}, "hostname mismatch"),
            ({"mounted": "another"}, "unable to get local issuer certificate"),
        ],
    )
    def test_a_probe_says_what_is_wrong(self, asked: Callable[..., Any], values: dict[str, Any], error: str) -> None:
        done = asked("get", "localhost", "PORT", "/overview", **values)
        assert done.returncode != 0
        assert error in done.stderr

    def test_a_pod_asks_itself_by_its_address(self, asked: Callable[..., Any]) -> None:
        done = asked("probe", "PORT", "/overview", names=["r-flink-rest"], clients=True, POD_IP="127.0.0.1")
        assert (done.returncode, done.stdout) == (0, "")
        assert asked("probe", "PORT", "/nothing", names=["r-flink-rest"], POD_IP="127.0.0.1").returncode != 0

    @pytest.mark.parametrize("silent", [False, True])
    def test_a_probe_leaves_no_process_behind(self, authority: Authority, tmp_path: Path, silent: bool) -> None:
        """Flink's process is PID 1 of its container, and waits for no child: each one left would be a zombie for ever."""
        tls = write(authority.issue(["client"]), tmp_path / "secret")
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1] if silent else 1
            done = subprocess.run(
                [sys.executable, "-c", ADOPT, *(["1"] if silent else ["40"]), "bash", REST, "probe", str(port), "/config"],
                env={"PATH": PATH, "TLS": str(tls), "POD_IP": "127.0.0.1"},
                capture_output=True,
                text=True,
                timeout=60,
            )
        assert done.stdout == "0\n"

    def test_metrics_stay_plain(self, asked: Callable[..., Any]) -> None:
        with flink({"/metrics": REGISTERED}) as metrics:
            done = asked("check", "localhost", "PORT", 2, "session", "127.0.0.1", metrics)
        assert (done.returncode, "its metrics say so: " in done.stdout) == (0, True)


def unfit(authority: Authority, changes: dict[str, Any]) -> dict[str, str]:
    """Files of a certificate with these changes: a key that is set is another certificate's."""
    certificates = authority.issue(["a"], days=changes.pop("days", 2))
    if changes.get("tls.key"):
        changes = {"tls.key": authority.issue(["b"])["tls.key"]}
    return {**certificates, **changes}


class TestKeyStores:
    def stores(
        self, tmp_path: Path, certificates: dict[str, str], path: str = PATH, parts: Sequence[str] = ("internal", "rest")
    ) -> subprocess.CompletedProcess[str]:
        source, target = tmp_path / "config", tmp_path / "conf"
        for folder in (source, target):
            folder.mkdir(exist_ok=True)
        (source / "config.yaml").write_text('x.y: "1"\n')
        for part in parts:
            write(certificates, tmp_path / "tls" / part)
        return bash(CONFIGURE, source, tmp_path / "options", target, tmp_path / "tls", PATH=path)

    def test_java_reads_them_by_the_passwords_in_the_configuration(self, authority: Authority, tmp_path: Path) -> None:
        certificates = authority.issue(["a"])
        certificates["ca.crt"] += Authority(tmp_path / "next").certificate
        for _ in range(2):  # a container that is started again
            done = self.stores(tmp_path, certificates)
            assert (done.returncode, done.stdout + done.stderr) == (0, "")
        options = yaml.safe_load((tmp_path / "conf" / "config.yaml").read_text())
        assert options.pop("x.y") == "1"
        assert options.keys() == {
            f"security.ssl.{part}.{store}-password"
            for part in ("internal", "rest")
            for store in ("key", "keystore", "truststore")
        }
        assert len(set(options.values())) == 2
        for part in ("internal", "rest"):
            for store, entries in (("keystore", 1), ("truststore", 2)):
                file = tmp_path / "conf" / f"{part}-{store}.p12"
                assert file.stat().st_mode & 0o077 == 0
                argv = [
                    "keytool",
                    "-list",
                    "-keystore",
                    str(file),
                    "-storepass",
                    options[f"security.ssl.{part}.{store}-password"],
                ]
                listed = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
                assert f"contains {entries} entr" in listed

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"days": -1}, "The certificate in the Secret of tls.internal has expired"),
            ({"tls.crt": ""}, "has expired, or is none"),
            ({"tls.key": "another"}, "tls.crt and tls.key in the Secret of tls.internal do not belong together"),
            ({"ca.crt": "none"}, "ca.crt in the Secret of tls.internal holds no certificate"),
        ],
    )
    def test_what_does_not_fit_is_a_sentence(
        self, authority: Authority, tmp_path: Path, changes: dict[str, Any], error: str
    ) -> None:
        done = self.stores(tmp_path, unfit(authority, changes))
        assert done.returncode == 1
        assert error in done.stderr

    def test_zookeepers_client_takes_its_key_in_one_format_alone(self, authority: Authority, tmp_path: Path) -> None:
        certificates = authority.issue(["a"])
        argv = ["openssl", "pkey", "-traditional"]
        old = subprocess.run(argv, input=certificates["tls.key"], capture_output=True, text=True, check=True).stdout
        assert "BEGIN RSA PRIVATE KEY" in old
        done = self.stores(tmp_path, {**certificates, "tls.key": old}, parts=["zookeeper"])
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
        store, trusted = (tmp_path / "conf" / f"zookeeper-{kind}store.pem" for kind in ("key", "trust"))
        assert store.read_text() == certificates["tls.key"] + certificates["tls.crt"]
        assert store.stat().st_mode & 0o077 == 0
        assert trusted.read_text() == certificates["ca.crt"]
        assert (tmp_path / "conf" / "config.yaml").read_text() == 'x.y: "1"\n'

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"days": -1}, "The certificate in the Secret of highAvailability.zookeeper.tls has expired"),
            (
                {"tls.key": "another"},
                "tls.crt and tls.key in the Secret of highAvailability.zookeeper.tls do not belong together",
            ),
            ({"tls.key": ""}, "tls.crt and tls.key in the Secret of highAvailability.zookeeper.tls do not belong together"),
        ],
    )
    def test_what_does_not_fit_zookeeper_is_a_sentence(
        self, authority: Authority, tmp_path: Path, changes: dict[str, Any], error: str
    ) -> None:
        done = self.stores(tmp_path, unfit(authority, changes), parts=["zookeeper"])
        assert (done.returncode, error in done.stderr) == (1, True)

    def test_an_image_without_openssl_is_a_sentence(self, authority: Authority, tmp_path: Path) -> None:
        bare = tmp_path / "bin"
        bare.mkdir()
        for program in ("cp", "bash"):
            (bare / program).symlink_to(f"/bin/{program}")
        done = self.stores(tmp_path, authority.issue(["a"]), path=str(bare))
        assert (done.returncode, "The image has no openssl, which tls.internal.enabled needs" in done.stderr) == (1, True)
