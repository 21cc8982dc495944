"""Python environments with exactly the packages of a lock: .build/venv for tests and linters, one in the cache for the bench."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ci import cache, debian, versions
from ci.console import die, run, step, works
from ci.paths import BUILD, ROOT

FOLDER = BUILD / "venv"
LOCK = ROOT / "ci" / "locks" / "python.txt"
BENCH_LOCK = ROOT / "ci" / "locks" / "bench.txt"
_MINIMUM = (3, 11)


def _create(folder: Path) -> None:
    if sys.version_info < _MINIMUM:
        die(f"Python {sys.version.split()[0]} is too old: run this with python3.{_MINIMUM[1]} or newer.")
    if not works([sys.executable, "-c", "import ensurepip"]):
        debian.provide({"python3-ensurepip": "python3-venv"}, "the Python environment of the tests")
    run([sys.executable, "-m", "venv", folder])


def _install(folder: Path, lock: Path) -> None:
    _create(folder)
    pip: list[str | Path] = [folder / "bin" / "python", "-m", "pip"]
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

    def build(folder: Path) -> None:
        with step("Python packages of the bench"):
            _install(folder, BENCH_LOCK)

    return cache.entry("bench-venv", {"lock": cache.file_hash(BENCH_LOCK), "python": sys.version}, build) / "bin" / "python"


def ensure() -> None:
    python()


def lock() -> None:
    """Write ci/locks/ anew from versions.toml: Python packages, and what goes into the images."""
    named = versions.section("python") | {"confluent-kafka": versions.get("kafka", "confluent-kafka")}
    with step("lock the Python packages"), tempfile.TemporaryDirectory() as folder:
        tool = Path(folder) / "tool"
        _create(tool)
        run([tool / "bin" / "pip", "install", "--quiet", f"uv=={versions.get('tools', 'uv')}"])
        for file, packages in ((LOCK, named), (BENCH_LOCK, versions.section("bench")["python"])):
            _lock(tool / "bin" / "uv", file, packages)

    from ci import artifacts

    artifacts.write_locks()


def _lock(uv: Path, file: Path, packages: Mapping[str, str]) -> None:
    wanted = "".join(f"{name}=={version}\n" for name, version in packages.items())
    options = [
        "--universal",
        f"--python-version={'.'.join(map(str, _MINIMUM))}",
        "--generate-hashes",
        "--no-header",
        "--no-annotate",
    ]
    text = run([uv, "pip", "compile", "--quiet", *options, "-"], stdin=wanted, env={"UV_FIND_LINKS": ""})
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"# From versions.toml, by `make lock`.\n{text}")
