"""Writes what editors show of values.yaml into values.schema.json of each chart: `python -m ci.charts.schema`, in the venv."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from ci.charts.defaults import FILES

Node = dict[str, Any]


def comments(text: str) -> dict[tuple[str, ...], str]:
    """Path of each key of values.yaml that has a comment `# -- ...` above it -> that comment, on one line."""
    lines = text.splitlines()
    documented = {}

    def visit(mapping: yaml.Node | None, path: tuple[str, ...]) -> None:
        for key, value in mapping.value if isinstance(mapping, yaml.MappingNode) else ():
            block: list[str] = []
            for line in reversed(lines[: key.start_mark.line]):
                if not line.lstrip().startswith("#"):
                    break
                block.insert(0, line.strip().removeprefix("#").strip())
                if block[0].startswith("-- "):
                    documented[(*path, key.value)] = re.sub(
                        r"^-- (\(\w+\) )?", "", " ".join(block)
                    )  # (int): a type for the table
                    break
            visit(value, (*path, key.value))

    visit(yaml.compose(text), ())
    return documented


def short(comment: str) -> str:
    """The first sentence: Helm stores the schema with each revision, in a Secret of at most 1 MiB. A comment that begins with one
    of the value's settings explains the others in the sentences after it, and stays whole."""
    sentence = re.match(r".+?\.(?= |$)", comment)
    return comment if comment.startswith("`") or not sentence else sentence[0]


def annotate(node: Node, values: Node, documented: dict[tuple[str, ...], str], shared: Node, path: tuple[str, ...] = ()) -> None:
    """Describe the properties of a schema. `shared`: what all kinds of pods take, which values.yaml shows at `jobmanager`."""
    for key, value in values.items():
        where = (*path, key)
        properties = shared if path == ("jobmanager",) and key in shared else node["properties"]
        if key not in properties:
            continue
        below = properties[key]
        described: Node = {}
        if where in documented:
            described["description"] = short(documented[where])
        elif "description" in below:
            described["description"] = below["description"]
        # Kinds of pods differ in their defaults, and texts of several lines are files.
        if properties is not shared and isinstance(value, str | int | float) and "\n" not in str(value):
            described["default"] = value
        properties[key] = described | {name: part for name, part in below.items() if name not in ("description", "default")}
        if isinstance(value, dict) and "properties" in below:
            annotate(properties[key], value, documented, shared, where)


def main() -> None:
    for file in (defaults.with_name("values.schema.json") for defaults in FILES):
        text = file.with_name("values.yaml").read_text()
        schema = json.loads(file.read_text())
        shared = schema.get("$defs", {}).get("role", {}).get("properties", {})
        annotate(schema, yaml.safe_load(text), comments(text), shared)
        file.write_text(json.dumps(schema, indent=2) + "\n")


if __name__ == "__main__":
    main()
