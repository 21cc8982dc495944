"""Jars compiled from sources of ours."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from ci.core import cache, versions
from ci.core.console import run, step
from ci.machine import debian

_RELEASE = "11"  # the oldest Java that a supported Flink (1.20) runs on
_LINTS = "all,-path"  # the manifests of published jars name neighbours that are not there
_FIRST_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a jar can hold, for every file: the same input gives the same bytes


def ensure() -> None:
    """Make `java` and `javac` answer."""
    package = f"openjdk-{versions.get('images', 'java')}-jdk-headless"
    debian.provide({"java": package, "javac": package}, "Flink, Kafka and the Java classes of the jobs")


def _compile(sources: Sequence[Path], classpath: Sequence[Path], target: Path) -> None:
    """Leave the class files of `sources` in the directory `target`. Raises CommandFailed with the output of javac."""
    jars = [str(jar) for folder in classpath for jar in sorted(folder.rglob("*.jar"))]
    options = ["--release", _RELEASE, "-proc:none", f"-Xlint:{_LINTS}", "-Werror", "-encoding", "UTF-8"]
    files = sorted(file for directory in sources for file in directory.rglob("*.java"))
    run(["javac", *options, "-d", target, "-cp", ":".join(jars), *files])


def module(project: Path, part: str) -> list[Path]:
    """The sources and resources of a Maven module's `part`, main or test."""
    directories = [project / "src" / part / kind for kind in ("java", "resources")]
    return [directory for directory in directories if directory.is_dir()]


def pack(directories: Sequence[Path], jar: Path) -> None:
    """Write all files of the directories but Java sources into a jar; equal files give equal bytes."""
    entries = {
        file.relative_to(directory).as_posix(): file
        for directory in directories
        for file in directory.rglob("*")
        if file.is_file() and file.suffix != ".java"
    }
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(name: str, content: bytes) -> None:
            info = zipfile.ZipInfo(name, _FIRST_DATE)
            info.external_attr = 0o644 << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)

        manifest = "META-INF/MANIFEST.MF"  # readers expect it first
        add(manifest, entries.pop(manifest).read_bytes() if manifest in entries else b"Manifest-Version: 1.0\n\n")
        for name, file in sorted(entries.items()):
            add(name, file.read_bytes())


def java_jar(sources: Sequence[Path], classpath: Sequence[Path], name: str) -> Path:
    """The jar <name>.jar of directories of Java sources and resources, compiled against the jars in the directories `classpath`.

    Built once for the same input. Raises CommandFailed with the output of javac; a warning is an error too.
    """
    ensure()
    inputs = {
        "name": name,
        "sources": cache.file_hash(*sources),
        "classpath": [cache.file_hash(folder) for folder in classpath],
        "javac": run(["javac", "-version"]),
        "how": cache.file_hash(Path(__file__)),
    }

    def build(folder: Path) -> None:
        with step(f"javac {name}"), tempfile.TemporaryDirectory() as work:
            _compile(sources, classpath, Path(work))
            pack([*sources, Path(work)], folder / f"{name}.jar")

    return cache.entry("jars", inputs, build) / f"{name}.jar"
