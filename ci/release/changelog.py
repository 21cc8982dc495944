"""Reads CHANGELOG.md: a heading of the second level for each version, newest first, below them headings, paragraphs and lists."""

from __future__ import annotations

import re

from ci.core.paths import ROOT

FILE = ROOT / "CHANGELOG.md"
UNRELEASED = "Unreleased"


def sections(text: str) -> dict[str, str]:
    """What stands below each heading of a version, in the order of the file."""
    parts = (part.partition("\n") for part in text.split("\n## ")[1:])
    return {version.strip(): body.strip() for version, _, body in parts}


def released(text: str) -> list[str]:
    """The versions, newest first."""
    return [version for version in sections(text) if version != UNRELEASED]


def changes(text: str, version: str) -> list[str]:
    """Each paragraph and each item of a version's section as one line behind its heading, with the text of links alone: their
    targets are files of the repository. Raises KeyError where the version has no section."""
    changes, heading = [], ""
    for block in re.split(r"\n(?=- )|\n\s*\n", sections(text)[version]):
        line = re.sub(r"\s+", " ", block.strip().removeprefix("- "))
        if line.startswith("#"):
            heading = f"{line.lstrip('# ')}: "
        elif line:
            changes.append(heading + re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", line))
    return changes
