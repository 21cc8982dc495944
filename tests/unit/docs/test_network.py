"""The policies of a release let through what the tables of docs/security.md say, and nothing else."""

from __future__ import annotations

import itertools
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci.core.paths import DEMO, FLINK, VALUES
from harness.helm import merged
from harness.manifests import Manifests, flink_config, pod_template, render
from harness.policies import Address, End, Pod, passes
from harness.validation import strict_yaml
from tests.security_page import HEADING, PAGE, clients, connections, destinations, rows, spans
from tests.unit.scenarios import ALL_OF_DEMO, JOBS

COMPONENT = "app.kubernetes.io/component"
JOB: dict[str, Any] = {"flink": {"type": "job"}}
ZOOKEEPER = {"highAvailability": {"type": "zookeeper"}}
HIVE = {
    "flink": {"version": "1.20.5"},
    "hive": {"metastore": "thrift://metastore:9083"},
    "sqlGateway": {"enabled": True, "hiveServer2": True},
}
INGRESS = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "web"}}}
WALLS = {
    "enabled": True,
    "ingress": {
        "rest": [INGRESS],
        "sqlGateway": [{"podSelector": {"matchLabels": {"app": "{{ .Release.Name }}-notebook"}}}],
        "metrics": [{"namespaceSelector": {"matchLabels": {"purpose": "monitoring"}}, "podSelector": {}}],
        "operator": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "operators"}}}],
    },
    "egress": {
        "apiServer": [{"to": [{"ipBlock": {"cidr": "192.0.2.10/32"}}], "ports": [{"port": 6443}]}],
        "oidc": [{"to": [{"ipBlock": {"cidr": "192.0.2.77/32"}}], "ports": [{"port": 443}]}],
        "services": [{"to": [{"ipBlock": {"cidr": "198.51.100.0/24"}}], "ports": [{"port": 443}]}],
    },
}
RELEASES: dict[str, tuple[Path, dict[str, Any]]] = {
    "session": (FLINK, {}),
    "session-everything": (FLINK, JOBS),
    "session-zookeeper": (FLINK, {**JOBS, **ZOOKEEPER}),
    "sql": (FLINK, {"sqlGateway": {"enabled": True}}),
    "hive": (FLINK, HIVE),
    "read-only": (FLINK, {"rest": {"readOnly": True}}),
    "history": (FLINK, {"historyServer": {"enabled": True}}),
    "job": (FLINK, JOB),
    "job-kubernetes": (FLINK, {**JOB, "highAvailability": {"type": "kubernetes"}, "jobmanager": {"replicas": 2}}),
    "job-zookeeper": (FLINK, {**JOB, **ZOOKEEPER}),
    "bounded": (FLINK, {**JOB, "job": {"bounded": True}}),
    "native": (FLINK, {"flink": {"mode": "native"}}),
    "native-job": (FLINK, {"flink": {"type": "job", "mode": "native"}}),
    "native-bounded": (FLINK, {"flink": {"type": "job", "mode": "native"}, "job": {"bounded": True}}),
    "operator": (FLINK, {"flink": {"mode": "operator"}}),
    "operator-job": (FLINK, {**ZOOKEEPER, "flink": {"type": "job", "mode": "operator"}}),
    "tokens": (FLINK, {**JOBS, "highAvailability": {"type": "none"}, "serviceAccount": {"automountToken": True}}),
    "named": (FLINK, {**JOB, "nameOverride": "streams", "fullnameOverride": "other"}),
    "demo": (DEMO, {}),
    "demo-everything": (DEMO, ALL_OF_DEMO),
    "demo-brokers": (DEMO, {"kafka": {"enabled": False}, "global": {"kafka": {"bootstrapServers": "198.51.100.9:443"}}}),
}
# What the tables name, what pods listen on without saying so, and what nobody should.
PORTS = sorted(
    {
        *(int(row[1]) for row in rows("Ports", "pod | port | name")),
        *(end for *_, ports in connections() for end in (ports[0] - 1, ports[0], ports[-1], ports[-1] + 1)),
        *(22, 80, 443, 6443, 9093, 9249),
    }
)
OUTSIDE: dict[str, End] = {
    "internet": Address("203.0.113.7"),
    "API server": Address("192.0.2.10"),
    "provider": Address("192.0.2.77"),
    "service": Address("198.51.100.9"),
}
STRANGERS: dict[str, End] = {
    "neighbour": Pod({"app": "neighbour"}),
    "other release": Pod({"app.kubernetes.io/name": "flink", "app.kubernetes.io/instance": "s", COMPONENT: "taskmanager"}),
    "same labels elsewhere": Pod(
        {"app.kubernetes.io/name": "flink", "app.kubernetes.io/instance": "r", COMPONENT: "taskmanager"}, "elsewhere"
    ),
    "controller": Pod({"app": "nginx"}, "web"),
    "prometheus": Pod({"app": "prometheus"}, "monitoring", {"purpose": "monitoring"}),
    "notebook": Pod({"app": "r-notebook"}),
    "operator": Pod({"app": "operator"}, "operators"),
    "dns": Pod({"k8s-app": "kube-dns"}, "kube-system"),
}


def rendered(name: str) -> Manifests:
    chart, values = RELEASES[name]
    walls = {"networkPolicy": WALLS}
    return render(chart, merged(values, {"flink": walls} if chart == DEMO else walls), name="r")


def pods(manifests: Manifests) -> dict[str, list[Pod]]:
    """The pods of a release by component, those that Flink makes too."""
    by_component: dict[str, list[Pod]] = {}
    templates = [
        pod_template(obj)
        for obj in manifests
        if obj["kind"] in ("Deployment", "StatefulSet", "Job", "CronJob", "Pod") and obj["spec"].get("replicas") != 0
    ]
    for config in manifests.by("ConfigMap"):
        if text := config["data"].get("taskmanager-pod-template.yaml"):
            templates.append(strict_yaml(text))
    for deployment in manifests.by("FlinkDeployment"):
        templates += [deployment["spec"][role]["podTemplate"] for role in ("jobManager", "taskManager")]
    for template in templates:
        labels = template["metadata"]["labels"]
        by_component.setdefault(labels[COMPONENT], []).append(Pod(labels))
    return by_component


each_release = pytest.mark.parametrize("name", RELEASES)


@each_release
def test_between_pods_of_a_release_passes_what_the_table_says(name: str) -> None:
    manifests = rendered(name)
    there = pods(manifests)
    let = partial(passes, manifests.by("NetworkPolicy"))
    passing = {
        (source, target, port)
        for source, target in itertools.product(there, repeat=2)
        for port in PORTS
        for one, other in itertools.product(there[source], there[target])
        if let(one, other, port)
    }
    everywhere = {
        (source, target, port)
        for source, target in itertools.product(there, repeat=2)
        for port in PORTS
        if all(let(one, other, port) for one, other in itertools.product(there[source], there[target]))
    }
    assert passing == everywhere
    assert passing == {
        (source, target, port)
        for source, target, ports in connections()
        if {source, target} <= there.keys()
        for port in PORTS
        if port in ports
    }


@each_release
def test_strangers_come_in_as_clients_alone(name: str) -> None:
    manifests = rendered(name)
    let = partial(passes, manifests.by("NetworkPolicy"))
    came = {
        (who, component, port)
        for who, stranger in {**STRANGERS, **OUTSIDE}.items()
        for component, those in pods(manifests).items()
        for port in PORTS
        for pod in those
        if let(stranger, pod, port)
    }
    named = {"rest": "controller", "sqlGateway": "notebook", "metrics": "prometheus", "operator": "operator"}
    chart, values = RELEASES[name]
    own = values if chart == FLINK else values.get("flink", {})
    assert came == {(named[key], to, port) for key, to, port in clients(pods(manifests), own) if key in named}


@each_release
def test_pods_get_out_as_the_table_says(name: str) -> None:
    manifests = rendered(name)
    let = partial(passes, manifests.by("NetworkPolicy"))
    there = pods(manifests)
    out = {
        (component, who, port)
        for component, those in there.items()
        for who, stranger in {**STRANGERS, **OUTSIDE}.items()
        for port in [53, *PORTS]
        for pod in those
        if let(pod, stranger, port)
    }
    for pod in itertools.chain.from_iterable(there.values()):
        assert let(pod, STRANGERS["dns"], 53, "UDP") is (pod.labels[COMPONENT] != "zookeeper")
    cells = destinations()
    table = {pod: row[1] for row in rows("Tokens", "pod") for pod in spans(row[0])}
    options = flink_config(manifests)
    for component in there:
        assert ((component, "dns", 53) in out) is (f"`{component}`" not in cells["dns"])
        asks, _, by_token = cells["apiServer"].partition(";")
        if component in spans(by_token):
            condition = table[component]
            token = (options.get("high-availability.type") == "kubernetes" and "type=kubernetes" in condition) or (
                ("native" in name or "operator" in name) and "mode=native" in condition
            )
            expected = token or name == "tokens"
        else:
            expected = component in spans(asks)
        assert ((component, "API server", 6443) in out) is expected, component
        login = "auth" in RELEASES[name][1] and component in spans(cells["oidc"])
        assert ((component, "provider", 443) in out) is login, component
        reaches = component in spans(cells["services"]) or (name == "demo-brokers" and component in ("topic", "producer"))
        assert ((component, "service", 443) in out) is reaches, component
    assert {(who, port) for _, who, port in out} <= {("dns", 53), ("API server", 6443), ("provider", 443), ("service", 443)}


@each_release
def test_each_object_has_one_direction_and_no_port_a_name(name: str) -> None:
    policies = rendered(name).by("NetworkPolicy")
    assert len(policies) >= 4
    for policy in policies:
        (direction,) = policy["spec"]["policyTypes"]
        assert policy["spec"].keys() == {"podSelector", "policyTypes", direction.lower()}
        rules = policy["spec"][direction.lower()]
        assert all(isinstance(port["port"], int) for rule in rules for port in rule.get("ports", []))


def test_every_pod_of_every_release_is_in_the_tables() -> None:
    seen = set().union(*(pods(rendered(name)) for name in RELEASES))
    assert {end for source, target, _ in connections() for end in (source, target)} | {"history-server"} == seen


def test_another_port_of_rest_is_the_open_one() -> None:
    manifests = render(FLINK, {"rest": {"port": 18081}, "networkPolicy": WALLS}, name="r")
    (jobmanager,), (taskmanager,) = pods(manifests)["jobmanager"], pods(manifests)["taskmanager"]
    let = partial(passes, manifests.by("NetworkPolicy"))
    assert [port for port in (8081, 18081) if let(taskmanager, jobmanager, port)] == [18081]
    assert [port for port in (8081, 18081) if let(STRANGERS["controller"], jobmanager, port)] == [18081]


def test_without_the_value_there_is_no_policy() -> None:
    assert not render(FLINK).by("NetworkPolicy")
    assert not render(DEMO).by("NetworkPolicy")
    assert not set().union(*(role["rules"][0]["apiGroups"] for role in render(FLINK).by("Role"))) & {"networking.k8s.io"}


def test_the_example_is_taken() -> None:
    section = PAGE.split(f"# {HEADING}\n", 1)[1]
    example = yaml.safe_load(re.search(r"(?m)^    networkPolicy:\n(?:    .*\n)+", section)[0])  # type: ignore[index]
    values = {**example, "ingress": {"enabled": True}, "state": {"root": "s3://b/p"}}
    assert render(FLINK, values, files=(VALUES / "job-jar.yaml",)).by("NetworkPolicy")
