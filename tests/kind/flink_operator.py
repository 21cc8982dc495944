"""The Flink Kubernetes Operator in a namespace, which it alone watches."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from ci.core import versions
from ci.images import artifacts, images
from harness.cluster import Cluster
from harness.definitions import Definitions
from harness.workloads import wait_ready
from tests.kind import kinds
from tests.kind.accounts import account

Json = dict[str, Any]
NAME, API = "flink-operator", "flink.apache.org/v1beta1"
_CONFIG = {
    "kubernetes.operator.reconcile.interval": "5 s",
    "kubernetes.operator.observer.progress-check.interval": "2 s",
    "kubernetes.operator.health.probe.enabled": "true",
    "kubernetes.operator.health.probe.port": "8085",
}
_LOGGING = """rootLogger.level = INFO
rootLogger.appenderRef.console.ref = Console
appender.console.name = Console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %-5p %c{1} %m%n
"""
# What it makes and looks after, by API group.
_RIGHTS = {
    "": ["pods", "services", "configmaps", "events", "serviceaccounts"],
    "apps": ["deployments", "deployments/finalizers", "deployments/scale", "replicasets"],
    "networking.k8s.io": ["ingresses"],
    "flink.apache.org": [f"{kind}{part}" for kind in ("flinkdeployments", "flinksessionjobs")
                         for part in ("", "/status", "/finalizers")],
}  # fmt: skip


def define_kinds(cluster: Cluster) -> None:
    """Have the cluster know its custom resources."""
    version = versions.get("operator", "definitions")
    jar = artifacts.fetch(f"operator-api-{version}") / f"flink-kubernetes-operator-api-{version}.jar"
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump_all(Definitions(jar).objects, file)
        file.flush()
        kinds.define(
            cluster, [Path(file.name)], *(f"{kind}.flink.apache.org" for kind in ("flinkdeployments", "flinksessionjobs"))
        )


def load_image() -> None:
    images.load_named(images.flink_operator())


def _objects(namespace: str) -> list[Json]:
    name = {"name": NAME}
    (image,) = images.flink_operator()
    config = {**_CONFIG, "kubernetes.operator.watched.namespaces": namespace}
    # No YAML: it keeps the quotes of a value.
    lines = "".join(f"{key}: {value}\n" for key, value in config.items())
    files = {"flink-conf.yaml": lines, "log4j-console.properties": _LOGGING}
    rules = [{"apiGroups": [api], "resources": resources, "verbs": ["*"]} for api, resources in _RIGHTS.items()]
    container = {
        "name": "operator",
        "image": image,
        "env": [
            {"name": "FLINK_CONF_DIR", "value": "/etc/flink-operator"},
            {"name": "OPERATOR_NAME", "value": NAME},
            {"name": "OPERATOR_NAMESPACE", "value": namespace},
            {"name": "JAVA_TOOL_OPTIONS", "value": "-Dlog4j.configurationFile=/etc/flink-operator/log4j-console.properties"},
        ],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8085}, "periodSeconds": 2},
        "resources": {"requests": {"cpu": "10m", "memory": "512Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "files", "mountPath": "/etc/flink-operator"}],
    }
    return [
        *account(NAME, namespace, rules),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": name, "data": files},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": name,
            "spec": {
                "serviceAccountName": NAME,
                "terminationGracePeriodSeconds": 0,
                "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                "volumes": [{"name": "files", "configMap": name}],
                "containers": [container],
            },
        },
    ]


@contextmanager
def operator(cluster: Cluster, namespace: str) -> Iterator[None]:
    """It runs while the block does."""
    with cluster.having(_objects(namespace), namespace):
        wait_ready(cluster, namespace, NAME)
        yield
