"""What policies let through, beside the examples of the API's own description."""

from __future__ import annotations

from typing import Any

import pytest

from harness.policies import Address, Pod, passes, selects

WEB, OTHER = Pod({"app": "web"}), Pod({"app": "other"})
ELSEWHERE = Pod({"app": "web"}, "elsewhere", {"team": "a"})


def policy(kind: str, rules: list[dict[str, Any]], **selector: Any) -> dict[str, Any]:
    spec = {"podSelector": {"matchLabels": {"app": "web"}, **selector}, "policyTypes": [kind], kind.lower(): rules}
    return {"metadata": {"name": "p"}, "spec": spec}


def test_without_a_policy_all_passes_and_with_an_empty_one_nothing() -> None:
    assert passes([], OTHER, WEB, 80)
    assert not passes([policy("Ingress", [])], OTHER, WEB, 80)
    assert passes([policy("Ingress", [])], WEB, OTHER, 80)
    assert not passes([policy("Egress", [])], WEB, OTHER, 80)
    assert passes([policy("Ingress", [])], OTHER, ELSEWHERE, 80)


@pytest.mark.parametrize(
    ("peer", "source", "opens"),
    [
        ({"podSelector": {}}, OTHER, True),
        ({"podSelector": {"matchLabels": {"app": "web"}}}, OTHER, False),
        ({"podSelector": {}}, ELSEWHERE, False),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "elsewhere"}}}, ELSEWHERE, True),
        ({"namespaceSelector": {"matchLabels": {"team": "a"}}, "podSelector": {"matchLabels": {"app": "x"}}}, ELSEWHERE, False),
        ({"namespaceSelector": {}}, OTHER, True),
        ({"ipBlock": {"cidr": "10.0.0.0/8"}}, Address("10.1.2.3"), True),
        ({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}, Address("10.1.2.3"), False),
        ({"ipBlock": {"cidr": "10.0.0.0/8"}}, OTHER, False),
        ({"podSelector": {}}, Address("10.1.2.3"), False),
    ],
    ids=str,
)
def test_who_a_peer_is(peer: dict[str, Any], source: Pod | Address, opens: bool) -> None:
    assert passes([policy("Ingress", [{"from": [peer]}])], source, WEB, 80) is opens


@pytest.mark.parametrize(
    ("ports", "opens"),
    [
        ([], True),
        ([{"port": 80}], True),
        ([{"port": 81}], False),
        ([{"port": 70, "endPort": 90}], True),
        ([{"port": 80, "protocol": "UDP"}], False),
        ([{"protocol": "TCP"}], True),
    ],
    ids=str,
)
def test_which_ports(ports: list[dict[str, Any]], opens: bool) -> None:
    assert passes([policy("Ingress", [{"ports": ports}])], OTHER, WEB, 80) is opens


def test_policies_add_up_and_both_ends_have_to_agree() -> None:
    shut = policy("Ingress", [])
    assert passes([shut, policy("Ingress", [{"ports": [{"port": 80}]}])], OTHER, WEB, 80)
    assert not passes([policy("Egress", []), policy("Ingress", [{}])], WEB, WEB, 80)


def test_a_port_by_name_is_no_guess() -> None:
    with pytest.raises(ValueError, match="has a name"):
        passes([policy("Ingress", [{"ports": [{"port": "http"}]}])], OTHER, WEB, 80)


@pytest.mark.parametrize(
    ("expression", "takes"),
    [
        ({"operator": "In", "values": ["web"]}, True),
        ({"operator": "NotIn", "values": ["web"]}, False),
        ({"operator": "Exists"}, True),
        ({"operator": "DoesNotExist"}, False),
    ],
    ids=str,
)
def test_expressions_of_a_selector(expression: dict[str, Any], takes: bool) -> None:
    assert selects({"matchExpressions": [{"key": "app", **expression}]}, WEB.labels) is takes
