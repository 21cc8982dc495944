"""Prometheus and Alertmanager out of Debian's packages: promtool for the rules' own tests, and what the image of tests holds."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from ci.core import cache
from ci.core.console import run, step
from ci.images import artifacts

_PROGRAMS = {"prometheus": "prometheus", "promtool": "promtool", "prometheus-alertmanager": "alertmanager"}


def programs() -> Path:
    """The folder of prometheus, promtool and alertmanager, which need nothing but a C library."""
    packages = artifacts.fetch("monitoring")

    def build(folder: Path) -> None:
        with step("unpack monitoring"), tempfile.TemporaryDirectory() as work:
            for package in packages.iterdir():
                run(["dpkg-deb", "--extract", package, work])
            for name, program in _PROGRAMS.items():
                shutil.copy2(Path(work) / "usr" / "bin" / name, folder / program)

    return cache.entry("monitoring", {"packages": packages.name, "programs": _PROGRAMS}, build)
