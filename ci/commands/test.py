"""Runs the tests: brings what they need, then pytest, whose options are passed on."""

from __future__ import annotations

import argparse
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
    """One run of pytest: the tests of a directory that `selected` selects, all for "", and of APART only those marked `apart`."""

    directory: str
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


def parts(kind: str, arguments: list[str]) -> tuple[list[Part], list[str]]:
    """The parts, and the arguments without -m, which wins over what they select; what runs apart is to be asked for by name."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-m")
    asked, rest = parser.parse_known_args(arguments)
    if asked.m is None:
        return KINDS[kind], rest
    chosen = []
    for directory in dict.fromkeys(part.directory for part in KINDS[kind]):
        named = [mark for mark in APART if directory == "kind" and re.search(rf"\b{mark}\b", asked.m)]
        chosen += [Part(directory, asked.m, mark) for mark in ("", *named)]
    return chosen, rest


def _pytest(part: Part, arguments: list[str], *, others: bool) -> int:
    python = venv.python()
    tools.ensure()
    environment = tools.environment()
    command = [str(python), "-m", "pytest", f"tests/{part.directory}", "-m", part.expression]
    name = "-".join(filter(None, [part.directory, part.apart]))
    if others and part.directory == "kind":  # no cluster for a part without a test
        look = subprocess.run([*command, "--collect-only", "-qq", *arguments], cwd=ROOT, env=environment, capture_output=True)
        if look.returncode == _NO_TESTS:
            say(f"{name}: no test of tests/{part.directory} is asked for")
            return _NO_TESTS
    options = [f"--junitxml={BUILD}/junit/{name}.xml"]
    if part.directory in SIDE_BY_SIDE and not part.apart and not {"-n", "--pdb"} & set(arguments):
        options += ["-n", SIDE_BY_SIDE[part.directory], "--dist=worksteal"]
    if part.directory == "local":
        java.ensure()
    if part.directory == "soak":
        options.append("--capture=no")  # it says what it does while it does it
    if part.directory in ("kind", "soak"):
        workers = APART.get(part.apart, 0)
        cluster.ensure(workers)
        images.ensure()
        cluster.load(list(images.for_cluster(tests=True)), workers)
        options.append(f"--kubeconfig={cluster.of(workers).kubeconfig}")
    with step(f"pytest {name}"):
        return subprocess.run([*command, *options, *arguments], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL).returncode


def main(arguments: list[str]) -> int:
    """`arguments`: one of KINDS, then options of pytest. Every part is run; the first exit code of a failure is ours."""
    kind, *rest = arguments
    chosen, rest = parts(kind, rest)
    codes = [_pytest(part, rest, others=len(chosen) > 1) for part in chosen]
    codes_with_tests = [code for code in codes if code != _NO_TESTS]  # a part may be without a test, not all of them
    return next((code for code in codes_with_tests if code), 0) if codes_with_tests else _NO_TESTS


def checked(arguments: list[str]) -> int:
    """The linters, and the tests if these find nothing."""
    return lint.main() or main(arguments)


def fuzz(arguments: list[str]) -> int:
    """Hold the decoder against the tests' model; `arguments` are options of tests/fuzz."""
    python = venv.python()
    java.ensure()
    return subprocess.run([python, "-m", "tests.fuzz", *arguments], cwd=ROOT).returncode
