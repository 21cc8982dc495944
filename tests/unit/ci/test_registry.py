"""A release into a registry on this machine, and what users do with it: pull, verify, render, look at an image's parts."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
import yaml

from ci.core import versions
from ci.core.console import CommandFailed
from ci.core.paths import CHARTS, FLINK
from ci.kubernetes import tools
from ci.machine import debian
from ci.release import changelog, charts, images, parts
from harness import registry
from harness.helm import Helm, HelmError
from harness.manifests import render
from harness.registry import TrialKey

pytestmark = pytest.mark.full
VERSION = versions.get("charts", "version")
HTTP = "--plain-http"
IMAGE = "kdv-tools:0.0.1"
# What an image holds: two Debian packages, of which one was removed again, a Python package, and jars.
STATUS = "".join(
    f"Package: {name}\nStatus: {status}\nArchitecture: amd64\nVersion: {version}\nDescription: a\n b\n\n"
    for name, status, version in [
        ("bash", "install ok installed", "5.2.15-2+b7"),
        ("perl", "deinstall ok config-files", "5.36"),
    ]
)
METADATA = "Metadata-Version: 2.1\nName: py4j\nVersion: 0.10.9.7\n"
JAR = b"a jar"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    tools.path("crane")
    with registry.serve() as address:
        yield f"{address}/flink-helm"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> TrialKey:
    debian.provide({"gpg": "gnupg"}, "the trial key")
    return registry.trial_key(tmp_path_factory.mktemp("key"))


@pytest.fixture(scope="module")
def released(address: str, key: TrialKey, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    packages = charts.package(tmp_path_factory.mktemp("release"), charts.Key(key.owner, key.secret))
    charts.push(packages, address)
    return packages


@pytest.fixture(params=["helm", "helm3"])
def helm(request: pytest.FixtureRequest) -> Helm:
    return Helm(request.param)


def pull(helm: Helm, address: str, chart: str, key: TrialKey, directory: Path) -> Path:
    argv = ["pull", f"oci://{address}/{chart}", f"--version={VERSION}", HTTP, f"--destination={directory}"]
    helm.run(*argv, "--verify", f"--keyring={key.public}")
    return directory / f"{chart}-{VERSION}.tgz"


@pytest.mark.usefixtures("released")
@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_a_chart_is_pulled_verified_and_renders_as_in_the_repository(
    chart: Path, helm: Helm, address: str, key: TrialKey, tmp_path: Path
) -> None:
    package = pull(helm, address, chart.name, key, tmp_path)
    helm.run("verify", package, f"--keyring={key.public}")
    assert render(package, helm=helm).all == render(chart, helm=helm).all
    straight = helm.run("template", "release-name", f"oci://{address}/{chart.name}", f"--version={VERSION}", HTTP)
    assert straight == helm.template(package)
    metadata = yaml.safe_load(helm.run("show", "chart", package))
    assert (metadata["version"], metadata["appVersion"]) == (VERSION, versions.get("flink", "default"))
    assert yaml.safe_load(metadata["annotations"]["artifacthub.io/changes"]) == changelog.changes(
        changelog.FILE.read_text(), VERSION
    )


@pytest.mark.usefixtures("released")
def test_what_was_changed_or_signed_by_another_is_refused(helm: Helm, address: str, key: TrialKey, tmp_path: Path) -> None:
    package = pull(helm, address, FLINK.name, key, tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(HelmError, match="(?i)unknown entity|signature"):
        helm.run("verify", package, f"--keyring={registry.trial_key(other).public}")
    package.write_bytes(package.read_bytes() + b"\0")
    with pytest.raises(HelmError, match="sha256 sum does not match"):
        helm.run("verify", package, f"--keyring={key.public}")


@pytest.mark.usefixtures("released")
def test_a_released_version_is_not_replaced(address: str) -> None:
    charts.refuse_what_is_there(f"{address}/elsewhere")
    with pytest.raises(CommandFailed, match=f"has flink {VERSION} already"):
        charts.refuse_what_is_there(address)


def saved_image(directory: Path) -> Path:
    """An image as `docker image save` writes it, of two layers: the second removes a jar and a whole directory of the first."""
    layers: list[dict[str, bytes]] = [
        {
            "var/lib/dpkg/status": STATUS.encode(),
            "usr/lib/python3/dist-packages/py4j-0.10.9.7.dist-info/METADATA": METADATA.encode(),
            "opt/java/release": b'JAVA_VERSION="17.0.15"\n',
            "opt/flink/lib/windows-1.2.3.jar": JAR,
            "opt/flink/lib/gone-1.0.jar": JAR,
            "opt/flink/opt/old-1.0.jar": JAR,
            "opt/flink/README.txt": b"",
        },
        {"opt/flink/lib/.wh.gone-1.0.jar": b"", "opt/flink/opt/.wh..wh..opq": b"", "opt/flink/opt/new.jar": JAR},
    ]
    argv: list[str | Path] = [tools.path("crane"), "append", f"--new_tag={IMAGE}", f"--output={directory / 'image.tar'}"]
    for number, files in enumerate(layers):
        with tarfile.open(directory / f"{number}.tar", "w") as layer:
            for name, data in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                layer.addfile(entry, BytesIO(data))
        argv.append(f"--new_layer={directory / f'{number}.tar'}")
    subprocess.run(argv, check=True)
    return directory / "image.tar"


def test_an_image_has_the_list_of_its_parts_beside_it(address: str, tmp_path: Path) -> None:
    reference = images.push(saved_image(tmp_path), IMAGE, address, tmp_path)
    digest = subprocess.check_output([tools.path("crane"), "digest", f"{address}/{IMAGE}"], text=True).strip()
    assert reference == f"{address}/kdv-tools@{digest}"
    output = subprocess.check_output([tools.path("oras"), "discover", "--format=json", HTTP, f"{address}/{IMAGE}"], text=True)
    (attached,) = json.loads(output)["referrers"]
    assert attached["artifactType"] == parts.TYPE
    pulled = tmp_path / "pulled"
    subprocess.run([tools.path("oras"), "pull", HTTP, f"--output={pulled}", attached["reference"]], check=True)
    (file,) = pulled.iterdir()
    listed = json.loads(file.read_text())
    assert listed["metadata"]["component"] == {"type": "container", "name": "kdv-tools", "version": "0.0.1"}
    assert {(part["name"], part.get("version")): part.get("purl") for part in listed["components"]} == {
        ("bash", "5.2.15-2+b7"): "pkg:deb/debian/bash@5.2.15-2%2Bb7?arch=amd64",
        ("py4j", "0.10.9.7"): "pkg:pypi/py4j@0.10.9.7",
        ("openjdk", "17.0.15"): None,
        ("windows", "1.2.3"): None,
        ("new", None): None,
    }
    hashes = [part["hashes"] for part in listed["components"] if "hashes" in part]
    assert hashes == [[{"alg": "SHA-256", "content": hashlib.sha256(JAR).hexdigest()}]] * 2
