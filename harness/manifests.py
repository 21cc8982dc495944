"""Rendered charts as objects that were checked before a test sees them.

Every object went through `validation.check`, and no two have the same name.
"""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .helm import Files, Helm, Values
from .validation import InvalidManifest, check, describe, strict_yaml, strict_yaml_all

Object = dict[str, Any]


@dataclass(frozen=True)
class Manifests:
    """The objects of a release, in the order in which Helm printed them."""

    all: tuple[Object, ...]

    def __iter__(self) -> Iterator[Object]:
        return iter(self.all)

    def by(self, kind: str, name: str | None = None) -> list[Object]:
        return [obj for obj in self if obj["kind"] == kind and name in (None, obj["metadata"]["name"])]

    def one(self, kind: str, name: str | None = None) -> Object:
        """The only object of that kind (and name). Raises LookupError with what there is instead."""
        matching = self.by(kind, name)
        if len(matching) != 1:
            there = ", ".join(sorted("/".join(key) for key in self.census())) or "nothing"
            raise LookupError(f"{len(matching)} objects are {kind} {name or ''}; rendered: {there}")
        return matching[0]

    def census(self) -> set[tuple[str, str]]:
        """(kind, name) of each object."""
        return {(obj["kind"], obj["metadata"]["name"]) for obj in self}


def render(
    chart: str | Path,
    values: Values | None = None,
    *,
    files: Files = (),
    name: str = "release-name",
    namespace: str = "default",
    kube_version: str | None = None,
    helm: Helm | None = None,
) -> Manifests:
    """Render a chart and check each object. The same arguments are rendered once in a run of the tests.

    Raises HelmError with the chart's message if it refuses the values, InvalidManifest if an object is
    wrong.
    """
    files = tuple(map(str, files))
    rendered = _render(helm or _default_helm(), str(chart), json.dumps(values), files, name, namespace, kube_version)
    return copy.deepcopy(rendered)


@functools.cache
def _default_helm() -> Helm:
    return Helm()


@functools.cache
def _render(helm: Helm, chart: str, values: str, files: Files, name: str, namespace: str, kube_version: str | None) -> Manifests:
    text = helm.template(chart, json.loads(values), files=files, name=name, namespace=namespace, kube_version=kube_version)
    return parse(text)


def parse(text: str) -> Manifests:
    """The objects of a YAML text, checked. Raises InvalidManifest."""
    objects = tuple(document for document in strict_yaml_all(text) if document is not None)
    seen: set[tuple[str, ...]] = set()
    for obj in objects:
        check(obj)
        metadata = obj["metadata"]
        key = (
            obj["apiVersion"].partition("/")[0],
            obj["kind"],
            metadata.get("namespace", ""),
            metadata["name"],
        )
        if key in seen:
            raise InvalidManifest(f"{describe(obj)} is rendered twice")
        seen.add(key)
    return Manifests(objects)


def pod_template(workload: Object) -> Object:
    """The pod, with metadata and spec, that a Deployment, StatefulSet, Job, CronJob or Pod runs."""
    if workload["kind"] == "CronJob":
        workload = workload["spec"]["jobTemplate"]
    return workload if workload.get("kind") == "Pod" else workload["spec"]["template"]


def containers(workload: Object) -> dict[str, Object]:
    """The containers of a workload by name, init containers and sidecars included."""
    spec = pod_template(workload)["spec"]
    return {container["name"]: container for container in [*spec.get("initContainers", []), *spec["containers"]]}


def env(container: Object) -> dict[str, Any]:
    """The environment by name: the text, or the `valueFrom` object."""
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container.get("env", [])}


def flink_config(manifests: Manifests, config_map: str | None = None) -> Object:
    """The options of Flink's config.yaml, from the only ConfigMap that has one, or the one of that name."""
    matching = [obj for obj in manifests.by("ConfigMap", config_map) if "config.yaml" in obj.get("data", {})]
    if len(matching) != 1:
        raise LookupError(f"{len(matching)} ConfigMaps hold a config.yaml: {[describe(obj) for obj in matching]}")
    return strict_yaml(matching[0]["data"]["config.yaml"])
