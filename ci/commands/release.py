"""make release: both charts, signed, and our images into a registry."""

from __future__ import annotations

import argparse
import shutil

from ci.commands import lint
from ci.core import versions
from ci.core.console import die, run, say, step
from ci.core.paths import BUILD, DEMO, ROOT
from ci.release import agreement, changelog, charts, images


def refusals(changelog_text: str, changed_files: str) -> list[str]:
    """Why this tree is no release: sentences. `changed_files` is what `git status --porcelain` says."""
    problems = agreement.problems()
    if changelog.sections(changelog_text).get(changelog.UNRELEASED):
        problems.append(f"CHANGELOG.md has changes below {changelog.UNRELEASED}: give them a version, in versions.toml too")
    if changed_files:
        problems.append(f"not committed, so nobody could tell what was released:\n{changed_files.rstrip()}")
    return problems


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="make release", description="Both charts, signed, and our images into a registry.")
    parser.add_argument("registry", help="where to, for example registry.example.com/flink; `docker login` has the password")
    parser.add_argument("--without-images", action="store_true", help="the charts alone")
    options = parser.parse_args(arguments)
    signer = charts.key()
    if problems := refusals(changelog.FILE.read_text(), run(["git", "status", "--porcelain"], cwd=ROOT)):
        die("\n".join(["this is no release:", *problems]))
    charts.refuse_what_is_there(options.registry)
    version = versions.get("charts", "version")
    directory = BUILD / "release" / version
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    with step("helm lint --strict, with both Helms"):
        for helm in ("helm", "helm3"):
            lint.helm_lint(helm)
    with step("package and sign"):
        packages = charts.package(directory, signer)
    if not options.without_images:  # before the charts, which name them
        images.push_all(options.registry, directory)
    with step("push the charts"):
        charts.push(packages, options.registry)
    shutil.copy2(directory / f"{DEMO.name}-{version}.tgz", agreement.KEPT)
    kept = agreement.KEPT.relative_to(ROOT)
    say(f"{directory.relative_to(ROOT)} holds what was pushed; commit {kept}, which tests upgrade from")
