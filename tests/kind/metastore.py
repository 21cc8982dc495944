"""Hive's metastore in a namespace, with PostgreSQL beside it for what it knows, and its warehouse on HDFS or S3."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ci.core import versions
from ci.images import images
from harness.cluster import Cluster
from harness.workloads import wait_ready
from tests.kind import hdfs, s3_store, servers

Json = dict[str, Any]
NAME = "metastore"
_PROPERTIES = {
    "javax.jdo.option.ConnectionURL": "jdbc:postgresql://localhost:5432/postgres",
    "javax.jdo.option.ConnectionDriverName": "org.postgresql.Driver",
    "javax.jdo.option.ConnectionUserName": "hive",
    "datanucleus.schema.autoCreateAll": "true",
    "metastore.schema.verification": "false",
    "metastore.expression.proxy": "org.apache.hadoop.hive.metastore.DefaultPartitionExpressionProxy",
    # The others that run by default are classes of Hive's server.
    "metastore.task.threads.always": "org.apache.hadoop.hive.metastore.events.EventCleanerTask",
}
# Localhost is trusted, others are refused.
_POSTGRES = """
test -e /data/db || initdb --pgdata=/data/db --username=hive --auth=trust --encoding=UTF8 --locale=C
exec postgres -D /data/db -k /tmp -c listen_addresses='*' -c shared_buffers=32MB
"""
_METASTORE = """
exec java -Xmx256m --add-opens=java.base/java.net=ALL-UNNAMED --add-opens=java.base/java.lang=ALL-UNNAMED \
  org.apache.hadoop.hive.metastore.HiveMetaStore -p 9083
"""


@dataclass(frozen=True)
class Warehouse:
    """Where tables are stored: `path` is the directory as `directories` takes it, which gives the names in one."""

    uri: str
    path: str
    directories: Callable[[str], set[str]]
    values: Mapping[str, Any] = field(default_factory=dict)  # of a release, beside those of values/hive.yaml
    properties: Mapping[str, str] = field(default_factory=dict)  # by which the metastore reaches it
    secret: str = ""  # with what it logs in by, as variables


@contextmanager
def on_hdfs(cluster: Cluster, namespace: str) -> Iterator[Warehouse]:
    """HDFS runs while the block does."""
    with hdfs.hdfs(cluster, namespace) as store:
        path = f"{hdfs.DIRECTORY}/warehouse"
        yield Warehouse(path, path, store.directories)


@contextmanager
def on_s3(cluster: Cluster, namespace: str) -> Iterator[Warehouse]:
    """A store that speaks S3, for the state too."""
    values = s3_store.serve(cluster, namespace)
    values["state"]["hdfs"] = {"configMap": ""}
    properties = {
        "fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "fs.s3a.endpoint": values["state"]["s3"]["endpoint"],
        "fs.s3a.endpoint.region": "us-east-1",
        "fs.s3a.path.style.access": "true",
    }
    directories = partial(s3_store.directories, cluster, namespace)
    yield Warehouse("s3://flink/warehouse", "warehouse", directories, values, properties, "s3")


def _container(name: str, script: str, memory: str, port: int, **more: Any) -> Json:
    probe = {"tcpSocket": {"port": port}, "periodSeconds": 1, "failureThreshold": 120}
    image = f"metastore:{versions.get('hive', 'version')}"
    return servers.container(name, image, ["sh", "-euc", script], memory, startupProbe=probe, **more)


def _objects(warehouse: Warehouse) -> list[Json]:
    properties = {**_PROPERTIES, **warehouse.properties, "metastore.warehouse.dir": warehouse.uri}
    files = {"metastore-site.xml": hdfs.xml(properties)}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NAME}, "data": files}
    database = _container(
        "postgres",
        _POSTGRES,
        "64Mi",
        5432,
        restartPolicy="Always",
        volumeMounts=[{"name": "data", "mountPath": "/data"}],
    )
    server = _container(
        NAME,
        _METASTORE,
        "384Mi",
        9083,
        # Whoever writes to a table makes its directories as this user.
        env=[{"name": "HADOOP_USER_NAME", "value": "flink"}],
        envFrom=[{"secretRef": {"name": warehouse.secret}}] if warehouse.secret else [],
        volumeMounts=[{"name": "config", "mountPath": "/etc/hive"}, {"name": "hadoop", "mountPath": "/etc/hadoop"}],
    )
    volumes = [
        {"name": "data", "emptyDir": {}},
        {"name": "config", "configMap": {"name": NAME}},
        {"name": "hadoop", "configMap": {"name": hdfs.CONFIG, "optional": True}},
    ]
    spec = servers.pod_spec([server], volumes, security={"fsGroup": 9999}, initContainers=[database])
    return [config, servers.service(NAME, 9083), servers.pod(NAME, spec)]


@contextmanager
def metastore(cluster: Cluster, namespace: str, warehouse: Warehouse) -> Iterator[None]:
    """It runs while the block does; the cluster is given the images of Hive."""
    images.load_named(images.on_hive())
    with cluster.having(_objects(warehouse), namespace):
        wait_ready(cluster, namespace, NAME, timeout=240)
        yield
