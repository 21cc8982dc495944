"""State and output on Google Cloud Storage: the KDV job loses no row when the store or the pods of Flink go."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ci.core.paths import DEMO
from harness.cluster import Cluster
from harness.helm import Helm
from tests.kind import gcs, outages
from tests.kind.demo_job import ARGS, check_rows, producer_done, restored, started, with_interval
from tests.kind.installs import NEW, OLD, Install

pytestmark = [pytest.mark.state, pytest.mark.platform, pytest.mark.faults, pytest.mark.full]


def on_gcs(version: str, output: str) -> dict[str, Any]:
    """Values of a release whose job writes its rows there as well."""
    return {
        "version": version,
        "image": {"tag": f"{version}-gcs"},
        "flink": {"config": gcs.OPTIONS},
        "state": {"root": f"gs://{gcs.BUCKET}/state"},
        "highAvailability": {"type": "kubernetes"},
        "storage": {"enabled": False},
        "job": {"args": [*ARGS, f"--output=gs://{gcs.BUCKET}/{output}"]},
    }


@pytest.mark.parametrize("version", [NEW, OLD])
def test_a_job_with_its_state_and_its_rows_on_gcs(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, version: str
) -> None:
    name = f"stored-{version.partition('.')[0]}"
    output = f"output/{name}"
    with gcs.gcs(cluster, namespace) as store:
        values, flink, kafka, first = started(install, name, **on_gcs(version, output))
        job = first["jid"]
        directory = f"state/{namespace}/{name}-flink"
        path = flink.rest.checkpoints(job)["latest"]["completed"]["external_path"]
        assert path.startswith(f"gs://{gcs.BUCKET}/{directory}/checkpoints/{job}/chk-")
        assert store.directories(directory) == {"checkpoints", "ha"}

        before = time.time()
        store.stop()
        outages.wait_missed(flink, job, before)
        store.start()
        outages.delete_flink(flink, job)
        assert [entry["jid"] for entry in flink.rest.jobs()] == [job]

        helm.upgrade(name, DEMO, with_interval(values, "3 s"), namespace=namespace)
        assert restored(flink)["external_path"].startswith(f"gs://{gcs.BUCKET}/{directory}/savepoints/{job}/stop/")
        producer_done(flink)
        check_rows(flink, kafka, 2000, lambda: store.output(output))
        helm.uninstall(name, namespace=namespace)
