"""HDFS in a namespace: a NameNode and a DataNode, each with a PVC, and the files by which clients find them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ci.core import versions
from harness import faults
from harness.cluster import Cluster
from harness.waits import wait_for
from harness.workloads import wait_ready
from harness_kdv import csv_output
from harness_kdv.csv_output import Snapshot

Json = dict[str, Any]
CONFIG = "hadoop"  # ConfigMap with core-site.xml and hdfs-site.xml
NAMENODE, DATANODE = "namenode", "datanode"
DIRECTORY = "/flink"  # of the user flink, in HDFS
_PORTS = {NAMENODE: 8020, DATANODE: 9866}
_CORE = {"fs.defaultFS": f"hdfs://{NAMENODE}:{_PORTS[NAMENODE]}"}
_HDFS = {
    "dfs.replication": "1",
    "dfs.namenode.name.dir": "file:///data/name",
    "dfs.datanode.data.dir": "file:///data/blocks",
    "dfs.namenode.rpc-bind-host": "0.0.0.0",
    "dfs.namenode.safemode.extension": "0",
    # Addresses of pods change, and have no names.
    "dfs.namenode.datanode.registration.ip-hostname-check": "false",
    "dfs.datanode.hostname": f"{DATANODE}-0.{DATANODE}",
    "dfs.datanode.use.datanode.hostname": "true",
    "dfs.client.use.datanode.hostname": "true",
}
# A NameNode formats its disk once.
_COMMANDS = {
    NAMENODE: "test -e /data/name/current/VERSION || java {0} -format -nonInteractive; exec java -Xmx192m {0}".format(
        "org.apache.hadoop.hdfs.server.namenode.NameNode"
    ),
    DATANODE: "exec java -Xmx192m org.apache.hadoop.hdfs.server.datanode.DataNode",
}


def _xml(properties: Mapping[str, str]) -> str:
    lines = (f"<property><name>{name}</name><value>{value}</value></property>" for name, value in properties.items())
    return f"<configuration>{''.join(lines)}</configuration>"


def _server(name: str) -> list[Json]:
    """The Service and the StatefulSet of a server."""
    labels = {"app.kubernetes.io/name": name}
    port = _PORTS[name]
    container = {
        "name": name,
        "image": f"hadoop:{versions.get('hadoop', 'version')}",
        "command": ["sh", "-euc", _COMMANDS[name]],
        "readinessProbe": {"tcpSocket": {"port": port}, "periodSeconds": 2},
        "resources": {"requests": {"cpu": "10m", "memory": "384Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "config", "mountPath": "/etc/hadoop"}],
    }
    pod = {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "fsGroup": 9999, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": CONFIG}}],
    }
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            # Servers ask for each other before they are ready.
            "spec": {"clusterIP": "None", "publishNotReadyAddresses": True, "selector": labels, "ports": [{"port": port}]},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": name},
            "spec": {
                "serviceName": name,
                "replicas": 1,
                "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete", "whenScaled": "Retain"},
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
                "volumeClaimTemplates": [claim],
            },
        },
    ]


class Hdfs:
    """What a test does with it."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster, self._namespace = cluster, namespace

    def shell(self, *arguments: str) -> str:
        """The output of Hadoop's shell, `hdfs dfs`."""
        return self._sh(_shell(*arguments))

    def _sh(self, script: str) -> str:
        return self._cluster.runner(self._namespace, f"app.kubernetes.io/name={NAMENODE}")(["sh", "-euc", script])

    def directories(self, path: str) -> set[str]:
        """The names in a directory."""
        return {line.rpartition("/")[2] for line in self.shell("-ls", "-C", path).split()}

    def output(self, path: str) -> Snapshot:
        """The rows of the KDV job in a directory; none where it is not there yet."""
        local = "/tmp/output"
        self._sh(f"rm -rf {local}; ! {_shell('-test', '-d', path)} || {_shell('-get', path, local)}")
        return csv_output.read(self._cluster.runner(self._namespace, f"app.kubernetes.io/name={NAMENODE}"), local)

    def stop_datanode(self) -> None:
        self._scale(0)
        labels = f"app.kubernetes.io/name={DATANODE}"
        pods = self._cluster.core.list_namespaced_pod
        wait_for(lambda: not pods(self._namespace, label_selector=labels).items, timeout=90, what="the DataNode to go")

    def start_datanode(self) -> None:
        self._scale(1)
        self.wait_serving(DATANODE)

    def restart_namenode(self) -> None:
        faults.kill(self._cluster, self._namespace, f"app.kubernetes.io/name={NAMENODE}", NAMENODE)
        self.wait_serving(NAMENODE)

    def wait_serving(self, *names: str) -> None:
        wait_ready(self._cluster, self._namespace, *(f"{name}-0" for name in names))

    def _scale(self, replicas: int) -> None:
        self._cluster.apps.patch_namespaced_stateful_set_scale(DATANODE, self._namespace, {"spec": {"replicas": replicas}})


def _shell(*arguments: str) -> str:
    return shlex.join(
        ["java", "-Xmx64m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "org.apache.hadoop.fs.FsShell", *arguments]
    )


@contextmanager
def hdfs(cluster: Cluster, namespace: str) -> Iterator[Hdfs]:
    """It runs while the block does, with a directory that belongs to Flink's user."""
    files = {"core-site.xml": _xml(_CORE), "hdfs-site.xml": _xml(_HDFS)}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": CONFIG}, "data": files}
    with cluster.having([config, *_server(NAMENODE), *_server(DATANODE)], namespace):
        store = Hdfs(cluster, namespace)
        store.wait_serving(NAMENODE, DATANODE)
        store.shell("-mkdir", "-p", DIRECTORY)
        store.shell("-chown", "flink", DIRECTORY)
        yield store
