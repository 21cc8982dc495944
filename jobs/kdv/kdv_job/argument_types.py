"""What the value of an argument may look like: each function returns it as the job uses it, or refuses it with a sentence."""

from __future__ import annotations

import argparse
import re

MINUTE = 60_000
SCHEME = r"[A-Za-z][\w+.-]*://"

_MILLISECONDS = {"ms": 1, "s": 1000, "min": MINUTE, "h": 3_600_000, "d": 86_400_000}
_SHORTEST_INTERVAL = 10  # milliseconds between checkpoints
_LONGEST_TRANSACTION = 2**31 - 1  # milliseconds, in an int of Kafka's clients


def milliseconds(text: str) -> int:
    """The duration `text`, written as Flink writes them ("2 min", "5 s", "500 ms"), in milliseconds."""
    match = re.fullmatch(r"(\d+) ?(ms|s|min|h|d)", text.strip(), re.ASCII)
    if not match:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a duration: write a whole number and one of ms, s, min, h, d, like '2 min'"
        )
    value = int(match[1]) * _MILLISECONDS[match[2]]
    if value > 999 * _MILLISECONDS["d"]:
        raise argparse.ArgumentTypeError(f"{text!r} is longer than 999 days")  # the maximum of an interval in SQL
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


def whole_seconds(text: str) -> int:
    """Like positive_milliseconds(), but refuses fractions of a second."""
    value = positive_milliseconds(text)
    if value % 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of seconds")
    return value


def checkpoint_interval(text: str) -> int:
    """Like positive_milliseconds(), from Flink's minimum on."""
    value = positive_milliseconds(text)
    if value < _SHORTEST_INTERVAL:
        raise argparse.ArgumentTypeError(f"{text!r} is shorter than Flink allows: write at least '{_SHORTEST_INTERVAL} ms'")
    return value


def transaction_timeout(text: str) -> int:
    """Like positive_milliseconds(), up to the maximum of Kafka's clients."""
    value = positive_milliseconds(text)
    if value > _LONGEST_TRANSACTION:
        raise argparse.ArgumentTypeError(f"{text!r} is longer than Kafka's clients allow: write at most '24 d'")
    return value


def memory_size(text: str) -> str:
    """The size `text` as Flink writes them ("128 mb"), unchanged."""
    if not re.fullmatch(r"[1-9]\d{0,8} ?(b|kb|mb|gb)", text.strip().lower(), re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size: write a whole number and one of b, kb, mb, gb, like '128 mb'")
    return text.strip()


def positive(text: str) -> int:
    """A whole number above 0."""
    if not re.fullmatch(r"[1-9]\d{0,8}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def not_empty(text: str) -> str:
    """A text that is not empty."""
    if not text.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is empty: write a name, or leave the argument out")
    return text


def directory(text: str) -> str:
    """A directory, as a URI or as a path of the machine."""
    if not re.fullmatch(rf"({SCHEME})?[^\s:]*/.*", text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a directory: write one like file:///flink-data/output or s3://bucket/output"
        )
    return text


def is_topic(text: str) -> bool:
    """Whether Kafka takes `text` as the name of a topic."""
    return bool(re.fullmatch(r"[\w.-]{1,249}", text, re.ASCII)) and text not in (".", "..")


def topic(text: str) -> str:
    """The name of a topic."""
    if not is_topic(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a topic: write up to 249 letters of ASCII, digits, . _ -")
    return text


def place(text: str) -> str:
    """A topic, a directory as a URI, or nothing."""
    if text and not is_topic(text) and not re.fullmatch(rf"{SCHEME}[^/]*/.*", text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a topic (up to 249 letters of ASCII, digits, . _ -) nor a directory like file:///data/dead"
        )
    return text
