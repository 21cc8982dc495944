"""What high availability has stored for a release: in ConfigMaps that Flink writes, or in ZooKeeper."""

from __future__ import annotations

from typing import Protocol

from . import zookeeper
from .errors import Failed
from .kubernetes import Kubernetes
from .wanted import Wanted, ZooKeeper


class Store(Protocol):
    def knows(self, job: str) -> bool:
        """Whether a JobManager that starts this job goes on from what is stored of it."""

    def forget_programs(self) -> None:
        """Delete the programs of the jobs, which would run besides a new one or instead of it; the checkpoints stay."""

    def forget(self) -> None:
        """Delete all that would bring jobs back. No JobManager of the release lives; raises Failed if another one uses it."""

    def clear(self) -> None:
        """The same before the first start, as far as the rights of that moment go."""


class Nothing:
    """Without high availability."""

    def knows(self, job: str) -> bool:
        return False

    def forget_programs(self) -> None:
        pass

    def forget(self) -> None:
        pass

    def clear(self) -> None:
        pass


class ConfigMaps:
    def __init__(self, kubernetes: Kubernetes, cluster: str) -> None:
        self._kubernetes = kubernetes
        self._cluster = cluster

    def knows(self, job: str) -> bool:
        # Flink deletes it when the job has ended for good.
        return self._kubernetes.config_map_is_there(f"{self._cluster}-{job}-config-map")

    def forget_programs(self) -> None:
        name = f"{self._cluster}-cluster-config-map"
        data = (self._kubernetes.config_map(name) or {}).get("data") or {}
        # Flink 1.20 and Flink 2 call a job's program by these names.
        programs = [key for key in data if key.startswith(("jobGraph-", "executionPlan-"))]
        if programs:
            self._kubernetes.patch_config_map(name, dict.fromkeys(programs))

    def forget(self) -> None:
        # Flink 2.2 leaves out the label configmap-type, which would tell them from its other ConfigMaps.
        for name in self._kubernetes.config_maps(f"app={self._cluster},type=flink-native-kubernetes"):
            if name.startswith(f"{self._cluster}-") and name.endswith("-config-map"):
                self._kubernetes.delete_config_map(name)

    def clear(self) -> None:
        self.forget_programs()


class InZooKeeper:
    def __init__(self, where: ZooKeeper) -> None:
        self._where = where

    def knows(self, job: str) -> bool:
        with zookeeper.session(self._where.quorum) as session:
            return bool(session.children(f"{self._where.path}/jobs/{job}/checkpoints"))

    def forget_programs(self) -> None:
        with zookeeper.session(self._where.quorum) as session:
            for directory in ("jobgraphs", "execution-plans"):
                for job in session.children(f"{self._where.path}/{directory}"):
                    session.delete(f"{self._where.path}/{directory}/{job}")

    def forget(self) -> None:
        if self._where.bundled:
            return  # it goes with the release
        with zookeeper.session(self._where.quorum) as session:
            # Each living JobManager has a node here that goes with its connection.
            if session.children(f"{self._where.path}/leader/latch"):
                raise Failed(
                    f"A JobManager lives that uses {self._where.path} in ZooKeeper ({self._where.quorum}): another "
                    "cluster has a release "
                    "of this name. Nothing was deleted there. Give this one a path of its own: highAvailability.zookeeper.root."
                )
            session.delete(self._where.path)

    def clear(self) -> None:
        self.forget()


def store(wanted: Wanted, kubernetes: Kubernetes) -> Store:
    if wanted.zookeeper:
        return InZooKeeper(wanted.zookeeper)
    if wanted.high_availability == "kubernetes":
        return ConfigMaps(kubernetes, wanted.name)
    return Nothing()
