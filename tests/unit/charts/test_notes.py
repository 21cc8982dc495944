"""What a user reads after an install: warnings where there is reason, and commands that name what is there."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ci.core.paths import DEMO, FLINK
from harness.helm import Helm
from harness.manifests import Manifests, render
from tests.unit.scenarios import SCENARIOS, Scenario

JOB = {"flink": {"type": "job"}}


def notes(values: dict[str, Any] | None = None) -> str:
    return Helm().notes(FLINK, values)


@pytest.mark.parametrize(
    ("values", "warning"),
    [
        ({"storage": {"enabled": False}}, "storage.enabled is false"),
        ({"taskmanager": {"replicas": 2}}, "all pods have to fit on one node"),
        ({}, "loses the jobs of the session"),
        (JOB, "until it has resumed from its newest checkpoint"),
        ({**JOB, "storage": {"enabled": False}}, "restarts the job from job.fromSavepoint, or from scratch"),
        ({**JOB, "state": {"root": "s3://b/p"}}, "leaves the job down until you name its newest checkpoint"),
        ({"taskmanager": {"affinity": {"nodeAffinity": {}}}}, "taskmanager.affinity replaces the rule"),
        ({"rest": {"service": {"type": "LoadBalancer"}}}, "open to all who reach the LoadBalancer. Whoever does can run code"),
        ({"rest": {"service": {"type": "NodePort"}, "readOnly": True}}, "Whoever does can read its logs and configuration"),
        ({"ingress": {"enabled": True}}, "open to all who reach the Ingress. Whoever does can run code"),
        ({"ingress": {"enabled": True}, "gateway": {"parentRefs": [{"name": "web"}]}}, "reach the Ingress or the Gateway."),
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
    ("values", "address"),
    [
        ({"rest": {"service": {"type": "NodePort", "nodePort": 30081}}}, "port 30081 of each node"),
        ({"ingress": {"enabled": True, "host": "{{ .Release.Name }}.example", "path": "/a/"}}, "http://release-name.example/a/"),
        ({"ingress": {"enabled": True, "host": "f.example", "tlsSecretName": "s"}}, "https://f.example/"),
        (
            {"gateway": {"parentRefs": [{"name": "web"}], "hostnames": ["t.example", "u.example"], "path": "/flink"}},
            "t.example/flink/, u.example/flink/",
        ),
    ],
)
def test_they_say_where_people_open_the_ui(values: dict[str, Any], address: str) -> None:
    assert f"People open the UI at {address}" in notes(values).splitlines()
    assert "People open" not in notes({"ingress": {"enabled": True}})


MOUNTED = {
    "extraVolumes": [{"name": "mine", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "mine", "mountPath": "/mine/"}],
}


@pytest.mark.parametrize(
    ("values", "lacks"),
    [
        ({}, "no Python, which job.python.file needs"),
        ({"image": {"tag": "2.2.1"}}, "no Python"),
        ({"image": {"tag": "latest"}}, "no Python"),
        ({"image": {"registry": "a.example"}}, "no Python"),
        ({"image": {"repository": "a.example/mirror/flink"}}, "no Python"),
        ({"files": {"a.py": ""}, "job": {"python": {"file": "a.py"}}}, "no Python"),
        ({"job": {"jar": {"file": "/opt/flink/usrlib/a.jar"}}}, "no /opt/flink/usrlib/a.jar, which job.jar.file names"),
        ({"job": {"sql": {"file": "local:///a.sql"}}}, "no /a.sql, which job.sql.file names"),
        ({"job": {"jar": {"file": "/minefield/a.jar"}}, "jobmanager": MOUNTED}, "no /minefield/a.jar"),
    ],
)
def test_what_flinks_own_image_lacks_is_said(values: dict[str, Any], lacks: str) -> None:
    (line,) = re.findall(r"^WARNING: Flink's own image.*", notes({**JOB, **values}), re.MULTILINE)
    assert lacks in line
    assert "set image.repository and image.tag to one that" in line


@pytest.mark.parametrize(
    "values",
    [
        {"image": {"repository": "my-job"}},
        {"image": {"repository": "a.example/team/flink", "tag": "1.0"}},
        {"image": {"digest": f"sha256:{'0' * 64}"}},
        {"job": {"jar": {"file": "/opt/flink/examples/streaming/WordCount.jar"}}},
        {"job": {"jar": {"file": "/flink-data/a.jar"}}},
        {"job": {"jar": {"file": "/mine/a.jar"}}, "jobmanager": MOUNTED},
        {"job": {"jar": {"file": "https://example.com/a.jar", "sha256": "0" * 64}}},
        {"job": {"jar": {"entryClass": "a.B"}}},
        {"files": {"a.sql": ""}, "job": {"sql": {"file": "a.sql"}}},
        {"flink": {"type": "session"}},
    ],
)
def test_nothing_is_said_of_what_may_be_there(values: dict[str, Any]) -> None:
    assert "Flink's own image" not in notes({**JOB, **values})


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
    assert "flink: 1 TaskManager with 2 slots each." in notes()
    assert "flink: 3 TaskManagers with 1 slot each." in notes({"taskmanager": {"replicas": 3, "slots": 1}})
    assert "Flink makes TaskManagers with 2 slots each as jobs need them." in notes({"flink": {"mode": "native"}})
    limited = notes({"flink": {"mode": "native"}, "native": {"maxTaskManagers": 3}})
    assert "Flink makes TaskManagers, up to 3, with 2 slots each as jobs need them." in limited


def test_where_checkpoints_are_stored() -> None:
    assert "Checkpoints are stored in file:///flink-data/release-name-flink/checkpoints." in notes()
    assert "Checkpoints are stored in s3://b/p/default/release-name-flink/checkpoints." in notes({"state": {"root": "s3://b/p"}})
    assert "WARNING: storage" not in notes({"state": {"root": "s3://b/p"}, "storage": {"enabled": False}})
    assert "Checkpoints are stored" not in notes({"storage": {"enabled": False}})


def test_of_a_suspended_job_nothing_is_offered_that_needs_its_pods() -> None:
    text = notes({**JOB, "job": {"state": "suspended"}})
    assert "job.state=running resumes it" in text
    assert re.findall(r"kubectl .*? default (\S+ \S+)", text) == ["get configmap"]


@pytest.mark.parametrize(("mode", "warned"), [("stateless", True), ("last-state", False), ("", False)])
def test_a_mode_that_stays_in_the_values_is_told(mode: str, warned: bool) -> None:
    assert ("--set job.upgradeMode=null" in notes({**JOB, "job": {"upgradeMode": mode}})) is warned


def there(manifests: Manifests) -> set[str]:
    names = {f"{kind.lower()}/{name}" for kind, name in manifests.census()}
    for deployment in manifests.by("FlinkDeployment"):  # what the operator makes of it
        name = deployment["metadata"]["name"]
        names |= {f"deployment/{name}", f"service/{name}-rest"}
    return names


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
