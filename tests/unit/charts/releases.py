"""What tests of the charts share: values of releases, how they are refused, and their pods."""

from __future__ import annotations

from typing import Any

import pytest

from ci.core.paths import FLINK
from harness.helm import Helm, HelmError
from harness.manifests import Manifests, Object, pod_template, render

Tree = dict[str, Any]
# Between them they have every pod that the chart can make.
SESSION: Tree = {
    "rest": {"readOnly": True},
    "sqlGateway": {"enabled": True},
    "historyServer": {"enabled": True},
    "highAvailability": {"type": "zookeeper"},
    "session": {"jobs": [{"name": "a", "jar": {"file": "/a.jar"}}]},
}
JOB: Tree = {"flink": {"type": "job"}, "savepoints": {"schedule": "@daily"}}


def nested(path: tuple[str, ...], value: Any) -> Tree:
    for key in reversed(path):
        value = {key: value}
    return value


def refused(values: dict[str, Any], chart: Any = FLINK, helm: Helm | None = None) -> str:
    with pytest.raises(HelmError) as caught:
        render(chart, values, helm=helm)
    return caught.value.stderr


def pods(manifests: Manifests) -> dict[str, Object]:
    kinds = ("Deployment", "Job", "CronJob", "Pod")
    return {obj["metadata"]["name"]: pod_template(obj) for obj in manifests if obj["kind"] in kinds}
