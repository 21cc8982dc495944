"""All statements as one job."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from kdv_job.places import dead_letters
from kdv_job.sinks import csv_table, rejects_statement, rejects_table
from kdv_job.source import judged_view, source_table
from kdv_job.windows import add_windows, add_windows_of_sql


def statements(args: argparse.Namespace, kafka: Mapping[str, str] = MappingProxyType({})) -> tuple[list[str], list[str]]:
    """The tables, with these properties of Kafka's clients, and the statements that run as one job."""
    tables = [
        source_table(args, kafka),
        csv_table(args),
        rejects_table(args, kafka, "dead_letters", dead_letters(args)),
        rejects_table(args, kafka, "late_records", args.late_records),
        judged_view(args),
    ]
    inserts = [
        "INSERT INTO adverts_with_kdv SELECT csv FROM closed",
        rejects_statement(args, "dead_letters", dead_letters(args), "broken"),
        rejects_statement(args, "late_records", args.late_records, "late"),
    ]
    return tables, inserts


def plan(environment: Any, args: argparse.Namespace, kafka: Mapping[str, str], kept: int) -> Any:
    """The set of statements that is the job, to be executed; rejects keep up to `kept` bytes of a record."""
    tables, inserts = statements(args, kafka)
    if args.format == "checked-json":
        environment.create_java_temporary_system_function("advert_line", "flinkhelm.kdv.AdvertLine")
    for statement in tables:
        environment.execute_sql(statement)
    if args.format == "checked-json":
        add_windows(environment, args, kept)
    else:
        add_windows_of_sql(environment, args)
    job = environment.create_statement_set()
    for statement in inserts:
        job.add_insert_sql(statement)
    return job
