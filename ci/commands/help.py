"""Says what there is."""

from __future__ import annotations

from ci.commands import COMMANDS


def main() -> None:
    width = max(map(len, COMMANDS))
    for name, command in COMMANDS.items():
        print(f"  make {name:{width}}  {command.explanation}")
