"""What the API server would refuse, checked offline: unknown and repeated keys, wrong types, missing fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml
from kubernetes import client
from pydantic import ValidationError


class InvalidManifest(AssertionError):
    """A document that Kubernetes would refuse, or would take for something else than was meant."""


# Custom resources, by group: nothing is known here of their fields.
_CUSTOM = {
    "cert-manager.io": {"Certificate", "Issuer"},
    "flink.apache.org": {"FlinkDeployment", "FlinkSessionJob"},
    "gateway.networking.k8s.io": {"HTTPRoute", "BackendTLSPolicy"},
    "keda.sh": {"ScaledObject"},
    "monitoring.coreos.com": {"PodMonitor", "PrometheusRule"},
}


def describe(obj: Mapping[str, Any]) -> str:
    return f"{obj.get('kind')}/{(obj.get('metadata') or {}).get('name')}"


def check(obj: Any) -> None:
    """Raises InvalidManifest if the API server would not take `obj` as it stands."""
    if not isinstance(obj, dict) or not obj.get("kind") or not obj.get("apiVersion"):
        raise InvalidManifest(f"no Kubernetes object: {str(obj)[:200]}")
    if not (obj.get("metadata") or {}).get("name"):
        raise InvalidManifest(f"{obj['kind']} without a name")
    if obj["kind"] in _CUSTOM.get(obj["apiVersion"].partition("/")[0], ()):
        return
    obj = _with_text_quantities(obj)
    model = _model(obj["apiVersion"], obj["kind"])
    try:
        checked = model.model_validate(obj)
    except ValidationError as error:
        raise InvalidManifest(f"{describe(obj)}: {error}") from error
    # The models take Python's names too (container_port for containerPort): such a key does not come back.
    lost = sorted(set(_paths(obj)) - set(_paths(checked.model_dump(by_alias=True, exclude_unset=True))))
    if lost:
        raise InvalidManifest(f"{describe(obj)}: unknown keys {', '.join(lost)}")


def _model(api_version: str, kind: str) -> Any:
    """The client's model of a kind, such as V1Deployment, if its API group serves that kind."""
    group, _, version = api_version.rpartition("/")
    version = version.capitalize()
    parts = group.removesuffix(".k8s.io").split(".") if group else ["core"]
    api = getattr(client, "".join(map(str.capitalize, parts)) + version + "Api", None)
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind).lower()
    if not any(hasattr(api, f"{verb}_{snake}") for verb in ("create_namespaced", "create")):
        raise InvalidManifest(f"Kubernetes knows no kind {kind} in {api_version}")
    return getattr(client, version + kind)


def _with_text_quantities(node: Any) -> Any:
    """A copy with the quantities of limits and requests as text: the models, unlike Kubernetes, want that."""
    if isinstance(node, list):
        return [_with_text_quantities(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: {name: str(amount) if isinstance(amount, (int, float)) else amount for name, amount in value.items()}
        if key in ("limits", "requests") and isinstance(value, dict)
        else _with_text_quantities(value)
        for key, value in node.items()
    }


def _paths(node: Any, prefix: str = "") -> Iterable[str]:
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in entries:
        yield f"{prefix}{key}"
        yield from _paths(value, f"{prefix}{key}.")


class _StrictLoader(yaml.CSafeLoader):
    """YAML in which a key twice in one mapping is an error, as it is for Flink, and as nobody means it."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if twice := [key for key in keys if keys.count(key) > 1]:
            raise InvalidManifest(f"key {twice[0]!r} stands twice in one mapping, {node.start_mark}")
        return super().construct_mapping(node, deep)


def strict_yaml_all(text: str) -> Iterator[Any]:
    """The documents of a YAML text. Raises InvalidManifest where a mapping has a key twice."""
    return yaml.load_all(text, _StrictLoader)


def strict_yaml(text: str) -> Any:
    """The only document of a YAML text. Raises InvalidManifest where a mapping has a key twice."""
    (document,) = strict_yaml_all(text)
    return document
