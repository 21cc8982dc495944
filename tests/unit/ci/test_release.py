"""A release: one version everywhere, and values that stay as they were."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
import yaml

from ci.core import versions
from ci.core.paths import DEMO, FLINK
from ci.release import agreement, changelog
from harness.manifests import render

TEXT = """# Changelog

## Unreleased

## 0.3.0

### Faster

It is [faster](docs/bench.md#rows)
by half.

- One `value`,
  in two lines.
- Another.

## 0.2.0

The first.
"""
KEPT = agreement.kept()


def test_one_version_stands_everywhere() -> None:
    assert agreement.problems() == []


def test_each_place_that_names_another_version_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "load", lambda: {"charts": {"version": "9.8.7"}, "flink": {"default": "9.9.9"}})
    problems = "\n".join(agreement.problems())
    assert problems.count("not 9.8.7") == 5  # README.md, CHANGELOG.md, both charts, the dependency
    assert problems.count("not 9.9.9") == 2


def test_the_tests_upgrade_from_the_last_release(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for version in ("0.9.0", "0.10.0", "0.1.0"):
        (tmp_path / f"{DEMO.name}-{version}.tgz").touch()
    monkeypatch.setattr(agreement, "KEPT", tmp_path)
    assert [*agreement.kept()] == ["0.1.0", "0.9.0", "0.10.0"]
    assert any("the newest package is 0.10.0" in problem for problem in agreement.problems())


def test_the_changes_of_a_version_are_its_paragraphs_and_items() -> None:
    assert changelog.released(TEXT) == ["0.3.0", "0.2.0"]
    assert changelog.changes(TEXT, "0.3.0") == ["It is faster by half.", "One `value`, in two lines.", "Another."]


@pytest.mark.parametrize("version", KEPT)
def test_the_values_of_a_released_chart_are_taken(version: str) -> None:
    """As `helm upgrade --reuse-values` hands them over: no value was renamed or removed without a word."""
    with tarfile.open(KEPT[version]) as package:
        for chart, path in ((DEMO, DEMO.name), (FLINK, f"{DEMO.name}/charts/{FLINK.name}")):
            file = package.extractfile(f"{path}/values.yaml")
            assert file
            assert len(render(chart, yaml.safe_load(file)).all) > 5
