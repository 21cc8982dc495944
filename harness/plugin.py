"""A plugin of pytest: a cluster, Helm and a namespace for tests, and the state of that namespace after a failure.

`pytest_plugins = ["harness.plugin"]` in the conftest.py of the tests turns it on; that also defines `kube_config`, a fixture of
the session that gives the path of the kubeconfig. KEEP=1 in the environment keeps the namespaces. After a failure everything in
the test's namespace is written to a directory of the test's name in `dumps`, an option of pytest's configuration.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest

from . import evidence
from .cluster import Cluster
from .helm import Helm


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("dumps", "folder for the state of namespaces whose test has failed", default="dumps")


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
        directory = item.config.rootpath / item.config.getini("dumps") / re.sub(r"[^\w.-]+", "_", item.nodeid.partition("::")[2])
        try:
            evidence.dump(fixtures["cluster"], fixtures["namespace"], directory)
            report.sections.append(("evidence", f"pods, logs and events are in {directory}"))
        except Exception as error:  # the report of the test's own failure must not be lost
            report.sections.append(("evidence", f"could not be written: {type(error).__name__}: {error}"))
    return report
