"""Our images, pushed, each with the list of its parts attached to it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from ci.core.console import run, say, step
from ci.images import images
from ci.kubernetes import tools
from ci.release import parts
from ci.release.registry import plain_http

_OURS = ("flink", "s3", "tools")  # kinds of images; the others stand in for those that somebody else publishes


def push_all(registry: str, directory: Path) -> None:
    """Build our images where the engine lacks them, and release each; the lists of parts go into the directory too."""
    images.ensure(tests=False)
    for name, (kind, _) in images.for_cluster(tests=False).items():
        if kind not in _OURS:
            continue
        with step(f"release {name}"), tempfile.TemporaryDirectory() as work:
            archive = Path(work) / "image.tar"
            run(["docker", "image", "save", f"--output={archive}", name])
            say(push(archive, name, registry, directory))


def push(archive: Path, name: str, registry: str, directory: Path) -> str:
    """Push the image `name` ("kdv-tools:0.1.0") of an archive that `docker image save` wrote, and attach the list of its parts,
    which is <directory>/<name with "-">.cdx.json too. Returns its reference by digest."""
    crane, (repository, tag) = tools.path("crane"), name.split(":")
    listed = directory / f"{repository}-{tag}.cdx.json"
    listed.write_text(json.dumps(parts.of(archive, repository, tag), indent=1) + "\n")
    run([crane, "push", archive, f"{registry}/{name}"])
    reference = f"{registry}/{repository}@{run([crane, 'digest', f'{registry}/{name}']).strip()}"
    attach = ["attach", f"--artifact-type={parts.TYPE}", *plain_http(registry), reference, f"{listed.name}:{parts.TYPE}"]
    run([tools.path("oras"), *attach], cwd=directory)
    return reference
