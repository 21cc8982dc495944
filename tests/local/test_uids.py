"""The ids by which a savepoint's state finds its operators, when arguments change."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from ci.core.paths import JOBS, ROOT
from local.flink import FlinkCluster
from tests.local.kdv import NEW, OLD

# What has state, in savepoints of released versions. Another id here loses it: the changelog has to say so.
WITH_STATE = {
    "1_source": "Source: adverts",
    "windows": "windows",
    "6_streaming-writer": "StreamingFileWriter",
    "9_sink": "dead_letters: Writer",
    "Sink Committer: 9_sink": "dead_letters: Committer",
    "12_sink": "late_records: Writer",
    "Sink Committer: 12_sink": "late_records: Committer",
}

# Arguments, and the tables whose state they may leave behind.
CASES: list[tuple[list[str], set[str]]] = [
    ([], set()),
    (["--on-error=skip"], {"dead_letters"}),
    (["--on-error=fail", "--late-records="], {"dead_letters", "late_records"}),
    (["--dead-letters=file:///dead"], {"dead_letters"}),
    (["--late-records=file:///late"], {"late_records"}),
    (["--dead-letters=file:///dead", "--late-records=file:///late"], {"dead_letters", "late_records"}),
    (["--window=5 min"], set()),
    (["--max-future=off"], set()),
    (["--idle-timeout=0 s"], set()),
    (["--watermark-delay=1 min"], set()),
    (["--group=other"], set()),
    (["--max-record-size=1 mb"], set()),
    (["--bounded"], set()),
    (["--timestamp-format=ISO-8601"], set()),
    (["--sink-parallelism=1"], set()),
]


def planned(version: str, directory: Path, arguments: Sequence[Sequence[str]]) -> list[dict[str, str]]:
    """{id: name} of the operators for each set of arguments."""
    env = {**os.environ, **FlinkCluster(version, directory).env}
    env["PYTHONPATH"] += f":{JOBS / 'kdv'}"
    lines = "".join(f"{json.dumps(argv)}\n" for argv in arguments)
    command = [sys.executable, "-m", "tests.local.uids"]
    done = subprocess.run(command, input=lines, env=env, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    return [from_one(json.loads(line)) for line in done.stdout.splitlines()]


def from_one(operators: Sequence[tuple[str, str]]) -> dict[str, str]:
    """{id: name} of one plan: a JVM numbers all that it plans, here they start at 1."""
    assert all(uid for _, uid in operators), operators
    numbers = [int(digits) for _, uid in operators if (digits := number(uid))]

    def moved(match: re.Match[str]) -> str:
        return str(int(match[0]) - min(numbers) + 1)

    return {re.sub(r"\d+", moved, uid): re.sub(r"\[\d+\]", "", name) for name, uid in operators}


def number(uid: str) -> str:
    """The planner's, by which all operators of a table begin."""
    return (re.findall(r"\d+", uid) or [""])[0]


@pytest.mark.parametrize("version", [NEW, pytest.param(OLD, marks=pytest.mark.full)])
def test_operators_keep_their_ids_over_releases_and_arguments(version: str, tmp_path: Path) -> None:
    plans = planned(version, tmp_path / "flink", [argv for argv, _ in CASES])
    assert {uid: plans[0].get(uid) for uid in WITH_STATE} == WITH_STATE
    tables = {name.split(":")[0]: number(uid) for uid, name in plans[0].items() if name.endswith(": Writer")}
    for (argv, changed), plan in zip(CASES, plans, strict=True):
        numbers = {tables[name] for name in changed}
        first, now = ({uid: name for uid, name in one.items() if number(uid) not in numbers} for one in (plans[0], plan))
        assert now == first, argv
