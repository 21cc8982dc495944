"""Starts jobs of one PyFlink program without a new JVM for each: the client's start takes seconds, a job's description one.

As a program (`python -m local.submitter FILE`) it reads one list of arguments a line, as JSON, calls the file's main() with
it and answers with one line: {"ok": true} or {"error": "..."}.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any


class SubmitFailed(RuntimeError):
    """The program refused its arguments or could not start its job."""


class Submitter:
    """The other side of the pipe."""

    def __init__(self, command: Sequence[str | Path], log: Path, env: Mapping[str, str]) -> None:
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [str(word) for word in command],
                env={**os.environ, **env},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def submit(self, *args: str) -> None:
        """Start a job with these arguments and return when the cluster has it."""
        requests, answers = self._pipes()
        requests.write(f"{json.dumps(args)}\n")
        requests.flush()
        line = answers.readline()
        if not line:
            raise SubmitFailed(f"the submitter ended: {self._log.read_text()[-4000:]}")
        if error := json.loads(line).get("error"):
            raise SubmitFailed(error)

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self._process.stdin
        assert self._process.stdout
        return self._process.stdin, self._process.stdout

    def __enter__(self) -> Submitter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        requests, answers = self._pipes()
        requests.close()  # its input ends, so it ends
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        answers.close()


def main(file: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever the program and its JVM print goes to the log
    spec = importlib.util.spec_from_file_location("program", file)
    assert spec
    assert spec.loader
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    for line in sys.stdin:
        answer: dict[str, Any] = {"ok": True}
        try:
            program.main(json.loads(line))
        except (Exception, SystemExit):
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
