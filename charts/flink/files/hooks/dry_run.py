"""Has the API server look at the coming revision before anything is stopped for it."""

from __future__ import annotations

from typing import List

from . import kubernetes
from .errors import Failed, HttpError
from .kubernetes import Kubernetes
from .wanted import Json, Wanted


def check_objects(wanted: Wanted, kubernetes_: Kubernetes, *, lenient: bool) -> None:
    """Have the API server look at all objects of the coming revision before anything is stopped for them. Raises Failed."""
    refused: List[str] = []
    # A rollback brings back the values of a revision that was to force, and does not force itself.
    force = wanted.force_conflicts and not lenient
    for obj in wanted.objects:
        if obj["kind"] in _NOT_ASKED:
            continue
        error = kubernetes_.apply_dry(obj, force=force)
        if error:
            refused.append(_refusal(obj, error))
    named = [(f"pods of {obj['kind']} {obj['metadata']['name']}", pod) for obj in wanted.objects for pod in _pods_of(obj)]
    named += [(f"pod {pod['metadata']['name']}", pod) for pod in wanted.pods]
    for name, pod in named:
        error = kubernetes_.create_dry(pod)
        if error and not any(one in error.answer for one in _POD_MAY_COME):
            refused.append(f"{name}: {kubernetes.message(error)}")
    if refused:
        raise Failed(f"The API server would refuse this revision: {'; '.join(refused)}. Nothing was changed.")


# To ask for these takes the rights that they give.
_NOT_ASKED = ("Role", "RoleBinding")

# What is not so any more once the objects are there and the old pods are gone.
_POD_MAY_COME = ("exceeded quota", "error looking up service account", "cannot create resource")


def _refusal(obj: Json, error: HttpError) -> str:
    name = f"{obj['kind']} {obj['metadata']['name']}"
    conflicts = [f"{field} ({text})" for field, text in kubernetes.causes(error) if "conflict" in text]
    if error.status == 409 and conflicts:
        remedy = (
            "Give the release the values that are there now, undo the change, or overwrite it by helm upgrade --force-conflicts "
            "--set hooks.forceConflicts=true"
        )
        return f"{name}: others changed it: {'; '.join(conflicts)}. {remedy}"
    return f"{name}: {kubernetes.message(error)}"


def _pods_of(obj: Json) -> List[Json]:
    """A pod of each Deployment: what admits Deployments does not look at their pods."""
    if obj["kind"] != "Deployment":
        return []
    template = obj["spec"]["template"]
    metadata = {**template.get("metadata", {}), "name": f"{obj['metadata']['name']}-dry-run"[:63].rstrip("-")}
    return [{"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}]
