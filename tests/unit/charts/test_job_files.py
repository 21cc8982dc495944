"""The file of a job: in the image, in the values, or fetched from a URL; and its arguments."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ci.core.paths import FLINK
from harness.helm import Helm, merged
from harness.manifests import containers, env, pod_template, render
from tests.unit.charts.releases import refused
from tests.unit.fakes import FakeFiles, serving
from tests.unit.scenarios import JOBS

SUM = "0" * 64
JAR, PYTHON = "https://example.com/x/a.jar?v=1", "https://example.com/job.py"


def job(**values: Any) -> dict[str, Any]:
    return {"flink": {"type": "job"}, "job": values}


def jobmanager(values: dict[str, Any]) -> dict[str, Any]:
    manifests = render(FLINK, values, name="r")
    name = "r-flink" if values["flink"].get("mode") == "native" else "r-flink-jobmanager"
    return manifests.one("Deployment", name)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"jar": {"file": "local:///opt/a.jar"}}, "--jars=local:///opt/a.jar"),
        ({"python": {"file": "local:///opt/flink/usrlib/a.py"}}, "/opt/flink/usrlib/a.py"),
        ({"jar": {"file": JAR, "sha256": SUM}}, "--jars=local:///opt/flink/artifact/a.jar"),
        ({"python": {"file": PYTHON, "sha256": SUM}}, "/opt/flink/artifact/job.py"),
        ({"sql": {"file": "https://example.com/a.sql", "sha256": SUM}}, "file:///opt/flink/artifact/a.sql"),
    ],
)
def test_the_job_is_started_from_where_its_file_is(values: dict[str, Any], word: str) -> None:
    assert word in containers(jobmanager(job(**values)))["jobmanager"]["args"]


@pytest.mark.parametrize("more", [{}, {"flink": {"mode": "native"}}, {"hooks": {"enabled": False}}, {"hooks": {"image": "py:3"}}])
def test_a_url_is_fetched_before_the_jobmanager_starts(more: dict[str, Any]) -> None:
    workload = jobmanager(merged(job(jar={"file": JAR, "sha256": SUM}), more))
    pod_containers = containers(workload)
    fetcher, main = pod_containers["download"], pod_containers["jobmanager"]
    assert fetcher["image"] == more.get("hooks", {}).get("image", "python:3.11-slim-bookworm")
    assert fetcher["command"][-3:] == [JAR, SUM, "/opt/flink/artifact/a.jar"]
    shared = {mount["mountPath"]: mount["name"] for mount in main["volumeMounts"]}
    assert shared["/opt/flink/artifact"] == "artifact"
    assert {"name": "artifact", "emptyDir": {}} in pod_template(workload)["spec"]["volumes"]


def test_another_file_is_another_job() -> None:
    seen = {
        jobmanager(job(python={"file": file, "sha256": sha}))["metadata"]["annotations"]["flink/specification"]
        for file, sha in ((PYTHON, SUM), (PYTHON, "1" * 64), (PYTHON.replace("job", "other"), SUM))
    }
    assert len(seen) == 3


def test_the_fetcher_finds_the_code_of_the_hooks(tmp_path: Path) -> None:
    manifests = render(FLINK, job(python={"file": PYTHON, "sha256": SUM}), name="r")
    fetcher = containers(manifests.one("Deployment", "r-flink-jobmanager"))["download"]
    (mount,) = [mount for mount in fetcher["volumeMounts"] if mount["mountPath"] == "/hooks"]
    assert mount["name"] == "scripts"
    (tmp_path / "hooks").mkdir()
    for name, text in manifests.one("ConfigMap", "r-flink-scripts")["data"].items():
        (tmp_path / "hooks" / name).write_text(text)
    target = tmp_path / "new" / "job.py"
    assert fetcher["command"][:4] == ["python3", "-B", "-m", "hooks.download"]
    with serving(FakeFiles({"/job.py": "pass"})) as url:
        for digest, code in ((hashlib.sha256(b"pass").hexdigest(), 0), (SUM, 1)):
            argv = [sys.executable, *fetcher["command"][1:4], f"{url}/job.py", digest, str(target)]
            done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True)
            assert done.returncode == code, done.stderr
    assert target.read_text() == "pass"
    assert "is another file than the one that was asked for" in done.stderr


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/a.jar?{}", "http://127.0.0.1:1/a b?{}", "nothing://h/a?{}", "{}/none.jar?{}"]
)
def test_what_was_not_fetched_is_named_without_its_query(url: str, tmp_path: Path) -> None:
    """It may be a signature, and many read logs."""
    with serving(FakeFiles({"/a.jar": "pass"})) as files:
        for asked in (url.replace("{}", files, 1) if url.startswith("{}") else url, f"{files}/a.jar?{{}}"):
            argv = [sys.executable, "-B", "-m", "hooks.download", asked.format("sig=geheim"), SUM, str(tmp_path / "a")]
            done = subprocess.run(argv, cwd=FLINK / "files", capture_output=True, text=True)
            assert done.returncode == 1
            assert asked.partition("?")[0] in done.stderr
            assert "geheim" not in done.stderr


def test_names_of_files_may_be_templates() -> None:
    values = {"global": {"v": "7"}}
    file = "https://example.com/{{ .Values.global.v }}/a.jar"
    workload = jobmanager(merged(values, job(jar={"file": file, "sha256": SUM})))
    assert containers(workload)["download"]["command"][-3] == "https://example.com/7/a.jar"
    for kind in ("jar", "python", "sql"):
        in_the_image = job(**{kind: {"file": f"/opt/{{{{ .Values.global.v }}}}.{kind}"}})
        assert f"/opt/7.{kind}" in str(containers(jobmanager(merged(values, in_the_image)))["jobmanager"]["args"])
    session = {"session": {"jobs": [{"name": "a", "jar": {"file": file, "sha256": SUM}}]}}
    manifests = render(FLINK, merged(values, session), name="r")
    (data,) = [obj["data"] for obj in manifests.by("ConfigMap", "r-flink-hooks")]
    (session_job,) = json.loads(data["wanted.json"])["jobs"]
    assert session_job["program"]["url"] == "https://example.com/7/a.jar"


def test_names_of_secrets_and_configmaps_may_be_templates() -> None:
    secret = {"name": "a.password", "secretKeyRef": {"name": "{{ .Release.Name }}-options", "key": "k"}}
    state = {"s3": {"credentialsSecret": "{{ .Release.Name }}-s3"}, "hdfs": {"configMap": "{{ .Release.Name }}-hadoop"}}
    pod = str(pod_template(jobmanager(merged(job(), {"flink": {"configFrom": [secret]}, "state": state}))))
    assert [f"'name': 'r-{name}'" in pod for name in ("options", "s3", "hadoop")] == [True] * 3
    assert "{{" not in pod


def test_without_a_url_nothing_of_this_is_rendered() -> None:
    manifests = render(FLINK, job(), name="r")
    assert "download.py" not in manifests.one("ConfigMap", "r-flink-scripts")["data"]
    assert "artifact" not in str(manifests.one("Deployment", "r-flink-jobmanager"))


def test_the_hooks_are_told_the_file() -> None:
    def download(values: dict[str, Any]) -> Any:
        (data,) = [obj["data"] for obj in render(FLINK, values, name="r").by("ConfigMap", "r-flink-hooks")]
        return json.loads(data["wanted.json"])["download"]

    assert download(job(jar={"file": JAR, "sha256": SUM})) == {"url": JAR, "sha256": SUM}
    assert download(job()) is None
    assert download(JOBS) is None


@pytest.mark.parametrize(
    ("values", "wrong", "remedy"),
    [
        (job(jar={"file": JAR}), "job.jar.file is fetched from a URL", "job.jar.sha256"),
        (job(python={"file": PYTHON, "sha256": "A"}), "job.python.file is fetched from a URL", "64 hexadecimal digits"),
        (job(jar={"file": "s3://b/a.jar", "sha256": SUM}), 'job.jar.file has the URL "s3://b/a.jar"', "one of http or https"),
        (job(jar={"file": "https://example.com/", "sha256": SUM}), "job.jar.file has the URL", "the name of a file"),
        *(
            (values, f"{who} has a URL with a user or a password", "put it into the image or on the claim")
            for url in ("https://me:geheim@example.com/a.jar", "s3://geheim@b/a.jar")
            for who, values in (
                ("job.jar.file", job(jar={"file": url, "sha256": SUM})),
                ("session.jobs: a", {"session": {"jobs": [{"name": "a", "jar": {"file": url, "sha256": SUM}}]}}),
            )
        ),
        (job(jar={"file": "/a.jar", "sha256": SUM}), "job.jar.file has a sha256, but its file is no URL", "leave it out"),
        (job(jar={"file": "local://a.jar"}), 'job.jar.file is "local://a.jar"', "an absolute path in the image"),
        (
            merged(
                job(jar={"file": JAR, "sha256": SUM}), {"jobmanager": {"extraVolumes": [{"name": "artifact", "emptyDir": {}}]}}
            ),
            "jobmanager.extraVolumes has artifact",
            "another name",
        ),
        ({"storage": {"mountPath": "/opt/flink/artifact"}}, "storage.mountPath is /opt/flink/artifact", "/flink-data"),
    ],
)
def test_refusals(values: dict[str, Any], wrong: str, remedy: str) -> None:
    sentence = refused(values)
    assert wrong in sentence
    assert remedy in sentence
    assert "geheim" not in sentence


def test_a_session_takes_a_path_of_the_image_as_flink_writes_it() -> None:
    manifests = render(FLINK, {"session": {"jobs": [{"name": "a", "jar": {"file": "local:///opt/a.jar"}}]}}, name="r")
    (data,) = [obj["data"] for obj in manifests.by("ConfigMap", "r-flink-hooks")]
    (session_job,) = json.loads(data["wanted.json"])["jobs"]
    assert session_job["program"]["argv"] == ["/opt/a.jar"]


def test_the_hooks_are_told_of_the_jobs_of_a_session_and_those_of_the_next_revision_too() -> None:
    """What ends a job follows from the directories alone, so that one without them is refused; all names are known later."""
    jar = {"file": "/opt/a.jar"}
    jobs = [{"name": "a", "jar": jar}, {"name": "b", "jar": jar, "fromSavepoint": "s3://b/s"}]
    manifests = render(FLINK, {"session": {"jobs": jobs}, "storage": {"enabled": False}}, name="r")
    (data,) = [obj["data"] for obj in manifests.by("ConfigMap", "r-flink-hooks")]
    assert [job["upgrade_mode"] for job in json.loads(data["wanted.json"])["jobs"]] == ["", ""]
    live = manifests.one("Deployment", "r-flink-jobmanager")["metadata"]["annotations"]
    assert json.loads(live["flink/jobs"]) == {"a": "", "b": "s3://b/s"}


PASSWORD = {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "mine", "key": "k"}}}


class TestVariablesInArguments:
    def test_the_submitter_has_those_of_the_jobmanager(self) -> None:
        values = merged(JOBS, {"jobmanager": {"extraEnv": [PASSWORD]}})
        (submitter,) = [job for job in render(FLINK, values, name="r").by("Job") if job["metadata"]["name"] == "r-flink-after"]
        pod_containers = containers(submitter)
        assert env(pod_containers["submitter"])["PASSWORD"] == PASSWORD["valueFrom"]
        assert "PASSWORD" not in env(pod_containers["after"])

    @pytest.mark.parametrize(
        ("args", "mode", "warns"),
        [
            (["--password=$(PASSWORD)"], "standalone", False),
            (["--password", "$(PASSWORD)"], "standalone", True),
            (["--password=$(PASSWORD)"], "native", True),
            (["--password", "$(OTHER)", "$(NAME)"], "standalone", False),
        ],
    )
    def test_the_notes_say_where_flink_itself_writes_a_secret_into_its_log(self, args: list[str], mode: str, warns: bool) -> None:
        extra = [PASSWORD, {"name": "NAME", "value": "x"}]
        values = {"flink": {"type": "job", "mode": mode}, "job": {"args": args}, "jobmanager": {"extraEnv": extra}}
        warning = "WARNING: Flink writes $(PASSWORD) of job.args, which is a secret, into its log"
        assert (warning in Helm().notes(FLINK, values)) is warns
