"""session.jobs: which jobs the hooks submit, stop, replace and leave alone."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.manifests import Manifests, containers, pod_template, render
from tests.unit import test_charts_hooks
from tests.unit.fakes import FakeFiles, merge, serving
from tests.unit.scenarios import FLINK, JOBS
from tests.unit.test_charts_hooks import OLD, Hooks

hooks = test_charts_hooks.hooks
CLIENT = FLINK / "files" / "client.sh"


def entry(name: str, specification: str = "s1", **more: Any) -> dict[str, Any]:
    return {
        "name": name, "specification": specification, "sql": "", "program": ["/a.jar"], "options": {}, "fromSavepoint": "",
        "allowNonRestoredState": False, "file": "/a.jar", "download": {}, **more,
    }  # fmt: skip


class Session:
    """A session cluster of the specification `a`, whose client submits to the fake Flink what the hooks ask for."""

    def __init__(self, hooks: Hooks, monkeypatch: pytest.MonkeyPatch, exchange: Path) -> None:
        self.hooks, self.flink = hooks, hooks.flink
        self.flink.jobs.clear()
        self.flink.checkpoints.clear()
        self.commands: list[list[str]] = []
        self.fails = ""
        status = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1}
        self.jobmanager: dict[str, Any] = {
            "metadata": {"name": "jm", "generation": 1, "annotations": {"flink/specification": "a"}},
            "spec": {"replicas": 1},
            "status": status,
        }
        hooks.kubernetes.deployments["jm"] = self.jobmanager
        hooks.kubernetes.config_maps["record"] = {"data": {}}
        hooks.wanted.update(specification="a", claim="")
        self._module = hooks.modules["session"]
        monkeypatch.setattr(self._module, "EXCHANGE", exchange)
        monkeypatch.setattr(self._module.Client, "run", lambda _, name, words: self._run(words))
        monkeypatch.setattr(self._module.Job, "look", lambda job, patience: job.status())

    def _run(self, words: list[str]) -> tuple[int, str]:
        self.commands.append(words)
        if self.fails:
            return 1, self.fails
        options = dict(word[2:].split("=", 1) for word in words if word.startswith("-D"))
        start = options.get("execution.state-recovery.path")
        restored = {"id": 1, "external_path": start} if start else None
        self.flink.run(options["$internal.pipeline.job-id"], restored=restored)
        return 0, ""

    def upgrade(self, *entries: dict[str, Any], back: bool = False, **wanted: Any) -> list[list[str]]:
        """What was submitted by an upgrade, or a rollback, to these jobs."""
        self.commands.clear()
        self.hooks("session-back" if back else "session", jobs=list(entries), **wanted)
        if "specification" in wanted:  # another JobManager
            merge(self.jobmanager, {"metadata": {"annotations": {"flink/specification": wanted["specification"]}}})
            self.flink.jobs.clear()
        self.hooks("submit-back" if back else "submit", jobs=list(entries), **wanted)
        return list(self.commands)

    def record(self, name: str) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.hooks.kubernetes.config_maps["record"]["data"][name])
        return found

    @property
    def alive(self) -> list[str]:
        return [job for job, found in self.flink.jobs.items() if found["state"] == "RUNNING"]


@pytest.fixture
def session(hooks: Hooks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Session:
    return Session(hooks, monkeypatch, tmp_path)


def savepoint(words: list[str]) -> str:
    return words[words.index("--fromSavepoint") + 1] if "--fromSavepoint" in words else ""


def test_a_job_is_submitted_once(session: Session) -> None:
    (command,) = session.upgrade(entry("a", options={"pipeline.name": "a"}))
    job = session.record("a")["job"]
    assert command == ["flink", "run", "--detached", "-Dpipeline.name=a", f"-D$internal.pipeline.job-id={job}", "/a.jar"]
    assert session.upgrade(entry("a")) == []
    assert session.alive == [job]
    assert session.record("a")["confirmed"] == "1"


def test_a_changed_job_goes_on_from_its_savepoint_and_the_others_run_on(session: Session) -> None:
    session.upgrade(entry("a"), entry("b"))
    first, other = session.record("a")["job"], session.record("b")["job"]
    (command,) = session.upgrade(entry("a", "s2"), entry("b"))
    assert savepoint(command).startswith(f"file:///data/savepoints/{first}/stop/")
    assert session.flink.jobs[first]["state"] == "FINISHED"
    assert session.alive == [other, session.record("a")["job"]]


def test_what_leaves_the_list_is_stopped_and_comes_back_from_there(session: Session) -> None:
    session.upgrade(entry("a"))
    first = session.record("a")["job"]
    assert session.upgrade() == []
    assert session.alive == []
    assert session.record("a")["state"] == "stopped"
    (command,) = session.upgrade(entry("a"), back=True)
    assert f"/{first}/stop/" in savepoint(command)


def test_another_jobmanager_gets_all_jobs_again_from_their_savepoints(session: Session) -> None:
    session.upgrade(entry("a"))
    first = session.record("a")["job"]
    (command,) = session.upgrade(entry("a"), specification="b")
    assert f"/{first}/stop/" in savepoint(command)
    # High availability brings them back by itself.
    session.hooks("session", jobs=[entry("a")], specification="c", remembers=True)
    assert len(session.alive) == 1


def test_jobs_of_others_are_not_lost_in_silence(session: Session) -> None:
    session.upgrade(entry("a"))
    session.flink.run(OLD)
    said = session.hooks.refused("session", jobs=[entry("a")], specification="b")
    assert "these jobs would be lost: job." in said
    assert "highAvailability.type=kubernetes" in said
    assert len(session.alive) == 2
    session.hooks("session", jobs=[entry("a")])
    session.flink.jobs[OLD]["state"] = "FINISHED"
    session.hooks("session", jobs=[entry("a")], specification="b")


def test_a_savepoint_that_fails_leaves_its_job_and_names_those_that_were_stopped(session: Session) -> None:
    session.upgrade(entry("a"), entry("b"))
    second = session.record("b")["job"]
    session.flink.run(second, tasks="SCHEDULED")
    said = session.hooks.refused("session", jobs=[])
    assert said.startswith("Job b: No savepoint can be taken")
    assert "cancel it with `flink cancel`" in said
    assert "Stopped already: a." in said
    assert session.alive == [second]
    # The revision before has both again.
    session.flink.run(second)
    assert [savepoint(command) != "" for command in session.upgrade(entry("a"), entry("b"), back=True)] == [True]
    assert len(session.alive) == 2


def test_a_job_that_finished_is_not_run_again_until_it_changes(session: Session) -> None:
    session.upgrade(entry("a"))
    session.flink.jobs[session.record("a")["job"]]["state"] = "FINISHED"
    assert session.upgrade(entry("a")) == []
    assert session.upgrade(entry("a"), specification="b") == []
    (command,) = session.upgrade(entry("a", "s2"), specification="b")
    assert savepoint(command) == ""


@pytest.mark.parametrize("state", ["FAILED", "CANCELED"])
def test_a_job_that_ended_otherwise_goes_on_from_its_newest_checkpoint(session: Session, state: str) -> None:
    session.upgrade(entry("a"))
    first = session.record("a")["job"]
    session.flink.checkpoint(first, 7, f"file:/data/checkpoints/{first}/chk-7")
    session.flink.jobs[first]["state"] = state
    (command,) = session.upgrade(entry("a"))
    assert savepoint(command) == f"file:/data/checkpoints/{first}/chk-7"


def test_a_job_that_the_jobmanager_forgot(session: Session, tmp_path: Path) -> None:
    session.upgrade(entry("a"))
    first = session.record("a")["job"]
    session.flink.jobs.clear()
    said = session.hooks.refused("submit", jobs=[entry("a")])
    assert "its newest checkpoint is not known" in said
    for number in (3, 4):
        file = tmp_path / "checkpoints" / first / f"chk-{number}" / "_metadata"
        file.parent.mkdir(parents=True)
        file.touch()
        os.utime(file, (number, number))
    (command,) = session.upgrade(entry("a"), claim=str(tmp_path))
    assert savepoint(command) == f"file:{tmp_path}/checkpoints/{first}/chk-4"


def test_a_submission_whose_answer_was_lost_is_found_under_its_id(session: Session) -> None:
    session.fails = "Caused by: java.io.IOException: no answer"
    said = session.hooks.refused("submit", jobs=[entry("a")])
    assert said == "Job a could not be submitted: Caused by: java.io.IOException: no answer"
    session.flink.run(session.record("a")["job"])
    session.fails = ""
    assert session.upgrade(entry("a")) == []


def test_the_users_savepoint_wins(session: Session) -> None:
    (command,) = session.upgrade(entry("a", fromSavepoint="s3://b/s", allowNonRestoredState=True))
    assert savepoint(command) == "s3://b/s"
    assert "--allowNonRestoredState" in command
    (command,) = session.upgrade(entry("a", "s2", fromSavepoint="s3://b/s"))
    assert "/stop/" in savepoint(command)


def test_sql_goes_through_the_sql_client(session: Session) -> None:
    (command,) = session.upgrade(entry("a", sql="/a.sql", fromSavepoint="s3://b/s"))
    assert command[0] == "sql-client.sh"
    assert command[-2:] == ["-f", "/a.sql"]
    assert "-Dexecution.state-recovery.path=s3://b/s" in command
    assert "-Dexecution.state-recovery.ignore-unclaimed-state=false" in command


def test_what_the_sql_client_says_is_what_went_wrong(session: Session) -> None:
    """Its exit code is 0 in any case."""
    coloured = "ok\n\x1b[31;1m[ERROR] Could not execute SQL statement. Reason:\norg.a.X: no such table\x1b[0m\n\nShutting down\n"
    assert session.hooks.modules["session"].cause(coloured).endswith("Reason: org.a.X: no such table")


def test_a_job_without_slots_fails_the_release(session: Session) -> None:
    session.upgrade(entry("a"))
    session.flink.run(session.record("a")["job"], tasks="SCHEDULED")
    data = session.hooks.kubernetes.config_maps["record"]["data"]
    data["a"] = json.dumps({**session.record("a"), "confirmed": "0"})
    said = session.hooks.refused("submit", jobs=[entry("a")], timeoutSeconds=1)
    assert said.startswith("Job a: ")
    assert "0 of 2 slots are free." in said


def test_a_jobmanager_that_is_about_to_be_replaced_gets_no_job(session: Session) -> None:
    session.jobmanager["metadata"]["generation"] = 2
    assert "The JobManager is not ready" in session.hooks.refused("submit", jobs=[entry("a")], timeoutSeconds=1)
    assert session.commands == []


@pytest.fixture
def served() -> Iterator[dict[str, str]]:
    """A file that a server of this machine has: its url and sha256."""
    with serving(FakeFiles({"/a.jar": "a jar"})) as url:
        yield {"url": f"{url}/a.jar", "sha256": hashlib.sha256(b"a jar").hexdigest()}


def test_a_file_from_a_url_lies_where_the_client_looks_for_it(session: Session, served: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "files" / "a" / "a.jar"
    assert len(session.upgrade(entry("a", file=str(file), download=served))) == 1
    assert file.read_bytes() == b"a jar"


@pytest.mark.parametrize(("wrong", "said"), [("sha256", "is another file"), ("url", "could not be read")])
def test_a_file_that_cannot_be_had_stops_nothing(session: Session, served: dict[str, str], wrong: str, said: str) -> None:
    session.upgrade(entry("a"))
    job = session.record("a")["job"]
    changed = entry("a", "s2", download={**served, wrong: {"sha256": "0" * 64, "url": f"{served['url']}.old"}[wrong]})
    assert said in session.hooks.refused("session", jobs=[changed])
    assert session.alive == [job]
    # A rollback stops what it has to, and says so only when it comes to the file.
    session.hooks("session-back", jobs=[changed])
    assert said in session.hooks.refused("submit-back", jobs=[changed])


def test_the_client_runs_words_as_they_are_and_ends_when_told(tmp_path: Path) -> None:
    words = ["bash", "-c", 'printf "%s|" "$@"; exit 3', "-", "a b", "$HOME", "*", ""]
    (tmp_path / "x.in").write_bytes(b"".join(word.encode() + b"\0" for word in words))
    process = subprocess.Popen(["bash", CLIENT, tmp_path])
    code = tmp_path / "x.code"
    while not code.exists():
        assert process.poll() is None
    assert code.read_text() == "3\n"
    assert (tmp_path / "x.out").read_text() == "a b|$HOME|*||"
    (tmp_path / "end").touch()
    assert process.wait(10) == 0


def entries(manifests: Manifests) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(manifests.one("ConfigMap", "r-flink-hooks")["data"]["release.json"])["jobs"]
    return found


def test_the_list_as_the_hooks_read_it() -> None:
    speeds, words, rows = entries(render(FLINK, JOBS, name="r"))
    assert speeds["program"] == ["--class", "a.B", "/a.jar", "--who=r", "7"]
    assert words["program"] == ["--python", "/opt/flink/files/words.py", "--"]
    assert words["options"] == {
        "pipeline.name": "words",
        "parallelism.default": "2",
        "high-availability.type": "NONE",
        "execution.checkpointing.timeout": "220 s",
    }
    assert rows["sql"] == "/opt/flink/files/rows.sql"


def test_a_url_is_fetched_into_the_folder_that_the_hook_and_the_client_share() -> None:
    job = {"name": "a", "python": {"file": "https://example.com/b/c.py?v=1", "sha256": "0" * 64}}
    (found,) = entries(render(FLINK, {"session": {"jobs": [job]}}, name="r"))
    assert found["download"] == {"url": "https://example.com/b/c.py?v=1", "sha256": "0" * 64}
    assert found["file"] == "/exchange/files/a/c.py"
    assert found["program"] == ["--python", "/exchange/files/a/c.py", "--"]


def test_a_job_is_another_one_when_its_own_file_changes() -> None:
    before = entries(render(FLINK, JOBS, name="r"))
    after = entries(render(FLINK, {**JOBS, "files": {**JOBS["files"], "words.py": "1\n"}}, name="r"))
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True]


def test_programs_of_users_do_not_see_the_token() -> None:
    submitter = render(FLINK, JOBS, name="r").one("Job", "r-flink-post-install")
    mounted = {name: {m["name"] for m in found["volumeMounts"]} for name, found in containers(submitter).items()}
    assert "token" in mounted["submit"]
    assert "token" not in mounted["submitter"]
    assert pod_template(submitter)["spec"]["automountServiceAccountToken"] is False


def test_the_files_of_a_job_cluster_are_part_of_its_job() -> None:
    def jobmanager(content: str) -> Any:
        values = {"flink": {"type": "job"}, "job": {"python": {"file": "a.py"}}, "files": {"a.py": content}}
        return render(FLINK, values, name="r").one("Deployment", "r-flink-jobmanager")

    one, other = jobmanager("1\n"), jobmanager("2\n")
    assert "/opt/flink/files/a.py" in containers(one)["jobmanager"]["args"]
    assert one["metadata"]["annotations"] != other["metadata"]["annotations"]
