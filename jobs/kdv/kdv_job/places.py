"""Where broken and late records go: a topic, a directory, or nowhere. A place with a scheme is a directory."""

from __future__ import annotations

import argparse
import posixpath
import re
from urllib.parse import urlsplit

REJECT_BYTES = 2_097_176  # of a record with a reject: twice what a broker takes by default


def is_directory(place: str) -> bool:
    return "://" in place


def dead_letters(args: argparse.Namespace) -> str:
    """The place of broken records, empty for none."""
    return args.dead_letters if args.on_error == "deadLetter" else ""


def reject_topics(args: argparse.Namespace) -> list[str]:
    """The topics that broken and late records go to, none where they go to directories."""
    return [place for place in (dead_letters(args), args.late_records) if place and not is_directory(place)]


def overlap(one: str, other: str) -> bool:
    """Whether two directories, as URIs, are the same or one contains the other."""
    paths = [_normalized(uri) for uri in (one, other)]
    return paths[0].startswith(paths[1]) or paths[1].startswith(paths[0])


def _normalized(uri: str) -> str:
    """One spelling of a directory: a path without a scheme is a file, and a store has one scheme."""
    parts = urlsplit(uri)
    scheme = re.sub(r"^s3[anp]$", "s3", parts.scheme or "file")
    authority = "" if (scheme, parts.netloc) == ("file", "localhost") else parts.netloc
    path = parts._replace(scheme="", netloc="").geturl()
    return f"{scheme}:{posixpath.normpath(f'/{authority}/{path}')}/".replace("//", "/")
