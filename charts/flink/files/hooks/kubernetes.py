"""The objects of one namespace in Kubernetes.

Requests are retried until the deadline: the API server may be unreachable for a minute, limit the rate, or not know yet the Role
that was created a second ago.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple
from urllib.parse import quote

from . import clock
from .clock import Deadline
from .errors import HttpError, LookAgain, Unreachable
from .http_client import Http, trusting

Json = Dict[str, Any]

# By these pods and Deployments of a release are selected. What applies them may write another instance over that of a Deployment,
# but not into its pods.
INSTANCE, COMPONENT = "app.kubernetes.io/instance", "app.kubernetes.io/component"

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_MERGE = "application/merge-patch+json"
_APPLY = "application/apply-patch+yaml"
# A Role that was just made may take seconds to be known to each API server.
_RIGHTS_SECONDS = 20
_BUSY = (408, 429, 500)


class Kubernetes:
    def __init__(self, http: Http, namespace: str, deadline: Deadline) -> None:
        self._http = http
        self._namespace = namespace
        self._deadline = deadline
        self._plurals: Dict[str, Dict[str, str]] = {}

    @classmethod
    def of_this_pod(cls, deadline: Deadline) -> Kubernetes:
        host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
        url = f"https://{f'[{host}]' if ':' in host else host}:{port}"
        namespace, bearer = ((_ACCOUNT / name).read_text() for name in ("namespace", "token"))
        return cls(Http(url, bearer, trusting(str(_ACCOUNT / "ca.crt"))), namespace, deadline)

    # ConfigMaps

    def config_map(self, name: str) -> Optional[Json]:
        return self._or_none(self._core("configmaps", name))

    def create_config_map(self, name: str, labels: Json, data: Dict[str, str], annotations: Optional[Json] = None) -> Json:
        """Raises LookAgain if there is one."""
        metadata = {"name": name, "labels": labels, "annotations": annotations or {}}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        return self._write("POST", self._core("configmaps"), body)

    def patch_config_map(
        self, name: str, data: Dict[str, Optional[str]], version: str = "", labels: Optional[Json] = None
    ) -> Json:
        """Set keys, None removes one. Raises LookAgain if it is not of this resourceVersion any more."""
        metadata: Json = {"labels": labels} if labels else {}
        if version:
            metadata["resourceVersion"] = version
        body: Json = {"metadata": metadata, "data": data}
        return self._write("PATCH", self._core("configmaps", name), body, _MERGE)

    def config_map_is_there(self, name: str, labels: Json) -> bool:
        """Asked without the right to read it: whether one of that name could not be made."""
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}}
        try:
            self._call("POST", self._core("configmaps") + "?dryRun=All", body)
        except HttpError as error:
            if error.status == 409:
                return True
            raise
        return False

    def config_maps(self, selector: str) -> List[str]:
        return [item["metadata"]["name"] for item in self._list(self._core("configmaps"), selector)]

    def delete_config_map(self, name: str) -> None:
        try:
            self._call("DELETE", self._core("configmaps", name))
        except HttpError as error:
            if error.status != 404:
                raise

    # Secrets, which no hook reads by this way

    def create_secret(self, name: str, labels: Json, data: Dict[str, str]) -> None:
        """Raises LookAgain if there is one."""
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "labels": labels}, "data": data}
        self._write("POST", self._core("secrets"), body)

    def patch_secret(self, name: str, data: Dict[str, str]) -> None:
        self._write("PATCH", self._core("secrets", name), {"data": data}, _MERGE)

    # Pods, Deployments and PVCs

    def pods(self, selector: str) -> List[Json]:
        return self._list(self._core("pods"), selector)

    def delete_pods(self, selector: str) -> None:
        self._call("DELETE", f"{self._core('pods')}?labelSelector={quote(selector)}")

    def delete_pod(self, name: str, uid: str) -> None:
        """Delete this one, not one of the same name that followed it."""
        try:
            self._call("DELETE", self._core("pods", name), {"preconditions": {"uid": uid}})
        except HttpError as error:
            if error.status not in (404, 409):
                raise

    def deployment(self, name: str) -> Optional[Json]:
        return self._or_none(f"/apis/apps/v1/namespaces/{self._namespace}/deployments/{name}")

    def deployments(self, selector: str) -> List[Json]:
        return self._list(f"/apis/apps/v1/namespaces/{self._namespace}/deployments", selector)

    def claim(self, name: str) -> Optional[Json]:
        return self._or_none(self._core("persistentvolumeclaims", name))

    # Dry runs

    def apply_dry(self, obj: Json, *, force: bool) -> Optional[HttpError]:
        """What the API server has against an object of the coming revision, None if nothing.

        As Helm 4 applies it: server-side, so that fields which others changed are conflicts, unless it is told to `force` them.
        Whoever else manages the object (Helm 3, Flux, Argo CD) overwrites these.
        """
        path = f"{self._collection(obj)}/{obj['metadata']['name']}"
        helms = [entry for entry in _managers((self._or_none(path) or {}).get("metadata", {})) if is_of_helm(entry)]
        last = max(helms, key=lambda entry: str(entry.get("time", "")), default={})
        manager = last.get("manager", _HELM)
        heeds = last.get("operation") == "Apply" and manager != _FLUX
        option = "" if heeds and not force else "&force=true"
        return self._dry("PATCH", f"{path}?dryRun=All&fieldManager={quote(manager)}{option}", obj, _APPLY)

    def create_dry(self, obj: Json) -> Optional[HttpError]:
        return self._dry("POST", f"{self._collection(obj)}?dryRun=All", obj)

    def _dry(self, method: str, path: str, obj: Json, content: str = "application/json") -> Optional[HttpError]:
        try:
            self._call(method, path, obj, content)
        except HttpError as error:
            return error
        return None

    def _collection(self, obj: Json) -> str:
        version, kind = obj["apiVersion"], obj["kind"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if version not in self._plurals:
            known = self._call("GET", root)["resources"]
            self._plurals[version] = {item["kind"]: item["name"] for item in known if "/" not in item["name"]}
        if kind not in self._plurals[version]:
            raise HttpError("GET", root, 404, f"this cluster has no {kind} of {version}")
        return f"{root}/namespaces/{self._namespace}/{self._plurals[version][kind]}"

    # The way there

    def _core(self, *names: str) -> str:
        return "/".join((f"/api/v1/namespaces/{self._namespace}", *names))

    def _list(self, path: str, selector: str) -> List[Json]:
        items: List[Json] = self._call("GET", f"{path}?labelSelector={quote(selector)}")["items"]
        return items

    def _or_none(self, path: str) -> Optional[Json]:
        try:
            answer: Json = self._call("GET", path)
            return answer
        except HttpError as error:
            if error.status == 404:
                return None
            raise

    def _write(self, method: str, path: str, body: Json, content: str = "application/json") -> Json:
        try:
            answer: Json = self._call(method, path, body, content)
            return answer
        except HttpError as error:
            if error.status in (404, 409):
                raise LookAgain(str(error)) from error
            raise

    def _call(self, method: str, path: str, body: Any = None, content: str = "application/json") -> Any:
        refused_since = 0.0
        for _ in self._deadline.ticks(every=1):
            last: Exception
            try:
                answer = self._http.call(method, path, body, content)
            except Unreachable as error:
                last = error
                continue
            except HttpError as error:
                last = error
                if error.status in (401, 403) and not _dry_run_answer(path, error):
                    refused_since = refused_since or clock.monotonic()
                    if clock.monotonic() - refused_since < _RIGHTS_SECONDS:
                        continue
                elif error.status in _BUSY and not _is_unreadable(path, error):
                    continue
                raise
            if answer is not None and not isinstance(answer, dict):
                last = Unreachable(f"{method} {path}: this is no answer of Kubernetes: {str(answer)[:100]}")
                continue
            return answer
        raise Unreachable(f"Kubernetes did not answer for {self._deadline.seconds:g} s (hooks.timeoutSeconds): {last}") from last


# Managers of fields: Flux calls Helm's own code so, and has it overwrite what others changed.
_HELM, _FLUX = "helm", "helm-controller"
_HELMS_NAME, _LAST_APPLIED = "meta.helm.sh/release-name", "kubectl.kubernetes.io/last-applied-configuration"


def _managers(metadata: Json) -> List[Json]:
    managers: List[Json] = metadata.get("managedFields") or []
    return managers


def is_of_helm(entry: Json) -> bool:
    """Whether an entry of managedFields is of Helm, whatever it is called there."""
    return entry.get("manager") in (_HELM, _FLUX) or _owns(entry, _HELMS_NAME)


def was_applied_since(metadata: Json, annotation: str) -> bool:
    """Whether something else has applied an object since Helm did, which leaves Helm's annotations where they are.

    Who applies all of it applies the `annotation` too. A field may have another owner; and a person's `kubectl scale`, `edit` or
    `rollout restart` changes one, and applies nothing.
    """
    times: Dict[bool, str] = {}
    for entry in _managers(metadata):
        by_helm = is_of_helm(entry)
        by_server = entry.get("operation") == "Apply" and _owns(entry, annotation)
        if by_helm or by_server or _owns(entry, _LAST_APPLIED):
            times[by_helm] = max(times.get(by_helm, ""), str(entry.get("time", "")))
    return times.get(False, "") > times.get(True, "")


def _owns(entry: Json, annotation: str) -> bool:
    fields = (entry.get("fieldsV1") or {}).get("f:metadata") or {}
    return f"f:{annotation}" in (fields.get("f:annotations") or {})


def _dry_run_answer(path: str, error: HttpError) -> bool:
    """Whether an admission rule has refused the object, and not the Role the request."""
    return "dryRun" in path and "cannot " not in error.answer


def _is_unreadable(path: str, error: HttpError) -> bool:
    """An object that the API server cannot read at all is answered with 500, and so is a webhook that is unreachable."""
    return error.status == 500 and "dryRun" in path and "webhook" not in error.answer


def causes(error: HttpError) -> List[Tuple[str, str]]:
    """(field, message) of what the API server names in its refusal."""
    details = _status(error).get("details") or {}
    return [(cause.get("field", ""), cause.get("message", "")) for cause in details.get("causes") or []]


def message(error: HttpError) -> str:
    return str(_status(error).get("message") or error)


def _status(error: HttpError) -> Json:
    """The API server's Status; {} if somebody else has answered."""
    try:
        status = json.loads(error.answer)
    except ValueError:
        return {}
    return status if isinstance(status, dict) else {}
