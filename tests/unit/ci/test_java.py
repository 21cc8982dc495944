"""A jar depends on what is in its files alone."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from ci.machine import java


def directory(path: Path, files: dict[str, str], time: int) -> Path:
    for name, text in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        os.utime(file, (time, time))
    return path


def test_equal_files_give_equal_bytes(tmp_path: Path) -> None:
    files = {"b/B.class": "b", "A.class": "a", "META-INF/services/x.Factory": "b.B\n"}
    for number, order in enumerate([files, dict(reversed(files.items()))]):
        java.pack([directory(tmp_path / str(number), order, time=10**9 * number)], tmp_path / f"{number}.jar")
    assert (tmp_path / "0.jar").read_bytes() == (tmp_path / "1.jar").read_bytes()


def test_a_jar_holds_classes_and_resources_but_no_sources(tmp_path: Path) -> None:
    sources = directory(tmp_path / "src", {"b/B.java": "class B {}", "META-INF/services/x.Factory": "b.B\n"}, time=0)
    classes = directory(tmp_path / "classes", {"b/B.class": "b"}, time=0)
    java.pack([sources, classes], tmp_path / "b.jar")
    with zipfile.ZipFile(tmp_path / "b.jar") as jar:
        assert jar.namelist() == ["META-INF/MANIFEST.MF", "META-INF/services/x.Factory", "b/B.class"]
        assert jar.read("META-INF/services/x.Factory") == b"b.B\n"
