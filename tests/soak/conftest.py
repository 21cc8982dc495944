"""The options of a walk, and its namespace."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from harness.cluster import Cluster
from harness.helm import Helm


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--minutes", type=float, default=6, help="how long steps are begun (default: %(default)s)")
    parser.addoption("--seed", type=int, default=7, help="the same seed walks the same steps (default: %(default)s)")


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("seed"))


@pytest.fixture
def minutes(request: pytest.FixtureRequest) -> float:
    return float(request.config.getoption("minutes"))


@pytest.fixture
def availability(seed: int) -> str:
    return ("none", "kubernetes")[seed % 2]


@pytest.fixture
def helm(seed: int, kube_config: str) -> Helm:
    return Helm(("helm", "helm3")[seed // 2 % 2], kube_config)


@pytest.fixture
def namespace(seed: int, cluster: Cluster) -> Iterator[str]:
    name = f"soak-{seed}"
    cluster.delete_namespace(name)
    cluster.create_namespace(name, {"pod-security.kubernetes.io/enforce": "restricted"})
    yield name
    if not os.environ.get("KEEP"):
        cluster.delete_namespace(name)
