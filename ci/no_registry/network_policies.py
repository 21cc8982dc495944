"""What enforces NetworkPolicies on several nodes of our node image, whose own network ignores them: the firewall of kube-router.

The network of the published node image enforces them itself.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from ci.core import versions
from ci.core.console import step
from ci.machine import engine, golang
from ci.no_registry import rootfs

_RELEASE = "bookworm"
_PACKAGES = ["iproute2", "ipset", "iptables"]  # the programs that it calls
_MANIFEST = Path(__file__).with_name("kube-router.yaml")


def _program() -> Path:
    module = "github.com/cloudnativelabs/kube-router/v2"
    version = versions.get("kubernetes", "kube-router")
    return golang.build("kube-router", module, version, [f"{module}/cmd/kube-router"]) / "kube-router"


def image() -> str:
    """The name of its image, which the engine holds after this."""
    program = _program()

    def system(tag: str) -> None:
        with step("Debian system of kube-router"):
            rootfs.make(tag, _RELEASE, _PACKAGES, variant="essential")

    base = engine.image("kube-router-system", {"release": _RELEASE, "packages": _PACKAGES}, system)

    def build(tag: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(program, folder)
            text = f'FROM {base}\nCOPY kube-router /usr/bin/kube-router\nENTRYPOINT ["/usr/bin/kube-router"]\n'
            (Path(folder) / "Dockerfile").write_text(text)
            engine.build(Path(folder), tag)

    return engine.image("kube-router", {"base": base, "program": program.parent.name}, build)


def manifest(image_name: str) -> str:
    """The objects that run it on each node."""
    return _MANIFEST.read_text().replace("IMAGE", image_name)
