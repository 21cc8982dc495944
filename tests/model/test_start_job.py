"""The model's start script beside the real one, on the same record and files."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.model.package import FILES, HOOKS
from tests.model.start_job import Settings, decide, hindrance, states

OLDER, OLD, NOW = "c" * 16 + "0" * 16, "a" * 16 + "0" * 16, "b" * 16 + "0" * 16
SCRIPT = FILES / "start-job.sh"
BASE = {"job": NOW, "state": "running", "spec": "s", "generation": "2", "confirmed": "1", "ids": f"{NOW} {OLD}"}

# What the record says besides BASE ({} is the directory) -> files below it, the oldest first -> how many checkpoints are kept.
CASES: dict[str, tuple[dict[str, str], list[str], int]] = {
    "nothing": ({}, [], 3),
    "a savepoint": ({"restore": "file:{}/savepoints/s"}, [], 3),
    "an own checkpoint as Flink writes it": (
        {"restore": f"file:{{}}/checkpoints/{OLD}/chk-9", "own": "true"},
        [f"checkpoints/{OLD}/chk-7", f"checkpoints/{OLD}/chk-8", f"checkpoints/{OLD}/chk-9"],
        3,
    ),
    "one that alone is kept": (
        {"restore": f"file:{{}}/checkpoints/{OLD}/chk-9", "own": "true"},
        [f"checkpoints/{OLD}/chk-8", f"checkpoints/{OLD}/chk-9"],
        1,
    ),
    "one of an earlier process": (
        {"restore": "file:{}/savepoints/s"},
        [f"checkpoints/{NOW[:16]}{'1' * 16}/chk-1", f"checkpoints/{NOW[:16]}{'2' * 16}/chk-2"],
        3,
    ),
    "a stop that nobody saw": (
        {"former": OLD},
        [f"checkpoints/{OLD}/chk-9", f"savepoints/{OLD}/stop/savepoint-a"],
        3,
    ),
    "of a former job, with older ones": (
        {"former": OLD, "restore": "s3://bucket/s"},
        [f"checkpoints/{OLD}/chk-{number}" for number in range(1, 7)],
        3,
    ),
    "a parallelism that was changed while it ran": ({"parallelism": "4"}, [], 3),
    "a parallelism that the options say": ({"parallelism": "0"}, [], 3),
    "the way back": (
        {"previousFormer": OLD, "ids": f"{NOW} {OLD} {OLDER}"},
        [f"checkpoints/{OLDER}/chk-3", f"checkpoints/{OLD}/chk-7", f"checkpoints/{OLD}/chk-8"],
        1,
    ),
    "the way back of a job and of one before it": (
        {"previousFormer": f"{OLD} {OLDER}", "ids": f"{NOW} {OLD} {OLDER}", "restore": "file:{}/savepoints/mistyped"},
        [f"checkpoints/{OLDER}/chk-2", f"checkpoints/{OLDER}/chk-3", f"checkpoints/{OLD}/chk-7", f"checkpoints/{OLD}/chk-8"],
        1,
    ),
}

# What is other than in BASE, or missing if it is empty.
WAITS = [
    {"job": ""},
    {"state": "suspended"},
    {"spec": "t"},
    {"pending": "restart this"},
    {"pending": "replace"},
    {"restore": "file:{}/checkpoints/a/chk-1", "own": "true"},
    {"former": OLD},
    {"confirmed": "2"},
    {"ran": "2"},
]
# The same, with the files below the directory that keep it.
WAITS_FOR_FILES = [
    f"checkpoints/{OLD}/chk-9",
    f"savepoints/{OLD}/stop/savepoint-a",
    f"savepoints/{OLD}/savepoint-b",
    "savepoints/savepoint-aaaaaa-b",
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    script = tmp_path / "flink" / "bin" / "standalone-job.sh"
    script.parent.mkdir(parents=True)
    script.write_text('#!/bin/bash\nprintf "%s\\n" "$@"\n')
    script.chmod(0o755)
    return tmp_path / "flink"


def run(home: Path, record: dict[str, str], directory: Path, kept: int, seconds: float | None = None) -> list[str]:
    """The arguments that Flink gets."""
    mounted = home.parent / "record"
    mounted.mkdir(exist_ok=True)
    for name, text in record.items():
        (mounted / name).write_text(text)
    environment = {
        "PATH": os.environ["PATH"],
        "RECORD": str(mounted),
        "FLINK_HOME": str(home),
        "JOB_SPECIFICATION": "s",
        "POD_UID": "this",
        "HIGH_AVAILABILITY": "false",
        "CLAIM_DIRECTORY": str(directory),
        "RETAINED_CHECKPOINTS": str(kept),
        "CLAIM_OWN_CHECKPOINTS": "true",
    }
    done = subprocess.run(["bash", SCRIPT], env=environment, capture_output=True, text=True, timeout=seconds, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("case", CASES)
def test_they_start_from_the_same_state(home: Path, tmp_path: Path, case: str) -> None:
    fields, names, kept = CASES[case]
    directory = tmp_path / "data"
    record = {**BASE, **{key: text.format(directory) for key, text in fields.items()}}
    files: dict[str, float] = {}
    for age, name in enumerate(names):
        state = directory / name
        state.mkdir(parents=True)
        (state / "_metadata").touch()
        os.utime(state / "_metadata", (age, age))
        files[str(state)] = age
    start = decide(record, Settings("s", False, str(directory), kept), files)
    argv = run(home, record, directory, kept)
    restored = argv[argv.index("--fromSavepoint") + 1] if "--fromSavepoint" in argv else ""
    assert restored.replace("file:///", "file:/") == start.restore.replace("file:///", "file:/")
    assert ("execution.state-recovery.claim-mode=CLAIM" in argv) == start.claims
    assert [word for word in argv if word.startswith("parallelism")] == [f"parallelism.default={start.parallelism}"] * (
        start.parallelism > 0
    )
    assert {path for path in files if not Path(path).exists()} == set(start.deleted)


@pytest.mark.parametrize("other", WAITS, ids=str)
def test_they_wait_for_the_same(home: Path, tmp_path: Path, other: dict[str, str]) -> None:
    record = {key: text.format(tmp_path) for key, text in {**BASE, **other}.items() if text}
    assert hindrance(record, Settings("s", False, str(tmp_path), pod="this"), {})
    with pytest.raises(subprocess.TimeoutExpired):
        run(home, record, tmp_path, 3, seconds=1)


FIRST = {**BASE, "generation": "1", "confirmed": "", "ids": NOW, "first": "true"}


@pytest.mark.parametrize("job", [OLD, ""], ids=["of the job", "of all"])
@pytest.mark.parametrize("name", WAITS_FOR_FILES)
def test_the_submission_of_a_session_sees_the_same_files(tmp_path: Path, name: str, job: str) -> None:
    state = tmp_path / name
    state.mkdir(parents=True)
    (state / "_metadata").touch()
    assert states(str(tmp_path), job, {str(state): 1}) == [str(state)]
    assert list(HOOKS.submit.states(str(tmp_path), job)) == [f"file://{state}"]
    assert not HOOKS.submit.states(str(tmp_path), NOW)


@pytest.mark.parametrize("name", WAITS_FOR_FILES)
def test_the_first_job_waits_for_a_word_where_there_is_state(home: Path, tmp_path: Path, name: str) -> None:
    state = tmp_path / "data" / name
    state.mkdir(parents=True)
    (state / "_metadata").touch()
    assert hindrance(FIRST, Settings("s", False, str(tmp_path / "data"), pod="this"), {str(state): 1})
    with pytest.raises(subprocess.TimeoutExpired) as waits:
        run(home, FIRST, tmp_path / "data", 3, seconds=1)
    assert f"job.fromSavepoint=file://{state}," in (waits.value.stderr or b"").decode()


@pytest.mark.parametrize("other", [{}, {"ran": "1"}, {"first": ""}], ids=str)
def test_and_not_otherwise(home: Path, tmp_path: Path, other: dict[str, str]) -> None:
    (tmp_path / "started").touch()
    files = {}
    if other:
        state = tmp_path / "checkpoints" / OLD / "chk-9"
        state.mkdir(parents=True)
        (state / "_metadata").touch()
        files = {str(state): 1.0}
    record = {**FIRST, **other}
    assert not hindrance(record, Settings("s", False, str(tmp_path), pod="this", was_here=True), files)
    assert "--job-id" in run(home, record, tmp_path, 3, seconds=10)


@pytest.mark.parametrize("other", [{"former": OLD}, {"confirmed": "2"}, {"ran": "2"}], ids=str)
def test_a_job_without_a_checkpoint_starts_where_it_has_started_before(home: Path, tmp_path: Path, other: dict[str, str]) -> None:
    directory = tmp_path / "data"
    run(home, BASE, directory, 3)
    assert not hindrance({**BASE, **other}, Settings("s", False, str(directory), pod="this", was_here=True), {})
    assert "--fromSavepoint" not in run(home, {**BASE, **other}, directory, 3, seconds=10)
