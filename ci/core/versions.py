"""Reads versions.toml, the one file that holds every version."""

from __future__ import annotations

import functools
import tomllib
from typing import Any

from ci.core.paths import ROOT


@functools.cache
def load() -> dict[str, dict[str, Any]]:
    """Every section of versions.toml."""
    return tomllib.loads((ROOT / "versions.toml").read_text())


def section(name: str) -> dict[str, Any]:
    return load()[name]


def get(section_name: str, key: str) -> str:
    """One version, for example get("tools", "helm") -> "4.3.1"."""
    return str(section(section_name)[key])


def as_tuple(version: str) -> tuple[int, ...]:
    """ "v1.35.4" -> (1, 35, 4); what follows a "-" or "+" does not count."""
    return tuple(int(part) for part in version.lstrip("v").split("+")[0].split("-")[0].split("."))
