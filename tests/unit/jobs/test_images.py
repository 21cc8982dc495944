"""What goes into the images: every download is pinned by its hash, and the images are complete."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from ci.core import versions
from ci.core.console import CommandFailed
from ci.core.paths import DEMO, DOCS, IMAGES
from ci.images import artifacts, bases, images, monitoring
from ci.kubernetes import cluster
from harness.manifests import pod_template, render

FILE = "one.jar"


@pytest.mark.parametrize("name", sorted(artifacts.sets()))
def test_every_set_is_locked(name: str) -> None:
    files = artifacts.locked(artifacts.LOCK.read_text(), name)
    assert files
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in files.values())


def test_the_lock_holds_nothing_else() -> None:
    assert {line.split("  ")[1].split("/")[0] for line in artifacts.LOCK.read_text().splitlines()} == set(artifacts.sets())


def test_the_lock_belongs_to_the_versions() -> None:
    lock = artifacts.LOCK.read_text()
    for version, release in versions.section("flink")["releases"].items():
        assert any(f"-{version}" in name for name in artifacts.locked(lock, f"flink-{version}"))
        assert any(f"-{version}-" in name for name in artifacts.locked(lock, f"pyflink-{version}"))
        assert any(release["kafka-connector"] in name for name in artifacts.locked(lock, f"connector-{version}"))
        assert list(artifacts.locked(lock, f"s3-{version}")) == [f"flink-s3-fs-hadoop-{release['s3']}.jar"]
        assert list(artifacts.locked(lock, f"gcs-{version}")) == [f"flink-gs-fs-hadoop-{release['gcs']}.jar"]
    assert f"kafka-clients-{versions.get('kafka', 'version')}.jar" in artifacts.locked(lock, "kafka")


class Mirror:
    """Serves one file with a given content."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def fetch(self, folder: Path) -> None:
        (folder / FILE).write_bytes(self.content)


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "lock.txt"
    file.write_text(f"{hashlib.sha256(b'right').hexdigest()}  thing/{FILE}\n")
    monkeypatch.setenv("FLINK_HELM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(artifacts, "LOCK", file)
    monkeypatch.setattr(artifacts, "ROOT", tmp_path)
    return file


def serve(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(artifacts, "sets", lambda: {"thing": Mirror(content)})


@pytest.mark.usefixtures("lock")
def test_a_download_that_differs_from_the_lock_is_refused_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, b"wrong")
    with pytest.raises(CommandFailed, match=f"{FILE} of thing is not what lock.txt says"):
        artifacts.fetch("thing")
    serve(monkeypatch, b"right")
    assert (artifacts.fetch("thing") / FILE).read_bytes() == b"right"


@pytest.mark.usefixtures("lock")
def test_what_was_fetched_is_not_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, b"right")
    folder = artifacts.fetch("thing")
    serve(monkeypatch, b"gone")
    assert artifacts.fetch("thing") == folder


def test_write_locks_makes_what_fetch_accepts(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, b"newer")
    artifacts.write_locks()
    assert (artifacts.fetch("thing") / FILE).read_bytes() == b"newer"
    assert lock.read_text().endswith(f"  thing/{FILE}\n")


@pytest.mark.parametrize("mode", ["registry", "build"])
def test_the_charts_default_images_are_ours_only_where_no_registry_answers(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "registry_answers", lambda: mode == "registry")
    names = set(images.for_cluster(tests=False))
    store = f"versity/versitygw:v{versions.get('versitygw', 'version')}"
    hadoop = f"hadoop:{versions.get('hadoop', 'version')}"
    assert set(images.for_cluster(tests=True)) - names == {monitoring.IMAGE, hadoop, *([] if mode == "registry" else [store])}
    assert store in re.findall(r"image: (\S+)", (DOCS / "versitygw.yaml").read_text())
    releases = versions.section("flink")["releases"]
    own = {f"flink-kdv:{version}{suffix}" for version in releases for suffix in ("", "-s3", "-hdfs")}
    own |= {f"kdv-tools:{versions.get('images', 'kdv-tools')}"}
    stand_ins = {f"flink:{version}-java17" for version in releases}
    stand_ins |= {f"apache/kafka:{versions.get('kafka', 'version')}", "python:3.11-slim-bookworm"}
    assert names == (own if mode == "registry" else own | stand_ins)


STAND_INS = ("published-flink", "published-python", "kafka", "versitygw", "oauth2-proxy", "program", "keda")


# A runtime, the system of a node, and a job in an image with Flink are none that a pod's user is named in.
OURS = sorted({file.parent.name for file in IMAGES.glob("*/Dockerfile")} - {*STAND_INS, "java", "node", "job"})


@pytest.mark.parametrize("kind", OURS)
def test_no_image_of_ours_runs_as_root(kind: str) -> None:
    users = re.findall(r"^USER (.+)$", (IMAGES / kind / "Dockerfile").read_text(), re.MULTILINE)
    assert users == ["9999:9999"]


def test_a_stand_in_runs_as_the_user_of_the_image_that_it_stands_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bases, "published_java", lambda: "base")
    last = {kind: re.findall(r"^USER (.+)$", (IMAGES / kind / "Dockerfile").read_text(), re.MULTILINE) for kind in STAND_INS}
    assert last["published-python"] == []
    assert last["versitygw"] == []
    assert last["kafka"] == ["appuser"]
    assert last["oauth2-proxy"] == last["keda"] == ["65532:65532"]
    assert last["program"] == ["65534"]
    assert last["published-flink"][-1] == "${RUNS_AS}"
    users = {
        version: images.arguments("published-flink", version)["RUNS_AS"] for version in ("1.20.5", "2.1.0", "2.2.1", "2.10.0")
    }
    assert users == {"1.20.5": "root", "2.1.0": "root", "2.2.1": "flink", "2.10.0": "flink"}


def test_nothing_is_mounted_above_the_volumes_of_kafkas_image() -> None:
    """They are mounted last: over the claim with the topics, or in a folder in which nothing can be made."""
    (volumes,) = re.findall(r"^VOLUME (.+)$", (IMAGES / "kafka" / "Dockerfile").read_text(), re.MULTILINE)
    pod = pod_template(render(DEMO).one("StatefulSet", "release-name-kafka"))["spec"]
    for mount in pod["containers"][0]["volumeMounts"]:
        assert not any(volume.startswith(f"{mount['mountPath']}/") for volume in json.loads(volumes))


def test_a_stand_in_holds_no_job_and_nothing_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "registry_answers", lambda: False)
    kinds = {name.split(":")[0]: kind for name, (kind, _) in images.for_cluster(tests=True).items()}
    always = {kinds[name] for name in ("flink", "apache/kafka", "python", "versity/versitygw")}
    assert always == {*STAND_INS} - {"oauth2-proxy", "program", "keda"}  # which are built for the whole matrix alone
    for kind in STAND_INS:
        text = (IMAGES / kind / "Dockerfile").read_text()
        assert not re.search(r"^(COPY|ADD) .*(kdv|tools/|python/|python |connector)", text, re.MULTILINE)
