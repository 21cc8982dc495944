"""Writes charts/flink/defaults.json, on which templates fall back, from values.yaml: `python -m ci.defaults`, in the venv."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml

from ci.versions import REPO

FILE = REPO / "charts" / "flink" / "defaults.json"


def leaves(values: dict[str, Any], schema: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """(path, default) of each value. One whose schema takes null is left out: there null says something."""
    for key, value in values.items():
        node = schema["properties"].get(key, {})
        if isinstance(value, dict) and "properties" in node:
            yield from leaves(value, node, (*path, key))
        elif "null" not in node.get("type", ()):
            yield ".".join((*path, key)), value


def main() -> None:
    values = yaml.safe_load((FILE.parent / "values.yaml").read_text())
    schema = json.loads((FILE.parent / "values.schema.json").read_text())
    FILE.write_text(json.dumps(dict(leaves(values, schema)), indent=1) + "\n")


if __name__ == "__main__":
    main()
