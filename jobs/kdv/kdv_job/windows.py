"""Windows: of the table of adverts, the views `closed` (lines of closed windows), `broken` and `late`."""

from __future__ import annotations

import argparse
from typing import Any

from kdv_job.source import future

# Operators of 0.2.0 that this job lacks. Those behind them find their state in a savepoint by the number that the planner gives
# them, which is the next one, whatever it plans; tests/local/test_uids.py holds them to it.
_FORMER = 2


def add_windows(environment: Any, args: argparse.Namespace, buckets: int, kept: int) -> None:
    """The views closed, broken and late, by operators of the jar that holds the format: one decides alone what is late."""
    from pyflink.java_gateway import get_gateway

    classes = get_gateway().jvm.flinkhelm
    tables = environment._j_tenv
    judged = classes.kdv.Adverts.judged(tables, future(args), buckets)
    classes.windows.Windows.over(
        tables,
        judged,
        args.window,
        future(args),
        args.on_error == "fail",
        kept,
        args.watermark_delay,
        args.idle_timeout,
    )
    for _ in range(_FORMER):
        environment.explain_sql("VALUES 1")
