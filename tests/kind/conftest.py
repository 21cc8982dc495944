"""What the tests on a real cluster share: releases that are removed again, and the versions that they test."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support.cluster import Cluster
from tests.support.helm import Helm
from tests.support.nodes import Nodes
from tests.support.release import FlinkRelease

FLINK = ROOT / "charts" / "flink"
DEMO = ROOT / "charts" / "flink-kafka-demo"
VALUES = ROOT / "values"
NEW, OLD = tomllib.loads((ROOT / "versions.toml").read_text())["flink"]["releases"]


def matrix(*always: tuple[str, str]) -> pytest.MarkDecorator:
    """Each Helm with each Flink; all but these (Helm, Flink) belong to the whole matrix."""
    every = [(helm, version) for helm in ("helm", "helm3") for version in (NEW, OLD)]
    return pytest.mark.parametrize(
        ("helm", "version"),
        [pytest.param(*pair, marks=[] if pair in always else [pytest.mark.full]) for pair in every],
        indirect=["helm"],
    )


BOTH_HELMS_AND_FLINKS = matrix(("helm", NEW), ("helm3", OLD))

Install = Callable[..., FlinkRelease]


@pytest.fixture
def install(cluster: Cluster, helm: Helm, namespace: str) -> Iterator[Install]:
    """install(name, chart, values, files=...) waits until the release is ready; it is uninstalled when the test ends."""
    installed: list[str] = []

    def do(
        name: str, chart: Path = FLINK, values: Mapping[str, Any] | None = None, *, files: Sequence[str | Path] = ()
    ) -> FlinkRelease:
        installed.append(name)
        helm.install(name, chart, values, files=files, namespace=namespace, timeout="4m")
        return FlinkRelease(cluster, namespace, name)

    yield do
    if not os.environ.get("KEEP"):
        for name in reversed(installed):  # a last savepoint may need the broker of an earlier one
            helm.run("uninstall", name, f"--namespace={namespace}", "--ignore-not-found", "--wait", "--timeout=2m")


@pytest.fixture
def nodes(cluster: Cluster, install: Install) -> Iterator[Nodes]:
    """The workers, whole when the test begins, and made whole again before `install` takes the releases away."""
    found = Nodes(cluster)
    if len(found.workers) < 2:
        pytest.skip("the cluster has fewer than two workers: run `make cluster ARGS='--workers 2'` and name its kubeconfig")
    found.give_back()
    yield found
    found.give_back()
