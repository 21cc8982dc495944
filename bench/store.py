"""Results of measurements, one file for each kind: {"runs": [{...}, ...]}, a run per line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def runs(path: Path) -> list[dict[str, Any]]:
    """What was measured before."""
    runs: list[dict[str, Any]] = json.loads(path.read_text())["runs"] if path.exists() else []
    return runs


def add(path: Path, run: Mapping[str, Any]) -> None:
    text = ",\n".join(json.dumps(entry) for entry in [*runs(path), run])
    path.write_text(f'{{"runs": [\n{text}\n]}}\n')
