"""Kinds of other projects, which the cluster of a test is to know."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ci.core.console import run
from ci.kubernetes import tools
from harness.cluster import Cluster


def define(cluster: Cluster, files: Sequence[Path], *names: str) -> None:
    """Apply files of custom resource definitions, and wait until these are served; done again it changes nothing."""
    kubectl = tools.kubectl(cluster.kubeconfig)
    run([*kubectl, "apply", "--server-side", "--force-conflicts", *(f"--filename={file}" for file in files)])
    run([*kubectl, "wait", "--for=condition=Established", "--timeout=60s", *(f"crd/{name}" for name in names)])
