"""What is in the images of Hive: jars, and for its metastore PostgreSQL, which is published as an archive in a jar."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ci.images import artifacts


def lay_out(names: Iterable[str], folder: Path) -> None:
    """The jars of these sets side by side, and PostgreSQL in `postgres`."""
    for name in names:
        for jar in artifacts.fetch(name).iterdir():
            if name == "postgres":
                _unpack_postgres(jar, folder / name)
            else:
                shutil.copy2(jar, folder)


def _unpack_postgres(jar: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as work:
        shutil.unpack_archive(jar, work, "zip")
        (archive,) = Path(work).glob("*.txz")
        shutil.unpack_archive(archive, folder, "xztar")
