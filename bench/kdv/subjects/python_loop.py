"""A plain loop around a Kafka consumer: windows in a dict, one CSV file."""

from __future__ import annotations

from confluent_kafka import Consumer

from bench.kdv.subjects.common import BROKER, NAME, OUTPUT, TOPIC, position, read, window_end


def main() -> None:
    consumer = Consumer({"bootstrap.servers": BROKER, "group.id": NAME, "auto.offset.reset": "earliest"})
    partitions = consumer.list_topics(TOPIC, timeout=30).topics[TOPIC].partitions
    consumer.subscribe([TOPIC], on_assign=lambda *_: position.report())
    newest = dict.fromkeys(partitions, 0)  # event time of each partition
    windows: dict[int, set[str]] = {}
    broken = 0
    with open(OUTPUT, "w") as output:
        while True:
            for message in consumer.consume(1000, 0.1):
                try:
                    when, start, line = read(message.value() or b"")
                except (ValueError, TypeError, KeyError):
                    broken += 1
                else:
                    windows.setdefault(start, set()).add(line)
                    if when > newest[message.partition()]:
                        newest[message.partition()] = when
                position.count += 1
            time = min(newest.values())
            for start in sorted(start for start in windows if window_end(start) <= time):
                output.writelines(f"{line}\n" for line in windows.pop(start))
                output.flush()


main()
