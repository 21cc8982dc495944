"""Starts jobs of one PyFlink program without a new JVM for each: the client's start takes seconds, a job's description one.

As a program (`python -m local.submitter FILE`) it reads one JSON object a line: the arguments of the job, and options of Flink
as `flink run -D` takes them, which go over the job's own. It calls the file's main() and answers with one line: {"ok": true} or
{"error": "..."}.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any


class SubmitFailed(RuntimeError):
    """The program refused its arguments or could not start its job."""


class Submitter:
    """The other side of the pipe."""

    def __init__(self, command: Sequence[str | Path], log: Path, env: Mapping[str, str]) -> None:
        self.log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [str(word) for word in command],
                env={**os.environ, **env},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def submit(self, *args: str, options: Mapping[str, str] | None = None) -> None:
        """Start a job with these arguments and return when the cluster has it. Raises SubmitFailed."""
        requests, answers = self._pipes()
        requests.write(f"{json.dumps({'args': args, 'options': options or {}})}\n")
        requests.flush()
        line = answers.readline()
        if not line:
            raise SubmitFailed(f"the submitter ended: {self.log.read_text()[-4000:]}")
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


@contextlib.contextmanager
def _over(program: Any, options: Mapping[str, str]) -> Iterator[None]:
    """Lets the program's configuration() give these options as well."""
    if not options:
        yield
        return
    own = program.configuration
    program.configuration = lambda *args: {**own(*args), **options}
    try:
        yield
    finally:
        program.configuration = own


def main(file: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever the program and its JVM print goes to the log
    sys.path.insert(0, str(Path(file).resolve().parent))  # as Python does for a program
    spec = importlib.util.spec_from_file_location("program", file)
    assert spec
    assert spec.loader
    program: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    for line in sys.stdin:
        answer: dict[str, Any] = {"ok": True}
        try:
            request = json.loads(line)
            with _over(program, request["options"]):
                program.main(request["args"])
        except (Exception, SystemExit):
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
