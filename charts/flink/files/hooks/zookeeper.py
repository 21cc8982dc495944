"""As much of ZooKeeper's protocol as it takes to look at paths and to delete them; a login is by the certificate of TLS alone."""

from __future__ import annotations

import socket
import ssl
import struct
from contextlib import contextmanager
from typing import Iterator, List, Optional

from .errors import Unreachable

_DELETE, _GET_CHILDREN, _CLOSE = 2, 8, -11
_NO_NODE = -101
_REFUSALS = {
    -102: "ZooKeeper does not let the hooks see what Flink stores: its servers know them by another certificate, or by none",
    -124: "ZooKeeper asks for a login by SASL, which the hooks do not have",
}
_SESSION_MS = 10_000
_SECONDS = 10


class Session:
    """One connection, which is closed after its few requests, before ZooKeeper expects a heartbeat."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._number = 0
        self._send(struct.pack("!iqiqi16s?", 0, 0, _SESSION_MS, 0, 16, b"", False))
        self._receive()

    def children(self, path: str) -> List[str]:
        """The names below a path; none if there is no such path."""
        body = self._request(_GET_CHILDREN, _text(path) + b"\0")
        names, at = [], 4
        while at < len(body):
            (length,) = struct.unpack_from("!i", body, at)
            names.append(body[at + 4 : at + 4 + length].decode())
            at += 4 + length
        return names

    def delete(self, path: str) -> None:
        """Delete a path and all below it."""
        for name in self.children(path):
            self.delete(f"{path}/{name}")
        self._request(_DELETE, _text(path) + struct.pack("!i", -1))

    def close(self) -> None:
        self._request(_CLOSE, b"")

    def _request(self, kind: int, body: bytes) -> bytes:
        """The answer; empty if the path is not there."""
        self._number += 1
        self._send(struct.pack("!ii", self._number, kind) + body)
        answer = self._receive()
        _, _, error = struct.unpack_from("!iqi", answer)
        if error not in (0, _NO_NODE):
            raise Unreachable(_REFUSALS.get(error, f"ZooKeeper answers with error {error}"))
        return b"" if error else answer[16:]

    def _send(self, body: bytes) -> None:
        self._connection.sendall(struct.pack("!i", len(body)) + body)

    def _receive(self) -> bytes:
        (length,) = struct.unpack("!i", self._exactly(4))
        return self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self._connection.recv(count - len(data))
            if not part:
                raise ConnectionError("the connection was closed")
            data += part
        return data


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("!i", len(data)) + data


@contextmanager
def session(quorum: str, context: Optional[ssl.SSLContext] = None) -> Iterator[Session]:
    """A session with the first server of `quorum` ("host:port,host:port") that opens one; by TLS with a context. Raises
    Unreachable."""
    failures = []
    for server in quorum.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            connection = socket.create_connection((host, int(port)), timeout=_SECONDS)
            if context:
                connection = context.wrap_socket(connection, server_hostname=host)
        except (OSError, ValueError) as error:
            failures.append(f"{server}: {error}")
            continue
        with connection:
            try:
                opened = Session(connection)
            # A server that has lost its quorum accepts, and hangs up.
            except (OSError, struct.error) as error:
                failures.append(f"{server}: {error}")
                continue
            try:
                yield opened
                opened.close()
            except (OSError, struct.error) as error:
                raise Unreachable(f"ZooKeeper at {server}: {error}") from error
        return
    raise Unreachable(f"no ZooKeeper answers: {'; '.join(failures)}")
