"""What applies a chart without Helm: Argo CD's phases, and `kubectl apply` of everything that `helm template` prints."""

from __future__ import annotations

from typing import Any

import yaml
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import NotFoundError

from ci.core.paths import FLINK
from harness import evidence
from harness.cluster import Cluster
from harness.helm import Helm, Values
from harness.waits import GiveUp, wait_for

Object = dict[str, Any]
# Argo CD's documentation, "Helm": which of Helm's hooks it takes for which of its phases. It knows no rollback.
_PHASES = {
    "pre-install": "PreSync",
    "pre-upgrade": "PreSync",
    "post-install": "PostSync",
    "post-upgrade": "PostSync",
    "post-delete": "PostDelete",
}
_HOOK, _WEIGHT, _POLICY = "helm.sh/hook", "helm.sh/hook-weight", "helm.sh/hook-delete-policy"


class Applier:
    """Applies the chart with values into a namespace, under a release's name."""

    def __init__(self, cluster: Cluster, namespace: str, name: str, manager: str) -> None:
        self._cluster = cluster
        self._client = DynamicClient(cluster.api)
        self._namespace = namespace
        self._name = name
        self._manager = manager

    def render(self, values: Values) -> list[Object]:
        text = Helm().template(FLINK, values, name=self._name, namespace=self._namespace)
        return [document for document in yaml.safe_load_all(text) if document]

    def apply(self, obj: Object) -> None:
        resource = self._client.resources.get(api_version=obj["apiVersion"], kind=obj["kind"])
        self._client.server_side_apply(
            resource,
            body=obj,
            name=obj["metadata"]["name"],
            namespace=self._namespace,
            field_manager=self._manager,
            force_conflicts=True,
        )

    def delete(self, obj: Object) -> None:
        resource = self._client.resources.get(api_version=obj["apiVersion"], kind=obj["kind"])
        name = obj["metadata"]["name"]

        def gone() -> bool:
            try:
                resource.get(name=name, namespace=self._namespace)
            except NotFoundError:
                return True
            return False

        try:
            resource.delete(name=name, namespace=self._namespace, body={"propagationPolicy": "Foreground"})
        except NotFoundError:
            return
        wait_for(gone, timeout=60, what=f"{obj['kind']} {name} to go")

    def wait_done(self, job: Object) -> None:
        """Raises GiveUp with its last line if a Job has failed."""
        name = job["metadata"]["name"]

        def done() -> bool:
            status = self._cluster.batch.read_namespaced_job(name, self._namespace).status
            if any(one.type == "Failed" and one.status == "True" for one in status.conditions or []):
                raise GiveUp(f"Job {name} failed: {self.log_of(name)}")
            return bool(status.succeeded)

        wait_for(done, timeout=300, what=f"Job {name}", on_timeout=lambda: evidence.summary(self._cluster, self._namespace))

    def log_of(self, job: str) -> str:
        """What the pods of a Job printed."""
        texts = []
        for pod in self._cluster.pods(self._namespace, f"batch.kubernetes.io/job-name={job}"):
            try:
                texts.append(self._cluster.log(self._namespace, pod.metadata.name))
            except ApiException as error:
                texts.append(str(error.reason))
        return "\n".join(texts)

    def wait_available(self, objects: list[Object]) -> None:
        def available() -> bool:
            names = [obj["metadata"]["name"] for obj in objects if obj["kind"] == "Deployment"]
            for name in names:
                live = self._cluster.apps.read_namespaced_deployment(name, self._namespace)
                counts = {live.status.replicas or 0, live.status.updated_replicas or 0, live.status.ready_replicas or 0}
                if (live.status.observed_generation or 0) < live.metadata.generation or counts != {live.spec.replicas}:
                    return False
            return True

        what = f"the Deployments of {self._name}"
        wait_for(available, timeout=240, what=what, on_timeout=lambda: evidence.summary(self._cluster, self._namespace))


class ArgoCD(Applier):
    def __init__(self, cluster: Cluster, namespace: str, name: str) -> None:
        super().__init__(cluster, namespace, name, "argocd-controller")

    def sync(self, values: Values) -> None:
        """PreSync, the objects, PostSync: the same at each sync, whether anything has changed or not."""
        objects = self.render(values)
        plain = [obj for obj in objects if not phases(obj)]
        self._run(objects, "PreSync")
        for obj in plain:
            if _HOOK not in (obj["metadata"].get("annotations") or {}):
                self.apply(obj)
        self.wait_available([obj for obj in plain if _HOOK not in (obj["metadata"].get("annotations") or {})])
        self._run(objects, "PostSync")

    def _run(self, objects: list[Object], phase: str) -> None:
        hooks = sorted((obj for obj in objects if phase in phases(obj)), key=_weight)
        for obj in hooks:
            if "before-hook-creation" in _policy(obj):
                self.delete(obj)
            self.apply(obj)
            if obj["kind"] == "Job":
                self.wait_done(obj)
        for obj in hooks:
            if "hook-succeeded" in _policy(obj):
                self.delete(obj)


def phases(obj: Object) -> set[str]:
    events = (obj["metadata"].get("annotations") or {}).get(_HOOK, "").split(",")
    return {_PHASES[event] for event in events if event in _PHASES}


def _weight(obj: Object) -> int:
    return int(obj["metadata"]["annotations"].get(_WEIGHT, "0"))


def _policy(obj: Object) -> list[str]:
    policy: list[str] = obj["metadata"]["annotations"].get(_POLICY, "").split(",")
    return policy


class Kubectl(Applier):
    def __init__(self, cluster: Cluster, namespace: str, name: str) -> None:
        super().__init__(cluster, namespace, name, "kubectl")

    def apply_all(self, values: Values) -> list[Object]:
        """Everything in the order in which `helm template` prints it, hooks as ordinary objects, at once; the Jobs among them."""
        objects = [obj for obj in self.render(values) if obj["kind"] != "Pod"]
        for obj in objects:
            self.apply(obj)
        return [obj for obj in objects if obj["kind"] == "Job"]

    def delete_all(self, values: Values) -> None:
        for obj in reversed(self.render(values)):
            self.delete(obj)
