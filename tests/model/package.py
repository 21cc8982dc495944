"""Loads the hooks of the chart, and runs an event of theirs in a world instead of a pod."""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from threading import get_ident
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from tests.model import kubernetes
from tests.model.flink import Job, RestoreFailed
from tests.model.start_job import states
from tests.model.trouble import Killed
from tests.model.turns import Turns
from tests.model.world import API, Unanswered, World

Json = dict[str, Any]

FILES = Path(__file__).resolve().parents[2] / "charts" / "flink" / "files"
_NAMES = "act clock errors http_client kubernetes operations prove session submit wanted".split()
# A look each second of the model is as good as five, and quicker.
_SHORTEST = 0.5


def _load() -> SimpleNamespace:
    sys.path.insert(0, str(FILES))
    try:
        return SimpleNamespace(**{name: importlib.import_module(f"hooks.{name}") for name in _NAMES})
    finally:
        sys.path.remove(str(FILES))


HOOKS = _load()


@dataclass(frozen=True)
class Result:
    """Of a hook: `code` is None if it was killed."""

    event: str
    code: int | None
    output: str

    @property
    def refused(self) -> bool:
        return self.code == 1


class _Client:
    """Submits a job of a session as the container beside the hook does. `ended`: the hooks whose container has ended."""

    def __init__(self, world: World, release: str, ended: set[int]) -> None:
        self._world = world
        self._release = release
        self._ended = ended

    def run(self, name: str, argv: list[str]) -> tuple[int, str]:
        if get_ident() in self._ended:
            raise HOOKS.errors.Failed(f"Job {name} was not submitted in time: raise hooks.timeoutSeconds")
        options = dict(word[2:].split("=", 1) for word in argv if word.startswith("-D"))
        restore = argv[argv.index("--fromSavepoint") + 1] if "--fromSavepoint" in argv else ""
        jobmanager = self._world.serving(self._release)
        if jobmanager is None:
            return 1, "Caused by: java.net.ConnectException"
        job = options["$internal.pipeline.job-id"]
        if job in jobmanager.jobs:
            return 1, "Caused by: DuplicateJobSubmissionException: Job has already been submitted."
        graph = {
            "name": options["pipeline.name"],
            "program": int(argv[-1]),
            "restore": restore,
            "parallelism": int(options.get("parallelism.default", 1)),
            "claims": options.get("execution.state-recovery.claim-mode") == "CLAIM",
            "version": jobmanager.process.flink_version,
        }
        try:
            jobmanager.submit(self._world, job, graph)
        except RestoreFailed as failure:
            failed = Job(job, f"{self._release}/{name}", 0, "", restore, state="FAILED")
            jobmanager.jobs[job] = failed
            jobmanager.end(self._world, failed, "FAILED")
            return 1, f"Caused by: {failure}"
        return 0, ""

    def end(self) -> None:
        self._ended.add(get_ident())  # for good, as client.sh: hooks that run at once are threads


def _call(world: World, turns: Turns | None) -> Any:
    def call(http: Any, method: str, path: str, body: Any = None, content: str = "application/json") -> Any:
        if turns:
            turns.sleep(0)
        try:
            return world.request(http._url, method, path, body)
        except Unanswered as error:
            raise HOOKS.errors.Unreachable(str(error)) from error
        except kubernetes.Refused as refused:
            if refused.status in (502, 503, 504):
                raise HOOKS.errors.Unreachable(f"{method} {path}: {refused.status}") from refused
            raise HOOKS.errors.HttpError(method, path, refused.status, refused.answer) from refused

    return call


def _states(world: World, wanted: Any) -> Any:
    """submit.states() with the files of the world instead of the pod's."""

    def states_of(directory: str, job: str) -> dict[str, float]:
        files: dict[str, float] = {}
        for obj in wanted.objects:
            if obj["kind"] == "Deployment" and obj["metadata"]["name"] == wanted.jobmanager_deployment:
                pod = {"spec": obj["spec"]["template"]["spec"]}
                files = world.files_seen(world.kubernetes.mounts(pod))
        return {f"file://{path}": files[path] for path in states(directory, job, files)}

    return states_of


def _init(http: Any, url: str, bearer: str = "", context: Any = None) -> None:
    http._url = url.rstrip("/")


@contextmanager
def _in(world: World, wanted: Any, lines: list[str], turns: Turns | None = None) -> Iterator[None]:
    def sleep(seconds: float) -> None:
        (turns.sleep if turns else world.advance)(max(seconds, _SHORTEST))

    ended: set[int] = set()
    secrets = SimpleNamespace(token_hex=world.token)
    clock: dict[str, Any] = {
        "monotonic": lambda: world.now,
        "sleep": sleep,
        "now": lambda: kubernetes.text(world.now),
        "seconds_since": lambda text: world.now - HOOKS.clock.seconds_of(text),
    }
    with (
        patch.multiple(HOOKS.http_client.Http, __init__=_init, call=_call(world, turns)),
        patch.multiple(HOOKS.clock, **clock),
        patch.multiple(HOOKS.act, secrets=secrets, say=lines.append),
        patch.multiple(HOOKS.operations, secrets=secrets, say=lines.append),
        patch.multiple(HOOKS.prove, say=lines.append),
        patch.multiple(HOOKS.session, say=lines.append, Client=lambda exchange, deadline: _Client(world, wanted.release, ended)),
        patch.multiple(HOOKS.submit, states=_states(world, wanted)),
    ):
        yield


def run(world: World, event: str, wanted_json: Json) -> Result:
    """What __main__.py does with an event."""
    wanted = HOOKS.wanted.parse(json.loads(json.dumps(wanted_json)))
    lines: list[str] = []
    with _in(world, wanted, lines):
        return _run(world, event, wanted, lines)


def run_together(world: World, events: list[str], wanted_json: Json, order: Random) -> list[Result]:
    """All at once, as Jobs that somebody applied: at each call and sleep another one may run. `order` says which."""
    wanted = HOOKS.wanted.parse(json.loads(json.dumps(wanted_json)))
    turns = Turns(world, order)
    lines: list[str] = []
    with _in(world, wanted, lines, turns):
        return turns.take([partial(_run, world, event, wanted, lines) for event in events])


def _run(world: World, event: str, wanted: Any, lines: list[str]) -> Result:
    code: int | None
    before = len(lines)
    deadline = HOOKS.clock.Deadline(wanted.timeout_seconds)
    try:
        api = HOOKS.kubernetes.Kubernetes(HOOKS.http_client.Http(API), "n", deadline)
        rest = HOOKS.operations.Flink(wanted.rest)
        HOOKS.operations.EVENTS[event](HOOKS.operations.Release(wanted, api, rest, deadline))
        code = 0
    except (HOOKS.errors.Failed, HOOKS.errors.HttpError, HOOKS.errors.Unreachable) as error:
        lines.append(f"Error: {error}")
        code = 1
    except Killed:
        code = None
    except Exception as error:
        trace = traceback.extract_tb(error.__traceback__)[-1]
        world.ledger.fault(f"the hook {event} itself fails: {error!r} at {Path(trace.filename).name}:{trace.lineno}")
        code = 0 if event == "after-rollback" else 1
    return Result(event, code, "\n".join(lines[before:]))
