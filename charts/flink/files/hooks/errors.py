"""What can go wrong, by what follows from it."""

from __future__ import annotations


class Failed(Exception):
    """The operation has failed; the message says why, and what to do."""


class Unreachable(Exception):
    """No answer, or one of a server that is not ready, or that does not speak the protocol."""


class Untrusted(Unreachable):
    """Server and client do not accept each other's certificate: `code` is OpenSSL's, 0 if it was the server that refused."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class HttpError(Exception):
    """The server refused: `status` is its HTTP code, `answer` its body."""

    def __init__(self, method: str, path: str, status: int, answer: str) -> None:
        super().__init__(f"{method} {path}: {status}: {answer[:500]}")
        self.status = status
        self.answer = answer


class LookAgain(Exception):
    """The state of the cluster has changed since it was observed: observe again, and decide again."""


def first_lines(stacktrace: str) -> str:
    """The first line of a Java stack trace and of its last cause."""
    lines = [line.strip() for line in stacktrace.splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith("Caused by: ")]
    return " ".join(line[:500] for line in [*lines[:1], *causes[-1:]])
