"""What the tests on a real cluster share: releases that are removed again, and the versions that they test."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ci.core.paths import FLINK
from harness.cluster import Cluster
from harness.helm import Helm
from harness.nodes import Nodes
from harness.release import FlinkRelease
from tests.kind.installs import Install


@pytest.fixture
def install(cluster: Cluster, helm: Helm, namespace: str) -> Iterator[Install]:
    """install(name, chart, values, files=...) waits until the release is ready; it is uninstalled when the test ends."""
    installed: list[str] = []

    def do(
        name: str,
        chart: str | Path = FLINK,
        values: Mapping[str, Any] | None = None,
        *,
        files: Sequence[str | Path] = (),
        options: Sequence[str] = (),
    ) -> FlinkRelease:
        installed.append(name)
        helm.install(name, chart, values, files=files, namespace=namespace, timeout="4m", options=options)
        return FlinkRelease(cluster, namespace, name)

    yield do
    if not os.environ.get("KEEP"):
        for name in reversed(installed):  # a last savepoint may need the broker of an earlier one
            helm.run("uninstall", name, f"--namespace={namespace}", "--ignore-not-found", "--wait")


@pytest.fixture
def nodes(cluster: Cluster, install: Install) -> Iterator[Nodes]:
    """The workers, whole when the test begins, and made whole again before `install` takes the releases away."""
    cluster_nodes = Nodes(cluster)
    if len(cluster_nodes.workers) < 2:
        pytest.skip("the cluster has fewer than two workers: run `make cluster ARGS='--workers 2'` and name its kubeconfig")
    cluster_nodes.give_back()
    yield cluster_nodes
    cluster_nodes.give_back()


@pytest.fixture
def addon(request: Any, cluster: Cluster) -> Iterator[None]:
    """Taken away again: where nodes are frozen, an API that does not answer holds up the end of namespaces."""
    request.param.install(cluster.kubeconfig)
    yield
    request.param.uninstall(cluster.kubeconfig)
