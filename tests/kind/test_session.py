"""A session cluster: it waits, takes jobs, and goes without a trace."""

from __future__ import annotations

from tests.kind.conftest import BOTH_HELMS_AND_FLINKS, VALUES, Install
from tests.support import evidence
from tests.support.cluster import Cluster
from tests.support.helm import Helm
from tests.support.network import port_forward
from tests.support.rest import FlinkRest
from tests.support.waits import wait_for

EXAMPLES = "/opt/flink/examples/streaming"


@BOTH_HELMS_AND_FLINKS
def test_runs_the_published_examples(install: Install, helm: Helm, cluster: Cluster, namespace: str, version: str) -> None:
    flink = install("session", values={"flink": {"version": version}}, files=[VALUES / "session.yaml"])

    overview = flink.rest.overview()
    assert overview["flink-version"] == version
    assert overview["taskmanagers"] == 2
    assert overview["slots-total"] == 4
    assert "Succeeded" in helm.test("session", namespace=namespace)

    streaming = flink.submit("--detached", f"{EXAMPLES}/TopSpeedWindowing.jar")
    flink.rest.wait_running(streaming)
    assert streaming in flink.jobmanager(["flink", "list"])

    # Without --detached the command ends when the job has ended.
    bounded = flink.submit(f"{EXAMPLES}/WordCount.jar", "--output", "file:///flink-data/words")
    assert flink.rest.job(bounded)["state"] == "FINISHED"
    counted = flink.jobmanager(["bash", "-c", "cat $(find /flink-data/words -type f)"])
    assert "(hamlet,1)" not in counted  # no word of the text
    assert "(be,1)" in counted
    assert "(nymph,1)" in counted

    flink.jobmanager(["flink", "cancel", streaming])
    wait_for(lambda: flink.rest.job(streaming)["state"] == "CANCELED", timeout=30, what="the cancelled job to end")

    helm.uninstall("session", namespace=namespace)
    wait_for(lambda: not evidence.leftovers(cluster, namespace), timeout=60, what="everything of the release to go")


def test_answers_from_outside_through_a_port_forward(install: Install, cluster: Cluster, namespace: str) -> None:
    flink = install("forwarded")
    with port_forward(cluster, namespace, f"service/{flink.rest_service().metadata.name}", 8081) as port:
        assert FlinkRest(f"http://localhost:{port}").overview()["taskmanagers"] == 1


def test_taskmanager_is_ready_only_while_registered(install: Install, cluster: Cluster, namespace: str) -> None:
    install("registered")
    scale = {"spec": {"replicas": 0}}
    cluster.apps.patch_namespaced_deployment_scale("registered-flink-jobmanager", namespace, scale)

    def ready() -> bool:
        (pod,) = cluster.pods(namespace, "app.kubernetes.io/instance=registered,app.kubernetes.io/component=taskmanager")
        return bool(pod.status.container_statuses[0].ready)

    wait_for(lambda: not ready(), timeout=60, what="the TaskManager without a JobManager to be unready")
    cluster.apps.patch_namespaced_deployment_scale("registered-flink-jobmanager", namespace, {"spec": {"replicas": 1}})
    wait_for(ready, timeout=120, what="the TaskManager to register again")
