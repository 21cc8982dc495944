"""Reading: the topic as a table, and each record with its line of CSV or with the reason why it has none."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from kdv_job.sql import client_options, interval, table

_INPUT_COLUMNS = ("id", "product", "description", "price", "kdv", "timestamp_column")

# Parts into which the rows of a window are divided, each of which becomes one text. Not an argument: a savepoint is keyed by it.
_BUCKETS = 64


def source_table(args: argparse.Namespace, kafka: Mapping[str, str]) -> str:
    options = {
        "connector": "kafka",
        **client_options(kafka, args.bootstrap_servers),
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
    if args.bounded:
        options["scan.bounded.mode"] = "latest-offset"
    columns = f"""    id BIGINT,
    product STRING,
    description STRING,
    price DECIMAL(18, 4),
    kdv DECIMAL(5, 4),
    timestamp_column TIMESTAMP(3),
{flaws}
    `partition` INT METADATA VIRTUAL,
    `offset` BIGINT METADATA VIRTUAL,
    received TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
    event_time AS {_event_time(args)},
    WATERMARK FOR event_time AS event_time - {interval(args.watermark_delay)}"""
    return table("adverts", columns, options)


def judged_view(args: argparse.Namespace) -> str:
    """Each record with its line of CSV, or with the reason why it has none."""
    line = "advert_line(id, product, description, price, kdv)" if args.format == "checked-json" else _line_of_sql()
    reason = "COALESCE(flaw, CASE WHEN event_time IS NULL THEN 'timestamp_column: in the future' END)"
    return f"""
CREATE TEMPORARY VIEW judged AS
SELECT event_time, MOD(id, {_BUCKETS}) AS bucket, {line} AS line, {reason} AS reason, message, `partition`, `offset`
FROM adverts"""


def _event_time(args: argparse.Namespace) -> str:
    """The time of a row; none for one from the future, so that a wrong clock does not close windows."""
    # "off" is a form of the same statement, longer than any year: a savepoint fits whatever the argument.
    future = "INTERVAL '9000' YEAR(4)" if args.max_future is None else interval(args.max_future)
    # A record may claim to have been sent in any year: nothing is added to that. 0 and less stand for unknown.
    return f"""CASE
        WHEN timestamp_column <= LOCALTIMESTAMP + {future} AND
            (CAST(timestamp_column - {future} AS TIMESTAMP_LTZ(3)) <= received OR received <= TO_TIMESTAMP_LTZ(0, 3))
        THEN timestamp_column END"""


def _line_of_sql() -> str:
    """What flinkhelm.kdv.AdvertLine writes."""
    return f"""CONCAT(
        CAST(id AS STRING), ',', {_quoted("product")}, ',', {_quoted("description")}, ',',
        {_shortest("price")}, ',', {_shortest("kdv")}, ',', CAST(CAST(price * (1 + kdv) AS DECIMAL(20, 2)) AS STRING)
    )"""


def _shortest(column: str) -> str:
    """A DECIMAL column with digits after the point, as text without the zeros at its end."""
    whole = f"CAST({column} AS BIGINT)"
    text = f"CAST({column} AS STRING)"
    return f"CASE WHEN {column} = {whole} THEN CAST({whole} AS STRING) ELSE TRIM(TRAILING '0' FROM {text}) END"


def _quoted(column: str) -> str:
    return f"""'"', REPLACE({column}, '"', '""'), '"'"""
