"""Kafka's classes and the properties of its clients, as the JVM has them that plans the job."""

from __future__ import annotations

import argparse
import contextlib
import re
from collections.abc import Mapping
from typing import Any

# While no broker answers, clients of Kafka 4 begin again with their first addresses. An admin client does so without a pause, and
# says it in the log, a thousand times a second.
_DEFAULTS = {"metadata.recovery.strategy": "none"}


def kafka_package() -> str:
    """The package of Kafka's own packages: one inside Flink's connector, or "" where they are beside it."""
    from py4j.protocol import Py4JJavaError
    from pyflink.util.java_utils import load_java_class

    for package in ("org.apache.flink.kafka.shaded.", ""):
        with contextlib.suppress(Py4JJavaError):
            load_java_class(f"{package}org.apache.kafka.clients.admin.AdminClient")
            return package
    raise SystemExit("error: Flink's lib directory has no Kafka connector: use an image with flink-sql-connector-kafka")


def kafka_properties(args: argparse.Namespace, package: str) -> dict[str, str]:
    """The properties of all clients: what --kafka-properties holds, its classes named as they are here, over defaults."""
    from py4j.protocol import Py4JJavaError
    from pyflink.java_gateway import get_gateway

    jvm = get_gateway().jvm
    properties = jvm.java.util.Properties()
    if args.kafka_properties:
        try:
            properties.load(jvm.java.io.FileInputStream(args.kafka_properties))
        except Py4JJavaError as error:
            raise SystemExit(f"error: --kafka-properties: {error.java_exception.getMessage()}") from None
    given = {name: named_here(name, properties.getProperty(name), package) for name in properties.stringPropertyNames()}
    return {**_DEFAULTS, **given}


def named_here(name: str, value: str, package: str) -> str:
    """The value of a property; where it names classes of Kafka's, they get the package that they have here."""
    if name == "sasl.jaas.config":  # a class and its options: a password there stays as it is
        start = r"^(\s*)"
    elif name.endswith((".class", ".classes")) or name in ("metric.reporters", "security.providers"):
        start = r"((?:^|,)\s*)"
    else:
        return value
    return re.sub(rf"{start}org\.apache\.kafka\.", rf"\g<1>{package}org.apache.kafka.", value)


def without_secrets(text: str, kafka: Mapping[str, str]) -> str:
    """`text` without the properties' secrets: Flink's message on a table that it refuses has all options, and a key in clear."""
    secrets = [value for name, value in kafka.items() if value and re.search(r"\.key$|password|secret|jaas\.config|token", name)]
    for value in sorted(secrets, key=len, reverse=True):
        text = text.replace(value.replace("'", "''"), "******").replace(value, "******")
    return text


def root_cause(error: Any) -> str:
    """The innermost exception of a Py4JJavaError, as Java writes it."""
    cause = error.java_exception
    while cause.getCause():
        cause = cause.getCause()
    return str(cause.toString())
