"""Operations of Helm, Argo CD and kubectl on a release of the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.model import package
from tests.model.chart import Manifest, render
from tests.model.kubernetes import PLURALS, Refused
from tests.model.package import Result
from tests.model.values import Values
from tests.model.world import World

Json = dict[str, Any]


@dataclass
class Outcome:
    """`state`: refused (by the hook before), killed (in the middle), failed (by what comes after), or ok."""

    state: str
    results: list[Result] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.state == "ok"

    @property
    def output(self) -> str:
        return " | ".join(result.output for result in self.results)


@dataclass
class Helm:
    world: World
    name: str = "app"
    revisions: list[Manifest] = field(default_factory=list)
    applied: Manifest | None = None  # what Helm compares with: the objects of the revision before
    by_helm: bool = True
    prunes: bool = True  # whether what leaves the manifest is deleted: Helm does, Argo CD if it is told to, kubectl does not

    def render(self, values: Values) -> Manifest:
        return render(self.name, values, by_helm=self.by_helm)

    def upgrade(self, values: Values, *, hooks: bool = True, stop: str = "") -> Outcome:
        """An install as well. `stop`: Helm is ended "before apply", "in apply" or "after apply"."""
        manifest = self.render(values)
        self.revisions.append(manifest)
        return self._change(manifest, "before", "after", hooks, stop)

    def rollback(self, revision: int, *, hooks: bool = True, stop: str = "") -> Outcome:
        manifest = self.revisions[revision]
        self.revisions.append(manifest)
        return self._change(manifest, "before-rollback", "after-rollback", hooks, stop)

    def _change(self, manifest: Manifest, before: str, after: str, hooks: bool, stop: str) -> Outcome:
        outcome = Outcome("ok")
        if hooks and not self._hook(manifest, before, outcome):
            return outcome
        if stop == "before apply":
            return Outcome("killed", outcome.results)
        if not self._apply(manifest, partly=stop == "in apply"):
            return Outcome("failed", outcome.results)
        if stop:
            return Outcome("killed", outcome.results)
        if hooks:
            self._hook(manifest, after, outcome)
        return outcome

    def _hook(self, manifest: Manifest, event: str, outcome: Outcome) -> bool:
        if event not in manifest.events:
            return True
        result = package.run(self.world, event, manifest.wanted)
        outcome.results.append(result)
        if result.code is None:
            outcome.state = "killed"
        elif result.code:
            outcome.state = "refused" if event.startswith("before") else "failed"
        elif event == "after-rollback" and "Warning:" in result.output:
            outcome.state = "failed"
        # Helm looks at the hook's Job now and then.
        self.world.advance(1)
        return result.code == 0

    def _apply(self, manifest: Manifest, partly: bool = False) -> bool:
        kubernetes = self.world.kubernetes
        coming = {(one["kind"], one["metadata"]["name"]) for one in manifest.objects}
        former = self.applied
        self.applied = manifest
        try:
            for obj in manifest.objects:
                if partly and obj["metadata"]["name"].endswith("taskmanager"):
                    return True
                kubernetes.apply(obj)
        except Refused:
            return False
        for obj in former.objects if former and self.prunes else []:
            if (obj["kind"], obj["metadata"]["name"]) not in coming:
                self._remove(obj)
        return True

    def _remove(self, obj: Json) -> None:
        live = self.world.kubernetes.objects[PLURALS[obj["kind"]]].get(obj["metadata"]["name"])
        kept = ((live or {}).get("metadata", {}).get("annotations") or {}).get("helm.sh/resource-policy") == "keep"
        if not kept:
            self.world.kubernetes.remove(obj["kind"], obj["metadata"]["name"])

    def uninstall(self, *, hooks: bool = True, keep_history: bool = False) -> Outcome:
        outcome = Outcome("ok")
        manifest = self.applied
        if manifest is None:
            return outcome
        if hooks and not self._hook(manifest, "before-uninstall", outcome):
            return outcome
        for obj in reversed(manifest.objects):
            self._remove(obj)
        self.applied = None
        self.world.advance(1)
        if hooks:
            self._hook(manifest, "after-uninstall", outcome)
        if not keep_history:
            self.revisions = []
        return outcome

    def sync(self, values: Values) -> Outcome:
        """Argo CD: both hooks at each sync, and no rollback. Its objects do not say that Helm made them."""
        manifest = self.render(values)
        self.revisions.append(manifest)
        return self._change(manifest, "before", "after", True, "")

    def apply_everything_until_taken(self, values: Values, order: int) -> Outcome:
        """Whoever sees a Job that failed applies the same once more."""
        outcome = Outcome("failed")
        for number in range(3):
            outcome = self.apply_everything(values, order + number)
            if outcome.ok:
                break
        return outcome

    def apply_everything(self, values: Values, order: int) -> Outcome:
        """kubectl apply of all that is rendered: the objects, and all hooks at once."""
        manifest = self.render(values)
        self.revisions.append(manifest)
        random = Random(order)
        events = sorted(manifest.events)
        early = random.random() < 0.5
        if early and not self._apply(manifest):
            return Outcome("failed")
        if not early:
            # The Jobs came first; the objects are there before any of their pods runs.
            self.world.advance(0.5)
            if not self._apply(manifest):
                return Outcome("failed")
        results = package.run_together(self.world, events, manifest.wanted, random)
        by_event = {result.event: result for result in results}
        if by_event["before"].refused:
            return Outcome("refused", results)
        return Outcome("failed" if by_event["after"].refused else "ok", results)
