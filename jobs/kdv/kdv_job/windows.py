"""Windows: of the judged records, the views `closed` (lines of closed windows), `broken` and `late`."""

from __future__ import annotations

import argparse
from typing import Any

from kdv_job.sql import interval

# As a plain timestamp: broken records have none, which Flink takes for an error in the time of its own.
_JUDGED = """SELECT CAST(event_time AS TIMESTAMP(3)) AS event_time, bucket, line, reason, message, `partition`, `offset`
FROM judged"""


def add_windows(environment: Any, args: argparse.Namespace, kept: int) -> None:
    """The views closed, broken and late, by an operator of the jar that holds the format: it decides alone what is late."""
    from pyflink.java_gateway import get_gateway

    get_gateway().jvm.flinkhelm.windows.Windows.over(
        environment._j_tenv,
        environment.sql_query(_JUDGED)._j_table,
        args.window,
        -1 if args.max_future is None else args.max_future,
        args.on_error == "fail",
        kept,
        args.watermark_delay,
        args.idle_timeout,
    )


def add_windows_of_sql(environment: Any, args: argparse.Namespace) -> None:
    """The same views by Flink alone."""
    from pyflink.java_gateway import get_gateway

    # Through a stream: the planner would judge a record once for each view, by another clock each time.
    stream = environment._j_tenv.toDataStream(environment.sql_query(_JUDGED)._j_table)
    schema = (
        get_gateway().jvm.org.apache.flink.table.api.Schema.newBuilder().watermark("event_time", "SOURCE_WATERMARK()").build()
    )
    environment._j_tenv.createTemporaryView("judged_once", stream, schema)
    for statement in views_of_sql(args):
        environment.execute_sql(statement)


def views_of_sql(args: argparse.Namespace) -> list[str]:
    """What flinkhelm.windows.Windows makes, on an image without it, of judged_once; docs/kdv-job.md says what is lost."""
    start = """CONCAT(',"', DATE_FORMAT(window_start, 'yyyy-MM-dd HH:mm:ss'), '"')"""
    reject = "message, reason, `partition`, `offset`"
    return [
        f"CREATE TEMPORARY VIEW broken AS SELECT {reject} FROM judged_once WHERE reason IS NOT NULL",
        f"""
CREATE TEMPORARY VIEW late AS
SELECT message, 'late: its window was closed' AS reason, `partition`, `offset`
FROM judged_once WHERE reason IS NULL AND ({_late(args)}) IS TRUE""",
        # ARRAY_EXCEPT drops copies with a hash set, where ARRAY_DISTINCT compares each with each.
        f"""
CREATE TEMPORARY VIEW closed AS
SELECT CONCAT(ARRAY_JOIN(lines, CONCAT({start}, '\n')), {start}) AS csv
FROM (
    SELECT window_start, ARRAY_EXCEPT(ARRAY_AGG(line), ARRAY[CAST('' AS STRING)]) AS lines
    FROM TABLE(TUMBLE(
        (SELECT event_time, bucket, line FROM judged_once WHERE reason IS NULL AND ({_late(args)}) IS NOT TRUE),
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
