"""A Kubernetes cluster as tests use it: namespaces, pods, commands in pods."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import NotFoundError
from kubernetes.stream import stream

from .waits import wait_for

# Runs a command in some pod, with text for its standard input, and returns its standard output.
Run = Callable[..., str]


# Runs a command with as many bytes of standard input, says that its output ends, and stays until somebody has read that: a node
# under load can lose the end of what a command wrote before it ended. Seen with `flink run`, whose last line was missing.
_END = b"\0the end\0"
_WHOLE = r"""
size=$1; shift
if [ "$size" -gt 0 ]; then head -c "$size" | "$@"; else "$@" </dev/null; fi
code=$?
printf '\000the end\000'; printf '\000the end\000' >&2
read -r _
exit "$code"
"""


class CommandFailed(RuntimeError):
    """A command in a pod ended with a code other than 0; the text holds the command and its output."""


class Cluster:
    """The cluster that a kubeconfig file names as its current one."""

    def __init__(self, kubeconfig: str | Path) -> None:
        self.kubeconfig = Path(kubeconfig)
        self.api = config.new_client_from_config(str(kubeconfig))
        self.core: Any = client.CoreV1Api(self.api)
        self.apps: Any = client.AppsV1Api(self.api)
        self.batch: Any = client.BatchV1Api(self.api)

    def create_namespace(self, name: str, labels: dict[str, str] | None = None) -> None:
        """Make a namespace that is ready for pods."""
        metadata = client.V1ObjectMeta(name=name, labels=labels)
        self.core.create_namespace(client.V1Namespace(metadata=metadata))
        wait_for(
            lambda: self.core.read_namespaced_service_account("default", name),
            timeout=60,
            what=f"the ServiceAccount of namespace {name}",
        )

    def delete_namespace(self, name: str, *, timeout: float = 180) -> None:
        """Delete a namespace, if it exists, and wait until it is gone."""

        def gone() -> bool:
            try:
                self.core.read_namespace(name)
            except ApiException as error:
                return error.status == 404
            return False

        with suppress(ApiException):
            self.core.delete_namespace(name)
        wait_for(gone, timeout=timeout, what=f"namespace {name} to go")

    def pods(self, namespace: str, selector: str = "") -> list[Any]:
        """The pods (V1Pod) with these labels that are not about to go."""
        pods = self.core.list_namespaced_pod(namespace, label_selector=selector).items
        return [pod for pod in pods if pod.metadata.deletion_timestamp is None]

    def pod(self, namespace: str, selector: str) -> str:
        """The name of the only pod with these labels. Raises LookupError."""
        names = [pod.metadata.name for pod in self.pods(namespace, selector)]
        if len(names) != 1:
            raise LookupError(f"{len(names)} pods in {namespace} have the labels {selector}: {names}")
        return str(names[0])

    @contextmanager
    def having(self, objects: Sequence[Mapping[str, Any]], namespace: str) -> Iterator[None]:
        """Objects of any kind, as YAML has them, which are there while the block runs; afterwards their names are free again."""
        kinds = DynamicClient(self.api).resources
        resources = [(kinds.get(api_version=obj["apiVersion"], kind=obj["kind"]), obj) for obj in objects]
        try:
            for resource, obj in resources:
                resource.create(body=obj, namespace=namespace)
            yield
        finally:
            there = [(resource, obj["metadata"]["name"]) for resource, obj in resources]
            for resource, name in reversed(there):
                with suppress(NotFoundError):
                    foreground = {"propagationPolicy": "Foreground"}  # pods first
                    resource.delete(name=name, namespace=namespace, body=foreground)
            wait_for(lambda: not self._left(there, namespace), timeout=120, what=f"{', '.join(name for _, name in there)} to go")

    def _left(self, there: Sequence[tuple[Any, str]], namespace: str) -> bool:
        """Whether one of these (kind, name) is there, or a PVC of one, which is deleted after it."""
        for resource, name in there:
            with suppress(NotFoundError):
                resource.get(name=name, namespace=namespace)
                return True
        claims = self.core.list_namespaced_persistent_volume_claim(namespace).items
        owners = {owner.name for claim in claims for owner in claim.metadata.owner_references or []}
        return bool(owners & {name for _, name in there})

    def log(self, namespace: str, pod: str, **options: Any) -> str:
        """What a pod has printed, with the options of `read_namespaced_pod_log`. Raises ApiException before it has started."""
        return self.core.read_namespaced_pod_log(pod, namespace, **options) or ""  # the client gives None for no line

    def exec(
        self,
        namespace: str,
        pod: str,
        command: Sequence[str],
        *,
        container: str | None = None,
        stdin: str | None = None,
        timeout: float = 120,
    ) -> str:
        """Run a command in a container, which needs `sh`, and return its standard output as text.

        Raises CommandFailed for an exit code other than 0, and if the container ended, and TimeoutError after `timeout` seconds.
        """
        given = (stdin or "").encode()
        core = client.CoreV1Api(client.ApiClient(self.api.configuration))
        session = stream(
            core.connect_get_namespaced_pod_exec,
            pod,
            namespace,
            command=["sh", "-c", _WHOLE, "sh", str(len(given)), *command],
            container=container,
            stdin=True,
            stdout=True,
            stderr=True,
            _preload_content=False,
            binary=True,
        )
        # The client appends to `bytes`, which it copies for each frame: megabytes would take minutes.
        outputs = session._channels[1], session._channels[2] = bytearray(), bytearray()
        end = time.monotonic() + timeout
        try:
            if given:
                session.write_channel(0, given)
            while (
                not (whole := all(output.endswith(_END) for output in outputs)) and session.is_open() and time.monotonic() < end
            ):
                session.update(timeout=end - time.monotonic())
            if whole:
                session.write_channel(0, b"\n")
                session.run_forever(max(end - time.monotonic(), 1))
            if session.is_open():
                raise TimeoutError(f"{command} in {namespace}/{pod}: no end after {timeout:g} s")
            output, errors = (bytes(output).removesuffix(_END).decode(errors="replace") for output in outputs)
            if not whole:
                raise CommandFailed(f"{command} in {namespace}/{pod}: the connection ended before it\n{errors}\n{output}")
            code = session.returncode
        finally:
            session.close()
        if code:
            raise CommandFailed(f"{command} in {namespace}/{pod}: exit code {code}\n{errors}\n{output}")
        return output

    def runner(self, namespace: str, selector: str, container: str | None = None) -> Run:
        """`exec` in the only pod with these labels, looked up at each call: (command, stdin=None)."""

        @functools.wraps(self.exec)
        def run(command: Sequence[str], **options: Any) -> str:
            pod = self.pod(namespace, selector)
            return self.exec(namespace, pod, command, container=container, **options)

        return run
