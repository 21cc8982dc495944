"""What the hooks do in ZooKeeper, which other clusters may use as well."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hooks import high_availability, zookeeper
from hooks.errors import Failed, Unreachable
from hooks.high_availability import InZooKeeper

from tests.unit.fakes import FakeZooKeeper
from tests.unit.hooks import build
from tests.unit.hooks.build import JOB, OTHER

ROOT = "/flink/n/r"
CHECKPOINT = f"{ROOT}/jobs/{JOB}/checkpoints/0000000000000000007"
LATCH = f"{ROOT}/leader/latch/_c_1-latch-0000000000"


def store(server: str, bundled: bool = False) -> InZooKeeper:
    return InZooKeeper(build.wanted_zookeeper(quorum=server, path=ROOT, bundled=bundled))


def test_it_knows_a_job_by_its_checkpoints() -> None:
    with FakeZooKeeper(CHECKPOINT, f"{ROOT}/jobs/{OTHER}").serving() as server:
        assert store(server).knows(JOB)
        assert not store(server).knows(OTHER)


def test_programs_go_and_checkpoints_stay() -> None:
    fake = FakeZooKeeper(CHECKPOINT, f"{ROOT}/jobgraphs/{JOB}/lock", f"{ROOT}/execution-plans/{JOB}", "/flink/n/other")
    with fake.serving() as server:
        store(server).forget_programs()
    assert CHECKPOINT in fake.paths
    assert not [path for path in fake.paths if JOB in path and "/jobs/" not in path]
    assert "/flink/n/other" in fake.paths


Act = Callable[[InZooKeeper], None]


@pytest.mark.parametrize("act", [InZooKeeper.forget, InZooKeeper.clear])
def test_its_own_path_goes_and_no_other(act: Act) -> None:
    fake = FakeZooKeeper(CHECKPOINT, f"{ROOT}/leader/latch", "/flink/n/r2/jobs")
    with fake.serving() as server:
        act(store(server))
    assert fake.paths == {"/flink", "/flink/n", "/flink/n/r2", "/flink/n/r2/jobs"}


@pytest.mark.parametrize("act", [InZooKeeper.forget, InZooKeeper.clear])
def test_nothing_goes_while_a_jobmanager_lives(act: Act) -> None:
    fake = FakeZooKeeper(CHECKPOINT, LATCH)
    before = set(fake.paths)
    with fake.serving() as server, pytest.raises(Failed, match="highAvailability.zookeeper.root"):
        act(store(server))
    assert fake.paths == before


@pytest.mark.parametrize("act", [InZooKeeper.forget, InZooKeeper.clear])
def test_servers_of_the_release_are_not_asked(act: Act) -> None:
    act(store("127.0.0.1:9", bundled=True))


@pytest.mark.parametrize("first", ["127.0.0.1:9", "no-port", "hangs up"])
def test_the_next_server_is_asked_when_the_first_is_gone_or_hangs_up(first: str) -> None:
    """One that has lost its quorum accepts, and hangs up."""
    with FakeZooKeeper(hangs_up=True).serving() as bad, FakeZooKeeper(CHECKPOINT).serving() as good:
        assert store(f"{bad if first == 'hangs up' else first}, {good}").knows(JOB)


def test_no_server_answers() -> None:
    with FakeZooKeeper(hangs_up=True).serving() as bad, pytest.raises(Unreachable) as caught:
        store(f"127.0.0.1:9,{bad}").knows(JOB)
    assert "no ZooKeeper answers: 127.0.0.1:9: " in str(caught.value)
    assert bad in str(caught.value)


def test_a_server_that_breaks_in_the_middle_is_not_taken_for_an_empty_one() -> None:
    class Breaks(FakeZooKeeper):
        def answer(self, kind: int, path: str) -> tuple[int, bytes]:
            return -4, b""

    with Breaks(CHECKPOINT).serving() as server, pytest.raises(Unreachable):
        store(server).knows(JOB)


def test_names_are_read_as_they_are() -> None:
    with FakeZooKeeper("/a/ü", "/a/b c", "/a/b c/d").serving() as server, zookeeper.session(server) as session:
        assert sorted(session.children("/a")) == ["b c", "ü"]
        assert session.children("/nothing") == []


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({}, high_availability.Nothing),
        ({"high_availability": "other"}, high_availability.Nothing),
        ({"high_availability": "kubernetes"}, high_availability.ConfigMaps),
    ],
)
def test_the_store_is_that_of_the_values(given: dict[str, str], kind: type) -> None:
    assert type(high_availability.store(build.wanted(**given), None)) is kind  # type: ignore[arg-type]
