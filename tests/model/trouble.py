"""What goes wrong in the middle of an operation: at the n-th call of its hooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.model.kubernetes import Refused

if TYPE_CHECKING:
    from tests.model.world import World

# Kind -> what happens.
KINDS = {
    "killed before": "the hook's pod is killed before the call",
    "killed after": "the hook's pod is killed before it has the answer",
    "jobmanager dies": "the JobManager's process ends",
    "taskmanager dies": "the TaskManagers are gone",
    "api unreachable": "the API server answers 503 for 20 s",
    "api busy": "the API server answers 429 for 5 s",
    "conflict": "somebody has changed the object: 409, once",
    "rest unreachable": "REST cannot be reached for 20 s",
    "checkpoint": "jobs complete a checkpoint",
}


class Killed(BaseException):
    """The hook's process is gone."""


@dataclass
class Trouble:
    kind: str = ""
    call: int = 0  # counted from the next one
    away_until: float = 0
    status: int = 0
    done: bool = False

    @property
    def is_due(self) -> bool:
        return bool(self.kind) and not self.done and self.call <= 0

    def before(self, world: World, method: str, path: str, of_kubernetes: bool) -> None:
        self.call -= 1
        if self.is_due and self.kind != "killed after":
            if self.kind == "conflict":
                if method == "PATCH" and "configmaps" in path:
                    self.done = True
                    raise Refused(409, "the object has been modified")
            else:
                self.done = True
                self._strike(world)
        if of_kubernetes and world.now < self.away_until:
            raise Refused(self.status, "not now")

    def after(self, world: World) -> None:
        if self.is_due and self.kind == "killed after":
            self.done = True
            raise Killed

    def _strike(self, world: World) -> None:
        match self.kind:
            case "killed before":
                raise Killed
            case "jobmanager dies":
                for jobmanager in list(world.jobmanagers.values()):
                    world.crash(jobmanager.pod, "killed")
            case "taskmanager dies":
                lose_taskmanagers(world)
            case "api unreachable":
                self.away_until, self.status = world.now + 20, 503
            case "api busy":
                self.away_until, self.status = world.now + 5, 429
            case "checkpoint":
                for jobmanager in world.jobmanagers.values():
                    jobmanager.complete_checkpoints(world)
            case "rest unreachable":
                world.rest_is_unreachable_until = world.now + 20


def lose_taskmanagers(world: World) -> None:
    for name, pod in world.kubernetes.kind("pods").items():
        if pod["metadata"]["labels"].get("app.kubernetes.io/component") == "taskmanager":
            world.kubernetes.lose_pod(name)
