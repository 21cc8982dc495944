"""Prints the records of a topic that are there now, one JSON object a line, for example to look at dead letters.

    records.py --topic sahibinden-dead

A line holds partition, offset, headers (texts) and the value: as `text` where it is UTF-8, otherwise as `base64`. Records of
transactions that are open or were aborted are not shown. Exit code 0: all were printed; 1: not; 2: wrong arguments.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import confluent_kafka
import kafka_client


def read(bootstrap_servers: str, topic: str, settings: Mapping[str, str], timeout: float = 30) -> Iterator[dict[str, Any]]:
    """The committed records, partition after partition, in the order of offsets; value and headers are bytes and texts.

    Raises LookupError when no broker answers, the topic does not exist, or a record does not come within `timeout` seconds.
    """
    consumer = kafka_client.client(
        confluent_kafka.Consumer,
        {
            **settings,
            "bootstrap.servers": bootstrap_servers,
            "group.id": "records",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "log_level": 0,
        },
    )
    try:
        try:
            metadata = consumer.list_topics(topic, timeout=timeout).topics[topic]
        except confluent_kafka.KafkaException as error:
            raise LookupError(f"no answer from Kafka at {bootstrap_servers}: {error.args[0].str()}") from error
        if metadata.error is not None:
            raise LookupError(f"topic {topic} does not exist")
        for partition in sorted(metadata.partitions):
            yield from _read_partition(consumer, topic, partition, timeout)
    finally:
        consumer.close()


def _read_partition(consumer: Any, topic: str, partition: int, timeout: float) -> Iterator[dict[str, Any]]:
    try:
        _, end = consumer.get_watermark_offsets(confluent_kafka.TopicPartition(topic, partition), timeout)
    except confluent_kafka.KafkaException as error:
        raise LookupError(f"partition {partition} of {topic}: {error.args[0].str()}") from error
    consumer.assign([confluent_kafka.TopicPartition(topic, partition, confluent_kafka.OFFSET_BEGINNING)])
    while True:
        message = consumer.poll(timeout)
        if message is None:
            raise LookupError(f"partition {partition} of {topic} returned nothing for {timeout:g} s")
        if message.error() is None:
            headers = {name: value.decode(errors="replace") for name, value in message.headers() or []}
            yield {"partition": partition, "offset": message.offset(), "headers": headers, "value": message.value() or b""}
        elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
            # A fetch may find nothing more before the end that the broker has named.
            if message.offset() >= end:
                return
        else:
            raise LookupError(f"partition {partition} of {topic}: {message.error().str()}")


def line(record: dict[str, Any]) -> str:
    value = record.pop("value")
    try:
        shown = {"text": value.decode()}
    except UnicodeDecodeError:
        shown = {"base64": base64.b64encode(value).decode()}
    return json.dumps({**record, **shown}, ensure_ascii=False)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Prints the records of a topic.")
    parser.add_argument("--bootstrap-servers", default="kafka:9092", help="Kafka brokers (default: %(default)s)")
    kafka_client.add_option(parser)
    parser.add_argument("--topic", required=True, help="the topic")
    args = parser.parse_args(argv)
    try:
        for record in read(args.bootstrap_servers, args.topic, args.kafka_properties):
            print(line(record))
    except LookupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
