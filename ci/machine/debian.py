"""Debian packages, for a machine where we may install them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from ci.core.console import die, run, step


def release() -> str:
    """The codename, for example "bookworm"; empty where the machine is not Debian."""
    file = Path("/etc/os-release")
    lines = file.read_text().splitlines() if file.exists() else []
    facts = {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)}
    return facts.get("VERSION_CODENAME", "") if facts.get("ID") == "debian" else ""


def update() -> None:
    """Read anew what the archive holds."""
    if not release():
        die("Debian's packages are fetched with apt: run this on Debian.")
    run(["apt-get", "update", "-qq"])


def provide(programs: Mapping[str, str], purpose: str) -> None:
    """Install the packages of those `programs` {program: package} that are missing; die where we may not."""
    search = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = {name: package for name, package in programs.items() if not shutil.which(name, path=search)}
    if not missing:
        return
    if not release() or os.geteuid() != 0:
        die(f"{', '.join(missing)} missing, needed for {purpose}: install it, or run this as root on Debian.")
    packages = sorted(set(missing.values()))
    with step(f"apt-get install {' '.join(packages)}"):
        update()
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
        run(command, env={"DEBIAN_FRONTEND": "noninteractive"})
