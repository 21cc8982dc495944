"""The two APIs that the hooks speak, with the standard library alone."""

from __future__ import annotations

import json
import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_MERGE = "application/merge-patch+json"
_APPLY = "application/apply-patch+yaml"


class Unreachable(Exception):
    """Nobody answered, or somebody who cannot answer yet."""


class Refused(Exception):
    """The server answered with an error: `status` is its HTTP code, `answer` what it said."""

    def __init__(self, method: str, path: str, status: int, answer: str) -> None:
        super().__init__(f"{method} {path}: {status}: {answer[:500]}")
        self.status = status
        self.answer = answer


class Http:
    def __init__(self, url: str, bearer: str = "", context: ssl.SSLContext | None = None) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        # A proxy of the environment leads out of the cluster, never to these two.
        handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)]
        self._opener = urllib.request.build_opener(*handlers)

    def call(self, method: str, path: str, body: Any = None, content: str = "application/json") -> Any:
        """The answer: JSON, or text where it is none. Raises Unreachable and Refused."""
        data = None if body is None else json.dumps(body).encode()
        headers = {**self._headers, "Content-Type": content}
        request = urllib.request.Request(f"{self._url}{path}", data, headers, method=method)
        try:
            with self._opener.open(request, timeout=10) as response:
                text = response.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            answer = error.read().decode(errors="replace")
            if error.code in (502, 503, 504):
                raise Unreachable(f"{method} {path}: {error.code}: {answer[:200]}") from error
            raise Refused(method, path, error.code, answer) from error
        except (OSError, ValueError) as error:
            raise Unreachable(f"{method} {self._url}{path}: {error}") from error
        try:
            return json.loads(text) if text else None
        except ValueError:
            return text


class Flink:
    """A JobManager's REST API."""

    def __init__(self, url: str) -> None:
        self._http = Http(url)

    def jobs(self) -> list[Json]:
        """All jobs, ended ones too, each with jid, name and state, newest first."""
        jobs = self._http.call("GET", "/jobs/overview")["jobs"]
        return sorted(jobs, key=lambda job: -job.get("start-time", 0))

    def overview(self) -> Json:
        """Numbers of the cluster, its slots among them."""
        return self._http.call("GET", "/overview")

    def job(self, job_id: str) -> Json | None:
        """The job with its vertices, None if it is not known."""
        return self._or_none(f"/jobs/{job_id}")

    def checkpoints(self, job_id: str) -> Json:
        return self._or_none(f"/jobs/{job_id}/checkpoints") or {}

    def checkpoint_timeout(self, job_id: str) -> float:
        """Seconds after which Flink gives a savepoint up; 0 if the job has no checkpoints."""
        return (self._or_none(f"/jobs/{job_id}/checkpoints/config") or {}).get("timeout", 0) / 1000

    def failure(self, job_id: str) -> str:
        """The first lines of the newest failure, and of its root."""
        history = (self._or_none(f"/jobs/{job_id}/exceptions") or {}).get("exceptionHistory", {})
        entries = history.get("entries") or []
        return first_lines(entries[0]["stacktrace"]) if entries else ""

    def trigger(self, job_id: str, what: str, body: Json) -> str:
        """Begin an operation (`stop`, `savepoints`); the id under which its end is asked for."""
        return self._http.call("POST", f"/jobs/{job_id}/{what}", body)["request-id"]

    def operation(self, job_id: str, trigger: str) -> tuple[bool, str, str]:
        """(whether it ended, location of the savepoint, reason of a failure)."""
        answer = self._http.call("GET", f"/jobs/{job_id}/savepoints/{trigger}")
        result = answer.get("operation") or {}
        cause = result.get("failure-cause") or {}
        reason = first_lines(cause.get("stack-trace") or cause.get("class") or "") if cause else ""
        return answer["status"]["id"] == "COMPLETED", result.get("location") or "", reason

    def cancel(self, job_id: str) -> None:
        self._http.call("PATCH", f"/jobs/{job_id}?mode=cancel")

    def dispose(self, savepoint: str) -> None:
        """Have a savepoint deleted; Flink does it by and by."""
        self._http.call("POST", "/savepoint-disposal", {"savepoint-path": savepoint})

    def _or_none(self, path: str) -> Json | None:
        try:
            return self._http.call("GET", path)
        except Refused as error:
            if error.status == 404:
                return None
            raise


def first_lines(stacktrace: str) -> str:
    """The first line of a Java stack trace and of its last cause."""
    lines = [line.strip() for line in stacktrace.splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith("Caused by: ")]
    return " ".join(line[:500] for line in [*lines[:1], *causes[-1:]])


class Kubernetes:
    """The objects of one namespace."""

    def __init__(self, url: str, namespace: str, bearer: str = "", context: ssl.SSLContext | None = None) -> None:
        self._http = Http(url, bearer, context)
        self._core = f"/api/v1/namespaces/{namespace}"
        self._apps = f"/apis/apps/v1/namespaces/{namespace}"

    @classmethod
    def of_this_pod(cls) -> Kubernetes:
        host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
        url = f"https://{f'[{host}]' if ':' in host else host}:{port}"
        namespace, bearer = ((_ACCOUNT / name).read_text() for name in ("namespace", "token"))
        return cls(url, namespace, bearer, ssl.create_default_context(cafile=str(_ACCOUNT / "ca.crt")))

    def config_map(self, name: str) -> dict[str, str] | None:
        """Its data, None if there is no such ConfigMap."""
        try:
            return self._http.call("GET", f"{self._core}/configmaps/{name}").get("data") or {}
        except Refused as error:
            if error.status == 404:
                return None
            raise

    def create_config_map(self, name: str, labels: Json, data: dict[str, str]) -> None:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}, "data": data}
        self._http.call("POST", f"{self._core}/configmaps", body)

    def patch_config_map(self, name: str, data: dict[str, str | None]) -> None:
        """Set keys; None removes one."""
        self._http.call("PATCH", f"{self._core}/configmaps/{name}", {"data": data}, _MERGE)

    def config_maps(self, selector: str) -> list[str]:
        answer = self._http.call("GET", f"{self._core}/configmaps?labelSelector={selector}")
        return [item["metadata"]["name"] for item in answer["items"]]

    def delete_config_map(self, name: str) -> None:
        try:
            self._http.call("DELETE", f"{self._core}/configmaps/{name}")
        except Refused as error:
            if error.status != 404:
                raise

    def pods(self, selector: str) -> list[Json]:
        return self._http.call("GET", f"{self._core}/pods?labelSelector={selector}")["items"]

    def delete_pods(self, selector: str) -> None:
        self._http.call("DELETE", f"{self._core}/pods?labelSelector={selector}")

    def log(self, pod: str, container: str, previous: bool = False) -> str:
        path = f"{self._core}/pods/{pod}/log?container={container}&tailLines=400&previous={str(previous).lower()}"
        try:
            return str(self._http.call("GET", path) or "")
        except Refused:
            return ""

    def restart(self, deployment: str, reason: str) -> None:
        """Replace the pods of a Deployment, by an annotation that belongs to nobody else."""
        metadata = {"annotations": {"flink/restarted-for": reason}}
        self._http.call("PATCH", f"{self._apps}/deployments/{deployment}", {"spec": {"template": {"metadata": metadata}}}, _MERGE)

    def deployment(self, name: str) -> Json | None:
        try:
            return self._http.call("GET", f"{self._apps}/deployments/{name}")
        except Refused as error:
            if error.status == 404:
                return None
            raise

    def conflicts(self, deployment: Json) -> list[str]:
        """`field (manager)` for what Helm 4 could not set in a Deployment, because another changed it."""
        name = deployment["metadata"]["name"]
        path = f"{self._apps}/deployments/{name}?dryRun=All&fieldManager=flink-hooks"
        try:
            self._http.call("PATCH", path, deployment, _APPLY)
        except Refused as error:
            if error.status != 409:
                raise
            causes = json.loads(error.answer).get("details", {}).get("causes", [])
            return [f"{c['field']} ({c['message']})" for c in causes if 'conflict with "helm"' not in c["message"]]
        return []
