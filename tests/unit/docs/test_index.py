"""docs/README.md, from which the site takes its navigation, names every page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ci.commands import site


def test_every_page_is_in_the_navigation() -> None:
    def named(entry: Any) -> set[Path]:
        """The pages of an entry: a path, a list of entries, or a heading with what is below it."""
        if isinstance(entry, str):
            return {Path(entry)}
        return set().union(*map(named, entry.values() if isinstance(entry, dict) else entry))

    assert named(site.navigation()) == set(site.pages())


def test_a_page_brings_what_it_shows_and_links_to() -> None:
    assert {Path("docs/pictures/overview.svg"), Path("values/session.yaml"), Path("LICENSE")} <= site.linked(Path("README.md"))
