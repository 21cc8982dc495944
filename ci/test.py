"""Runs the tests: brings what they need, then pytest, whose options are passed on."""

from __future__ import annotations

import argparse
import os
import subprocess

from ci import cluster, images, java, tools, venv
from ci.console import die, step
from ci.versions import BUILD, REPO

# kind of tests -> (folder, what pytest selects). Tests marked `full` are left out unless they are asked for.
KINDS = {
    "unit": [("unit", "not full")],
    "local": [("local", "")],
    "kind": [("kind", "not full")],
    "all": [("unit", "not full"), ("local", "not full"), ("kind", "not full")],
    "full": [("unit", ""), ("local", ""), ("kind", "not alone"), ("kind", "alone")],
}

# Tests side by side: those of a cluster wait most of the time, but two are what a small machine bears.
WORKERS = {"unit": "auto", "kind": "2"}


def marks(words: list[str], default: str) -> tuple[list[str], str]:
    """The words without -m, and which tests it selects instead of `default`; those that run alone are to be asked for by name."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-m")
    asked, rest = parser.parse_known_args(words)
    if asked.m is None:
        return rest, default
    return rest, asked.m if "alone" in asked.m else f"({asked.m}) and not alone"


def _pytest(folder: str, default: str, words: list[str]) -> int:
    python = venv.python()
    tools.ensure()
    words, selected = marks(words, default)
    alone = "alone" in selected.replace("not alone", "")
    options = [f"--junitxml={BUILD}/junit/{folder}{'-alone' if alone else ''}.xml"]
    if selected:
        options += ["-m", selected]
    if folder in WORKERS and not alone and not {"-n", "--pdb"} & set(words):
        options += ["-n", WORKERS[folder], "--dist=worksteal"]
    if folder == "local":
        java.ensure()
    if folder == "kind":
        cluster.ensure()
        images.load()
        options.append(f"--kubeconfig={cluster.KUBECONFIG}")
    environment = {**os.environ, "PATH": f"{tools.BIN}:{os.environ.get('PATH', '')}"}
    with step(f"pytest tests/{folder}"):
        command = [str(python), "-m", "pytest", f"tests/{folder}", *options, *words]
        return subprocess.run(command, cwd=REPO, env=environment, stdin=subprocess.DEVNULL).returncode


def main(words: list[str]) -> int:
    """`words`: one of KINDS, then options of pytest. Every part is run; the first exit code that is not 0 is ours."""
    kind, *rest = words or ["all"]
    if kind not in KINDS:
        die(f"{kind!r} is no kind of tests: write one of {', '.join(KINDS)}.")
    codes = [_pytest(folder, default, rest) for folder, default in KINDS[kind]]
    return next((code for code in codes if code), 0)


def demo_local(words: list[str]) -> int:
    """The demo's pipeline as processes of this machine; `words` are options of local/demo.py."""
    python = venv.python()
    java.ensure()
    return subprocess.run([python, "-m", "local.demo", *words], cwd=REPO).returncode


def bench(words: list[str]) -> int:
    """Measure the start of the demo; `words` are options of bench/start.py."""
    python = venv.python()
    cluster.ensure()
    images.load(tests=False)
    with step("bench"):
        return subprocess.run([python, "-m", "bench.start", *words], cwd=REPO, stdin=subprocess.DEVNULL).returncode


def bench_lifecycle(words: list[str]) -> int:
    """Measure seconds without output; `words` are options of bench/lifecycle.py. Then the page is written anew."""
    return _bench_on_kind("bench.lifecycle", words)


def bench_modes(words: list[str]) -> int:
    """Measure the start in standalone and native mode; `words` are options of bench/modes.py. Then the page is written anew."""
    return _bench_on_kind("bench.modes", words)


def _bench_on_kind(name: str, words: list[str]) -> int:
    python = venv.python()
    cluster.ensure()
    images.load(tests=False)
    for module in ([name, *words], ["bench.kdv", "page"]):
        if code := subprocess.run([python, "-m", *module], cwd=REPO, stdin=subprocess.DEVNULL).returncode:
            return code
    return 0


def bench_kdv(words: list[str]) -> int:
    """Measure the KDV job beside others; `words` are a command and options of bench/kdv."""
    python = venv.python()
    java.ensure()
    steps = [words] if words else [["check"], ["measure"], ["page"]]
    for step_ in steps:
        if code := subprocess.run([python, "-m", "bench.kdv", *step_], cwd=REPO, stdin=subprocess.DEVNULL).returncode:
            return code
    return 0
