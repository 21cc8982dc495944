"""The wrapper around runc for machines that lack capabilities, and the small rules of ci/."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ci.commands import test
from ci.core import console, versions
from ci.core.paths import ROOT
from ci.kubernetes import tools
from ci.machine import engine

SCRIPT = Path(engine.__file__).with_name("runc.sh")
PROCESS = {
    "capabilities": {"bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE"], "ambient": ["CAP_SYS_RESOURCE"]},
    "oomScoreAdj": -999,
}
REDUCED = {"capabilities": {"bounding": ["CAP_CHOWN"], "ambient": []}, "oomScoreAdj": 0}


@pytest.fixture
def wrapper(tmp_path: Path) -> Path:
    """The wrapper as it is installed, before a runc that prints its arguments."""
    if shutil.which("jq") is None:
        pytest.skip("jq is not installed: the wrapper needs it, and installs it where the wrapper is needed")
    directory = tmp_path / "runtime"
    directory.mkdir()
    shutil.copy(SCRIPT, directory / "runc")
    (directory / "missing.json").write_text('["CAP_SYS_RESOURCE"]')
    fake = tmp_path / "bin" / "runc"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\necho "$@"\n')
    fake.chmod(0o755)
    return directory / "runc"


def _call(wrapper: Path, *arguments: str, cwd: Path) -> str:
    path = f"{wrapper.parent.parent / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run([wrapper, *arguments], cwd=cwd, env={"PATH": path}, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _file(directory: Path, name: str, content: Any) -> Path:
    file = directory / name
    file.write_text(json.dumps(content))
    return file


@pytest.mark.parametrize("how", ["--bundle {}", "--bundle={}", "-b {}", ""])
def test_create_asks_for_less(wrapper: Path, tmp_path: Path, how: str) -> None:
    config = _file(tmp_path, "config.json", {"process": PROCESS, "root": {"path": "rootfs"}})
    arguments = ["--root", "/run", "create", *how.format(tmp_path).split(), "name"]
    assert _call(wrapper, *arguments, cwd=tmp_path) == " ".join(arguments)
    assert json.loads(config.read_text()) == {"process": REDUCED, "root": {"path": "rootfs"}}


def test_exec_asks_for_less(wrapper: Path, tmp_path: Path) -> None:
    process = _file(tmp_path, "process.json", PROCESS)
    _call(wrapper, "exec", "--process", str(process), "name", cwd=tmp_path)
    assert json.loads(process.read_text()) == REDUCED


def test_other_commands_and_possible_wishes_are_left_alone(wrapper: Path, tmp_path: Path) -> None:
    process = {"capabilities": {"bounding": ["CAP_CHOWN"]}, "oomScoreAdj": 500}
    config = _file(tmp_path, "config.json", {"process": process})
    _call(wrapper, "create", "name", cwd=tmp_path)
    assert json.loads(config.read_text()) == {"process": process}
    wish = _file(tmp_path, "config.json", {"process": PROCESS}).read_text()
    _call(wrapper, "delete", "name", cwd=tmp_path)
    assert config.read_text() == wish


def test_missing_capabilities_are_those_outside_the_bounding_set() -> None:
    assert engine.missing_capabilities("CapEff:\t0\nCapBnd:\t000001fffeffffff\n") == ["CAP_SYS_RESOURCE"]
    assert engine.missing_capabilities("CapBnd:\t000001ffffffffff\n") == []


@pytest.mark.parametrize(
    ("version", "minimum", "same_major", "expected"),
    [
        ("4.3.1", "4.3.1", True, True),
        ("4.3.0", "4.3.1", True, True),
        ("4.10.0", "4.9.0", True, True),
        ("4.2.9", "4.3.1", True, False),
        ("5.0.0", "4.3.1", True, False),
        ("3.22.0", "4.3.1", True, False),
        ("1.0.0", "0.33.0", False, True),
    ],
)
def test_a_users_own_tool_is_taken_when_new_enough(version: str, minimum: str, same_major: bool, expected: bool) -> None:
    assert tools.satisfies(version, minimum, same_major=same_major) is expected


def test_a_link_of_ours_is_not_taken_for_the_users_own_however_its_folder_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, ours = tmp_path / "elsewhere", tmp_path / "bin"
    directory.mkdir()
    ours.symlink_to(directory)
    built = tmp_path / "built"
    built.write_text("#!/bin/sh\necho v9.9.9\n")
    built.chmod(0o755)
    (directory / "thing").symlink_to(built)
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")
    monkeypatch.setattr(tools, "BIN", ours)
    monkeypatch.setattr(tools, "_catalogue", lambda: {"thing": tools.Tool(lambda: built, "9.9.9", ())})
    tools.path.cache_clear()
    assert tools.path("thing").resolve() == built


def test_versions_compare_as_numbers() -> None:
    assert versions.as_tuple("v1.35.4-rc.1+build") == (1, 35, 4)
    assert versions.as_tuple("1.10") > versions.as_tuple("1.9")


def test_die_says_the_sentence_and_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        console.die("No engine answers: start docker.")
    assert end.value.code == 2
    assert capsys.readouterr().err == "error: No engine answers: start docker.\n"


def test_a_machine_without_engine_gets_one_sentence(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    done = subprocess.run([sys.executable, "-m", "ci", "engine"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_failed_command_shows_the_end_of_its_output() -> None:
    with pytest.raises(console.CommandFailed, match="exit code 3\nwhy"):
        console.run(["sh", "-c", "echo why; exit 3"])
    with pytest.raises(console.CommandFailed, match="is not installed"):
        console.run(["no-such-program"])


@pytest.mark.parametrize(
    ("kind", "arguments", "rest", "expressions"),
    [
        ("unit", "-k a", "-k a", ["(not full) and not alone and not nodes"]),
        ("kind", "", "", ["(not full) and not alone and not nodes"]),
        ("kind", "-m nodes", "", ["(nodes) and not alone and not nodes", "(nodes) and not alone and nodes"]),
        ("kind", "-m state -k a", "-k a", ["(state) and not alone and not nodes"]),
        ("kind", "-m alone", "", ["(alone) and not alone and not nodes", "(alone) and alone and not nodes"]),
    ],
)
def test_nothing_runs_beside_a_test_that_takes_nodes(kind: str, arguments: str, rest: str, expressions: list[str]) -> None:
    parts, others = test.parts(kind, arguments.split())
    assert [part.expression for part in parts] == expressions
    assert others == rest.split()


def test_the_whole_matrix_selects_every_test_once() -> None:
    marks = {part.apart: part.expression for part in test.KINDS["full"] if part.directory == "kind"}
    assert marks == {"": "not alone and not nodes", "alone": "alone and not nodes", "nodes": "not alone and nodes"}


@pytest.mark.parametrize(("codes", "code"), [([0, 5], 0), ([5, 1], 1), ([1, 0], 1), ([5, 5], 5)])
def test_a_part_may_be_without_a_test_but_not_all(monkeypatch: pytest.MonkeyPatch, codes: list[int], code: int) -> None:
    ends = iter(codes)
    monkeypatch.setattr(test, "_pytest", lambda *_, **__: next(ends))
    assert test.main(["kind", "-m", "nodes"]) == code
