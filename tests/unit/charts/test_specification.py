"""What stops a job, what replaces its JobManager's pod alone, and what does neither."""

from __future__ import annotations

from typing import Any

import pytest

from ci.core.paths import FLINK
from harness.helm import merged
from harness.manifests import pod_template, render
from tests.unit.scenarios import ROLE

JOB = {"flink": {"type": "job"}}
HELPER = ROLE["sidecars"]


def jobmanager(values: dict[str, Any], base: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """(hash of what the process sees, hash of the pod, the pod) of the JobManager."""
    deployment = render(FLINK, merged(JOB, merged(base, values)), name="r").one("Deployment", "r-flink-jobmanager")
    annotations = deployment["metadata"]["annotations"]
    return annotations["flink/specification"], annotations["flink/template"], pod_template(deployment)


ZOOKEEPER = {"highAvailability": {"type": "zookeeper"}}

NOTHING: list[dict[str, Any]] = [
    {"commonLabels": {"a": "b"}},
    {"commonAnnotations": {"a": "b"}},
    {"logging": {"loggers": {"org.apache.kafka": "DEBUG"}}},
    {"rest": {"service": {"type": "NodePort"}}},
    {"taskmanager": {"replicas": 2}},
    {"taskmanager": {"extraEnv": [{"name": "A", "value": "b"}]}},
    {"taskmanager": {"slots": 3}},
    {"hooks": {"image": "other:1"}},
    {"hooks": {"timeoutSeconds": 600}},
    {"logging": {"log4jCli": "a = b\n"}},
    {"historyServer": {"enabled": True}},
    {"job": {"upgradeMode": "stateless"}},
    {"job": {"state": "suspended"}},
    {"job": {"fromSavepoint": "file:///flink-data/s"}},
    {"job": {"savepointOnUninstall": True}, "storage": {"keep": True}},
    {"savepoints": {"schedule": "@daily"}},
    {"savepoints": {"keep": 7}},
    {"savepoints": {"keepOfUpgrades": 7}},
    {"savepoints": {"format": "native"}},
    {"storage": {"size": "9Gi"}},
    {"storage": {"keep": True}},
    {"jobmanager": {"strategy": {"type": "Recreate"}}},
    {"hooks": ROLE},
    {"savepoints": ROLE},
    {"test": ROLE},
    {"rbac": {"create": False}},
    {"extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}}]},
]
POD: list[dict[str, Any]] = [
    {"image": {"pullPolicy": "Always"}},
    {"image": {"pullSecrets": ["registry"]}},
    {"jobmanager": {"startupSeconds": 300}},
    {"jobmanager": {"terminationGracePeriodSeconds": 60}},
    {"jobmanager": {"nodeSelector": {"disk": "ssd"}}},
    {"jobmanager": {"affinity": {"nodeAffinity": {}}}},
    {"jobmanager": {"tolerations": [{"key": "streams", "operator": "Exists"}]}},
    {"jobmanager": {"topologySpreadConstraints": ROLE["topologySpreadConstraints"]}},
    {"jobmanager": {"podLabels": {"a": "b"}}},
    {"jobmanager": {"podAnnotations": {"a": "b"}}},
    {"jobmanager": {"priorityClassName": "high"}},
    {"jobmanager": {"sidecars": HELPER}},
    *(
        {"jobmanager": {key: ROLE[key]}}
        for key in ("dnsConfig", "extraPorts", "hostAliases", "lifecycle", "livenessProbe", "podSpec", "readinessProbe")
    ),
    {"jobmanager": {"runtimeClassName": "gvisor"}},
    {"jobmanager": {"startupProbe": {"periodSeconds": 3}}},
    {"jobmanager": {"initContainers": [{**HELPER[0], "restartPolicy": "Always"}]}},
    {"commonPodLabels": {"a": "b"}},
    {"commonPodAnnotations": {"a": "b"}},
    {"serviceAccount": {"automountToken": True}},
]
PROCESS: list[dict[str, Any]] = [
    {"job": {"args": ["--other"]}},
    {"job": {"python": {"file": "/other.py"}}},
    {"job": {"parallelism": 2}},
    {"job": {"allowNonRestoredState": True}},
    {"image": {"tag": "other"}},
    {"image": {"digest": "sha256:" + "1" * 64}},
    {"flink": {"version": "1.20.5"}},
    {"flink": {"config": {"parallelism.default": 2}}},
    {"flink": {"config": {"jobmanager.memory.jvm-metaspace.size": "300m"}}},
    {"jobmanager": {"extraEnv": [{"name": "A", "value": "b"}]}},
    {"jobmanager": {"resources": {"limits": {"memory": "3Gi"}}}},
    {"jobmanager": {"resources": {"requests": {"cpu": "1"}}}},
    {"jobmanager": {"initContainers": ROLE["initContainers"]}},
    {"jobmanager": {"extraVolumes": ROLE["extraVolumes"], "extraVolumeMounts": ROLE["extraVolumeMounts"]}},
    {"files": {"a.py": "pass"}},
    {"logging": {"log4jConsole": "a = b\n"}},
    {"logging": {"log4jConsole": "a = b\n", "loggers": {"root": "DEBUG"}}},
    {"logging": {"logbackConsole": "<configuration/>\n"}},
    {"state": {"backend": "rocksdb"}},
    {"state": {"checkpointing": {"interval": "10 s"}}},
    {"state": {"root": "s3://b/p"}},
    {"storage": {"mountPath": "/other"}},
    {"storage": {"existingClaim": "mine"}},
    {"rest": {"port": 18081}},
    {"podSecurityContext": {"runAsUser": 1234}},
    {"serviceAccount": {"name": "other"}},
    {"jobmanager": {"serviceAccountName": "other"}},
    {"jobmanager": {"securityContext": {"runAsUser": 1234}}},
    {"jobmanager": {"extraEnvFrom": ROLE["extraEnvFrom"]}},
    {"jobmanager": {"scratch": ROLE["scratch"]}},
    {"global": {"imageRegistry": "registry.example"}},
    {"highAvailability": {"type": "kubernetes"}},
]


def case(values: dict[str, Any], stops: bool, replaces: bool, **base: Any) -> Any:
    return pytest.param(values, base, stops, replaces, id=str(values))


HA = {"highAvailability": {"type": "kubernetes"}}
BASES: tuple[dict[str, Any], ...] = ({}, HA)


def adaptive(scheduler: str = "Adaptive", **base: Any) -> dict[str, Any]:
    """A job of two tasks."""
    options = {"config": {"jobmanager.scheduler": scheduler}}
    return merged({"flink": options, "job": {"parallelism": 2}}, base)


@pytest.mark.parametrize(
    ("values", "base", "stops", "replaces"),
    [
        *(case(values, False, False) for values in NOTHING),
        *(case(values, False, True) for values in POD),
        *(case(values, True, True) for values in PROCESS),
        # The image is named, so that the version is a label and no more.
        case({"flink": {"version": "2.1.1"}}, False, False, image={"tag": "mine"}),
        # The adaptive scheduler changes a job while it runs; what the program keeps at 1 cannot be told if all is 1.
        *(case({"job": {"parallelism": 4}}, False, False, **adaptive(**base)) for base in BASES),
        case({"job": {"parallelism": 1}}, True, True, **adaptive()),
        case({"job": {"parallelism": 4}}, True, True, **adaptive("default", taskmanager={"slots": 4})),
        case({"job": {"parallelism": 4}}, True, True, **adaptive(hooks={"enabled": False})),
        # By such a name users say that what their pods mount is another one.
        case({"jobmanager": {"podAnnotations": {"checksum/mine": "1"}}}, True, True),
        case({"jobmanager": {"replicas": 2}}, False, False, highAvailability={"type": "kubernetes"}),
    ],
)
def test_what_a_value_does_to_the_job(values: dict[str, Any], base: dict[str, Any], stops: bool, replaces: bool) -> None:
    before, after = jobmanager({}, base), jobmanager(values, base)
    assert (before[0] != after[0]) is stops
    assert (before[1] != after[1]) is replaces
    # Another template is another hash of it: the hooks find out what Kubernetes will do.
    assert (before[2] != after[2]) is replaces


def test_another_chart_of_the_same_release_is_another_one() -> None:
    """Umbrella charts take this one several times."""
    pod = jobmanager({}, {})[2]
    assert pod["metadata"]["annotations"]["flink/chart"] == "flink/templates"
