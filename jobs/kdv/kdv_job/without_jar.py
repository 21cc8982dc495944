"""On an image without our jar: what its classes do, by Flink alone. docs/kdv-job.md says what is lost."""

from __future__ import annotations

import argparse
from typing import Any

from kdv_job.sql import interval


def add_windows(environment: Any, args: argparse.Namespace, buckets: int) -> None:
    """The views closed, broken and late."""
    from pyflink.java_gateway import get_gateway

    # Through a stream: the planner would judge a record once for each view, by another clock each time.
    stream = environment._j_tenv.toDataStream(environment.sql_query(_judged(buckets))._j_table)
    schema = (
        get_gateway().jvm.org.apache.flink.table.api.Schema.newBuilder().watermark("event_time", "SOURCE_WATERMARK()").build()
    )
    environment._j_tenv.createTemporaryView("judged", stream, schema)
    for statement in views(args):
        environment.execute_sql(statement)


def event_time(args: argparse.Namespace) -> str:
    """The time of a row; none for one from the future, so that a wrong clock does not close windows."""
    # "off" is a form of the same statement, longer than any year: the planner numbers operators by the form.
    future = "INTERVAL '9000' YEAR(4)" if args.max_future is None else interval(args.max_future)
    # A record may claim to have been sent in any year: nothing is added to that. 0 and less stand for unknown.
    return f"""CASE
        WHEN timestamp_column <= LOCALTIMESTAMP + {future} AND
            (CAST(timestamp_column - {future} AS TIMESTAMP_LTZ(3)) <= received OR received <= TO_TIMESTAMP_LTZ(0, 3))
        THEN timestamp_column END"""


def _judged(buckets: int) -> str:
    """Each record with its line of CSV, or with the reason why it has none."""
    reason = "COALESCE(flaw, CASE WHEN event_time IS NULL THEN 'timestamp_column: in the future' END)"
    # As a plain timestamp: broken records have none, which Flink takes for an error in the time of its own.
    return f"""
SELECT CAST(event_time AS TIMESTAMP(3)) AS event_time, MOD(id, {buckets}) AS bucket, {_line()} AS line, {reason} AS reason,
    message, `partition`, `offset`
FROM adverts"""


def _line() -> str:
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


def views(args: argparse.Namespace) -> list[str]:
    """What flinkhelm.windows.Windows makes."""
    start = """CONCAT(',"', DATE_FORMAT(window_start, 'yyyy-MM-dd HH:mm:ss'), '"')"""
    reject = "message, reason, `partition`, `offset`"
    return [
        f"CREATE TEMPORARY VIEW broken AS SELECT {reject} FROM judged WHERE reason IS NOT NULL",
        f"""
CREATE TEMPORARY VIEW late AS
SELECT message, 'late: its window was closed' AS reason, `partition`, `offset`
FROM judged WHERE reason IS NULL AND ({_late(args)}) IS TRUE""",
        # ARRAY_EXCEPT drops copies with a hash set, where ARRAY_DISTINCT compares each with each.
        f"""
CREATE TEMPORARY VIEW closed AS
SELECT CONCAT(ARRAY_JOIN(lines, CONCAT({start}, '\n')), {start}) AS csv
FROM (
    SELECT window_start, ARRAY_EXCEPT(ARRAY_AGG(line), ARRAY[CAST('' AS STRING)]) AS lines
    FROM TABLE(TUMBLE(
        (SELECT event_time, bucket, line FROM judged WHERE reason IS NULL AND ({_late(args)}) IS NOT TRUE),
        DESCRIPTOR(event_time),
        {interval(args.window)}
    ))
    GROUP BY window_start, window_end, bucket
)""",
    ]


def _late(args: argparse.Namespace) -> str:
    """Whether the window of a row has closed: it ends when the watermark reaches its last millisecond."""
    size = args.window // 1000
    watermark = f"CURRENT_WATERMARK(event_time) + {interval(1)}"
    return f"EXTRACT(EPOCH FROM event_time) / {size} < EXTRACT(EPOCH FROM {watermark}) / {size}"
