"""State and output on HDFS: the KDV job loses no row when the DataNode, the NameNode or the pods of Flink go."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ci.core.paths import DEMO
from harness.cluster import Cluster, CommandFailed
from harness.helm import Helm
from tests.kind import hdfs, kerberos, outages
from tests.kind.demo_job import ARGS, check_rows, producer_done, restored, started, with_interval
from tests.kind.installs import NEW, OLD, Install

pytestmark = [pytest.mark.state, pytest.mark.platform, pytest.mark.faults, pytest.mark.full]

# The NameNode is named in the files of the ConfigMap alone.
VALUES: dict[str, Any] = {
    "state": {
        "root": f"hdfs://{hdfs.DIRECTORY}/state",
        "hdfs": {"configMap": hdfs.CONFIG, "classpath": "/opt/hadoop/share/hadoop/client/*"},
    },
    "highAvailability": {"type": "kubernetes"},
    "storage": {"enabled": False},
}


def on_hdfs(version: str, output: str) -> dict[str, Any]:
    """Values of a release whose job writes its rows there as well."""
    args = [*ARGS, f"--output=hdfs://{output}"]
    return {**VALUES, "version": version, "image": {"tag": f"{version}-hdfs"}, "job": {"args": args}}


@pytest.mark.parametrize("version", [NEW, OLD])
def test_a_job_with_its_state_and_its_rows_on_hdfs(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, version: str
) -> None:
    name = f"stored-{version.partition('.')[0]}"
    output = f"{hdfs.DIRECTORY}/output/{name}"
    with hdfs.hdfs(cluster, namespace) as store:
        values, flink, kafka, first = started(install, name, **on_hdfs(version, output))
        job = first["jid"]
        directory = f"{hdfs.DIRECTORY}/state/{namespace}/{name}-flink"
        path = flink.rest.checkpoints(job)["latest"]["completed"]["external_path"]
        assert f"{directory}/checkpoints/{job}/chk-" in path
        assert store.directories(directory) == {"checkpoints", "ha"}

        before = time.time()
        store.stop_datanode()
        outages.wait_missed(flink, job, before)
        store.start_datanode()
        outages.wait_next_checkpoint(flink, job)

        store.restart_namenode()
        outages.delete_flink(flink, job)
        assert [entry["jid"] for entry in flink.rest.jobs()] == [job]

        helm.upgrade(name, DEMO, with_interval(values, "3 s"), namespace=namespace)
        assert f"{directory}/savepoints/{job}/stop/" in restored(flink)["external_path"]
        producer_done(flink)
        check_rows(flink, kafka, 2000, lambda: store.output(output))
        helm.uninstall(name, namespace=namespace)


@pytest.mark.parametrize("version", [NEW, OLD])
def test_a_job_logs_in_by_kerberos(install: Install, helm: Helm, cluster: Cluster, namespace: str, version: str) -> None:
    name = f"known-{version.partition('.')[0]}"
    output = f"{hdfs.DIRECTORY}/output/{name}"
    with (
        kerberos.kdc(cluster, namespace, ["kdv", *hdfs.PRINCIPALS]) as login,
        hdfs.secure(cluster, namespace, "kdv") as store,
    ):
        with pytest.raises(CommandFailed, match="Client cannot authenticate"):
            store.anonymous("-ls", "/")
        values, flink, kafka, first = started(install, name, **on_hdfs(version, output), kerberos=login)
        outages.wait_next_checkpoint(flink, first["jid"])
        outages.delete_flink(flink, first["jid"])
        assert [entry["jid"] for entry in flink.rest.jobs()] == [first["jid"]]

        helm.upgrade(name, DEMO, with_interval(values, "3 s"), namespace=namespace)
        assert "/savepoints/" in restored(flink)["external_path"]
        producer_done(flink)
        check_rows(flink, kafka, 2000, lambda: store.output(output))
        assert store.owners(output) == {"kdv"}
        helm.uninstall(name, namespace=namespace)


def test_the_second_namenode_takes_over(install: Install, helm: Helm, cluster: Cluster, namespace: str) -> None:
    output = f"{hdfs.DIRECTORY}/output/served"
    with hdfs.nameservice(cluster, namespace) as store:
        _, flink, kafka, first = started(install, "served", **on_hdfs(NEW, output))
        outages.wait_next_checkpoint(flink, first["jid"])
        store.fail_over()
        outages.delete_flink(flink, first["jid"])
        assert [entry["jid"] for entry in flink.rest.jobs()] == [first["jid"]]
        producer_done(flink)
        check_rows(flink, kafka, 2000, lambda: store.output(output))
        helm.uninstall("served", namespace=namespace)
