"""A ZooKeeper beside a release that speaks nothing but TLS, and knows its clients by their certificates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness.certificates import Authority
from harness.cluster import Cluster
from harness.workloads import wait_ready
from tests.kind.installs import NEW

NAME = "quorum"
PORT = 2281
_SHADED = "org.apache.flink.shaded.zookeeper3.org.apache.zookeeper"
_CONFIG = f"""
dataDir=/tmp/data
admin.enableServer=false
secureClientPort={PORT}
serverCnxnFactory={_SHADED}.server.NettyServerCnxnFactory
ssl.keyStore.location=/tmp/keystore.pem
ssl.trustStore.location=/etc/zookeeper/ca.crt
ssl.trustStore.type=PEM
authProvider.x509={_SHADED}.server.auth.X509AuthenticationProvider
"""
# Flink's own classes of it, as the chart's ZooKeeper has them.
_START = f"""
cat /etc/zookeeper/tls.key /etc/zookeeper/tls.crt >/tmp/keystore.pem
exec java -Xmx64m -cp '/opt/flink/lib/*' {_SHADED}.server.ZooKeeperServerMain /etc/zookeeper/zoo.cfg
"""


@contextmanager
def locked(cluster: Cluster, namespace: str, authority: Authority) -> Iterator[dict[str, Any]]:
    """The value `highAvailability` for it, and the Secret that this names; it is there while the block runs."""
    labels = {"app": NAME}
    metadata = {"name": NAME, "labels": labels}
    container = {
        "name": "zookeeper",
        "image": f"flink-kdv:{NEW}",
        "command": ["bash", "-c", _START],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "files", "mountPath": "/etc/zookeeper"}],
    }
    spec = {
        "containers": [container],
        "securityContext": {"runAsNonRoot": True, "runAsUser": 9999, "seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": 0,
        "volumes": [{"name": "files", "secret": {"secretName": NAME}}],
    }
    server = {**authority.issue([NAME], name="server"), "zoo.cfg": _CONFIG}
    client = authority.issue(["client"], name="flink")
    objects: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": server},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"{NAME}-client"}, "stringData": client},
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"selector": labels, "ports": [{"port": PORT}]}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec},
    ]

    with cluster.having(objects, namespace):
        wait_ready(cluster, namespace, NAME)
        yield {"type": "zookeeper", "zookeeper": {"quorum": f"{NAME}:{PORT}", "tls": {"secretName": f"{NAME}-client"}}}
