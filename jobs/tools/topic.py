"""Creates the topic of the pipeline, or waits until it is there.

    topic.py create --partitions 4     creates the topic, or adds the partitions that it lacks
    topic.py wait                      ends when the topic has at least one partition

Both wait for a broker that is not there yet. Exit code 0: done; 1: not done within the timeout; 2: wrong arguments.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

import confluent_kafka
import kafka_client
from confluent_kafka import admin as kafka_admin

POLL_SECONDS = 1.0


class NotYet(Exception):
    """Not possible now, but perhaps at a later try; the text says why."""


def log(text: str) -> None:
    print(text, flush=True)


def positive(text: str) -> int:
    """A whole number above zero."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--bootstrap-servers", default="kafka:9092", help="Kafka brokers (default: %(default)s)")
    kafka_client.add_option(common)
    common.add_argument("--topic", default="sahibinden", help="name of the topic (default: %(default)s)")
    common.add_argument("--timeout", type=positive, default=300, help="seconds to try at most (default: %(default)s)")
    parser = argparse.ArgumentParser(description="Creates a topic, or waits for it.")
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create", parents=[common], help="create the topic, or add the partitions that it lacks")
    create.add_argument("--partitions", type=positive, default=1, help="number of partitions (default: %(default)s)")
    create.add_argument("--replication-factor", type=positive, default=-1, help="for a new topic (default: the brokers' own)")
    commands.add_parser("wait", parents=[common], help="wait until the topic exists")
    return parser.parse_args(argv)


def partitions(admin: kafka_admin.AdminClient, topic: str) -> int:
    """How many partitions the topic has, 0 where it does not exist. Raises NotYet when no broker answers."""
    try:
        metadata = admin.list_topics(timeout=5).topics.get(topic)
    except confluent_kafka.KafkaException as error:
        raise NotYet(f"no answer from Kafka: {error.args[0].str()}") from error
    return 0 if metadata is None or metadata.error is not None else len(metadata.partitions)


def create(admin: kafka_admin.AdminClient, topic: str, count: int, replication_factor: int) -> str:
    """Create or enlarge the topic; return what was done. Raises NotYet when the brokers could not do it now."""
    present = partitions(admin, topic)
    if present >= count:
        return f"topic {topic} is there with {present} partitions"
    if present == 0:
        change = admin.create_topics([kafka_admin.NewTopic(topic, count, replication_factor)])[topic]
        done = f"topic {topic} created with {count} partitions"
    else:
        change = admin.create_partitions([kafka_admin.NewPartitions(topic, count)])[topic]
        done = f"topic {topic} enlarged from {present} to {count} partitions"
    try:
        change.result()
    except confluent_kafka.KafkaException as error:
        if (
            error.args[0].code()
            in (confluent_kafka.KafkaError.INVALID_REPLICATION_FACTOR, confluent_kafka.KafkaError.TOPIC_ALREADY_EXISTS)
            or error.args[0].retriable()
        ):
            raise NotYet(error.args[0].str()) from error  # brokers still joining, or another one was faster
        raise
    return done


def wait(admin: kafka_admin.AdminClient, topic: str) -> str:
    """Say that the topic is there; raises NotYet when it is not."""
    present = partitions(admin, topic)
    if present == 0:
        raise NotYet(f"topic {topic} does not exist yet")
    return f"topic {topic} is there with {present} partitions"


def main(argv: Sequence[str] | None = None) -> int:
    args = parse_args(argv)
    # librdkafka's own messages about an unreachable broker are off: each reason to wait is logged once, below.
    options = {**args.kafka_properties, "bootstrap.servers": args.bootstrap_servers, "log_level": 0}
    try:
        admin = kafka_client.client(kafka_admin.AdminClient, options)
    except LookupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    deadline = time.monotonic() + args.timeout
    reason = ""
    while True:
        try:
            if args.command == "create":
                log(create(admin, args.topic, args.partitions, args.replication_factor))
            else:
                log(wait(admin, args.topic))
            return 0
        except NotYet as error:
            if str(error) != reason:
                reason = str(error)
                log(f"waiting on {args.bootstrap_servers}: {reason}")
        except confluent_kafka.KafkaException as error:
            print(f"error: topic {args.topic} could not be prepared: {error.args[0].str()}", file=sys.stderr)
            return 1
        if time.monotonic() > deadline:
            print(
                f"error: gave up after {args.timeout} s ({reason}): check that Kafka is up at {args.bootstrap_servers}",
                file=sys.stderr,
            )
            return 1
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
