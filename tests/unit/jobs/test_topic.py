"""The topic tool against a stand-in for Kafka's client; the cluster tests use the real one."""

from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest


class Error(Exception):
    """An error of the client: its first argument is itself, as there."""

    def __init__(self, text: str, *, code: int = 0, retriable: bool = False) -> None:
        super().__init__(self)
        self.str, self.code, self.retriable = lambda: text, lambda: code, lambda: retriable


class Brokers:
    """Holds topics as {name: partitions}; the first `away` requests get no answer, the next `busy` changes are put off."""

    def __init__(self, topics: dict[str, int], *, away: int = 0, busy: int = 0, refuse: str = "") -> None:
        self.topics, self.away, self.busy, self.refuse = topics, away, busy, refuse

    def list_topics(self, timeout: float) -> Any:
        if self.away:
            self.away -= 1
            raise Error("Broker transport failure")
        topics = {name: SimpleNamespace(error=None, partitions=[None] * count) for name, count in self.topics.items()}
        return SimpleNamespace(topics=topics)

    def create_topics(self, topics: list[tuple[str, int]]) -> Any:
        return {name: self._change(name, count) for name, count, *_ in topics}

    create_partitions = create_topics

    def _change(self, name: str, count: int) -> Any:
        def result() -> None:
            if self.refuse:
                raise Error(self.refuse)
            if self.busy:
                self.busy -= 1
                raise Error("replication factor larger than available brokers", code=38)
            self.topics[name] = count

        return SimpleNamespace(result=result)


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The program, imported beside a client that holds `topic.brokers`."""
    client, admin = ModuleType("confluent_kafka"), ModuleType("confluent_kafka.admin")
    codes = SimpleNamespace(INVALID_REPLICATION_FACTOR=38, TOPIC_ALREADY_EXISTS=36)
    vars(client).update(KafkaException=Error, KafkaError=codes, admin=admin)
    vars(admin).update(NewTopic=lambda *fields: fields, NewPartitions=lambda *fields: fields)
    monkeypatch.setitem(sys.modules, "confluent_kafka", client)
    monkeypatch.setitem(sys.modules, "confluent_kafka.admin", admin)
    monkeypatch.delitem(sys.modules, "jobs.tools.topic", raising=False)
    program = importlib.import_module("jobs.tools.topic")
    vars(admin)["AdminClient"] = lambda _: vars(program)["brokers"]
    clock = itertools.count()
    monkeypatch.setattr(program, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda _: None))
    yield program
    del sys.modules["jobs.tools.topic"]


def run(topic: Any, brokers: Brokers, *arguments: str) -> int:
    topic.brokers = brokers
    return int(topic.main(list(arguments)))


@pytest.mark.parametrize(
    ("present", "partitions", "message"),
    [
        ({}, 3, "created with 3 partitions"),
        ({"sahibinden": 2}, 3, "enlarged from 2 to 3 partitions"),
        ({"sahibinden": 3}, 3, "is there with 3 partitions"),
        ({"sahibinden": 4}, 4, "is there with 4 partitions"),
    ],
)
def test_create_brings_the_topic_to_its_partitions(
    topic: Any, present: dict[str, int], partitions: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    brokers = Brokers(present)
    assert run(topic, brokers, "create", f"--partitions={partitions}") == 0
    assert brokers.topics == {"sahibinden": partitions}
    assert message in capsys.readouterr().out


def test_create_never_takes_partitions_away(topic: Any) -> None:
    brokers = Brokers({"sahibinden": 4})
    assert run(topic, brokers, "create", "--partitions=2") == 0
    assert brokers.topics == {"sahibinden": 4}


def test_brokers_that_come_late_are_waited_for_with_one_line_for_each_state(
    topic: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    brokers = Brokers({}, away=3, busy=3)
    assert run(topic, brokers, "create") == 0
    lines = capsys.readouterr().out.splitlines()
    assert ["Broker transport failure" in lines[0], "replication factor" in lines[1], "created" in lines[2]] == [True] * 3
    assert len(lines) == 3


def test_wait_ends_when_the_topic_is_there(topic: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(topic, Brokers({"sahibinden": 2}), "wait") == 0
    assert "is there with 2 partitions" in capsys.readouterr().out


def test_wait_gives_up_with_a_sentence(topic: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(topic, Brokers({"other": 2}), "wait", "--timeout=5") == 1
    error = capsys.readouterr().err
    assert "gave up after 5 s (topic sahibinden does not exist yet): check that Kafka is up at kafka:9092" in error


def test_what_kafka_refuses_for_good_ends_at_once(topic: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(topic, Brokers({}, refuse="not authorized"), "create") == 1
    assert "topic sahibinden could not be prepared: not authorized" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["create", "--partitions=0"], ["create", "--partitions=few"], ["wait", "--timeout=-1"]])
def test_wrong_arguments_are_refused_with_a_sentence(
    topic: Any, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        topic.parse_args(arguments)
    assert ended.value.code == 2
    assert "is not a whole number above 0" in capsys.readouterr().err
