"""The Python packages of tests and linters in .build/venv, exactly those of ci/locks/python.txt."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from ci import cache, debian, versions
from ci.console import die, run, step, works
from ci.versions import BUILD, REPO

FOLDER = BUILD / "venv"
LOCK = REPO / "ci" / "locks" / "python.txt"
_MINIMUM = (3, 11)


def _create(folder: Path) -> None:
    if sys.version_info < _MINIMUM:
        die(f"Python {sys.version.split()[0]} is too old: run this with python3.{_MINIMUM[1]} or newer.")
    if not works([sys.executable, "-c", "import ensurepip"]):
        debian.provide({"python3-ensurepip": "python3-venv"}, "the Python environment of the tests")
    run([sys.executable, "-m", "venv", folder])


def python() -> Path:
    """The interpreter of .build/venv, which has every package of the lock after this."""
    stamp = FOLDER / "complete"
    key = cache.key({"lock": cache.file_hash(LOCK), "python": sys.version})
    if not stamp.exists() or stamp.read_text() != key:
        with step("Python packages"):
            shutil.rmtree(FOLDER, ignore_errors=True)
            _create(FOLDER)
            run(
                [
                    FOLDER / "bin" / "pip",
                    "install",
                    "--quiet",
                    "--require-hashes",
                    "--only-binary=:all:",
                    "--requirement",
                    LOCK,
                ]
            )
            stamp.write_text(key)  # last: a broken-off install is not taken for a whole one
    return FOLDER / "bin" / "python"


def ensure() -> None:
    python()


def lock() -> None:
    """Write ci/locks/ anew from versions.toml: Python packages, and what goes into the images."""
    named = versions.section("python") | {"confluent-kafka": versions.get("kafka", "confluent-kafka")}
    wanted = "".join(f"{name}=={version}\n" for name, version in named.items())
    with step("lock the Python packages"), tempfile.TemporaryDirectory() as folder:
        tool = Path(folder) / "tool"
        _create(tool)
        run([tool / "bin" / "pip", "install", "--quiet", f"uv=={versions.get('tools', 'uv')}"])
        options = [
            "--universal",
            f"--python-version={'.'.join(map(str, _MINIMUM))}",
            "--generate-hashes",
            "--no-header",
            "--no-annotate",
        ]
        text = run([tool / "bin" / "uv", "pip", "compile", "--quiet", *options, "-"], stdin=wanted, env={"UV_FIND_LINKS": ""})
    LOCK.parent.mkdir(exist_ok=True)
    LOCK.write_text(f"# From versions.toml, by `make lock`.\n{text}")

    from ci import artifacts

    artifacts.write_locks()
