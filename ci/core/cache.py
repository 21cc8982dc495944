"""A cache of built things outside the tree. An entry is a directory whose name is the hash of everything it was built from.

<root>/<name>/<key>         complete, never changed again
<root>/<name>/<key>.tmp     being built, or left by an interrupted build: the next build of that entry starts afresh
<root>/<name>/<key>.json    what the key was made from; marks the entry as ours
<root>/<name>/<key>.lock    held while the entry is being built
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


def root() -> Path:
    """$FLINK_HELM_CACHE, else flink-helm in the user's cache directory."""
    if own := os.environ.get("FLINK_HELM_CACHE"):
        return Path(own).resolve()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).resolve() / "flink-helm"


def key(inputs: Any) -> str:
    """16 hex digits of the sha256 of a JSON-able object; the order of a dict's keys does not matter."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]


def file_hash(*paths: Path) -> str:
    """sha256 over names and contents of files and, recursively, of directories: an input for `key`."""
    digest = hashlib.sha256()
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(path.parent)}\0".encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


@contextlib.contextmanager
def lock(file: Path) -> Iterator[None]:
    """Hold an exclusive lock between processes; it ends with its holder, however that ends."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def entry(name: str, inputs: Any, build: Callable[[Path], None]) -> Path:
    """Return the complete directory for `inputs`; `build(directory)` fills it where it does not exist yet."""
    directory = root() / name
    done = directory / key(inputs)
    if done.is_dir():
        return done
    with lock(done.with_suffix(".lock")):
        if done.is_dir():  # another process built it while this one waited
            return done
        temporary = done.with_suffix(".tmp")
        shutil.rmtree(temporary, ignore_errors=True)
        done.with_suffix(".json").write_text(json.dumps(inputs, sort_keys=True, indent=1) + "\n")
        temporary.mkdir()
        build(temporary)
        temporary.rename(done)
    return done


def clean() -> int:
    """Remove every entry and return their number. Files that no entry owns stay, whatever the root is set to."""
    removed = 0
    for record in sorted(root().glob("*/*.json")):
        if len(record.stem) != 16 or set(record.stem) - set("0123456789abcdef"):
            continue
        with lock(record.with_suffix(".lock")):
            for directory in (record.with_suffix(""), record.with_suffix(".tmp")):
                shutil.rmtree(directory, ignore_errors=True)
            record.unlink()
        record.with_suffix(".lock").unlink()
        removed += 1
        with contextlib.suppress(OSError):
            record.parent.rmdir()
    return removed
