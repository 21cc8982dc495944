"""Every kind of pod takes the same values, and the small ones follow the JobManager where they have none of their own."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from ci.core.paths import DOCS, FLINK
from harness.helm import merged
from harness.manifests import Object, containers, env, pod_template, render
from tests.unit.charts.releases import JOB, SESSION, nested, pods
from tests.unit.scenarios import ROLE

Tree = dict[str, Any]

# Path of its values -> (what it takes part in, kind and name of a workload, name of its main container).
PODS: dict[str, tuple[Tree, str, str, str]] = {
    "jobmanager": (SESSION, "Deployment", "r-flink-jobmanager", "jobmanager"),
    "taskmanager": (SESSION, "Deployment", "r-flink-taskmanager", "taskmanager"),
    "sqlGateway": (SESSION, "Deployment", "r-flink-sql-gateway", "sql-gateway"),
    "historyServer": (SESSION, "Deployment", "r-flink-history-server", "history-server"),
    "uiProxy": (SESSION, "Deployment", "r-flink-ui-proxy", "ui-proxy"),
    "session": (SESSION, "Job", "r-flink-after", "submitter"),
    "hooks": (SESSION, "Job", "r-flink-before", "before"),
    "savepoints": (JOB, "CronJob", "r-flink-savepoint", "savepoint"),
    "highAvailability.zookeeper": (SESSION, "Deployment", "r-flink-zookeeper", "zookeeper"),
    "test": (SESSION, "Pod", "r-flink-test", "test"),
}
ENDS = {"session", "hooks", "savepoints", "test"}
every_pod = pytest.mark.parametrize("path", PODS)
PLACEMENT = ("nodeSelector", "tolerations", "hostAliases", "dnsConfig")
CLASSES = ("priorityClassName", "runtimeClassName")
NODE_AFFINITY: Tree = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}


def at(path: str, value: Any) -> Tree:
    return nested(tuple(path.split(".")), value)


def workload(path: str, values: Tree | None = None) -> Object:
    base, kind, name, _ = PODS[path]
    return render(FLINK, merged(base, values or {}), name="r").one(kind, name)


def main(path: str, values: Tree | None = None) -> Object:
    return containers(workload(path, values))[PODS[path][3]]


@every_pod
def test_every_value_of_a_pod_is_in_it(path: str) -> None:
    there = workload(path, at(path, ROLE))
    pod = pod_template(there)
    spec = pod["spec"]
    own = containers(there)[PODS[path][3]]
    assert {"team": "streams"}.items() <= pod["metadata"]["labels"].items()
    assert {"example.com/scrape": "true"}.items() <= pod["metadata"]["annotations"].items()
    for key in (
        *PLACEMENT,
        *CLASSES,
        "affinity",
        "topologySpreadConstraints",
        "terminationGracePeriodSeconds",
        "serviceAccountName",
    ):
        assert spec[key] == ROLE[key], key
    assert spec["schedulerName"] == "other"
    assert spec["securityContext"]["fsGroup"] == 1000
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert own["securityContext"]["runAsUser"] == 1000
    assert own["securityContext"]["readOnlyRootFilesystem"] is True
    assert own["resources"] == ROLE["resources"]
    assert env(own)["WHO"] == "r"
    assert own["envFrom"] == [{"secretRef": {"name": "r-env"}}]
    assert own["volumeMounts"][-1] == {"name": "extra", "mountPath": "/extra"}
    assert spec["volumes"][-1] == {"name": "extra", "configMap": {"name": "r-elsewhere"}}
    assert own["ports"][-1] == ROLE["extraPorts"][0]
    assert own["lifecycle"] == ROLE["lifecycle"]
    assert spec["initContainers"][-1]["name"] == "prepare"
    beside = [container for container in spec["containers"] if container["name"] == "beside"]
    if path in ENDS:
        assert not beside
        (beside,) = [[container] for container in spec["initContainers"] if container["name"] == "beside"]
        assert beside[0]["restartPolicy"] == "Always"
    else:
        assert "restartPolicy" not in beside[0]
    if "startupProbe" in own:
        assert own["startupProbe"]["periodSeconds"] == 3
        assert own["startupProbe"]["failureThreshold"] == 100
        assert own["livenessProbe"]["failureThreshold"] == 9
        assert own["readinessProbe"]["timeoutSeconds"] == 9
    for volume in spec["volumes"]:
        if volume["name"] == "tmp":
            assert volume == {"name": "tmp", "emptyDir": {"sizeLimit": "20Gi"}}


@every_pod
def test_a_pod_follows_the_jobmanager_to_its_nodes(path: str) -> None:
    if path in ("jobmanager", "taskmanager"):
        return
    given = {**{key: ROLE[key] for key in (*PLACEMENT, *CLASSES, "podLabels", "podAnnotations")}, "affinity": NODE_AFFINITY}
    pod = pod_template(workload(path, {"jobmanager": given}))
    for key in PLACEMENT:
        assert pod["spec"][key] == ROLE[key], key
    # A class that is not there would keep the hook from saying so.
    for key in CLASSES:
        assert (pod["spec"].get(key) == ROLE[key]) is (path in ("sqlGateway", "historyServer", "session")), key
    assert pod["spec"]["affinity"].items() >= NODE_AFFINITY.items()
    assert pod["metadata"]["labels"]["team"] == "streams"
    assert pod["metadata"]["annotations"]["example.com/scrape"] == "true"
    values = merged({"jobmanager": given}, at(path, {"nodeSelector": {"disk": "hdd"}, "tolerations": []}))
    spec = pod_template(workload(path, values))["spec"]
    # Helm merges the maps of values with one another, but not with those that a pod follows.
    assert spec["nodeSelector"] == {"disk": "hdd"}
    assert "tolerations" not in spec


@pytest.mark.parametrize("path", ["sqlGateway", "historyServer", "session"])
def test_containers_and_volumes_are_taken_together(path: str) -> None:
    volume = {"name": "fetched", "emptyDir": {}}
    mount = {"name": "fetched", "mountPath": "/fetched"}
    given = {"extraVolumes": [volume], "initContainers": [{"name": "fetch", "image": "a:1", "volumeMounts": [mount]}]}
    there = pod_template(workload(path, {"jobmanager": given}))["spec"]
    assert volume in there["volumes"]
    assert "fetch" in [one["name"] for one in there["initContainers"]]
    mine = {"extraVolumes": [{"name": "mine", "emptyDir": {}}]}
    there = pod_template(workload(path, merged({"jobmanager": given}, at(path, mine))))["spec"]
    assert volume not in there["volumes"]
    assert "fetch" not in [one["name"] for one in there.get("initContainers", [])]


def test_the_taskmanager_follows_nobody() -> None:
    assert workload("taskmanager", {"jobmanager": ROLE}) == workload("taskmanager")


def test_affinity_to_other_pods_is_the_jobmanagers_own() -> None:
    anti: Tree = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": []}}
    assert "affinity" not in pod_template(workload("hooks", {"jobmanager": {"affinity": anti}}))["spec"]


@pytest.mark.parametrize("path", ["sqlGateway", "historyServer", "session"])
def test_what_runs_with_flinks_options_has_what_they_name(path: str) -> None:
    keys = ("extraEnv", "extraEnvFrom", "extraVolumes", "extraVolumeMounts", "initContainers")
    there = workload(path, {"jobmanager": {key: ROLE[key] for key in keys}})
    own = containers(there)[PODS[path][3]]
    assert env(own)["WHO"] == "r"
    assert own["envFrom"] == [{"secretRef": {"name": "r-env"}}]
    assert {"name": "extra", "mountPath": "/extra"} in own["volumeMounts"]
    assert pod_template(there)["spec"]["initContainers"][-1]["name"] == "prepare"


@pytest.mark.parametrize("path", ["hooks", "savepoints", "highAvailability.zookeeper", "test"])
def test_what_helm_waits_for_needs_no_object_of_the_release(path: str) -> None:
    keys = ("extraEnv", "extraEnvFrom", "extraVolumes", "extraVolumeMounts", "initContainers", "sidecars")
    assert workload(path, {"jobmanager": {key: ROLE[key] for key in keys}})["spec"] == workload(path)["spec"]


def test_savepoints_follow_the_hooks() -> None:
    hooks = {"hooks": {**ROLE, "serviceAccountName": "mine", "image": "python:mine"}}
    spec = pod_template(workload("savepoints", hooks))["spec"]
    assert spec["serviceAccountName"] == "mine"
    assert spec["containers"][0]["resources"] == ROLE["resources"]
    assert spec["nodeSelector"] == ROLE["nodeSelector"]


@pytest.mark.parametrize("base", [SESSION, JOB], ids=["session", "job"])
def test_common_labels_and_annotations_of_pods_reach_all(base: Tree) -> None:
    common = {"commonPodLabels": {"cost": 42}, "commonPodAnnotations": {"sidecar.istio.io/inject": False}}
    for name, pod in pods(render(FLINK, merged(base, common), name="r")).items():
        assert pod["metadata"]["labels"]["cost"] == "42", name
        assert pod["metadata"]["annotations"]["sidecar.istio.io/inject"] == "false", name


def test_a_bounded_job_ends_with_its_sidecars() -> None:
    values = {"flink": {"type": "job"}, "job": {"bounded": True}, "jobmanager": {"sidecars": ROLE["sidecars"]}}
    (job,) = [obj for obj in render(FLINK, values, name="r").by("Job") if "jobmanager" in obj["metadata"]["name"]]
    spec = pod_template(job)["spec"]
    assert [container["name"] for container in spec["containers"]] == ["jobmanager"]
    assert [container["restartPolicy"] for container in spec["initContainers"]] == ["Always"]


def test_javas_options_of_a_user_win() -> None:
    given = {"jobmanager": {"extraEnv": [{"name": "JAVA_TOOL_OPTIONS", "value": "-javaagent:/a.jar"}]}}
    assert env(main("sqlGateway"))["JAVA_TOOL_OPTIONS"] == "-XX:MaxRAMPercentage=60"
    assert env(main("sqlGateway", given))["JAVA_TOOL_OPTIONS"] == "-javaagent:/a.jar"


def test_the_reference_has_every_value_of_a_pod() -> None:
    schema = json.loads((FLINK / "values.schema.json").read_text())
    page = (DOCS / "pods.md").read_text()
    rows = re.findall(r"(?m)^\| ((?:`\w+`(?:, )?)+) \|", page)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} >= schema["$defs"]["role"]["properties"].keys()
    assert ROLE.keys() == schema["$defs"]["role"]["properties"].keys()
