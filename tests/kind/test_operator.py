"""Custom resources of the Flink Kubernetes Operator on an API server that knows them, without the operator itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import NotFoundError

from ci.commands import addons
from ci.core.console import run
from ci.core.paths import FLINK, VALUES
from ci.kubernetes import tools
from harness.cluster import Cluster
from harness.helm import Helm, HelmError, merged
from harness.manifests import render
from tests.kind.kinds import define

pytestmark = pytest.mark.modes
FILES = (VALUES / "operator.yaml",)
OLD: dict[str, Any] = {"flink": {"version": "1.20.5"}}  # the newest that the definitions know
Install = Callable[..., str]


@pytest.fixture(scope="module")
def kinds(cluster: Cluster) -> None:
    define(cluster, addons.flink_kinds(), *(f"{kind}.flink.apache.org" for kind in ("flinkdeployments", "flinksessionjobs")))


@pytest.fixture
def install(helm: Helm, namespace: str, kinds: None) -> Iterator[Install]:
    """install(name, values, files=...) makes a release of which nothing is awaited."""
    names: list[str] = []

    def do(name: str, values: dict[str, Any], files: Any = FILES) -> str:
        names.append(name)
        return helm.install(name, FLINK, values, files=files, namespace=namespace, wait=False)

    yield do
    for name in names:
        helm.run("uninstall", name, f"--namespace={namespace}", "--ignore-not-found", "--no-hooks")


def refused(helm: Helm, namespace: str, name: str, values: dict[str, Any], files: Any = FILES) -> str:
    with pytest.raises(HelmError) as caught:
        helm.upgrade(name, FLINK, values, files=files, namespace=namespace, wait=False)
    return str(caught.value)


def live(cluster: Cluster, namespace: str, kind: str, name: str) -> Any:
    version = "apps/v1" if kind == "Deployment" else "flink.apache.org/v1beta1"
    return DynamicClient(cluster.api).resources.get(api_version=version, kind=kind).get(name=name, namespace=namespace).to_dict()


def test_the_api_server_keeps_every_field(install: Install, cluster: Cluster, namespace: str) -> None:
    install("kept", OLD)
    rendered = render(FLINK, OLD, files=FILES, name="kept").one("FlinkDeployment")
    assert live(cluster, namespace, "FlinkDeployment", "kept-flink")["spec"] == rendered["spec"]

    jobs = merged(
        OLD,
        {"flink": {"mode": "operator"}, "session": {"jobs": [{"name": "a", "jar": {"file": "https://repo.example/a.jar"}}]}},
    )
    install("session", jobs, files=())
    for obj in render(FLINK, jobs, name="session"):
        if obj["apiVersion"].startswith("flink.apache.org"):
            assert live(cluster, namespace, obj["kind"], obj["metadata"]["name"])["spec"] == obj["spec"]


@pytest.mark.full
def test_an_upgrade_does_not_take_a_job_from_the_operator(install: Install, helm: Helm, cluster: Cluster, namespace: str) -> None:
    install("theirs", OLD)
    before = live(cluster, namespace, "FlinkDeployment", "theirs-flink")["metadata"]["uid"]
    for mode in ("standalone", "native"):
        sentence = refused(helm, namespace, "theirs", merged(OLD, {"flink": {"mode": mode}}))
        assert f"flink.mode is {mode}, but the operator runs this release" in sentence
    assert live(cluster, namespace, "FlinkDeployment", "theirs-flink")["metadata"]["uid"] == before


@pytest.mark.full
def test_a_job_does_not_become_a_session(install: Install, helm: Helm, namespace: str) -> None:
    install("job", OLD)
    sentence = refused(helm, namespace, "job", merged(OLD, {"flink": {"type": "session"}, "job": {"parallelism": None}}))
    assert "flink.type is session, but FlinkDeployment job-flink is there with another one" in sentence


@pytest.mark.full
@pytest.mark.parametrize("mode", ["standalone", "native"])
def test_an_upgrade_does_not_give_a_job_to_the_operator(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, mode: str
) -> None:
    install(f"ours-{mode}", merged(OLD, {"flink": {"mode": mode}, "hooks": {"enabled": False}, "job": {"parallelism": 1}}))
    sentence = refused(helm, namespace, f"ours-{mode}", OLD)
    assert "flink.mode is operator, but this release runs without the operator" in sentence
    assert live(cluster, namespace, "Deployment", f"ours-{mode}-flink{'-jobmanager' if mode == 'standalone' else ''}")
    with pytest.raises(NotFoundError):
        live(cluster, namespace, "FlinkDeployment", f"ours-{mode}-flink")


@pytest.mark.full
def test_a_record_that_is_left_is_looked_at(install: Install, cluster: Cluster, namespace: str) -> None:
    record = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "left-flink-record"}, "data": {"restore": "s3://b/s"}}
    with cluster.having([record], namespace), pytest.raises(HelmError, match="ConfigMap left-flink-record is left"):
        install("left", OLD)
    install("left", OLD)


@pytest.mark.full
def test_a_savepoint_for_a_job_that_is_there_takes_a_patch(
    install: Install, helm: Helm, cluster: Cluster, namespace: str
) -> None:
    install("again", OLD)
    helm.upgrade("again", FLINK, OLD, files=FILES, namespace=namespace, wait=False)
    asked = merged(OLD, {"job": {"fromSavepoint": "s3://b/s"}})
    sentence = refused(helm, namespace, "again", asked)
    assert "job.fromSavepoint is s3://b/s, but flink.mode is operator" in sentence
    assert "kubectl patch flinkdeployment again-flink" in sentence
    kubectl = tools.kubectl(cluster.kubeconfig, f"--namespace={namespace}")
    patch = '{"spec": {"job": {"initialSavepointPath": "s3://b/s", "savepointRedeployNonce": 1}}}'
    run([*kubectl, "patch", "flinkdeployment", "again-flink", "--type=merge", f"--patch={patch}"])
    helm.upgrade("again", FLINK, asked, files=FILES, namespace=namespace, wait=False)
    job = live(cluster, namespace, "FlinkDeployment", "again-flink")["spec"]["job"]
    assert (job["initialSavepointPath"], job["savepointRedeployNonce"]) == ("s3://b/s", 1)
