"""session.jobs on a real cluster: what the release submits, replaces, stops, and leaves alone."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

import pytest
import yaml

from ci.core.paths import FLINK, VALUES
from harness.cluster import Cluster
from harness.helm import Helm, HelmError
from harness.release import FlinkRelease
from harness.rest import is_savepoint
from harness_kdv.tools import tools
from tests.kind.installs import NEW, Install, matrix


def record(flink: FlinkRelease, name: str) -> dict[str, str]:
    data = flink.cluster.core.read_namespaced_config_map(f"{flink.name}-flink-record", flink.namespace).data
    entry: dict[str, str] = json.loads(data[name])
    return entry


def running(flink: FlinkRelease, *names: str) -> dict[str, str]:
    """{name: Flink's id} of jobs that all run, and no other does."""
    ids = {name: record(flink, name)["job"] for name in names}
    for job in ids.values():
        flink.rest.wait_running(job)
    assert {job["jid"] for job in flink.rest.jobs() if job["state"] == "RUNNING"} == set(ids.values())
    return ids


def restored(flink: FlinkRelease, job: str) -> str:
    latest: dict[str, Any] = flink.rest.checkpoints(job)["latest"]["restored"]
    assert is_savepoint(latest)
    return str(latest["external_path"])


@matrix(("helm", NEW))
def test_a_list_of_jobs_over_helm_operations(install: Install, helm: Helm, namespace: str, version: str) -> None:
    name = f"list-{version[0]}"
    values: dict[str, Any] = yaml.safe_load((VALUES / "session-jobs.yaml").read_text())
    values["image"]["tag"] = values["flink"]["version"] = version
    flink = install(name, values=values)
    first = running(flink, "speeds", "digits", "words")

    # What concerns no job, and one job: another argument.
    changed = copy.deepcopy(values)
    changed["commonLabels"] = {"team": "veri"}
    helm.upgrade(name, FLINK, changed, namespace=namespace)
    assert running(flink, "speeds", "digits", "words") == first
    changed["session"]["jobs"][1]["args"] = ["--rate=50"]
    helm.upgrade(name, FLINK, changed, namespace=namespace)
    second = running(flink, "speeds", "digits", "words")
    assert {job for job in first if first[job] != second[job]} == {"digits"}
    assert f"/savepoints/{first['digits']}/stop/" in restored(flink, second["digits"])

    # One leaves the list.
    without = copy.deepcopy(changed)
    del without["session"]["jobs"][0]
    helm.upgrade(name, FLINK, without, namespace=namespace)
    assert running(flink, "digits", "words") == {job: second[job] for job in ("digits", "words")}
    assert flink.rest.job(second["speeds"])["state"] == "FINISHED"

    # Another JobManager knows nothing of the jobs of the last one.
    replaced = copy.deepcopy(without)
    replaced["jobmanager"] = {"extraEnv": [{"name": "WHO", "value": "another"}]}
    helm.upgrade(name, FLINK, replaced, namespace=namespace)
    third = running(flink, "digits", "words")
    for job in third:
        assert f"/savepoints/{second[job]}/stop/" in restored(flink, third[job])

    # Back to the revision with all three, in which nothing is replaced but the JobManager.
    helm.rollback(name, 3, namespace=namespace)
    fourth = running(flink, "speeds", "digits", "words")
    assert f"/savepoints/{second['speeds']}/stop/" in restored(flink, fourth["speeds"])
    assert f"/savepoints/{third['words']}/stop/" in restored(flink, fourth["words"])


def test_a_file_from_a_url_is_taken_only_with_its_sum(install: Install, helm: Helm, cluster: Cluster, namespace: str) -> None:
    values: dict[str, Any] = yaml.safe_load((VALUES / "session-jobs.yaml").read_text())
    content = values.pop("files")["digits.py"]
    url = tools(cluster, namespace).file_server("digits.py", content)
    python = {"file": url, "sha256": hashlib.sha256(content.encode()).hexdigest()}
    values["session"]["jobs"] = [{"name": "digits", "python": python}]
    flink = install("fetched", values=values)
    first = running(flink, "digits")

    python["sha256"] = "0" * 64
    with pytest.raises(HelmError, match="is another file than the one that was asked for"):
        helm.upgrade("fetched", FLINK, values, namespace=namespace)
    assert running(flink, "digits") == first


def test_a_job_that_cannot_be_submitted_fails_the_release_with_its_reason(install: Install, helm: Helm, namespace: str) -> None:
    flink = install("unwilling")
    jobs = [{"name": "nowhere", "sql": {"file": "nowhere.sql"}}]
    values = {"session": {"jobs": jobs}, "files": {"nowhere.sql": "INSERT INTO nowhere SELECT 1;"}}
    with pytest.raises(HelmError) as caught:
        helm.upgrade("unwilling", FLINK, values, namespace=namespace)
    assert "Job nowhere: It could not be submitted" in str(caught.value)
    assert "Cannot find table" in str(caught.value)
    assert flink.rest.jobs() == []
