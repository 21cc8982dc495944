"""What can go wrong, told apart by what follows from it."""

from __future__ import annotations


class Failed(Exception):
    """The operation cannot go on; the text tells the user why, and what to do."""


class Unreachable(Exception):
    """Nobody answered, or somebody who cannot answer yet, or not in the language that was asked for."""


class HttpError(Exception):
    """The server refused: `status` is its HTTP code, `answer` what it said."""

    def __init__(self, method: str, path: str, status: int, answer: str) -> None:
        super().__init__(f"{method} {path}: {status}: {answer[:500]}")
        self.status = status
        self.answer = answer


class LookAgain(Exception):
    """The world has changed since it was looked at: look again, and decide anew."""


def first_lines(stacktrace: str) -> str:
    """The first line of a Java stack trace and of its last cause."""
    lines = [line.strip() for line in stacktrace.splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith("Caused by: ")]
    return " ".join(line[:500] for line in [*lines[:1], *causes[-1:]])
