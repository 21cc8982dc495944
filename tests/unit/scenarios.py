"""What the invariants are asserted over: every values file that a user would install, and every feature at once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ci.core.paths import DEMO, FLINK, ROOT, VALUES
from harness.manifests import Manifests, render

# Those that a user would install; everything.yaml is a list to copy from.
VALUES_FILES = sorted(file for file in VALUES.glob("*.yaml") if file.stem != "everything")

_SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
_HELPER = {
    "image": "helper:1",
    "securityContext": _SECURITY,
    "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "16Mi"}},
}

# Each value of a role, set to something else than its default.
ROLE: dict[str, Any] = {
    "resources": {"requests": {"cpu": 1, "memory": "3Gi"}, "limits": {"cpu": 2, "memory": "3Gi"}},
    "extraEnv": [{"name": "WHO", "value": "{{ .Release.Name }}"}],
    "extraEnvFrom": [{"secretRef": {"name": "{{ .Release.Name }}-env"}}],
    "extraVolumes": [{"name": "extra", "configMap": {"name": "{{ .Release.Name }}-elsewhere"}}],
    "extraVolumeMounts": [{"name": "extra", "mountPath": "/extra"}],
    "initContainers": [{"name": "prepare", **_HELPER}],
    "sidecars": [{"name": "beside", **_HELPER}],
    "podLabels": {"team": "streams"},
    "podAnnotations": {"example.com/scrape": "true"},
    "nodeSelector": {"disk": "ssd"},
    "affinity": {"nodeAffinity": {}},
    "tolerations": [{"key": "streams", "operator": "Exists"}],
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {}}
    ],
    "priorityClassName": "high",
    "terminationGracePeriodSeconds": 60,
    "startupSeconds": 300,
    "extraPorts": [{"name": "jmx", "containerPort": 9010}],
    "scratch": {"emptyDir": {"sizeLimit": "20Gi"}},
    "runtimeClassName": "gvisor",
    "serviceAccountName": "elsewhere",
    "podSecurityContext": {"fsGroup": 1000},
    "securityContext": {"runAsUser": 1000},
    "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["store"]}],
    "dnsConfig": {"searches": ["example.com"]},
    "lifecycle": {"preStop": {"exec": {"command": ["sleep", "5"]}}},
    "startupProbe": {"periodSeconds": 3},
    "readinessProbe": {"timeoutSeconds": 9},
    "livenessProbe": {"failureThreshold": 9},
    "podSpec": {"schedulerName": "other"},
}

S3 = {"endpoint": "http://versitygw:9000", "region": "eu-central-1", "pathStyle": True, "credentialsSecret": "s3"}
KERBEROS = {"principal": "flink@EXAMPLE.COM", "keytabSecret": "{{ .Release.Name }}-keytab", "configMap": "krb5"}

ALL_OF_FLINK: dict[str, Any] = {
    "commonLabels": {"cost-center": "42"},
    "flink": {
        "type": "job",
        "config": {"state.backend.local-directory": "/tmp/state"},
    },
    "image": {"digest": "sha256:" + "0" * 64, "pullPolicy": "Always", "pullSecrets": ["registry"]},
    "job": {
        "args": ["--who={{ .Release.Name }}"],
        "parallelism": 6,
        "fromSavepoint": "file:///flink-data/s",
        "savepointOnUninstall": True,
    },
    "files": {"job.py": "pass\n"},
    "historyServer": {"enabled": True},
    "jobmanager": {**ROLE, "replicas": 2, "strategy": {"type": "RollingUpdate"}},
    "highAvailability": {"type": "kubernetes"},
    "state": {
        "root": "s3://bucket/state",
        "folders": {"checkpoints": "s3p://fast/checkpoints", "savepoints": "hdfs:///savepoints"},
        "backend": "rocksdb",
        "checkpointing": {"timeout": "3 min", "unaligned": True, "localRecovery": True},
        "s3": S3,
        "hdfs": {"configMap": "hadoop", "classpath": "/opt/hadoop/*"},
    },
    "savepoints": {"schedule": "0 3 * * *"},
    "taskmanager": {
        **ROLE,
        "replicas": 3,
        "slots": 2,
        "strategy": {"type": "RollingUpdate"},
        "podDisruptionBudget": {"enabled": True},
    },
    "metrics": {
        "scrapeAnnotations": True,
        "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "prometheusRule": {"enabled": True},
        "dashboard": {"enabled": True},
    },
    "rest": {"port": 18081, "service": {"type": "NodePort", "nodePort": 30081, "annotations": {"a": "b"}}},
    "ingress": {"enabled": True, "host": "flink.example", "path": "/flink", "tlsSecretName": "flink-tls"},
    "gateway": {"parentRefs": [{"name": "web"}], "path": "/flink"},
    "storage": {"accessModes": ["ReadWriteMany"], "keep": True, "storageClassName": "shared"},
}
# A session cluster with a job of each kind.
JOBS: dict[str, Any] = {
    "auth": {
        "type": "oidc",
        "oidc": {
            "publicUrl": "https://tools.example/flink",
            "issuer": "https://login.example",
            "clientId": "flink",
            "secret": "login",
            "allowedEmails": ["ada@example.com", "@streams.example"],
            "bearerTokens": True,
            "caConfigMap": "authorities",
        },
    },
    "files": {"words.py": "pass\n", "rows.sql": "SELECT 1;\n"},
    "session": {
        "jobs": [
            {"name": "speeds", "jar": {"file": "/a.jar", "entryClass": "a.B"}, "args": ["--who={{ .Release.Name }}", 7]},
            {"name": "words", "python": {"file": "words.py"}, "parallelism": 2, "fromSavepoint": "file:///flink-data/s"},
            {"name": "rows", "sql": {"file": "rows.sql"}, "allowNonRestoredState": True},
        ]
    },
    "highAvailability": {"type": "kubernetes"},
    "sqlGateway": {"enabled": True},
    "historyServer": {"enabled": True},
}
ALL_OF_DEMO: dict[str, Any] = {
    "kafkaUi": {"enabled": True},
    "flink": {"flink": {"type": "session"}, "session": {"jobs": [{"name": "kdv", "python": {"file": "/kdv.py"}}]}},
}


@dataclass(frozen=True)
class Scenario:
    """A chart with values. `externals` are (kind, name) of objects that the user has to provide."""

    name: str
    chart: Path
    files: tuple[str, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)
    externals: frozenset[tuple[str, str]] = frozenset()

    def render(self, name: str = "release-name", **options: Any) -> Manifests:
        return render(self.chart, self.values, files=self.files, name=name, **options)

    def __str__(self) -> str:
        return self.name


# What the head of a values file asks for beforehand.
EXTERNALS = {
    "hive": frozenset({("ConfigMap", "hadoop")}),
    "read-only": frozenset({("Secret", "people")}),
    "s3": frozenset({("Secret", "s3")}),
    "bounded": frozenset({("ConfigMap", "text")}),
}


def _of_file(file: Path) -> Scenario:
    """The chart is the one of the install command at the file's head."""
    chart = re.search(r"^#.*helm install \S+ (charts/\S+) ", file.read_text(), re.MULTILINE)
    assert chart, f"{file} does not show its `helm install` command"
    return Scenario(file.stem, ROOT / chart[1], files=(str(file),), externals=EXTERNALS.get(file.stem, frozenset()))


SCENARIOS = [
    Scenario("flink", FLINK),
    Scenario(
        "flink-everything",
        FLINK,
        values=ALL_OF_FLINK,
        externals=frozenset(
            {
                ("ConfigMap", "release-name-elsewhere"),
                ("ConfigMap", "hadoop"),
                ("Secret", "flink-tls"),
                ("Secret", "s3"),
                ("ServiceAccount", "elsewhere"),
            }
        ),
    ),
    Scenario("flink-nothing", FLINK, values={"storage": {"enabled": False}, "serviceAccount": {"create": False}}),
    Scenario(
        "flink-session-jobs",
        FLINK,
        values=JOBS,
        externals=frozenset({("Secret", "login"), ("ConfigMap", "authorities")}),
    ),
    Scenario(
        "flink-locks",
        FLINK,
        values={
            **JOBS,
            "tls": {
                "internal": {"enabled": True, "secretName": "internal"},
                "rest": {"enabled": True, "secretName": "{{ .Release.Name }}-rest", "clientCertificates": True},
            },
        },
        externals=frozenset(
            {("Secret", "login"), ("ConfigMap", "authorities"), ("Secret", "internal"), ("Secret", "release-name-rest")}
        ),
    ),
    Scenario(
        "flink-1.20",
        FLINK,
        values={
            "flink": {"version": "1.20.5"},
            "files": {"rows.sql": "SELECT 1;\n"},
            "session": {"jobs": [{"name": "rows", "sql": {"file": "rows.sql"}}]},
            "hive": {"metastore": "thrift://metastore:9083"},
        },
    ),
    Scenario("demo-defaults", DEMO),
    Scenario("demo-everything", DEMO, values=ALL_OF_DEMO),
    *map(_of_file, VALUES_FILES),
]
