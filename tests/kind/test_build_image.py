"""Images that `make image` builds, each with a job that a cluster then runs."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from ci.core.paths import ROOT
from ci.images import images
from harness.cluster import Cluster
from harness.waits import wait_for
from harness_kdv.tools import tools
from tests.kind.installs import NEW, OLD, Install

WINDOW, LIMIT = 5, 120


def build(job: str, tag: str, *options: str) -> dict[str, Any]:
    """Build and load an image; the values with which the job in it is installed."""
    command = [sys.executable, "-m", "ci", "image", f"--job={ROOT / 'jobs' / job}", f"--name={job}", f"--tag={tag}", "--load"]
    built = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=580)
    assert built.returncode == 0, built.stdout + built.stderr
    assert f"--set flink.type=job,image.repository={job},image.tag={tag},job." in built.stdout
    return {"flink": {"type": "job"}, "image": {"repository": job, "tag": tag}}


def distribution(directory: Path) -> Path:
    """An archive such as Flink publishes, of the files that our images have."""
    files = images.context("flink", NEW)
    home = directory / f"flink-{NEW}"
    shutil.copytree(files / "flink", home)
    (home / "opt" / "python").mkdir()
    shutil.make_archive(str(home / "opt" / "python" / "pyflink"), "zip", files / "python", "pyflink")
    with tarfile.open(directory / "flink.tgz", "w:gz", compresslevel=1) as archive:
        archive.add(home, home.name)
    return directory / "flink.tgz"


def readings() -> list[tuple[str, int]]:
    chance = random.Random(7)
    return [(f"34-ABC-{chance.randrange(5)}", chance.randrange(60, 180)) for _ in range(500)]


def fast(lines: list[tuple[str, int]]) -> list[str]:
    """The windows whose mean is above the limit, computed by hand."""
    rows = []
    for car in {car for car, _ in lines}:
        speeds = [speed for one, speed in lines if one == car]
        for start in range(0, len(speeds) - WINDOW + 1, WINDOW):
            total = sum(speeds[start : start + WINDOW])
            if total > LIMIT * WINDOW:
                rows.append(f"{car},{total / WINDOW:.1f}")
    return sorted(rows)


@pytest.mark.parametrize(
    ("dist", "version"),
    [
        ("release", OLD),
        pytest.param("release", NEW, marks=pytest.mark.full),
        pytest.param("archive", NEW, marks=pytest.mark.full),
    ],
)
def test_a_maven_project_reads_a_socket(
    install: Install, cluster: Cluster, namespace: str, tmp_path: Path, dist: str, version: str
) -> None:
    tag = f"{dist}-{version}"
    flink_arguments = [f"--flink={version}"]
    if dist == "archive":
        flink_arguments = ["--flink-dist=archive", f"--flink={distribution(tmp_path)}", f"--flink-version={version}"]
    values = build("high-speed", tag, *flink_arguments)
    lines = readings()
    host = tools(cluster, namespace).line_server("cars", 9000, [f"{car},{speed}" for car, speed in lines])
    args = [f"--host={host}", "--port=9000", f"--window={WINDOW}", f"--limit={LIMIT}"]
    job = {"jar": {"file": "/opt/flink/usrlib/high-speed-1.0.jar"}, "args": args}
    flink = install(f"cars-{dist}-{version[0]}", values={**values, "job": job})
    flink.rest.wait_running("high-speed")
    expected = fast(lines)
    assert expected

    def flagged() -> list[str]:
        (pod,) = cluster.pods(namespace, flink.selector("taskmanager"))
        log = cluster.log(namespace, pod.metadata.name, container="taskmanager")
        return sorted(re.findall(r"^fast> (\S+)$", log, re.MULTILINE))

    wait_for(lambda: len(flagged()) >= len(expected), timeout=60, what="the fast cars")
    assert flagged() == expected


def test_a_python_project_brings_its_modules_and_packages(install: Install) -> None:
    values = build("stems", "release")
    text = "A runner runs, and running he ran after the cats: a cat runs too"
    flink = install("stems", values={**values, "job": {"args": [f"--text={text}"]}})
    (job,) = wait_for(flink.rest.jobs, timeout=60, what="the job to be there")
    flink.rest.wait_finished(job["jid"])
    counted = flink.jobmanager(["bash", "-c", "cat $(find /flink-data/stems -type f)"]).split()
    expected = {"a": 2, "runner": 1, "run": 3, "and": 1, "he": 1, "ran": 1, "after": 1, "the": 1, "cat": 2, "too": 1}
    assert sorted(counted) == sorted(f"{stem},{count}" for stem, count in expected.items())
