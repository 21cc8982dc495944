"""Where state is stored: URIs of directories, compared by what they mean."""

from __future__ import annotations

import posixpath
import re
from typing import Dict, Tuple

# The same bucket through other clients.
_ALIASES: Dict[str, str] = {"s3a": "s3", "s3p": "s3", "s3n": "s3", "": "file"}


def split(path: str) -> Tuple[str, str, str]:
    """(scheme, authority, path): of `file:///a`, `file:/a`, `/a/` and `/a/_metadata` it is ("file", "", "/a")."""
    scheme, rest = "", path
    match = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*):", path)
    if match:
        scheme, rest = match[1].lower(), path[match.end() :]
    authority = ""
    if rest.startswith("//") and match:
        authority, _, rest = rest[2:].partition("/")
    # normpath keeps two leading slashes.
    rest = posixpath.normpath("/" + rest.strip("/")) if rest.strip("/") else "/"
    if posixpath.basename(rest) == "_metadata":
        rest = posixpath.dirname(rest)
    return _ALIASES.get(scheme, scheme), authority, rest


def same(one: str, other: str) -> bool:
    """Whether two paths mean the same file; no path is only the same as no path."""
    if not one or not other:
        return one == other
    scheme, authority, path = split(one)
    other_scheme, other_authority, other_path = split(other)
    # Without an authority it is that of Hadoop's configuration, which nobody knows here.
    alike = authority == other_authority or not authority or not other_authority
    return (scheme, path) == (other_scheme, other_path) and alike


def below(path: str, directory: str) -> bool:
    """Whether a path is inside a directory, at any depth."""
    if not path or not directory:
        return False
    scheme, _, inner = split(path)
    other_scheme, _, outer = split(directory)
    return scheme == other_scheme and (inner + "/").startswith(outer.rstrip("/") + "/")


def scheme(path: str) -> str:
    return split(path)[0]
