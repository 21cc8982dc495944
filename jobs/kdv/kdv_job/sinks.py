"""Writing: the CSV files, and the places of broken and late records."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from kdv_job.places import REJECT_BYTES, is_directory
from kdv_job.sql import client_options, literal, table


def csv_table(args: argparse.Namespace) -> str:
    options = {
        "connector": "filesystem",
        "path": args.output,
        # Flink's csv format would finish every file with every checkpoint, and write the DECIMAL 18970.00 as 1.897E+4.
        "format": "raw",
        "sink.rolling-policy.file-size": args.rolling_size,
        "sink.rolling-policy.rollover-interval": f"{args.rolling_interval} ms",
        "sink.rolling-policy.check-interval": f"{min(args.rolling_interval, 60_000)} ms",
    }
    if args.compact:
        options |= {"auto-compaction": "true", "compaction.file-size": args.compact}
    if args.sink_parallelism:
        options["sink.parallelism"] = str(args.sink_parallelism)
    return table("adverts_with_kdv", "    csv STRING", options)


def rejects_table(args: argparse.Namespace, kafka: Mapping[str, str], name: str, place: str) -> str:
    """Where broken or late records go: the topic or the directory `place`, or nowhere, so that Flink only counts them."""
    columns = "    message BYTES, reason STRING, topic STRING, `partition` INT, `offset` BIGINT"
    if not place:
        return table(name, columns, {"connector": "blackhole"})
    if is_directory(place):
        options = {
            "connector": "filesystem",
            "path": place,
            "format": "json",  # the message in base64
            # As one writer it ends after all readers: in their chain it would end with the first, and no checkpoint would follow.
            "sink.parallelism": "1",
            "sink.rolling-policy.rollover-interval": f"{args.rolling_interval} ms",
            "sink.rolling-policy.check-interval": f"{min(args.rolling_interval, 60_000)} ms",
        }
        return table(name, columns, options)
    options = {
        "connector": "kafka",
        **client_options(kafka, args.bootstrap_servers),
        "topic": place,
        "format": "raw",
        "sink.delivery-guarantee": "exactly-once",
        "sink.transactional-id-prefix": f"{args.group}-{name}",
        "properties.transaction.timeout.ms": str(args.transaction_timeout),
        "properties.max.request.size": str(REJECT_BYTES),
    }
    return table(name, "    message BYTES, headers MAP<STRING, BYTES> METADATA", options)


def rejects_statement(args: argparse.Namespace, name: str, place: str, view: str) -> str:
    """Fills a table of rejects.

    For each kind of place the columns differ from the view's: the planner numbers operators by the form of the statements, and
    the state of all others still has its operator when a place becomes one of another kind.
    """
    topic = literal(args.topic)
    columns = f"message, reason, {topic}, `partition`, `offset`"
    if place and not is_directory(place):
        texts = {
            "reason": "reason",
            "topic": topic,
            "partition": "CAST(`partition` AS STRING)",
            "offset": "CAST(`offset` AS STRING)",
        }
        headers = ", ".join(f"'{key}', CAST({value} AS BYTES)" for key, value in texts.items())
        columns = f"message, MAP[{headers}]"
    return f"INSERT INTO {name} SELECT {columns} FROM {view}"
