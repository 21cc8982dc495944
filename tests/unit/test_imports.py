"""Who may import whom."""

from __future__ import annotations

import ast

import pytest

from ci.core.paths import ROOT

PACKAGES = {"bench", "ci", "harness", "harness_kdv", "jobs", "kdv_job", "local", "tests"}
FORBIDDEN = {
    "ci": PACKAGES - {"ci"},  # it runs before any of the others can
    "harness": PACKAGES - {"harness"},  # others can take it along
    "harness_kdv": {"bench", "local", "tests"},
    "jobs": PACKAGES - {"jobs", "kdv_job"},  # their images hold nothing else
    "local": {"bench", "tests"},
    "bench": {"tests"},
    "tests": set(),
}
PARTS_OF_CI = ["core", "machine", "no_registry", "kubernetes", "images", "charts", "release", "commands"]
for number, name in enumerate(PARTS_OF_CI, start=1):
    FORBIDDEN[f"ci/{name}"] = {f"ci.{later}" for later in PARTS_OF_CI[number:]}


@pytest.mark.parametrize("directory", FORBIDDEN)
def test_no_directory_imports_what_stands_above_it_and_none_a_test(directory: str) -> None:
    files = list((ROOT / directory).rglob("*.py"))
    assert files
    for file in files:
        nodes = list(ast.walk(ast.parse(file.read_text())))
        modules = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
        absolute = [node for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
        modules += [f"{node.module}.{alias.name}" for node in absolute for alias in node.names]
        for module in modules:
            assert not any(f"{module}.".startswith(f"{other}.") for other in FORBIDDEN[directory]), f"{file} imports {module}"
            assert not (module.startswith("tests.") and ".test_" in module), f"{file} imports {module}, which is a test"
