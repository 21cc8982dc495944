"""A release: one version everywhere, charts that say what is new, and values that stay as they were."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci.commands.release import refusals
from ci.core import versions
from ci.core.paths import CHARTS, DEMO, FLINK
from ci.release import agreement, changelog, charts
from harness.helm import Helm
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


def read(chart: Path) -> dict[str, Any]:
    return yaml.safe_load((chart / "Chart.yaml").read_text())


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
    assert changelog.changes(TEXT, "0.3.0") == [
        "Faster: It is faster by half.",
        "Faster: One `value`, in two lines.",
        "Faster: Another.",
    ]
    assert changelog.changes(TEXT, "0.2.0") == ["The first."]


def test_what_is_not_told_or_not_committed_is_not_released() -> None:
    assert refusals(TEXT, "") == []
    unreleased = TEXT.replace("## Unreleased\n", "## Unreleased\n\n- More.\n")
    assert "below Unreleased" in refusals(unreleased, "")[0]
    assert " M README.md" in refusals(TEXT, " M README.md\n")[0]


@pytest.mark.parametrize("variable", ["RELEASE_KEY", "RELEASE_KEYRING"])
def test_nothing_is_released_without_a_key(
    variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ring = tmp_path / "secret.gpg"
    ring.touch()
    monkeypatch.setenv("RELEASE_KEY", "me")
    monkeypatch.setenv("RELEASE_KEYRING", str(ring))
    assert charts.key() == charts.Key("me", ring)
    monkeypatch.delenv(variable)
    with pytest.raises(SystemExit):
        charts.key()
    assert "RELEASE_KEYRING" in capsys.readouterr().err


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_the_images_that_a_chart_names_are_those_of_its_pods(chart: Path) -> None:
    annotations = read(chart)["annotations"]
    named = [image["image"] for image in yaml.safe_load(annotations["artifacthub.io/images"])]
    values = {"kafkaUi": {"enabled": True}} if chart == DEMO else {}
    used = set(re.findall(r"(?m)^ +(?:- )?image: (\S+)$", Helm().template(chart, values)))
    assert sorted(named) == sorted(used)


@pytest.mark.parametrize("version", KEPT)
def test_the_values_of_a_released_chart_are_taken(version: str) -> None:
    """As `helm upgrade --reuse-values` hands them over: no value was renamed or removed without a word."""
    with tarfile.open(KEPT[version]) as package:
        for chart, path in ((DEMO, DEMO.name), (FLINK, f"{DEMO.name}/charts/{FLINK.name}")):
            file = package.extractfile(f"{path}/values.yaml")
            assert file
            assert len(render(chart, yaml.safe_load(file)).all) > 5


def test_a_chart_that_is_described_is_still_one(tmp_path: Path) -> None:
    chart = tmp_path / FLINK.name
    chart.mkdir()
    (chart / "Chart.yaml").write_text((FLINK / "Chart.yaml").read_text())
    changes = ['With "quotes": and a colon', "Türkçe"]
    charts.describe(chart, changes)
    metadata = read(chart)
    assert yaml.safe_load(metadata["annotations"].pop("artifacthub.io/changes")) == changes
    assert re.match("data:image/svg.xml;base64,[A-Za-z0-9+/=]+$", metadata.pop("icon"))
    assert metadata == read(FLINK)
