"""What NetworkPolicies let through, worked out from their text as the API describes them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Pod:
    """A pod as policies see it. A namespace has its own name as a label, and perhaps more."""

    labels: Mapping[str, str]
    namespace: str = "default"
    namespace_labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def of_namespace(self) -> Mapping[str, str]:
        return {"kubernetes.io/metadata.name": self.namespace, **self.namespace_labels}


@dataclass(frozen=True)
class Address:
    """An address that is no pod's."""

    ip: str


End = Pod | Address


def selects(selector: Object, labels: Mapping[str, str]) -> bool:
    """Whether a label selector takes these labels; an empty one takes all."""
    if not selector.get("matchLabels", {}).items() <= labels.items():
        return False
    for one in selector.get("matchExpressions", []):
        there, value = one["key"] in labels, labels.get(one["key"])
        matches = {
            "In": value in one.get("values", []),
            "NotIn": value not in one.get("values", []),
            "Exists": there,
            "DoesNotExist": not there,
        }
        if not matches[one["operator"]]:
            return False
    return True


def _is_peer(peer: Object, end: End, namespace: str) -> bool:
    if isinstance(end, Address):
        if "ipBlock" not in peer:
            return False
        address, block = ipaddress.ip_address(end.ip), peer["ipBlock"]
        excepted = any(address in ipaddress.ip_network(net) for net in block.get("except", []))
        return address in ipaddress.ip_network(block["cidr"]) and not excepted
    if "ipBlock" in peer:
        return False  # the pods' addresses are not known here
    here = selects(peer["namespaceSelector"], end.of_namespace) if "namespaceSelector" in peer else end.namespace == namespace
    return here and selects(peer.get("podSelector", {}), end.labels)


def _is_port(given: Object, port: int, protocol: str) -> bool:
    if given.get("protocol", "TCP") != protocol:
        return False
    number = given.get("port")
    if isinstance(number, str):
        raise ValueError(f"port {number!r} has a name: which number it is, only the pod knows")
    return number is None or number <= port <= given.get("endPort", number)


def bound(policies: Iterable[Object], pod: Pod, direction: str) -> list[Object]:
    """The policies of a direction (Ingress or Egress) that select the pod; without any it is open."""
    return [
        policy
        for policy in policies
        if direction in policy["spec"]["policyTypes"]
        and policy["metadata"].get("namespace", "default") == pod.namespace
        and selects(policy["spec"]["podSelector"], pod.labels)
    ]


def _open(policies: Iterable[Object], pod: End, other: End, direction: str, port: int, protocol: str) -> bool:
    if isinstance(pod, Address):
        return True
    shut = bound(policies, pod, direction)
    key = "from" if direction == "Ingress" else "to"
    return not shut or any(
        (not rule.get(key) or any(_is_peer(peer, other, pod.namespace) for peer in rule[key]))
        and (not rule.get("ports") or any(_is_port(given, port, protocol) for given in rule["ports"]))
        for policy in shut
        for rule in policy["spec"].get(direction.lower(), [])
    )


def passes(policies: Iterable[Object], source: End, target: End, port: int, protocol: str = "TCP") -> bool:
    """Whether the one may connect to a port of the other: its own policies let it out, and the other's let it in.

    Policies without a namespace are those of `default`. An ipBlock takes no pod.
    """
    policies = list(policies)
    out = _open(policies, source, target, "Egress", port, protocol)
    return out and _open(policies, target, source, "Ingress", port, protocol)
