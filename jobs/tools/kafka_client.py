"""The properties of Kafka's own clients, as the KDV job takes them, for the client that these programs use."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

_JAAS = re.compile(r'(username|password)\s*=\s*"((?:[^"\\]|\\.)*)"')
_MEANINGS = {"n": "\n", "r": "\r", "t": "\t"}


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda escape: _MEANINGS.get(escape[1], escape[1]), text)


def _read(text: str) -> dict[str, str]:
    """A file of properties, as Java reads it: a backslash at the end of a line goes on in the next one, elsewhere it escapes."""
    lines = (line.strip() for line in re.sub(r"\\\r?\n[ \t]*", "", text).splitlines())
    pairs = (re.split(r"\s*[=:]\s*|\s+", line, maxsplit=1) for line in lines if line and line[0] not in "#!")
    return {name: _unescaped("".join(value)) for name, *value in pairs}


def settings(file: str) -> dict[str, str]:
    """The file's properties by the names of librdkafka; for argparse."""
    try:
        found = _read(Path(file).read_text())
    except OSError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if jaas := found.pop("sasl.jaas.config", ""):
        found |= {f"sasl.{name}": _unescaped(value) for name, value in _JAAS.findall(jaas)}
    trusted = found.pop("ssl.truststore.type", "JKS")
    for name, ours in (("location", "ssl.ca.location"), ("certificates", "ssl.ca.pem")):
        if value := found.pop(f"ssl.truststore.{name}", ""):
            if trusted != "PEM":
                raise argparse.ArgumentTypeError(
                    f"{file}: a truststore of type {trusted}: write ssl.truststore.type=PEM, and one in that form"
                )
            found[ours] = value
    return found


def add_option(parser: argparse.ArgumentParser) -> None:
    """--kafka-properties, whose value is the client's settings."""
    parser.add_argument(
        "--kafka-properties",
        type=settings,
        default={},
        metavar="FILE",
        help="properties of Kafka's clients, such as security.protocol and sasl.jaas.config",
    )
