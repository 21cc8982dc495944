"""The API server of one namespace, and its controllers of Deployments and pods."""

from __future__ import annotations

import copy
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.unit.fakes import merge

Json = dict[str, Any]
PLURALS = {
    "ConfigMap": "configmaps",
    "Pod": "pods",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "Deployment": "deployments",
}
START, GRACE = 1.0, 2.0  # seconds from a pod to its process, and to the end of one that was deleted


class Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.answer = json.dumps({"message": message})


def text(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def selected(labels: Json, selector: str) -> bool:
    for term in filter(None, selector.split(",")):
        name, differs, value = term.partition("!=")
        if differs:
            if labels.get(name) == value:
                return False
        else:
            name, _, value = term.partition("=")
            if labels.get(name) != value:
                return False
    return True


@dataclass
class Kubernetes:
    now: float
    objects: dict[str, dict[str, Json]] = field(default_factory=lambda: {plural: {} for plural in PLURALS.values()})
    ends: dict[str, float] = field(default_factory=dict)  # pod -> when it is gone
    starts: dict[str, float] = field(default_factory=dict)  # pod -> when its container starts
    version: int = 0

    def kind(self, plural: str) -> dict[str, Json]:
        return self.objects[plural]

    # The API

    def request(self, method: str, path: str, body: Json | None) -> Any:
        path, _, query = path.partition("?")
        if path in ("/api/v1", "/apis/apps/v1"):
            return {"resources": [{"kind": kind, "name": plural} for kind, plural in PLURALS.items()]}
        plural, *names = path.split("/namespaces/n/")[1].split("/")
        known = self.objects[plural]
        selector = unquote(query.partition("labelSelector=")[2])
        if "dryRun" in query:
            return self._dry(method, known, names, body or {})
        match method, names:
            case "GET", []:
                items = [one for one in known.values() if selected(one["metadata"].get("labels") or {}, selector)]
                return {"items": copy.deepcopy(items)}
            case "DELETE", [] if plural == "pods":
                for one in list(known.values()):
                    if selected(one["metadata"]["labels"], selector):
                        self.end_pod(one["metadata"]["name"])
                return {}
            case "POST", []:
                return self._create(known, body or {})
        name = names[0]
        if name not in known:
            raise Refused(404, f"{plural} {name!r} not found")
        match method:
            case "GET":
                return copy.deepcopy(known[name])
            case "DELETE" if plural == "pods":
                if (body or {}).get("preconditions", {}).get("uid") != known[name]["metadata"]["uid"]:
                    raise Refused(409, "another uid")
                self.end_pod(name)
                return {}
            case "DELETE":
                return known.pop(name)
            case "PATCH":
                return self._patch(known[name], body or {})
        raise Refused(405, method)

    def _dry(self, method: str, known: dict[str, Json], names: list[str], body: Json) -> Json:
        if method == "POST" and body["metadata"]["name"] in known:
            raise Refused(409, "already exists")
        self.admit(body)
        return body

    def admit(self, body: Json) -> None:
        if any(" " in value for value in (body["metadata"].get("labels") or {}).values()):
            raise Refused(422, f"{body['kind']} {body['metadata']['name']} is invalid: metadata.labels: Invalid value")

    def _create(self, known: dict[str, Json], body: Json) -> Json:
        name = body["metadata"]["name"]
        if name in known:
            raise Refused(409, f"{name} already exists")
        known[name] = copy.deepcopy(body)
        known[name]["metadata"].setdefault("creationTimestamp", text(self.now))
        self._changed(known[name])
        return copy.deepcopy(known[name])

    def _patch(self, live: Json, body: Json) -> Json:
        version = body.get("metadata", {}).get("resourceVersion")
        if version and version != live["metadata"]["resourceVersion"]:
            raise Refused(409, "the object has been modified")
        before = copy.deepcopy(live.get("spec"))
        merge(live, body)
        if live.get("spec") != before:
            live["metadata"]["generation"] = live["metadata"].get("generation", 0) + 1
        self._changed(live)
        return copy.deepcopy(live)

    def _changed(self, live: Json) -> None:
        self.version += 1
        live["metadata"]["resourceVersion"] = str(self.version)

    # What Helm and kubectl do

    def apply(self, obj: Json) -> None:
        """As Helm does, of objects to which nobody else adds anything."""
        self.admit(obj)
        known = self.objects[PLURALS[obj["kind"]]]
        name = obj["metadata"]["name"]
        live = known.get(name)
        if live is None or live["metadata"].get("deletionTimestamp"):
            new = copy.deepcopy(obj)
            self.version += 1
            new["metadata"] |= {"uid": f"uid-{self.version}", "creationTimestamp": text(self.now), "generation": 1}
            self._changed(new)
            known[name] = new
            return
        before = copy.deepcopy(live.get("spec"))
        live["metadata"]["annotations"] = copy.deepcopy(obj["metadata"].get("annotations") or {})
        live["metadata"]["labels"] = copy.deepcopy(obj["metadata"]["labels"])
        if "spec" in obj:
            live["spec"] = copy.deepcopy(obj["spec"])
            if live["spec"] != before:
                live["metadata"]["generation"] = live["metadata"].get("generation", 0) + 1
        self._changed(live)

    def remove(self, kind: str, name: str) -> None:
        live = self.objects[PLURALS[kind]].get(name)
        if live is None:
            return
        if kind == "PersistentVolumeClaim":
            live["metadata"]["deletionTimestamp"] = text(self.now)
            return
        del self.objects[PLURALS[kind]][name]

    # Controllers

    def tick(self, now: float) -> list[str]:
        """UIDs of claims that are gone now."""
        self.now = now
        pods = self.objects["pods"]
        for name in [name for name, end in self.ends.items() if end <= now]:
            del self.ends[name]
            pods.pop(name, None)
            self.starts.pop(name, None)
        for pod in list(pods.values()):
            owner = pod["metadata"].get("deployment")
            if owner and owner not in self.objects["deployments"]:
                self.end_pod(pod["metadata"]["name"])
        for name, live in self.objects["deployments"].items():
            self._roll_out(name, live)
        gone = []
        claims = self.objects["persistentvolumeclaims"]
        for pod in pods.values():
            # A pod that mounts a claim which is to go is not placed on a node.
            if "deletionTimestamp" not in claims.get(claim_of(pod), {"metadata": {"deletionTimestamp": ""}})["metadata"]:
                pod["claim"] = claim_of(pod)
        for name, claim in list(claims.items()):
            if claim["metadata"].get("deletionTimestamp") and not any(pod.get("claim") == name for pod in pods.values()):
                gone.append(claim["metadata"]["uid"])
                del claims[name]
        return gone

    def _roll_out(self, name: str, live: Json) -> None:
        template, replicas = live["spec"]["template"], live["spec"].get("replicas", 1)
        version = json.dumps(template, sort_keys=True)
        mine = [pod for pod in self.objects["pods"].values() if pod["metadata"].get("deployment") == name]
        current = [pod for pod in mine if pod["template"] == version and pod["metadata"]["name"] not in self.ends]
        for pod in mine:
            if pod not in current or replicas == 0:
                self.end_pod(pod["metadata"]["name"])
        missing = replicas - len(current)
        # As with strategy Recreate: those of the old template are gone first. One that is deleted is replaced at once.
        if missing > 0 and all(pod["template"] == version for pod in mine):
            for _ in range(missing):
                current.append(self.start_pod(name, template, version))
        ready = sum(1 for pod in current if is_ready(pod))
        live["status"] = {
            "observedGeneration": live["metadata"].get("generation", 0),
            "replicas": len(mine),
            "updatedReplicas": len(current),
            "readyReplicas": ready,
        }

    def start_pod(self, owner: str, template: Json, version: str = "") -> Json:
        self.version += 1
        name = f"{owner}-7f-{self.version}"
        began = text(self.now)
        pod = {
            "kind": "Pod",
            "template": version,
            "metadata": {
                "name": name,
                "uid": name,
                "labels": dict(template["metadata"]["labels"]),
                "annotations": dict(template["metadata"].get("annotations") or {}),
                "creationTimestamp": began,
                "deployment": owner,
            },
            "spec": copy.deepcopy(template["spec"]),
            "status": {
                "phase": "Pending",
                "startTime": began,
                "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": began}],
                "containerStatuses": [{"name": template["spec"]["containers"][0]["name"], "restartCount": 0}],
            },
        }
        self.objects["pods"][name] = pod
        self.starts[name] = self.now + START
        return pod

    def end_pod(self, name: str) -> None:
        if name in self.objects["pods"]:
            self.ends.setdefault(name, self.now + GRACE)
            self.objects["pods"][name]["metadata"].setdefault("deletionTimestamp", text(self.now))

    def lose_pod(self, name: str) -> None:
        """Its node is gone."""
        self.ends[name] = self.now

    def set_ready(self, name: str, ready: bool) -> None:
        pod = self.objects["pods"].get(name)
        if pod is None:
            return
        condition = pod["status"]["conditions"][0]
        value = "True" if ready else "False"
        if condition["status"] != value:
            condition.update(status=value, lastTransitionTime=text(self.now + 4))
        if ready:
            pod["status"]["phase"] = "Running"

    def mounts(self, pod: Json) -> dict[str, str]:
        """Path -> UID of the claim that a pod has there."""
        mounted = {}
        held = pod.get("claim", "") if "metadata" in pod else claim_of(pod)
        for mount in pod["spec"]["containers"][0].get("volumeMounts") or []:
            claim = self.objects["persistentvolumeclaims"].get(held)
            if claim:
                mounted[mount["mountPath"]] = claim["metadata"]["uid"]
        return mounted


def claim_of(pod: Json) -> str:
    for volume in pod["spec"].get("volumes") or []:
        if "persistentVolumeClaim" in volume:
            return str(volume["persistentVolumeClaim"]["claimName"])
    return ""


def is_ready(pod: Json) -> bool:
    return bool(pod["status"]["conditions"][0]["status"] == "True")
