"""Submits a job to a session cluster, by Flink's command line in the container beside this one: see client.sh."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, List, Tuple

from . import paths
from .clock import Deadline
from .errors import Failed
from .record import HALF, Record
from .wanted import Program


class Client:
    def __init__(self, exchange: Path, deadline: Deadline) -> None:
        self._exchange = exchange
        self._deadline = deadline

    def run(self, name: str, argv: List[str]) -> Tuple[int, str]:
        """(exit code, output) of a command. Raises Failed if it takes too long."""
        code = self._exchange / f"{name}.code"
        if code.exists():
            code.unlink()
        unfinished = self._exchange / f"{name}.argv"
        unfinished.write_bytes(b"".join(word.encode() + b"\0" for word in argv))
        unfinished.rename(self._exchange / f"{name}.in")
        for _ in self._deadline.ticks():
            if code.exists():
                return int(code.read_text()), (self._exchange / f"{name}.out").read_text(errors="replace")
        raise Failed(f"Job {name} was not submitted in time: raise hooks.timeoutSeconds, or look at the container submitter.")

    def end(self) -> None:
        (self._exchange / "end").touch()


def argv(program: Program, record: Record, claim_mode: bool) -> List[str]:
    """The command that submits a job, under the id that the record has: a retry finds it there, and does not submit it twice."""
    options = {**program.options, "$internal.pipeline.job-id": record.job}
    if record.restore:
        options["execution.state-recovery.ignore-unclaimed-state"] = str(program.allow_non_restored_state).lower()
        options["execution.state-recovery.path"] = record.restore
        if record.own and claim_mode:
            options["execution.state-recovery.claim-mode"] = "CLAIM"
    flags = [f"-D{key}={value}" for key, value in options.items()]
    if program.sql:
        return ["sql-client.sh", *flags, "-f", program.file]
    lenient = ["--allowNonRestoredState"] if program.allow_non_restored_state else []
    savepoint = ["--fromSavepoint", record.restore, *lenient] if record.restore else []
    return ["flink", "run", "--detached", *flags, *savepoint, *program.argv]


def states(directory: str, job: str) -> Dict[str, float]:
    """URI of each complete checkpoint and savepoint of a job, of all for "" -> when it was written, in seconds since 1970."""
    half, start = job[:HALF], job[:6]  # Flink's own savepoints have six digits of the id in their name
    by_job = [f"savepoints/{half}*/{name}" for name in ("stop/*", "savepoint-*")]
    patterns = [f"checkpoints/{half}*/chk-*", *by_job, f"savepoints/savepoint-{start}*"]
    files = [file for pattern in patterns for file in Path(directory).glob(f"{pattern}/_metadata")]
    return {f"file://{file.parent}": file.stat().st_mtime for file in files}


def newest(directory: str, jobs: Tuple[str, ...]) -> str:
    """The newest state of jobs that ended unseen, among the files below `directory`; empty if none. As in start-job.sh."""
    files: Dict[str, float] = {}
    for job in filter(None, jobs) if directory else ():
        files.update(states(directory, job))
    return max(files, key=files.__getitem__, default="")


def newest_before(directory: str, seconds: float) -> str:
    """The newest state of any job that was written before a moment, in seconds since 1970; empty if there is none."""
    files = {path: written for path, written in states(directory, "").items() if written < seconds} if directory else {}
    return max(files, key=files.__getitem__, default="")


def is_gone(directory: str, checkpoint: str) -> bool:
    """Whether a checkpoint below `directory`, given as a URI, has no files any more."""
    return paths.below(checkpoint, directory) and not any(paths.same(checkpoint, path) for path in states(directory, ""))


def is_checkpoint(path: str) -> bool:
    return paths.split(path)[2].rpartition("/")[2].startswith("chk-")


def cause(output: str) -> str:
    """The most telling line of a command's output."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
    lines = [line.strip() for line in plain.splitlines() if line.strip() and not re.match(r"\s+(at|\.\.\.) ", line)]
    causes = [line for line in lines if line.startswith("Caused by: ")]
    if causes:
        return causes[-1][:500]
    errors = [number for number, line in enumerate(lines) if "[ERROR]" in line]
    return " ".join(lines[errors[0] :][:2] if errors else lines[-2:])[:500]
