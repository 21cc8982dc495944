"""The programs that tests and people call, as links in .build/bin: the user's own where new enough, otherwise built."""

from __future__ import annotations

import functools
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ci.core import versions
from ci.core.console import CommandFailed, run, say, step
from ci.core.paths import BUILD
from ci.core.versions import as_tuple
from ci.machine import golang
from ci.no_registry import node_image

BIN = BUILD / "bin"
# Built when something asks for them: no test of the representative set does.
_LATER = {"kube-score", "crane", "oras"}


@dataclass(frozen=True)
class Tool:
    """How to ask a program for its version (`asks`; `same_major` refuses a newer major), and how to build it."""

    build: Callable[[], Path]
    minimum: str
    asks: tuple[str, ...]
    same_major: bool = False


def _go(
    name: str, module: str, package: str = "", *, variable: str = "", more: dict[str, str] | None = None
) -> Callable[[], Path]:
    """Builds a program; the linker sets `variable` to its version, and `more` as they are."""
    version = versions.get("tools", name)
    variables = {**({variable: f"v{version}"} if variable else {}), **(more or {})}
    program = (package or module).rpartition("/")[2]
    return lambda: golang.build(name, module, version, [f"{module}{package}"], variables=variables) / program


def _helm(name: str, module: str, more: dict[str, str] | None = None) -> Tool:
    build = _go(name, module, "/cmd/helm", variable=f"{module}/internal/version.version", more=more)
    return Tool(build, versions.get("tools", name), ("version", "--short"), same_major=True)


def _catalogue() -> dict[str, Tool]:
    pinned = {**versions.section("tools"), "kubectl": versions.get("kubernetes", "version")}
    # What Helm 3 takes for the cluster's version where it has none; Helm 4 finds it out by itself.
    major, minor, _ = pinned["kubectl"].split(".")
    assumed = {"helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor": major, "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor": minor}
    helm_docs = _go("helm-docs", "github.com/norwoodj/helm-docs", "/cmd/helm-docs", variable="main.version")
    kube_score = _go("kube-score", "github.com/zegl/kube-score", "/cmd/kube-score", variable="main.version")
    containers = "github.com/google/go-containerregistry"
    crane = _go("crane", containers, "/cmd/crane", variable=f"{containers}/cmd/crane/cmd.Version")
    oras = _go("oras", "oras.land/oras", "/cmd/oras")
    return {
        "kind": Tool(_go("kind", "sigs.k8s.io/kind"), pinned["kind"], ("version",)),
        "helm": _helm("helm", "helm.sh/helm/v4"),
        "helm3": _helm("helm3", "helm.sh/helm/v3", assumed),
        "kubectl": Tool(lambda: node_image.kubernetes_programs() / "kubectl", pinned["kubectl"], ("version", "--client"), True),
        "helm-docs": Tool(helm_docs, pinned["helm-docs"], ("--version",)),
        "kube-score": Tool(kube_score, pinned["kube-score"], ("version",)),
        "crane": Tool(crane, pinned["crane"], ("version",)),
        "oras": Tool(oras, pinned["oras"], ("version",)),
    }


def satisfies(version: str, minimum: str, *, same_major: bool) -> bool:
    """Whether a version may stand in for the `minimum`: not older in major and minor, and of its major if asked for."""
    have, least = as_tuple(version)[:2], as_tuple(minimum)[:2]
    return have >= least and (not same_major or have[0] == least[0])


def _users_own(name: str, tool: Tool) -> Path | None:
    program = shutil.which(name)
    if program is None or Path(program).parent.resolve() == BIN.resolve():  # .build may be a link, and the PATH name its target
        return None
    try:
        answer = run([program, *tool.asks], timeout=20)
    except CommandFailed:
        return None
    match = re.search(r"v?(\d+\.\d+\.\d+)", answer)
    if match is None or not satisfies(match[1], tool.minimum, same_major=tool.same_major):
        return None
    return Path(program)


def kubectl(kubeconfig: Path, *arguments: str | Path) -> list[str | Path]:
    """The command that asks the cluster of that kubeconfig."""
    return [path("kubectl"), f"--kubeconfig={kubeconfig}", *arguments]


def environment() -> dict[str, str]:
    """That of a program that calls the tools by their names."""
    return {**os.environ, "PATH": f"{BIN}:{os.environ.get('PATH', '')}"}


@functools.cache
def path(name: str) -> Path:
    """The program of that name, built where the user has none that is new enough; linked in .build/bin."""
    tool = _catalogue()[name]
    program = _users_own(name, tool) or tool.build()
    BIN.mkdir(parents=True, exist_ok=True)
    link = BIN / name
    if not link.is_symlink() or link.readlink() != program:
        link.unlink(missing_ok=True)
        link.symlink_to(program)
        say(f"{name}: {program}")
    return link


def ensure() -> None:
    with step("tools"):
        for name in [one for one in _catalogue() if one not in _LATER]:
            path(name)
