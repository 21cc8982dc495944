"""What a user may write after kdv.py; docs/kdv-job.md says what it means."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from kdv_job import argument_types as types
from kdv_job.options import COMMIT_MILLISECONDS
from kdv_job.places import dead_letters, is_directory, overlap, reject_topics


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Durations come back in milliseconds. Wrong arguments end the program with exit code 2 and a sentence."""
    parser = argparse.ArgumentParser(
        description="Adds KDV to adverts and writes them as CSV, window by window.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    for add in (_add_input, _add_rejects, _add_windows, _add_output):
        add(parser)
    args = parser.parse_args(argv)
    if args.dead_letters is None:
        args.dead_letters = f"{args.group}-dead"
    if args.late_records is None:
        args.late_records = f"{args.group}-late"
    if args.bounded:
        args.idle_timeout = 0  # its readers end, and hold nothing back then; a row read before that is in time
    for sentence in _conflicts(args):
        parser.error(sentence)
    return args


def _add_input(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("input").add_argument
    add("--bootstrap-servers", type=types.not_empty, default="kafka:9092", help="Kafka brokers")
    add(
        "--kafka-properties",
        metavar="FILE",
        help="properties of Kafka's clients, such as security.protocol and sasl.jaas.config",
    )
    add(
        "--topic",
        type=types.topic,
        default="sahibinden",
        help="topic to read, from its beginning; the job waits until it is there",
    )
    add(
        "--group",
        type=types.not_empty,
        default="flink-group-sahibinden",
        help="the job's own name in Kafka: of its consumer group, and the prefix of its transactional ids",
    )
    add(
        "--bounded",
        action="store_true",
        help="read up to the offsets that are the latest at the start, close all windows, end; no partition is idle then",
    )
    add(
        "--partition-discovery",
        type=types.positive_milliseconds,
        default="30 s",
        help="how often the job looks for new partitions",
    )
    add(
        "--format",
        choices=["checked-json", "json"],
        default="checked-json",
        help="json is Flink's own, for an image without checked-json.jar: broken records, and some late ones, are lost with it",
    )
    add("--timestamp-format", choices=["SQL", "ISO-8601"], default="SQL", help="2024-05-20 07:24:03 or 2024-05-20T07:24:03")
    add("--max-record-size", type=types.memory_size, default="64 kb", help="a longer record is broken")


def _add_rejects(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("what cannot be computed").add_argument
    add("--on-error", choices=["deadLetter", "fail", "skip"], default="deadLetter", help="what the job does with a broken record")
    add(
        "--dead-letters",
        type=types.place,
        help="topic (created if missing) or directory (a URI) for broken records (default: <group>-dead)",
    )
    add(
        "--late-records", type=types.place, help="the same for late records (default: <group>-late); empty: they are only counted"
    )
    add(
        "--max-future",
        type=types.milliseconds_or_off,
        default="1 h",
        help="a record whose time is further beyond the clock, or beyond its time in Kafka, is broken; off: none is",
    )
    add(
        "--transaction-timeout",
        type=types.transaction_timeout,
        default="15 min",
        help="a checkpoint has to be completed and committed within it, or Kafka drops its dead letters and late records; "
        "at most the brokers' transaction.max.timeout.ms",
    )


def _add_windows(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("windows").add_argument
    add("--window", type=types.whole_seconds, default="2 min", help="length of a window")
    add("--watermark-delay", type=types.milliseconds, default="5 s", help="how far rows may be out of order in event time")
    add(
        "--idle-timeout",
        type=types.milliseconds,
        default="10 s",
        help="after this long without a row, a partition no longer holds back the windows; 0 s: it always does",
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("output").add_argument
    add("--output", type=types.directory, default="file:///flink-data/output", help="directory of the CSV files")
    add(
        "--checkpoint-interval",
        type=types.checkpoint_interval,
        default="10 s",
        help="time between commits of CSV files and offsets",
    )
    add("--rolling-size", type=types.memory_size, default="128 mb", help="a larger CSV file is finished, and a new one started")
    add(
        "--rolling-interval",
        type=types.positive_milliseconds,
        default="10 s",
        help="an older CSV file is finished, and a new one started",
    )
    add("--compact", type=types.memory_size, help="merge the files of a checkpoint up to this size")
    add("--sink-parallelism", type=types.positive, help="writers of CSV files (default: as many as the job's parallelism)")


def _conflicts(args: argparse.Namespace) -> Iterator[str]:
    """What is wrong with arguments that are right by themselves, in sentences."""
    if args.on_error == "deadLetter" and args.format == "json":
        yield "--on-error=deadLetter needs --format=checked-json: with Flink's json write --on-error=skip or fail"
    if args.on_error == "deadLetter" and not args.dead_letters:
        yield "--on-error=deadLetter needs a place: name one with --dead-letters, or write --on-error=skip"
    places = {"--dead-letters": dead_letters(args), "--late-records": args.late_records}
    for option, place in places.items():
        if place and not is_directory(place) and not types.is_topic(place):
            yield f"--group={args.group} gives no topic for {option}, {place!r}: name one with {option}"
        if place == args.topic:
            yield f"{option}={place} is the topic that the job reads: name another one"
        if is_directory(place) and overlap(place, args.output):
            yield f"{option}={place} and --output={args.output} contain one another: name directories beside each other"
    dead, late = places.values()
    if dead and late and (dead == late or is_directory(dead) and is_directory(late) and overlap(dead, late)):
        yield f"--dead-letters={dead} and --late-records={late} are one place, or contain one another: name two"
    if reject_topics(args) and args.transaction_timeout < args.checkpoint_interval + types.MINUTE + COMMIT_MILLISECONDS:
        yield (
            "--transaction-timeout has to be at least 6 min longer than --checkpoint-interval, or Kafka drops dead letters and "
            "late records before they are committed: raise the one, lower the other, or name directories with --dead-letters and "
            "--late-records"
        )
