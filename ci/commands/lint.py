"""Every check that is not a test. All of them run, and the failed ones are named at the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ci.charts import flink_options
from ci.core.console import CommandFailed, run, say, step
from ci.core.paths import CHARTS, ROOT
from ci.kubernetes import tools
from ci.machine import venv
from ci.release import agreement

GENERATED = ["README.md", "defaults.json", "values.schema.json"]  # of each chart, from its values.yaml


def _files(*patterns: str) -> list[str]:
    """Files of the repository, committed or new, that match git's patterns."""
    listed = run(["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns], cwd=ROOT).splitlines()
    return [name for name in listed if (ROOT / name).is_file()]


def _in_venv(program: str, *arguments: str) -> None:
    run([venv.python().parent / program, *arguments], cwd=ROOT)


def chart_of(values: str) -> Path:
    """The chart that a file in values/ is for: its first comment shows the command."""
    return next(chart for chart in reversed(CHARTS) if f"charts/{chart.name} " in (ROOT / values).read_text())


def helm_lint(helm: str) -> None:
    for chart in CHARTS:
        run([tools.path(helm), "lint", "--strict", "--quiet", chart])
    for values in _files("values/*.yaml"):
        run(
            [
                tools.path(helm),
                "lint",
                "--strict",
                "--quiet",
                chart_of(values),
                "--values",
                ROOT / values,
            ]
        )


def _helm_docs(*arguments: str) -> None:
    run(
        [
            tools.path("helm-docs"),
            "--chart-search-root=charts",
            "--sort-values-order=file",
            "--log-level=error",
            *arguments,
        ],
        cwd=ROOT,
    )


def _of_values() -> None:
    for module in ("ci.charts.schema", "ci.charts.defaults"):
        run([venv.python(), "-m", module], cwd=ROOT)


def dashboards() -> None:
    """Write Grafana's dashboards of the chart."""
    run([venv.python(), "-m", "ci.charts.dashboards"], cwd=ROOT)


def _current(files: list[Path], generate: Callable[[], None]) -> None:
    """Fails where `generate` writes something else into the files than what they hold."""
    before = [file.read_text() if file.exists() else "" for file in files]
    generate()
    stale = [str(file.relative_to(ROOT)) for file, text in zip(files, before, strict=True) if file.read_text() != text]
    if stale:
        raise CommandFailed(f"was out of date, is now up to date, and has to be committed: {' '.join(stale)}")


def _docs_are_current() -> None:
    def generate() -> None:
        _helm_docs()
        _of_values()

    _current([chart / name for chart in CHARTS for name in GENERATED], generate)


def _text_files() -> None:
    def wrong(name: str) -> bool:
        data = (ROOT / name).read_bytes()
        return bool(data) and b"\0" not in data and (not data.endswith(b"\n") or data.endswith(b"\n\n"))

    if names := [name for name in _files() if wrong(name)]:
        raise CommandFailed(f"these do not end with one newline: {' '.join(names)}")


def _short_lines() -> None:
    """Templates are read beside each other: 120 columns."""
    names = [name for name in _files("charts/*") if "/templates/" in name]
    long = [
        f"{name}:{number}"
        for name in names
        for number, line in enumerate((ROOT / name).read_text().splitlines(), 1)
        if len(line) > 120
    ]
    if long:
        raise CommandFailed(f"longer than 120 columns: {' '.join(long)}")


def _versions_agree() -> None:
    if problems := agreement.problems():
        raise CommandFailed("\n".join(problems))


def checks() -> dict[str, Callable[[], None]]:
    return {
        "ruff format": lambda: _in_venv("ruff", "format", "--check", "--quiet", *_files("*.py")),
        "ruff": lambda: _in_venv("ruff", "check", "--quiet", *_files("*.py")),
        "mypy": lambda: _in_venv("mypy", *_files("*.py")),
        "yamllint": lambda: _in_venv("yamllint", "--strict", *[f for f in _files("*.yaml", "*.yml") if "/templates/" not in f]),
        "shellcheck": lambda: _in_venv("shellcheck", "--external-sources", "--source-path=SCRIPTDIR", *_files("*.sh", ".ci/run")),
        "helm lint": lambda: helm_lint("helm"),
        "helm 3 lint": lambda: helm_lint("helm3"),
        "version of the charts": _versions_agree,
        "tables of values": _docs_are_current,
        "dashboards": lambda: _current([ROOT / name for name in _files("charts/flink/files/dashboards/*")], dashboards),
        "names of Flink's options": flink_options.check,
        "ends of files": _text_files,
        "lines of templates": _short_lines,
    }


def main() -> int:
    failed = []
    for name, check in checks().items():
        try:
            with step(name):
                check()
        except CommandFailed as error:
            say(str(error))
            failed.append(name)
    say(f"failed: {', '.join(failed)}" if failed else "every check passed")
    return 1 if failed else 0


def fmt() -> None:
    _in_venv("ruff", "format", *_files("*.py"))
    _in_venv("ruff", "check", "--fix", *_files("*.py"))


def docs() -> None:
    """Write the tables of values into the charts' READMEs, what templates fall back on, and what editors show of the schema."""
    _helm_docs()
    _of_values()
    say(f"written: {', '.join(GENERATED)} of " + " ".join(str(chart.relative_to(ROOT)) for chart in CHARTS))
