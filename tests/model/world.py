"""Kubernetes, Flink and a store, with one clock: a sleep of a hook moves it on."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from tests.model import start_job
from tests.model.chart import NAMESPACE, Process
from tests.model.flink import Job, JobManager, Log
from tests.model.kubernetes import Kubernetes, Refused, text
from tests.model.ledger import Ledger
from tests.model.store import S3, Store, plain
from tests.model.trouble import Trouble

Json = dict[str, Any]

BEGIN = 1_800_000_000.0
API = f"https://kubernetes/{NAMESPACE}"


class Unanswered(Exception):
    """Nobody answers."""


@dataclass
class World:
    now: float = BEGIN
    step: float = 0
    kubernetes: Kubernetes = field(default_factory=lambda: Kubernetes(BEGIN))
    store: Store = field(default_factory=Store)
    ledger: Ledger = field(default_factory=Ledger)
    jobmanagers: dict[str, JobManager] = field(default_factory=dict)  # by pod
    logs: dict[str, Log] = field(default_factory=dict)  # by pod
    again: dict[str, float] = field(default_factory=dict)  # pod -> when its container starts again
    trouble: Trouble = field(default_factory=Trouble)
    rest_is_unreachable_until: float = 0
    calls: int = 0
    ended: list[str] = field(default_factory=list)  # jobs that hooks have ended
    crashes: list[str] = field(default_factory=list)
    generator: random.Random = field(default_factory=lambda: random.Random(7))

    # Rules of the start script; the previous hooks had others. A module cannot be copied with the world.
    @property
    def rules(self) -> ModuleType:
        return RULES[-1]

    def token(self, count: int = 16) -> str:
        return self.generator.randbytes(count).hex()

    # Time

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end - 1e-6:
            self.step = min(1.0, end - self.now)
            self.now += self.step
            self._tick()

    def _tick(self) -> None:
        for uid in self.kubernetes.tick(self.now):
            self.store.drop(uid)
        pods = self.kubernetes.kind("pods")
        for name in [name for name in self.jobmanagers if name not in pods]:
            del self.jobmanagers[name]
        for claim in self.kubernetes.kind("persistentvolumeclaims").values():
            self.store.volumes.setdefault(claim["metadata"]["uid"], {})
        for name, pod in pods.items():
            if pod["metadata"]["labels"].get("app.kubernetes.io/component") == "jobmanager":
                self._start_container(name, pod)
        for jobmanager in list(self.jobmanagers.values()):
            jobmanager.tick(self)
        self._tend_taskmanagers()
        for name in pods:
            if name in self.jobmanagers:
                self.kubernetes.set_ready(name, self.jobmanagers[name].state == "up")
        self._look_for_doubles()

    def _start_container(self, name: str, pod: Json) -> None:
        due = self.again.get(name, self.kubernetes.starts.get(name, 0))
        if name in self.jobmanagers or name in self.kubernetes.ends or self.now < due:
            return
        environment = {one["name"]: one["value"] for one in pod["spec"]["containers"][0]["env"]}
        settings = json.loads(environment["PROCESS"])
        process = Process(**{**settings, "schemes": tuple(settings["schemes"])})
        mounts = self.kubernetes.mounts(pod)
        if pod["spec"]["volumes"] and not mounts:
            return  # it waits for its claim
        if S3 in process.schemes:
            mounts[S3] = S3
        self.jobmanagers[name] = JobManager(name, process, environment["JOB_SPECIFICATION"], mounts)
        running = {"running": {"startedAt": text(self.now)}}
        pod["status"]["containerStatuses"][0]["state"] = running
        self.jobmanagers[name].log = self.logs.setdefault(name, Log())
        pod["status"]["containerStatuses"][0]["state"] = {"running": {"startedAt": text(self.now)}}
        if process.high_availability != "none":
            self.put_config_map(f"{process.release}-cluster-config-map", process.release, None)

    def crash(self, pod: str, why: str) -> None:
        """The container ends, and the kubelet starts another one."""
        self.jobmanagers.pop(pod, None)
        self.crashes.append(why)
        live = self.kubernetes.kind("pods").get(pod)
        if live:
            count = live["status"]["containerStatuses"][0]
            count["restartCount"] += 1
            count["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}
            self.again[pod] = self.now + min(2.0 ** count["restartCount"], 10)
            self.kubernetes.set_ready(pod, False)

    def _tend_taskmanagers(self) -> None:
        pods = self.kubernetes.kind("pods")
        for name, pod in pods.items():
            if pod["metadata"]["labels"].get("app.kubernetes.io/component") == "taskmanager":
                release = pod["metadata"]["labels"]["app.kubernetes.io/instance"]
                serving = any(one.process.release == release and one.state == "up" for one in self.jobmanagers.values())
                self.kubernetes.set_ready(name, serving and self.now >= self.kubernetes.starts.get(name, 0))
        for jobmanager in list(self.jobmanagers.values()):
            needs = jobmanager.state == "up" and any(job.alive for job in jobmanager.jobs.values())
            if jobmanager.process.native and needs and not self._taskmanagers(jobmanager):
                owner = pods[jobmanager.pod]["metadata"]["deployment"]
                labels = {**pods[jobmanager.pod]["metadata"]["labels"], "app.kubernetes.io/component": "taskmanager"}
                labels["flink/template"] = jobmanager.process.taskmanager_template
                spec = {"containers": [{"name": "flink-main-container"}], "volumes": []}
                made = self.kubernetes.start_pod(
                    f"{jobmanager.process.release}-taskmanager", {"metadata": {"labels": labels}, "spec": spec}
                )
                made["metadata"]["deployment"] = ""
                made["metadata"]["owner"] = owner
        for name, pod in pods.items():
            if pod["metadata"].get("owner") and pod["metadata"]["owner"] not in self.kubernetes.kind("deployments"):
                self.kubernetes.end_pod(name)

    def _taskmanagers(self, jobmanager: JobManager) -> list[str]:
        names = []
        for name, pod in self.kubernetes.kind("pods").items():
            labels = pod["metadata"]["labels"]
            ours = labels.get("app.kubernetes.io/instance") == jobmanager.process.release
            if ours and labels.get("app.kubernetes.io/component") == "taskmanager" and name not in self.kubernetes.ends:
                names.append(name)
        return names

    def has_taskmanager(self, jobmanager: JobManager) -> bool:
        return any(self.now >= self.kubernetes.starts.get(name, 0) for name in self._taskmanagers(jobmanager))

    def _look_for_doubles(self) -> None:
        for release in {one.process.release for one in self.jobmanagers.values()}:
            for name in {job.name for job in self.live(release)}:
                ids = [job.id for job in self.live(release) if job.name == name]
                if len(ids) > 1:
                    self.ledger.fault(f"{len(ids)} jobs of {name} run at the same time")

    # What is there

    def live(self, release: str) -> list[Job]:
        return [job for one in self._of(release) for job in one.jobs.values() if job.alive]

    def _of(self, release: str) -> list[JobManager]:
        return [one for one in self.jobmanagers.values() if one.process.release == release and one.state == "up"]

    def serving(self, release: str) -> JobManager | None:
        """The one that the Service leads to."""
        return next((one for one in self._of(release) if one.pod not in self.kubernetes.ends), None)

    def config_map(self, name: str) -> dict[str, str]:
        return (self.kubernetes.kind("configmaps").get(name) or {}).get("data") or {}

    def record(self, release: str) -> dict[str, str]:
        return self.config_map(f"{release}-record")

    def files_seen(self, mounts: dict[str, str]) -> dict[str, float]:
        written: dict[str, float] = {}
        for mount, volume in mounts.items():
            written |= {path: state.written for path, state in self.store.below(volume, mount)}
        return written

    def number_of(self, uri: str) -> int:
        name = uri.rpartition("/")[2]
        return int(name.removeprefix("chk-")) if name.startswith("chk-") else 1000

    # What Flink writes into Kubernetes

    def put_config_map(self, name: str, cluster: str, data: dict[str, str] | None) -> None:
        """`data`: None leaves what there is."""
        known = self.kubernetes.kind("configmaps")
        labels = {"app": cluster, "type": "flink-native-kubernetes"}
        metadata = {"name": name, "labels": labels, "resourceVersion": "0"}
        live = known.setdefault(name, {"kind": "ConfigMap", "metadata": metadata, "data": {}})
        if data is not None:
            live["data"] = data

    def kubernetes_patch(self, name: str, data: dict[str, str | None]) -> None:
        if name in self.kubernetes.kind("configmaps"):
            self.kubernetes.request("PATCH", f"/api/v1/namespaces/n/configmaps/{name}", {"data": data})

    def delete_config_map(self, name: str) -> None:
        self.kubernetes.kind("configmaps").pop(name, None)

    # What hooks ask

    def request(self, url: str, method: str, path: str, body: Json | None) -> Any:
        """Raises Refused and Unanswered; and whatever the trouble of the moment is."""
        self.calls += 1
        of_kubernetes = url.startswith("https://kubernetes")
        self.trouble.before(self, method, path, of_kubernetes)
        try:
            return self.kubernetes.request(method, path, body) if of_kubernetes else self._flink(url, method, path, body)
        finally:
            self.trouble.after(self)

    def _flink(self, url: str, method: str, path: str, body: Json | None) -> Any:
        release = url.removeprefix("http://").partition("-rest")[0]
        jobmanager = self.serving(release)
        if jobmanager is None or self.now < self.rest_is_unreachable_until:
            raise Unanswered(f"{url} does not answer")
        status, answer = jobmanager.rest(self, method, path, json.loads(json.dumps(body)) if body else None)
        if status >= 400:
            raise Refused(status, json.dumps(answer))
        return json.loads(json.dumps(answer))

    def ended_by_a_hook(self, job: Job, how: str) -> None:
        self.ended.append(job.id)
        if job.stranger:
            self.ledger.fault(f"a hook has {how} another person's job, {job.name}")

    def dispose(self, jobmanager: JobManager, uri: str) -> None:
        self.store.delete(self.store.place(uri, jobmanager.mounts), by=jobmanager.process.release)

    def find(self, uri: str, claim: str = "") -> int:
        """Rows of the state at a path; -1: there is none."""
        path = plain(uri)
        if path.startswith(f"{S3}:"):
            state = self.store.volumes[S3].get(path)
        else:
            live = self.kubernetes.kind("persistentvolumeclaims").get(claim)
            state = self.store.volumes.get(live["metadata"]["uid"], {}).get(path) if live else None
        return state.rows if state else -1


RULES: list[ModuleType] = [start_job]
