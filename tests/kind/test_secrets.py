"""What Secrets hold reaches those who need it, and nobody else can read it."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import yaml

from ci.core.paths import FLINK, VALUES
from harness.cluster import Cluster
from harness.helm import Helm, HelmError
from harness.release import FlinkRelease
from harness.rest import is_savepoint
from harness.waits import wait_for
from harness_kdv.tools import tools
from tests.kind.installs import Install
from tests.kind.jar_job import another, running, started, values

OPTION = "fs.azure.account.key.account.dfs.core.windows.net"
SECRET = "w0rd with \"quotes\", 'more' and \\ = #"


def make_secret(cluster: Cluster, namespace: str, name: str, **data: str) -> None:
    cluster.core.create_namespaced_secret(namespace, {"metadata": {"name": name}, "stringData": data})


def flinks_pods(flink: FlinkRelease) -> list[Any]:
    pods = flink.cluster.pods(flink.namespace, f"app.kubernetes.io/instance={flink.name}")
    return [pod for pod in pods if pod.metadata.labels["app.kubernetes.io/component"] in ("jobmanager", "taskmanager")]


@pytest.mark.full
@pytest.mark.parametrize("mode", ["native", "standalone"])
def test_an_option_of_a_secret_is_in_flinks_configuration_alone(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, mode: str
) -> None:
    name = f"secret-{mode}"
    make_secret(cluster, namespace, name, key=SECRET)
    option = {"name": OPTION, "secretKeyRef": {"name": name, "key": "key"}}
    first = values(flink={"mode": mode, "configFrom": [option]})
    flink = started(install, name, first)
    helm.upgrade(name, FLINK, another(first), namespace=namespace)
    assert is_savepoint(flink.rest.checkpoints(running(flink))["latest"]["restored"])

    pods = flinks_pods(flink)
    assert {pod.metadata.labels["app.kubernetes.io/component"] for pod in pods} == {"jobmanager", "taskmanager"}
    for pod in pods:
        (main,) = pod.spec.containers

        def run(*command: str, pod: str = pod.metadata.name, container: str = main.name) -> str:
            return cluster.exec(namespace, pod, command, container=container)

        assert yaml.safe_load(run("cat", "/opt/flink/conf/config.yaml"))[OPTION] == SECRET
        assert SECRET not in run("bash", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
        assert SECRET not in cluster.log(namespace, pod.metadata.name, container=main.name)
    shown = {entry["key"]: entry["value"] for entry in flink.rest.get("/jobmanager/config")}
    assert shown[OPTION] == "******"
    config_maps = cluster.core.list_namespaced_config_map(namespace).items
    assert not [config_map.metadata.name for config_map in config_maps if SECRET in str(config_map.data)]


@pytest.mark.full
def test_a_python_job_by_url_with_an_argument_of_a_secret(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, file_by_url: tuple[str, str]
) -> None:
    """The file is checked before the job is stopped for it, and the chart prints no argument."""
    url, sha256 = file_by_url
    make_secret(cluster, namespace, "rates", slow="7")
    job_values = {
        "flink": {"type": "job"},
        "image": {"repository": "flink-kdv", "tag": "2.2.1"},
        "job": {"python": {"file": url, "sha256": sha256}, "args": ["--rate=$(RATE)"]},
        "jobmanager": {"extraEnv": [{"name": "RATE", "valueFrom": {"secretKeyRef": {"name": "rates", "key": "slow"}}}]},
    }
    flink = install("by-url", FLINK, job_values)
    (job,) = wait_for(flink.rest.jobs, timeout=90, what="the job to be there")
    flink.rest.wait_running(job["jid"])
    wrong = {**job_values, "job": {"python": {"file": url, "sha256": "0" * 64}}}
    with pytest.raises(HelmError, match="is another file than the one that was asked for.*Nothing was changed"):
        helm.upgrade("by-url", FLINK, wrong, namespace=namespace)
    assert [one["jid"] for one in flink.rest.jobs() if one["state"] == "RUNNING"] == [job["jid"]]


@pytest.fixture
def file_by_url(cluster: Cluster, namespace: str) -> tuple[str, str]:
    """URL and SHA-256 of digits.py of values/session-jobs.yaml."""
    content = yaml.safe_load((VALUES / "session-jobs.yaml").read_text())["files"]["digits.py"]
    return tools(cluster, namespace).file_server("digits.py", content), hashlib.sha256(content.encode()).hexdigest()
