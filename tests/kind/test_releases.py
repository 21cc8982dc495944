"""Released charts: upgrades from each of them, and an install from a registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci.core import versions
from ci.core.paths import DEMO, FLINK
from ci.kubernetes import tools
from ci.machine import debian
from ci.release import agreement, charts
from harness import registry
from harness.helm import Helm
from tests.kind.demo_job import broker, check_rows, demo, producer_done, restored
from tests.kind.installs import NEW, OLD, Install

pytestmark = [pytest.mark.state, pytest.mark.full]
KEPT = agreement.kept()


@pytest.mark.parametrize("flink_version", [NEW, OLD])
@pytest.mark.parametrize("chart_version", KEPT)
def test_a_release_of_an_older_chart_is_taken_over(
    install: Install, helm: Helm, namespace: str, chart_version: str, flink_version: str
) -> None:
    """That of 0.1.0 has no hooks, so that there is no record, and Flink has chosen the job's id.

    Where nothing that concerns the job has changed since, its pod alone is replaced: the job resumes from its own checkpoint.
    """
    values = demo(flink_version, count=2000, rate=50)
    flink = install("older", KEPT[chart_version], values)
    job = flink.rest.wait_running("kdv")
    flink.rest.wait_checkpoint(job["jid"], 1)
    helm.upgrade("older", DEMO, values, namespace=namespace)
    assert f"s/{job['jid'][:16]}" in restored(flink)["external_path"]  # of savepoints/ or checkpoints/
    producer_done(flink)
    check_rows(flink, broker(flink), 2000)


@pytest.mark.parametrize("helm", ["helm", "helm3"], indirect=True)
def test_a_signed_chart_is_installed_from_a_registry(install: Install, helm: Helm, namespace: str, tmp_path: Path) -> None:
    tools.path("crane")
    debian.provide({"gpg": "gnupg"}, "the trial key")
    key = registry.trial_key(tmp_path)
    with registry.serve() as address:
        charts.push(charts.package(tmp_path, charts.Key(key.owner, key.secret)), f"{address}/flink-helm")
        version = f"--version={versions.get('charts', 'version')}"
        options = [version, "--plain-http", "--verify", f"--keyring={key.public}"]
        session = install("pulled", f"oci://{address}/flink-helm/{FLINK.name}", options=options)
    assert "Succeeded" in helm.test("pulled", namespace=namespace)
    assert session.rest.overview()["taskmanagers"] == 1
