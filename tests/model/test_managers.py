"""Who applied the objects: Helm under another name, and others that own a field of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.model.kubernetes import text
from tests.model.scenes import MODES, STORE, installed, upgrade
from tests.model.values import Values
from tests.model.walk import Checked


def entry(manager: str, seconds: float, *annotations: str) -> dict[str, Any]:
    fields: dict[str, Any] = {"f:metadata": {"f:annotations": {f"f:{annotation}": {} for annotation in annotations}}}
    return {"manager": manager, "operation": "Apply", "time": text(seconds), "fieldsV1": fields}


ALL = ("flink/specification", "meta.helm.sh/release-name")


@pytest.mark.parametrize("values", MODES.values(), ids=MODES)
@pytest.mark.parametrize("managers", [["helm-controller"], ["helm", "me"]], ids=["Flux", "a field of another"])
def test_a_rollback_has_its_hooks(values: Values, managers: list[str]) -> None:
    release = installed(values)
    assert upgrade(release, replace(values, program=2)).ok
    metadata = release.world.kubernetes.kind("deployments")["app-jobmanager"]["metadata"]
    metadata["managedFields"] = [
        entry(manager, release.world.now + after, *(("team",) if manager == "me" else ALL))
        for after, manager in enumerate(managers)
    ]
    release.world.advance(30)
    assert release.helm.rollback(0).ok
    release.world.advance(60)
    assert release.jobs[0].program == 1
    assert not release.world.ledger.faults


@pytest.mark.parametrize("values", MODES.values(), ids=MODES)
@pytest.mark.parametrize("order", range(3))
def test_kubectl_apply_suspends_a_job_whose_jobmanager_is_gone_before_the_hooks_look(values: Values, order: int) -> None:
    release = Checked(values, by_helm=False)
    assert release.helm.sync(values).ok
    release.world.advance(30)
    outcome = release.helm.apply_everything(replace(values, state="suspended"), order)
    release.world.advance(30)
    if values is STORE and not outcome.ok:
        assert "Name it with job.fromSavepoint=" in outcome.output
        return
    assert outcome.ok, outcome.output
    assert release.helm.apply_everything(values, order).ok
    release.world.advance(30)
    assert release.jobs
    assert not release.world.ledger.faults
