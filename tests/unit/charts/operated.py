"""Releases that the Flink Kubernetes Operator runs, and what it takes for each value to have an effect there."""

from __future__ import annotations

from typing import Any

from harness.helm import merged
from harness.manifests import Manifests, Object

Tree = dict[str, Any]
NAME = "release-name-flink"
SESSION: Tree = {"flink": {"mode": "operator", "version": "1.20.5"}}
JOB: Tree = merged(
    SESSION,
    {"flink": {"type": "job"}, "job": {"jar": {"file": "/a.jar"}}, "highAvailability": {"type": "kubernetes"}},
)
URL = "https://repo.example/a.jar"
SPEEDS: Tree = {"name": "speeds", "jar": {"file": URL, "entryClass": "a.B"}, "args": ["--at={{ .Release.Name }}", 7]}

# Values that are refused where the operator runs Flink; all others have an effect there. A new value that has none is to be
# refused, and stands here: test_values.py fails otherwise.
REFUSED = {
    "flink.configFrom",
    *("job.sql.file", "job.sql.sha256", "job.savepointOnUninstall"),
    *("job.bounded", "job.backoffLimit", "job.ttlSecondsAfterFinished"),
    *("session.resources", "jobmanager.strategy", "taskmanager.strategy", "taskmanager.replicas"),
    *(f"taskmanager.autoscaling.{key}" for key in ("enabled", "minReplicas", "maxReplicas", "metrics", "behavior")),
    *("taskmanager.autoscaling.keda.triggers", "taskmanager.podDisruptionBudget.enabled"),
    "taskmanager.podDisruptionBudget.maxUnavailable",
    *("hooks.enabled", "hooks.timeoutSeconds", "hooks.forceConflicts", "hooks.resources"),
    "savepoints.keepOfUpgrades",
    *("tls.internal.enabled", "tls.internal.secretName", "tls.rest.enabled", "tls.rest.secretName", "tls.rest.hosts"),
    *("tls.rest.clientCertificates", "tls.certManager.issuerRef", "tls.selfSigned.enabled", "tls.rotation"),
    *("gateway.caConfigMap", "highAvailability.zookeeper.tls.secretName"),
    *("rest.service.nodePort", "logging.log4jCli"),
}
# What it takes for a value to be able to have an effect in this mode, where that is another thing than in the others.
BASES: dict[str, Tree] = {
    "flink.type": {"highAvailability": {"type": "kubernetes"}, "job": {"jar": {"file": "/a.jar"}}},
    "hooks.image": {"flink": {"type": "job"}, "job": {"jar": {"file": URL, "sha256": "0" * 64}}},
    "files": {"flink": {"type": "job"}},
    "job.jar.entryClass": {"job": {"jar": {"file": "/a.jar"}}},
    "serviceAccount.create": {"serviceAccount": {"name": "other"}},
}
INSTEAD: dict[str, Any] = {"session.jobs": [SPEEDS], "flink.mode": "standalone", "flink.version": "2.2.1"}


def release(values: Tree) -> Tree:
    """Values of a release that the operator runs."""
    base = merged(SESSION, {"networkPolicy": {"ingress": {"operator": [{"podSelector": {}}]}}})
    if values.get("flink", {}).get("type") == "job":
        base = merged(base, {"highAvailability": {"type": "kubernetes"}})
    return merged(base, values)


def with_effect(manifests: Manifests) -> list[Object]:
    """The objects, without the options that only the pods beside Flink's read."""
    return [obj for obj in manifests if obj["metadata"]["name"] != f"{NAME}-config"]
