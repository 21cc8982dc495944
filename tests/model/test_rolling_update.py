"""jobmanager.strategy.type=RollingUpdate, which high availability allows: pods of two revisions live at the same time."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.model import flink, kubernetes, world
from tests.model.helm import Outcome
from tests.model.kubernetes import is_ready
from tests.model.scenes import AVAILABLE, AVAILABLE_STORE, installed, rest_is_unreachable, rollback, upgrade
from tests.model.values import Values
from tests.model.walk import Checked

each = pytest.mark.parametrize("values", [AVAILABLE, AVAILABLE_STORE], ids=["claim", "store"])
TYPO = 99  # a program in an image that does not exist


@pytest.fixture(autouse=True)
def rolling(monkeypatch: pytest.MonkeyPatch) -> None:
    recreate, start = kubernetes.Kubernetes._roll_out, world.World._start_container
    come_up, tick, serving = flink.JobManager._come_up, flink.JobManager.tick, world.World.serving

    def roll_out(self: Any, name: str, live: Any) -> None:
        """The previous ReplicaSet keeps its pods, and replaces one that is deleted, until the new pods are ready."""
        replicas = live["spec"].get("replicas", 1)
        if not name.endswith("jobmanager") or not replicas:
            self.__dict__.setdefault("before", {}).pop(name, None)
            recreate(self, name, live)
            return
        before = self.__dict__.setdefault("before", {})
        template = live["spec"]["template"]
        version = json.dumps(template, sort_keys=True)
        mine = [pod for pod in self.objects["pods"].values() if pod["metadata"].get("deployment") == name]

        def of(one: str) -> list[Any]:
            return [pod for pod in mine if pod["template"] == one and pod["metadata"]["name"] not in self.ends]

        current = of(version)
        for _ in range(replicas - len(current)):
            current.append(self.start_pod(name, template, version))
        ready = sum(1 for pod in current if is_ready(pod))
        if ready >= replicas:
            before[name] = version
            for pod in mine:
                if pod["template"] != version:
                    self.end_pod(pod["metadata"]["name"])
        elif before.get(name, version) != version:
            for pod in mine:
                if pod["template"] not in (version, before[name]):
                    self.end_pod(pod["metadata"]["name"])
            for _ in range(replicas - len(of(before[name]))):
                self.start_pod(name, json.loads(before[name]), before[name])
        live["status"] = {
            "observedGeneration": live["metadata"].get("generation", 0),
            "replicas": len(mine),
            "updatedReplicas": len(current),
            "readyReplicas": sum(1 for pod in mine if is_ready(pod)),
        }

    def leader(of: Any, release: str) -> Any:
        up = [one for one in of._of(release) if not getattr(one, "standby", False)]
        return up[0] if up else None

    def comes_up(self: Any, of: Any) -> None:
        other = leader(of, self.process.release)
        self.standby = bool(other and other is not self)
        if self.standby:
            self.state = "up"
        else:
            come_up(self, of)

    def ticks(self: Any, of: Any) -> None:
        if getattr(self, "standby", False) and not leader(of, self.process.release):
            comes_up(self, of)
        tick(self, of)

    def starts(self: Any, name: str, pod: Any) -> None:
        if json.loads(pod["spec"]["containers"][0]["env"][0]["value"])["program"] != TYPO:
            start(self, name, pod)

    monkeypatch.setattr(kubernetes.Kubernetes, "_roll_out", roll_out)
    monkeypatch.setattr(flink.JobManager, "_come_up", comes_up)
    monkeypatch.setattr(flink.JobManager, "tick", ticks)
    monkeypatch.setattr(world.World, "_start_container", starts)
    monkeypatch.setattr(world.World, "serving", lambda self, release: leader(self, release) or serving(self, release))


@each
def test_the_model_itself(values: Values) -> None:
    release = installed(values)
    assert upgrade(release, replace(values, program=2)).ok
    assert upgrade(release, replace(values, program=2, startup_seconds=90)).ok
    assert upgrade(release, replace(values, program=3, upgrade_mode="last-state")).ok
    assert rollback(release, 0).ok
    assert upgrade(release, replace(values, state="suspended")).ok
    assert upgrade(release, replace(values, state="running")).ok
    assert len(release.jobs) == 1


def went_well(release: Checked, outcome: Outcome) -> None:
    release.world.advance(60)
    assert not release.world.ledger.faults
    assert outcome.ok, (
        outcome.output,
        [one.hindrance for one in release.world.jobmanagers.values()],
        release.world.record("app").get("pending"),
    )


@each
@pytest.mark.parametrize("how", ["rollback", "upgrade back", "upgrade on"])
def test_an_image_that_does_not_exist_is_taken_back(values: Values, how: str) -> None:
    """Pods that the previous ReplicaSet makes while the hook waits are barred, and nobody restarts them."""
    release = installed(values)
    assert not release.helm.upgrade(replace(values, program=TYPO)).ok
    if how == "rollback":
        outcome = release.helm.rollback(0)
    else:
        outcome = release.helm.upgrade(values if how == "upgrade back" else replace(values, program=2))
    went_well(release, outcome)
    assert len(release.jobs) == 1


@each
@pytest.mark.parametrize("mode", ["last-state", "rollback"])
def test_out_of_sight(values: Values, mode: str) -> None:
    release = installed(values)
    assert upgrade(release, replace(values, program=2)).ok
    release.world.advance(30)
    rest_is_unreachable(release, 60)
    outcome = (
        release.helm.rollback(0) if mode == "rollback" else release.helm.upgrade(replace(values, program=3, upgrade_mode=mode))
    )
    went_well(release, outcome)
