"""networkPolicy.enabled on a network that enforces it: what passes is what docs/security.md says, and releases live inside."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from ci.core.paths import DEMO, FLINK, VALUES
from harness import evidence
from harness.cluster import Cluster, CommandFailed
from harness.helm import Helm, HelmError, merged
from harness.manifests import Object, pod_template, render
from harness.release import FlinkRelease
from harness.rest import is_savepoint
from harness.waits import wait_for
from harness_kdv.tools import tools
from tests.kind import jar_job, stand_ins
from tests.kind.demo_job import broker, check_rows, demo, producer_done
from tests.kind.installs import NEW, Install
from tests.kind.walls import COMPONENT, opens, policy, stranger
from tests.security_page import COMPONENTS, clients, connections

pytestmark = [pytest.mark.nodes, pytest.mark.full]

Values = dict[str, Any]
JARS = "/opt/flink/examples/streaming"
# What the table names, its neighbours, and what nobody opens.
PORTS = sorted(
    {
        *(port for *_, ports in connections() for port in (ports[0] - 1, ports[0], ports[-1], ports[-1] + 1)),
        *(port for *_, port in clients(COMPONENTS)),
        *(1024, 8089, 9093, 9249, 18081),
    }
)


@pytest.fixture(scope="module")
def elsewhere(cluster: Cluster, namespace: str) -> Iterator[str]:
    """Another namespace."""
    name = f"{namespace}-elsewhere"
    cluster.delete_namespace(name)
    cluster.create_namespace(name, {"pod-security.kubernetes.io/enforce": "restricted"})
    yield name
    cluster.delete_namespace(name)


def labels(manifests: list[Object]) -> dict[str, dict[str, str]]:
    """The labels of a release's pods by component."""
    workloads = [obj for obj in manifests if obj["kind"] in ("Deployment", "StatefulSet", "Job", "CronJob", "Pod")]
    every = [pod_template(obj)["metadata"]["labels"] for obj in workloads]
    return {own[COMPONENT]: own for own in every}


def test_between_all_pods_passes_what_the_table_says(cluster: Cluster, namespace: str, elsewhere: str) -> None:
    """Every pair of pods, and of these and strangers, on every port: stand-ins have the labels, and listen on all ports."""
    portal = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": elsewhere}},
        "podSelector": {"matchLabels": {"app": "portal"}},
    }
    given = {"enabled": True, "ingress": {key: [portal] for key, *_ in clients(COMPONENTS)}}
    flink = {
        "rest": {"readOnly": True},
        "session": {"jobs": [{"name": "a", "jar": {"file": "/a.jar"}}]},
        "highAvailability": {"type": "zookeeper"},
        "sqlGateway": {"enabled": True},
        "historyServer": {"enabled": True},
        "networkPolicy": given,
    }
    values = {"kafkaUi": {"enabled": True}, "flink": {"flink": {"type": "session"}, **flink}}
    manifests = render(DEMO, values, name="all", namespace=namespace)
    own = labels(list(manifests))
    other = {**own["taskmanager"], "app.kubernetes.io/instance": "other"}
    strangers = {"neighbour": {"app": "neighbour"}, "other-release": other}
    far = {"same-labels-elsewhere": own["taskmanager"], "portal": {"app": "portal"}}
    with (
        stand_ins.standing(cluster, namespace, {**own, **strangers}, PORTS) as here,
        stand_ins.standing(cluster, elsewhere, far, PORTS) as there,
    ):
        pods = [*here, *there]
        every = {(one.name, other.name, port) for one, other in itertools.product(pods, repeat=2) for port in PORTS}
        outside = strangers.keys() | far.keys()
        expected = {(source, target, port) for source, target, port in every if {source, target} <= outside}
        # A pod reaches itself whatever policies say.
        expected |= {(source, target, port) for source, target, port in every if source == target}
        expected |= {(source, target, port) for source, target, ports in connections() for port in PORTS if port in ports}
        expected |= {("portal", target, port) for _, target, port in clients(own)}
        assert {end for source, target, _ in connections() for end in (source, target)} <= own.keys()

        def difference(expected: set[tuple[str, str, int]]) -> str:
            actual = stand_ins.matrix(cluster, pods, PORTS)
            return f"passes and must not: {sorted(actual - expected)}\nmust pass and does not: {sorted(expected - actual)}"

        def passes(expected: set[tuple[str, str, int]]) -> None:
            wait_for(
                lambda: stand_ins.matrix(cluster, pods, PORTS) == expected,
                timeout=120,
                what="the matrix of the table",
                interval=2,
                on_timeout=lambda: difference(expected),
            )

        passes(every)
        policies = [{**obj, "metadata": {"name": obj["metadata"]["name"]}} for obj in manifests.by("NetworkPolicy")]
        with cluster.having(policies, namespace):
            passes(expected)
        passes(every)


_GET = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode())"


def listening(flink: FlinkRelease) -> dict[str, tuple[str, str, list[int]]]:
    """Component -> (pod, address, ports that its first container declares) of the release's pods that run on."""
    pods = flink.cluster.pods(flink.namespace, f"app.kubernetes.io/instance={flink.name},app.kubernetes.io/name=flink")
    return {
        pod.metadata.labels[COMPONENT]: (
            pod.metadata.name,
            pod.status.pod_ip,
            [port.container_port for port in pod.spec.containers[0].ports or []],
        )
        for pod in pods
        if pod.status.phase == "Running"
    }


def passing(flink: FlinkRelease, others: dict[str, str]) -> set[tuple[str, str, int]]:
    """(from, to, port) of what passes to the ports that the release's own pods listen on; `others`: pod -> namespace."""
    own = listening(flink)
    sources = {**{component: (name, flink.namespace) for component, (name, *_) in own.items()}}
    sources |= {name: (name, where) for name, where in others.items()}
    return {
        (source, target, port)
        for source, (pod, where) in sources.items()
        for target, (_, host, ports) in own.items()
        for port in ports
        if source != target and opens(flink.cluster, where, pod, host, port)
    }


def of_table(flink: FlinkRelease) -> set[tuple[str, str, int]]:
    own = listening(flink)
    return {
        (source, target, port)
        for source, target, ports in connections()
        if {source, target} <= own.keys() and source != target
        for port in own[target][2]
        if port in ports
    }


def inside(flink: FlinkRelease, elsewhere: str) -> None:
    """Between the pods that run passes what the table says, and nothing from strangers here and in another namespace."""
    others = {stranger(flink.cluster, flink.namespace): flink.namespace}
    tools(flink.cluster, elsewhere).start("stranger-elsewhere", ["sleep", "infinity"])
    others["stranger-elsewhere"] = elsewhere
    wait_for(
        lambda: passing(flink, others) == of_table(flink),
        timeout=60,
        what="the connections of the table",
        on_timeout=lambda: f"{passing(flink, others)} and not {of_table(flink)}",
    )


def reached_by_a_stranger(flink: FlinkRelease) -> bool:
    _, host, _ = listening(flink)["jobmanager"]
    return opens(flink.cluster, flink.namespace, stranger(flink.cluster, flink.namespace), host, 8081)


def test_a_job_through_helm_operations(install: Install, helm: Helm, cluster: Cluster, namespace: str, elsewhere: str) -> None:
    values = jar_job.values(networkPolicy=policy(cluster))
    flink = install("inside", values=values, files=[VALUES / "network-policy.yaml"])
    flink.rest.wait_checkpoint(jar_job.running(flink), 1)
    assert "Succeeded" in helm.test(flink.name, namespace=namespace)
    inside(flink, elsewhere)
    assert "/savepoint-" in jar_job.savepoint(flink, "by-hand")
    tools(cluster, namespace).start("scraper", ["sleep", "infinity"])
    for component, metric in (("jobmanager", "numRunningJobs"), ("taskmanager", "numRecordsIn")):
        assert metric in cluster.exec(
            namespace, "scraper", ["python3", "-c", _GET, f"http://{listening(flink)[component][1]}:9249"]
        )

    # Policies that shut the hook out of the API server: nothing is changed, and the next upgrade is an ordinary one.
    wrong = {"networkPolicy": {"egress": {"apiServer": [{"to": [{"ipBlock": {"cidr": "10.96.0.1/32"}}]}]}}}
    job = jar_job.running(flink)
    with pytest.raises(HelmError, match="Kubernetes did not answer for"):
        helm.upgrade(flink.name, FLINK, jar_job.another(merged(values, wrong), "wrong"), namespace=namespace)
    assert jar_job.running(flink) == job

    helm.upgrade(flink.name, FLINK, jar_job.another(values), namespace=namespace)
    assert is_savepoint(jar_job.restored(flink))
    inside(flink, elsewhere)

    # Off, and by a rollback on again.
    off = jar_job.another(merged(values, {"networkPolicy": {"enabled": False}}), "off")
    helm.upgrade(flink.name, FLINK, off, namespace=namespace)
    assert is_savepoint(jar_job.restored(flink))
    wait_for(lambda: reached_by_a_stranger(flink), timeout=60, what="the stranger to be let in")
    helm.rollback(flink.name, 3, namespace=namespace)
    assert is_savepoint(jar_job.restored(flink))
    inside(flink, elsewhere)

    # Another port of REST, which the running JobManager does not have yet.
    moved = jar_job.another(merged(values, {"rest": {"port": 18081}}), "moved")
    helm.upgrade(flink.name, FLINK, moved, namespace=namespace)
    assert is_savepoint(jar_job.restored(flink))

    helm.uninstall(flink.name, namespace=namespace)
    wait_for(
        lambda: evidence.leftovers(cluster, namespace) <= {"Pod/scraper", "Pod/stranger", "Pod/tools"},
        timeout=90,
        what="everything of the release to go",
    )


def test_a_session_with_all_that_belongs_to_it(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, elsewhere: str
) -> None:
    values: Values = yaml.safe_load((VALUES / "session-jobs.yaml").read_text())
    values |= {
        "highAvailability": {"type": "zookeeper"},
        "sqlGateway": {"enabled": True},
        "historyServer": {"enabled": True},
        "networkPolicy": policy(cluster),
    }
    values["taskmanager"]["slots"] = 5
    flink = install("whole", values=values)
    first = {job["jid"] for job in flink.rest.jobs() if job["state"] == "RUNNING"}
    assert len(first) == 3
    inside(flink, elsewhere)
    # Its rows come to the JobManager from a port that Linux chose.
    assert "5" in flink.jobmanager(
        ["bash", "-c", 'echo "$1" >/tmp/q.sql; sql-client.sh -f /tmp/q.sql', "-", _SELECT], timeout=180
    )
    values["session"]["jobs"][1]["args"] = ["--rate=50"]
    helm.upgrade(flink.name, FLINK, values, namespace=namespace)
    second = {job["jid"] for job in flink.rest.jobs() if job["state"] == "RUNNING"}
    assert len(second) == 3
    assert len(first & second) == 2


_SELECT = "SET 'sql-client.execution.result-mode' = 'tableau';\nSELECT SUM(n) FROM (VALUES (2), (3)) AS numbers (n);\n"


def test_taskmanagers_that_flink_makes(install: Install, cluster: Cluster, elsewhere: str) -> None:
    flink = install("made", values={"networkPolicy": policy(cluster)}, files=[VALUES / "native-session.yaml"])
    flink.rest.wait_running(flink.submit("--detached", f"{JARS}/TopSpeedWindowing.jar"))
    assert "taskmanager" in listening(flink)
    inside(flink, elsewhere)


def test_a_leader_in_kubernetes_that_goes(install: Install, cluster: Cluster, namespace: str, elsewhere: str) -> None:
    values = jar_job.values(
        networkPolicy=policy(cluster),
        highAvailability={"type": "kubernetes"},
        jobmanager={"replicas": 2, "strategy": {"type": "RollingUpdate"}},
    )
    flink = jar_job.started(install, "leader", values)
    job = jar_job.running(flink)
    inside(flink, elsewhere)
    cluster.core.delete_collection_namespaced_pod(namespace, label_selector=flink.selector("jobmanager"))
    wait_for(lambda: jar_job.restored(flink), timeout=240, what="the job on another leader")
    assert jar_job.running(flink) == job


def test_every_row_of_the_demo_arrives(install: Install, helm: Helm, cluster: Cluster, namespace: str) -> None:
    values = merged(demo(NEW, count=2000, rate=200), {"flink": {"networkPolicy": policy(cluster)}})
    flink = install("demo", DEMO, values)
    flink.rest.wait_running("kdv")
    producer_done(flink)
    # Nobody is let in to the broker but the release: what the test reads with is.
    reader = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "reader"},
        "spec": {
            "podSelector": {"matchLabels": {COMPONENT: "kafka"}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"podSelector": {"matchLabels": {COMPONENT: "tools"}}}], "ports": [{"port": 9092}]}],
        },
    }
    kafka = broker(flink)
    with pytest.raises(CommandFailed):
        tools(cluster, namespace).runner()(["python3", "-c", _KNOCK, f"{flink.name}-kafka"])
    with cluster.having([reader], namespace):
        check_rows(flink, kafka, 2000)


_KNOCK = "import socket, sys; socket.create_connection((sys.argv[1], 9092), timeout=5)"
