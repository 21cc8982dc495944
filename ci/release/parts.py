"""What an image holds, as a bill of materials in CycloneDX 1.6: Debian packages, Python packages, jars and the Java runtime.

Everything is read from the files of the image itself, as `docker image save` writes it.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from email.parser import HeaderParser
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

TYPE = "application/vnd.cyclonedx+json"
# Paths in the image, without "/" in front, of the files that say what is there.
_STATUS = re.compile(r"var/lib/dpkg/status$")
_METADATA = re.compile(r"[^/]+\.dist-info/METADATA$")
_JAR = re.compile(r"([^/]+?)(?:-(\d[\w.+-]*))?\.jar$")
_RUNTIME = re.compile(r"opt/java(/openjdk)?/release$")
_WHITEOUT = ".wh."

Part = dict[str, Any]


def _library(kind: str, name: str, version: str, suffix: str = "") -> Part:
    purl = f"pkg:{kind}/{quote(name)}@{quote(version)}{suffix}"
    return {"type": "library", "name": name.rpartition("/")[2], "version": version, "purl": purl, "bom-ref": purl}


def _debian(status: str) -> list[Part]:
    packages = [HeaderParser().parsestr(block) for block in status.split("\n\n") if block.strip()]
    return [
        _library("deb", f"debian/{package['Package']}", package["Version"], f"?arch={package['Architecture']}")
        for package in packages
        if package["Status"].endswith(" installed")
    ]


def _read(path: str, file: IO[bytes]) -> list[Part]:
    """The parts that a file of the image stands for, none for most."""
    if _STATUS.search(path):
        return _debian(file.read().decode())
    if _METADATA.search(path):
        headers = HeaderParser().parsestr(file.read().decode())
        return [_library("pypi", re.sub(r"[-_.]+", "-", headers["Name"]).lower(), headers["Version"])]
    if jar := _JAR.search(path):
        digest = hashlib.sha256(file.read()).hexdigest()
        version = {"version": jar[2]} if jar[2] else {}
        return [
            {
                "type": "library",
                "name": jar[1],
                **version,
                "bom-ref": f"/{path}",
                "hashes": [{"alg": "SHA-256", "content": digest}],
            }
        ]
    if _RUNTIME.search(path) and (java := re.search(r'^JAVA_VERSION="(.+)"', file.read().decode(), re.MULTILINE)):
        return [{"type": "platform", "name": "openjdk", "version": java[1], "bom-ref": f"/{path}"}]
    return []


def _layer(layer: tarfile.TarFile, parts_by_path: dict[str, list[Part]]) -> None:
    """Lay one layer over what those below it hold: a whiteout removes files of theirs, not of its own layer."""
    own: dict[str, list[Part]] = {}
    for entry in layer:
        path = entry.name.removeprefix("./").lstrip("/")
        directory, _, name = path.rpartition("/")
        if name.startswith(_WHITEOUT):
            gone = directory if name == ".wh..wh..opq" else f"{directory}/{name.removeprefix(_WHITEOUT)}"
            for old in [old for old in parts_by_path if old == gone or old.startswith(f"{gone}/")]:
                del parts_by_path[old]
        elif (entry.isfile() or entry.islnk()) and (file := layer.extractfile(entry)):
            own[path] = _read(path, file)
    parts_by_path.update(own)


def of(archive: Path, name: str, tag: str) -> dict[str, Any]:
    """The bill of materials of the one image in an archive of `docker image save`."""
    parts_by_path: dict[str, list[Part]] = {}
    with tarfile.open(archive) as saved:

        def inside(path: str) -> IO[bytes]:
            file = saved.extractfile(path)
            assert file, path
            return file

        (image,) = json.load(inside("manifest.json"))
        for one in image["Layers"]:
            with tarfile.open(fileobj=inside(one)) as layer:
                _layer(layer, parts_by_path)
    parts = {part["bom-ref"]: part for path in sorted(parts_by_path) for part in parts_by_path[path]}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": name, "version": tag}},
        "components": [*parts.values()],
    }
