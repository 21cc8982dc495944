"""Native mode: what Flink is told, and the pods that it makes, which are those of standalone mode."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ci.core.paths import FLINK
from harness.manifests import Manifests, Object, containers, flink_config, pod_template, render
from harness.validation import strict_yaml
from tests.unit.scenarios import KERBEROS, ROLE, S3

NATIVE = {"mode": "native"}
NAME = "release-name-flink"


def taskmanager(manifests: Manifests) -> Object:
    """The pod that Flink is given as a template."""
    return strict_yaml(manifests.one("ConfigMap", f"flink-config-{NAME}")["data"]["taskmanager-pod-template.yaml"])


def jobmanager(manifests: Manifests) -> Object:
    return containers(manifests.one("Deployment", NAME))["jobmanager"]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"taskmanager": ROLE},
        {"state": {"root": "s3://bucket/state", "s3": S3}},
        {"kerberos": KERBEROS},
        {"storage": {"accessModes": ["ReadWriteMany"]}},
    ],
)
def test_the_pod_is_that_of_standalone_mode(values: dict[str, Any]) -> None:
    made = taskmanager(render(FLINK, {**values, "flink": NATIVE}))
    own = pod_template(render(FLINK, values).one("Deployment", f"{NAME}-taskmanager"))
    assert made["metadata"]["labels"].pop("flink/template")
    for pod in (made, own):
        pod["metadata"]["annotations"].pop("checksum/config")
        for container in pod["spec"]["containers"]:
            if container["name"] in ("taskmanager", "flink-main-container"):
                # Flink names the container, starts it, opens the port of its RPC and mounts the configuration.
                del container["name"]
                container.pop("args", None)
                for probe in ("startupProbe", "livenessProbe"):
                    assert container[probe].pop("tcpSocket") in ({"port": "rpc"}, {"port": "taskmanager-rpc"})
                container["ports"] = [port for port in container["ports"] if port["name"] != "rpc"]
                container["volumeMounts"] = [mount for mount in container["volumeMounts"] if mount["name"] != "config"]
        pod["spec"]["volumes"] = [volume for volume in pod["spec"]["volumes"] if volume["name"] != "config"]
    assert made["metadata"] == own["metadata"]
    assert made["spec"] == own["spec"]


def test_flink_finds_the_objects_by_its_own_names() -> None:
    manifests = render(FLINK, {"flink": NATIVE})
    config = flink_config(manifests)
    assert config["kubernetes.cluster-id"] == NAME
    assert config["kubernetes.namespace"] == "default"
    mounts = {mount["mountPath"]: mount["name"] for mount in jobmanager(manifests)["volumeMounts"]}
    assert mounts["/opt/flink/conf"] == mounts["/opt/flink/pod-template"] == "config"
    assert {"taskmanager-pod-template.yaml", "config.yaml", "log4j-console.properties", "logback-console.xml"} <= manifests.one(
        "ConfigMap", f"flink-config-{NAME}"
    )["data"].keys()


@pytest.mark.parametrize(
    ("resources", "amount", "factor"),
    [
        ({}, "0.1", "1000"),
        ({"requests": {"cpu": "250m"}, "limits": {"cpu": 2}}, "0.25", "8"),
        ({"requests": {"cpu": 1.5}}, "1.5", "1000"),
        ({"requests": {"cpu": None}, "limits": {"cpu": "1"}}, "1", "1"),
    ],
)
def test_cpu_is_given_by_options(resources: dict[str, Any], amount: str, factor: str) -> None:
    config = flink_config(render(FLINK, {"flink": NATIVE, "taskmanager": {"resources": resources}}))
    assert config["kubernetes.taskmanager.cpu.amount"] == amount
    assert config["kubernetes.taskmanager.cpu.limit-factor"] == factor


def test_idle_timeout_and_limit() -> None:
    config = flink_config(render(FLINK, {"flink": NATIVE}))
    assert config["resourcemanager.taskmanager-timeout"] == "30 s"
    assert "slotmanager.number-of-slots.max" not in config
    config = flink_config(render(FLINK, {"flink": NATIVE, "native": {"maxTaskManagers": 3, "idleTimeout": "5 min"}}))
    assert config["resourcemanager.taskmanager-timeout"] == "5 min"
    assert config["slotmanager.number-of-slots.max"] == "6"
    assert not {key for key in flink_config(render(FLINK)) if key.startswith(("kubernetes.", "resourcemanager."))}


@pytest.mark.parametrize(
    ("values", "args"),
    [
        ({}, ["kubernetes-jobmanager.sh", "kubernetes-session"]),
        (
            {"type": "job"},
            [
                "kubernetes-jobmanager.sh",
                "kubernetes-application",
                "-D",
                "$internal.application.main=org.apache.flink.client.python.PythonDriver",
                "-D",
                '$internal.application.program-args=["-py","/opt/flink/usrlib/job.py","--at=release-name","a b"]',
            ],
        ),
    ],
)
def test_arguments(values: dict[str, Any], args: list[str]) -> None:
    job = {"args": ["--at={{ .Release.Name }}", "a b"]}
    manifests = render(FLINK, {"flink": {**NATIVE, **values}, "job": job, "hooks": {"enabled": False}})
    assert jobmanager(manifests)["args"] == args


def test_arguments_of_a_jar_and_of_a_savepoint() -> None:
    job = {"jar": {"file": "/a.jar", "entryClass": "a.B"}, "fromSavepoint": "s3://b/s", "allowNonRestoredState": True}
    manifests = render(FLINK, {"flink": {**NATIVE, "type": "job"}, "job": job, "hooks": {"enabled": False}})
    options = [
        "execution.state-recovery.path=s3://b/s",
        "execution.state-recovery.ignore-unclaimed-state=true",
        "pipeline.jars=local:///a.jar",
        "$internal.application.main=a.B",
    ]
    assert jobmanager(manifests)["args"][3::2] == options


@pytest.mark.parametrize("kind", ["session", "job"])
@pytest.mark.parametrize("values", [{"slots": 3}, {"podLabels": {"a": "b"}}, {"resources": {"requests": {"cpu": 1}}}])
def test_another_taskmanager_is_another_specification(kind: str, values: dict[str, Any]) -> None:
    """Flink reads the pod template when the JobManager starts."""

    def specification(**more: Any) -> str:
        manifests = render(FLINK, {"flink": {**NATIVE, "type": kind}, **more})
        annotations: dict[str, str] = manifests.one("Deployment", NAME)["metadata"]["annotations"]
        return annotations["flink/specification"]

    assert specification() != specification(taskmanager=values)


def test_rights_end_at_the_namespace_and_the_taskmanager_has_none() -> None:
    manifests = render(FLINK, {"flink": NATIVE})
    assert not manifests.by("ClusterRole")
    rules = manifests.one("Role", f"{NAME}-native")["rules"]
    assert [(rule["resources"], rule.get("resourceNames"), rule["verbs"]) for rule in rules] == [
        (["pods"], None, ["get", "list", "watch", "create", "delete"]),
        (["deployments"], [NAME], ["get"]),
    ]
    assert pod_template(manifests.one("Deployment", NAME))["spec"]["automountServiceAccountToken"]
    assert not taskmanager(manifests)["spec"]["automountServiceAccountToken"]
    # Under high availability a TaskManager asks Kubernetes who leads.
    available = render(FLINK, {"flink": NATIVE, "highAvailability": {"type": "kubernetes"}})
    assert taskmanager(available)["spec"]["automountServiceAccountToken"]


def test_a_bounded_jobs_taskmanagers_belong_to_a_deployment_that_flink_deletes() -> None:
    manifests = render(FLINK, {"flink": {**NATIVE, "type": "job"}, "job": {"bounded": True}})
    owner = manifests.one("Deployment", NAME)
    assert owner["spec"]["replicas"] == 0
    rule = manifests.one("Role", f"{NAME}-native")["rules"][1]
    assert (rule["resourceNames"], rule["verbs"]) == ([NAME], ["get", "delete"])


@pytest.mark.parametrize(("resources", "limit"), [({}, "100.000"), ({"limits": {"cpu": "500m"}}, "0.500")])
def test_the_hooks_can_ask_the_api_server_for_a_taskmanager_as_flink_will(resources: dict[str, Any], limit: str) -> None:
    """Flink always writes a limit of CPU, which a LimitRange may refuse: nobody but Flink would see that."""
    values = {"flink": NATIVE, "taskmanager": {"resources": resources, "podLabels": {"a": "b"}}}
    manifests = render(FLINK, values)
    data = next(obj["data"] for obj in manifests.by("ConfigMap") if "wanted.json" in obj.get("data", {}))
    (pod,) = [pod for pod in json.loads(data["wanted.json"])["pods"] if "taskmanager" in pod["metadata"]["name"]]
    expected = taskmanager(manifests)
    assert pod["metadata"]["labels"] == expected["metadata"]["labels"]
    (main,) = pod["spec"]["containers"]
    assert main["resources"]["limits"].pop("cpu") == limit
    containers(expected)["flink-main-container"]["resources"]["limits"].pop("cpu", None)
    assert pod["spec"] == expected["spec"]
