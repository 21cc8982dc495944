"""All statements as one job."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from kdv_job import without_jar
from kdv_job.places import dead_letters
from kdv_job.sinks import csv_table, rejects_statement, rejects_table
from kdv_job.source import source_table
from kdv_job.windows import add_windows

# Parts into which the rows of a window are divided, each of which becomes one text. Not an argument: a savepoint is keyed by it.
BUCKETS = 64


def statements(
    args: argparse.Namespace, kafka: Mapping[str, str] = MappingProxyType({}), partitions: int = 1
) -> tuple[list[str], list[str]]:
    """The tables, with these properties of Kafka's clients, and the statements that run as one job; see `plan`."""
    tables = [
        source_table(args, kafka, partitions),
        csv_table(args),
        rejects_table(args, kafka, "dead_letters", dead_letters(args)),
        rejects_table(args, kafka, "late_records", args.late_records),
    ]
    inserts = [
        "INSERT INTO adverts_with_kdv SELECT csv FROM closed",
        rejects_statement(args, "dead_letters", dead_letters(args), "broken"),
        rejects_statement(args, "late_records", args.late_records, "late"),
    ]
    return tables, inserts


def plan(environment: Any, args: argparse.Namespace, kafka: Mapping[str, str], kept: int, partitions: int) -> Any:
    """The set of statements that is the job, to be executed.

    Rejects keep up to `kept` bytes of a record; a reader has up to `partitions` partitions.
    """
    tables, inserts = statements(args, kafka, partitions)
    if args.format == "checked-json":
        environment.create_java_temporary_system_function("advert_time", "flinkhelm.kdv.AdvertTime")
    for statement in tables:
        environment.execute_sql(statement)
    if args.format == "checked-json":
        add_windows(environment, args, BUCKETS, kept)
    else:
        without_jar.add_windows(environment, args, BUCKETS)
    job = environment.create_statement_set()
    for statement in inserts:
        job.add_insert_sql(statement)
    return job
