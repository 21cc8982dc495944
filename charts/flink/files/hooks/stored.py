"""What high availability has stored for a release: in ConfigMaps that Flink writes, or in ZooKeeper."""

from __future__ import annotations

from typing import Protocol

import zookeeper
from clients import Json, Kubernetes, Unreachable
from release import Release, say


class Store(Protocol):
    def forget(self) -> None:
        """Delete all that would bring jobs back."""

    def forget_graphs(self) -> None:
        """Delete the programs of the jobs; the checkpoints beside them stay."""

    def knows_checkpoint(self, job: str) -> bool:
        """Whether a JobManager that starts this job finds a checkpoint of it."""


def of(release: Release) -> Store | None:
    """The store of a release, None without high availability."""
    wanted = release.wanted
    if not wanted["highAvailability"]:
        return None
    return ZooKeeper(wanted["zookeeper"]) if wanted["zookeeper"] else ConfigMaps(release.kubernetes, wanted["clusterId"])


class ConfigMaps:
    def __init__(self, kubernetes: Kubernetes, cluster: str) -> None:
        self._kubernetes = kubernetes
        self._cluster = cluster

    def forget(self) -> None:
        # Flink 2.2 leaves out the label configmap-type, which would tell them from its other ConfigMaps.
        for name in self._kubernetes.config_maps(f"app={self._cluster},type=flink-native-kubernetes"):
            if name.startswith(f"{self._cluster}-") and name.endswith("-config-map"):
                self._kubernetes.delete_config_map(name)

    def forget_graphs(self) -> None:
        name = f"{self._cluster}-cluster-config-map"
        # Flink 1.20 and Flink 2 call a job's program by these names.
        graphs = [key for key in self._kubernetes.config_map(name) or {} if key.startswith(("jobGraph-", "executionPlan-"))]
        if graphs:
            self._kubernetes.patch_config_map(name, dict.fromkeys(graphs))

    def knows_checkpoint(self, job: str) -> bool:
        known = self._kubernetes.config_map(f"{self._cluster}-{job}-config-map") or {}
        return any(key.startswith("checkpointID-") for key in known)


class ZooKeeper:
    """`where`: the servers, the release's path there, and whether they come and go with the release."""

    def __init__(self, where: Json) -> None:
        self._where = where

    def forget(self) -> None:
        if self._where["bundled"]:
            return
        path = self._where["path"]
        try:
            with zookeeper.session(self._where["quorum"]) as session:
                session.delete(path)
        except Unreachable as error:
            say(f"Warning: {error}. If it knows of jobs of this name, they will run again: delete {path} there.")

    def forget_graphs(self) -> None:
        with zookeeper.session(self._where["quorum"]) as session:
            for folder in ("jobgraphs", "execution-plans"):
                for job in session.children(f"{self._where['path']}/{folder}"):
                    session.delete(f"{self._where['path']}/{folder}/{job}")

    def knows_checkpoint(self, job: str) -> bool:
        with zookeeper.session(self._where["quorum"]) as session:
            return bool(session.children(f"{self._where['path']}/jobs/{job}/checkpoints"))
