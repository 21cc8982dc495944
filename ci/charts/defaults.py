"""Writes defaults.json of each chart, on which templates fall back, from values.yaml.

`python -m ci.charts.defaults`, in .build/venv: it reads YAML.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml

from ci.core.paths import CHARTS

FILES = [chart / "defaults.json" for chart in CHARTS]


def leaves(values: dict[str, Any], schema: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """(path, default) of each value. One whose schema takes null is left out: there null says something."""
    for key, value in values.items():
        node = schema["properties"].get(key, {})
        if isinstance(value, dict) and "properties" in node:
            yield from leaves(value, node, (*path, key))
        elif "null" not in node.get("type", ()):
            yield ".".join((*path, key)), value


def main() -> None:
    for file in FILES:
        chart, values = (yaml.safe_load((file.parent / name).read_text()) for name in ("Chart.yaml", "values.yaml"))
        below = {dependency["name"] for dependency in chart.get("dependencies", [])}
        schema = json.loads((file.parent / "values.schema.json").read_text())
        own = {key: value for key, value in values.items() if key not in below}
        file.write_text(json.dumps(dict(leaves(own, schema)), indent=1) + "\n")


if __name__ == "__main__":
    main()
