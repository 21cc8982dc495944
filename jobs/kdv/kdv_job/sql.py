"""Pieces of Flink's SQL."""

from __future__ import annotations

from collections.abc import Mapping


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


def client_options(kafka: Mapping[str, str], bootstrap_servers: str) -> dict[str, str]:
    """The options of a table of Kafka's that hand these properties to its client."""
    properties = {f"properties.{key}": value for key, value in kafka.items()}
    return {**properties, "properties.bootstrap.servers": bootstrap_servers}
