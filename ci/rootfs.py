"""Images of a minimal Debian, made from Debian's own packages."""

from __future__ import annotations

from ci import debian, engine

_UNREAD = ("doc", "info", "locale", "man")  # folders of /usr/share


def make(tag: str, codename: str, packages: list[str], *, variant: str) -> None:
    """Make an image of one layer that holds `packages` and what mmdebstrap's `variant` adds; apt checks what it fetches."""
    debian.provide({"mmdebstrap": "mmdebstrap"}, "a Debian image")
    prune = " ".join(f'"$1"/usr/share/{folder}/*' for folder in _UNREAD)
    # Without merged-usr, a package that merges /usr afterwards would come along, and Perl with it.
    hooks = ["--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr", f"--customize-hook=rm -rf {prune}"]
    command = ["mmdebstrap", "--quiet", f"--variant={variant}", f"--include={','.join(packages)}", *hooks, codename, "-"]
    engine.import_tar(command, tag)
