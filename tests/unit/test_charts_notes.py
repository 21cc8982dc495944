"""What a user reads after an install: warnings where there is reason, and commands that name what is there."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.helm import Helm
from tests.support.manifests import Manifests, render
from tests.unit.scenarios import DEMO, FLINK, SCENARIOS, Scenario

JOB = {"flink": {"type": "job"}}


def notes(values: dict[str, Any] | None = None) -> str:
    return Helm().notes(FLINK, values)


@pytest.mark.parametrize(
    ("values", "warning"),
    [
        ({"storage": {"enabled": False}}, "storage.enabled is false"),
        ({"taskmanager": {"replicas": 2}}, "all pods have to fit on one node"),
        ({}, "loses the jobs of the session"),
        (JOB, "gone on from its newest checkpoint"),
        ({**JOB, "storage": {"enabled": False}}, "starts the job anew"),
        ({**JOB, "state": {"root": "s3://b/p"}}, "leaves the job down until you name its newest checkpoint"),
        ({"taskmanager": {"affinity": {"nodeAffinity": {}}}}, "taskmanager.affinity replaces the rule"),
        ({"rest": {"service": {"type": "LoadBalancer"}}}, "open to all who reach the LoadBalancer"),
    ],
)
def test_each_warning_comes_first_and_only_with_a_reason(values: dict[str, Any], warning: str) -> None:
    text = notes(values)
    assert re.search(rf"^WARNING: .*{re.escape(warning)}", text, re.MULTILINE)
    assert "WARNING" not in text.partition("\n\n")[2]
    safe = {
        "highAvailability": {"type": "kubernetes"},
        "storage": {"accessModes": ["ReadWriteMany"]},
        "taskmanager": {"replicas": 2},
    }
    assert "WARNING" not in notes(safe)


@pytest.mark.parametrize(
    ("values", "command", "other"),
    [({}, "flink run --detached", "flink list --all"), (JOB, "flink list --all", "flink run --detached")],
)
def test_the_commands_are_those_of_the_mode(values: dict[str, Any], command: str, other: str) -> None:
    text = notes(values)
    assert command in text
    assert other not in text
    assert text.count("kubectl ") == (3 if values == {} else 5)


def test_who_makes_the_taskmanagers() -> None:
    assert "flink: 1 TaskManagers with 2 slots each." in notes()
    assert "Flink makes TaskManagers with 2 slots each as jobs need them." in notes({"flink": {"mode": "native"}})
    limited = notes({"flink": {"mode": "native"}, "native": {"maxTaskManagers": 3}})
    assert "Flink makes TaskManagers, up to 3, with 2 slots each as jobs need them." in limited


def test_where_checkpoints_lie() -> None:
    assert "Checkpoints lie in file:///flink-data/release-name-flink/checkpoints." in notes()
    assert "Checkpoints lie in s3://b/p/default/release-name-flink/checkpoints." in notes({"state": {"root": "s3://b/p"}})
    assert "WARNING: storage" not in notes({"state": {"root": "s3://b/p"}, "storage": {"enabled": False}})
    assert "Checkpoints lie" not in notes({"storage": {"enabled": False}})


def test_a_suspended_job_is_said_to_be_so() -> None:
    assert "job.state=running lets it go on" in notes({**JOB, "job": {"state": "suspended"}})


def there(manifests: Manifests) -> set[str]:
    return {f"{kind.lower()}/{name}" for kind, name in manifests.census()}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_commands_name_objects_of_the_release(scenario: Scenario) -> None:
    text = Helm().notes(scenario.chart, scenario.values, files=scenario.files)
    named = set(re.findall(r"\b(?:service|deployment|statefulset|cronjob)/[-a-z0-9]+", text))
    assert named
    assert named <= there(scenario.render())
    assert all("--namespace default" in line for line in text.splitlines() if "kubectl" in line)


def test_the_demo_tells_how_to_read_the_csv_where_the_job_writes_it() -> None:
    values = {"flink": {"storage": {"mountPath": "/state"}}}
    assert "/state/output/part-*" in Helm().notes(DEMO, values)
    jobmanager = render(DEMO, values).one("Deployment", "release-name-flink-jobmanager")
    assert "--output=file:///state/output" in str(jobmanager)
