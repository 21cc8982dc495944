"""docs/security.md is what the charts render: each port, right and volume."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ci.core.paths import DEMO, FLINK
from harness.manifests import Manifests, Object, containers, flink_config, pod_template, render
from tests.security_page import COMPONENTS, clients, connections, rows, spans
from tests.unit.scenarios import JOBS, KERBEROS, S3, SCENARIOS, Scenario

COMPONENT = "app.kubernetes.io/component"
JOB: dict[str, Any] = {"flink": {"type": "job"}}
# What no other scenario has.
MORE = [
    Scenario("bounded-native", FLINK, values={"flink": {"type": "job", "mode": "native"}, "job": {"bounded": True}}),
    Scenario(
        "secrets",
        FLINK,
        values={
            **JOBS,
            "flink": {"configFrom": [{"name": "metrics.reporter.r.apikey", "secretKeyRef": {"name": "s", "key": "k"}}]},
            "state": {"s3": S3, "hdfs": {"configMap": "hadoop"}},
            "kerberos": KERBEROS,
        },
    ),
    Scenario("url", FLINK, values={**JOB, "job": {"python": {"file": "https://a.example/a.py", "sha256": "0" * 64}}}),
    Scenario("walls", FLINK, values={**JOBS, "networkPolicy": {"enabled": True, "egress": {"oidc": [{}]}}}),
    Scenario(
        "locks",
        FLINK,
        values={**JOBS, "tls": {"internal": {"enabled": True}, "rest": {"enabled": True}, "selfSigned": {"enabled": True}}},
    ),
    Scenario(
        "cert-manager",
        FLINK,
        values={
            **JOB,
            "tls": {"rest": {"enabled": True}, "certManager": {"issuerRef": {"name": "i"}}},
            "gateway": {"parentRefs": [{"name": "web"}], "caConfigMap": "authority"},
        },
    ),
    Scenario(
        "zookeeper-locks",
        FLINK,
        values={
            **JOBS,
            "highAvailability": {"type": "zookeeper", "zookeeper": {"quorum": "zk:2281", "tls": {"secretName": "s"}}},
        },
    ),
    Scenario("another-user", FLINK, values={**JOBS, "podSecurityContext": {"runAsUser": 1000}}),
    Scenario(
        "own-kafka",
        DEMO,
        values={"kafka": {"enabled": False}, "global": {"kafka": {"bootstrapServers": "k:1", "propertiesSecret": "s"}}},
    ),
]
EVERY = [*SCENARIOS, *MORE]
# Without ports and volumes of the user's, and another port of REST.
PLAIN = [scenario for scenario in EVERY if scenario.name != "flink-everything"]
USERS_VOLUMES = {"text"}
RELEASE = "r"


def in_words(obj: Object) -> str:
    """The name of an object as the page writes it."""
    name = re.sub(f"^{RELEASE}-flink", "<name>", obj["metadata"]["name"])
    return re.sub(f"^{RELEASE}-", "<release>-", name)


def workloads(manifests: Manifests) -> Iterator[Object]:
    return (obj for obj in manifests if obj["kind"] in ("Deployment", "StatefulSet", "Job", "CronJob", "Pod"))


def component(workload: Object) -> str:
    labels: dict[str, str] = pod_template(workload)["metadata"]["labels"]
    return labels[COMPONENT]


def ports(manifests: Manifests) -> set[tuple[str, int, str]]:
    """(component, number, name) of each port of a container."""
    return {
        (component(obj), port["containerPort"], port["name"])
        for obj in workloads(manifests)
        for container in containers(obj).values()
        for port in container.get("ports", [])
    }


PORTS = rows("Ports", "pod | port | name")


def test_every_port_is_in_the_table_and_no_other_one() -> None:
    written = {(spans(row[0])[0], int(row[1]), spans(row[2])[0]) for row in PORTS}
    assert written == set().union(*(ports(scenario.render(RELEASE)) for scenario in PLAIN))


def test_every_service_leads_to_the_port_of_its_row() -> None:
    written = {(spans(row[0])[0], int(row[1]), spans(row[4])[0]) for row in PORTS if spans(row[4])}
    served = set()
    for scenario in PLAIN:
        for service in scenario.render(RELEASE).by("Service"):
            for port in service["spec"]["ports"]:
                served.add((service["spec"]["selector"][COMPONENT], port["port"], in_words(service)))
    assert written == served


def known_options() -> set[str]:
    table = (FLINK / "files" / "options" / "known.txt").read_text()
    return {line.split(" ")[0] for line in table.splitlines()}


def test_options_that_are_named_as_pinned_are_and_the_others_are_not() -> None:
    pinned = {option: row[1] for row in PORTS for option in spans(row[3]) if option in known_options()}
    assert len(pinned) >= 7
    free = {row[3].split("`")[1] for row in rows("Ports", "pod | port | when") if row[3].startswith("no: ")}
    assert free == {"taskmanager.collect-sink.port"}
    assert free <= known_options()
    for kind in ("none", "kubernetes", "zookeeper"):
        config = flink_config(render(FLINK, {"historyServer": {"enabled": True}, "highAvailability": {"type": kind}}))
        assert {option: config[option] for option in pinned} == pinned
        assert not free & config.keys()
    assert config["high-availability.jobmanager.port"] == pinned["jobmanager.rpc.port"]


def rights(manifests: Manifests) -> set[tuple[str, str, str, bool]]:
    """(Role, resource as kubectl writes it, verb, whether objects are named) of each rule."""
    return {
        (in_words(role), f"{resource}.{group}".rstrip("."), verb, "resourceNames" in rule)
        for role in manifests.by("Role")
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_every_right_is_in_the_table_and_no_other_one() -> None:
    written = {
        (spans(role)[0], resource, verb, {"yes": True, "no": False}[named])
        for role, resources, verbs, named, why in rows("Rights", "Role | resources")
        if why
        for resource in spans(resources)
        for verb in spans(verbs)
    }
    assert written == set().union(*(rights(scenario.render(RELEASE)) for scenario in EVERY))
    assert {spans(row[0])[0] for row in rows("Rights", "Role | account")} == {role for role, *_ in written}


def test_no_secret_is_made_and_none_may_be_read() -> None:
    for scenario in EVERY:
        manifests = scenario.render(RELEASE)
        assert not manifests.by("Secret")
        assert not manifests.by("ClusterRole")
        of_secrets = {(role, verb) for role, resource, verb, _ in rights(manifests) if resource == "secrets"}
        trial = {("<name>-certificates", verb) for verb in ("create", "patch")}
        assert of_secrets == (trial if scenario.name == "locks" else set())


def test_every_volume_is_in_the_table_and_no_other_one() -> None:
    held: dict[str, set[str]] = {}
    written: dict[str, set[str]] = {}
    for scenario in PLAIN:
        for obj in workloads(scenario.render(RELEASE)):
            pod = pod_template(obj)["spec"]
            main = pod["containers"][0]
            held.setdefault(component(obj), set()).update(volume["name"] for volume in pod.get("volumes", []))
            held[component(obj)] |= {claim["metadata"]["name"] for claim in obj["spec"].get("volumeClaimTemplates", [])}
            mounts = [mount for mount in main.get("volumeMounts", []) if not mount.get("readOnly")]
            written.setdefault(component(obj), set()).update(mount["name"] for mount in mounts)
    table = rows("What pods may do, and hold", "pod | volumes")
    assert {pod: set(spans(row[1])) for row in table for pod in spans(row[0])} == {
        pod: names - USERS_VOLUMES for pod, names in held.items()
    }
    assert {pod: set(spans(row[2])) for row in table for pod in spans(row[0])} == {
        pod: names - USERS_VOLUMES for pod, names in written.items()
    }


def test_pods_with_a_token_are_those_of_the_table() -> None:
    table = {pod: row[1] for row in rows("Tokens", "pod") for pod in spans(row[0])}
    for scenario in EVERY:
        manifests = scenario.render(RELEASE)
        values = flink_config(manifests)
        leader = values.get("high-availability.type") == "kubernetes"
        native = "kubernetes.taskmanager.cpu.amount" in values
        for obj in workloads(manifests):
            condition = table.get(component(obj), "never")
            expected = (
                condition == "always" or (leader and "type=kubernetes" in condition) or (native and "mode=native" in condition)
            )
            assert pod_template(obj)["spec"]["automountServiceAccountToken"] is expected, f"{scenario} {component(obj)}"


def test_every_call_of_the_hooks_is_in_the_table() -> None:
    program = (FLINK / "files" / "hooks" / "flink.py").read_text()
    calls = {re.sub(r"\{\w+\}", "<id>", path) for path in re.findall(r'f?"(/[a-z][^"]*)"', program)}
    assert len(calls) >= 9
    written = [word for cell in spans("".join(row[0] for row in rows("An open REST API", "call"))) for word in cell.split()]
    assert calls <= set(written)


def test_every_port_is_connected_to_and_every_connection_ends_at_one() -> None:
    let = {(to, port) for _, to, ports in connections() if len(ports) == 1 for port in ports}
    let |= {(to, port) for _, to, port in clients(COMPONENTS, {"sqlGateway": {"hiveServer2": True}})}
    # Nobody is let in to Kafka UI.
    assert let | {("kafka-ui", 8089)} == {(spans(row[0])[0], int(row[1])) for row in PORTS}
