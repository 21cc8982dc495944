"""Python environments with exactly the packages of a lock: .build/venv for tests and linters, one in the cache for the bench."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from ci.core import cache
from ci.core.console import die, run, step, works
from ci.core.paths import BUILD, LOCKS
from ci.machine import debian

FOLDER = BUILD / "venv"
LOCK = LOCKS / "python.txt"
BENCH_LOCK = LOCKS / "bench.txt"
DOCS_LOCK = LOCKS / "docs.txt"
MINIMUM = (3, 11)


def create(directory: Path) -> None:
    if sys.version_info < MINIMUM:
        die(f"Python {sys.version.split()[0]} is too old: run this with python3.{MINIMUM[1]} or newer.")
    if not works([sys.executable, "-c", "import ensurepip"]):
        debian.provide({"python3-ensurepip": "python3-venv"}, "the Python environment of the tests")
    run([sys.executable, "-m", "venv", directory])


def _install(directory: Path, lock: Path) -> None:
    create(directory)
    pip: list[str | Path] = [directory / "bin" / "python", "-m", "pip"]
    run([*pip, "install", "--quiet", "--require-hashes", "--only-binary=:all:", "--requirement", lock])


def python() -> Path:
    """The interpreter of .build/venv, which has every package of the lock after this."""
    stamp = FOLDER / "complete"
    key = cache.key({"lock": cache.file_hash(LOCK), "python": sys.version})
    if not stamp.exists() or stamp.read_text() != key:
        with step("Python packages"):
            shutil.rmtree(FOLDER, ignore_errors=True)
            _install(FOLDER, LOCK)
            stamp.write_text(key)  # last: a broken-off install is not taken for a whole one
    return FOLDER / "bin" / "python"


def bench_python() -> Path:
    """The interpreter that has the packages which bench/kdv measures."""
    return _python_of("bench", BENCH_LOCK)


def docs_python() -> Path:
    """The interpreter that has what builds the documentation as a site."""
    return _python_of("docs", DOCS_LOCK)


def _python_of(name: str, lock: Path) -> Path:
    def build(directory: Path) -> None:
        with step(f"Python packages of {name}"):
            _install(directory, lock)

    return cache.entry(f"{name}-venv", {"lock": cache.file_hash(lock), "python": sys.version}, build) / "bin" / "python"


def ensure() -> None:
    python()
