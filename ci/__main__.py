"""python3 -m ci <command>"""

from __future__ import annotations

import argparse
import importlib
import sys

from ci.console import CommandFailed

# command -> (module, function, help). A module is imported only when its command is given.
COMMANDS = {
    "engine": ("engine", "ensure", "make a docker engine answer"),
    "tools": ("tools", "ensure", "provide kind, helm, helm3, kubectl and helm-docs in .build/bin"),
    "venv": ("venv", "ensure", "provide .build/venv"),
    "cluster": ("cluster", "main", "provide a Ready kind cluster and its kubeconfig"),
    "cluster-delete": ("cluster", "main_delete", "delete the kind clusters"),
    "images": ("images", "ensure", "build the images"),
    "image": ("job_image", "main", "build an image with any Flink and a job of yours"),
    "load": ("images", "load", "load the images into the cluster"),
    "demo": ("demo", "main", "go from nothing to CSV rows"),
    "demo-local": ("test", "demo_local", "the same as processes of this machine, without containers"),
    "test": ("test", "main", "run tests: unit, local, kind, soak, all or full, then pytest's own options"),
    "fuzz": ("test", "fuzz", "hold the decoder of the KDV job against the tests' model, record by random record"),
    "lint": ("lint", "main", "run every check that is not a test"),
    "fmt": ("lint", "fmt", "format the Python code"),
    "docs": ("lint", "docs", "generate the tables of values"),
    "options": ("flink_options", "main", "write the names of Flink's options for the chart"),
    "bench": ("test", "bench", "measure the start of the demo"),
    "bench-kdv": ("test", "bench_kdv", "measure the KDV job beside what one would pick instead"),
    "bench-lifecycle": ("test", "bench_lifecycle", "measure the seconds without output of kills, upgrades and rollbacks"),
    "bench-modes": ("test", "bench_modes", "measure the start of a job in standalone and in native mode"),
    "lock": ("venv", "lock", "write ci/locks/python.txt anew from versions.toml"),
    "clean": ("clean", "main", "delete the clusters, our cache entries and .build"),
}
_TAKE_ARGUMENTS = {
    "bench", "bench-kdv", "bench-lifecycle", "bench-modes", "cluster", "cluster-delete", "demo", "demo-local", "fuzz", "image",
    "test",
}  # fmt: skip


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m ci", description="Everything around the charts.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, (_, _, explanation) in COMMANDS.items():
        commands.add_parser(name, help=explanation, add_help=name not in _TAKE_ARGUMENTS)
    options, rest = parser.parse_known_args(words)
    if rest and options.command not in _TAKE_ARGUMENTS:
        parser.error(f"{options.command} takes no arguments, got: {' '.join(rest)}")
    module, function, _ = COMMANDS[options.command]
    program = getattr(importlib.import_module(f"ci.{module}"), function)
    try:
        result = program(rest) if options.command in _TAKE_ARGUMENTS else program()
    except CommandFailed as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 130
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
