"""Runs the tests: brings what they need, then pytest, whose options are passed on."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
from dataclasses import dataclass

from ci.commands import lint
from ci.core.console import say, step
from ci.core.paths import BUILD, ROOT
from ci.images import images
from ci.kubernetes import cluster, tools
from ci.machine import java, venv

# Marks of tests that nothing runs beside, each a part of its own -> the workers of its cluster.
APART = {"alone": 0, "nodes": 2}


@dataclass(frozen=True)
class Part:
    """One run of pytest: the tests of a folder that `selected` selects, all for "", and of APART only those marked `apart`."""

    folder: str
    selected: str = ""
    apart: str = ""

    @property
    def expression(self) -> str:
        """What -m is given."""
        groups = [mark if mark == self.apart else f"not {mark}" for mark in APART]
        return " and ".join([*([f"({self.selected})"] if self.selected else []), *groups])


# Tests marked `full` are left out unless they are asked for, and so are those of several nodes.
KINDS = {
    "unit": [Part("unit", "not full")],
    "model": [Part("model", "not full")],
    "local": [Part("local")],
    "kind": [Part("kind", "not full")],
    "soak": [Part("soak")],
    "all": [Part("unit", "not full"), Part("model", "not full"), Part("local", "not full"), Part("kind", "not full")],
    "full": [Part("unit"), Part("model"), Part("local"), Part("kind"), Part("soak"), *[Part("kind", "", mark) for mark in APART]],
}

# Tests side by side: those of a cluster wait most of the time, but two are what a small machine bears.
SIDE_BY_SIDE = {"unit": "auto", "model": "auto", "kind": "2"}

_NO_TESTS = 5  # pytest's exit code


def parts(kind: str, words: list[str]) -> tuple[list[Part], list[str]]:
    """The parts, and the words without -m, which wins over what they select; what runs apart is to be asked for by name."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-m")
    asked, rest = parser.parse_known_args(words)
    if asked.m is None:
        return KINDS[kind], rest
    found = []
    for folder in dict.fromkeys(part.folder for part in KINDS[kind]):
        named = [mark for mark in APART if folder == "kind" and re.search(rf"\b{mark}\b", asked.m)]
        found += [Part(folder, asked.m, mark) for mark in ("", *named)]
    return found, rest


def _pytest(part: Part, words: list[str], *, others: bool) -> int:
    python = venv.python()
    tools.ensure()
    environment = {**os.environ, "PATH": f"{tools.BIN}:{os.environ.get('PATH', '')}"}
    command = [str(python), "-m", "pytest", f"tests/{part.folder}", "-m", part.expression]
    name = "-".join(filter(None, [part.folder, part.apart]))
    if others and part.folder == "kind":  # no cluster for a part without a test
        look = subprocess.run([*command, "--collect-only", "-qq", *words], cwd=ROOT, env=environment, capture_output=True)
        if look.returncode == _NO_TESTS:
            say(f"{name}: no test of tests/{part.folder} is asked for")
            return _NO_TESTS
    options = [f"--junitxml={BUILD}/junit/{name}.xml"]
    if part.folder in SIDE_BY_SIDE and not part.apart and not {"-n", "--pdb"} & set(words):
        options += ["-n", SIDE_BY_SIDE[part.folder], "--dist=worksteal"]
    if part.folder == "local":
        java.ensure()
    if part.folder == "soak":
        options.append("--capture=no")  # it says what it does while it does it
    if part.folder in ("kind", "soak"):
        workers = APART.get(part.apart, 0)
        cluster.ensure(workers)
        images.ensure()
        cluster.load(list(images.wanted(tests=True)), workers)
        options.append(f"--kubeconfig={cluster.of(workers).kubeconfig}")
    with step(f"pytest {name}"):
        return subprocess.run([*command, *options, *words], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL).returncode


def main(words: list[str]) -> int:
    """`words`: one of KINDS, then options of pytest. Every part is run; the first exit code of a failure is ours."""
    kind, *rest = words
    chosen, rest = parts(kind, rest)
    codes = [_pytest(part, rest, others=len(chosen) > 1) for part in chosen]
    found = [code for code in codes if code != _NO_TESTS]  # a part may be without a test, not all of them
    return next((code for code in found if code), 0) if found else _NO_TESTS


def checked(words: list[str]) -> int:
    """The linters, and the tests if these find nothing."""
    return lint.main() or main(words)


def fuzz(words: list[str]) -> int:
    """Hold the decoder against the tests' model; `words` are options of tests/fuzz."""
    python = venv.python()
    java.ensure()
    return subprocess.run([python, "-m", "tests.fuzz", *words], cwd=ROOT).returncode
