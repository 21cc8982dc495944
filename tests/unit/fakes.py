"""Servers that answer as Flink, Kubernetes and ZooKeeper do, as far as the hooks ask them.

What goes wrong is a list, `trouble`, of which each request takes the first: a status, or one of the names that `serving` knows.
"""

from __future__ import annotations

import json
import socketserver
import ssl
import struct
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

Json = dict[str, Any]


class Fake:
    """What `serving` needs."""

    def __init__(self) -> None:
        self.trouble: list[int | str] = []
        # Asked first: what it raises or does comes before the answer.
        self.before: Callable[[str, str], None] = lambda method, path: None

    def answer(self, method: str, path: str, body: Json) -> tuple[int, Any]:
        raise NotImplementedError


class FakeFlink(Fake):
    """A JobManager, which answers 503 to everything while it is `unreachable`.

    `stop_fails` is the reason of a savepoint that does not come to be, `shown` what it tells of a job, if that is older than the
    list of jobs, `retained` whether checkpoints outlive a job that is cancelled, `config` what else it tells of checkpoints.
    `bounds` are those of a job that the adaptive scheduler runs: it takes them when a checkpoint is complete.
    """

    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[str, Json] = {}
        self.shown: dict[str, Json] = {}
        self.checkpoints: dict[str, Json] = {}
        self.operations: dict[str, Json] = {}
        self.calls: list[str] = []
        self.bodies: list[Json] = []
        self.stop_fails = ""
        self.timeout = 20_000
        self.retained = True
        self.config: Json = {}
        self.options = {"rest.cache.checkpoint-statistics.timeout": "0 ms"}  # as the chart sets it
        self.unreachable = False
        self.bounds: dict[str, Json] = {}
        self.slots = 2
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

    def run_adaptive(self, job: str, vertices: dict[str, int], maximum: int = 128) -> None:
        """A job with the parallelism of each vertex."""
        self.run(job)
        self.jobs[job]["vertices"] = [
            {"id": name, "name": name, "status": "RUNNING", "parallelism": parallelism, "maxParallelism": maximum}
            for name, parallelism in vertices.items()
        ]
        self.bounds[job] = {name: {"parallelism": {"lowerBound": 1, "upperBound": upper}} for name, upper in vertices.items()}

    def parallelism(self, job: str) -> dict[str, int]:
        return {vertex["id"]: vertex["parallelism"] for vertex in self.jobs[job]["vertices"]}

    def checkpoint(self, job: str, number: int, path: str) -> None:
        self.checkpoints[job]["latest"]["completed"] = {"id": number, "external_path": path}

    def asked(self, end: str) -> int:
        """How many requests had a path with that end."""
        return sum(call.partition("?")[0].endswith(end) for call in self.calls)

    def answer(self, method: str, path: str, body: Json) -> tuple[int, Any]:
        if self.unreachable:
            return 503, "no leader"
        self.calls.append(f"{method} {path}")
        path, _, query = path.partition("?")
        match path.strip("/").split("/"):
            case ["jobs", "overview"]:
                return 200, {"jobs": list(self.jobs.values())}
            case ["jobmanager", "config"]:
                return 200, [{"key": key, "value": value} for key, value in self.options.items()]
            case ["overview"]:
                return 200, {"slots-available": 0, "slots-total": self.slots, "flink-version": "2.2.1"}
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
            case "GET", ["checkpoints", *_] if job not in self.checkpoints:
                return 404, {"errors": ["Checkpointing was not enabled for this job"]}
            case "GET", ["checkpoints"]:
                return 200, self.checkpoints[job]
            case "GET", ["checkpoints", "config"]:
                external = {"enabled": True, "delete_on_cancellation": not self.retained}
                return 200, {"timeout": self.timeout, "externalization": external, **self.config}
            case "GET", ["resource-requirements"] if job in self.bounds:
                return 200, self.bounds[job]
            case "GET", ["resource-requirements"]:
                return 500, {"errors": ["The scheduler does not support changes of the parallelism"]}
            case "PUT", ["resource-requirements"]:
                self.bounds[job] = body
                return 200, {}
            case "POST", ["checkpoints"]:
                for vertex in self.jobs[job]["vertices"] if job in self.bounds else []:
                    vertex["parallelism"] = min(self.bounds[job][vertex["id"]]["parallelism"]["upperBound"], self.slots)
                return 202, {"request-id": body["triggerId"]}
            case "GET", ["exceptions"]:
                trace = "java.lang.Exception: outer\n\tat a.b\nCaused by: java.io.IOException: the cause\n\tat c.d"
                return 200, {"exceptionHistory": {"entries": [{"stacktrace": trace}]}}
            case "POST", ["stop"]:
                self.bodies.append(body)
                return 202, {"request-id": self._savepoint(job, body["triggerId"], body["targetDirectory"], stops=True)}
            case "POST", ["savepoints"]:
                self.bodies.append(body)
                return 202, {"request-id": self._savepoint(job, body["triggerId"], body["target-directory"])}
            case "GET", ["savepoints", trigger] if trigger in self.operations:
                return 200, {"status": {"id": "COMPLETED"}, "operation": self.operations[trigger]}
        return 404, {"errors": ["Not found"]}

    def _savepoint(self, job: str, trigger: str, directory: str, stops: bool = False) -> str:
        if trigger in self.operations:
            return trigger  # the same id again asks for the same operation
        if self.stop_fails:
            self.operations[trigger] = {"failure-cause": {"class": "X", "stack-trace": self.stop_fails}}
            return trigger
        path = f"{directory}/savepoint-{trigger[:6]}"
        self.operations[trigger] = {"location": path}
        kind = "SYNC_SAVEPOINT" if stops else "SAVEPOINT"
        self.checkpoints[job]["latest"]["savepoint"] = {"id": 99, "external_path": path, "checkpoint_type": kind}
        if stops:
            self.jobs[job]["state"] = "FINISHED"
        return trigger


PLURALS = {
    "v1": {
        "ConfigMap": "configmaps",
        "Service": "services",
        "ServiceAccount": "serviceaccounts",
        "PersistentVolumeClaim": "persistentvolumeclaims",
        "Pod": "pods",
    },
    "apps/v1": {"Deployment": "deployments"},
    "batch/v1": {"CronJob": "cronjobs"},
}


class FakeKubernetes(Fake):
    """Objects of one namespace, by kind in the plural and by name.

    `refused` holds the answers of dry runs by name of the object, `dropped` the selectors by which pods were deleted, `dry` the
    objects of all dry runs, `writes` all other requests that change something.
    """

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, dict[str, Json]] = defaultdict(dict)
        self.refused: dict[str, tuple[int, Any]] = {}
        self.dropped: list[str] = []
        self.dry: list[tuple[str, str]] = []
        self.writes: list[str] = []
        self.pods: list[Json] = []
        self._version = 0

    @property
    def config_maps(self) -> dict[str, Json]:
        return self.objects["configmaps"]

    @property
    def deployments(self) -> dict[str, Json]:
        return self.objects["deployments"]

    @property
    def claims(self) -> dict[str, Json]:
        return self.objects["persistentvolumeclaims"]

    def put(self, kind: str, obj: Json) -> None:
        """As somebody else writes it."""
        self._version += 1
        obj["metadata"]["resourceVersion"] = str(self._version)
        self.objects[kind][obj["metadata"]["name"]] = obj

    def answer(self, method: str, path: str, body: Json) -> tuple[int, Any]:
        path, _, query = unquote(path).partition("?")
        if "/namespaces/" not in path:
            version = path.removeprefix("/apis/").removeprefix("/api/")
            known = [{"kind": kind, "name": name} for kind, name in PLURALS.get(version, {}).items()]
            return (200, {"resources": known}) if known else (404, {})
        kind, *names = path.split("/namespaces/n/")[1].split("/")
        if "dryRun=All" in query:
            return self._dry(method, kind, body)
        if kind == "pods":
            return self._pods(method, names, query.removeprefix("labelSelector="), body)
        return self._object(method, kind, names, query, body)

    def _dry(self, method: str, kind: str, body: Json) -> tuple[int, Any]:
        name = body["metadata"]["name"]
        self.dry.append((kind, name))
        if name in self.refused:
            return self.refused[name]
        return (409, {"reason": "AlreadyExists"}) if method == "POST" and name in self.objects[kind] else (200, body)

    def _pods(self, method: str, names: list[str], selector: str, body: Json) -> tuple[int, Any]:
        if names:
            self.writes.append(f"{method} pods/{names[0]}")
            (pod,) = (pod for pod in self.pods if pod["metadata"]["name"] == names[0])
            assert body["preconditions"]["uid"] == pod["metadata"]["uid"]
            self.pods.remove(pod)
            return 200, pod
        if method == "DELETE":
            self.dropped.append(selector)
            return 200, {}
        pairs = [pair for pair in selector.split(",") if "=" in pair]
        return 200, {"items": [pod for pod in self.pods if all(_matches(pod, pair) for pair in pairs)]}

    def _object(self, method: str, kind: str, names: list[str], query: str, body: Json) -> tuple[int, Any]:
        known = self.objects[kind]
        if method != "GET":
            self.writes.append(f"{method} {kind}/{(names or [body['metadata']['name']])[0]}")
        match method, names:
            case "POST", []:
                if body["metadata"]["name"] in known:
                    return 409, {"reason": "AlreadyExists"}
                self.put(kind, body)
                return 201, body
            case "GET", []:
                pairs = query.removeprefix("labelSelector=").split(",")
                return 200, {"items": [obj for obj in known.values() if all(_matches(obj, pair) for pair in pairs)]}
            case _, [name] if name not in known:
                return 404, {"reason": "NotFound"}
            case "DELETE", [name]:
                return 200, known.pop(name)
            case "PATCH", [name]:
                given = body.get("metadata", {}).pop("resourceVersion", None)
                if given not in (None, known[name]["metadata"].get("resourceVersion")):
                    return 409, {"reason": "Conflict"}
                merge(known[name], body)
                self.put(kind, known[name])
        return 200, known[names[0]]


def _matches(obj: Json, pair: str) -> bool:
    key, _, value = pair.partition("=")
    label = obj.get("metadata", {}).get("labels", {}).get(key.rstrip("!"))
    return bool(label != value if key.endswith("!") else label == value)


class FakeFiles(Fake):
    """Texts by their paths."""

    def __init__(self, files: dict[str, str]) -> None:
        super().__init__()
        self.files = files

    def answer(self, method: str, path: str, body: Json) -> tuple[int, Any]:
        return (200, self.files[path]) if path in self.files else (404, "")


class FakeZooKeeper:
    """The paths that there are, and a server for them; a path with others below it cannot be deleted.

    One that `hangs_up` does so as soon as a client connects.
    """

    def __init__(self, *paths: str, hangs_up: bool = False) -> None:
        self.paths = {"/".join(path.split("/")[:end]) for path in paths for end in range(2, len(path.split("/")) + 1)}
        self.hangs_up = hangs_up

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
                if fake.hangs_up:
                    return
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


HTML = "<html><body>Please log in</body></html>"


@contextmanager
def serving(fake: Fake, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The URL at which a fake answers, with `tls` that of localhost by HTTPS.

    Trouble is a status that is answered instead, "hangs up" before it has done anything, "answer lost": it has done what was
    asked and hangs up, "dies": the same in the middle of its answer, or "html": a page with status 200.
    """

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fake.before(self.command, self.path)
            trouble = fake.trouble.pop(0) if fake.trouble else ""
            if trouble == "hangs up":
                self.close_connection = True
                return
            if trouble == "html":
                self.reply(200, HTML)
            elif isinstance(trouble, int):
                self.reply(trouble, "busy")
            else:
                status, answer = fake.answer(self.command, self.path, json.loads(body) if body else {})
                self.reply(status, answer if isinstance(answer, str) else json.dumps(answer), trouble)

        def reply(self, status: int, text: str, trouble: str = "") -> None:
            self.close_connection = bool(trouble)
            if trouble == "answer lost":
                return
            data = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if trouble == "dies" else data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port = server.server_address[1]
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
