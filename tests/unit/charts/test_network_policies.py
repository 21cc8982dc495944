"""Hooks speak to the release and to Kubernetes at each of Helm's events, whatever the policies of another revision say."""

from __future__ import annotations

from typing import Any

import pytest

from ci.core.paths import DEMO, FLINK
from harness.manifests import Manifests, Object, pod_template, render
from harness.policies import Address, Pod, bound, passes

COMPONENT = "app.kubernetes.io/component"
HOOK = "helm.sh/hook"
API_SERVER = Address("192.0.2.10")
DNS = Pod({"k8s-app": "kube-dns"}, "kube-system")
STORE = Address("198.51.100.9")

JOB: dict[str, Any] = {"flink": {"type": "job"}}
ON: dict[str, Any] = {**JOB, "networkPolicy": {"enabled": True}}
# A rule that shuts the hooks out, as somebody would write it by mistake: the address of the Service.
WRONG: dict[str, Any] = {
    **JOB,
    "networkPolicy": {"enabled": True, "egress": {"apiServer": [{"to": [{"ipBlock": {"cidr": "10.96.0.1/32"}}]}]}},
}
OTHER_PORT = {**ON, "rest": {"port": 18081}}
OTHER_NAME = {**ON, "fullnameOverride": "other"}
ZOOKEEPER = {**ON, "highAvailability": {"type": "zookeeper"}}
SERVICES = {
    **JOB,
    "networkPolicy": {"enabled": True, "egress": {"services": [{"to": [{"ipBlock": {"cidr": "198.51.100.0/24"}}]}]}},
}


def revision(values: dict[str, Any] | None) -> Manifests:
    return render(FLINK, values, name="r") if values is not None else Manifests(())


def of_release(manifests: Manifests) -> list[Object]:
    return [obj for obj in manifests.by("NetworkPolicy") if HOOK not in obj["metadata"].get("annotations", {})]


def at(event: str, manifests: Manifests) -> list[Object]:
    """The policies that Helm makes for an event, before its Jobs."""
    jobs = [int(obj["metadata"]["annotations"].get("helm.sh/hook-weight", 0)) for obj in hooks(event, manifests)]
    policies = []
    for obj in manifests.by("NetworkPolicy"):
        annotations = obj["metadata"].get("annotations", {})
        if event in annotations.get(HOOK, "").split(","):
            assert int(annotations["helm.sh/hook-weight"]) < min(jobs, default=0)
            assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded,hook-failed"
            policies.append(obj)
    return policies


def hooks(event: str, manifests: Manifests) -> list[Object]:
    return [obj for obj in manifests.by("Job") if event in obj["metadata"].get("annotations", {}).get(HOOK, "").split(",")]


def pod(manifests: Manifests, component: str) -> tuple[Pod, dict[str, int]]:
    """The pod of a Deployment, and its ports."""
    (template,) = [
        pod_template(obj) for obj in manifests.by("Deployment") if pod_template(obj)["metadata"]["labels"][COMPONENT] == component
    ]
    ports = {port["name"]: port["containerPort"] for port in template["spec"]["containers"][0]["ports"]}
    return Pod(template["metadata"]["labels"]), ports


# Helm's event -> which revision's objects are there, of the one before and the coming one, whose hooks run.
BEFORE = {"pre-upgrade": "before", "pre-rollback": "before", "post-upgrade": "after", "post-rollback": "after"}
CHANGES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("on", JOB, ON),
    ("off", ON, JOB),
    ("again", ON, ON),
    ("another port", ON, OTHER_PORT),
    ("another port, and on", JOB, OTHER_PORT),
    ("another name", ON, OTHER_NAME),
    ("ZooKeeper comes", ON, ZOOKEEPER),
    ("ZooKeeper goes", ZOOKEEPER, ON),
    ("a wrong rule is corrected", WRONG, ON),
    ("a wrong rule is taken away", WRONG, JOB),
    ("hooks come", {**ON, "hooks": {"enabled": False}}, ON),
    ("no longer bounded", {**ON, "job": {"bounded": True}}, ON),
]


@pytest.mark.parametrize("event", BEFORE)
@pytest.mark.parametrize(("first", "second"), [change[1:] for change in CHANGES], ids=[change[0] for change in CHANGES])
def test_hooks_of_the_coming_revision_are_not_shut_out(event: str, first: dict[str, Any], second: dict[str, Any]) -> None:
    coming, there = revision(second), revision(first if BEFORE[event] == "before" else second)
    policies = [*of_release(there), *at(event, coming)]
    ran = hooks(event, coming)
    assert ran
    for job in ran:
        hook = Pod(pod_template(job)["metadata"]["labels"])
        assert passes(policies, hook, API_SERVER, 6443)
        assert passes(policies, hook, DNS, 53, "UDP")
        if there.by("Deployment"):  # a bounded job has none
            jobmanager, ports = pod(there, "jobmanager")
            assert passes(policies, hook, jobmanager, ports["rest"])
        if there.by("Deployment", "r-flink-zookeeper") and coming.by("Deployment", "r-flink-zookeeper"):
            zookeeper, ports = pod(there, "zookeeper")
            assert passes(policies, hook, zookeeper, ports["client"])


@pytest.mark.parametrize("event", ["pre-install", "post-install", "pre-delete", "post-delete"])
def test_hooks_get_out_while_nothing_else_is_there_and_the_namespace_denies(event: str) -> None:
    values = {**ON, "job": {"savepointOnUninstall": True}, "storage": {"keep": True}}
    manifests = revision(values)
    deny = {"metadata": {"name": "deny"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}}
    (job,) = hooks(event, manifests)
    hook = Pod(pod_template(job)["metadata"]["labels"])
    assert not passes([deny], hook, API_SERVER, 6443)
    assert passes([deny, *at(event, manifests)], hook, API_SERVER, 6443)


def test_between_operations_savepoints_are_bound_and_hooks_by_nothing() -> None:
    manifests = revision(SERVICES)
    (cron,) = manifests.by("CronJob")
    savepoint = Pod(pod_template(cron)["metadata"]["labels"])
    policies = of_release(manifests)
    jobmanager, ports = pod(manifests, "jobmanager")
    assert passes(policies, savepoint, API_SERVER, 6443)
    assert passes(policies, savepoint, jobmanager, ports["rest"])
    assert not passes(policies, savepoint, jobmanager, ports["rpc"])
    assert not passes(policies, savepoint, Pod({"app": "other"}), 80)
    for job in hooks("pre-upgrade", manifests):
        hook = Pod(pod_template(job)["metadata"]["labels"])
        assert not bound(policies, hook, "Egress")
        assert not bound(policies, hook, "Ingress")
        during = [*policies, *at("pre-upgrade", manifests)]
        assert bound(during, hook, "Egress")
        assert bound(during, hook, "Ingress")
        assert passes(during, hook, STORE, 443)
        assert not passes(during, hook, jobmanager, ports["rpc"])


def test_templates_are_rendered_in_peers_and_rules() -> None:
    peer = {"podSelector": {"matchLabels": {"app": "{{ .Release.Name }}-portal"}}}
    rule = {"to": [{"namespaceSelector": {"matchLabels": {"team": "{{ .Release.Namespace }}"}}}], "ports": [{"port": 9092}]}
    walls = {"enabled": True, "ingress": {"rest": [peer]}, "egress": {"services": [rule]}}
    text = str(render(FLINK, {"networkPolicy": walls}, name="r").by("NetworkPolicy"))
    assert "'r-portal'" in text
    assert "{'team': 'default'}" in text


def test_the_demo_lets_its_own_pods_to_brokers_elsewhere() -> None:
    rule = {"to": [{"ipBlock": {"cidr": "198.51.100.0/24"}}], "ports": [{"port": 9092}]}
    values = {
        "kafka": {"enabled": False},
        "global": {"kafka": {"bootstrapServers": "k:9092"}},
        "flink": {"networkPolicy": {"enabled": True, "egress": {"services": [rule]}}},
    }
    manifests = render(DEMO, values, name="r")
    for job in [obj for obj in manifests.by("Job") if HOOK not in obj["metadata"].get("annotations", {})]:
        assert passes(manifests.by("NetworkPolicy"), Pod(pod_template(job)["metadata"]["labels"]), STORE, 9092)
