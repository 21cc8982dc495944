"""make docs-site: the pages of the repository as a site in .build/site/html, with every link and anchor checked.

Pages keep the paths that they have in the repository, so that a link that works in one place works in the other.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

from ci.core.console import run, say, step
from ci.core.paths import BUILD, ROOT
from ci.machine import venv

SITE = BUILD / "site"
_INDEX = Path("docs/README.md")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)#\s]+)[^)]*\)")


def pages() -> list[Path]:
    """The Markdown files of the repository, committed or new, that are for readers."""
    listed = run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=ROOT).splitlines()
    return [Path(name) for name in listed if not name.startswith((".github/", "tests/")) and (ROOT / name).is_file()]


def linked(page: Path) -> set[Path]:
    """The files of the repository that a page links to or shows, other than pages."""
    targets = (os.path.normpath(page.parent / target) for _, target in _LINK.findall((ROOT / page).read_text()))
    return {Path(name) for name in targets if not name.endswith(".md") and (ROOT / name).is_file()}


def _listed(text: str) -> list[tuple[str, str]]:
    """(name, target) of the link that each item of a list begins with."""
    return re.findall(r"(?m)^- \[([^\]]+)\]\(([^)#\s]+)\)", text)


def navigation() -> list[dict[str, object]]:
    """The groups of docs/README.md as MkDocs wants them: a heading for each, and the pages of its list. A page that lists others,
    as that of the decisions does, is a group of its own."""

    def entry(name: str, page: Path) -> dict[str, object]:
        below = _listed((ROOT / page).read_text()) if page.name == "README.md" else []
        pages = [{one: os.path.normpath(page.parent / target)} for one, target in below]
        return {name: [str(page), *pages] if pages else str(page)}

    groups: list[dict[str, object]] = [{"Home": [{"Overview": "README.md"}, {"All pages": str(_INDEX)}]}]
    for group in (ROOT / _INDEX).read_text().split("\n## ")[1:]:
        title, _, text = group.partition("\n")
        links = _listed(text)
        groups.append({title: [entry(name, Path(os.path.normpath(_INDEX.parent / target))) for name, target in links]})
    return groups


def main() -> None:
    """Raises CommandFailed where a page links to what is not there, or stands in no group of docs/README.md."""
    with step("site"):
        shutil.rmtree(SITE, ignore_errors=True)
        listed = pages()
        css = {Path("docs/pictures/site.css")}
        for file in {*listed, *css}.union(*map(linked, listed)):
            (SITE / "pages" / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, SITE / "pages" / file)
        config = {"INHERIT": str(ROOT / "mkdocs.yml"), "docs_dir": "pages", "site_dir": "html", "nav": navigation()}
        (SITE / "mkdocs.yml").write_text(json.dumps(config, indent=1))  # JSON is YAML
        run([venv.docs_python(), "-m", "mkdocs", "build", "--strict", "--quiet", "--config-file", SITE / "mkdocs.yml"])
    say(f"open {SITE / 'html' / 'index.html'}")
