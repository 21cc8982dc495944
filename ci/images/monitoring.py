"""Prometheus and Alertmanager out of Debian's packages: promtool for the rules' own tests, and what the image of tests holds."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from ci.core import cache, versions
from ci.core.console import run, step
from ci.images import artifacts

IMAGE = f"monitoring:{versions.section('monitoring')['debian']['prometheus'].partition('+')[0]}"
# What is taken of the packages, and what it is called. Without its texts for people an Alertmanager does not start.
_TAKEN = {
    "usr/bin/prometheus": "prometheus",
    "usr/bin/promtool": "promtool",
    "usr/bin/prometheus-alertmanager": "alertmanager",
    "usr/share/prometheus/alertmanager/default.tmpl": "default.tmpl",
    "usr/share/prometheus/alertmanager/email.tmpl": "email.tmpl",
}


def programs() -> Path:
    """The folder of prometheus, promtool and alertmanager, which need nothing but a C library, and templates."""
    packages = artifacts.fetch("monitoring")

    def build(folder: Path) -> None:
        with step("unpack monitoring"), tempfile.TemporaryDirectory() as work:
            for package in packages.iterdir():
                run(["dpkg-deb", "--extract", package, work])
            for path, name in _TAKEN.items():
                shutil.copy2(Path(work) / path, folder / name)

    return cache.entry("monitoring", {"packages": packages.name, "taken": _TAKEN}, build)
