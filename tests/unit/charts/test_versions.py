"""Charts are read without versions.toml: what they repeat of it has to be the same.

Who names the version of the charts is in tests/unit/ci/test_release.py."""

from __future__ import annotations

from typing import Any

import yaml

from ci.core import versions
from ci.core.paths import DOCS, FLINK, JOBS, ROOT
from harness.manifests import render

VERSIONS = versions.load()
VERSION = VERSIONS["flink"]["default"]


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text())


def test_flink() -> None:
    assert read("charts/flink-kafka-demo/values.yaml")["flink"]["image"]["tag"] == VERSION
    assert read("values/job-python.yaml")["image"]["tag"] == VERSION
    assert read("values/session-jobs.yaml")["image"]["tag"] == VERSION
    assert VERSION in VERSIONS["flink"]["releases"]


def test_maven() -> None:
    java = VERSIONS["java"]
    flink = f"<flink.version>{VERSION}</flink.version>"
    texts = {project: (JOBS / project / "pom.xml").read_text() for project in ("high-speed", "checked-json")}
    assert [project for project, text in texts.items() if flink not in text] == []
    assert f"<junit.version>{java['junit']}</junit.version>" in texts["checked-json"]
    assert (
        f"<artifactId>maven-surefire-plugin</artifactId>\n        <version>{java['surefire']}</version>" in texts["checked-json"]
    )
    # One release of JUnit: 5.x of Jupiter has 1.x of the platform.
    assert java["junit-console"].partition(".")[2] == java["junit"].partition(".")[2]


def test_the_images_of_the_demo() -> None:
    values = read("charts/flink-kafka-demo/values.yaml")
    assert values["kafka"]["image"] == f"apache/kafka:{VERSIONS['kafka']['version']}"
    assert values["global"]["tools"]["image"] == f"kdv-tools:{VERSIONS['images']['kdv-tools']}"


def test_the_image_of_the_hooks() -> None:
    python = f"python:{VERSIONS['images']['python']}-slim-{VERSIONS['images']['debian']}"
    for job in render(FLINK).by("Job"):
        assert job["spec"]["template"]["spec"]["containers"][0]["image"] == python


def test_a_page_names_the_images_that_are_built() -> None:
    text = (DOCS / "image.md").read_text()
    names = [f"flink-kdv:{release}" for release in VERSIONS["flink"]["releases"]]
    names += [f"apache/kafka:{VERSIONS['kafka']['version']}", f"kdv-tools:{VERSIONS['images']['kdv-tools']}"]
    assert [name for name in names if f"`{name}`" not in text] == []
