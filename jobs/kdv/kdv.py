"""The KDV job: adverts in, price with KDV out, one CSV row per advert and window.

Input: JSON objects on a Kafka topic with the fields id, product, description, price, kdv and timestamp_column
(event time, `YYYY-MM-DD HH:MM:SS` with or without fraction, in no particular time zone).

Output: CSV files without header, encoded in UTF-8, with the columns of OUTPUT_COLUMNS in that order, separated by commas.

- Rows are grouped by window and all columns: copies of an advert within a window give one row.
- price and kdv are written as they were given, plainly and without zeros at the end: 18000, 0.18, 19.9.
- price_with_kdv is price * (1 + kdv) rounded half up to two digits, always written with both: 55000.00.
- window_start is written as `YYYY-MM-DD HH:MM:SS`.
- Text with anything beyond letters and digits is put in quotes; quotes inside are doubled. What is null is empty.

A row appears in a finished file (`part-...`, without a leading dot) with the first checkpoint after its window closed. A window
closes when rows of a later time were read from every partition that is not idle.

Known limits: a record that is not JSON or has no readable timestamp_column is skipped without a trace; another field that
cannot be read becomes empty; a row that comes after its window closed is dropped (Flink counts those as numLateRecordsDropped).
A price has up to 16 digits before the decimal point and a kdv 3; digits after the fourth behind the point are rounded.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence

OUTPUT_COLUMNS = ("id", "product", "description", "price", "kdv", "price_with_kdv", "window_start")

MILLISECONDS = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


def milliseconds(text: str) -> int:
    """The duration `text`, written as Flink writes them ("2 min", "5 s", "500 ms"), in milliseconds."""
    match = re.fullmatch(r"(\d+) ?(ms|s|min|h|d)", text.strip())
    if not match:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a duration: write a whole number and one of ms, s, min, h, d, like '2 min'"
        )
    value = int(match[1]) * MILLISECONDS[match[2]]
    if value > 999 * MILLISECONDS["d"]:
        raise argparse.ArgumentTypeError(f"{text!r} is longer than 999 days")  # what an interval of Flink holds
    return value


def positive_milliseconds(text: str) -> int:
    """Like milliseconds(), but refuses zero."""
    value = milliseconds(text)
    if value == 0:
        raise argparse.ArgumentTypeError(f"{text!r} must be longer than zero")
    return value


def memory_size(text: str) -> str:
    """The size `text` as Flink writes them ("128 mb"), unchanged."""
    if not re.fullmatch(r"[1-9]\d* ?(b|kb|mb|gb)", text.strip().lower()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size: write a whole number and one of b, kb, mb, gb, like '128 mb'")
    return text.strip()


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Durations come back in milliseconds. Wrong arguments end the program with exit code 2 and a sentence."""
    parser = argparse.ArgumentParser(
        description="Adds KDV to adverts and writes them as CSV, window by window.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    option = parser.add_argument
    option("--bootstrap-servers", default="kafka:9092", help="Kafka brokers")
    option("--topic", default="sahibinden", help="topic to read, from its beginning")
    option("--group", default="flink-group-sahibinden", help="consumer group under which offsets are committed")
    option("--output", default="file:///flink-data/output", help="folder of the CSV files")
    option("--window", type=positive_milliseconds, default="2 min", help="length of a window")
    option("--watermark-delay", type=milliseconds, default="5 s", help="how far rows may be out of order in event time")
    option(
        "--idle-timeout",
        type=milliseconds,
        default="10 s",
        help="after this long without a row, a partition no longer holds back the windows; 0 s: it always does",
    )
    option(
        "--checkpoint-interval", type=positive_milliseconds, default="10 s", help="time between commits of CSV files and offsets"
    )
    option("--rolling-size", type=memory_size, default="128 mb", help="a larger CSV file is finished, and a new one begun")
    option(
        "--rolling-interval",
        type=positive_milliseconds,
        default="30 min",
        help="an older CSV file is finished, and a new one begun",
    )
    return parser.parse_args(argv)


def configuration(args: argparse.Namespace) -> dict[str, str]:
    """The Flink options that belong to the job; parallelism, state and its places belong to the cluster."""
    return {
        "pipeline.name": "kdv",
        "table.local-time-zone": "UTC",
        "table.exec.source.idle-timeout": f"{args.idle_timeout} ms",
        # Kafka offsets and finished CSV files are committed with a checkpoint, and only then.
        "execution.checkpointing.interval": f"{args.checkpoint_interval} ms",
        "execution.checkpointing.mode": "EXACTLY_ONCE",
    }


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


def options(values: dict[str, str]) -> str:
    """The WITH part of a table."""
    return ",\n".join(f"    {literal(key)} = {literal(value)}" for key, value in values.items())


def source_table(args: argparse.Namespace) -> str:
    with_options = {
        "connector": "kafka",
        "properties.bootstrap.servers": args.bootstrap_servers,
        "properties.group.id": args.group,
        "topic": args.topic,
        "scan.startup.mode": "earliest-offset",
        "format": "json",
        "json.timestamp-format.standard": "SQL",
        # Without it one broken record would make the job restart for ever: see the known limits above.
        "json.ignore-parse-errors": "true",
    }
    return f"""
CREATE TEMPORARY TABLE adverts (
    id BIGINT,
    product STRING,
    description STRING,
    price DECIMAL(20, 4),
    kdv DECIMAL(7, 4),
    timestamp_column TIMESTAMP(3),
    WATERMARK FOR timestamp_column AS timestamp_column - {interval(args.watermark_delay)}
) WITH (
{options(with_options)}
)"""


def sink_table(args: argparse.Namespace) -> str:
    with_options = {
        "connector": "filesystem",
        "path": args.output,
        "format": "csv",
        "sink.rolling-policy.file-size": args.rolling_size,
        "sink.rolling-policy.rollover-interval": f"{args.rolling_interval} ms",
    }
    # All but the id are STRING: the CSV format would write the DECIMAL 18970.00 as 1.897E+4.
    columns = ",\n".join(f"    {name} {'BIGINT' if name == 'id' else 'STRING'}" for name in OUTPUT_COLUMNS)
    return f"""
CREATE TEMPORARY TABLE adverts_with_kdv (
{columns}
) WITH (
{options(with_options)}
)"""


def shortest(column: str) -> str:
    """A DECIMAL column with digits after the point, as text without the zeros at its end."""
    return f"TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM CAST({column} AS STRING)))"


def insert_statement(args: argparse.Namespace) -> str:
    # Rows without event time belong to no window; Flink would fail on them.
    return f"""
INSERT INTO adverts_with_kdv
SELECT
    id,
    product,
    description,
    {shortest("price")},
    {shortest("kdv")},
    CAST(CAST(ROUND(price * (1 + kdv), 2) AS DECIMAL(38, 2)) AS STRING),
    DATE_FORMAT(window_start, 'yyyy-MM-dd HH:mm:ss')
FROM TABLE(TUMBLE(
    (SELECT * FROM adverts WHERE timestamp_column IS NOT NULL),
    DESCRIPTOR(timestamp_column),
    {interval(args.window)}
))
GROUP BY window_start, window_end, id, product, description, price, kdv"""


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)

    # Here, so that the statements above can be tested without Flink.
    from pyflink.common import Configuration
    from pyflink.table import EnvironmentSettings, TableEnvironment

    flink = Configuration()
    for key, value in configuration(args).items():
        flink.set_string(key, value)
    tables = TableEnvironment.create(EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(flink).build())
    tables.execute_sql(source_table(args))
    tables.execute_sql(sink_table(args))
    tables.execute_sql(insert_statement(args))


if __name__ == "__main__":
    main()
