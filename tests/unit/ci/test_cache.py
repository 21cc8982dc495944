"""The cache of built things: what a later run may trust."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest

from ci.core import cache


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLINK_HELM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def _write(text: str) -> Callable[[Path], None]:
    def build(directory: Path) -> None:
        (directory / "result").write_text(text)

    return build


def test_same_inputs_are_built_once() -> None:
    first = cache.entry("thing", {"a": 1, "b": 2}, _write("first"))
    second = cache.entry("thing", {"b": 2, "a": 1}, _write("second"))
    assert second == first
    assert (second / "result").read_text() == "first"


def test_changed_inputs_are_built_anew_beside_the_old_entry() -> None:
    old = cache.entry("thing", {"version": "1"}, _write("old"))
    new = cache.entry("thing", {"version": "2"}, _write("new"))
    assert (old / "result").read_text() == "old"
    assert (new / "result").read_text() == "new"


def test_an_interrupted_build_is_not_trusted_and_leaves_nothing_in_the_next() -> None:
    def interrupted(directory: Path) -> None:
        (directory / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.entry("thing", {}, interrupted)
    whole = cache.entry("thing", {}, _write("whole"))
    assert [file.name for file in whole.iterdir()] == ["result"]


def _build_and_count(log: Path) -> None:
    def build(directory: Path) -> None:
        with log.open("a") as lines:
            lines.write("built\n")
        (directory / "result").touch()

    cache.entry("shared", {}, build)


def test_processes_at_the_same_time_build_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    processes = [multiprocessing.get_context("spawn").Process(target=_build_and_count, args=(log,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert log.read_text() == "built\n"


def test_clean_removes_entries_and_nothing_else(root: Path) -> None:
    entry = cache.entry("thing", {}, _write("x"))
    foreign = root / "photos" / "notes.json"
    foreign.parent.mkdir()
    foreign.touch()
    assert cache.clean() == 1
    assert not entry.parent.exists()
    assert foreign.exists()


def test_file_hash_sees_contents_and_names(tmp_path: Path) -> None:
    file = tmp_path / "directory" / "a"
    file.parent.mkdir()
    file.write_text("1")
    hashes = [cache.file_hash(file.parent)]
    file.write_text("2")
    hashes.append(cache.file_hash(file.parent))
    file.rename(file.with_name("b"))
    hashes.append(cache.file_hash(file.parent))
    assert len(set(hashes)) == 3
