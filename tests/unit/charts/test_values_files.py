"""Each values file that a user would install is on a page, and is installed by a test on a real cluster."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci.core.paths import DOCS, FLINK, ROOT, VALUES
from harness.manifests import render
from tests.unit.scenarios import VALUES_FILES

EVERYTHING = VALUES / "everything.yaml"
FILES = VALUES_FILES
TESTS = [file.read_text() for file in (ROOT / "tests" / "kind").glob("*.py")]
MODES = DOCS / "modes.md"
each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


@each_file
def test_a_page_names_it(file: Path) -> None:
    pages = [(ROOT / "README.md").read_text(), MODES.read_text()]
    assert any(f"values/{file.name})" in page for page in pages)


@each_file
def test_a_test_on_kind_installs_it(file: Path) -> None:
    assert any(f'VALUES / "{file.name}"' in text for text in TESTS)


def test_each_row_of_the_modes_has_its_values_file() -> None:
    rows = [line for line in MODES.read_text().splitlines() if line.startswith("| ") and "`flink.type" in line]
    assert len(rows) >= 6
    for row in rows:
        assert (ROOT / re.findall(r"\(\.\./(values/[-a-z0-9]+\.yaml)\)", row)[0]).exists(), row


# What cannot stand beside the rest of everything.yaml.
EXCLUDED = {
    "flink.mode": "native mode has no taskmanager.replicas and no disruption budget",
    "job.jar.file": "the job is a Python file",
    "job.jar.entryClass": "the job is a Python file",
    "job.jar.sha256": "the job is a Python file",
    "job.sql.file": "the job is a Python file",
    "job.sql.sha256": "the job is a Python file",
    "job.bounded": "nothing carries the state of a bounded job",
    "session.jobs": "the cluster is a job's",
    "sqlGateway.enabled": "the cluster is a job's",
    **dict.fromkeys(
        ("hive.metastore", "hive.configMap", "hive.catalog", "sqlGateway.hiveServer2"),
        "it is Flink 2, which has no connector for Hive",
    ),
    **dict.fromkeys(("kerberos.principal", "kerberos.keytabSecret", "kerberos.configMap"), "no server of Kerberos is there"),
    "tls.selfSigned.enabled": "cert-manager signs",
    "taskmanager.autoscaling.keda.triggers": "a HorizontalPodAutoscaler scales",
    "storage.enabled": "the other values of storage need it",
    "hooks.enabled": "upgrades and savepoints need it",
    "metrics.enabled": "the other values of metrics need it",
    "enabled": "a parent chart's condition",
}


def settings(
    node: dict[str, Any], defs: dict[str, Any], values: Any, defaults: Any, path: str = ""
) -> Iterator[tuple[str, bool]]:
    """(path, whether it is set to something else than its default) of each value that the schema knows."""
    properties = dict(node.get("properties", {}))
    if "allOf" in node:
        properties |= defs["role"]["properties"]
    for key, below in properties.items():
        where = f"{path}.{key}".lstrip(".")
        own = (values or {}).get(key)
        default = (defaults or {}).get(key)
        if "properties" in below:
            yield from settings(below, defs, own, default, where)
        else:
            yield where, own not in (None, default)


def test_everything_sets_every_value_and_renders() -> None:
    schema = json.loads((FLINK / "values.schema.json").read_text())
    values = yaml.safe_load(EVERYTHING.read_text())
    defaults = yaml.safe_load((FLINK / "values.yaml").read_text())
    left_out = {path for path, is_set in settings(schema, schema["$defs"], values, defaults) if not is_set}
    assert left_out == EXCLUDED.keys(), "set it in values/everything.yaml, or say in EXCLUDED what it excludes"
    assert len(list(render(FLINK, files=(str(EVERYTHING),)))) > 20


def test_what_the_cluster_of_the_tests_has_instead_fits_the_rest_of_everything() -> None:
    kinds = {obj["kind"] for obj in render(FLINK, files=(str(EVERYTHING), str(ROOT / "tests" / "kind" / "here.yaml")))}
    assert {"Deployment", "HTTPRoute", "NetworkPolicy"} <= kinds
