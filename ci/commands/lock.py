"""Writes the hashes of all downloads, after a change of versions.toml."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from ci.core import versions
from ci.core.console import run, step
from ci.images import artifacts
from ci.machine import venv


def main() -> None:
    """Write ci/locks/ from versions.toml: Python packages, and what goes into the images."""
    named = versions.section("python") | {"confluent-kafka": versions.get("kafka", "confluent-kafka")}
    with step("lock the Python packages"), tempfile.TemporaryDirectory() as directory:
        tool = Path(directory) / "tool"
        venv.create(tool)
        run([tool / "bin" / "pip", "install", "--quiet", f"uv=={versions.get('tools', 'uv')}"])
        locks = {"bench": venv.BENCH_LOCK, "docs": venv.DOCS_LOCK}
        others = {file: versions.section(name)["python"] for name, file in locks.items()}
        for file, packages in {venv.LOCK: named, **others}.items():
            _lock(tool / "bin" / "uv", file, packages)

    artifacts.write_locks()


def _lock(uv: Path, file: Path, packages: Mapping[str, str]) -> None:
    requirements = "".join(f"{name}=={version}\n" for name, version in packages.items())
    options = [
        "--universal",
        f"--python-version={'.'.join(map(str, venv.MINIMUM))}",
        "--generate-hashes",
        "--no-header",
        "--no-annotate",
    ]
    text = run([uv, "pip", "compile", "--quiet", *options, "-"], stdin=requirements, env={"UV_FIND_LINKS": ""})
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"# From versions.toml, by `make lock`.\n{text}")
