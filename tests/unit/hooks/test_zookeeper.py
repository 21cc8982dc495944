"""What the hooks do in ZooKeeper, which other clusters may use as well."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hooks import high_availability, tls, zookeeper
from hooks.clock import Deadline
from hooks.errors import Failed, Unreachable
from hooks.high_availability import InZooKeeper

from tests.unit.fakes import FakeZooKeeper
from tests.unit.hooks import build
from tests.unit.hooks.build import JOB, OTHER

ROOT = "/flink/n/r"
CHECKPOINT = f"{ROOT}/jobs/{JOB}/checkpoints/0000000000000000007"
Act = Callable[[InZooKeeper], Any]
LATCH = f"{ROOT}/leader/latch/_c_1-latch-0000000000"


def store(server: str, bundled: bool = False, in_use: bool = True, seconds: float = 0) -> InZooKeeper:
    """One that is asked once, or until some seconds are over."""
    where = build.wanted_zookeeper(quorum=server, path=ROOT, bundled=bundled)
    return InZooKeeper(where, Deadline(seconds), in_use=in_use, is_to_come=bundled and not in_use)


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


@pytest.mark.parametrize("directory", ["jobgraphs", "execution-plans"])
def test_jobs_that_would_be_run_are_those_whose_programs_are_stored(directory: str) -> None:
    fake = FakeZooKeeper(CHECKPOINT, f"{ROOT}/{directory}/{OTHER}/lock", f"/flink/n/other/{directory}/{JOB}")
    with fake.serving() as server:
        assert store(server).jobs() == store(server, in_use=False).jobs() == (OTHER,)
    assert store("127.0.0.1:9", bundled=True, in_use=False).jobs() == ()


def test_jobs_of_another_cluster_are_not_taken_for_those_of_a_release_that_was_here() -> None:
    with (
        FakeZooKeeper(LATCH, f"{ROOT}/jobgraphs/{JOB}").serving() as server,
        pytest.raises(Failed, match="another cluster has a release of this name"),
    ):
        store(server, in_use=False).jobs()


def test_a_path_that_is_in_use_by_others_is_theirs() -> None:
    """The latch of a JobManager; the one that lives in this release has another path, or none."""
    with FakeZooKeeper(LATCH).serving() as server:
        store(server).check()
        with pytest.raises(Failed, match="another cluster has a release of this name"):
            store(server, in_use=False).check()


@pytest.mark.parametrize("act", [InZooKeeper.check, InZooKeeper.forget_programs, lambda store: store.knows(JOB)])
def test_servers_that_come_with_the_release_keep_nothing_yet(act: Act) -> None:
    assert not act(store("127.0.0.1:9", bundled=True, in_use=False))
    with pytest.raises(Unreachable):
        act(store("127.0.0.1:9", bundled=True))


def test_a_quorum_that_has_just_lost_its_leader_is_asked_again() -> None:
    fake = FakeZooKeeper(CHECKPOINT, hangs_up=True)
    with fake.serving() as server:
        threading.Timer(0.5, lambda: setattr(fake, "hangs_up", False)).start()
        assert store(server, seconds=20).knows(JOB)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({}, True),
        ({"servers": "zk-1:2181, zk-3:2181"}, True),
        ({"servers": "another:2181"}, False),
        ({"path": "/another"}, False),
        ({"folder": "s3://another"}, False),
        ({"type": "kubernetes"}, False),
    ],
)
def test_a_place_is_the_same_while_a_server_of_it_is(other: dict[str, str], same: bool) -> None:
    place = {"type": "zookeeper", "servers": "zk-0:2181,zk-1:2181", "path": ROOT, "folder": "s3://b/ha"}
    assert high_availability.same_place(place, {**place, **other}) is same
    assert not high_availability.same_place({}, place)
    assert high_availability.same_place({}, {})


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


def test_servers_of_the_release_go_with_it_or_are_to_come() -> None:
    store("127.0.0.1:9", bundled=True).forget()
    store("127.0.0.1:9", bundled=True, in_use=False).clear()


def test_servers_of_the_release_that_were_there_before_its_jobmanager_forget_its_jobs() -> None:
    with FakeZooKeeper(CHECKPOINT).serving() as server:
        where = build.wanted_zookeeper(quorum=server, path=ROOT, bundled=True)
        left = InZooKeeper(where, Deadline(0), in_use=False, is_to_come=False)
        assert left.knows(JOB)
        left.clear()
        assert not left.knows(JOB)


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


def test_a_secret_without_certificates_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "_CERTIFICATES", tmp_path)
    where = build.wanted_zookeeper(quorum="127.0.0.1:9", path=ROOT, secret="zk")
    with pytest.raises(Failed, match="Secret zk has no ca.crt.*highAvailability.zookeeper.tls names it"):
        InZooKeeper(where, Deadline(0), in_use=True, is_to_come=False).jobs()


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
    wanted = build.wanted(**given)
    assert type(high_availability.store(wanted, None, Deadline(0), in_use=True)) is kind  # type: ignore[arg-type]
