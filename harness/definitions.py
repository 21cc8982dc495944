"""Custom resources against their definitions: what the API server refuses, and what it would drop without a word."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from .validation import InvalidManifest, describe


class Definitions:
    """The custom resource definitions in a jar of the Flink Kubernetes Operator's API."""

    def __init__(self, jar: Path) -> None:
        self.objects: list[dict[str, Any]] = []
        with zipfile.ZipFile(jar) as archive:
            for name in sorted(archive.namelist()):
                if name.startswith("META-INF/fabric8/") and name.endswith("-v1.yml"):
                    self.objects.append(yaml.load(archive.read(name), yaml.CSafeLoader))

    def spec(self, kind: str) -> dict[str, Any]:
        """The schema of the spec of a kind."""
        (definition,) = (obj for obj in self.objects if obj["spec"]["names"]["kind"] == kind)
        (version,) = definition["spec"]["versions"]
        spec: dict[str, Any] = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
        return spec

    def check(self, obj: Mapping[str, Any]) -> None:
        """Raises InvalidManifest with each field that has another type or value, or that the definition does not know."""
        validator = jsonschema.Draft202012Validator(_closed(self.spec(obj["kind"])))
        errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(obj["spec"])]
        if errors:
            raise InvalidManifest(f"{describe(obj)}: {'; '.join(errors)}")


def _closed(schema: Any) -> Any:
    """A schema that knows no other fields than those it names, as the API server keeps no others."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        closed.setdefault("additionalProperties", bool(schema.get("x-kubernetes-preserve-unknown-fields", False)))
    return closed
