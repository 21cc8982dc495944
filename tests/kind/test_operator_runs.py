"""Releases that the Flink Kubernetes Operator runs: what becomes of their jobs, and how they come to it and leave it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import NotFoundError

from ci.commands import addons
from ci.core.paths import FLINK, VALUES
from harness import evidence, network
from harness.cluster import Cluster
from harness.helm import Helm, merged
from harness.rest import FlinkRest, is_savepoint
from harness.waits import wait_for
from harness.workloads import Pods
from tests.kind import jar_job
from tests.kind.installs import OLD, Install

pytestmark = [pytest.mark.modes, pytest.mark.full]
Values = dict[str, Any]
API = "flink.apache.org/v1beta1"

FILES = [VALUES / "operator.yaml"]
SMALL: Values = {"resources": {"requests": {"cpu": "10m"}}}
COMMON: Values = {
    "flink": {"version": OLD},
    "operator": {"flinkVersion": "v1_19"},  # by which this operator knows 1.20
    "job": {"parallelism": 1},
    "state": {"checkpointing": {"interval": "2 s"}},
    "jobmanager": SMALL,
    "taskmanager": SMALL,
}
ALONE: Values = {"flink": {"mode": "standalone"}, "operator": {"flinkVersion": ""}}
SUSPENDED: Values = {"job": {"state": "suspended"}, "storage": {"keep": True}}


@pytest.fixture(scope="module", autouse=True)
def operator(cluster: Cluster, namespace: str) -> Iterator[None]:
    addon = addons.flink_operator(namespace)
    addon.install(cluster.kubeconfig)
    yield
    addon.uninstall(cluster.kubeconfig)


class Operated:
    """The FlinkDeployment of a release, and the job in it, or a FlinkSessionJob of its session."""

    def __init__(self, cluster: Cluster, namespace: str, release: str, session_job: str = "") -> None:
        self._cluster, self._namespace, self.name = cluster, namespace, f"{release}-flink"
        self._resource = ("FlinkSessionJob", f"{self.name}-{session_job}") if session_job else ("FlinkDeployment", self.name)

    def status(self) -> Values:
        kind, name = self._resource
        api = DynamicClient(self._cluster.api).resources.get(api_version=API, kind=kind)
        status: Values = api.get(name=name, namespace=self._namespace).to_dict().get("status") or {}
        return status

    def becomes(self, state: str, operation: Callable[[], object] | None = None) -> None:
        """Do something, if anything, and wait until the operator has done what follows from it: STABLE, SUSPENDED."""
        before = None
        if operation:
            before = self.status()["reconciliationStatus"]["reconciliationTimestamp"]
            operation()

        def reached() -> bool:
            status = self.status()
            after = status.get("reconciliationStatus", {}).get("reconciliationTimestamp")
            if after == before or status.get("lifecycleState") != state:
                raise LookupError(f"{status.get('lifecycleState')}: {status.get('error')}")
            return True

        wait_for(reached, timeout=240, what=f"{self._resource} to be {state}", interval=2, on_timeout=self._explain)

    def savepoint(self) -> str:
        path: str = self.status()["jobStatus"]["savepointInfo"]["lastSavepoint"]["location"]
        return path

    def exists(self) -> bool:
        try:
            self.status()
        except NotFoundError:
            return False
        return True

    def rest(self) -> FlinkRest:
        session, url = network.http(self._cluster, self._namespace, f"{self.name}-rest", "rest")
        return FlinkRest(url, session, on_timeout=self._explain)

    def restored(self) -> Values:
        """What the job that runs, and has made a checkpoint, was restored from; {} if it started from nothing."""
        rest = self.rest()
        job = wait_for(
            lambda: self.status().get("jobStatus", {}).get("jobId"), timeout=240, what="the operator's job to have an id"
        )
        rest.wait_running(job)
        rest.wait_checkpoint(job, 1)
        restored: Values | None = rest.checkpoints(job)["latest"]["restored"]
        return restored or {}

    def _explain(self) -> str:
        return evidence.summary(self._cluster, self._namespace)


def test_a_job_through_upgrade_rollback_suspension_and_uninstall(
    install: Install, helm: Helm, cluster: Cluster, namespace: str
) -> None:
    install("carried", FLINK, COMMON, files=FILES)
    job = Operated(cluster, namespace, "carried")
    job.becomes("STABLE")
    assert job.restored() == {}
    assert "Succeeded" in helm.test("carried", namespace=namespace)

    def upgrade(**values: Any) -> None:
        helm.upgrade("carried", FLINK, merged(COMMON, values), files=FILES, namespace=namespace)

    job.becomes("STABLE", lambda: upgrade(jobmanager={"extraEnv": [{"name": "WORD", "value": "another"}]}))
    first = job.restored()
    assert is_savepoint(first)
    job.becomes("STABLE", lambda: helm.rollback("carried", 1, namespace=namespace))
    second = job.restored()
    assert is_savepoint(second)
    assert second["id"] > first["id"]  # its own newest state, and not that of the older values
    job.becomes("SUSPENDED", lambda: upgrade(job={"state": "suspended"}))
    path = job.savepoint()
    job.becomes("STABLE", upgrade)
    assert job.restored()["external_path"] == path

    helm.uninstall("carried", namespace=namespace)
    wait_for(lambda: not cluster.pods(namespace, f"app={job.name}"), timeout=120, what="the pods to go")


def test_a_job_moves_from_the_operator_and_back_with_its_state(
    install: Install, helm: Helm, cluster: Cluster, namespace: str
) -> None:
    """As docs/from-the-operator.md says."""
    there: Values = {"storage": {"existingClaim": "moved-flink-data"}}
    install("moved", FLINK, COMMON, files=FILES)
    job = Operated(cluster, namespace, "moved")
    job.becomes("STABLE")
    assert job.restored() == {}
    suspended = merged(COMMON, SUSPENDED, {"job": {"upgradeMode": "savepoint"}})
    job.becomes("SUSPENDED", lambda: helm.upgrade("moved", FLINK, suspended, files=FILES, namespace=namespace))
    path = job.savepoint()
    helm.uninstall("moved", namespace=namespace)

    own = merged(COMMON, ALONE, there)
    flink = install("moved", FLINK, merged(own, {"job": {"fromSavepoint": path}}), files=FILES)
    flink.rest.wait_checkpoint(jar_job.running(flink), 1)
    assert jar_job.restored(flink)["external_path"] == path
    helm.upgrade("moved", FLINK, merged(own, SUSPENDED), files=FILES, namespace=namespace)
    path = jar_job.record(flink)["restore"]
    helm.uninstall("moved", namespace=namespace)
    cluster.core.delete_namespaced_config_map("moved-flink-record", namespace)

    install("moved", FLINK, merged(COMMON, there, {"job": {"fromSavepoint": path}}), files=FILES)
    assert job.restored()["external_path"] == path


def test_a_job_of_a_session_through_a_change_and_its_end(install: Install, helm: Helm, cluster: Cluster, namespace: str) -> None:
    # The operator fetches jars by URL.
    jars = Pods(cluster, namespace, f"flink-kdv:{OLD}")
    address = jars.start("jars", ["python3", "-m", "http.server", "--directory", "/opt/flink/examples/streaming", "8000"])
    job = {"name": "speed", "jar": {"file": f"http://{address}:8000/TopSpeedWindowing.jar"}}
    values = merged(COMMON, {"flink": {"type": "session", "mode": "operator"}, "highAvailability": {"type": "kubernetes"}})

    def with_jobs(*jobs: Values) -> Values:
        return merged(values, {"session": {"jobs": list(jobs)}})

    def upgrade(*jobs: Values) -> None:
        helm.upgrade("shared", FLINK, with_jobs(*jobs), namespace=namespace)

    install("shared", FLINK, with_jobs(job))
    speed = Operated(cluster, namespace, "shared", "speed")
    speed.becomes("STABLE")
    assert speed.restored() == {}
    speed.becomes("STABLE", lambda: upgrade({**job, "parallelism": 2}))
    assert is_savepoint(speed.restored())

    upgrade()
    wait_for(lambda: not speed.exists(), timeout=120, what="the job to go")
    assert not [entry for entry in speed.rest().jobs() if entry["state"] == "RUNNING"]
