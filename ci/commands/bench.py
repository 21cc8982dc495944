"""Runs the benchmarks: brings what they need, then bench/, whose options are passed on."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ci.commands import addons
from ci.commands.addons import Addon
from ci.core.console import step
from ci.core.paths import ROOT
from ci.images import images
from ci.kubernetes import cluster, tools
from ci.machine import java, venv


def start(arguments: list[str]) -> int:
    """Measure the start of the demo; `arguments` are options of bench/start.py."""
    python = venv.python()
    cluster.ensure()
    images.load(tests=False)
    with step("bench"):
        return _run(python, "bench.start", *arguments)


def lifecycle(arguments: list[str]) -> int:
    """Measure seconds without output; `arguments` are options of bench/lifecycle.py. Then the page is written."""
    return _on_kind("bench.lifecycle", arguments)


def scaling(arguments: list[str]) -> int:
    """Measure TaskManagers that follow a load; `arguments` are options of bench/scaling.py. Then the page is written."""
    return _on_kind("bench.scaling", arguments, addons.METRICS_SERVER)


def operator(arguments: list[str]) -> int:
    """Measure beside the Flink Kubernetes Operator; `arguments` are options of bench/operator.py. Then the page is written."""
    return _on_kind("bench.operator", arguments)


def modes(arguments: list[str]) -> int:
    """Measure the start in standalone and native mode; `arguments` are options of bench/modes.py. Then the page is written."""
    return _on_kind("bench.modes", arguments)


def _run(python: Path, *module: str) -> int:
    return subprocess.run([python, "-m", *module], cwd=ROOT, env=tools.environment(), stdin=subprocess.DEVNULL).returncode


def _on_kind(name: str, arguments: list[str], *needed: Addon) -> int:
    python = venv.python()
    cluster.ensure()
    images.load(tests=False)
    for addon in needed:
        addon.install(cluster.of().kubeconfig)
    for module in ([name, *arguments], ["bench.kdv", "page"]):
        if code := _run(python, *module):
            return code
    return 0


def kdv(arguments: list[str]) -> int:
    """Measure the KDV job beside others; `arguments` are a command and options of bench/kdv."""
    python = venv.python()
    java.ensure()
    steps = [arguments] if arguments else [["check"], ["measure"], ["page"]]
    for step_ in steps:
        if code := _run(python, "bench.kdv", *step_):
            return code
    return 0
