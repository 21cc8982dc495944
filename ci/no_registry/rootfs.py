"""Images of a minimal Debian, made from Debian's own packages."""

from __future__ import annotations

from collections.abc import Sequence

from ci.machine import debian, engine

_UNREAD = [f"usr/share/{directory}/*" for directory in ("doc", "info", "locale", "man")]


def prune(root: str, unwanted: Sequence[str] = ()) -> str:
    """A shell command that removes documentation and the `unwanted` paths (patterns, relative) from the directory `root`."""
    return f"cd {root} && rm -rf {' '.join([*_UNREAD, *unwanted])}"


def make(tag: str, codename: str, packages: list[str], *, variant: str, unwanted: Sequence[str] = ()) -> None:
    """Make an image of one layer that holds `packages` and what mmdebstrap's `variant` adds; apt checks what it fetches.

    What is `unwanted` is removed again, as prune() does it.
    """
    debian.provide({"mmdebstrap": "mmdebstrap"}, "a Debian image")
    # Without merged-usr, a package that merges /usr afterwards would come along, and Perl with it.
    hook = prune('"$1"', unwanted)
    hooks = ["--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr", f"--customize-hook={hook}"]
    command = ["mmdebstrap", "--quiet", f"--variant={variant}", f"--include={','.join(packages)}", *hooks, codename, "-"]
    engine.import_tar(command, tag)
