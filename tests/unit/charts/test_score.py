"""kube-score over what every file in values/ renders: what it finds is mended, or stands here with the reason."""

from __future__ import annotations

import functools
import json
import subprocess
from pathlib import Path

import pytest

from ci.commands.lint import chart_of
from ci.core import versions
from ci.core.paths import ROOT, VALUES
from ci.kubernetes import tools
from harness.helm import Helm

pytestmark = pytest.mark.full
# everything.yaml sets what is right by default to something else.
FILES = [file for file in sorted((VALUES).glob("*.yaml")) if file.stem != "everything"]

# Check of kube-score -> why the charts do not do as it says.
LEFT = {
    "container-resources": "no limit of CPU, which would throttle a JVM; a value sets one",
    "container-ephemeral-storage-request-and-limit": "scratch space is limited where a value says so: jobs differ too much",
    "container-image-pull-policy": "a tag of a release does not change, and a node without the registry can start a pod",
    "container-security-context-user-group-id": "9999 is the user of the official image, whose files belong to it",
    "deployment-strategy": "two JobManagers would both run the job, and TaskManagers of two revisions would mix",
    "deployment-replicas": "one JobManager is the default: another one needs high availability, which is a value",
    "deployment-has-host-podantiaffinity": "pods that share a claim have to be on one node",
    "deployment-has-poddisruptionbudget": "one over a single pod would block every drain of its node",
    "pod-networkpolicy": "what may talk to Flink differs by cluster: networkPolicy.enabled makes them, for who has named it",
    "pod-probes-identical": "both ask whether the port answers, at other times and with other patience",
    "pod-probes": "ZooKeeper's and the demo's only; pods of Jobs and of the test end by themselves",
    "horizontalpodautoscaler-replicas": "a job at rest needs one TaskManager; autoscaling.minReplicas says otherwise",
    "service-type": "a NodePort is what values/nodeport.yaml is for",
    "statefulset-has-servicename": "the demo's single broker is found by its Service, and needs no name of its own",
}


@functools.cache
def failed(file: Path) -> dict[str, set[str]]:
    """{check: objects that fail it} of what a file renders."""
    text = Helm().template(chart_of(str(file.relative_to(ROOT))), files=[file])
    command = [str(tools.path("kube-score")), "score", "--output-format=json", "-"]
    version = versions.get("kubernetes", "version").rpartition(".")[0]
    done = subprocess.run([*command, f"--kubernetes-version=v{version}"], input=text, capture_output=True, text=True)
    failures: dict[str, set[str]] = {}
    for obj in json.loads(done.stdout):
        for check in obj["checks"] or []:
            if not check["skipped"] and check["grade"] < 10:
                failures.setdefault(check["check"]["id"], set()).add(obj["object_name"])
    return failures


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_nothing_is_found_that_has_no_reason(file: Path) -> None:
    assert {check: names for check, names in failed(file).items() if check not in LEFT} == {}


def test_each_reason_is_needed() -> None:
    failures = {check for file in FILES for check in failed(file)}
    assert LEFT.keys() - failures == set()
