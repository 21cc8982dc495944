"""Tables of a Hive metastore: SQL, Python and clients of Hive read and write them, in batches and as a stream, and read what Hive
wrote."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from typing import Any

import pytest
import yaml
from pyhive import hive

from ci.core.paths import FLINK, VALUES
from harness import faults, network
from harness.cluster import Cluster
from harness.helm import Helm, merged
from harness.release import FlinkRelease
from harness.waits import wait_for
from tests.kind import metastore
from tests.kind.installs import Install
from tests.kind.sql_gateway import Gateway

pytestmark = [pytest.mark.platform, pytest.mark.full]

Place = Callable[[Cluster, str], AbstractContextManager[metastore.Warehouse]]

SALES = 3000  # one in six seconds of event time: five hours
HOURS = {f"{hour:02}": [*range(600 * index, 600 * (index + 1))] for index, hour in enumerate(range(8, 13))}
# A partition is committed when the watermark has passed its end.
STREAM = f"""
CREATE TABLE IF NOT EXISTS hive.shop.sales (n BIGINT, `day` STRING, `hour` STRING) PARTITIONED BY (`day`, `hour`) WITH (
  'connector' = 'hive', 'hive.storage.file-format' = 'parquet',
  'partition.time-extractor.timestamp-pattern' = '$day $hour:00:00',
  'sink.partition-commit.trigger' = 'partition-time',
  'sink.partition-commit.delay' = '1 h',
  'sink.partition-commit.policy.kind' = 'metastore,success-file'
);
CREATE TEMPORARY TABLE numbers (n BIGINT, moment AS TO_TIMESTAMP_LTZ(1716192000000 + n * 6000, 3), WATERMARK FOR moment AS moment)
WITH (
  'connector' = 'datagen', 'rows-per-second' = '50',
  'fields.n.kind' = 'sequence', 'fields.n.start' = '0', 'fields.n.end' = '{SALES - 1}'
);
INSERT INTO hive.shop.sales SELECT n, DATE_FORMAT(moment, 'yyyy-MM-dd'), DATE_FORMAT(moment, 'HH') FROM numbers;
"""
TOTALS = """
from pyflink.table import EnvironmentSettings, TableEnvironment

table_env = TableEnvironment.create(EnvironmentSettings.in_batch_mode())
table_env.execute_sql("CREATE CATALOG hive WITH ('type' = 'hive', 'hive-conf-dir' = '/opt/flink/hive')")
table_env.execute_sql("CREATE TABLE hive.shop.totals (`hour` STRING, n BIGINT) WITH ('connector' = 'hive')")
table_env.execute_sql("INSERT INTO hive.shop.totals SELECT `hour`, SUM(n) FROM hive.shop.sales GROUP BY `hour`")
"""
# By Hive's own classes, in a JVM that py4j starts: a table in the metastore, and a file of Hive's ORC writer.
WRITTEN = {1: "elma", 2: "armut"}
BY_HIVE = f"""
from py4j.java_gateway import get_field, set_field
from pyflink.java_gateway import get_gateway

java = get_gateway().jvm
ql, path = java.org.apache.hadoop.hive.ql, java.org.apache.hadoop.fs.Path
conf = java.org.apache.hadoop.hive.conf.HiveConf()
conf.addResource(path("file:///opt/flink/hive/hive-site.xml"))
table = ql.metadata.Table("shop", "written")
for name, kind in (("n", "bigint"), ("fruit", "string")):
    table.getCols().add(java.org.apache.hadoop.hive.metastore.api.FieldSchema(name, kind, ""))
table.setInputFormatClass("org.apache.hadoop.hive.ql.io.orc.OrcInputFormat")
table.setOutputFormatClass("org.apache.hadoop.hive.ql.io.orc.OrcOutputFormat")
table.setSerializationLib("org.apache.hadoop.hive.ql.io.orc.OrcSerde")
client = java.org.apache.hadoop.hive.metastore.HiveMetaStoreClient(conf)
client.createTable(table.getTTable())
location = client.getTable("shop", "written").getSd().getLocation()
columns = java.org.apache.orc.TypeDescription.fromString("struct<n:bigint,fruit:string>")
writer = java.org.apache.orc.OrcFile.createWriter(
    path(location + "/000000_0"), java.org.apache.orc.OrcFile.writerOptions(conf).setSchema(columns)
)
batch = columns.createRowBatch()
rows = {WRITTEN}
numbers, fruits = get_field(batch, "cols")
for index, (n, fruit) in enumerate(rows.items()):
    get_field(numbers, "vector")[index] = n
    fruits.setVal(index, fruit.encode())
set_field(batch, "size", len(rows))
writer.addRowBatch(batch)
writer.close()
"""


def from_hive(flink: FlinkRelease, statements: list[str]) -> list[tuple[Any, ...]]:
    """What a client of Hive gets for the last of them, in a session of its own."""
    with (
        network.port_forward(flink.cluster, flink.namespace, f"service/{flink.name}-flink-sql-gateway", 10000) as port,
        closing(hive.connect("127.0.0.1", port, auth="NOSASL")) as connection,
        closing(connection.cursor()) as cursor,
    ):
        for statement in statements:
            cursor.execute(statement)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def job(flink: FlinkRelease, name: str) -> str:
    (job,) = (job["jid"] for job in flink.rest.jobs() if job["name"] == name)
    return str(job)


@pytest.mark.parametrize("place", [metastore.on_hdfs, metastore.on_s3])
def test_tables_in_hive(install: Install, helm: Helm, cluster: Cluster, namespace: str, place: Place) -> None:
    with place(cluster, namespace) as warehouse, metastore.metastore(cluster, namespace, warehouse):
        values = merged(yaml.safe_load((VALUES / "hive.yaml").read_text()), warehouse.values)
        values["state"]["checkpointing"] = {"interval": "2 s"}
        flink = install("lake", values=values)
        gateway = Gateway(flink)
        assert {name for (name,) in gateway.rows("SHOW CATALOGS")} == {"default_catalog", "hive"}
        gateway.rows("CREATE DATABASE hive.shop")

        for form in ("orc", "parquet"):
            table = f"hive.shop.squares_{form}"
            options = f"'connector' = 'hive', 'hive.storage.file-format' = '{form}'"
            gateway.rows(f"CREATE TABLE {table} (n BIGINT, square DECIMAL(9, 2)) WITH ({options})")
            gateway.rows(f"INSERT INTO {table} VALUES (1, 1.00), (2, 4.00), (3, 9.00)")
            assert sorted(gateway.rows(f"SELECT * FROM {table}")) == [[1, 1], [2, 4], [3, 9]]

        flink.jobmanager(["python3", "-"], stdin=BY_HIVE, timeout=180)
        assert dict(gateway.rows("SELECT * FROM hive.shop.written")) == WRITTEN

        statements = [
            "CREATE TABLE shop.prices (fruit STRING, price DECIMAL(9, 2)) STORED AS PARQUET",
            "INSERT INTO shop.prices VALUES ('elma', 12.50), ('armut', 20), ('elma', 13.50)",
            "SELECT fruit, sort_array(collect_list(cast(price * 100 AS INT))) FROM shop.prices GROUP BY fruit ORDER BY fruit",
        ]
        assert from_hive(flink, statements) == [("armut", "[2000]"), ("elma", "[1250,1350]")]
        prices = "SELECT w.n, SUM(p.price) FROM hive.shop.prices p JOIN hive.shop.written w ON p.fruit = w.fruit GROUP BY w.n"
        assert sorted(gateway.rows(prices)) == [[1, 26], [2, 20]]

        # A stream: the first hours are there while it runs, and all of them once, although a TaskManager is killed.
        values["files"] = {"sales.sql": STREAM, "totals.py": TOTALS}
        values["session"] = {"jobs": [{"name": "sales", "sql": {"file": "sales.sql"}}]}
        helm.upgrade("lake", FLINK, values, namespace=namespace)
        sales = job(flink, "sales")
        directory = f"{warehouse.path}/shop.db/sales/day=2024-05-20"

        def committed(hour: str) -> bool:
            return "_SUCCESS" in warehouse.directories(f"{directory}/hour={hour}")

        wait_for(lambda: committed("08"), timeout=120, what="the first hour")
        assert flink.rest.job(sales)["state"] == "RUNNING"
        faults.kill(cluster, namespace, flink.selector("taskmanager"), "taskmanager")
        flink.rest.wait_finished(sales, timeout=240)
        assert flink.rest.checkpoints(sales)["latest"]["restored"] is not None
        assert all(map(committed, HOURS))
        rows = gateway.rows("SELECT `hour`, n FROM hive.shop.sales WHERE `day` = '2024-05-20'")
        assert sorted(map(tuple, rows)) == [(hour, n) for hour, numbers in HOURS.items() for n in numbers]

        values["session"]["jobs"].append({"name": "totals", "python": {"file": "totals.py"}})
        helm.upgrade("lake", FLINK, values, namespace=namespace)
        flink.rest.wait_finished(job(flink, "totals"), timeout=240)
        assert dict(gateway.rows("SELECT * FROM hive.shop.totals")) == {hour: sum(numbers) for hour, numbers in HOURS.items()}
        helm.uninstall("lake", namespace=namespace)
