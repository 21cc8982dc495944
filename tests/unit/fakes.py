"""Servers that answer as Flink, Kubernetes and ZooKeeper do, as far as the hooks ask them."""

from __future__ import annotations

import json
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]


class FakeFlink:
    """One job at a time. `stop_fails` is the reason of a savepoint that does not come to be.

    `shown` is what it tells of a job, if that is older than the list of jobs.
    """

    def __init__(self) -> None:
        self.jobs: dict[str, Json] = {}
        self.shown: dict[str, Json] = {}
        self.checkpoints: dict[str, Json] = {}
        self.operations: dict[str, Json] = {}
        self.calls: list[str] = []
        self.stop_fails = ""
        self.timeout = 20_000
        self.disposed: list[str] = []

    def run(self, job: str, restored: Json | None = None, state: str = "RUNNING", tasks: str = "RUNNING") -> None:
        self.jobs[job] = {
            "jid": job,
            "name": "job",
            "state": state,
            "start-time": len(self.jobs),
            "vertices": [{"status": tasks}],
        }
        self.checkpoints[job] = {"latest": {"completed": None, "savepoint": None, "restored": restored}}

    def checkpoint(self, job: str, number: int, path: str) -> None:
        self.checkpoints[job]["latest"]["completed"] = {"id": number, "external_path": path}

    def answer(self, method: str, path: str, body: Json) -> tuple[int, Any]:
        self.calls.append(f"{method} {path}")
        path, _, query = path.partition("?")
        match path.strip("/").split("/"):
            case ["jobs", "overview"]:
                return 200, {"jobs": list(self.jobs.values())}
            case ["overview"]:
                return 200, {"slots-available": 0, "slots-total": 2}
            case ["savepoint-disposal"]:
                self.disposed.append(body["savepoint-path"])
                return 202, {"request-id": "d"}
            case ["jobs", job, *rest] if job in self.jobs:
                return self._job(method, job, rest, query, body)
        return 404, {"errors": ["Not found"]}

    def _job(self, method: str, job: str, rest: list[str], query: str, body: Json) -> tuple[int, Any]:
        match method, rest:
            case "GET", []:
                return 200, self.shown.get(job, self.jobs[job])
            case "PATCH", []:
                assert query == "mode=cancel"
                self.jobs[job]["state"] = "CANCELED"
                return 202, {}
            case "GET", ["checkpoints"]:
                return 200, self.checkpoints[job]
            case "GET", ["checkpoints", "config"]:
                return 200, {"timeout": self.timeout}
            case "GET", ["exceptions"]:
                trace = "java.lang.Exception: outer\n\tat a.b\nCaused by: java.io.IOException: the cause\n\tat c.d"
                return 200, {"exceptionHistory": {"entries": [{"stacktrace": trace}]}}
            case "POST", ["stop"]:
                return 202, {"request-id": self._savepoint(job, body["triggerId"], body["targetDirectory"], stops=True)}
            case "POST", ["savepoints"]:
                return 202, {"request-id": self._savepoint(job, f"s{len(self.operations)}", body["target-directory"])}
            case "GET", ["savepoints", trigger] if trigger in self.operations:
                return 200, {"status": {"id": "COMPLETED"}, "operation": self.operations[trigger]}
        return 404, {"errors": ["Not found"]}

    def _savepoint(self, job: str, trigger: str, folder: str, stops: bool = False) -> str:
        if trigger in self.operations:
            self.jobs[job]["state"] = "FINISHED"
            return trigger  # the same id again asks for the same operation
        if self.stop_fails:
            self.operations[trigger] = {"failure-cause": {"class": "X", "stack-trace": self.stop_fails}}
            return trigger
        path = f"{folder}/savepoint-{trigger[:6]}"
        self.operations[trigger] = {"location": path}
        kind = "SYNC_SAVEPOINT" if stops else "SAVEPOINT"
        self.checkpoints[job]["latest"]["savepoint"] = {"id": 99, "external_path": path, "checkpoint_type": kind}
        if stops:
            self.jobs[job]["state"] = "FINISHED"
        return trigger


class FakeKubernetes:
    """ConfigMaps, Deployments and pods of one namespace; `conflicts` are causes that an apply is refused for.

    `dropped` holds the selectors by which pods were deleted.
    """

    def __init__(self) -> None:
        self.config_maps: dict[str, Json] = {}
        self.deployments: dict[str, Json] = {}
        self.pods: list[Json] = []
        self.dropped: list[str] = []
        self.logs = ""
        self.conflicts: list[Json] = []

    def answer(self, method: str, path: str, body: Json) -> tuple[int, Any]:
        path, _, query = path.partition("?")
        kind, *names = path.split("/namespaces/n/")[1].split("/")
        if kind == "pods" and method == "DELETE":
            self.dropped.append(query.removeprefix("labelSelector="))
            return 200, {}
        if kind == "pods":
            return 200, ({"items": self.pods} if not names else self.logs)
        known = self.config_maps if kind == "configmaps" else self.deployments
        match method, names:
            case "POST", []:
                known[body["metadata"]["name"]] = body
                return 201, body
            case "GET", []:
                selector = dict(pair.split("=") for pair in query.removeprefix("labelSelector=").split(","))
                found = [obj for obj in known.values() if selector.items() <= obj.get("metadata", {}).get("labels", {}).items()]
                return 200, {"items": found}
            case _, [name] if name not in known:
                return 404, {}
            case "DELETE", [name]:
                return 200, known.pop(name)
            case "PATCH", [name] if "dryRun=All" in query:
                causes = {"details": {"causes": self.conflicts}}
                return (409, causes) if self.conflicts else (200, known[name])
            case "PATCH", [name]:
                merge(known[name], body)
        return 200, known[names[0]]


class FakeFiles:
    """Texts by their paths."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files

    def answer(self, method: str, path: str, body: Json) -> tuple[int, Any]:
        return (200, self.files[path]) if path in self.files else (404, "")


class FakeZooKeeper:
    """The paths that there are, and a server for them; a path with others below it cannot be deleted."""

    def __init__(self, *paths: str) -> None:
        self.paths = {"/".join(path.split("/")[:end]) for path in paths for end in range(2, len(path.split("/")) + 1)}

    def answer(self, kind: int, path: str) -> tuple[int, bytes]:
        """(error, body) of a request."""
        below = sorted({name for name in self.paths if name.startswith(f"{path}/")})
        if path not in self.paths:
            return -101, b""
        if kind == 8:
            names = [name.rpartition("/")[2].encode() for name in below if name.count("/") == path.count("/") + 1]
            return 0, struct.pack("!i", len(names)) + b"".join(struct.pack("!i", len(name)) + name for name in names)
        assert kind == 2
        if below:
            return -111, b""
        self.paths.remove(path)
        return 0, b""

    @contextmanager
    def serving(self) -> Iterator[str]:
        """The `host:port` at which it answers."""
        fake = self

        class Handler(socketserver.StreamRequestHandler):
            def send(self, body: bytes) -> None:
                self.wfile.write(struct.pack("!i", len(body)) + body)

            def receive(self) -> bytes:
                (length,) = struct.unpack("!i", self.rfile.read(4))
                return self.rfile.read(length)

            def handle(self) -> None:
                self.receive()
                self.send(struct.pack("!iiqi16s?", 0, 10_000, 1, 16, b"", False))
                while True:
                    request = self.receive()
                    number, kind = struct.unpack_from("!ii", request)
                    if kind == -11:
                        self.send(struct.pack("!iqi", number, 0, 0))
                        return
                    (length,) = struct.unpack_from("!i", request, 8)
                    error, body = fake.answer(kind, request[12 : 12 + length].decode())
                    self.send(struct.pack("!iqi", number, 0, error) + body)

        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            try:
                yield f"127.0.0.1:{server.server_address[1]}"
            finally:
                server.shutdown()
                thread.join()


def merge(target: Json, changes: Json) -> None:
    """A JSON merge patch."""
    for key, value in changes.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            merge(target.setdefault(key, {}), value)
        else:
            target[key] = value


@contextmanager
def serving(fake: FakeFlink | FakeKubernetes | FakeFiles) -> Iterator[str]:
    """The URL at which a fake answers."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer = fake.answer(self.command, self.path, json.loads(body) if body else {})
            text = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_DELETE = answer

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
