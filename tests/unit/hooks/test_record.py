"""The record: what is written is what is read, older charts' records are understood, and nothing in it grows without end."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hooks import record
from hooks.errors import LookAgain
from hooks.record import Record, dump, load
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.hooks import build
from tests.unit.hooks.build import FORMER, JOB, OTHER
from tests.unit.hooks.conftest import World

WORD = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
LINE = st.builds(" ".join, st.lists(WORD, min_size=1, max_size=3))
RECORDS = st.builds(
    Record,
    **{
        field.name: st.booleans()
        if isinstance(field.default, bool)
        else st.integers(0, 10**6)
        if isinstance(field.default, int)
        else st.lists(LINE if field.name in ("history", "stops", "savepoints") else WORD, max_size=4).map(tuple)
        if isinstance(field.default, tuple)
        else st.one_of(st.just(""), WORD)
        for field in fields(Record)
        if field.name not in ("fromSavepoint", "state")
    },
    state=st.sampled_from(["", "running", "suspended", "finished"]),
)


@given(RECORDS, st.one_of(st.just(""), WORD))
def test_what_is_written_is_what_is_read(written: Record, path: str) -> None:
    written = written.with_used(path)
    texts = dump(written)
    assert load(texts) == written
    assert load(json.loads(json.dumps(texts))) == written
    assert all(isinstance(text, str) and text for text in texts.values())


def test_a_job_release_has_a_key_for_each_field_that_start_job_sh_reads() -> None:
    texts = dump(build.record(restore="s3://b/s", own=True, former=(FORMER, OTHER), pending="restart"))
    assert texts["job"] == JOB
    assert texts["own"] == "true"
    assert texts["former"] == f"{FORMER} {OTHER}"
    assert (texts["generation"], texts["confirmed"], texts["pending"]) == ("1", "1", "restart")
    assert "own" not in dump(build.record())


def test_the_record_of_an_older_chart() -> None:
    old = {
        "generation": "3",
        "confirmed": "3",
        "job": JOB,
        "spec": "a",
        "restore": "s3://b/s",
        "state": "running",
        "fromSavepoint": "s3://b/first",
        "specification": "x",
        "history": "1 a\n2 b\n",
    }
    record = load(old)
    assert (record.generation, record.job, record.restore) == (3, JOB, "s3://b/s")
    assert record.is_confirmed
    assert record.has_used("s3a://b/first/")
    assert record.history == ("1 a", "2 b")
    assert not record.own
    assert load({**old, "state": "stopped"}).state == "suspended"
    assert load({**old, "confirmed": ""}).confirmed == 0


def test_no_record_is_no_job() -> None:
    assert load({}) == Record()
    assert not Record().exists
    assert not Record().is_confirmed
    assert not Record().has_id("")


def test_the_history_keeps_its_end() -> None:
    record = Record()
    for number in range(200):
        record = record.with_line(f"line {number}").with_used(f"s3://b/{number}").with_id(f"{number:032d}")
    assert record.history[-1] == "line 199"
    assert len(record.history) == 40
    assert len(record.ids) == 30
    assert record.ids[0] == record.job
    assert len("".join(dump(record).values())) < 10_000


def test_a_thousand_paths_take_a_bounded_place_and_the_newest_count() -> None:
    record = Record(usedSavepoints=tuple(f"{number:012d}" for number in range(999)))
    record = record.with_used("s3://b/s")
    assert len(record.usedSavepoints) == 500
    assert record.has_used("s3://b/s")
    assert record.usedSavepoints[-2] == "000000000998"


@pytest.mark.parametrize(
    ("path", "again"),
    [
        ("file:///flink-data/s", "file:/flink-data/s/"),
        ("file:///flink-data/s", "/flink-data/s/_metadata"),
        ("s3://b/s", "s3a://b/s"),
        ("hdfs:///s", "hdfs://namenode:8020/s"),
    ],
)
def test_a_path_counts_once_however_it_is_written(path: str, again: str) -> None:
    record = Record().with_used(path)
    assert record.has_used(again)
    assert record.with_used(again).usedSavepoints == record.usedSavepoints
    assert not record.has_used(f"{path}2")
    # It still counts when others came after it.
    assert record.with_used("s3://b/other").has_used(again)


def test_ids_of_one_job_begin_alike() -> None:
    record = build.record(former=(FORMER,))
    assert record.has_id(f"{JOB[:16]}{'9' * 16}")
    assert record.has_id(FORMER)
    assert not record.has_id(OTHER)
    assert record.with_id(OTHER).has_id(JOB)
    assert record.with_id(OTHER).ids == (OTHER, JOB)
    assert record.with_id(JOB) == record


class TestRecords:
    """The ConfigMap."""

    def records(self, world: World, **wanted: Any) -> record.Records:
        return world.release(**wanted).records

    def test_another_writer_is_noticed(self, world: World) -> None:
        mine = self.records(world)
        self.records(world).put("", build.record(generation=5))
        with pytest.raises(LookAgain):
            mine.put("", build.record(generation=6))
        assert world.record.generation == 5
        mine.read()
        mine.put("", build.record(generation=6))
        assert world.record.generation == 6

    def test_another_writer_of_the_first_record_is_noticed(self, world: World) -> None:
        del world.kubernetes.config_maps["r-record"]
        mine = self.records(world)
        self.records(world).put("", build.record(generation=5))
        with pytest.raises(LookAgain):
            mine.put("", build.record(generation=6))

    def test_several_writes_of_one_hook(self, world: World) -> None:
        mine = self.records(world)
        for generation in (2, 3, 4):
            mine.put("", build.record(generation=generation))
        assert world.record.generation == 4

    def test_fields_that_are_empty_again_go_and_keys_of_others_stay(self, world: World) -> None:
        world.write(build.record(pending="restart"))
        world.kubernetes.config_maps["r-record"]["data"]["note"] = "of somebody"
        self.records(world).put("", build.record())
        data = world.kubernetes.config_maps["r-record"]["data"]
        assert "pending" not in data
        assert data["note"] == "of somebody"

    def test_it_has_the_labels_of_the_release_and_no_mark_of_helm(self, world: World) -> None:
        """`helm upgrade --force` replaces what is in a manifest."""
        del world.kubernetes.config_maps["r-record"]
        self.records(world).put("", build.record())
        metadata = world.kubernetes.config_maps["r-record"]["metadata"]
        assert metadata["labels"] == {"app": "r"}
        assert not any("helm" in key for key in metadata["annotations"])

    def test_it_has_the_labels_of_the_values(self, world: World) -> None:
        """A policy of the cluster may ask for them, of what is changed as of what is made."""
        self.records(world, common_labels={"team": "a"}).put("", build.record(generation=2))
        assert world.kubernetes.config_maps["r-record"]["metadata"]["labels"] == {"app": "r", "team": "a"}
        del world.kubernetes.config_maps["r-record"]
        self.records(world, type="session", common_labels={"team": "a"}).make()
        assert world.kubernetes.config_maps["r-record"]["metadata"]["labels"] == {"app": "r", "team": "a"}

    def test_jobs_of_a_session_are_apart(self, world: World) -> None:
        del world.kubernetes.config_maps["r-record"]
        mine = self.records(world, type="session")
        mine.put("a", build.record(generation=2))
        mine.put("b", build.record(generation=3))
        again = self.records(world, type="session")
        assert again.names == ("a", "b")
        assert again.get("a") == build.record(generation=2)
        assert again.get("b") == build.record(generation=3)
        assert again.get("c") == Record()

    def test_the_jobs_of_a_chart_of_before_are_taken_along(self, world: World) -> None:
        del world.kubernetes.config_maps["r-record"]
        data = {name: json.dumps(dump(build.record(generation=7))) for name in "ab"}
        world.kubernetes.put("configmaps", {"metadata": {"name": "r-jobs"}, "data": data})
        mine = self.records(world, type="session")
        assert mine.get("a").generation == 7
        mine.put("a", replace(mine.get("a"), generation=8))
        again = self.records(world, type="session")
        assert (again.get("a").generation, again.get("b").generation) == (8, 7)
