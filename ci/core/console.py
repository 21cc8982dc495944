"""What every command prints: steps with durations, commands with readable failures, one sentence when it has to stop."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

_TAIL_LINES = 40
_depth = 0


class CommandFailed(Exception):
    """A command exited with a code other than 0; the text holds the command and the end of its output."""


def say(text: str) -> None:
    print("  " * _depth + text, flush=True)


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Print `what` before the work and its duration in seconds after it."""
    global _depth
    say(f"==> {what}")
    start = time.monotonic()
    _depth += 1
    outcome = "failed"
    try:
        yield
        outcome = "done"
    finally:
        _depth -= 1
        say(f"<== {what}: {outcome} in {time.monotonic() - start:.1f} s")


def die(sentence: str) -> NoReturn:
    """End the program with exit code 2. The sentence names what is wrong and what to do instead."""
    print(f"error: {sentence}", file=sys.stderr, flush=True)
    raise SystemExit(2)


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    timeout: float | None = None,
) -> str:
    """Run a command and return its standard output.

    `env` is added to the environment. Raises CommandFailed when it fails, does not exist or outlives `timeout` seconds.
    """
    arguments = [str(word) for word in command]
    shown = " ".join(arguments) if len(arguments) < 12 else " ".join(arguments[:12]) + " ..."
    try:
        done = subprocess.run(
            arguments,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
    except FileNotFoundError as error:
        raise CommandFailed(f"{arguments[0]} is not installed or not on PATH (needed for: {shown})") from error
    except subprocess.TimeoutExpired as error:
        raise CommandFailed(f"{shown}: no end after {timeout} s") from error
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-_TAIL_LINES:])
        raise CommandFailed(f"{shown}: exit code {done.returncode}\n{tail}")
    return done.stdout


def works(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, timeout: float = 60) -> bool:
    """Whether the command ends with exit code 0 within `timeout` seconds."""
    try:
        run(command, env=env, timeout=timeout)
    except CommandFailed:
        return False
    return True
