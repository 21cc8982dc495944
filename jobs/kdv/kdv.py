"""The KDV job: adverts in, price with KDV out, one CSV row per advert and window.

Input: JSON objects on a Kafka topic with the fields id, product, description, price, kdv and timestamp_column
(event time, `YYYY-MM-DD HH:MM:SS` with or without fraction, in no particular time zone).

Output: CSV files without header, encoded in UTF-8, with these columns, separated by commas:
id, product, description, price, kdv, price_with_kdv, window_start.

- Rows are grouped by window and all columns: copies of an advert within a window give one row.
- price and kdv are written as they were given, plainly and without zeros at the end: 18000, 0.18, 19.9.
- price_with_kdv is price * (1 + kdv) rounded half up to two digits, always written with both: 55000.00.
- window_start is written as `YYYY-MM-DD HH:MM:SS`.
- Texts and window_start are in quotes; quotes inside are doubled.

A row appears in a finished file (`part-...`, without a leading dot) with the first checkpoint after its window closed and its
file was rolled. A window closes when rows of a later time were read from every partition that is not idle.

Nothing is dropped in silence: each input record ends as a CSV row, as the copy of one in the same window, as a dead letter, or
as a late record. A dead letter lacks a field, or has one of a wrong type or beyond its range (price: 0 and more, up to 14
digits before the point and 4 behind; kdv: 0 to 1, 4 digits; time: from 1970), or is no JSON at all. A late record came after
its window had closed. Both are kept in a topic or a folder with their bytes, where they came from, and the reason. With
`--format=json`, which does without the jar of checked-json, this does not hold: see docs/kdv-job.md.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import posixpath
import re
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

INPUT_COLUMNS = ("id", "product", "description", "price", "kdv", "timestamp_column")

POLL_SECONDS = 1
ANSWER_SECONDS = 5

# Twice what a broker takes by default; so much of a longer record is kept, where its topic takes that and why it was rejected.
REJECT_BYTES = 2_097_176
KEPT_BYTES = 2_000_000
HEADER_BYTES = 10_000
BROKER_BYTES = 1_048_588  # what a broker takes by default

# Parts into which the rows of a window are divided, each of which becomes one text. No argument: a savepoint holds what it gives.
BUCKETS = 64

MINUTE = 60_000
SCHEME = r"[A-Za-z][\w+.-]*://"
LEAST_INTERVAL = 10  # milliseconds between checkpoints
LONGEST_TRANSACTION = 2**31 - 1  # milliseconds that Kafka's clients hold
COMMIT_MILLISECONDS = 5 * MINUTE  # that a job gets to come back and commit

MILLISECONDS = {"ms": 1, "s": 1000, "min": MINUTE, "h": 3_600_000, "d": 86_400_000}


def milliseconds(text: str) -> int:
    """The duration `text`, written as Flink writes them ("2 min", "5 s", "500 ms"), in milliseconds."""
    match = re.fullmatch(r"(\d+) ?(ms|s|min|h|d)", text.strip(), re.ASCII)
    if not match:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a duration: write a whole number and one of ms, s, min, h, d, like '2 min'"
        )
    value = int(match[1]) * MILLISECONDS[match[2]]
    if value > 999 * MILLISECONDS["d"]:
        raise argparse.ArgumentTypeError(f"{text!r} is longer than 999 days")  # what an interval of Flink holds
    return value


def milliseconds_or_off(text: str) -> int | None:
    """Like milliseconds(); None for "off"."""
    return None if text == "off" else milliseconds(text)


def positive_milliseconds(text: str) -> int:
    """Like milliseconds(), but refuses zero."""
    value = milliseconds(text)
    if value == 0:
        raise argparse.ArgumentTypeError(f"{text!r} must be longer than zero")
    return value


def memory_size(text: str) -> str:
    """The size `text` as Flink writes them ("128 mb"), unchanged."""
    if not re.fullmatch(r"[1-9]\d{0,8} ?(b|kb|mb|gb)", text.strip().lower(), re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size: write a whole number and one of b, kb, mb, gb, like '128 mb'")
    return text.strip()


def not_empty(text: str) -> str:
    """A text that is not empty."""
    if not text.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is empty: write a name, or leave the argument out")
    return text


def folder(text: str) -> str:
    """A folder, as URI or as a path of the machine."""
    if not re.fullmatch(rf"({SCHEME})?[^\s:]*/.*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no folder: write one like file:///flink-data/output or s3://bucket/output")
    return text


def checkpoint_interval(text: str) -> int:
    """Like positive_milliseconds(), from the least on that Flink takes."""
    value = positive_milliseconds(text)
    if value < LEAST_INTERVAL:
        raise argparse.ArgumentTypeError(f"{text!r} is shorter than Flink takes: write at least '{LEAST_INTERVAL} ms'")
    return value


def is_topic(text: str) -> bool:
    """Whether Kafka takes `text` as the name of a topic."""
    return bool(re.fullmatch(r"[\w.-]{1,249}", text, re.ASCII)) and text not in (".", "..")


def topic(text: str) -> str:
    """The name of a topic."""
    if not is_topic(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a topic: write up to 249 letters of ASCII, digits, . _ -")
    return text


def place(text: str) -> str:
    """A topic, a folder as URI, or nothing."""
    if text and not is_topic(text) and not re.fullmatch(rf"{SCHEME}[^/]*/.*", text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a topic (up to 249 letters of ASCII, digits, . _ -) nor a folder like file:///data/dead"
        )
    return text


def transaction_timeout(text: str) -> int:
    """Like positive_milliseconds(), up to what Kafka's clients hold."""
    value = positive_milliseconds(text)
    if value > LONGEST_TRANSACTION:
        raise argparse.ArgumentTypeError(f"{text!r} is longer than Kafka's clients hold: write at most '24 d'")
    return value


def positive(text: str) -> int:
    """A whole number above 0."""
    if not re.fullmatch(r"[1-9]\d{0,8}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def whole_seconds(text: str) -> int:
    """Like positive_milliseconds(), but refuses fractions of a second."""
    value = positive_milliseconds(text)
    if value % 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of seconds")
    return value


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Durations come back in milliseconds. Wrong arguments end the program with exit code 2 and a sentence."""
    parser = argparse.ArgumentParser(
        description="Adds KDV to adverts and writes them as CSV, window by window.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    group = parser.add_argument_group("input").add_argument
    group("--bootstrap-servers", type=not_empty, default="kafka:9092", help="Kafka brokers")
    group(
        "--kafka-properties",
        metavar="FILE",
        help="properties of Kafka's clients, such as security.protocol and sasl.jaas.config",
    )
    group("--topic", type=topic, default="sahibinden", help="topic to read, from its beginning; the job waits until it is there")
    group(
        "--group",
        type=not_empty,
        default="flink-group-sahibinden",
        help="the job's own name in Kafka: of its consumer group, and the beginning of its transactional ids",
    )
    group(
        "--bounded",
        action="store_true",
        help="read up to the offsets that are the latest at the start, close all windows, end; no partition is idle then",
    )
    group("--partition-discovery", type=positive_milliseconds, default="30 s", help="how often the job looks for new partitions")
    group(
        "--format",
        choices=["checked-json", "json"],
        default="checked-json",
        help="json is Flink's own, for an image without checked-json.jar: broken records, and some late ones, are lost with it",
    )
    group("--timestamp-format", choices=["SQL", "ISO-8601"], default="SQL", help="2024-05-20 07:24:03 or 2024-05-20T07:24:03")
    group("--max-record-size", type=memory_size, default="64 kb", help="a longer record is broken")

    group = parser.add_argument_group("what cannot be computed").add_argument
    group("--on-error", choices=["deadLetter", "fail", "skip"], default="deadLetter", help="what becomes of a broken record")
    group(
        "--dead-letters",
        type=place,
        help="topic (made if need be) or folder (a URI) for broken records (default: <group>-dead)",
    )
    group("--late-records", type=place, help="the same for late records (default: <group>-late); empty: they are only counted")
    group(
        "--max-future",
        type=milliseconds_or_off,
        default="1 h",
        help="a record whose time is further beyond the clock, or beyond its time in Kafka, is broken; off: none is",
    )
    group(
        "--transaction-timeout",
        type=transaction_timeout,
        default="15 min",
        help="a checkpoint has to be completed and committed within it, or Kafka drops its dead letters and late records; "
        "at most the brokers' transaction.max.timeout.ms",
    )

    group = parser.add_argument_group("windows").add_argument
    group("--window", type=whole_seconds, default="2 min", help="length of a window")
    group("--watermark-delay", type=milliseconds, default="5 s", help="how far rows may be out of order in event time")
    group(
        "--idle-timeout",
        type=milliseconds,
        default="10 s",
        help="after this long without a row, a partition no longer holds back the windows; 0 s: it always does",
    )

    group = parser.add_argument_group("output").add_argument
    group("--output", type=folder, default="file:///flink-data/output", help="folder of the CSV files")
    group(
        "--checkpoint-interval",
        type=checkpoint_interval,
        default="10 s",
        help="time between commits of CSV files and offsets",
    )
    group("--rolling-size", type=memory_size, default="128 mb", help="a larger CSV file is finished, and a new one begun")
    group(
        "--rolling-interval",
        type=positive_milliseconds,
        default="10 s",
        help="an older CSV file is finished, and a new one begun",
    )
    group("--compact", type=memory_size, help="merge the files of a checkpoint up to this size")
    group("--sink-parallelism", type=positive, help="writers of CSV files (default: as many as the job's parallelism)")

    args = parser.parse_args(argv)
    if args.dead_letters is None:
        args.dead_letters = f"{args.group}-dead"
    if args.late_records is None:
        args.late_records = f"{args.group}-late"
    if args.bounded:
        args.idle_timeout = 0  # its readers end, and hold nothing back then; a row read before that is in time
    for sentence in wrong_together(args):
        parser.error(sentence)
    return args


def wrong_together(args: argparse.Namespace) -> Iterator[str]:
    """What is wrong with arguments that are right by themselves, in sentences."""
    if args.on_error == "deadLetter" and args.format == "json":
        yield "--on-error=deadLetter needs --format=checked-json: with Flink's json write --on-error=skip or fail"
    if args.on_error == "deadLetter" and not args.dead_letters:
        yield "--on-error=deadLetter needs a place: name one with --dead-letters, or write --on-error=skip"
    places = {"--dead-letters": dead_letters(args), "--late-records": args.late_records}
    for option, where in places.items():
        if where and "://" not in where and not is_topic(where):
            yield f"--group={args.group} gives no topic for {option}, {where!r}: name one with {option}"
        if where == args.topic:
            yield f"{option}={where} is the topic that the job reads: name another one"
        if "://" in where and overlap(where, args.output):
            yield f"{option}={where} and --output={args.output} lie in one another: name folders beside each other"
    dead, late = places.values()
    if dead and late and (dead == late or "://" in dead and "://" in late and overlap(dead, late)):
        yield f"--dead-letters={dead} and --late-records={late} are one place, or lie in one another: name two"
    if rejects_topics(args) and args.transaction_timeout < args.checkpoint_interval + MINUTE + COMMIT_MILLISECONDS:
        yield (
            "--transaction-timeout has to be at least 6 min longer than --checkpoint-interval, or Kafka drops dead letters and "
            "late records before they are committed: raise the one, lower the other, or name folders with --dead-letters and "
            "--late-records"
        )


def overlap(one: str, other: str) -> bool:
    """Whether two folders, as URIs, are the same or one lies in the other."""
    paths = [plain(uri) for uri in (one, other)]
    return paths[0].startswith(paths[1]) or paths[1].startswith(paths[0])


def plain(uri: str) -> str:
    """One spelling of a folder: a path without a scheme is a file, and a store has one scheme."""
    parts = urlsplit(uri)
    scheme = re.sub(r"^s3[anp]$", "s3", parts.scheme or "file")
    authority = "" if (scheme, parts.netloc) == ("file", "localhost") else parts.netloc
    path = parts._replace(scheme="", netloc="").geturl()
    return f"{scheme}:{posixpath.normpath(f'/{authority}/{path}')}/".replace("//", "/")


def configuration(args: argparse.Namespace) -> dict[str, str]:
    """The Flink options that belong to the job; parallelism, state and its places belong to the cluster."""
    return {
        "pipeline.name": "kdv",
        "table.local-time-zone": "UTC",
        "table.exec.source.idle-timeout": f"{args.idle_timeout} ms",
        # The state of an operator is found again whatever the parallelism, and so the chaining, of the job that takes it over.
        "table.exec.uid.generation": "ALWAYS",
        # Kafka offsets and finished CSV files are committed with a checkpoint, and only then.
        "execution.checkpointing.interval": f"{args.checkpoint_interval} ms",
        "execution.checkpointing.mode": "EXACTLY_ONCE",
        # One that fails may be the last before a broker breaks off what it was to commit: nobody but the broker would know.
        "execution.checkpointing.tolerable-failed-checkpoints": "0",
        # Nearly all rows differ, so collecting them before the shuffle as well would double the work.
        "table.optimizer.agg-phase-strategy": "ONE_PHASE",
        # No operator of this job changes a row that it was given.
        "pipeline.object-reuse": "true",
    }


def checkpoint_timeout(args: argparse.Namespace, given: int) -> int:
    """Milliseconds after which a checkpoint is given up: what the cluster says, and no longer than a transaction bears."""
    if not rejects_topics(args):
        return given
    return min(given, args.transaction_timeout - args.checkpoint_interval - COMMIT_MILLISECONDS)


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def interval(duration: int) -> str:
    """`duration` milliseconds as an SQL interval."""
    seconds, fraction = divmod(duration, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"INTERVAL '{days} {hours:02}:{minutes:02}:{seconds:02}.{fraction:03}' DAY(3) TO SECOND(3)"


def table(name: str, columns: str, options: dict[str, str]) -> str:
    with_options = ",\n".join(f"    {literal(key)} = {literal(value)}" for key, value in options.items())
    return f"CREATE TEMPORARY TABLE {name} (\n{columns}\n) WITH (\n{with_options}\n)"


def source_table(args: argparse.Namespace, kafka: Mapping[str, str]) -> str:
    options = {
        "connector": "kafka",
        **{f"properties.{key}": value for key, value in kafka.items()},
        "properties.bootstrap.servers": args.bootstrap_servers,
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
        given = " AND ".join(f"{name} IS NOT NULL" for name in INPUT_COLUMNS)
        again = ", ".join(f"'{name}' VALUE {name}" for name in INPUT_COLUMNS[:-1])
        good = f"{given} AND price >= 0 AND kdv BETWEEN 0 AND 1"
        flaws = (
            f"    flaw AS CASE WHEN {good} THEN CAST(NULL AS STRING) ELSE 'broken' END,\n"
            f"    message AS ENCODE(JSON_OBJECT({again}, 'timestamp_column' VALUE CAST(timestamp_column AS STRING)), 'UTF-8'),"
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
    event_time AS {event_time(args)},
    WATERMARK FOR event_time AS event_time - {interval(args.watermark_delay)}"""
    return table("adverts", columns, options)


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


def rejects_table(args: argparse.Namespace, kafka: Mapping[str, str], name: str, where: str) -> str:
    """Where broken or late records go: the topic or the folder `where`, or nowhere but through Flink's counters."""
    columns = "    message BYTES, reason STRING, topic STRING, `partition` INT, `offset` BIGINT"
    if not where:
        return table(name, columns, {"connector": "blackhole"})
    if "://" in where:
        options = {
            "connector": "filesystem",
            "path": where,
            "format": "json",  # the message in base64
            # As one writer it ends after all readers: in their chain it would end with the first, and no checkpoint would follow.
            "sink.parallelism": "1",
            "sink.rolling-policy.rollover-interval": f"{args.rolling_interval} ms",
            "sink.rolling-policy.check-interval": f"{min(args.rolling_interval, 60_000)} ms",
        }
        return table(name, columns, options)
    options = {
        "connector": "kafka",
        **{f"properties.{key}": value for key, value in kafka.items()},
        "properties.bootstrap.servers": args.bootstrap_servers,
        "topic": where,
        "format": "raw",
        "sink.delivery-guarantee": "exactly-once",
        "sink.transactional-id-prefix": f"{args.group}-{name}",
        "properties.transaction.timeout.ms": str(args.transaction_timeout),
        "properties.max.request.size": str(REJECT_BYTES),
    }
    return table(name, "    message BYTES, headers MAP<STRING, BYTES> METADATA", options)


def event_time(args: argparse.Namespace) -> str:
    """The time of a row; none for one from the future, so that a wrong clock does not close windows."""
    # "off" is a form of the same statement, longer than any year: a savepoint fits whatever the argument.
    future = "INTERVAL '9000' YEAR(4)" if args.max_future is None else interval(args.max_future)
    # A record may claim to have been sent in any year: nothing is added to that. 0 and less say that nobody knows when it was.
    return f"""CASE
        WHEN timestamp_column <= LOCALTIMESTAMP + {future} AND
            (CAST(timestamp_column - {future} AS TIMESTAMP_LTZ(3)) <= received OR received <= TO_TIMESTAMP_LTZ(0, 3))
        THEN timestamp_column END"""


def judged_view(args: argparse.Namespace) -> str:
    """Each record with its line of CSV, or with the reason why it has none."""
    line = "advert_line(id, product, description, price, kdv)" if args.format == "checked-json" else line_of_sql()
    reason = "COALESCE(flaw, CASE WHEN event_time IS NULL THEN 'timestamp_column: in the future' END)"
    return f"""
CREATE TEMPORARY VIEW judged AS
SELECT event_time, MOD(id, {BUCKETS}) AS bucket, {line} AS line, {reason} AS reason, message, `partition`, `offset`
FROM adverts"""


def line_of_sql() -> str:
    """What flinkhelm.kdv.AdvertLine writes."""
    return f"""CONCAT(
        CAST(id AS STRING), ',', {quoted("product")}, ',', {quoted("description")}, ',',
        {shortest("price")}, ',', {shortest("kdv")}, ',', CAST(CAST(price * (1 + kdv) AS DECIMAL(20, 2)) AS STRING)
    )"""


def views_of_sql(args: argparse.Namespace) -> list[str]:
    """What flinkhelm.windows.Windows makes, on an image without it, of judged_once; docs/kdv-job.md says what is lost."""
    start = """CONCAT(',"', DATE_FORMAT(window_start, 'yyyy-MM-dd HH:mm:ss'), '"')"""
    reject = "message, reason, `partition`, `offset`"
    return [
        f"CREATE TEMPORARY VIEW broken AS SELECT {reject} FROM judged_once WHERE reason IS NOT NULL",
        f"""
CREATE TEMPORARY VIEW late AS
SELECT message, 'late: its window was closed' AS reason, `partition`, `offset`
FROM judged_once WHERE reason IS NULL AND ({late(args)}) IS TRUE""",
        # ARRAY_EXCEPT drops copies with a hash set, where ARRAY_DISTINCT compares each with each.
        f"""
CREATE TEMPORARY VIEW closed AS
SELECT CONCAT(ARRAY_JOIN(lines, CONCAT({start}, '\n')), {start}) AS csv
FROM (
    SELECT window_start, ARRAY_EXCEPT(ARRAY_AGG(line), ARRAY[CAST('' AS STRING)]) AS lines
    FROM TABLE(TUMBLE(
        (SELECT event_time, bucket, line FROM judged_once WHERE reason IS NULL AND ({late(args)}) IS NOT TRUE),
        DESCRIPTOR(event_time),
        {interval(args.window)}
    ))
    GROUP BY window_start, window_end, bucket
)""",
    ]


def late(args: argparse.Namespace) -> str:
    """Whether the window of a row has closed: it ends when the watermark reaches its last millisecond."""
    size = args.window // 1000
    watermark = f"CURRENT_WATERMARK(event_time) + {interval(1)}"
    return f"EXTRACT(EPOCH FROM event_time) / {size} < EXTRACT(EPOCH FROM {watermark}) / {size}"


def rejects_statement(args: argparse.Namespace, name: str, where: str, view: str) -> str:
    """Fills a table of rejects.

    For each kind of place the columns differ from the view's: the planner numbers operators by the form of the statements, and
    the state of all others is found again when a place becomes one of another kind.
    """
    topic = literal(args.topic)
    columns = f"message, reason, {topic}, `partition`, `offset`"
    if where and "://" not in where:
        texts = {
            "reason": "reason",
            "topic": topic,
            "partition": "CAST(`partition` AS STRING)",
            "offset": "CAST(`offset` AS STRING)",
        }
        headers = ", ".join(f"'{key}', CAST({value} AS BYTES)" for key, value in texts.items())
        columns = f"message, MAP[{headers}]"
    return f"INSERT INTO {name} SELECT {columns} FROM {view}"


def shortest(column: str) -> str:
    """A DECIMAL column with digits after the point, as text without the zeros at its end."""
    whole = f"CAST({column} AS BIGINT)"
    text = f"CAST({column} AS STRING)"
    return f"CASE WHEN {column} = {whole} THEN CAST({whole} AS STRING) ELSE TRIM(TRAILING '0' FROM {text}) END"


def quoted(column: str) -> str:
    return f"""'"', REPLACE({column}, '"', '""'), '"'"""


def dead_letters(args: argparse.Namespace) -> str:
    return args.dead_letters if args.on_error == "deadLetter" else ""


def rejects_topics(args: argparse.Namespace) -> list[str]:
    """The topics that broken and late records go to, none where they go to folders."""
    return [place for place in (dead_letters(args), args.late_records) if place and "://" not in place]


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


def kafka_package() -> str:
    """Where Kafka's own packages are: inside Flink's connector, or, "", beside it."""
    from py4j.protocol import Py4JJavaError
    from pyflink.util.java_utils import load_java_class

    for package in ("org.apache.flink.kafka.shaded.", ""):
        with contextlib.suppress(Py4JJavaError):
            load_java_class(f"{package}org.apache.kafka.clients.admin.AdminClient")
            return package
    raise SystemExit("error: Flink's lib folder holds no Kafka connector: use an image with flink-sql-connector-kafka")


def kafka_properties(args: argparse.Namespace, package: str) -> dict[str, str]:
    """What --kafka-properties holds, its classes named as they are here."""
    from py4j.protocol import Py4JJavaError
    from pyflink.java_gateway import get_gateway

    jvm = get_gateway().jvm
    found = jvm.java.util.Properties()
    if args.kafka_properties:
        try:
            found.load(jvm.java.io.FileInputStream(args.kafka_properties))
        except Py4JJavaError as error:
            raise SystemExit(f"error: --kafka-properties: {error.java_exception.getMessage()}") from None
    return {name: named_here(name, found.getProperty(name), package) for name in found.stringPropertyNames()}


def named_here(name: str, value: str, package: str) -> str:
    """The value of a property; classes of Kafka's, where it names classes, get the package in which they are here."""
    if name == "sasl.jaas.config":  # a class, and what it is told: a password is not to be touched
        start = r"^(\s*)"
    elif name.endswith((".class", ".classes")) or name in ("metric.reporters", "security.providers"):
        start = r"((?:^|,)\s*)"
    else:
        return value
    return re.sub(rf"{start}org\.apache\.kafka\.", rf"\g<1>{package}org.apache.kafka.", value)


def without_secrets(text: str, kafka: Mapping[str, str]) -> str:
    """`text` without what the properties keep secret: Flink writes the options of a table that it refuses, a key in clear."""
    secret = [value for name, value in kafka.items() if value and re.search(r"\.key$|password|secret|jaas\.config|token", name)]
    for value in sorted(secret, key=len, reverse=True):
        text = text.replace(value.replace("'", "''"), "******").replace(value, "******")
    return text


class Topics(NamedTuple):
    """What Kafka says of the job's topics: partitions of the one it reads, and bytes that those of its rejects take at least."""

    partitions: int
    record_bytes: int

    @property
    def kept_bytes(self) -> int:
        """How much of a record fits into a reject."""
        return max(0, min(KEPT_BYTES, self.record_bytes - HEADER_BYTES))


class Kafka:
    """An admin client of the JVM. Raises Py4JJavaError for what Kafka does not answer or refuses."""

    def __init__(self, jvm: Any, package: str, properties: Mapping[str, str]) -> None:
        self._jvm = jvm
        self._java = functools.reduce(getattr, f"{package}org.apache.kafka".split("."), jvm)
        settings = jvm.java.util.Properties()
        for name, value in properties.items():
            settings.setProperty(name, value)
        self._admin = self._java.clients.admin.AdminClient.create(settings)  # fails for a name that nobody knows

    def close(self) -> None:
        self._admin.close(self._jvm.java.time.Duration.ZERO)

    def _answer(self, future: Any) -> Any:
        return future.get(ANSWER_SECONDS, self._jvm.java.util.concurrent.TimeUnit.SECONDS)

    def topics(self) -> Any:
        """A Java set of names."""
        return self._answer(self._admin.listTopics().names())

    def partitions(self, topic: str) -> int:
        return int(self._answer(self._admin.describeTopics([topic]).allTopicNames()).get(topic).partitions().size())

    def make_for_rejects(self, names: Sequence[str]) -> None:
        none = self._jvm.java.util.Optional.empty()
        topics = [self._java.clients.admin.NewTopic(name, self._jvm.java.util.Optional.of(1), none) for name in names]
        for topic in topics:
            # The brokers' own ways may be to drop after a week, or to keep one record for each key, of which these have none.
            topic.configs({"max.message.bytes": str(REJECT_BYTES), "cleanup.policy": "delete", "retention.ms": "-1"})
        self._answer(self._admin.createTopics(topics).all())

    def record_bytes(self, topics: Sequence[str]) -> int:
        """The longest record that all these topics take, also where a broker makes one of them anew, as it may by itself."""
        limits = [int(self._setting("TOPIC", topic, "max.message.bytes") or BROKER_BYTES) for topic in topics]
        if limits and self._setting("BROKER", broker := self._broker(), "auto.create.topics.enable") != "false":
            limits.append(int(self._setting("BROKER", broker, "message.max.bytes") or BROKER_BYTES))
        return min(limits, default=REJECT_BYTES)

    def compacted(self, topics: Sequence[str]) -> list[str]:
        """Those that take no record without a key."""
        return [topic for topic in topics if "compact" in self._setting("TOPIC", topic, "cleanup.policy")]

    def longest_transaction(self) -> int:
        """Milliseconds that the brokers let a transaction last; 0 where the account may not ask."""
        return int(self._setting("BROKER", self._broker(), "transaction.max.timeout.ms") or 0)

    def _broker(self) -> str:
        return str(self._answer(self._admin.describeCluster().nodes()).iterator().next().idString())

    def _setting(self, kind: str, name: str, key: str) -> str:
        """An option of a TOPIC or BROKER; empty where the account may not ask."""
        from py4j.protocol import Py4JJavaError

        config = self._java.common.config.ConfigResource
        resource = config(getattr(config.Type, kind), name)
        try:
            return str(self._answer(self._admin.describeConfigs([resource]).all()).get(resource).get(key).value())
        except Py4JJavaError as error:
            if "AuthorizationException" in root_cause(error):
                return ""
            raise


def refused(kafka: Kafka, args: argparse.Namespace) -> str:
    """Why Kafka would take no reject, in a sentence; empty if it does."""
    topics = rejects_topics(args)
    if compacted := kafka.compacted(topics):
        return (
            f"topic {compacted[0]} is compacted, and takes no record without a key: set its cleanup.policy to delete, or name "
            "another one with --dead-letters and --late-records"
        )
    longest = kafka.longest_transaction() if topics else 0
    if longest and args.transaction_timeout > longest:
        return (
            f"--transaction-timeout is more than the brokers' transaction.max.timeout.ms ({longest}) bears: raise that first, or "
            "lower the argument"
        )
    return ""


def root_cause(error: Any) -> str:
    """The innermost exception of a Py4JJavaError, as Java writes it."""
    cause = error.java_exception
    while cause.getCause():
        cause = cause.getCause()
    return str(cause.toString())


def prepare_topics(args: argparse.Namespace, package: str, properties: Mapping[str, str]) -> Topics:
    """Wait until the topic is there, without which the source would fail, and make the topics of rejects that are not."""
    from py4j.protocol import Py4JJavaError
    from pyflink.java_gateway import get_gateway

    jvm = get_gateway().jvm

    def look() -> Topics | str:
        """The topics, or what is missing."""
        kafka = None
        try:
            kafka = Kafka(jvm, package, {**properties, "bootstrap.servers": args.bootstrap_servers})
            present = kafka.topics()
            if not present.contains(args.topic):
                return f"topic {args.topic} does not exist yet"
            kafka.make_for_rejects([topic for topic in rejects_topics(args) if not present.contains(topic)])
            if why := refused(kafka, args):
                raise SystemExit(f"error: {why}")
            return Topics(kafka.partitions(args.topic), kafka.record_bytes(rejects_topics(args)))
        except Py4JJavaError as error:
            return root_cause(error)
        finally:
            if kafka:
                kafka.close()

    told = ""
    while isinstance(found := look(), str):
        if found != told:
            print(f"waiting for Kafka at {args.bootstrap_servers}: {without_secrets(found, properties)}", flush=True)
            told = found
        time.sleep(POLL_SECONDS)
    return found


def stalled(args: argparse.Namespace, topics: Topics, parallelism: int) -> str:
    """Why the job would never close a window, in a sentence; empty if it does."""
    if args.bounded or args.idle_timeout or parallelism <= topics.partitions:
        return ""
    return (
        f"error: topic {args.topic} has {topics.partitions} partitions, but the parallelism is {parallelism}, and with "
        "--idle-timeout=0 the readers without a partition hold back all windows: lower the parallelism, or set the timeout"
    )


# As a plain timestamp: broken records have none, which Flink takes for an error in the time of its own.
JUDGED = """SELECT CAST(event_time AS TIMESTAMP(3)) AS event_time, bucket, line, reason, message, `partition`, `offset`
FROM judged"""


def add_windows(environment: Any, args: argparse.Namespace, kept: int) -> None:
    """The views closed, broken and late, by an operator of the jar that holds the format: it decides alone what is late."""
    from pyflink.java_gateway import get_gateway

    get_gateway().jvm.flinkhelm.windows.Windows.over(
        environment._j_tenv,
        environment.sql_query(JUDGED)._j_table,
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
    stream = environment._j_tenv.toDataStream(environment.sql_query(JUDGED)._j_table)
    schema = (
        get_gateway().jvm.org.apache.flink.table.api.Schema.newBuilder().watermark("event_time", "SOURCE_WATERMARK()").build()
    )
    environment._j_tenv.createTemporaryView("judged_once", stream, schema)
    for statement in views_of_sql(args):
        environment.execute_sql(statement)


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


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)

    # Here, so that the statements above can be tested without Flink.
    from pyflink.common import Configuration
    from pyflink.datastream import StreamExecutionEnvironment
    from pyflink.java_gateway import get_gateway
    from pyflink.table import StreamTableEnvironment

    package = kafka_package()
    properties = kafka_properties(args, package)
    topics = prepare_topics(args, package, properties)
    flink = Configuration()
    for key, value in configuration(args).items():
        flink.set_string(key, value)
    streams = StreamExecutionEnvironment.get_execution_environment(flink)
    if sentence := stalled(args, topics, streams.get_parallelism()):
        raise SystemExit(sentence)
    checkpoints = streams.get_checkpoint_config()
    checkpoints.set_checkpoint_timeout(checkpoint_timeout(args, checkpoints.get_checkpoint_timeout()))
    try:
        plan(StreamTableEnvironment.create(streams), args, properties, topics.kept_bytes).execute()
    except Exception:
        told = without_secrets(traceback.format_exc(), properties)
        jvm = get_gateway().jvm  # which tells for itself what it threw
        jvm.org.apache.flink.client.python.PythonEnvUtils.setPythonException(jvm.java.lang.RuntimeException(told))
        raise SystemExit(told) from None


if __name__ == "__main__":
    main()
