"""values.yaml and its schema: closed, complete, documented, and without a value that does nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci.core.paths import CHARTS, DEMO, FLINK
from harness.helm import Helm, HelmError, merged
from harness.manifests import render
from tests.unit.charts import operated
from tests.unit.charts.releases import nested, refused
from tests.unit.scenarios import ROLE

Tree = dict[str, Any]

each_chart = pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)

# Objects whose keys are the user's: options, labels, parts of a pod.
OPEN = {
    "additionalProperties",
    # One for every kind of pod: those who take it are closed.
    "role",
    "dnsConfig",
    "lifecycle",
    "podSpec",
    "scratch",
    "affinity",
    "podSecurityContext",
    "securityContext",
    "strategy",
    "behavior",
    "config",
    "global",
    "flink",
    "items",
}


def schema(chart: Path) -> Tree:
    document: Tree = json.loads((chart / "values.schema.json").read_text())
    return document


def defaults(chart: Path) -> Tree:
    document: Tree = yaml.safe_load((chart / "values.yaml").read_text())
    return document


def objects(node: Any, name: str = "") -> Iterator[tuple[str, Tree]]:
    """Each object schema below `node` with the last name on the way to it."""
    if isinstance(node, dict):
        if "object" in node.get("type", ()):
            yield name, node
        for key, value in node.items():
            yield from objects(value, key)
    elif isinstance(node, list):
        for item in node:
            yield from objects(item, name)


@each_chart
def test_every_object_of_ours_is_closed(chart: Path) -> None:
    for name, node in objects(schema(chart)):
        closed = node.get("additionalProperties", node.get("unevaluatedProperties"))
        assert closed is not None or name in OPEN, f"{name}: {node}"
        if "properties" in node and name not in OPEN:
            assert closed in (False, {"$ref": "#/$defs/unknown"}), name


def resolve(node: Tree, root: Tree) -> Tree:
    """The schema of an object, with the values that every kind of pod has."""
    if "$ref" in node:
        return root["$defs"][node["$ref"].rpartition("/")[2]]
    taken = [resolve(other, root).get("properties", {}) for other in node.get("allOf", [])]
    return (
        {**node, "properties": {**{key: value for more in taken for key, value in more.items()}, **node["properties"]}}
        if taken
        else node
    )


ROLES = (
    *("jobmanager", "taskmanager", "sqlGateway", "historyServer", "session", "uiProxy", "hooks", "savepoints", "zookeeper"),
    "test",
)


def leaves(values: Tree, node: Tree, root: Tree, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of the values that a user sets, as values.yaml has them; fails where the schema does not know one."""
    for key, value in values.items():
        assert key in node["properties"], f"the schema does not know {'.'.join((*path, key))}"
        below = resolve(node["properties"][key], root)
        if "properties" in below and isinstance(value, dict) and "$ref" not in node["properties"][key] and key != "resources":
            yield from leaves(value, below, root, (*path, key))
        else:
            yield (*path, key)


def flink_leaves() -> set[str]:
    return {".".join(path) for path in leaves(defaults(FLINK), schema(FLINK), schema(FLINK))}


def demo_leaves() -> set[str]:
    own = {key: value for key, value in defaults(DEMO).items() if key != "flink"}
    return {".".join(path) for path in leaves(own, schema(DEMO), schema(DEMO))}


@each_chart
def test_the_schema_has_no_value_that_the_defaults_do_not_show(chart: Path) -> None:
    def missing(node: Tree, values: Any, path: str) -> Iterator[str]:
        for key, below in resolve(node, schema(chart)).get("properties", {}).items():
            name = path.rpartition(".")[2]
            if path == chart.name and key == "enabled":
                continue  # a parent chart's condition
            if name in ROLES[1:] and key in schema(chart).get("$defs", {}).get("role", {}).get("properties", {}):
                continue  # the JobManager shows them for all
            if not isinstance(values, Mapping) or key not in values:
                yield f"{path}.{key}"
            else:
                if "$ref" not in below:
                    yield from missing(below, values[key], f"{path}.{key}")

    assert not list(missing(schema(chart), defaults(chart), chart.name))


@each_chart
def test_every_value_is_documented_where_it_stands(chart: Path) -> None:
    lines = (chart / "values.yaml").read_text().splitlines()
    undocumented = []
    text_indent = None
    for number, line in enumerate(lines):
        match = re.match(r"( *)([\w.]+):(.*)", line)
        indent = len(line) - len(line.lstrip())
        if text_indent is not None and (not line.strip() or indent > text_indent):
            continue  # inside a text, or a documented value of several lines
        text_indent = None
        if not match:
            continue
        above = number - 1
        while above >= 0 and re.match(r" *# (?!-- )", lines[above]):
            above -= 1
        documented = bool(re.match(r" *# -- \S", lines[above]))
        group = not match[3].strip() and not documented
        if not documented and not group:
            undocumented.append(line.strip())
        if documented:
            text_indent = indent
    assert not undocumented


@each_chart
def test_an_editor_shows_of_each_value_what_the_table_says(chart: Path) -> None:
    """helm-docs reads values.yaml for the table by itself."""
    root = schema(chart)
    rows = re.findall(r"(?m)^\| ([\w.]+) \| \w+ \| (.*?) \| (.+) \|$", (chart / "README.md").read_text())
    for path, default, text in rows[1:]:
        node = root
        for key in path.split("."):
            properties = node.get("properties", {})
            if path.startswith("jobmanager."):  # which shows what all kinds of pods take
                properties = properties | root["$defs"]["role"]["properties"]
            node = properties.get(key, {})
        if node and text:
            assert text.startswith(node["description"]), path
            assert "default" not in node or json.dumps(node["default"]) == default.strip("`"), path


@each_chart
def test_unknown_keys_are_refused_at_every_level(chart: Path) -> None:
    def typos(node: Tree, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        node = resolve(node, schema(chart))
        if node.get("additionalProperties") is False or "unevaluatedProperties" in node:
            yield (*path, "typo")
            for key, below in node["properties"].items():
                yield from typos(below, (*path, key))

    paths = list(typos(schema(chart), ()))
    assert ("typo",) in paths
    # What all kinds of pods have is tried once.
    once = {path for path in paths if path[0] in ("jobmanager", *set(schema(chart)["properties"]) - set(ROLES)) or len(path) < 3}
    for path in once:
        with pytest.raises(HelmError, match=r"additional properties 'typo' not allowed|typo': value must be 'left out, because"):
            Helm().template(chart, nested(path, 1))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("flink.type", "cluster"),
        ("taskmanager.replicas", "two"),
        ("taskmanager.replicas", -1),
        ("taskmanager.autoscaling.minReplicas", 0),
        ("taskmanager.autoscaling.metrics", {"cpu": 80}),
        ("taskmanager.slots", 0),
        ("jobmanager.replicas", 0),
        ("job.parallelism", 0),
        ("operator.flinkVersion", "1.20"),
        ("job.args", "--one=text"),
        ("image.repository", ""),
        ("image.digest", "sha256:short"),
        ("image.pullPolicy", "Sometimes"),
        ("rest.port", 65536),
        ("metrics.port", 80),
        ("metrics.podMonitor.interval", "often"),
        ("metrics.prometheusRule.patience", 0),
        ("metrics.prometheusRule.disabled", ["FlinkRecordsTooLate"]),
        ("metrics.prometheusRule.thresholds.memoryPercent", 101),
        ("rest.service.type", "Headless"),
        ("ingress.rewrite", "traefik"),
        ("gateway.parentRefs", [{"namespace": "gateways"}]),
        ("auth.type", "ldap"),
        ("auth.oidc.publicUrl", "flink.example.com"),
        ("auth.oidc.publicUrl", "https://a.example/$x"),
        ("auth.oidc.allowedEmails", ["example.com"]),
        ("auth.oidc.allowedEmails", ["ada@example.com, eve@example.com"]),
        ("auth.oidc.args", ["cookie-expire=1h"]),
        ("state.backend", "redis"),
        ("state.checkpointing.interval", 0),
        ("state.checkpointing.interval", "often"),
        ("state.checkpointing.retained", 0),
        ("state.s3.endpoint", "http://minio:9000/bucket"),
        ("storage.accessModes", []),
        ("storage.accessModes", ["ReadOnlyMany"]),
        ("storage.mountPath", "flink-data"),
        ("storage.enabled", "yes"),
        ("commonLabels", {"a": [1]}),
        ("taskmanager.resources", {"limits": {"memory": None}}),
        ("networkPolicy.ingress.rest", [{}]),
        ("networkPolicy.ingress.rest", [{"matchLabels": {"app": "nginx"}}]),
        ("networkPolicy.egress.services", [{"from": [], "ports": []}]),
    ],
)
def test_wrong_types_and_ranges_are_refused(path: str, value: Any) -> None:
    with pytest.raises(HelmError, match=path.replace(".", "[./]")):
        Helm().template(FLINK, nested(tuple(path.split(".")), value))


JOB = {"flink": {"type": "job"}}
BOUNDED = {**JOB, "job": {"bounded": True}}
SUBMITS: Tree = {"session": {"jobs": [{"name": "a", "jar": {"file": "/a.jar"}}]}}
NATIVE: Tree = {"flink": {"mode": "native"}}
MONITORED: Tree = {"metrics": {"podMonitor": {"enabled": True}}}
RULE: Tree = {"metrics": {"prometheusRule": {"enabled": True}}}
MEMORY = [{"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 70}}}]
AUTOSCALED: Tree = {"taskmanager": {"autoscaling": {"enabled": True}}}
WALLS: Tree = {"networkPolicy": {"enabled": True}}
LOCKS: Tree = {"tls": {part: {"enabled": True, "secretName": "mine"} for part in ("internal", "rest")}}
TRIAL: Tree = {"tls": {"rest": {"enabled": True}, "selfSigned": {"enabled": True}}}
HIVE: Tree = {"flink": {"version": "1.20.5"}, "hive": {"metastore": "thrift://metastore:9083"}}
INGRESS = {"ingress": {"enabled": True, "host": "flink.example", "path": "/flink"}}
GATEWAY = {"gateway": {"parentRefs": [{"name": "web"}]}}
BASIC: Tree = {"auth": {"type": "basic", "basic": {"secret": "people"}}}
OIDC: Tree = {
    "auth": {
        "type": "oidc",
        "oidc": {
            "publicUrl": "https://flink.example",
            "issuer": "https://login.example",
            "clientId": "flink",
            "secret": "client",
            "allowedGroups": ["streams"],
        },
    }
}

# Value -> another setting of it, and the other values without which it has no effect.
FLINK_CHANGES: dict[str, tuple[Any, Tree]] = {
    "nameOverride": ("streams", {}),
    "fullnameOverride": ("streams", {}),
    "commonLabels": ({"a": "b"}, {}),
    "commonAnnotations": ({"a": "b"}, {}),
    "commonPodLabels": ({"a": "b"}, {}),
    "commonPodAnnotations": ({"a": "b"}, {}),
    "global.imageRegistry": ("registry.example", {}),
    "global.imagePullSecrets": ([{"name": "mirror"}], {}),
    "image.registry": ("registry.example", {}),
    "flink.type": ("job", {}),
    "flink.mode": ("native", {}),
    "operator.flinkVersion": ("v1_19", {"flink": {"mode": "operator"}}),
    "flink.version": ("1.20.5", {}),
    "flink.config": ({"state.backend.type": "rocksdb"}, {}),
    "flink.configFrom": ([{"name": "a.password", "secretKeyRef": {"name": "mine", "key": "k"}}], {}),
    "flink.plugins": (["flink-azure-fs-hadoop"], {}),
    "image.repository": ("other", {}),
    "image.tag": ("other", {}),
    "image.digest": ("sha256:" + "1" * 64, {}),
    "image.pullPolicy": ("Always", {}),
    "image.pullSecrets": (["registry"], {}),
    "job.python.file": ("/other.py", JOB),
    **{
        f"job.{kind}.sha256": ("1" * 64, {**JOB, "job": {kind: {"file": "https://example.com/a", "sha256": "0" * 64}}})
        for kind in ("python", "jar", "sql")
    },
    "job.jar.file": ("/other.jar", JOB),
    "job.jar.entryClass": ("a.B", JOB),
    "job.sql.file": ("/other.sql", JOB),
    "job.args": (["--a"], JOB),
    "job.parallelism": (2, JOB),
    "job.fromSavepoint": ("s3://b/s", JOB),
    "job.allowNonRestoredState": (True, JOB),
    "job.upgradeMode": ("last-state", JOB),
    "job.state": ("suspended", JOB),
    "job.savepointOnUninstall": (True, {**JOB, "storage": {"keep": True}}),
    "job.bounded": (True, JOB),
    "job.backoffLimit": (0, BOUNDED),
    "job.ttlSecondsAfterFinished": (600, BOUNDED),
    "session.jobs": ([{"name": "a", "jar": {"file": "/a.jar"}}], {}),
    "session.resources": ({"limits": {"memory": "2Gi"}}, SUBMITS),
    **{
        path: change
        for name in ("sqlGateway", "historyServer")
        for path, change in {
            f"{name}.enabled": (True, {}),
            f"{name}.resources": ({"limits": {"memory": "3Gi"}}, {name: {"enabled": True}}),
        }.items()
    },
    "files": ({"a.py": "pass"}, {}),
    "native.maxTaskManagers": (3, NATIVE),
    "native.idleTimeout": ("5 min", NATIVE),
    "highAvailability.type": ("kubernetes", {}),
    "highAvailability.zookeeper.quorum": ("zk-0:2181,zk-1:2181", {"highAvailability": {"type": "zookeeper"}}),
    "savepoints.schedule": ("0 3 * * *", JOB),
    "savepoints.keep": (7, JOB),
    "savepoints.keepOfUpgrades": (7, JOB),
    "savepoints.format": ("native", JOB),
    "highAvailability.zookeeper.tls.secretName": (
        "mine",
        {"highAvailability": {"type": "zookeeper", "zookeeper": {"quorum": "zk:2281"}}},
    ),
    "highAvailability.zookeeper.root": ("/mine", {"highAvailability": {"type": "zookeeper"}}),
    "hooks.enabled": (False, {}),
    "hooks.image": ("other:1", {}),
    "hooks.timeoutSeconds": (600, {}),
    "hooks.forceConflicts": (True, {}),
    "jobmanager.replicas": (2, {"highAvailability": {"type": "kubernetes"}}),
    "jobmanager.strategy": ({"type": "RollingUpdate"}, {"highAvailability": {"type": "kubernetes"}}),
    "taskmanager.replicas": (2, {}),
    "taskmanager.slots": (3, {}),
    "taskmanager.strategy": ({"type": "RollingUpdate"}, {}),
    "taskmanager.autoscaling.enabled": (True, {}),
    "taskmanager.autoscaling.minReplicas": (2, AUTOSCALED),
    "taskmanager.autoscaling.maxReplicas": (2, AUTOSCALED),
    "taskmanager.autoscaling.metrics": (MEMORY, AUTOSCALED),
    "taskmanager.autoscaling.behavior": ({"scaleDown": {"stabilizationWindowSeconds": 60}}, AUTOSCALED),
    "taskmanager.autoscaling.keda.triggers": ([{"type": "kafka"}], AUTOSCALED),
    "taskmanager.podDisruptionBudget.enabled": (True, {}),
    "taskmanager.podDisruptionBudget.maxUnavailable": (
        "50%",
        {"taskmanager": {"podDisruptionBudget": {"enabled": True}}},
    ),
    **{f"jobmanager.{key}": (value, {}) for key, value in ROLE.items() if key != "extraVolumeMounts"},
    "jobmanager.extraVolumeMounts": (ROLE["extraVolumeMounts"], {"jobmanager": {"extraVolumes": ROLE["extraVolumes"]}}),
    **{f"taskmanager.{key}": (ROLE[key], {}) for key in ("resources", "terminationGracePeriodSeconds", "startupSeconds")},
    "highAvailability.zookeeper.resources": (ROLE["resources"], {"highAvailability": {"type": "zookeeper"}}),
    "hooks.resources": (ROLE["resources"], {}),
    "test.resources": (ROLE["resources"], {}),
    "initResources": (ROLE["resources"], {"state": {"root": "s3://b/p"}}),
    "serviceAccount.automountToken": (True, {}),
    "rbac.create": (False, {}),
    "networkPolicy.enabled": (True, {}),
    "networkPolicy.ingress.operator": (
        [{"namespaceSelector": {}}],
        {"flink": {"mode": "operator"}, "networkPolicy": {"enabled": True, "ingress": {"operator": [{"podSelector": {}}]}}},
    ),
    **{
        f"networkPolicy.ingress.{door}": ([{"podSelector": {}}], {**WALLS, **base})
        for door, base in {
            "rest": {},
            "sqlGateway": {"sqlGateway": {"enabled": True}},
            "historyServer": {"historyServer": {"enabled": True}},
            "metrics": {},
        }.items()
    },
    **{f"networkPolicy.egress.{way}": ([{"ports": [{"port": 1}]}], WALLS) for way in ("dns", "apiServer", "services")},
    **{f"tls.{part}.enabled": (True, {"tls": {part: {"secretName": "mine"}}}) for part in ("internal", "rest")},
    **{f"tls.{part}.secretName": ("other", LOCKS) for part in ("internal", "rest")},
    "tls.rest.clientCertificates": (True, LOCKS),
    "tls.rest.hosts": (["flink.example"], TRIAL),
    "tls.certManager.issuerRef": (
        {"name": "other"},
        {"tls": {"rest": {"enabled": True}, "certManager": {"issuerRef": {"name": "i"}}}},
    ),
    "tls.selfSigned.enabled": (True, {"tls": {"rest": {"enabled": True}}}),
    "tls.rotation": ("2", LOCKS),
    "networkPolicy.egress.oidc": (
        [{"ports": [{"port": 1}]}],
        merged({"networkPolicy": {"enabled": True, "egress": {"oidc": [{"ports": [{"port": 443}]}]}}}, OIDC),
    ),
    "extraObjects": ([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}}], {}),
    "metrics.enabled": (False, {}),
    "metrics.port": (19249, {}),
    "metrics.scrapeAnnotations": (True, {}),
    "metrics.podMonitor.enabled": (True, {}),
    "metrics.prometheusRule.enabled": (True, {}),
    "metrics.dashboard.enabled": (True, {}),
    **{
        f"metrics.prometheusRule.{key}": (value, RULE)
        for key, value in {
            "labels": {"release": "kube-prometheus-stack"},
            "disabled": ["FlinkRecordsLate"],
            "patience": 0.5,
            "runbookUrl": "https://wiki.example/runbooks",
            "thresholds.restarts": 5,
            "thresholds.failedCheckpoints": 5,
            "thresholds.checkpointAgeSeconds": 3600,
            "thresholds.checkpointDurationSeconds": 60,
            "thresholds.backpressurePercent": 80,
            "thresholds.lagRecords": 1000000,
            "thresholds.lateRecords": 100,
            "thresholds.deadLetters": 100,
            "thresholds.memoryPercent": 80,
            "thresholds.volumePercent": 70,
        }.items()
    },
    "metrics.dashboard.labels": ({"grafana_dashboard": "yes"}, {"metrics": {"dashboard": {"enabled": True}}}),
    "metrics.dashboard.annotations": ({"grafana_folder": "Flink"}, {"metrics": {"dashboard": {"enabled": True}}}),
    **{
        f"metrics.podMonitor.{key}": (value, MONITORED)
        for key, value in {
            "labels": {"release": "kube-prometheus-stack"},
            "interval": "15s",
            "scrapeTimeout": "10s",
            "relabelings": [{"targetLabel": "cluster", "replacement": "east"}],
            "metricRelabelings": [{"regex": "task_name", "action": "labeldrop"}],
        }.items()
    },
    "rest.port": (18081, {}),
    "rest.service.type": ("LoadBalancer", {}),
    "rest.service.nodePort": (30081, {"rest": {"service": {"type": "NodePort"}}}),
    "rest.service.annotations": ({"a": "b"}, {}),
    "ingress.enabled": (True, {}),
    "ingress.className": ("nginx", INGRESS),
    "ingress.host": ("other.example", INGRESS),
    "ingress.extraHosts": (["more.example"], INGRESS),
    "ingress.path": ("/other", INGRESS),
    "ingress.rewrite": ("none", INGRESS),
    "ingress.annotations": ({"a": "b"}, INGRESS),
    "ingress.tlsSecretName": ("tls", INGRESS),
    "gateway.parentRefs": ([{"name": "web", "namespace": "gateways"}], {}),
    "gateway.hostnames": (["other.example"], GATEWAY),
    "gateway.path": ("/other", GATEWAY),
    "gateway.annotations": ({"a": "b"}, GATEWAY),
    "gateway.caConfigMap": ("mine", merged(GATEWAY, LOCKS)),
    "rest.readOnly": (True, {}),
    "auth.type": ("basic", merged(BASIC, OIDC)),
    "auth.basic.secret": ("others", BASIC),
    **{
        f"auth.oidc.{key}": (value, OIDC)
        for key, value in {
            "image": "other:1",
            "publicUrl": "https://other.example/flink",
            "issuer": "https://other.example",
            "clientId": "other",
            "secret": "other",
            "allowedGroups": ["others"],
            "allowedEmails": ["ada@example.com"],
            "bearerTokens": True,
            "caConfigMap": "ca",
            "args": ["--cookie-expire=12h"],
            "resources": ROLE["resources"],
        }.items()
    },
    "uiProxy.image": ("other:1", {"rest": {"readOnly": True}}),
    "uiProxy.resources": (ROLE["resources"], {"rest": {"readOnly": True}}),
    "state.root": ("s3://b/state", {}),
    "state.folders.checkpoints": ("s3://b/c", {}),
    "state.folders.savepoints": ("s3://b/s", {}),
    "state.folders.highAvailability": ("s3://b/ha", {"highAvailability": {"type": "kubernetes"}}),
    "state.backend": ("rocksdb", {}),
    "state.checkpointing.interval": ("10 s", {}),
    "state.checkpointing.timeout": ("3 min", {}),
    "state.checkpointing.retained": (1, {}),
    "state.checkpointing.incremental": (False, {}),
    "state.checkpointing.unaligned": (True, {}),
    "state.checkpointing.localRecovery": (True, {}),
    "state.s3.endpoint": ("http://minio:9000", {}),
    "state.s3.region": ("eu-central-1", {}),
    "state.s3.pathStyle": (True, {}),
    "state.s3.credentialsSecret": ("s3", {}),
    "state.s3.credentialsKeys.accessKey": ("id", {"state": {"s3": {"credentialsSecret": "s3"}}}),
    "state.s3.credentialsKeys.secretKey": ("key", {"state": {"s3": {"credentialsSecret": "s3"}}}),
    "state.hdfs.configMap": ("hadoop", {}),
    "state.hdfs.classpath": ("/opt/hadoop/*", {}),
    "kerberos.principal": ("flink@EXAMPLE.COM", {"kerberos": {"keytabSecret": "keytab"}}),
    "kerberos.keytabSecret": ("keytab", {"kerberos": {"principal": "flink"}}),
    "kerberos.configMap": ("krb5", {}),
    "hive.metastore": ("thrift://metastore:9083", {"flink": {"version": "1.20.5"}}),
    "hive.configMap": ("hive", {"flink": {"version": "1.20.5"}}),
    "hive.catalog": ("lake", HIVE),
    "sqlGateway.hiveServer2": (True, {**HIVE, "sqlGateway": {"enabled": True}}),
    "storage.enabled": (False, {}),
    "storage.existingClaim": ("mine", {}),
    "storage.size": ("9Gi", {}),
    "storage.storageClassName": ("fast", {}),
    "storage.accessModes": (["ReadWriteMany"], {}),
    "storage.mountPath": ("/other", {}),
    "storage.keep": (True, {}),
    "serviceAccount.create": (False, {}),
    "serviceAccount.name": ("other", {}),
    "serviceAccount.annotations": ({"a": "b"}, {}),
    "podSecurityContext": ({"runAsUser": 1234}, {}),
    "securityContext": ({"runAsUser": 1234}, {}),
    "logging.format": ("json", {}),
    "logging.log4jConsole": ("a = b\n", {}),
    "logging.logbackConsole": ("<configuration/>\n", {}),
    "logging.log4jCli": ("a = b\n", {}),
    "logging.loggers": ({"org.apache.flink.runtime": "DEBUG"}, {}),
}

DEMO_CHANGES: dict[str, tuple[Any, Tree]] = {
    "global.kafka.bootstrapServers": (
        "other:9092",
        {"kafka": {"enabled": False}, "global": {"kafka": {"bootstrapServers": "k:9092"}}},
    ),
    "global.imageRegistry": ("registry.example", {}),
    "global.imagePullSecrets": ([{"name": "mirror"}], {}),
    "global.kafka.topic": ("other", {}),
    "global.kafka.propertiesSecret": ("kafka-client", {}),
    "global.tools.image": ("other:1", {}),
    "kafka.enabled": (False, {}),
    "kafka.brokers": (3, {}),
    "kafka.image": ("other:1", {}),
    "kafka.config": ({"log.retention.hours": 1}, {}),
    "kafka.heap": ("512m", {}),
    "kafka.resources": ({"requests": {"cpu": "1"}}, {}),
    "kafka.storage.size": ("9Gi", {}),
    "kafka.storage.storageClassName": ("fast", {}),
    "topic.partitions": (5, {}),
    "topic.replicationFactor": (3, {}),
    "producer.enabled": (False, {}),
    "producer.rate": (0.5, {}),
    "producer.count": (1000000, {}),
    "producer.seed": (1000000, {}),
    "producer.faults": (2.5, {}),
    "producer.args": (["--linger=1"], {}),
    "kafkaUi.enabled": (True, {}),
    "kafkaUi.image": ("other:1", {"kafkaUi": {"enabled": True}}),
    "kafkaUi.port": (9999, {"kafkaUi": {"enabled": True}}),
    "podSecurityContext": ({"runAsUser": 1234}, {}),
}


def test_the_tables_have_every_value() -> None:
    assert FLINK_CHANGES.keys() == flink_leaves(), "write a row into FLINK_CHANGES, or remove the one without a value"
    assert DEMO_CHANGES.keys() == demo_leaves(), "write a row into DEMO_CHANGES, or remove the one without a value"


# What the rest of the row is refused without: the remedy that is named, and what stands instead in the release beside it.
NEEDED: dict[str, tuple[str, Tree]] = {
    "tls.selfSigned.enabled": (
        "tls.selfSigned.enabled=true",
        {"tls": {"selfSigned": {"enabled": False}, "rest": {"secretName": "mine"}}},
    ),
    "kerberos.principal": ("set kerberos.principal", {"kerberos": {"principal": "another"}}),
    "kerberos.keytabSecret": ("set kerberos.keytabSecret", {"kerberos": {"keytabSecret": "another"}}),
}


def beside(path: str, base: Tree, changed: Tree) -> Tree:
    """The release that the one with the value differs from: `base`, unless that is refused."""
    if path not in NEEDED:
        return base
    remedy, instead = NEEDED[path]
    assert remedy in refused(base)
    return merged(changed, instead)


@pytest.mark.parametrize("path", FLINK_CHANGES)
def test_every_value_of_flink_has_an_effect(path: str) -> None:
    value, base = FLINK_CHANGES[path]
    changed = merged(base, nested(tuple(path.split(".")), value))
    assert render(FLINK, changed).all != render(FLINK, beside(path, base, changed)).all


@pytest.mark.parametrize("path", FLINK_CHANGES)
def test_with_the_operator_every_value_has_an_effect_or_is_refused(path: str) -> None:
    value, base = FLINK_CHANGES[path]
    base = operated.release(merged(base, operated.BASES.get(path, {})))
    changed = merged(base, nested(tuple(path.split(".")), operated.INSTEAD.get(path, value)))
    if path in operated.REFUSED:
        assert "operator" in refused(changed)
        return
    base = operated.release({}) if path == "flink.type" else beside(path, base, changed)
    assert operated.with_effect(render(FLINK, changed)) != operated.with_effect(render(FLINK, base))


@pytest.mark.parametrize("path", DEMO_CHANGES)
def test_every_value_of_the_demo_has_an_effect(path: str) -> None:
    value, base = DEMO_CHANGES[path]
    if path == "kafka.enabled":
        value, base = True, DEMO_CHANGES["global.kafka.bootstrapServers"][1]
        base = merged(base, {"kafka": {"enabled": False}})
        after = render(DEMO)
        assert after.by("StatefulSet")
        assert not render(DEMO, base).by("StatefulSet")
        return
    changed = merged(base, nested(tuple(path.split(".")), value))
    assert render(DEMO, changed).all != render(DEMO, base).all


def fractions(node: Tree, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], bool]]:
    """The path of each value with bounds that may have a fraction, and whether it may be 0."""
    for name, value in node.get("properties", {}).items():
        if "number" in value.get("type", ()) and {"minimum", "exclusiveMinimum"} & set(value):
            yield (*path, name), "minimum" in value
        yield from fractions(value, (*path, name))


@each_chart
def test_a_number_with_a_fraction_is_a_text_for_the_set_of_helm(chart: Path) -> None:
    ruled = {"metrics": {"prometheusRule": {"enabled": True}}}
    alerts = ruled if chart == FLINK else {}
    paths = list(fractions(schema(chart)))
    assert paths
    for path, zero in paths:
        assert render(chart, merged(alerts, nested(path, "1.5"))) == render(chart, merged(alerts, nested(path, 1.5)))
        for wrong in ("half", "-1.5", "100.5" if zero else "0.0"):
            assert "/".join(path) in refused(nested(path, wrong), chart)
