"""The rows that every subject reads: adverts in the shape of the demo's topic, the same each time, about 190 bytes each."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from confluent_kafka import Producer

from local.kafka import Broker

WINDOW = timedelta(minutes=2)
START = datetime(2024, 5, 20, 8, tzinfo=UTC)
_TEMPLATES = 5_000
_PRODUCTS = ("Araba", "Bilgisayar", "Telefon", "Televizyon", "Bisiklet", "Koltuk takımı", "Çamaşır makinesi")
_WORDS = "ikinci el, az kullanılmış, kutusunda, garantili, takas olur, acil satılık, 2021 model, faturalı, hasarsız".split(", ")
_PLACES = ("İstanbul", "Ankara", "İzmir", "Eskişehir", "Diyarbakır", "Muğla")
_RATES = ("0.01", "0.10", "0.18", "0.20")


@dataclass(frozen=True)
class Data:
    """`events` rows, in order of event time, `rows_per_window` in each window, dealt out to the partitions one by one.

    One row for each partition follows, an hour later: it closes every window, and waits in one that nothing closes.
    With `odd`, every thousandth row comes twice, and every thousandth is no JSON.
    """

    events: int
    partitions: int
    rows_per_window: int = 8_000
    odd: bool = False

    @property
    def topic(self) -> str:
        return f"adverts-{self.events}-{self.rows_per_window}-{self.partitions}{'-odd' * self.odd}"

    @property
    def messages(self) -> int:
        """What a subject has to read."""
        return self.events + self.partitions

    def rows(self) -> Iterator[tuple[int, bytes]]:
        """(partition, value) in the order of sending."""
        templates = _templates()
        step = WINDOW.total_seconds() * 1000 / self.rows_per_window
        last = (0, b"")
        for number in range(self.events):
            if self.odd and number % 1000 == 501:
                row = last
            elif self.odd and number % 1000 == 777:
                row = number % self.partitions, b'{"id": ' + str(number).encode()
            else:
                row = number % self.partitions, templates[number % _TEMPLATES] % (number, _time(int(number * step)))
            yield row
            last = row
        end = _time(int(self.events * step) + 3_600_000)
        for partition in range(self.partitions):
            yield partition, templates[0] % (-1 - partition, end)

    def send(self, broker: Broker) -> None:
        """Make the topic again and fill it."""
        broker.create_topic(self.topic, self.partitions)
        producer = Producer(
            {
                "bootstrap.servers": broker.address,
                "linger.ms": 50,
                "queue.buffering.max.messages": 1_000_000,
                "enable.idempotence": True,  # without it, what is sent again comes behind later rows
            }
        )
        for partition, value in self.rows():
            while True:
                try:
                    producer.produce(self.topic, value, key=b"%d" % partition, partition=partition)  # Quix Streams wants a key
                    break
                except BufferError:
                    producer.poll(0.1)
        if left := producer.flush(120):
            raise RuntimeError(f"{left} rows were not delivered")


def _templates() -> list[bytes]:
    """Rows that lack their id and time."""
    choice = random.Random(1)

    def template() -> str:
        description = ", ".join(choice.sample(_WORDS, 4))
        return (
            f'{{"id":%d,"product":"{choice.choice(_PRODUCTS)}","description":"{description}, \\"{choice.choice(_PLACES)}\\"",'
            f'"price":{choice.randrange(5_000, 9_000_000)}.{choice.randrange(100):02},"kdv":{choice.choice(_RATES)},'
            f'"timestamp_column":"%s"}}'
        )

    return [template().encode() for _ in range(_TEMPLATES)]


def _time(milliseconds: int) -> bytes:
    """The event time so long after the start."""
    seconds, rest = divmod(milliseconds, 1000)
    return b"%s.%03d" % (_second(seconds), rest)


@lru_cache(maxsize=16)
def _second(seconds: int) -> bytes:
    return (START + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S").encode()
