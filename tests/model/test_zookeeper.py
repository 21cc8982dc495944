"""High availability in a ZooKeeper that comes with the release: it holds what ConfigMaps hold otherwise."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.model import flink, helm, world
from tests.model.chart import Manifest, render
from tests.model.helm import Outcome
from tests.model.package import HOOKS
from tests.model.scenes import (
    CLAIM,
    STORE,
    completed,
    delete_deployments,
    installed,
    newest_checkpoint,
    rest_is_unreachable,
    rollback,
    upgrade,
)
from tests.model.values import Values
from tests.model.walk import Checked

BUNDLED = replace(CLAIM, high_availability="zookeeper")
BUNDLED_STORE = replace(STORE, high_availability="zookeeper")
each = pytest.mark.parametrize("values", [BUNDLED, BUNDLED_STORE], ids=["claim", "store"])
TYPO = 99  # a program whose revision names an image that does not exist, which is ZooKeeper's too
PATH = "/flink/n/app"
PATH_OF_ONE_THAT_NEVER_RAN = re.compile(r"\(or (\S+), if that job has never run")


class Servers:
    """The one server of the release."""

    def __init__(self, of: world.World) -> None:
        self.world = of

    @property
    def answers(self) -> bool:
        kubernetes = self.world.kubernetes
        pods = [pod for pod in kubernetes.kind("pods").values() if pod["metadata"].get("deployment") == "app-zookeeper"]
        return any(
            pod["metadata"]["name"] not in kubernetes.ends
            and self.world.now >= kubernetes.starts.get(pod["metadata"]["name"], 0)
            and "typo" not in json.dumps(pod["spec"])
            for pod in pods
        )

    def _parts(self, path: str) -> list[str]:
        return path.removeprefix(PATH).strip("/").split("/")

    def children(self, path: str) -> list[str]:
        match self._parts(path):
            case ["jobgraphs"]:
                return [key.removeprefix("jobGraph-") for key in self.world.config_map("app-cluster-config-map")]
            case ["jobs", job, "checkpoints"]:
                return list(self.world.config_map(f"app-{job}-config-map"))
            case ["leader", "latch"]:
                return [one.pod for one in self.world.jobmanagers.values() if one.state != "script"]
        return []

    def delete(self, path: str) -> None:
        match self._parts(path):
            case ["jobgraphs", job]:
                self.world.kubernetes_patch("app-cluster-config-map", {f"jobGraph-{job}": None})
            case [""]:
                for name in list(self.world.kubernetes.kind("configmaps")):
                    if name.startswith("app-") and not name.startswith("app-b-") and name.endswith("-config-map"):
                        self.world.delete_config_map(name)


def with_zookeeper(manifest: Manifest) -> Manifest:
    if manifest.values.high_availability != "zookeeper":
        return manifest
    kept = {**manifest.wanted["jobs_kept_in"], "servers": "app-zookeeper:2181", "path": "/flink/n"}
    manifest.wanted["zookeeper"] = {"quorum": "app-zookeeper:2181", "path": PATH, "bundled": True, "secret": ""}
    manifest.wanted["jobs_kept_in"] = kept
    manifest.objects[-2 if manifest.values.mode == "standalone" else -1]["metadata"]["annotations"]["flink/jobs-kept-in"] = (
        json.dumps(kept)
    )
    labels = {"app.kubernetes.io/name": "flink", "app.kubernetes.io/instance": "app", "app.kubernetes.io/component": "zookeeper"}
    image = "flink:typo" if manifest.values.program == TYPO else f"flink:{manifest.values.flink_version}"
    manifest.objects.append(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "app-zookeeper", "labels": labels, "annotations": {}},
            "spec": {
                "replicas": 1,
                "template": {
                    "metadata": {"labels": labels, "annotations": {}},
                    "spec": {"containers": [{"name": "zookeeper", "image": image}], "volumes": []},
                },
            },
        }
    )
    return manifest


@pytest.fixture(autouse=True)
def zookeeper(monkeypatch: pytest.MonkeyPatch) -> None:
    worlds: list[world.World] = []
    made = world.World.__init__

    def init(self: Any, *args: Any, **options: Any) -> None:
        made(self, *args, **options)
        worlds.append(self)

    @contextmanager
    def session(quorum: str, _: None) -> Iterator[Servers]:
        servers = Servers(worlds[-1])
        if not servers.answers:
            raise HOOKS.errors.Unreachable(f"no ZooKeeper answers: {quorum}: Connection refused")
        yield servers

    come_up, start = flink.JobManager._come_up, world.World._start_container

    def comes_up(self: Any, of: Any) -> None:
        if self.process.high_availability != "zookeeper" or Servers(of).answers:
            come_up(self, of)

    def starts(self: Any, name: str, pod: Any) -> None:
        if json.loads(pod["spec"]["containers"][0]["env"][0]["value"])["program"] != TYPO:
            start(self, name, pod)

    monkeypatch.setattr(world.World, "__init__", init)
    monkeypatch.setattr(sys.modules["hooks.zookeeper"], "session", session)
    monkeypatch.setattr(helm, "render", lambda *args, **options: with_zookeeper(render(*args, **options)))
    monkeypatch.setattr(flink.JobManager, "_come_up", comes_up)
    monkeypatch.setattr(world.World, "_start_container", starts)


@each
def test_the_model_itself(values: Values) -> None:
    release = installed(values)
    assert upgrade(release, replace(values, program=2)).ok
    assert upgrade(release, replace(values, program=3, upgrade_mode="last-state")).ok
    assert rollback(release, 0).ok
    release.world.advance(30)
    assert upgrade(release, replace(values, state="suspended")).ok
    assert upgrade(release, replace(values, state="running")).ok
    assert len(release.jobs) == 1


def delete_jobmanager(release: Checked) -> None:
    delete_deployments(release, "jobmanager")
    assert not release.jobs


@each
@pytest.mark.parametrize("how", ["rollback", "upgrade"])
def test_an_image_that_does_not_exist_is_taken_back_as_the_refusal_says(values: Values, how: str) -> None:
    """ZooKeeper runs in the same image, so only the operation that is refused because it is unreachable brings it back."""
    release = installed(values)
    release.helm.upgrade(replace(values, program=TYPO))
    good = replace(values, program=2)

    def taken_back(hooks: bool) -> Outcome:
        return release.helm.rollback(0, hooks=hooks) if how == "rollback" else release.helm.upgrade(good, hooks=hooks)

    assert "run it with --no-hooks, and then once more with hooks" in taken_back(hooks=True).output
    taken_back(hooks=False)
    release.world.advance(60)
    outcome = taken_back(hooks=True)
    if never_ran := PATH_OF_ONE_THAT_NEVER_RAN.search(outcome.output):  # on a store nobody can tell whether it did
        good = replace(good, from_savepoint=never_ran[1])
        outcome = taken_back(hooks=True)
    assert outcome.ok
    release.world.advance(60)
    assert len(release.jobs) == 1
    assert not release.world.ledger.faults


@each
@pytest.mark.parametrize("mode", ["", "stateless"])
def test_the_deployment_of_the_jobmanager_is_deleted_and_not_that_of_zookeeper(values: Values, mode: str) -> None:
    """The servers are not taken for ones that are still to come: what they store counts."""
    release = installed(values)
    delete_jobmanager(release)
    release.world.ledger.life("app/").allowed = {0} if mode == "stateless" else set()
    outcome = release.helm.upgrade(replace(values, upgrade_mode=mode))
    release.world.advance(60)
    assert not release.world.ledger.faults, outcome.output


@each
@pytest.mark.parametrize("named", [False, True])
def test_the_record_is_deleted_too(values: Values, named: bool) -> None:
    """Without a path the operation is refused, since ZooKeeper knows the job."""
    release = installed(values)
    path, rows = newest_checkpoint(release), completed(release)
    delete_jobmanager(release)
    release.world.delete_config_map("app-record")
    release.world.ledger.life("app/").allowed = {rows} if named else set()
    release.helm.upgrade(replace(values, from_savepoint=path if named else ""))
    release.world.advance(60)
    assert not release.world.ledger.faults


@each
@pytest.mark.parametrize("state", ["running", "suspended"])
def test_the_deployment_of_zookeeper_is_deleted(values: Values, state: str) -> None:
    release = installed(values)
    assert upgrade(release, replace(values, state=state)).ok
    delete_deployments(release, "zookeeper")
    rest_is_unreachable(release, 60)  # a JobManager that has lost its leadership
    outcome = release.helm.upgrade(values)
    if not outcome.ok:
        assert "run it with --no-hooks, and then once more with hooks" in outcome.output
        release.helm.upgrade(values, hooks=False)
        release.world.advance(60)
        assert release.helm.upgrade(values).ok
    release.world.advance(30)
    assert len(release.jobs) == 1
    assert not release.world.ledger.faults
