"""python3 -m ci COMMAND [ARG...]: what `make COMMAND ARGS="..."` calls. ci/commands/__init__.py declares the commands."""

from __future__ import annotations

import argparse
import importlib
import sys

from ci.commands import COMMANDS
from ci.core.console import CommandFailed


def main(arguments: list[str]) -> int:
    if arguments == ["--names"]:  # for the Makefile
        print(*COMMANDS)
        return 0
    parser = argparse.ArgumentParser(prog="python3 -m ci", description="The tool behind make.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=command.explanation, add_help=command.arguments is None)
    options, rest = parser.parse_known_args(arguments)
    command = COMMANDS[options.command]
    if rest and command.arguments is None:
        parser.error(f"{options.command} takes no arguments, got: {' '.join(rest)}")
    module, function = command.function.split(":")
    program = getattr(importlib.import_module(f"ci.{module}"), function)  # a module is imported only when its command is given
    try:
        result = program() if command.arguments is None else program([*command.arguments, *rest])
    except CommandFailed as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 130
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
