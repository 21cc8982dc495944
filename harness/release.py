"""One release with Flink on a cluster, seen as a user sees it: its REST API, its pods, the `flink` command."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

from . import evidence, network
from .cluster import Cluster, Run
from .rest import FlinkRest


class FlinkRelease:
    """The Flink cluster of the Helm release `name`.

    Its pods are labelled with app.kubernetes.io/instance and component (jobmanager, taskmanager), its Service has a port `rest`.
    """

    def __init__(self, cluster: Cluster, namespace: str, name: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.name = name

    def selector(self, component: str) -> str:
        return f"app.kubernetes.io/instance={self.name},app.kubernetes.io/component={component}"

    def rest_service(self) -> Any:
        """The Service (V1Service) of the REST API. Raises LookupError."""
        services = self.cluster.core.list_namespaced_service(self.namespace, label_selector=self.selector("jobmanager")).items
        for service in services:
            if any(port.name == "rest" for port in service.spec.ports):
                return service
        raise LookupError(f"release {self.name} has no Service with a port named rest")

    @functools.cached_property
    def rest(self) -> FlinkRest:
        service = self.rest_service()
        (port,) = (port for port in service.spec.ports if port.name == "rest")
        tls = port.app_protocol == "https"
        session, url = network.http(self.cluster, self.namespace, service.metadata.name, "rest", tls=tls)
        explain = functools.partial(evidence.summary, self.cluster, self.namespace)
        return FlinkRest(url, session, on_timeout=explain)

    @property
    def jobmanager(self) -> Run:
        """Runs a command in a JobManager's container; with standbys in any of them."""

        def run(command: Sequence[str], **options: Any) -> str:
            pods = self.cluster.pods(self.namespace, self.selector("jobmanager"))
            if not pods:
                raise LookupError(f"release {self.name} has no JobManager pod")
            return self.cluster.exec(self.namespace, pods[0].metadata.name, command, container="jobmanager", **options)

        return run

    def submit(self, *arguments: str) -> str:
        """`flink run WORDS` in the JobManager's pod; returns the id of the job."""
        output = self.jobmanager(["flink", "run", *arguments], timeout=180)
        submitted = re.search(r"JobID ([0-9a-f]{32})", output)
        if not submitted:
            raise ValueError(f"flink run named no job: {output}")
        return submitted[1]
