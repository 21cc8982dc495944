"""What high availability has stored for a release: in ConfigMaps that Flink writes, or in ZooKeeper."""

from __future__ import annotations

from typing import Callable, Dict, List, Protocol, Tuple, TypeVar

from . import tls, zookeeper
from .clock import Deadline
from .errors import Failed, Unreachable
from .kubernetes import COMPONENT, INSTANCE, Kubernetes
from .wanted import Wanted, ZooKeeper

T = TypeVar("T")


class Store(Protocol):
    @property
    def place(self) -> str:
        """Where the programs of the jobs are stored, for people."""

    def knows(self, job: str) -> bool:
        """Whether a JobManager that starts this job resumes from what is stored."""

    def jobs(self) -> Tuple[str, ...]:
        """Ids of the jobs whose programs are stored: a JobManager that starts would run them."""

    def check(self) -> None:
        """Raises Unreachable or Failed, before anything is stopped, if the store is unreachable, or another release uses it."""

    def forget_programs(self) -> None:
        """Delete the programs of the jobs, which would run beside a new one or instead of it; the checkpoints stay."""

    def forget(self) -> None:
        """Delete all that would bring jobs back. No JobManager of the release is alive; raises Failed if another one uses it."""

    def clear(self) -> None:
        """The same before the first start, as far as the rights at that time go."""


class Nothing:
    """Without high availability."""

    place = ""

    def knows(self, job: str) -> bool:
        return False

    def jobs(self) -> Tuple[str, ...]:
        return ()

    def check(self) -> None:
        pass

    def forget_programs(self) -> None:
        pass

    def forget(self) -> None:
        pass

    def clear(self) -> None:
        pass


class ConfigMaps:
    def __init__(self, kubernetes: Kubernetes, wanted: Wanted) -> None:
        self._kubernetes = kubernetes
        self._cluster = wanted.name
        self._of_cluster = f"{wanted.name}-cluster-config-map"
        self._labels = wanted.made_labels

    @property
    def place(self) -> str:
        return f"ConfigMap {self._of_cluster}"

    def knows(self, job: str) -> bool:
        # Flink deletes it when the job has ended for good.
        return self._kubernetes.config_map_is_there(f"{self._cluster}-{job}-config-map", self._labels)

    def check(self) -> None:
        pass  # nobody else has the name, and the API server has answered

    def jobs(self) -> Tuple[str, ...]:
        return tuple(key.partition("-")[2] for key in self._programs())

    def forget_programs(self) -> None:
        if programs := self._programs():
            self._kubernetes.patch_config_map(self._of_cluster, dict.fromkeys(programs))

    def _programs(self) -> List[str]:
        """The keys of the ConfigMap that hold programs of jobs: Flink 1.20 and Flink 2 call them so."""
        data = (self._kubernetes.config_map(self._of_cluster) or {}).get("data") or {}
        return [key for key in data if key.startswith(("jobGraph-", "executionPlan-"))]

    def forget(self) -> None:
        # Flink 2.2 leaves out the label configmap-type, which would tell them from its other ConfigMaps.
        for name in self._kubernetes.config_maps(f"app={self._cluster},type=flink-native-kubernetes"):
            if name.startswith(f"{self._cluster}-") and name.endswith("-config-map"):
                self._kubernetes.delete_config_map(name)

    def clear(self) -> None:
        self.forget_programs()


class InZooKeeper:
    """`in_use`: whether the live JobManager keeps its jobs there; if not, one that is alive belongs to another release.

    `is_to_come`: the servers come with the release, and are not there yet.
    """

    def __init__(self, where: ZooKeeper, deadline: Deadline, *, in_use: bool, is_to_come: bool) -> None:
        self._where = where
        self._deadline = deadline
        self._in_use = in_use
        self._is_to_come = is_to_come

    @property
    def place(self) -> str:
        return f"{self._where.path} in ZooKeeper ({self._where.quorum})"

    def knows(self, job: str) -> bool:
        if self._is_to_come:
            return False
        return bool(self._ask(lambda session: session.children(f"{self._where.path}/jobs/{job}/checkpoints")))

    def check(self) -> None:
        self._look(lambda session: None)

    def jobs(self) -> Tuple[str, ...]:
        stored: List[str] = []

        self._look(lambda session: stored.extend(job for _, job in self._programs(session)))
        return tuple(stored)

    def _look(self, act: Callable[[zookeeper.Session], None]) -> None:
        """Act where the servers are there. Raises Failed if the JobManager of another cluster uses the path."""
        if not self._is_to_come:
            self._ask(act) if self._in_use else self._once_unused(act)

    def forget_programs(self) -> None:
        def forget(session: zookeeper.Session) -> None:
            for directory, job in self._programs(session):
                session.delete(f"{directory}/{job}")

        if not self._is_to_come:
            self._ask(forget)

    def _programs(self, session: zookeeper.Session) -> List[Tuple[str, str]]:
        """(directory, job) of each program of a job."""
        directories = [f"{self._where.path}/{name}" for name in ("jobgraphs", "execution-plans")]
        return [(directory, job) for directory in directories for job in session.children(directory)]

    def forget(self) -> None:
        if not self._where.bundled:  # it goes with the release
            self.clear()

    def clear(self) -> None:
        if not self._is_to_come:
            self._once_unused(lambda session: session.delete(self._where.path))

    def _ask(self, question: Callable[[zookeeper.Session], T]) -> T:
        """Raises Unreachable if no server answers for a while: a quorum that has lost its leader has another one soon."""
        context = tls.of_zookeeper(self._where.secret)
        for _ in self._deadline.ticks(every=1, within=_UNREACHABLE_SECONDS):
            try:
                with zookeeper.session(self._where.quorum, context) as session:
                    return question(session)
            except Unreachable as error:
                last = error
        certificates = f", at the certificates in Secret {self._where.secret}" if context else ""
        remedy = (
            "It is the release's own: look at its pod. Where this operation is to bring it back, run it with --no-hooks, and "
            "then once more with hooks."
            if self._where.bundled
            else f"Look at the servers{certificates}, or correct highAvailability.zookeeper.quorum."
        )
        raise Unreachable(f"{last}. {remedy}") from last

    def _once_unused(self, act: Callable[[zookeeper.Session], None]) -> None:
        """Act once no JobManager is alive there. Raises Failed if one is."""

        def look(session: zookeeper.Session) -> bool:
            # Each live JobManager has a node here, which disappears with its connection.
            alive = bool(session.children(f"{self._where.path}/leader/latch"))
            if not alive:
                act(session)
            return alive

        for _ in self._deadline.ticks(every=2, within=_SESSION_SECONDS):
            if not self._ask(look):
                return
        raise Failed(
            f"A live JobManager uses {self._where.path} in ZooKeeper ({self._where.quorum}): another cluster has a release of "
            "this name. Nothing was changed. Give this one a path of its own: highAvailability.zookeeper.root."
        )


# How long ZooKeeper waits for a client that is silent, by Flink's default; and how long ZooKeeper may be unreachable.
_SESSION_SECONDS, _UNREACHABLE_SECONDS = 70, 30


def store(wanted: Wanted, kubernetes: Kubernetes, deadline: Deadline, *, in_use: bool) -> Store:
    if wanted.zookeeper:
        is_to_come = wanted.zookeeper.bundled and not in_use and not kubernetes.deployments(_servers(wanted))
        return InZooKeeper(wanted.zookeeper, deadline, in_use=in_use, is_to_come=is_to_come)
    if wanted.high_availability == "kubernetes":
        return ConfigMaps(kubernetes, wanted)
    return Nothing()


def _servers(wanted: Wanted) -> str:
    """Selector of the release's own ZooKeeper."""
    return f"{INSTANCE}={wanted.release},{COMPONENT}=zookeeper"


def same_place(one: Dict[str, str], other: Dict[str, str]) -> bool:
    """Whether a JobManager that keeps its jobs in `other` finds those kept in `one`, which may have more servers by now."""
    servers, others = (set(place.get("servers", "").replace(" ", "").split(",")) for place in (one, other))
    return bool(servers & others) and {**one, "servers": ""} == {**other, "servers": ""}
