"""Both charts, packaged with what Artifact Hub shows of them, signed, and pushed as OCI artifacts."""

from __future__ import annotations

import base64
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ci.core import versions
from ci.core.console import CommandFailed, die, run, say, works
from ci.core.paths import CHARTS, DEMO, DOCS, FLINK
from ci.kubernetes import tools
from ci.release import changelog
from ci.release.registry import plain_http

ICON = DOCS / "pictures" / "icon.svg"


@dataclass(frozen=True)
class Key:
    """A secret key of GnuPG: its owner as `gpg` shows it, the file that `gpg --export-secret-keys` wrote, and that of its
    passphrase, None where it has none."""

    owner: str
    keyring: Path
    passphrase: Path | None = None


def key() -> Key:
    """The key that the environment names."""
    owner, keyring = os.environ.get("RELEASE_KEY", ""), os.environ.get("RELEASE_KEYRING", "")
    if not owner or not Path(keyring).is_file():
        die(
            "RELEASE_KEY names the owner of the key that signs the charts, and RELEASE_KEYRING the file with it, which"
            " `gpg --export-secret-keys` writes: docs/release.md shows both."
        )
    passphrase = os.environ.get("RELEASE_PASSPHRASE_FILE")
    return Key(owner, Path(keyring), Path(passphrase) if passphrase else None)


def describe(chart: Path, changes: list[str]) -> None:
    """Add to Chart.yaml what is derived: the changes, and the icon, which a chart without a public home has to hold itself."""
    file = chart / "Chart.yaml"
    icon = base64.b64encode(ICON.read_bytes()).decode()
    before, annotations, after = file.read_text().partition("\nannotations:\n")
    listed = json.dumps(json.dumps(changes, ensure_ascii=False), ensure_ascii=False)  # JSON is YAML, in a text of YAML
    file.write_text(f"{before}\nicon: data:image/svg+xml;base64,{icon}{annotations}  artifacthub.io/changes: {listed}\n{after}")


def package(directory: Path, signer: Key) -> list[Path]:
    """Write <chart>-<version>.tgz and its provenance, .tgz.prov, of both charts into the directory; returns the packages."""
    version = versions.get("charts", "version")
    changes = changelog.changes(changelog.FILE.read_text(), version)
    arguments = [f"--version={version}", f"--app-version={versions.get('flink', 'default')}", f"--destination={directory}"]
    arguments += ["--sign", f"--key={signer.owner}", f"--keyring={signer.keyring}"]
    arguments += [f"--passphrase-file={signer.passphrase}"] if signer.passphrase else []
    with tempfile.TemporaryDirectory() as work:
        copies = Path(work) / "charts"
        shutil.copytree(FLINK.parent, copies, symlinks=True)
        for chart in (DEMO, FLINK):  # the changes stand once in the demo, not in the chart inside it too
            describe(copies / chart.name, changes)
            run([tools.path("helm"), "package", copies / chart.name, *arguments])
    return [directory / f"{chart.name}-{version}.tgz" for chart in CHARTS]


def refuse_what_is_there(registry: str) -> None:
    """Raises CommandFailed where the registry has this version of a chart: a released version does not change."""
    version = versions.get("charts", "version")
    for chart in CHARTS:
        arguments = ["show", "chart", f"oci://{registry}/{chart.name}", f"--version={version}", *plain_http(registry)]
        if works([tools.path("helm"), *arguments]):
            raise CommandFailed(f"{registry} has {chart.name} {version} already, and a released version does not change")


def push(packages: list[Path], registry: str) -> None:
    """Push packages, each with its provenance."""
    for package in packages:
        run([tools.path("helm"), "push", package, f"oci://{registry}", *plain_http(registry)])
        say(f"oci://{registry}/{package.stem.rpartition('-')[0]}")
