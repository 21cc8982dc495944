"""Builds static programs from published Go modules into the cache, with the machine's own Go and its module settings."""

from __future__ import annotations

import functools
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ci.core import cache
from ci.core.console import CommandFailed, die, run, step
from ci.core.versions import as_tuple

_MINIMUM_GO = "1.26"
_ENV = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "-buildvcs=false"}


@functools.cache
def _go_version() -> str:
    """The installed Go, as "1.26.8". An older one cannot build Helm 4 and would fetch another toolchain instead."""
    remedy = f"install Go {_MINIMUM_GO} or newer, or put the missing tools on PATH"
    try:
        version = run(["go", "env", "GOVERSION"], env=_ENV).strip().removeprefix("go")
    except CommandFailed:
        die(f"Go is not installed but is needed to build what this machine lacks: {remedy}.")
    if as_tuple(version) < as_tuple(_MINIMUM_GO):
        die(f"Go {version} is too old to build what this machine lacks: {remedy}.")
    return version


def module_folder(module: str, version: str) -> Path:
    """The unpacked source of a module, which Go has checked against its checksum database."""
    _go_version()
    answer = run(["go", "mod", "download", "-json", f"{module}@v{version}"], env=_ENV, cwd=Path("/"))
    return Path(json.loads(answer)["Dir"])


def _staging_replacements(module: str, version: str) -> list[str]:
    """Kubernetes takes its staging modules from directories of its own; published, they are k8s.io/<name> v0.<minor>.<patch>."""
    text = (module_folder(module, version) / "go.mod").read_text()
    staged = re.findall(r"^\s*(\S+) => \./staging/", text, re.MULTILINE)
    return [f"replace {name} => {name} v0.{version.partition('.')[2]}" for name in staged]


def build_own(name: str, source: Path, modules: Mapping[str, str]) -> Path:
    """Build our own program in the folder `source`, which needs these `modules` {module: version}; return its directory."""
    go = _go_version()

    def compile_all(target: Path) -> None:
        work = target / "src"
        shutil.copytree(source, work)
        required = [f"require {module} v{version}" for module, version in modules.items()]
        (work / "go.mod").write_text("\n".join(["module flink-helm/build", f"go {go}", *required, ""]))
        with step(f"go build {name}"):
            run(["go", "build", "-mod=mod", "-trimpath", "-ldflags=-s -w", "-o", target / name, "."], cwd=work, env=_ENV)
        shutil.rmtree(work)

    inputs = {"source": cache.file_hash(source), "modules": dict(modules), "env": _ENV, "go": go}
    return cache.entry(f"go-{name}", inputs, compile_all)


def build(
    name: str,
    module: str,
    version: str,
    packages: Sequence[str],
    *,
    variables: Mapping[str, str] | None = None,
    tags: Sequence[str] = (),
) -> Path:
    """Build the main `packages` of one module and return the directory of the programs, each named as `go build` names it.

    `variables` {full name: value} are set by the linker, `tags` choose files of the source. Dependencies have the versions that
    the module itself asks for.
    """
    go = _go_version()
    flags = ["-s", "-w", *(f"-X={variable}={value}" for variable, value in (variables or {}).items())]
    tagged = [f"-tags={','.join(tags)}"] if tags else []

    def compile_all(target: Path) -> None:
        source = target / "src"
        source.mkdir()
        header = ["module flink-helm/build", f"go {go}", f"require {module} v{version}"]
        (source / "go.mod").write_text("\n".join([*header, *_staging_replacements(module, version), ""]))
        with step(f"go build {name} {version}"):
            command = ["go", "build", "-mod=mod", "-trimpath", "-ldflags", " ".join(flags), "-o", f"{target}/"]
            run([*command, *tagged, *packages], cwd=source, env=_ENV)
        shutil.rmtree(source)

    inputs = {"module": module, "version": version, "packages": [*tagged, *packages], "flags": flags, "env": _ENV, "go": go}
    return cache.entry(f"go-{name}", inputs, compile_all)
