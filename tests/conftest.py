"""Fixtures for the tests that need a cluster; tests without one never touch them.

Options come from pytest-helm-charts: `--kubeconfig FILE` (default `.build/kubeconfig`, which `make cluster` writes). KEEP=1 in
the environment keeps the namespaces. After a failure everything in the test's namespace is written to `.build/dumps/TEST`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.support import evidence
from tests.support.cluster import Cluster
from tests.support.helm import Helm

# How long an example takes says more about the machine than about the code.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build"

# The tools that `make cluster` built or linked come before others of the same name.
os.environ["PATH"] = f"{BUILD / 'bin'}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture(scope="session")
def kube_config(pytestconfig: pytest.Config) -> str:
    """The kubeconfig; KUBECONFIG is ignored, so that no test reaches a cluster that nobody named for it."""
    file = Path(pytestconfig.getoption("kubeconfig") or BUILD / "kubeconfig")
    if not file.exists():
        pytest.fail(f"{file} does not exist: run `make cluster`, or name a kubeconfig with --kubeconfig", pytrace=False)
    return str(file)


@pytest.fixture(scope="session")
def cluster(kube_config: str) -> Cluster:
    return Cluster(kube_config)


@pytest.fixture(scope="session")
def helm(request: pytest.FixtureRequest, kube_config: str) -> Helm:
    """Helm 4, or the binary that `@pytest.mark.parametrize("helm", ["helm3"], indirect=True)` names."""
    return Helm(getattr(request, "param", "helm"), kube_config)


@pytest.fixture(scope="module")
def namespace(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[str]:
    """A namespace of the module's name that holds pods to the `restricted` standard; tests that run side by side do so in two."""
    module = request.module.__name__.rpartition(".")[2].removeprefix("test_")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    name = "-".join(filter(None, ["test", module.replace("_", "-"), worker]))
    cluster.delete_namespace(name)
    cluster.create_namespace(name, {"pod-security.kubernetes.io/enforce": "restricted"})
    yield name
    if not os.environ.get("KEEP"):
        cluster.delete_namespace(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    fixtures = getattr(item, "funcargs", {})
    if report.failed and report.when != "teardown" and {"cluster", "namespace"} <= fixtures.keys():
        folder = BUILD / "dumps" / re.sub(r"[^\w.-]+", "_", item.nodeid.partition("::")[2])
        try:
            evidence.dump(fixtures["cluster"], fixtures["namespace"], folder)
            report.sections.append(("evidence", f"pods, logs and events are in {folder}"))
        except Exception as error:  # the report of the test's own failure must not be lost
            report.sections.append(("evidence", f"could not be written: {type(error).__name__}: {error}"))
    return report
