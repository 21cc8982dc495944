"""Reading: the topic as a table."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from kdv_job import without_jar
from kdv_job.sql import client_options, interval, table

_MIB = 2**20

_INPUT_COLUMNS = ("id", "product", "description", "price", "kdv", "timestamp_column")


def source_table(args: argparse.Namespace, kafka: Mapping[str, str], partitions: int) -> str:
    """The table `adverts`, of which a reader has up to `partitions` partitions."""
    options = {
        "connector": "kafka",
        **client_options({**_fetches(partitions), **kafka}, args.bootstrap_servers),
        "properties.group.id": args.group,
        "properties.isolation.level": "read_committed",
        "topic": args.topic,
        "scan.startup.mode": "earliest-offset",
        "scan.topic-partition-discovery.interval": f"{args.partition_discovery} ms",
        "format": args.format,
        f"{args.format}.timestamp-format.standard": args.timestamp_format,
    }
    if args.format == "checked-json":
        options["checked-json.ranges"] = "price:0..,kdv:0..1"
        options["checked-json.max-length"] = args.max_record_size
        flaws = "    flaw STRING METADATA FROM 'value.reason' VIRTUAL,\n    message BYTES METADATA FROM 'value.message' VIRTUAL,"
        time = f"advert_time(timestamp_column, received, CAST({future(args)} AS BIGINT))"
    else:
        options["json.ignore-parse-errors"] = str(args.on_error != "fail").lower()
        # What Flink could not read is null here, and the bytes are gone.
        complete = " AND ".join(f"{name} IS NOT NULL" for name in _INPUT_COLUMNS)
        fields = ", ".join(f"'{name}' VALUE {name}" for name in _INPUT_COLUMNS[:-1])
        good = f"{complete} AND price >= 0 AND kdv BETWEEN 0 AND 1"
        flaws = (
            f"    flaw AS CASE WHEN {good} THEN CAST(NULL AS STRING) ELSE 'broken' END,\n"
            f"    message AS ENCODE(JSON_OBJECT({fields}, 'timestamp_column' VALUE CAST(timestamp_column AS STRING)), 'UTF-8'),"
        )
        time = without_jar.event_time(args)
    if args.bounded:
        options["scan.bounded.mode"] = "latest-offset"
    columns = f"""    id BIGINT,
    product STRING,
    description STRING,
    price DECIMAL(18, 4),
    kdv DECIMAL(5, 4),
    timestamp_column TIMESTAMP(3),
{flaws}
    `partition` INT NOT NULL METADATA VIRTUAL,
    `offset` BIGINT NOT NULL METADATA VIRTUAL,
    received TIMESTAMP_LTZ(3) NOT NULL METADATA FROM 'timestamp' VIRTUAL,
    event_time AS {time},
    WATERMARK FOR event_time AS event_time - {interval(args.watermark_delay)}"""
    return table("adverts", columns, options)


def _fetches(partitions: int) -> dict[str, str]:
    """How much a reader asks for: 4 MiB of a partition, or what gives 16 MiB of all, and no less than Kafka's default of 1 MiB.

    A consumer asks for more of a partition when it has given out all that it had. By Kafka's defaults, 1 MiB and 500 records, a
    reader of one partition would wait for the broker a third of the time.
    """
    size = max(_MIB, min(4 * _MIB, 16 * _MIB // partitions))
    return {"max.partition.fetch.bytes": str(size), "max.poll.records": "2000"}


def future(args: argparse.Namespace) -> int:
    """Milliseconds that rows may be ahead, as the classes of Java take them: below 0 for any."""
    return -1 if args.max_future is None else args.max_future
