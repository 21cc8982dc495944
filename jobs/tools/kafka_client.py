"""The properties of Kafka's own clients, as the KDV job takes them, for the client that these programs use."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

Client = TypeVar("Client")

# Options with the same name and meaning in both clients.
_COMMON = (
    "security.protocol",
    "sasl.mechanism",
    "sasl.kerberos.service.name",
    "ssl.key.password",
    "client.id",
    "client.dns.lookup",
)
# Property of a store of type PEM -> those of this client.
_STORES = {
    "ssl.truststore.location": ("ssl.ca.location",),
    "ssl.truststore.certificates": ("ssl.ca.pem",),
    "ssl.keystore.location": ("ssl.certificate.location", "ssl.key.location"),
    "ssl.keystore.certificate.chain": ("ssl.certificate.pem",),
    "ssl.keystore.key": ("ssl.key.pem",),
}
_BLANKS = " \t\f"
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_MEANINGS = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}
_PAIR = re.compile(r"((?:\\.|[^\\=: \t\f])*)(?:[ \t\f]*[=:][ \t\f]*|[ \t\f]*)(.*)", re.DOTALL)
# Tokens of sasl.jaas.config, as the tokenizer of Kafka's clients splits it.
_JAAS_TOKEN = re.compile(
    r"""[\x00-\x20]+|//[^\r\n]*|/\*.*?\*/
    |(?P<quote>["'])(?P<text>(?:\\.|(?!(?P=quote))[^\\\r\n])*)(?P=quote)
    |(?P<plain>[A-Za-z_$\u00a0-\U0010ffff][-\w$.\u00a0-\U0010ffff]*)
    |(?P<sign>[=;])""",
    re.DOTALL | re.VERBOSE | re.ASCII,
)
_JAAS_FLAGS = ("required", "requisite", "sufficient", "optional")
_JAAS_ESCAPE = re.compile(r"\\([0-3][0-7]{0,2}|[4-7][0-7]?|.)", re.DOTALL)
_JAAS_MEANINGS = {**_MEANINGS, "a": "\a", "b": "\b", "v": "\v"}


class Wrong(ValueError):
    """The file is not one of properties; the text says why."""


def _lines(text: str) -> Iterator[str]:
    """The lines of a file of properties. A backslash at the end, not escaped, joins the next line, but not to a comment."""
    lines = iter(re.split(r"\r\n|\r|\n", text))
    for line in lines:
        line = line.lstrip(_BLANKS)
        while line and line[0] not in "#!" and (len(line) - len(line.rstrip("\\"))) % 2:
            line = line[:-1] + next(lines, "").lstrip(_BLANKS)
        if line and line[0] not in "#!":
            yield line


def _unescaped(text: str) -> str:
    def meaning(match: re.Match[str]) -> str:
        sign = match[1]
        if sign[0] == "u":
            if len(sign) == 1:
                raise Wrong(f"{text!r}: \\u needs four hexadecimal digits")
            return chr(int(sign[1:], 16))
        return _MEANINGS.get(sign, sign)

    # Characters beyond 65,535 are written as two halves.
    return _ESCAPE.sub(meaning, text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def read(data: bytes) -> dict[str, str]:
    """A file of properties as Java reads it, in ISO 8859-1: other letters are written as \\uXXXX. Raises Wrong."""
    pairs = (_PAIR.fullmatch(line) for line in _lines(data.decode("latin-1")))
    return {_unescaped(pair[1]): _unescaped(pair[2]) for pair in pairs if pair}


def account(jaas: str) -> dict[str, str]:
    """The options of the login module in sasl.jaas.config. Raises Wrong."""
    wrong = Wrong('sasl.jaas.config cannot be read: write <module> required username="..." password="...";')
    tokens: list[tuple[str, bool]] = []  # with whether it is a sign
    position = 0
    while position < len(jaas):
        match = _JAAS_TOKEN.match(jaas, position)
        if not match:
            raise wrong
        position = match.end()
        if match["quote"]:
            tokens.append((_JAAS_ESCAPE.sub(_jaas_meaning, match["text"]), False))
        elif match["plain"] or match["sign"]:
            tokens.append((match["plain"] or match["sign"], bool(match["sign"])))
    pairs = tokens[2:-1]
    if len(tokens) < 3 or tokens[0][1] or tokens[1][0].lower() not in _JAAS_FLAGS or tokens[-1] != (";", True) or len(pairs) % 3:
        raise wrong
    options = {}
    for (name, no_name), equals, (value, no_value) in zip(pairs[::3], pairs[1::3], pairs[2::3], strict=True):
        if no_name or equals != ("=", True) or no_value:
            raise wrong
        options[name] = value
    return options


def _jaas_meaning(match: re.Match[str]) -> str:
    sign = match[1]
    return chr(int(sign, 8)) if sign[0] in "01234567" else _JAAS_MEANINGS.get(sign, sign)


def translated(properties: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The properties by librdkafka's names, and the names of those that it lacks. Raises Wrong."""
    ours = {name: properties[name] for name in _COMMON if name in properties}
    known = {*_COMMON, "ssl.truststore.type", "ssl.keystore.type", "sasl.jaas.config", "ssl.endpoint.identification.algorithm"}
    if jaas := properties.get("sasl.jaas.config"):
        ours |= {f"sasl.{name}": value for name, value in account(jaas).items() if name in ("username", "password")}
    if "ssl.endpoint.identification.algorithm" in properties:  # an empty one: the broker's name is not checked
        ours["ssl.endpoint.identification.algorithm"] = properties["ssl.endpoint.identification.algorithm"] or "none"
    for name, names in _STORES.items():
        known.add(name)
        kind = ".".join(name.split(".")[:2])
        if value := properties.get(name):
            form = properties.get(f"{kind}.type", "JKS")
            if form != "PEM":
                raise Wrong(f"a {kind[4:]} of type {form}: write {kind}.type=PEM, and one in that form")
            ours |= dict.fromkeys(names, value)
    return ours, sorted(properties.keys() - known)


def settings(file: str) -> dict[str, str]:
    """The file's properties by the names of librdkafka; for argparse. Names on stderr what is ignored."""
    try:
        options, ignored = translated(read(Path(file).read_bytes()))
    except OSError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    except Wrong as error:
        raise argparse.ArgumentTypeError(f"{file}: {error}") from error
    if ignored:
        print(f"{file}: this program's client does without {', '.join(ignored)}", file=sys.stderr)
    return options


def add_option(parser: argparse.ArgumentParser) -> None:
    """--kafka-properties, whose value is the client's settings."""
    parser.add_argument(
        "--kafka-properties",
        type=settings,
        default={},
        metavar="FILE",
        help="properties of Kafka's clients, such as security.protocol and sasl.jaas.config",
    )


def client(kind: Callable[[dict[str, Any]], Client], options: Mapping[str, Any]) -> Client:
    """A client of confluent_kafka. Raises LookupError, with a sentence, for settings that it refuses."""
    import confluent_kafka  # here, so that a file can be read without it

    try:
        return kind(dict(options))
    except confluent_kafka.KafkaException as error:
        raise LookupError(f"the client refuses --kafka-properties: {error.args[0].str()}") from error
