"""The pod network over several nodes of our node image, whose own configuration serves the pods of one node.

Each node gives its pods addresses of the subnet that Kubernetes gave the node, and a unit of its systemd keeps the routes to
those of the others. Both are files of the node, so they outlive its restart. The published node image has a network of its own
and needs none of this.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from pathlib import Path

from ci.core.console import run
from ci.core.paths import IMAGES

_CNI = IMAGES / "node" / "files" / "etc" / "cni" / "net.d" / "10-ptp.conflist"
_ROUTES = Path(__file__).with_name("pod-routes.sh")
_UNIT = "pod-routes.service"
_PODS = "10.244.0.0/16"  # kind's default


def cni(subnet: str) -> str:
    """The node's CNI configuration with addresses of `subnet`; pods reach the pods of all nodes under their own addresses."""
    gateway, *_, last = ipaddress.ip_network(subnet).hosts()
    config = json.loads(_CNI.read_text())
    # What is inside `subnet` here is not masqueraded, so it is the subnet of all pods.
    addresses = {"subnet": _PODS, "rangeStart": str(gateway + 1), "rangeEnd": str(last), "gateway": str(gateway)}
    config["plugins"][0]["ipam"]["ranges"] = [[addresses]]
    return json.dumps(config, indent=2) + "\n"


def unit(node: str, subnets: Mapping[str, str]) -> str:
    """The unit that keeps `node`'s routes to the subnets {node: subnet} of the others."""
    peers = [f"{subnet}={name}" for name, subnet in sorted(subnets.items()) if name != node]
    service = f"[Service]\nExecStart=/kind/{_ROUTES.name} {' '.join(peers)}\nRestart=always\n"
    return f"[Unit]\nDescription=Routes to the pods of the other nodes\n{service}[Install]\nWantedBy=multi-user.target\n"


def _write(node: str, path: str, text: str, mode: str = "644") -> None:
    # Whole or not at all: containerd takes what it finds in the directory at any moment.
    script = 'cat >"$0.new" && chmod "$1" "$0.new" && mv "$0.new" "$0"'
    run(["docker", "exec", "--interactive", node, "sh", "-c", script, path, mode], stdin=text)


def connect(subnets: Mapping[str, str]) -> None:
    """Connect the pods of the nodes {name: its podCIDR}; pods that a node runs already keep their addresses."""
    for node, subnet in subnets.items():
        _write(node, f"/etc/cni/net.d/{_CNI.name}", cni(subnet))
        _write(node, f"/kind/{_ROUTES.name}", _ROUTES.read_text(), "755")
        _write(node, f"/etc/systemd/system/{_UNIT}", unit(node, subnets))
        script = f"systemctl daemon-reload && systemctl enable --quiet {_UNIT} && systemctl restart {_UNIT}"
        run(["docker", "exec", node, "sh", "-c", script])
