"""Pods with the programs of jobs/tools."""

from __future__ import annotations

from ci.core import versions
from harness.cluster import Cluster
from harness.workloads import Pods


def tools(cluster: Cluster, namespace: str) -> Pods:
    return Pods(cluster, namespace, f"kdv-tools:{versions.get('images', 'kdv-tools')}")
