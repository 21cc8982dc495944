"""The names of Flink's options, read from its classes, as the templates of charts/flink take them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ci.core import cache, versions
from ci.core.console import CommandFailed, run, say, step
from ci.core.paths import FLINK, ROOT
from ci.images import artifacts, images
from ci.machine import java

_PROGRAM = Path(__file__).with_name("FlinkOptions.java")
_DIRECTORY = FLINK / "files" / "options"
# Old names and parts of sensitive names, which every template asks for, and the names that the notes compare with.
NAMES, KNOWN = _DIRECTORY / "names.json", _DIRECTORY / "known.txt"
# Of no use on Kubernetes, or to nobody but Flink.
_LEFT_OUT = ("yarn.", "$internal.", "python.internal.", "__")

Options = dict[str, list[str]]  # name -> deprecated names, and "*" where free keys can follow


def series() -> dict[str, str]:
    """{"2.2": "2.2.1"}: what the chart calls a version -> the release that is read, the oldest first."""
    releases = sorted(versions.section("flink")["releases"], key=versions.as_tuple)
    return {".".join(release.split(".")[:2]): release for release in releases}


def source() -> str:
    """A hash of all that the files are made from."""
    lock = artifacts.LOCK.read_text()
    files = {release: artifacts.locked(lock, f"flink-{release}") for release in series().values()}
    return cache.key({"files": files, "how": cache.file_hash(_PROGRAM, Path(__file__))})


def parse(text: str) -> tuple[Options, list[str]]:
    """(options, parts of sensitive names) from what the program prints."""
    lines = [line.split() for line in text.splitlines()]
    (sensitive,) = [former for name, *former in lines if name == "sensitive"]
    # Names without a dot belong behind a prefix that users choose.
    options = {name: former for name, *former in lines if "." in name and not name.startswith(_LEFT_OUT)}
    return options, sensitive


def old_names(releases: dict[str, Options]) -> dict[str, dict[str, str]]:
    """{series: {old name: new names, with spaces between}}, those of all series under "all".

    A name that one release has forgotten counts in it as well, where it has the new one.
    """
    everywhere: dict[str, set[str]] = {}
    for options in releases.values():
        for name, former in options.items():
            for old in former:
                if old not in ("*", name):
                    everywhere.setdefault(old, set()).add(name)
    by_version = {
        number: {
            old: " ".join(sorted(current))
            for old, names in everywhere.items()
            # Of a chain the last one; a name that is not old here is none.
            if (current := {name for name in names if name in options and not (everywhere.get(name, set()) & options.keys())})
        }
        for number, options in releases.items()
    }
    first, *others = by_version.values()
    shared = {old: names for old, names in first.items() if all(one.get(old) == names for one in others)}
    own = {number: {old: names for old, names in one.items() if old not in shared} for number, one in by_version.items()}
    return {"all": shared, **own}


def known(releases: dict[str, Options]) -> str:
    """One name a line; with the series if only that one has it, and a star if keys can follow."""
    lines = []
    for name in sorted({name for options in releases.values() for name in options}):
        having = [number for number, options in releases.items() if name in options]
        mark = "" if len(having) == len(releases) else f" {having[0]}"
        star = " *" if any("*" in options.get(name, []) for options in releases.values()) else ""
        lines.append(f"{name}{mark}{star}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write both files again."""
    java.ensure()
    releases: dict[str, Options] = {}
    sensitive: list[str] = []
    for number, release in series().items():
        home = images.context("flink", release) / "flink"
        with step(f"options of Flink {release}"):
            releases[number], parts = parse(run(["java", "-XX:TieredStopAtLevel=1", _PROGRAM, home], timeout=300))
        sensitive += [part for part in parts if part not in sensitive]
    content: dict[str, Any] = {"source": source(), "sensitive": sensitive, "old": old_names(releases)}
    _DIRECTORY.mkdir(exist_ok=True)
    NAMES.write_text(json.dumps(content, indent=0, sort_keys=True, separators=(",", ":")) + "\n")
    KNOWN.write_text(known(releases))
    say(f"written: {NAMES.relative_to(ROOT)} {KNOWN.relative_to(ROOT)}")


def check() -> None:
    """Raises CommandFailed when the files are not those of versions.toml and of the program."""
    if json.loads(NAMES.read_text())["source"] != source():
        raise CommandFailed(f"{NAMES.relative_to(ROOT)} is out of date: run `make options`")
