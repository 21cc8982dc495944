"""A store in a namespace that speaks the protocol of Google Cloud Storage: fake-gcs-server in one pod, one bucket.

It holds all in memory: over a disk it keeps no empty objects, which Flink's plugin makes for directories.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ci.core import versions
from ci.images import images
from harness import network
from harness.cluster import Cluster
from harness.workloads import wait_ready
from harness_kdv import csv_output
from harness_kdv.csv_output import Snapshot
from tests.kind import servers

Json = dict[str, Any]
NAME, PORT, BUCKET = "gcs", 4443, "flink"
# Options of Flink by which both clients of its plugin find the store, and ask for nobody's identity.
OPTIONS = {
    "gs.storage.root.url": f"http://{NAME}:{PORT}",
    "gs.auth.service.account.enable": "false",
    "gs.auth.null.enable": "true",
}


# Another process than the first one of the pod can be stopped.
_COMMAND = f"""
fake-gcs-server -backend=memory -scheme=http -port={PORT} -external-url={OPTIONS["gs.storage.root.url"]} -log-level=warn &
echo $! > /tmp/pid
wait
"""


def _objects() -> list[Json]:
    security = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    container = servers.container(
        NAME,
        f"fsouza/fake-gcs-server:{versions.get('fake-gcs-server', 'version')}",
        ["sh", "-euc", _COMMAND],
        "128Mi",
        readinessProbe={"httpGet": {"path": "/_internal/healthcheck", "port": PORT}, "periodSeconds": 2},
        securityContext=security,
        volumeMounts=[{"name": "tmp", "mountPath": "/tmp"}],
    )
    spec = servers.pod_spec([container], [{"name": "tmp", "emptyDir": {}}], security={"runAsUser": 65534})
    return [servers.service(NAME, PORT), servers.pod(NAME, spec)]


class Gcs:
    """What a test does with it."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster, self._namespace = cluster, namespace
        self._session, self._url = network.http(cluster, namespace, NAME, PORT)

    def make_bucket(self) -> None:
        self._session.post(f"{self._url}/storage/v1/b", json={"name": BUCKET}).raise_for_status()

    def names(self, prefix: str) -> list[str]:
        """The names of the objects that begin so."""
        names: list[str] = []
        token = None
        while token != "":
            answer = self._session.get(f"{self._url}/storage/v1/b/{BUCKET}/o", params={"prefix": prefix, "pageToken": token})
            answer.raise_for_status()
            names += [item["name"] for item in answer.json().get("items", [])]
            token = answer.json().get("nextPageToken", "")
        return names

    def directories(self, path: str) -> set[str]:
        """The first part of all names below a path."""
        return {name.removeprefix(f"{path}/").partition("/")[0] for name in self.names(f"{path}/")} - {""}

    def output(self, path: str) -> Snapshot:
        """The rows of the KDV job below a path."""
        parts = {}
        for name in self.names(f"{path}/"):
            answer = self._session.get(f"{self._url}/download/storage/v1/b/{BUCKET}/o/{name}")
            answer.raise_for_status()
            parts[name.removeprefix(f"{path}/")] = answer.content.decode()
        return csv_output.committed(parts)

    def stop(self) -> None:
        """It answers nobody until `start`."""
        self._signal("STOP")

    def start(self) -> None:
        self._signal("CONT")
        self.wait_serving()

    def wait_serving(self) -> None:
        wait_ready(self._cluster, self._namespace, NAME)

    def _signal(self, name: str) -> None:
        self._cluster.exec(self._namespace, NAME, ["sh", "-c", f"kill -{name} $(cat /tmp/pid)"])


@contextmanager
def gcs(cluster: Cluster, namespace: str) -> Iterator[Gcs]:
    """It runs while the block does; the cluster is given the images."""
    images.load_named(images.on_gcs())
    with cluster.having(_objects(), namespace):
        store = Gcs(cluster, namespace)
        store.wait_serving()
        store.make_bucket()
        yield store
