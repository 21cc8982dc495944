"""TaskManagers that follow the load: what scales them, and what jobs and hooks make of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ci.core.paths import FLINK
from harness.helm import Helm, HelmError, merged
from harness.manifests import Manifests, containers, flink_config, render

AUTOSCALED: dict[str, Any] = {"taskmanager": {"autoscaling": {"enabled": True, "maxReplicas": 3}}}
JOB: dict[str, Any] = {"flink": {"type": "job"}}
KEDA = {"taskmanager": {"autoscaling": {"keda": {"triggers": [{"type": "kafka", "metadata": {"topic": "{{ .Release.Name }}"}}]}}}}


def rendered(*values: dict[str, Any]) -> Manifests:
    return render(FLINK, merged(AUTOSCALED, *values), name="r")


def test_an_autoscaler_of_the_cpu() -> None:
    autoscaler = rendered().one("HorizontalPodAutoscaler", "r-flink-taskmanager")["spec"]
    (metric,) = autoscaler["metrics"]
    assert metric["resource"] == {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    assert autoscaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "r-flink-taskmanager"}
    assert (autoscaler["minReplicas"], autoscaler["maxReplicas"]) == (1, 3)


def test_the_deployment_leaves_the_number_to_it() -> None:
    manifests = rendered({"taskmanager": {"replicas": 2}})
    assert "replicas" not in manifests.one("Deployment", "r-flink-taskmanager")["spec"]
    suspended = rendered(JOB, {"job": {"state": "suspended"}}).one("Deployment", "r-flink-taskmanager")
    assert suspended["spec"]["replicas"] == 0  # which an autoscaler leaves alone


def test_keda() -> None:
    scaled = rendered(KEDA, JOB).one("ScaledObject", "r-flink-taskmanager")
    assert scaled["spec"]["triggers"] == [{"type": "kafka", "metadata": {"topic": "r"}}]
    assert not scaled["metadata"].get("annotations")
    suspended = rendered(KEDA, JOB, {"job": {"state": "suspended"}}).one("ScaledObject", "r-flink-taskmanager")
    assert suspended["metadata"]["annotations"] == {"autoscaling.keda.sh/paused-replicas": "0"}


def test_keda_has_to_be_there() -> None:
    values = merged(AUTOSCALED, KEDA)
    argv: list[str | Path] = ["template", "r", FLINK, "--values=-", "--api-versions=v1/Pod"]
    assert Helm().run(*argv, "--api-versions=keda.sh/v1alpha1/ScaledObject", stdin=json.dumps(values))
    with pytest.raises(HelmError, match="the cluster has no keda.sh/v1alpha1/ScaledObject"):
        Helm().run(*argv, stdin=json.dumps(values))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (JOB, {"jobmanager.scheduler": "adaptive", "parallelism.default": "6"}),
        ({**JOB, "job": {"parallelism": 4}}, {"jobmanager.scheduler": "adaptive", "parallelism.default": "4"}),
        ({}, {"jobmanager.scheduler": "adaptive", "parallelism.default": "1"}),
        (
            {"flink": {"type": "job", "config": {"scheduler-mode": "reactive"}}},
            {"scheduler-mode": "reactive", "parallelism.default": "1"},
        ),
    ],
    ids=str,
)
def test_jobs_take_the_slots_that_there_are(values: dict[str, Any], expected: dict[str, str]) -> None:
    config = flink_config(rendered(values))
    keys = ("jobmanager.scheduler", "scheduler-mode", "parallelism.default")
    assert {key: config[key] for key in keys if key in config} == expected


def test_one_that_goes_has_a_checkpoint_completed_first() -> None:
    def stops(manifests: Manifests) -> Any:
        return containers(manifests.one("Deployment", "r-flink-taskmanager"))["taskmanager"].get("lifecycle")

    assert stops(rendered())["preStop"]["exec"]["command"][2:] == ["checkpoint", "r-flink-rest", "8081"]
    own = {"preStop": {"exec": {"command": ["sleep", "5"]}}}
    assert stops(rendered({"taskmanager": {"lifecycle": own}})) == own
    assert stops(render(FLINK, name="r")) is None
