"""The operators of the jar in Flink's own harness: what they make of rows, watermarks and restored state."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ci.images import artifacts, images
from ci.machine import java
from tests.local.kdv import VERSIONS

SIZE = 120_000
HOUR = 3_600_000
ANY = -1  # no --max-future
FAR = 253_402_200_000_000  # 9999-12-30 20:00:00

Do = Callable[..., list[str]]


@contextlib.contextmanager
def harness(version: str) -> Iterator[Do]:
    """Gives a function that runs one command of Operators.java and returns what the operator gave."""
    lib = images.context("flink", version) / "flink" / "lib"
    (own,) = images.own_jars(version)
    folders = [lib, own.parent, artifacts.fetch(f"harness-{version}")]
    driver = java.java_jar(Path(__file__).parent / "java", folders, "operators")
    jars = ":".join(str(jar) for folder in [driver.parent, *folders] for jar in sorted(folder.glob("*.jar")))
    command = ["java", "-Xmx256m", "-cp", jars, "flinkhelm.windows.Operators"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:

        def do(*words: object) -> list[str]:
            assert process.stdin
            assert process.stdout
            print(*words, sep="\t", file=process.stdin, flush=True)
            answer = list(iter(lambda: process.stdout.readline().rstrip("\n"), "."))  # type: ignore[union-attr]
            assert not any(line.startswith("threw") for line in answer), answer
            return answer

        try:
            yield do
        finally:
            process.kill()


@pytest.fixture(scope="module", params=VERSIONS)
def do(request: pytest.FixtureRequest) -> Iterator[Do]:
    with harness(request.param) as running:
        yield running


def now() -> int:
    return int(time.time() * 1000)


def lines(answer: list[str]) -> list[str]:
    return [line for line in answer if not line.startswith("mark")]


def test_windows_that_were_open_when_the_size_grew_close_at_their_own_end(do: Do) -> None:
    do("windows", SIZE, ANY)
    do("row", 10_000, "A")
    do("mark", 60_000)
    do("restore", 300_000, ANY)
    do("row", 70_000, "B")
    do("row", 10_000, "C")
    assert lines(do("mark", 130_000)) == ['row A,"1970-01-01 00:00:00"']
    assert do("row", 10_500, "D") == []
    assert lines(do("mark", 400_000)) == ['row B,"1970-01-01 00:00:00"|C,"1970-01-01 00:00:00"|D,"1970-01-01 00:00:00"']


def test_windows_that_were_open_when_the_size_shrank_close_at_their_own_end(do: Do) -> None:
    do("windows", 300_000, ANY)
    do("row", 10_000, "A")
    do("row", 250_000, "D")
    do("mark", 60_000)
    do("restore", SIZE, ANY)
    do("row", 70_000, "B")
    assert lines(do("mark", 130_000)) == ['row B,"1970-01-01 00:00:00"']
    assert do("row", 10_000, "C") == ["late C"]
    assert lines(do("mark", 500_000)) == ['row A,"1970-01-01 00:00:00"|D,"1970-01-01 00:00:00"']


def test_what_has_closed_stays_closed(do: Do) -> None:
    do("windows", SIZE, HOUR)
    do("row", 10_000, "A")
    do("mark", 130_000)
    do("restore", SIZE, HOUR)
    assert do("row", 10_000, "A") == ["late A"]


@pytest.mark.parametrize("future", [ANY, HOUR])
def test_the_end_of_the_input_closes_the_windows_there_are_and_none_to_come(do: Do, future: int) -> None:
    do("windows", SIZE, future)
    do("row", 10_000, "A")
    do("mark", 20_000)
    assert do("mark", "end") == ['row A,"1970-01-01 00:00:00"', "mark end"]
    do("restore", SIZE, future)
    assert do("row", 10_000, "A") == ["late A"]
    assert do("row", 130_000, "B") == []
    assert lines(do("mark", 240_000)) == ['row B,"1970-01-01 00:02:00"']


def test_a_watermark_as_far_ahead_as_rows_may_be_is_right_on_a_clock_that_is_behind(do: Do) -> None:
    future = 3 * HOUR
    latest = now() + future + 20_000
    do("windows", SIZE, future)
    do("row", latest - 600_000, "A")
    do("mark", latest - 5_000)
    do("restore", SIZE, future)
    assert do("row", latest - 600_000, "A") == ["late A"]


def test_a_watermark_of_a_wrong_clock_is_forgotten_and_its_row_comes_out(do: Do) -> None:
    do("windows", SIZE, ANY)
    do("row", FAR, "poison")
    do("row", 10_000, "A")
    do("mark", FAR - 5_000)
    do("restore", SIZE, HOUR)
    assert do("row", 130_000, "B") == []
    assert lines(do("mark", 0)) == ['row poison,"9999-12-30 20:00:00"']
    assert lines(do("mark", 240_000)) == ['row B,"1970-01-01 00:02:00"']
    do("restore", SIZE, HOUR)
    assert lines(do("mark", 250_000)) == []


DELAY, TIMEOUT = 5_000, 1_000


def passing(do: Do, start: int, milliseconds: int, *each: tuple[object, ...]) -> list[str]:
    """Let time pass in the steps in which the operator looks at its clock, with these commands in each; what it said."""
    said = []
    for clock in range(start, start + milliseconds + 1, TIMEOUT // 10):
        said += do("clock", clock)
        for words in each:
            said += do(*words)
    return [line for line in said if not line.startswith("row")]


def test_a_partition_with_broken_rows_alone_does_not_hold_back_the_others(do: Do) -> None:
    do("activity", DELAY, TIMEOUT)
    do("good", 0, 100_000)
    assert passing(do, 0, 800, ("broken", 1), ("good", 0, 100_000)) == []
    assert passing(do, 900, 600, ("broken", 1), ("good", 0, 200_000)) == ["mark 195000"]
    assert "mark" not in str(do("mark", 50_000))
    assert do("mark", 300_000) == ["mark 300000"]


def test_a_reader_with_broken_rows_alone_is_idle_until_the_next_good_one(do: Do) -> None:
    do("activity", DELAY, TIMEOUT)
    assert passing(do, 0, 1500, ("broken", 1)) == ["idle"]
    assert do("good", 1, 100_000) == ["active", "row good"]
    assert do("mark", 95_000) == ["mark 95000"]
    assert passing(do, 1600, 1500, ("broken", 1)) == ["idle"]
    assert do("mark", 97_000) == ["active", "mark 97000", "idle"]
    assert do("good", 1, 110_000) == ["active", "row good"]


def test_a_source_that_was_idle_from_the_beginning_has_not_the_last_word(do: Do) -> None:
    """It becomes active with a watermark alone, which a partition without one does not let it have."""
    do("activity", DELAY, TIMEOUT)
    assert do("status", "idle") == ["idle"]
    assert passing(do, 0, 1500, ("broken", 1), ("good", 0, 100_000)) == ["active", "mark 95000"]
    assert passing(do, 1600, 1500, ("broken", 1)) == ["idle"]
    do("activity", DELAY, TIMEOUT)
    assert do("status", "idle") == ["idle"]
    do("good", 0, 100_000)
    assert passing(do, 0, 1500, ("broken", 1)) == ["active", "mark 95000", "idle"]


def test_the_last_partition_to_go_idle_has_the_word_until_then(do: Do) -> None:
    do("activity", DELAY, TIMEOUT)
    do("good", 0, 200_000)
    passing(do, 0, 500)
    do("good", 2, 100_000)
    assert passing(do, 600, 3000, ("broken", 1)) == ["mark 95000", "idle"]
    assert do("good", 0, 210_000) == ["active", "row good"]
    assert passing(do, 3700, 100, ("broken", 1)) == ["mark 205000"]


def test_the_end_reaches_the_windows_from_an_idle_reader_too(do: Do) -> None:
    do("activity", DELAY, TIMEOUT)
    assert passing(do, 0, 1500, ("broken", 1)) == ["idle"]
    assert do("mark", "end") == ["active", "mark end"]
    assert passing(do, 1600, 1500, ("broken", 1)) == []


def test_a_partition_that_brings_nothing_is_left_to_the_source(do: Do) -> None:
    do("activity", DELAY, TIMEOUT)
    do("good", 0, 100_000)
    assert passing(do, 0, 3000, ("good", 1, 500_000)) == []
    assert do("status", "idle") == ["idle"]
    assert do("status", "active") == ["active"]


def test_nothing_is_idle_without_a_timeout(do: Do) -> None:
    do("activity", DELAY, 0)
    assert passing(do, 0, 20_000, ("broken", 1)) == []
    assert do("mark", 50_000) == ["mark 50000"]


def test_time_in_which_the_task_stood_still_makes_nobody_idle(do: Do) -> None:
    do("activity", DELAY, TIMEOUT)
    passing(do, 0, 2000, ("good", 0, 100_000))
    do("broken", 1)
    assert "idle" not in do("clock", 60_000)
    do("broken", 1)
    assert "idle" not in do("clock", 60_100)


def test_time_under_backpressure_makes_nobody_idle(do: Do) -> None:
    """Timers go on while no row is read, so the good partition would look silent."""
    do("activity", DELAY, TIMEOUT)
    passing(do, 0, 2000, ("good", 0, 100_000), ("broken", 1))
    do("backpressure", "on")
    assert passing(do, 2100, 5000) == []
    do("backpressure", "off")
    assert passing(do, 7200, 500, ("broken", 1)) == []
    assert do("good", 0, 110_000) == ["row good"]
    assert passing(do, 7800, 1500, ("broken", 1)) == ["mark 105000", "idle"]
