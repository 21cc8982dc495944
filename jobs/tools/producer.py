"""Sends adverts to Kafka: first the lines of a file, then invented ones, then, if asked, rows that close all windows.

The lines of --sample are sent as they are, whatever they hold. The invented rows follow: their ids continue after the lines,
and the same --seed gives the same rows. Their event time is --start-time plus --time-step for each row, or, without
--start-time, the time of sending in UTC. Row n goes to partition n modulo the number of partitions, so event time moves on in
every partition. --faults PERCENT makes some of them broken in a way that the KDV job has to find, late by an hour, or sent twice.

A window closes only when rows of a later time arrive. --close-windows SECONDS sends such a row to each partition at the end,
that much later than the latest row: every window that ended before then closes; the closing rows, with ids below 0, wait in one
that is still open.

Exit code 0: every row was delivered, also after SIGTERM or SIGINT; 1: one was not; 2: wrong arguments.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import kafka_client

PRODUCTS = {
    "Telefon": (2000, 45000),
    "Bilgisayar": (5000, 90000),
    "Televizyon": (4000, 60000),
    "Bisiklet": (1500, 25000),
    "Koltuk takımı": (3000, 40000),
    "Çamaşır makinesi": (2500, 20000),
    "Kitap": (50, 900),
    "Gitar": (1000, 30000),
}
CONDITIONS = ("ikinci el", "az kullanılmış", "kutusunda", "garantisi sürüyor", "takas olur", '"temiz" denebilir')
PLACES = ("İstanbul", "Ankara", "İzmir", "Eskişehir", "Diyarbakır", "Muğla")
KDV = (Decimal("0.01"), Decimal("0.10"), Decimal("0.18"), Decimal("0.20"))


def advert(number: int, when: datetime, choice: random.Random) -> dict[str, Any]:
    """One invented advert in the shape of the topic; `price` is a Decimal in kurus steps."""
    product, (low, high) = choice.choice(list(PRODUCTS.items()))
    return {
        "id": number,
        "product": product,
        "description": f"{choice.choice(CONDITIONS)}, {choice.choice(PLACES)}",
        "price": Decimal(choice.randrange(low * 100, high * 100)) / 100,
        "kdv": choice.choice(KDV),
        "timestamp_column": when.isoformat(sep=" ", timespec="milliseconds"),
    }


def to_json(row: dict[str, Any]) -> bytes:
    """The row as JSON in UTF-8. A Decimal becomes a JSON number with just its own digits, which json alone cannot write."""
    fields = (
        f"{json.dumps(key)}:{value if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)}"
        for key, value in row.items()
    )
    return ("{" + ",".join(fields) + "}").encode()


# Ways to break a row, one for each rule of the KDV job: name -> (row, source of chance) -> the record.
Break = Callable[[dict[str, Any], random.Random], bytes]


def _with(name: str, *values: Any) -> Break:
    """Puts one of `values` into a field."""
    return lambda row, choice: to_json({**row, name: choice.choice(values)})


def _without(row: dict[str, Any], choice: random.Random) -> bytes:
    gone = choice.choice(list(row))
    return to_json({name: value for name, value in row.items() if name != gone})


BROKEN: dict[str, Break] = {
    "no JSON": lambda row, choice: to_json(row)[: -choice.randrange(1, 20)],
    "no object": lambda row, choice: choice.choice([b"[1]", b'"metin"', b"null", b"7"]),
    "text after the document": lambda row, choice: to_json(row) + choice.choice([b" x", b"}", b"{}"]),
    "empty": lambda row, choice: choice.choice([b"", b"  "]),
    "not UTF-8": lambda row, choice: to_json({**row, "product": "I"}).replace(b'"I"', b'"Is\xfdtma"'),  # ISO 8859-9
    "missing field": _without,
    "null field": lambda row, choice: to_json({**row, choice.choice(list(row)): None}),
    "wrong type of id": _with("id", "7", 7.5, True, [7]),
    "wrong type of text": _with("product", 7, {"ad": "Kitap"}),
    "wrong type of price": _with("price", "7", False),
    "price out of range": _with("price", -1, 10**15),
    "too many digits": _with("price", 1.00001),
    "kdv out of range": _with("kdv", -0.01, 1.01, 20),
    "id out of range": _with("id", 2**63, -(2**70)),
    "unreadable time": _with("timestamp_column", "", "dün", "2024-02-30 08:00:00", "2024-05-20 24:00:00", 0),
    "1 MB": lambda row, choice: to_json({**row, "description": "uzun " * 200_000}),
}


def faulty(row: dict[str, Any], choice: random.Random) -> list[bytes]:
    """What goes out instead of a good row: a broken one, the row an hour late, or the row and its copy."""
    kind = choice.choice([*BROKEN, "late", "copy"])
    if kind == "copy":
        return [to_json(row)] * 2
    if kind == "late":
        earlier = datetime.fromisoformat(row["timestamp_column"]) - timedelta(hours=1)
        return [to_json({**row, "timestamp_column": earlier.isoformat(sep=" ", timespec="milliseconds")})]
    return [BROKEN[kind](row, choice)]


def event_time(line: bytes) -> datetime | None:
    """The event time of a line of the topic; None for one that has none that can be read."""
    try:
        return without_zone(datetime.fromisoformat(json.loads(line)["timestamp_column"]))
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None


def without_zone(when: datetime) -> datetime:
    """A time with an offset, in UTC; the topic's times have none. Raises OverflowError at the ends of the calendar."""
    return when.astimezone(UTC).replace(tzinfo=None) if when.tzinfo else when


@dataclass
class Rows:
    """All rows of one run in their order; knows the latest event time of what it handed out."""

    sample: Sequence[bytes]
    count: int
    seed: int
    start_time: datetime | None
    time_step: timedelta
    faults: float = 0  # share of the rows, in percent
    latest: datetime | None = None

    def __iter__(self) -> Iterator[bytes]:
        for line in self.sample:
            self._saw(event_time(line))
            yield line
        choice, chance = random.Random(self.seed), random.Random(f"faults {self.seed}")
        for index in itertools.count() if self.count < 0 else range(self.count):
            when = datetime.now(UTC).replace(tzinfo=None) if self.start_time is None else self.start_time + index * self.time_step
            self._saw(when)
            row = advert(len(self.sample) + 1 + index, when, choice)
            yield from faulty(row, chance) if chance.random() * 100 < self.faults else [to_json(row)]

    def closing(self, partitions: int, later: timedelta) -> list[bytes]:
        """One row for each partition, `later` than the latest row; none where no row had an event time."""
        if self.latest is None:
            return []
        when = (min(self.latest, datetime.max - later) + later).isoformat(sep=" ", timespec="milliseconds")
        closer = {"product": "Kapanış", "description": "pencereleri kapatır", "price": 0, "kdv": 0, "timestamp_column": when}
        return [to_json({"id": -1 - partition, **closer}) for partition in range(partitions)]

    def _saw(self, when: datetime | None) -> None:
        if when is not None and (self.latest is None or when > self.latest):
            self.latest = when


class Sender:
    """Delivers rows to chosen partitions of one topic and counts what arrived."""

    def __init__(self, bootstrap_servers: str, topic: str, settings: Mapping[str, str]) -> None:
        from confluent_kafka import Producer  # here, so that the rows can be made without a Kafka client

        self.topic = topic
        self.delivered = 0
        self.failure = ""
        self._producer = kafka_client.client(
            Producer,
            {
                **settings,
                "bootstrap.servers": bootstrap_servers,
                "enable.idempotence": True,
                "linger.ms": 20,
                "log_level": 3,
                "message.max.bytes": 1_040_000,  # what a broker takes by default, so that --faults can send it
            },
        )

    def partitions(self) -> int:
        """The number of partitions. Raises LookupError when no broker answers or the topic does not exist."""
        from confluent_kafka import KafkaException

        try:
            topic = self._producer.list_topics(timeout=30).topics.get(self.topic)
        except KafkaException as error:
            raise LookupError(f"Kafka does not answer ({error.args[0].str()}): check --bootstrap-servers") from error
        if topic is None or not topic.partitions:
            raise LookupError(f"topic {self.topic} does not exist: create it with topic.py create")
        return len(topic.partitions)

    def send(self, line: bytes, partition: int) -> None:
        while True:
            try:
                self._producer.produce(self.topic, line, partition=partition, on_delivery=self._report)
            except BufferError:  # the queue is full: make room
                self._producer.poll(1)
            else:
                self._producer.poll(0)
                return

    def flush(self) -> int:
        """Wait until the fate of every row is known; return how many are still under way after a minute."""
        return int(self._producer.flush(60))

    def _report(self, error: Any, _message: Any) -> None:
        if error is None:
            self.delivered += 1
        else:
            self.failure = error.str()


def paced(rows: Iterable[bytes], rate: float, unpaced: int, stop: threading.Event) -> Iterator[bytes]:
    """Pass rows on, the first `unpaced` at once and the others at `rate` rows per second (0: at once), until `stop` is set."""
    start = None
    for number, row in enumerate(rows):
        if rate and number >= unpaced:
            start = time.monotonic() if start is None else start
            stop.wait(max(0.0, start + (number - unpaced) / rate - time.monotonic()))
        if stop.is_set():
            return
        yield row


def amount(text: str) -> float:
    """A number that is not negative."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 0 or more")
    return value


def how_many(text: str) -> int:
    """A whole number of -1 or more."""
    if text != "-1" and not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rows: write 0 or more, or -1 for ever")
    return int(text)


def moment(text: str) -> datetime:
    """A time as the topic writes it."""
    try:
        return without_zone(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a time: write it like '2024-05-20 08:00:00'") from None


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Sends adverts to Kafka.", formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    option = parser.add_argument
    option("--bootstrap-servers", default="kafka:9092", help="Kafka brokers")
    kafka_client.add_option(parser)
    option("--topic", default="sahibinden", help="topic to send to; it must exist")
    option("--sample", type=Path, metavar="FILE", help="send the lines of this file first, as they are")
    option("--count", type=how_many, default=0, help="number of invented rows; -1: for ever")
    option("--rate", type=amount, default=0, help="invented rows per second; 0: as fast as possible")
    option("--seed", type=int, default=1, help="the same seed invents the same rows")
    option(
        "--faults", type=amount, default=0, metavar="PERCENT", help="share of invented rows that are broken, late or sent twice"
    )
    option("--start-time", type=moment, help="event time of the first invented row; without it each has the time of its sending")
    option("--time-step", type=amount, default=1.0, help="seconds of event time between invented rows, with --start-time")
    option(
        "--close-windows",
        type=amount,
        default=0,
        metavar="SECONDS",
        help="at the end send a row to each partition, this much later than the latest row; 0: none",
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    args = parse_args(argv)
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    try:
        sample = args.sample.read_bytes().splitlines() if args.sample else []
        sender = Sender(args.bootstrap_servers, args.topic, args.kafka_properties)
        partitions = sender.partitions()
    except (OSError, LookupError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    rows = Rows(sample, args.count, args.seed, args.start_time, timedelta(seconds=args.time_step), args.faults)
    print(f"sending to {args.topic} with {partitions} partitions", flush=True)
    sent = 0
    for sent, line in enumerate(paced(rows, args.rate, len(sample), stop), start=1):
        sender.send(line, (sent - 1) % partitions)
        if sender.failure:
            break
    if args.close_windows and not sender.failure and not stop.is_set():
        sender.flush()  # a closing row must not overtake what it closes
        for partition, line in enumerate(rows.closing(partitions, timedelta(seconds=args.close_windows))):
            sender.send(line, partition)
            sent += 1
    missing = sender.flush()
    print(f"delivered {sender.delivered} of {sent} rows", flush=True)
    if sender.failure or missing:
        print(f"error: not every row was delivered: {sender.failure or 'Kafka did not answer within a minute'}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
