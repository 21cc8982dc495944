"""Each values file that a user would install is on a page, and is installed by a test on a real cluster."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.scenarios import ROOT

FILES = sorted((ROOT / "values").glob("*.yaml"))
TESTS = [file.read_text() for file in (ROOT / "tests" / "kind").glob("*.py")]
MODES = ROOT / "docs" / "modes.md"
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
