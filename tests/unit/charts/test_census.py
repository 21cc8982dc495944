"""Exactly which objects each way of installing makes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ci.core.paths import DEMO, FLINK
from harness.manifests import Manifests, render
from tests.unit.scenarios import ALL_OF_FLINK

CLUSTER = {
    "ServiceAccount/r-flink",
    "ConfigMap/r-flink-config",
    "ConfigMap/r-flink-scripts",
    "PersistentVolumeClaim/r-flink-data",
    "Service/r-flink-jobmanager",
    "Service/r-flink-rest",
    "Deployment/r-flink-jobmanager",
    "Deployment/r-flink-taskmanager",
    "Pod/r-flink-test",
}
RIGHTS = {f"{kind}/r-flink-hooks{end}" for kind in ("ServiceAccount", "Role", "RoleBinding") for end in ("", "-uninstall")}
SESSION_HOOKS = {
    *RIGHTS,
    "ConfigMap/r-flink-hooks",
    *(f"Job/r-flink-{e}" for e in ("before", "before-rollback", "after-uninstall")),
}
AFTERWARDS = {f"Job/r-flink-{event}" for event in ("after", "after-rollback")}
SAVEPOINTS = {f"{kind}/r-flink-savepoint" for kind in ("ServiceAccount", "Role", "RoleBinding", "ConfigMap", "CronJob")}
JOB_HOOKS = SESSION_HOOKS | AFTERWARDS | SAVEPOINTS
LEADER = {"Role/r-flink", "RoleBinding/r-flink"}
# Flink asks for these names.
NATIVE = {"Deployment/r-flink", "ConfigMap/flink-config-r-flink", "Role/r-flink-native", "RoleBinding/r-flink-native"}
STANDALONE = {"Deployment/r-flink-jobmanager", "Deployment/r-flink-taskmanager", "ConfigMap/r-flink-config"}
WALLS = {"networkPolicy": {"enabled": True}}
KAFKA = {"ConfigMap/r-kafka", "Service/r-kafka", "StatefulSet/r-kafka"}
ZOOKEEPER = {"Deployment/r-flink-zookeeper", "Service/r-flink-zookeeper", "PersistentVolumeClaim/r-flink-zookeeper"}
UI_PROXY = {f"{kind}/r-flink-ui-proxy" for kind in ("ConfigMap", "Deployment", "Service")}
JOB = {"flink": {"type": "job"}}


def both(*names: str) -> set[str]:
    """The policies of these, one for each direction."""
    return {f"NetworkPolicy/r-{name}-{direction}" for name in names for direction in ("ingress", "egress")}


CLUSTER_WALLS = both("flink-hooks", "flink-jobmanager", "flink-taskmanager", "flink-test")


def census(manifests: Manifests) -> set[str]:
    """Kind/name, without the hash in the name of a Job."""
    return {f"{kind}/{re.sub('-[0-9a-f]{8}$', '', name) if kind == 'Job' else name}" for kind, name in manifests.census()}


@pytest.mark.parametrize(
    ("values", "more", "less"),
    [
        ({}, set(), set()),
        ({"session": {"jobs": [{"name": "a", "jar": {"file": "/a.jar"}}]}}, AFTERWARDS, set()),
        *(
            ({value: {"enabled": True}}, {f"Deployment/r-flink-{name}", f"Service/r-flink-{name}"}, set())
            for value, name in (("sqlGateway", "sql-gateway"), ("historyServer", "history-server"))
        ),
        ({"files": {"a.py": "pass"}}, {"ConfigMap/r-flink-files"}, set()),
        (JOB, JOB_HOOKS, set()),
        (
            {**JOB, "job": {"savepointOnUninstall": True}, "storage": {"keep": True}},
            JOB_HOOKS | {"Job/r-flink-before-uninstall"},
            set(),
        ),
        ({**JOB, "storage": {"enabled": False}}, AFTERWARDS, {"PersistentVolumeClaim/r-flink-data"}),
        ({"hooks": {"enabled": False}}, set(), SESSION_HOOKS),
        ({**JOB, "hooks": {"enabled": False}}, set(), SESSION_HOOKS),
        (
            {**JOB, "job": {"bounded": True}},
            {"Job/r-flink-jobmanager", "Job/r-flink-taskmanager"},
            SESSION_HOOKS | {"Deployment/r-flink-jobmanager", "Deployment/r-flink-taskmanager", "Pod/r-flink-test"},
        ),
        (WALLS, CLUSTER_WALLS, set()),
        ({**WALLS, **JOB}, JOB_HOOKS | CLUSTER_WALLS | both("flink-savepoint"), set()),
        ({**WALLS, "hooks": {"enabled": False}}, CLUSTER_WALLS - both("flink-hooks"), SESSION_HOOKS),
        (
            {**WALLS, "highAvailability": {"type": "zookeeper"}},
            ZOOKEEPER | CLUSTER_WALLS | both("flink-zookeeper"),
            set(),
        ),
        (
            {"tls": {"rest": {"enabled": True, "secretName": "mine"}, "internal": {"enabled": True, "secretName": "mine"}}},
            set(),
            set(),
        ),
        (
            {"tls": {"rest": {"enabled": True}, "internal": {"enabled": True}, "certManager": {"issuerRef": {"name": "i"}}}},
            {f"Certificate/r-flink-{part}-tls" for part in ("rest", "internal")},
            set(),
        ),
        (
            {"tls": {"rest": {"enabled": True}, "selfSigned": {"enabled": True}}},
            {f"{kind}/r-flink-certificates" for kind in ("ServiceAccount", "Role", "RoleBinding", "ConfigMap", "Job")},
            set(),
        ),
        ({"highAvailability": {"type": "kubernetes"}}, LEADER, set()),
        ({**JOB, "highAvailability": {"type": "kubernetes"}}, LEADER | JOB_HOOKS, set()),
        ({"highAvailability": {"type": "zookeeper"}}, ZOOKEEPER, set()),
        ({**JOB, "highAvailability": {"type": "zookeeper"}}, ZOOKEEPER | JOB_HOOKS, set()),
        ({"highAvailability": {"type": "zookeeper", "zookeeper": {"quorum": "zk:2181"}}}, set(), set()),
        ({"flink": {"mode": "native"}}, NATIVE | AFTERWARDS, STANDALONE),
        (
            {"flink": {"type": "job", "mode": "native"}, "job": {"bounded": True}},
            (NATIVE | {"Job/r-flink-jobmanager"}),
            STANDALONE | SESSION_HOOKS | {"Pod/r-flink-test"},
        ),
        ({"flink": {"type": "job", "mode": "native"}}, NATIVE | JOB_HOOKS, STANDALONE),
        ({"storage": {"enabled": False}}, set(), {"PersistentVolumeClaim/r-flink-data"}),
        ({"storage": {"existingClaim": "mine"}}, set(), {"PersistentVolumeClaim/r-flink-data"}),
        ({"serviceAccount": {"create": False}}, set(), {"ServiceAccount/r-flink"}),
        (
            {"serviceAccount": {"name": "cloud"}},
            {"ServiceAccount/cloud"},
            {"ServiceAccount/r-flink"},
        ),
        ({"ingress": {"enabled": True}}, {"Ingress/r-flink-rest"}, set()),
        (
            {"ingress": {"enabled": True, "path": "/flink"}},
            {"Ingress/r-flink-rest", "Ingress/r-flink-rest-slash"},
            set(),
        ),
        (
            {"ingress": {"enabled": True, "path": "/flink", "rewrite": "none"}},
            {"Ingress/r-flink-rest"},
            set(),
        ),
        ({"rest": {"readOnly": True}}, UI_PROXY, set()),
        ({"auth": {"type": "basic", "basic": {"secret": "people"}}}, UI_PROXY, set()),
        ({**WALLS, "rest": {"readOnly": True}}, CLUSTER_WALLS | UI_PROXY | both("flink-ui-proxy"), set()),
        ({"gateway": {"parentRefs": [{"name": "web"}]}}, {"HTTPRoute/r-flink-rest"}, set()),
        (
            {
                "gateway": {"parentRefs": [{"name": "web"}], "caConfigMap": "c"},
                "tls": {"rest": {"enabled": True, "secretName": "s"}},
            },
            {"HTTPRoute/r-flink-rest", "BackendTLSPolicy/r-flink-rest"},
            set(),
        ),
        (
            {"taskmanager": {"podDisruptionBudget": {"enabled": True}}},
            {"PodDisruptionBudget/r-flink-taskmanager"},
            set(),
        ),
        (
            {"taskmanager": {"autoscaling": {"enabled": True}}},
            {"HorizontalPodAutoscaler/r-flink-taskmanager"},
            set(),
        ),
        (
            {"taskmanager": {"autoscaling": {"enabled": True, "keda": {"triggers": [{"type": "kafka"}]}}}},
            {"ScaledObject/r-flink-taskmanager"},
            set(),
        ),
        (
            ALL_OF_FLINK,
            {
                *JOB_HOOKS,
                *LEADER,
                "Job/r-flink-before-uninstall",
                "Ingress/r-flink-rest",
                "Ingress/r-flink-rest-slash",
                "HTTPRoute/r-flink-rest",
                "PodDisruptionBudget/r-flink-taskmanager",
                "ConfigMap/r-flink-files",
                "Deployment/r-flink-history-server",
                "Service/r-flink-history-server",
                "PodMonitor/r-flink",
                "PrometheusRule/r-flink",
                "ConfigMap/r-flink-dashboards",
            },
            set(),
        ),
    ],
)
def test_flink(values: dict[str, Any], more: set[str], less: set[str]) -> None:
    assert census(render(FLINK, values, name="r")) == ((CLUSTER | SESSION_HOOKS) - less) | more


SESSION = {"flink": {"flink": {"type": "session"}, "session": {"jobs": [{"name": "kdv", "python": {"file": "/kdv.py"}}]}}}
EXTERNAL = {"kafka": {"enabled": False}, "global": {"kafka": {"bootstrapServers": "k:9092"}}}


@pytest.mark.parametrize(
    ("values", "more", "less"),
    [
        ({}, set(), set()),
        (SESSION, AFTERWARDS, JOB_HOOKS - SESSION_HOOKS),
        (EXTERNAL, set(), KAFKA),
        ({"producer": {"enabled": False}}, set(), {"Job/r-producer"}),
        ({"kafkaUi": {"enabled": True}}, {"Service/r-kafka-ui", "Deployment/r-kafka-ui"}, set()),
        (
            {"flink": WALLS},
            {
                *CLUSTER_WALLS,
                *both("flink-savepoint", "kafka", "topic", "producer"),
                *(f"NetworkPolicy/r-{name}-kafka-egress" for name in ("jobmanager", "taskmanager")),
            },
            set(),
        ),
    ],
)
def test_demo(values: dict[str, Any], more: set[str], less: set[str]) -> None:
    demo = CLUSTER | JOB_HOOKS | KAFKA | {"Job/r-topic", "Job/r-producer"}
    assert census(render(DEMO, values, name="r")) == (demo - less) | more


@pytest.mark.parametrize(
    ("release", "values", "base"),
    [
        ("r", {}, "r-flink"),
        ("my-flink", {}, "my-flink"),
        ("flink", {}, "flink"),
        ("r", {"nameOverride": "streams"}, "r-streams"),
        ("r", {"fullnameOverride": "streams"}, "streams"),
    ],
)
def test_base_name(release: str, values: dict[str, str], base: str) -> None:
    names = {name for _, name in render(FLINK, values, name=release).census()}
    assert names == {base, *(f"{base}-{end}" for end in (
        "config", "scripts", "data", "jobmanager", "taskmanager", "rest", "test", "hooks", "hooks-uninstall", "before",
        "before-rollback", "after-uninstall",
    ))}  # fmt: skip


def test_long_names_stay_different() -> None:
    one, two = ("r" * 52 + end for end in "ab")
    assert not render(FLINK, name=one).census() & render(FLINK, name=two).census()


SERVICES = {
    "r-flink-sql-gateway": ("sql-gateway", {"http": 8083}),
    "r-flink-ui-proxy": ("ui-proxy", {"http": 8080}),
    "r-flink-history-server": ("history-server", {"http": 8082}),
    "r-flink-jobmanager": ("jobmanager", {"rpc": 6123, "blob": 6124, "metrics": 9249}),
    "r-flink-rest": ("jobmanager", {"rest": 8081}),
    "r-kafka": ("kafka", {"kafka": 9092}),
    "r-kafka-ui": ("kafka-ui", {"http": 8089}),
}


def test_services_and_the_component_behind_each() -> None:
    values = {
        "kafkaUi": {"enabled": True},
        "flink": {
            **SESSION["flink"],
            "rest": {"readOnly": True},
            "sqlGateway": {"enabled": True},
            "historyServer": {"enabled": True},
        },
    }
    services = render(DEMO, values, name="r").by("Service")
    ports = {
        service["metadata"]["name"]: (
            service["spec"]["selector"]["app.kubernetes.io/component"],
            {port["targetPort"]: port["port"] for port in service["spec"]["ports"]},
        )
        for service in services
    }
    assert ports == SERVICES
