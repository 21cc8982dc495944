"""Files of jobs that the values name by a URL.

`python3 -m hooks.download URL SHA256 PATH` fetches one before a JobManager starts.
"""

from __future__ import annotations

import hashlib
import http.client
import sys
import urllib.error
import urllib.request
from pathlib import Path

from .errors import Failed

_CHUNK = 1 << 20


def fetch(url: str, sha256: str, to: str) -> None:
    """Read a file, write it to the path `to`, and check it. A proxy of the environment is used. Raises Failed."""
    digest = hashlib.sha256()
    # The query may be a signature, which must not be in the pod's log.
    shown, _, query = url.partition("?")
    path = Path(to)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(url, timeout=30) as response, path.open("wb") as file:
            while True:
                chunk = response.read(_CHUNK)
                if not chunk:
                    break
                digest.update(chunk)
                file.write(chunk)
    except (OSError, ValueError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        why = str(error).replace(query, "...") if query else str(error)
        raise Failed(f"{shown} could not be read: {why}. Look whether a pod can reach it.") from None
    if digest.hexdigest() != sha256:
        raise Failed(
            f"{shown} is another file than the one that was asked for: its SHA-256 is {digest.hexdigest()}, not {sha256}."
        )


if __name__ == "__main__":
    try:
        fetch(*sys.argv[1:4])
    except Failed as failure:
        sys.exit(f"Error: {failure}")
