"""Kafka and each version of Flink as processes, once for all tests; and a KDV job for the test that asks for one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local import flink, kafka
from local.flink import FlinkCluster
from local.kafka import Broker
from local.submitter import Submitter
from tests.local.kdv import NEW, OLD, Kdv, cancel_all

_numbers = itertools.count()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with kafka.running(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture(scope="session", params=[NEW, pytest.param(OLD, marks=pytest.mark.full)])
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlinkCluster]:
    with flink.running(request.param, tmp_path_factory.mktemp("flink") / request.param, slots=4) as running:
        yield running


@pytest.fixture(scope="session")
def submitter(cluster: FlinkCluster) -> Iterator[Submitter]:
    with cluster.submitter() as running:
        yield running


@pytest.fixture
def new_kdv(broker: Broker, cluster: FlinkCluster, submitter: Submitter, tmp_path: Path) -> Iterator[Callable[..., Kdv]]:
    """new_kdv(partitions=1, broker=...) -> a job with topics of its own; partitions=0 makes none. What still runs at the end is
    cancelled."""
    usual = broker

    def make(partitions: int = 1, broker: Broker = usual) -> Kdv:
        number = next(_numbers)
        kdv = Kdv(broker, cluster.rest, submitter, f"adverts-{number}", tmp_path / str(number))
        if partitions:
            kdv.create_topic(partitions)
        return kdv

    yield make
    cancel_all(cluster.rest)


@pytest.fixture
def kdv(new_kdv: Callable[..., Kdv]) -> Kdv:
    """A job on a topic of two partitions."""
    return new_kdv(2)
