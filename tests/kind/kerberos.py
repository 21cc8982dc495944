"""A server of Kerberos in a namespace, and what those who log in by it are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ci.core import versions
from harness.cluster import Cluster
from harness.waits import wait_for
from harness.workloads import wait_ready
from tests.kind import servers

Json = dict[str, Any]
NAME = "kdc"
REALM = "EXAMPLE.COM"
CONFIG, KEYTAB = "krb5", "keytab"  # ConfigMap with krb5.conf, Secret with the keytab of all principals
FILE = "/etc/kerberos/keytab"  # where pods that log in have it
_PORT = 8800
_KRB5 = f"""[libdefaults]
default_realm = {REALM}
udp_preference_limit = 1
dns_lookup_kdc = false
dns_canonicalize_hostname = false
[realms]
{REALM} = {{
  kdc = {NAME}:{_PORT}
}}
"""
_PROPERTIES = f"""kdc.bind.address=0.0.0.0
kdc.port={_PORT}
"""


def principal(name: str) -> str:
    return f"{name}@{REALM}"


def let_log_in(pod: Json, name: str) -> None:
    """Give a pod with one container the files of a login, and Hadoop's shell in it the variables by which it logs in."""
    keytab = {"name": "keytab", "secret": {"secretName": KEYTAB}}
    pod["volumes"] += [keytab, {"name": "krb5", "configMap": {"name": CONFIG}}]
    (container,) = pod["containers"]
    container["volumeMounts"] += [
        {"name": "keytab", "mountPath": "/etc/kerberos"},
        {"name": "krb5", "mountPath": "/etc/krb5.conf", "subPath": "krb5.conf"},
    ]
    container["env"] = [{"name": "KRB5PRINCIPAL", "value": principal(name)}, {"name": "KRB5KEYTAB", "value": FILE}]


def _objects(principals: Sequence[str]) -> list[Json]:
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": CONFIG},
        "data": {"krb5.conf": _KRB5, "kdc.properties": _PROPERTIES},
    }
    main = "org.apache.hadoop.minikdc.MiniKdc"
    container = servers.container(
        NAME,
        f"hadoop:{versions.get('hadoop', 'version')}",
        ["java", "-Xmx64m", main, "/tmp", "/etc/kdc/kdc.properties", "/tmp/keytab", *principals],
        "128Mi",
        readinessProbe={"tcpSocket": {"port": _PORT}, "periodSeconds": 1},
        volumeMounts=[{"name": "config", "mountPath": "/etc/kdc"}],
    )
    spec = servers.pod_spec([container], [{"name": "config", "configMap": {"name": CONFIG}}])
    return [config, servers.service(NAME, _PORT), servers.pod(NAME, spec)]


@contextmanager
def kdc(cluster: Cluster, namespace: str, principals: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """It knows these principals while the block runs; gives the values `kerberos` of a release that is the first one of them."""
    with cluster.having(_objects(principals), namespace):
        wait_ready(cluster, namespace, NAME)
        wait_for(lambda: "created keytab" in cluster.log(namespace, NAME), timeout=60, what="the keytab")
        keytab = cluster.exec(namespace, NAME, ["base64", "-w0", "/tmp/keytab"])
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": KEYTAB}, "data": {"keytab": keytab}}
        with cluster.having([secret], namespace):
            yield {"principal": principal(principals[0]), "keytabSecret": KEYTAB, "configMap": CONFIG}
