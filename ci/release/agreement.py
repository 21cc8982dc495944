"""The version of the charts is `version` of [charts] in versions.toml: whatever else names it has to say the same."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ci.core import versions
from ci.core.paths import CHARTS, DEMO, ROOT
from ci.core.versions import as_tuple
from ci.release import changelog

# Packages of released charts, which the tests upgrade from: <chart>-<version>.tgz.
KEPT = ROOT / "tests" / "kind" / "releases"


def kept() -> dict[str, Path]:
    """Version -> package of the demo chart, oldest first."""
    packages = {package.stem.removeprefix(f"{DEMO.name}-"): package for package in KEPT.glob(f"{DEMO.name}-*.tgz")}
    return dict(sorted(packages.items(), key=lambda item: as_tuple(item[0])))


def _named() -> list[tuple[str, str, str]]:
    """(where a version is named, the version there, empty where there is none, and the one that it has to be)."""
    chart, flink = versions.get("charts", "version"), versions.get("flink", "default")
    places = [("README.md", "the status", r"^Version (\S+)\. ", chart)]
    for directory in CHARTS:
        file = f"charts/{directory.name}/Chart.yaml"
        places += [(file, "version", r"^version: (\S+)$", chart), (file, "appVersion", r'^appVersion: "(\S+)"$', flink)]
    places.append((f"charts/{DEMO.name}/Chart.yaml", "version of the dependency", r"^    version: (\S+)$", chart))
    named_versions = []
    for file, what, pattern, expected in places:
        match = re.search(pattern, (ROOT / file).read_text(), re.MULTILINE)
        named_versions.append((f"{file}, {what}", match[1] if match else "", expected))
    return named_versions


def problems() -> list[str]:
    """A sentence for each place that disagrees."""
    differences = [f"{place}: {has or 'none'}, not {expected}" for place, has, expected in _named() if has != expected]
    version = versions.get("charts", "version")
    history = changelog.released(changelog.FILE.read_text())
    if history[0] != version:
        differences.append(f"CHANGELOG.md: the newest version is {history[0]}, not {version}")
    # Until it is released, the tests have the one before.
    newest = next(reversed(kept()), "none")
    if newest not in history[:2]:
        differences.append(f"{os.path.relpath(KEPT, ROOT)}: the newest package is {newest}, not {' or '.join(history[:2])}")
    return differences
