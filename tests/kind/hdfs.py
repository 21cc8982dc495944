"""HDFS in a namespace: a NameNode, or the two of a nameservice, a DataNode, and the files by which clients find them."""

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
from tests.kind import kerberos, servers

Json = dict[str, Any]
CONFIG = "hadoop"  # ConfigMap with core-site.xml and hdfs-site.xml
NAMENODE, DATANODE, JOURNAL = "namenode", "datanode", "journal"
DIRECTORY = "/flink"  # of the user flink, in HDFS
_PORTS = {NAMENODE: 8020, DATANODE: 9866, JOURNAL: 8485}
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
# Two NameNodes under one name, which only the files tell; what one does the other reads from a journal.
_SERVICE = "lake"
_TWO = {
    **_HDFS,
    "dfs.nameservices": _SERVICE,
    f"dfs.ha.namenodes.{_SERVICE}": "0,1",
    **{f"dfs.namenode.rpc-address.{_SERVICE}.{n}": f"{NAMENODE}-{n}.{NAMENODE}:{_PORTS[NAMENODE]}" for n in (0, 1)},
    f"dfs.client.failover.proxy.provider.{_SERVICE}": (
        "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider"
    ),
    "dfs.namenode.shared.edits.dir": f"qjournal://{JOURNAL}:{_PORTS[JOURNAL]}/{_SERVICE}",
    "dfs.journalnode.edits.dir": "/data/journal",
    "dfs.ha.fencing.methods": "shell(/bin/true)",
}
# A NameNode and a DataNode that know clients by Kerberos. Their ports are not below 1024, by which Hadoop would trust them.
_USERS = {NAMENODE: f"hdfs/{NAMENODE}", DATANODE: f"hdfs/{DATANODE}"}
_WEB = f"HTTP/{NAMENODE}"
PRINCIPALS = (*_USERS.values(), _WEB)
_SECURE_CORE = {**_CORE, "hadoop.security.authentication": "kerberos"}
_SECURE = {
    **_HDFS,
    **{f"dfs.{name}.kerberos.principal": kerberos.principal(user) for name, user in _USERS.items()},
    **{f"dfs.{name}.keytab.file": kerberos.FILE for name in _USERS},
    "dfs.web.authentication.kerberos.principal": kerberos.principal(_WEB),
    "dfs.web.authentication.kerberos.keytab": kerberos.FILE,
    "dfs.block.access.token.enable": "true",
    "dfs.data.transfer.protection": "authentication",
    "ignore.secure.ports.for.testing": "true",
}
_NAMENODE_CLASS = "org.apache.hadoop.hdfs.server.namenode.NameNode"
# A NameNode formats its disk once.
_COMMANDS = {
    NAMENODE: f"test -e /data/name/current/VERSION || java {_NAMENODE_CLASS} -format -nonInteractive\n"
    f"exec java -Xmx192m {_NAMENODE_CLASS}",
    DATANODE: "exec java -Xmx192m org.apache.hadoop.hdfs.server.datanode.DataNode",
    JOURNAL: "exec java -Xmx128m org.apache.hadoop.hdfs.qjournal.server.JournalNode",
}
# The first one of two formats its disk and the journal, the other copies what the first has.
_EACH_OF_TWO = f"""
server="{_NAMENODE_CLASS} -Ddfs.ha.namenode.id=${{HOSTNAME##*-}}"
case $HOSTNAME in *-0) begin=-format ;; *) begin=-bootstrapStandby ;; esac
until test -e /data/name/current/VERSION || java $server $begin -nonInteractive; do sleep 2; done
exec java -Xmx192m $server
"""


def xml(properties: Mapping[str, str]) -> str:
    """A file of properties as Hadoop and Hive read it."""
    lines = (f"<property><name>{name}</name><value>{value}</value></property>" for name, value in properties.items())
    return f"<configuration>{''.join(lines)}</configuration>"


def _server(name: str, replicas: int = 1, *, user: str = "") -> list[Json]:
    """The Service and the StatefulSet of a server, which logs in as this user."""
    command = _EACH_OF_TWO if replicas > 1 else _COMMANDS[name]
    port = _PORTS[name]
    container = servers.container(
        name,
        f"hadoop:{versions.get('hadoop', 'version')}",
        ["sh", "-euc", command],
        "384Mi",
        readinessProbe={"tcpSocket": {"port": port}, "periodSeconds": 2},
        volumeMounts=[{"name": "data", "mountPath": "/data"}, {"name": "config", "mountPath": "/etc/hadoop"}],
    )
    pod = servers.pod_spec([container], [{"name": "config", "configMap": {"name": CONFIG}}], security={"fsGroup": 9999})
    if user:
        kerberos.let_log_in(pod, user)
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    return [
        # Servers ask for each other before they are ready.
        servers.service(name, port, clusterIP="None", publishNotReadyAddresses=True),
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": name},
            "spec": {
                "serviceName": name,
                "replicas": replicas,
                "podManagementPolicy": "Parallel",
                "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete", "whenScaled": "Retain"},
                "selector": {"matchLabels": servers.labels(name)},
                "template": {"metadata": {"labels": servers.labels(name)}, "spec": pod},
                "volumeClaimTemplates": [claim],
            },
        },
    ]


class Hdfs:
    """What a test does with it."""

    def __init__(self, cluster: Cluster, namespace: str, shell: str = NAMENODE) -> None:
        """`shell`: the server in whose pod commands run."""
        self._cluster, self._namespace = cluster, namespace
        self._run = cluster.runner(namespace, f"app.kubernetes.io/name={shell}")

    def shell(self, *arguments: str) -> str:
        """The output of Hadoop's shell, `hdfs dfs`."""
        return self._sh(_shell(*arguments))

    def anonymous(self, *arguments: str) -> str:
        """The same by somebody who does not log in."""
        return self._sh(f"unset KRB5PRINCIPAL KRB5KEYTAB; {_shell(*arguments)} 2>&1")

    def owners(self, path: str) -> set[str]:
        """The users that files in a directory belong to."""
        return set(self.shell("-stat", "%u", f"{path}/*").split())

    def _sh(self, script: str) -> str:
        return self._run(["sh", "-euc", script])

    def directories(self, path: str) -> set[str]:
        """The names in a directory."""
        return {line.rpartition("/")[2] for line in self.shell("-ls", "-C", path).split()}

    def output(self, path: str) -> Snapshot:
        """The rows of the KDV job in a directory; none where it is not there yet."""
        local = "/tmp/output"
        self._sh(f"rm -rf {local}; ! {_shell('-test', '-d', path)} || {_shell('-get', path, local)}")
        return csv_output.read(self._run, local)

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

    def activate(self, namenode: int, *options: str) -> None:
        """Let one of two NameNodes serve; what its own clients are told by hand."""
        self._sh(_java("org.apache.hadoop.hdfs.tools.DFSHAAdmin", "-transitionToActive", *options, str(namenode)))

    def fail_over(self) -> None:
        """The NameNode that serves, the first one, is killed, and the other one takes over."""
        faults.kill_in(self._cluster, self._namespace, f"{NAMENODE}-0", NAMENODE)
        self.activate(1, "--forceactive")

    def wait_serving(self, *names: str) -> None:
        wait_ready(self._cluster, self._namespace, *(f"{name}-0" for name in names))

    def _scale(self, replicas: int) -> None:
        self._cluster.apps.patch_namespaced_stateful_set_scale(DATANODE, self._namespace, {"spec": {"replicas": replicas}})


def _shell(*arguments: str) -> str:
    return _java("org.apache.hadoop.fs.FsShell", *arguments)


def _java(*arguments: str) -> str:
    return shlex.join(["java", "-Xmx64m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", *arguments])


def _files(core: Mapping[str, str], hdfs_site: Mapping[str, str]) -> Json:
    files = {"core-site.xml": xml(core), "hdfs-site.xml": xml(hdfs_site)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": CONFIG}, "data": files}


def _with_directory(store: Hdfs, owner: str = "flink") -> Hdfs:
    """With a directory that belongs to this user, by default that of Flink's process."""
    store.shell("-mkdir", "-p", DIRECTORY)
    store.shell("-chown", owner, DIRECTORY)
    return store


@contextmanager
def hdfs(cluster: Cluster, namespace: str) -> Iterator[Hdfs]:
    """It runs while the block does."""
    with cluster.having([_files(_CORE, _HDFS), *_server(NAMENODE), *_server(DATANODE)], namespace):
        store = Hdfs(cluster, namespace)
        store.wait_serving(NAMENODE, DATANODE)
        yield _with_directory(store)


@contextmanager
def secure(cluster: Cluster, namespace: str, owner: str) -> Iterator[Hdfs]:
    """The same beside a server of Kerberos that knows PRINCIPALS: whoever does not log in is refused."""
    servers = [obj for name, user in _USERS.items() for obj in _server(name, user=user)]
    with cluster.having([_files(_SECURE_CORE, _SECURE), *servers], namespace):
        store = Hdfs(cluster, namespace)
        store.wait_serving(NAMENODE, DATANODE)
        yield _with_directory(store, owner)


@contextmanager
def nameservice(cluster: Cluster, namespace: str) -> Iterator[Hdfs]:
    """The same with two NameNodes, of which the first one serves."""
    config = _files({"fs.defaultFS": f"hdfs://{_SERVICE}"}, _TWO)
    with cluster.having([config, *_server(JOURNAL), *_server(NAMENODE, 2), *_server(DATANODE)], namespace):
        store = Hdfs(cluster, namespace, JOURNAL)
        wait_ready(cluster, namespace, f"{JOURNAL}-0", f"{NAMENODE}-0", f"{NAMENODE}-1", f"{DATANODE}-0", timeout=240)
        store.activate(0)
        yield _with_directory(store)
