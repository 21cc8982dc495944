"""The brokers of the demo: one, or several that copy their topics and vote."""

from __future__ import annotations

from typing import Any

import pytest

from ci.core.paths import DEMO
from harness.manifests import Manifests, pod_template, render
from harness.policies import Pod, passes
from tests.unit.charts.releases import refused

THREE: dict[str, Any] = {"kafka": {"brokers": 3}}


def config(manifests: Manifests) -> dict[str, str]:
    lines = manifests.one("ConfigMap", "r-kafka")["data"]["server.properties"].splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_one_broker_is_alone() -> None:
    manifests = render(DEMO, name="r")
    brokers = manifests.one("StatefulSet", "r-kafka")["spec"]
    assert (brokers["replicas"], brokers["serviceName"]) == (1, "r-kafka")
    assert "podManagementPolicy" not in brokers  # which an upgrade cannot change
    properties = config(manifests)
    assert properties["controller.quorum.voters"] == "1@localhost:9093"
    assert {value for key, value in properties.items() if key.endswith((".factor", "min.isr", "insync.replicas"))} == {"1"}
    assert not manifests.by("PodDisruptionBudget")


def test_three_brokers_find_each_other_before_they_are_ready() -> None:
    manifests = render(DEMO, THREE, name="r")
    brokers = manifests.one("StatefulSet", "r-kafka")["spec"]
    service = manifests.one("Service", brokers["serviceName"])["spec"]
    assert service["clusterIP"] == "None"
    assert service["publishNotReadyAddresses"] is True
    assert service["selector"] == brokers["selector"]["matchLabels"]
    assert brokers["podManagementPolicy"] == "Parallel"
    hosts = [f"r-kafka-{number}.{brokers['serviceName']}.default.svc" for number in range(brokers["replicas"])]
    voters = ",".join(f"{number}@{host}:9093" for number, host in enumerate(hosts, start=1))
    assert config(manifests)["controller.quorum.voters"] == voters
    assert {port["port"] for port in service["ports"]} == {9092, 9093}


@pytest.mark.parametrize(("brokers", "copies", "written"), [(3, "3", "2"), (5, "3", "2")])
def test_one_of_several_may_be_lost(brokers: int, copies: str, written: str) -> None:
    manifests = render(DEMO, {"kafka": {"brokers": brokers}}, name="r")
    properties = config(manifests)
    assert {value for key, value in properties.items() if key.endswith("replication.factor")} == {copies}
    assert {value for key, value in properties.items() if key.endswith(("min.isr", "min.insync.replicas"))} == {written}
    budget = manifests.one("PodDisruptionBudget", "r-kafka")["spec"]
    labels = pod_template(manifests.one("StatefulSet", "r-kafka"))["metadata"]["labels"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"]["matchLabels"].items() <= labels.items()


def test_options_of_kafka_win() -> None:
    values = {"kafka": {"brokers": 3, "config": {"min.insync.replicas": 1}}}
    assert config(render(DEMO, values, name="r"))["min.insync.replicas"] == "1"


@pytest.mark.parametrize("brokers", [0, 2, 4, 7])
def test_brokers_vote_by_an_odd_number(brokers: int) -> None:
    assert "value must be one of 1, 3, 5" in refused({"kafka": {"brokers": brokers}}, DEMO)


def test_brokers_speak_to_each_other_where_policies_rule() -> None:
    manifests = render(DEMO, {**THREE, "flink": {"networkPolicy": {"enabled": True}}}, name="r")
    policies = manifests.by("NetworkPolicy")
    kafka = Pod(pod_template(manifests.one("StatefulSet", "r-kafka"))["metadata"]["labels"])
    jobmanager = Pod(pod_template(manifests.one("Deployment", "r-flink-jobmanager"))["metadata"]["labels"])
    assert passes(policies, kafka, kafka, 9093)
    assert passes(policies, kafka, kafka, 9092)
    assert passes(policies, jobmanager, kafka, 9092)
    assert not passes(policies, jobmanager, kafka, 9093)
