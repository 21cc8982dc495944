"""The Flink Kubernetes Operator, as far as a cluster knows it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml

from ci.core import versions
from ci.images import artifacts
from harness.cluster import Cluster
from harness.definitions import Definitions
from tests.kind import kinds


def define_kinds(cluster: Cluster) -> None:
    """Have the cluster know its custom resources."""
    version = versions.get("operator", "definitions")
    jar = artifacts.fetch(f"operator-api-{version}") / f"flink-kubernetes-operator-api-{version}.jar"
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump_all(Definitions(jar).objects, file)
        file.flush()
        kinds.define(cluster, [Path(file.name)], "flinkdeployments.flink.apache.org", "flinksessionjobs.flink.apache.org")
