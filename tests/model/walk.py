"""The state machine of hypothesis: operations and events as rules, and what holds after each of them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import currently_in_test_context, note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.model.flink import Job, JobManager
from tests.model.helm import Helm, Outcome
from tests.model.ledger import Life
from tests.model.store import S3, State, plain
from tests.model.trouble import KINDS, Trouble, lose_taskmanagers
from tests.model.values import SessionJob, Values
from tests.model.world import World

Operation = Callable[[Helm], Outcome]

OTHERS = "s3://bucket/other/n/other/checkpoints/0123456789abcdef0123456789abcdef/chk-7"
MISSING = "s3://bucket/nothing/chk-1"
OTHERS_OBJECTS = ("app-b-cluster-config-map", "app-b-0123456789abcdef0123456789abcdef-config-map", "app-b-record")

troubles = st.one_of(st.none(), st.builds(Trouble, kind=st.sampled_from(sorted(KINDS)), call=st.integers(1, 30)))
stops = st.sampled_from(["", "", "", "before apply", "in apply", "after apply"])


def tell(text: str) -> None:
    """Part of the report of a walk that fails."""
    if currently_in_test_context():
        note(text)


class Checked:
    """A release in a world that others use as well, and the judgement of each operation on it."""

    def __init__(self, values: Values, *, by_helm: bool = True) -> None:
        self.world = World()
        self.helm = Helm(self.world, by_helm=by_helm, prunes=by_helm)
        self.values = values
        self.used: set[str] = set()
        others = {"app": "app-b", "type": "flink-native-kubernetes"}
        for name in OTHERS_OBJECTS:
            metadata = {"name": name, "labels": others, "resourceVersion": "0"}
            self.world.kubernetes.kind("configmaps")[name] = {"kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}}
        for name in ("mine", "mine-2"):
            metadata = {"name": name, "uid": f"uid-{name}", "labels": {}, "annotations": {}}
            self.world.kubernetes.kind("persistentvolumeclaims")[name] = {"kind": "PersistentVolumeClaim", "metadata": metadata}
        self.world.store.write((S3, plain(OTHERS)), State(5000, self.world.now, "other", "rocksdb", canonical=True))

    # What is there

    @property
    def jobs(self) -> list[Job]:
        return [job for job in self.world.live("app") if not job.name.endswith("/guest")]

    @property
    def seen(self) -> Any:
        """What a refusal leaves as it was."""
        record = {key: text for key, text in self.world.record("app").items() if key != "pending"}
        return sorted((job.id, job.state) for job in self.jobs), record

    def names(self, values: Values) -> list[str]:
        return [f"app/{job.name}" for job in values.jobs] if values.type == "session" else ["app/"]

    def allowed(self, values: Values) -> dict[str, set[int]]:
        """Rows that the values themselves name for a start, by job."""
        if values.type == "session":
            named = {f"app/{job.name}": job.from_savepoint for job in values.jobs}
        else:
            named = {"app/": values.from_savepoint}
        rows = {name: {self.rows_at(path)} for name, path in named.items() if path and plain(path) not in self.used}
        stateless = values.upgrade_mode == "stateless" or not (values.upgrade_mode or values.storage or values.root)
        for name in self.names(values) if stateless else ():
            rows.setdefault(name, set()).add(0)
        return rows

    @staticmethod
    def allowed_paths(values: Values) -> list[str]:
        return [path for path in [values.from_savepoint, *(job.from_savepoint for job in values.jobs)] if path]

    def rows_at(self, path: str) -> int:
        return max(self.world.find(path, claim) for claim in ("app-data", "mine", "mine-2"))

    def forget(self, why: str) -> None:
        """What the jobs had completed does not count any more; that one has finished does, where the record says so."""
        is_known = bool(self.world.record("app"))
        for name, life in list(self.world.ledger.lives.items()):
            self.world.ledger.lives[name] = Life(unsure=why, over=life.over and is_known)

    # Operations

    def change(
        self,
        values: Values,
        operation: Operation,
        trouble: Trouble | None = None,
        *,
        names_state: bool = True,
        at_once: bool = False,
    ) -> Outcome:
        """Carry an operation out, again if there was trouble, and judge it."""
        lives = copy.deepcopy(self.world.ledger.lives)
        for name, rows in (self.allowed(values) if names_state else {}).items():
            self.world.ledger.life(name).allowed |= rows
        for name in self.names(values):
            life = self.world.ledger.life(name)
            life.over = life.over and True
        before = self.seen
        healthy = self.healthy
        twin = copy.deepcopy(self) if trouble else None
        if trouble:
            self.world.trouble = replace(trouble)
        outcome = operation(self.helm)
        tell(f"  -> {outcome.state}: {outcome.output}")
        struck = trouble is not None and (self.world.trouble.done or outcome.state == "killed")
        self.world.trouble = Trouble()
        if not struck and outcome.state == "refused" and not at_once:
            jobs, record = self.seen
            assert set(before[0]) <= set(jobs), f"refused, but {before[0]} became {jobs}: {outcome.output}"
            # A job without a record is taken over as it is, whatever becomes of the operation.
            adopted = not before[1] and record.get("generation") == "0"
            assert adopted or record == before[1], f"refused, but {before[1]} became {record}: {outcome.output}"
        if trouble and twin and struck:
            self.world.advance(25)
            outcome = operation(self.helm)
            tell(f"  again -> {outcome.state}: {outcome.output}")
            if all(self.rows_at(path) >= 0 for path in self.allowed_paths(values)):
                self._compare(outcome, operation(twin.helm), trouble, healthy)
        if outcome.ok:
            for name in self.names(values):
                self.world.ledger.life(name).allowed = set()
        if outcome.state == "refused":
            for name in self.names(values):
                self.world.ledger.life(name).allowed &= lives[name].allowed if name in lives else set()
        else:
            self.values = values
            self.used |= (
                {plain(job.from_savepoint) for job in values.jobs} | {plain(values.from_savepoint)} if names_state else set()
            )
        if outcome.state == "failed" and self.allowed_paths(values):
            for name in self.names(values):
                self.world.ledger.life(name).unsure = "the path that was named cannot be restored"
        elif outcome.state == "failed" and not values.label and not trouble and not self.is_excused(values):
            self.world.advance(60)
            outcome = operation(self.helm)
            tell(f"  once more -> {outcome.state}: {outcome.output}")
            if not self.waits_on_purpose:
                keeps_crashing = "keeps crashing" in outcome.output  # M9
                over = any(self.world.ledger.life(name).over for name in self.names(values))
                keeps_crashing |= over and "is gone: Flink deletes it when the job finishes" in outcome.output
                assert outcome.state != "failed" or keeps_crashing, f"it fails again and again: {outcome.output}"
        if outcome.ok:
            self.converged(values, trouble is not None and trouble.kind in ("jobmanager dies", "rest unreachable"))
        self.check()
        return outcome

    def _compare(self, again: Outcome, at_once: Outcome, trouble: Trouble, healthy: bool) -> None:
        """An operation that was interrupted and repeated ends as one that was not."""
        of_flink = trouble.kind in ("jobmanager dies", "taskmanager dies")
        if self.waits_on_purpose or self.is_excused(self.values):
            return
        if at_once.ok and not again.ok and not of_flink:
            raise AssertionError(f"{trouble.kind}: repeated, it is {again.state}: {again.output}; before: {at_once.output}")
        if of_flink and again.state == "failed" and at_once.ok:
            raise AssertionError(f"{trouble.kind}: repeated, it fails: {again.output}")

    @property
    def healthy(self) -> bool:
        jobmanager = self.world.serving("app")
        return bool(jobmanager) and all(jobmanager is not None and jobmanager.tasks_run(self.world, job) for job in self.jobs)

    def converged(self, values: Values, trouble_of_flink: bool = False) -> None:
        """After an operation that went well the jobs are those of its values."""
        self.world.advance(15)
        live = {job.name: job for job in self.jobs}
        programs = (
            {f"app/{job.name}": job.program for job in values.jobs} if values.type == "session" else {"app/": values.program}
        )
        session = values.type == "session"
        parallelism = {f"app/{job.name}": job.parallelism for job in values.jobs} if session else {"app/": values.parallelism}
        if values.type == "job" and values.state == "suspended":
            assert not live, f"suspended, but {sorted(live)} run"
            return
        for name, program in programs.items():
            if self.world.ledger.life(name).over or self.world.ledger.life(name).unsure:
                continue
            if self.waits_on_purpose or self.was_stopped_by_hand:
                continue
            assert name in live, f"{name} does not run: {self.why()}"
            if trouble_of_flink:  # M8
                continue
            assert live[name].upper == parallelism[name], f"{name} has a parallelism of {live[name].upper}"
            assert live[name].program == program, f"{name} runs program {live[name].program} instead of {program}"
        assert set(live) <= set(programs), f"nobody asked for {sorted(set(live) - set(programs))}"

    @property
    def waits_on_purpose(self) -> bool:
        """A JobManager says why it runs no job: nothing tells the newest checkpoint, it was on another volume, the job is
        over, or there is state and no record."""
        hindrances = {one.hindrance for one in self.world.jobmanagers.values()}
        over = all(self.world.ledger.life(job).over for job in self.names(self.values))
        return bool(hindrances & {"newest checkpoint unknown", "another volume", "state of a job that nobody knows"}) or (
            over and any(reason.startswith("finished") for reason in hindrances)
        )

    def is_excused(self, values: Values) -> bool:
        return any(self.world.ledger.life(name).unsure for name in self.names(values))

    @property
    def was_stopped_by_hand(self) -> bool:
        return any(job.stopped_with for one in self.world.jobmanagers.values() for job in one.jobs.values() if not job.alive)

    def why(self) -> str:
        processes = self.world.jobmanagers.values()
        states = [f"{one.state} {one.hindrance} {[job.state for job in one.jobs.values()]}" for one in processes]
        return f"{states} {self.world.crashes[-1:]} {self.world.record('app').get('restore')}"

    def check(self) -> None:
        world = self.world
        assert not world.ledger.faults, "; ".join(world.ledger.faults)
        stolen = [entry for entry in world.store.deleted if not entry[1].startswith("app/")]
        assert not stolen, f"states of others were deleted: {stolen}"
        missing = [name for name in OTHERS_OBJECTS if name not in world.kubernetes.kind("configmaps")]
        assert not missing, f"objects of others were deleted: {missing}"
        history = world.record("app").get("history", "").splitlines()
        assert len(history) <= 60, "the history grows"


class Events(RuleBasedStateMachine):
    """What happens by itself, or by people."""

    release: Checked

    @property
    def world(self) -> World:
        return self.release.world

    @property
    def jobmanager(self) -> JobManager | None:
        return self.world.serving("app")

    def settle(self, seconds: float = 20) -> None:
        self.world.advance(seconds)
        self.release.check()

    @rule(seconds=st.sampled_from([3, 8, 40]))
    def wait(self, seconds: int) -> None:
        self.settle(seconds)

    @precondition(lambda self: self.world.jobmanagers)
    @rule(seconds=st.sampled_from([0, 4, 25]))
    def container_ends(self, seconds: int) -> None:
        for jobmanager in list(self.world.jobmanagers.values()):
            self.world.crash(jobmanager.pod, "killed")
        self.settle(seconds)

    @precondition(lambda self: self.world.jobmanagers)
    @rule(seconds=st.sampled_from([1, 4, 25]))
    def node_is_lost(self, seconds: int) -> None:
        for name in list(self.world.jobmanagers):
            self.world.kubernetes.lose_pod(name)
        self.settle(seconds)

    @rule(seconds=st.sampled_from([0, 10]))
    def taskmanagers_are_lost(self, seconds: int) -> None:
        lose_taskmanagers(self.world)
        self.settle(seconds)

    @rule()
    def rest_is_unreachable(self) -> None:
        self.world.rest_is_unreachable_until = self.world.now + 45
        self.settle(2)

    @precondition(lambda self: self.jobmanager and self.release.jobs)
    @rule(state=st.sampled_from(["FAILED", "CANCELED", "FINISHED"]), seconds=st.sampled_from([1, 20]))
    def job_ends(self, state: str, seconds: int) -> None:
        job = self.release.jobs[0]
        assert self.jobmanager
        self.jobmanager.end(self.world, job, state)
        life = self.world.ledger.life(job.name)
        life.over = state == "FINISHED"
        if state == "CANCELED" and not job.retained:
            life.unsure = "its checkpoints went with it"
        self.settle(seconds)

    @precondition(lambda self: self.jobmanager and self.release.jobs and self.release.healthy)
    @rule()
    def job_is_stopped_by_hand(self) -> None:
        job = self.release.jobs[0]
        assert self.jobmanager
        self.jobmanager.rest(self.world, "POST", f"/jobs/{job.id}/stop", {})
        self.world.ledger.life(job.name).unsure = "a JobManager that starts again does not know of the stop"
        self.settle(5)

    # The paths that were used are forgotten with it.
    @precondition(lambda self: self.release.values.type == "job" and not self.release.values.from_savepoint)
    @rule()
    def record_is_deleted(self) -> None:
        self.world.advance(120)  # hooks take a release for new as long
        self.world.delete_config_map("app-record")
        if self.release.helm.applied is None:
            self.release.forget("")  # as the uninstall printed
        self.settle(1)


bases = {
    "high_availability": st.sampled_from(["none", "kubernetes"]),
    "root": st.sampled_from(["", "", "s3://bucket/one", "file:///flink-data/deep"]),
    "mode": st.sampled_from(["standalone", "standalone", "native"]),
    "retained": st.sampled_from([3, 1]),
    "upgrade_mode": st.sampled_from(["", "", "last-state"]),
    "adaptive": st.booleans(),
    "parallelism": st.sampled_from([1, 2]),
}
_CHANGES: list[dict[str, Any]] = [
    {"program": 1},
    {"program": 1, "upgrade_mode": ""},
    {"program": 1, "upgrade_mode": "last-state"},
    {"program": 1, "upgrade_mode": "stateless"},
    {"upgrade_mode": ""},
    {"startup_seconds": 1},
    {"taskmanager": 1},
    {"adaptive": True},
    {"adaptive": False},
    {"parallelism": 1},
    {"parallelism": 2},
    {"parallelism": 4},
    {"state": "suspended"},
    {"state": "running"},
    {"backend": "hashmap"},
    {"backend": "rocksdb"},
    {"backend": "forst"},
    {"existing_claim": "mine"},
    {"existing_claim": "app-data"},
    {"existing_claim": ""},
    {"keep": True},
    {"root": "s3://bucket/two"},
    {"root": "file:///flink-data/moved"},
    {"root": ""},
    {"high_availability": "none"},
    {"high_availability": "kubernetes"},
    {"flink_version": "2.3"},
    {"flink_version": "2.2"},
    {"retained": 1},
    {"retained_on_cancellation": False},
    {"savepoint_on_uninstall": True},
    {"label": "not valid"},
    {"label": ""},
]
_COUNTERS = ("program", "startup_seconds", "taskmanager")
changes = st.lists(st.sampled_from(_CHANGES), min_size=0, max_size=2)


def changed(values: Values, drawn: list[dict[str, Any]], counter: int) -> Values:
    for one in drawn:
        drawn_values: dict[str, Any] = {key: counter if key in _COUNTERS else value for key, value in one.items()}
        values = replace(values, **drawn_values)
    return values


class JobWalk(Events):
    """A job release in Helm's hands."""

    def __init__(self) -> None:
        super().__init__()
        self.counter = 100
        self.nobody_clears_up = False  # high availability was switched off without hooks

    @initialize(base=st.fixed_dictionaries(bases))
    def install(self, base: dict[str, Any]) -> None:
        self.release = Checked(Values(**base))
        outcome = self.release.change(self.release.values, lambda helm: helm.upgrade(self.release.values))
        assert outcome.ok, outcome.output

    @invariant()
    def holds(self) -> None:
        self.release.check()

    @property
    def is_installed(self) -> bool:
        return self.release.helm.applied is not None

    @precondition(lambda self: self.is_installed)
    @rule(drawn=changes, trouble=troubles, stop=stops)
    def upgrade(self, drawn: list[dict[str, Any]], trouble: Trouble | None, stop: str) -> None:
        self.counter += 1
        values = changed(replace(self.release.values, from_savepoint=self.release.values.from_savepoint), drawn, self.counter)
        self._upgrade(values, trouble, stop)

    def _upgrade(self, values: Values, trouble: Trouble | None, stop: str = "") -> None:
        healthy = self.release.healthy and len(self.release.jobs) == 1
        easy = {name for name, value in vars(values).items() if value != getattr(self.release.values, name)} <= {
            "program"
        } and not values.label
        easy = easy and (values.retained_on_cancellation or values.upgrade_mode != "last-state")
        remaining = [stop] if trouble is None else []

        def operation(helm: Helm) -> Outcome:
            return helm.upgrade(values, stop=remaining.pop() if remaining else "")

        outcome = self.release.change(values, operation, trouble)
        if outcome.state == "killed":
            self.world.advance(5)
            outcome = self.release.change(values, operation)
        quiet = trouble is None and self.world.now >= self.world.rest_is_unreachable_until
        quiet = quiet and len(self._claims()) == len(self.world.kubernetes.kind("persistentvolumeclaims"))
        if healthy and easy and quiet:
            assert outcome.ok, f"nothing speaks against it, but it is {outcome.state}: {outcome.output}"

    @precondition(lambda self: self.is_installed)
    @rule(data=st.data(), trouble=troubles)
    def upgrade_from_savepoint(self, data: st.DataObject, trouble: Trouble | None) -> None:
        self.counter += 1
        paths = [OTHERS, MISSING]
        for volume, files in self.world.store.volumes.items():
            paths += [path.replace("s3:/", "s3://") if volume == S3 else f"file://{path}" for path in files]
        path = data.draw(st.sampled_from(paths))
        values = replace(self.release.values, from_savepoint=path, program=self.counter)
        self._upgrade(values, trouble)

    @precondition(lambda self: self.release.helm.revisions)
    @rule(back=st.integers(1, 6), trouble=troubles)
    def rollback(self, back: int, trouble: Trouble | None) -> None:
        index = max(len(self.release.helm.revisions) - 1 - back, 0)
        values = self.release.helm.revisions[index].values
        self.release.change(values, lambda helm: helm.rollback(index), trouble, names_state=False)

    @precondition(lambda self: self.is_installed)
    @rule(drawn=changes)
    def upgrade_without_hooks(self, drawn: list[dict[str, Any]]) -> None:
        self.counter += 1
        values = changed(self.release.values, drawn, self.counter)
        claims = [claim["metadata"]["name"] for claim in self._claims()]
        self.release.helm.upgrade(values, hooks=False)
        if values.high_availability != self.release.values.high_availability:
            self.nobody_clears_up = True
        self.release.values = values
        self.world.advance(10)
        if claims != [claim["metadata"]["name"] for claim in self._claims()]:
            self.release.forget("without hooks nobody kept the claim")
        self.settle()

    def _claims(self) -> list[dict[str, Any]]:
        return [
            one
            for one in self.world.kubernetes.kind("persistentvolumeclaims").values()
            if "deletionTimestamp" not in one["metadata"]
        ]

    def _claims_of_the_release(self) -> list[str]:
        name = self.release.values.existing_claim or "app-data"
        return [claim["metadata"]["name"] for claim in self._claims() if claim["metadata"]["name"] == name]

    @precondition(lambda self: self.is_installed)
    @rule(hooks=st.booleans(), keep_history=st.booleans())
    def uninstall(self, hooks: bool, keep_history: bool) -> None:
        outcome = self.release.helm.uninstall(hooks=hooks, keep_history=keep_history)
        tell(f"  -> {outcome.state}: {outcome.output}")
        self.world.advance(15)
        if outcome.state == "refused":
            self.release.check()
            return
        assert not self.release.jobs, "jobs run after an uninstall"
        left = {
            name for name in self.world.kubernetes.kind("configmaps") if name.startswith("app-") and name not in OTHERS_OBJECTS
        }
        stays = bool(self.release.values.root.startswith("s3:") or self._claims_of_the_release())
        kept = {"app-record"} if stays else set()
        assert not hooks or left <= kept or self.nobody_clears_up, f"left after an uninstall: {left}"
        if not (hooks and left):
            self.release.forget("")
        self.release.check()

    @precondition(lambda self: not self.is_installed)
    @rule(drawn=changes)
    def install_again(self, drawn: list[dict[str, Any]]) -> None:
        self.counter += 1
        values = changed(self.release.values, drawn, self.counter)
        if values.existing_claim not in self.release.world.kubernetes.kind("persistentvolumeclaims"):
            values = replace(values, existing_claim="")  # it went with the release
        self.release.change(values, lambda helm: helm.upgrade(values))


class WithoutHelmWalk(Events):
    """A job release that Argo CD or kubectl applies."""

    def __init__(self) -> None:
        super().__init__()
        self.counter = 100

    @initialize(base=st.fixed_dictionaries(bases))
    def install(self, base: dict[str, Any]) -> None:
        self.release = Checked(Values(**base), by_helm=False)
        outcome = self.release.change(self.release.values, lambda helm: helm.sync(self.release.values))
        assert outcome.ok, outcome.output

    @rule(drawn=changes, trouble=troubles)
    def sync(self, drawn: list[dict[str, Any]], trouble: Trouble | None) -> None:
        self.counter += 1
        values = changed(self.release.values, drawn, self.counter)
        outcome = self.release.change(values, lambda helm: helm.sync(values), trouble)
        assert outcome.state != "killed" or trouble

    @rule(drawn=changes, order=st.integers(0, 99))
    def apply_everything(self, drawn: list[dict[str, Any]], order: int) -> None:
        self.counter += 1
        values = changed(self.release.values, drawn, self.counter)
        self.release.change(values, lambda helm: helm.apply_everything_until_taken(values, order), at_once=True)


_SESSION_CHANGES: list[dict[str, Any]] = [
    {"program": 1},
    {"startup_seconds": 1},
    {"taskmanager": 1},
    {"backend": "hashmap"},
    {"backend": "rocksdb"},
    {"root": "s3://bucket/two"},
    {"root": ""},
    {"existing_claim": "mine"},
    {"keep": True},
    {"high_availability": "none"},
    {"high_availability": "kubernetes"},
    {"flink_version": "2.3"},
]


class SessionWalk(Events):
    """A session cluster with up to two jobs of the release, and perhaps one of another person."""

    def __init__(self) -> None:
        super().__init__()
        self.counter = 100

    @initialize(base=st.fixed_dictionaries({key: one for key, one in bases.items() if key != "upgrade_mode"}))
    def install(self, base: dict[str, Any]) -> None:
        self.release = Checked(Values(type="session", jobs=(SessionJob("a"), SessionJob("b")), **base))
        outcome = self.release.change(self.release.values, lambda helm: helm.upgrade(self.release.values))
        assert outcome.ok, outcome.output

    @rule(
        drawn=st.lists(st.sampled_from(_SESSION_CHANGES), max_size=1),
        jobs=st.sampled_from(["same", "change a", "change both", "without a", "both", "rescale a", "rescale both"]),
        trouble=troubles,
        stop=stops,
    )
    def upgrade(self, drawn: list[dict[str, Any]], jobs: str, trouble: Trouble | None, stop: str) -> None:
        self.counter += 1
        now = {job.name: job for job in self.release.values.jobs}
        match jobs:
            case "change a":
                now["a"] = replace(now.get("a", SessionJob("a")), program=self.counter)
            case "change both":
                now = {name: SessionJob(name, self.counter) for name in ("a", "b")}
            case "without a":
                now.pop("a", None)
            case "rescale a":
                now["a"] = replace(now.get("a", SessionJob("a")), parallelism=1 + self.counter % 4)
            case "rescale both":
                now = {name: replace(now.get(name, SessionJob(name)), parallelism=2 + self.counter % 3) for name in ("a", "b")}
            case "both":
                now = {name: now.get(name, SessionJob(name)) for name in ("a", "b")}
        values = replace(changed(self.release.values, drawn, self.counter), jobs=tuple(now.values()))
        self._upgrade(values, trouble, stop)

    def _upgrade(self, values: Values, trouble: Trouble | None, stop: str = "") -> None:
        remaining = [stop] if trouble is None else []

        def operation(helm: Helm) -> Outcome:
            return helm.upgrade(values, stop=remaining.pop() if remaining else "")

        outcome = self.release.change(values, operation, trouble)
        if outcome.state == "killed":
            self.world.advance(5)
            self.release.change(values, operation)

    @rule(back=st.integers(1, 6), trouble=troubles)
    def rollback(self, back: int, trouble: Trouble | None) -> None:
        index = max(len(self.release.helm.revisions) - 1 - back, 0)
        values = self.release.helm.revisions[index].values
        self.release.change(values, lambda helm: helm.rollback(index), trouble, names_state=False)

    @precondition(lambda self: self.jobmanager and not any(job.name == "app/guest" for job in self.world.live("app")))
    @rule()
    def somebody_submits_a_job(self) -> None:
        jobmanager = self.jobmanager
        assert jobmanager
        job = self.world.token()
        graph = {"name": "guest", "program": 1, "restore": "", "claims": False, "version": jobmanager.process.flink_version}
        jobmanager.submit(self.world, job, graph)
        jobmanager.jobs[job].stranger = True
        self.world.ledger.life("app/guest").unsure = "nobody carries it over"
        self.settle(2)
