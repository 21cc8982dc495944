"""The JUnit tests of jobs/checked-json, with the jar that the images have, against each version of Flink."""

from __future__ import annotations

import subprocess

import pytest

from ci.core.paths import JOBS
from ci.images import artifacts, images
from ci.machine import java
from tests.local.kdv import VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_the_format_and_the_operators(version: str) -> None:
    (own,) = images.own_jars(version)
    flink = images.context("flink", version) / "flink" / "lib"
    directories = [own.parent, flink, artifacts.fetch(f"harness-{version}"), artifacts.fetch("junit")]
    tests = java.java_jar(java.module(JOBS / "checked-json", "test"), directories, "checked-json-tests")
    jars = ":".join(str(jar) for directory in directories for jar in sorted(directory.glob("*.jar")))
    launcher = ["java", "-Xmx512m", "-cp", f"{tests}:{jars}", "org.junit.platform.console.ConsoleLauncher", "execute"]
    options = [
        f"--scan-classpath={tests}",
        "--fail-if-no-tests",
        "--disable-banner",
        "--disable-ansi-colors",
        "--details=summary",
    ]
    done = subprocess.run([*launcher, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-20_000:]
