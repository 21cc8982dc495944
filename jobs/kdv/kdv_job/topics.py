"""The job's topics: the one that it reads, and those of its rejects, which it creates where they are missing."""

from __future__ import annotations

import argparse
import functools
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kdv_job.kafka import root_cause, without_secrets
from kdv_job.places import REJECT_BYTES, reject_topics

_POLL_SECONDS = 1
_ANSWER_SECONDS = 5

KEPT_BYTES = 2_000_000  # of a longer record that was rejected, where its topic takes so many
_HEADER_BYTES = 10_000  # for the reason and where the record came from
_BROKER_BYTES = 1_048_588  # what a broker takes by default


class Topics(NamedTuple):
    """Of the job's topics: the partitions of the one that it reads, and the longest record that all those of its rejects take."""

    partitions: int
    record_bytes: int

    @property
    def kept_bytes(self) -> int:
        """How much of a record fits into a reject."""
        return max(0, min(KEPT_BYTES, self.record_bytes - _HEADER_BYTES))


class Kafka:
    """An admin client of the JVM. Raises Py4JJavaError for what Kafka does not answer or refuses."""

    def __init__(self, jvm: Any, package: str, properties: Mapping[str, str]) -> None:
        self._jvm = jvm
        self._java = functools.reduce(getattr, f"{package}org.apache.kafka".split("."), jvm)
        settings = jvm.java.util.Properties()
        for name, value in properties.items():
            settings.setProperty(name, value)
        self._admin = self._java.clients.admin.AdminClient.create(settings)  # fails for a host that cannot be resolved

    def close(self) -> None:
        self._admin.close(self._jvm.java.time.Duration.ZERO)

    def _answer(self, future: Any) -> Any:
        return future.get(_ANSWER_SECONDS, self._jvm.java.util.concurrent.TimeUnit.SECONDS)

    def topics(self) -> Any:
        """A Java set of names."""
        return self._answer(self._admin.listTopics().names())

    def partitions(self, topic: str) -> int:
        return int(self._answer(self._admin.describeTopics([topic]).allTopicNames()).get(topic).partitions().size())

    def create_for_rejects(self, names: Sequence[str]) -> None:
        one, default = self._jvm.java.util.Optional.of(1), self._jvm.java.util.Optional.empty()
        topics = [self._java.clients.admin.NewTopic(name, one, default) for name in names]
        for topic in topics:
            # The brokers' defaults may delete records after a week, or keep one for each key, and these have no key.
            topic.configs({"max.message.bytes": str(REJECT_BYTES), "cleanup.policy": "delete", "retention.ms": "-1"})
        self._answer(self._admin.createTopics(topics).all())

    def record_bytes(self, topics: Sequence[str]) -> int:
        """The longest record that all these topics take, also where a broker creates one of them again by itself."""
        limits = [int(self._setting("TOPIC", topic, "max.message.bytes") or _BROKER_BYTES) for topic in topics]
        if limits and self._setting("BROKER", broker := self._broker(), "auto.create.topics.enable") != "false":
            limits.append(int(self._setting("BROKER", broker, "message.max.bytes") or _BROKER_BYTES))
        return min(limits, default=REJECT_BYTES)

    def compacted(self, topics: Sequence[str]) -> list[str]:
        """Those that take no record without a key."""
        return [topic for topic in topics if "compact" in self._setting("TOPIC", topic, "cleanup.policy")]

    def longest_transaction(self) -> int:
        """Milliseconds that the brokers let a transaction last; 0 where the account may not ask."""
        return int(self._setting("BROKER", self._broker(), "transaction.max.timeout.ms") or 0)

    def _broker(self) -> str:
        return str(self._answer(self._admin.describeCluster().nodes()).iterator().next().idString())

    def _setting(self, kind: str, name: str, key: str) -> str:
        """An option of a TOPIC or BROKER; empty where the account may not ask."""
        from py4j.protocol import Py4JJavaError

        config = self._java.common.config.ConfigResource
        resource = config(getattr(config.Type, kind), name)
        try:
            return str(self._answer(self._admin.describeConfigs([resource]).all()).get(resource).get(key).value())
        except Py4JJavaError as error:
            if "AuthorizationException" in root_cause(error):
                return ""
            raise


def prepare_topics(args: argparse.Namespace, package: str, properties: Mapping[str, str]) -> Topics:
    """Wait until the topic exists, without which the source would fail, and create those of rejects that do not."""
    from py4j.protocol import Py4JJavaError
    from pyflink.java_gateway import get_gateway

    jvm = get_gateway().jvm

    def ask() -> Topics | str:
        """The topics, or the reason to wait."""
        kafka = None
        try:
            kafka = Kafka(jvm, package, {**properties, "bootstrap.servers": args.bootstrap_servers})
            present = kafka.topics()
            if not present.contains(args.topic):
                return f"topic {args.topic} does not exist yet"
            kafka.create_for_rejects([topic for topic in reject_topics(args) if not present.contains(topic)])
            if refusal := refused(kafka, args):
                raise SystemExit(f"error: {refusal}")
            return Topics(kafka.partitions(args.topic), kafka.record_bytes(reject_topics(args)))
        except Py4JJavaError as error:
            return root_cause(error)
        finally:
            if kafka:
                kafka.close()

    printed = ""
    while isinstance(answer := ask(), str):
        if answer != printed:
            print(f"waiting for Kafka at {args.bootstrap_servers}: {without_secrets(answer, properties)}", flush=True)
            printed = answer
        time.sleep(_POLL_SECONDS)
    return answer


def refused(kafka: Kafka, args: argparse.Namespace) -> str:
    """Why Kafka would take no reject, in a sentence; empty where it would."""
    topics = reject_topics(args)
    if compacted := kafka.compacted(topics):
        return (
            f"topic {compacted[0]} is compacted, and takes no record without a key: set its cleanup.policy to delete, or name "
            "another one with --dead-letters and --late-records"
        )
    longest = kafka.longest_transaction() if topics else 0
    if longest and args.transaction_timeout > longest:
        return (
            f"--transaction-timeout is more than the brokers' transaction.max.timeout.ms ({longest}) allows: raise that first, "
            "or lower the argument"
        )
    return ""


def stalled(args: argparse.Namespace, topics: Topics, parallelism: int) -> str:
    """Why the job would never close a window, in a sentence; empty where it would."""
    if args.bounded or args.idle_timeout or parallelism <= topics.partitions:
        return ""
    return (
        f"error: topic {args.topic} has {topics.partitions} partitions, but the parallelism is {parallelism}, and with "
        "--idle-timeout=0 the readers without a partition hold back all windows: lower the parallelism, or set the timeout"
    )
