"""One Kafka broker (KRaft) from the published jars."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic

from ci.core.paths import IMAGES
from ci.images import artifacts
from harness.waits import GiveUp, wait_for

from .process import Process, free_port

_CONFIG = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "BROKERS",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,BROKERS:PLAINTEXT,CLIENTS:PLAINTEXT",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "group.initial.rebalance.delay.ms": "0",
    "auto.create.topics.enable": "false",
    "message.max.bytes": "4194304",
}
_CLUSTER_ID = "kdvLocalKdvLocalKdvLoc"


class Broker:
    """A broker whose data are in `directory`; it can be started, killed and started again on the same port.

    `config` goes over the options above, `format_options` to the tool that formats its directory, `client` to its clients.
    """

    def __init__(
        self,
        directory: Path,
        heap: str = "512m",
        *,
        config: Mapping[str, str] = MappingProxyType({}),
        format_options: Sequence[str] = (),
        client: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._java = ["java", f"-Xmx{heap}", f"-Xms{heap}", "-XX:+UseG1GC"]
        self._java.append(f"-Dlog4j2.configurationFile={IMAGES}/kafka/kafka-log4j2.properties")
        self._java += ["-cp", f"{artifacts.fetch('kafka')}/*"]
        self._properties = directory / "server.properties"
        port, brokers, controller = free_port(), free_port(), free_port()
        self.address = f"127.0.0.1:{port}"
        self.client = client
        listeners = f"CLIENTS://{self.address},BROKERS://127.0.0.1:{brokers}"
        options = {
            **_CONFIG,
            "listeners": f"{listeners},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": listeners,
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "log.dirs": str(directory / "data"),
            **config,
        }
        self._properties.write_text("".join(f"{key}={value}\n" for key, value in options.items()))
        tool = [*self._java, "kafka.tools.StorageTool", "format", "--ignore-formatted"]
        tool += [f"--cluster-id={_CLUSTER_ID}", f"--config={self._properties}", *format_options]
        subprocess.run(tool, check=True, capture_output=True, stdin=subprocess.DEVNULL)
        self.process: Process | None = None
        # Its own complaints about a broker that is not there yet are no news.
        self.admin = AdminClient({**client, "bootstrap.servers": self.address, "log_level": 0})

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process = process = Process([*self._java, "kafka.Kafka", self._properties], self._directory / "kafka.log")

        def answers() -> bool:
            if not process.running():
                raise GiveUp("it ended")
            return bool(self.admin.list_topics(timeout=2).brokers)

        wait_for(answers, timeout=90, what="Kafka", on_timeout=process.tail)

    def create_topic(self, name: str, partitions: int = 1) -> None:
        """Make the topic unless it is there."""
        try:
            self.admin.create_topics([NewTopic(name, partitions, 1)])[name].result(30)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise

    def add_partitions(self, name: str, total: int) -> None:
        self.admin.create_partitions([NewPartitions(name, total)])[name].result(30)

    def configure(self, name: str, key: str, value: object) -> None:
        """Set an option of a topic."""
        entry = ConfigEntry(key, str(value), incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=[entry])
        self.admin.incremental_alter_configs([resource])[resource].result(30)

    def stop(self) -> None:
        if self.process:
            self.process.stop()


@contextlib.contextmanager
def running(directory: Path, heap: str = "512m", **options: Any) -> Iterator[Broker]:
    """A broker that answers, for as long as the block runs."""
    broker = Broker(directory, heap, **options)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()
