"""Flink's configuration as the chart writes it, and what a change of it restarts."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from ci.core.paths import FLINK
from harness.manifests import containers, flink_config, pod_template, render

JOB = {
    "execution.shutdown-on-application-finish": "false",
    "job-result-store.delete-on-commit": "false",
}
JAVA_17 = ("java.base/java.util", "java.base/java.lang", "java.base/java.time")


def config(values: dict[str, Any] | None = None) -> dict[str, Any]:
    return flink_config(render(FLINK, values, name="r"))


def test_the_options_of_a_session_cluster() -> None:
    options = config()
    java = options.pop("env.java.default-opts.all")
    assert all(f"--add-opens={package}=ALL-UNNAMED" in java.split() for package in JAVA_17)
    assert options == {
        "jobmanager.rpc.address": "r-flink-jobmanager",
        "jobmanager.rpc.port": "6123",
        "jobmanager.bind-host": "0.0.0.0",
        "jobmanager.memory.process.size": "1024m",
        "blob.server.port": "6124",
        "rest.address": "r-flink-rest",
        "rest.port": "8081",
        "rest.bind-address": "0.0.0.0",
        "taskmanager.bind-host": "0.0.0.0",
        "taskmanager.rpc.port": "6122",
        "taskmanager.data.port": "6121",
        "taskmanager.memory.process.size": "1728m",
        "taskmanager.numberOfTaskSlots": "2",
        "metrics.internal.query-service.port": "6125",
        "metrics.reporter.prom.factory.class": "org.apache.flink.metrics.prometheus.PrometheusReporterFactory",
        "metrics.reporter.prom.port": "9249",
        "metrics.reporter.prom.filterLabelValueCharacters": "false",
        "metrics.reporter.prom.filter.excludes": "*.KafkaConsumer*;*.KafkaProducer*",
        "metrics.reporter.prom.scope.variables.excludes": "host;task_attempt_id;task_attempt_num",
        "metrics.job.status.enable": "CURRENT_TIME;STATE",
        "cluster.registration.error-delay": "1 s",
        "rest.cache.checkpoint-statistics.timeout": "0 ms",
        "heartbeat.interval": "5 s",
        "heartbeat.timeout": "20 s",
        "env.java.default-opts.jobmanager": "-XX:TieredStopAtLevel=1",
        "parallelism.default": "1",
        "io.tmp.dirs": "/tmp",
        "python.client.executable": "python3",
        "execution.checkpointing.dir": "file:///flink-data/r-flink/checkpoints",
        "execution.checkpointing.savepoint-dir": "file:///flink-data/r-flink/savepoints",
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "execution.checkpointing.interval": "1 min",
        "execution.checkpointing.num-retained": "3",
        "execution.checkpointing.incremental": "true",
        "state.backend.type": "hashmap",
    }


# With high availability TaskManagers hear of a new JobManager at once, and heartbeats are Flink's own.
OWN_HEARTBEATS = {"heartbeat.interval": None, "heartbeat.timeout": None}


@pytest.mark.parametrize(
    ("values", "changes"),
    [
        ({"flink": {"type": "job"}}, JOB),
        # How long an operation of Helm may take says nothing about checkpoints.
        ({"flink": {"type": "job"}, "hooks": {"timeoutSeconds": 1000}}, JOB),
        (
            {"highAvailability": {"type": "kubernetes"}},
            {
                **OWN_HEARTBEATS,
                "high-availability.type": "kubernetes",
                "high-availability.cluster-id": "r-flink",
                "high-availability.storageDir": "file:///flink-data/r-flink/ha",
                "high-availability.kubernetes.leader-election.lease-duration": "10 s",
                "high-availability.kubernetes.leader-election.renew-deadline": "8 s",
                "high-availability.kubernetes.leader-election.retry-period": "2 s",
                "kubernetes.cluster-id": "r-flink",
                "kubernetes.namespace": "default",
            },
        ),
        (
            {"highAvailability": {"type": "zookeeper"}},
            {
                **OWN_HEARTBEATS,
                "high-availability.type": "zookeeper",
                "high-availability.cluster-id": "r-flink",
                "high-availability.storageDir": "file:///flink-data/r-flink/ha",
                "high-availability.jobmanager.port": "6123",
                "high-availability.zookeeper.quorum": "r-flink-zookeeper:2181",
                "high-availability.zookeeper.path.root": "/flink/default",
                "high-availability.zookeeper.client.tolerate-suspended-connections": "true",
            },
        ),
        ({"flink": {"version": "1.20.5"}}, {}),
        ({"rest": {"port": 18081}}, {"rest.port": "18081"}),
        ({"taskmanager": {"slots": 7}}, {"taskmanager.numberOfTaskSlots": "7"}),
        (
            {"taskmanager": {"resources": {"limits": {"memory": "3Gi"}}}},
            {"taskmanager.memory.process.size": "3072m"},
        ),
        (
            {"jobmanager": {"resources": {"limits": {"memory": "2G"}}}},
            {"jobmanager.memory.process.size": "1907m"},
        ),
        (
            {"flink": {"config": {"parallelism.default": 2, "state.backend.type": "rocksdb"}}},
            {"parallelism.default": "2", "state.backend.type": "rocksdb"},
        ),
        (
            {"flink": {"config": {"execution.checkpointing.dir": "s3://bucket/checkpoints"}}},
            {"execution.checkpointing.dir": "s3://bucket/checkpoints"},
        ),
        (
            {"flink": {"config": {"taskmanager.memory.segment-size": 1000000, "a.b": True, "c.d": 0.25}}},
            {"taskmanager.memory.segment-size": "1000000", "a.b": "true", "c.d": "0.25"},
        ),
        (
            {"storage": {"mountPath": "/state"}},
            {
                "execution.checkpointing.dir": "file:///state/r-flink/checkpoints",
                "execution.checkpointing.savepoint-dir": "file:///state/r-flink/savepoints",
            },
        ),
        ({"flink": {"type": "session"}, "job": {"parallelism": 2}}, {}),
        (
            {"flink": {"type": "job"}, "job": {"parallelism": 2}},
            {**JOB, "parallelism.default": "2"},
        ),
    ],
)
def test_what_a_value_changes_in_it(values: dict[str, Any], changes: dict[str, str | None]) -> None:
    changed = {**config(), **changes}
    assert config(values) == {key: value for key, value in changed.items() if value is not None}


def test_without_storage_no_folder_is_configured() -> None:
    gone = {key for key in config() if key not in config({"storage": {"enabled": False}})}
    assert gone == {
        "execution.checkpointing.dir",
        "execution.checkpointing.savepoint-dir",
        "execution.checkpointing.externalized-checkpoint-retention",
    }


def test_ports_of_the_containers_are_those_of_the_configuration() -> None:
    manifests = render(FLINK, {"rest": {"port": 18081}}, name="r")
    options = flink_config(manifests)
    options_of = {
        "jobmanager": {
            "rest": "rest.port",
            "rpc": "jobmanager.rpc.port",
            "blob": "blob.server.port",
            "metrics-query": "metrics.internal.query-service.port",
            "metrics": "metrics.reporter.prom.port",
        },
        "taskmanager": {
            "rpc": "taskmanager.rpc.port",
            "data": "taskmanager.data.port",
            "metrics-query": "metrics.internal.query-service.port",
            "metrics": "metrics.reporter.prom.port",
        },
    }
    for role, names in options_of.items():
        container = containers(manifests.one("Deployment", f"r-flink-{role}"))[role]
        ports = {port["name"]: str(port["containerPort"]) for port in container["ports"]}
        assert ports == {name: options[option] for name, option in names.items()}


def test_logging_is_given_as_written() -> None:
    data = render(FLINK, {"logging": {"log4jConsole": "a = b\n"}}, name="r").one("ConfigMap", "r-flink-config")["data"]
    assert data.keys() == {"config.yaml", "log4j-console.properties", "logback-console.xml", "log4j-cli.properties"}
    assert data["log4j-console.properties"] == "a = b\n"


def test_levels_of_loggers_are_added_to_the_rest() -> None:
    """A logger that has a key gets no second one: either of the two might count."""
    levels = {"org.apache.kafka": "DEBUG", "org.apache.flink.runtime": "TRACE", "root": "ERROR"}
    plain, data = (
        render(FLINK, {"logging": {"loggers": loggers}}, name="r").one("ConfigMap", "r-flink-config")["data"]
        for loggers in ({}, levels)
    )
    log4j, logback = "log4j-console.properties", "logback-console.xml"
    assert data[log4j].startswith(plain[log4j].rstrip("\n"))
    properties = dict(line.split(" = ", 1) for line in data[log4j].splitlines())
    assert properties["rootLogger.level"] == "ERROR"
    names = [name for key, name in properties.items() if key.startswith("logger.") and key.endswith(".name")]
    assert sorted(names) == sorted(set(names))
    logged = {properties[f"logger.{key}.name"]: properties[f"logger.{key}.level"] for key in loggers_of(properties)}
    assert logged.items() >= {name: level for name, level in levels.items() if name != "root"}.items()
    root = ElementTree.fromstring(data[logback])
    assert [(one.get("name"), one.get("level")) for one in root.iter("logger")][-2:] == [
        ("org.apache.flink.runtime", "TRACE"),
        ("org.apache.kafka", "DEBUG"),
    ]
    assert [one.get("level") for one in root.iter("root")][-1] == "ERROR"


def test_json_is_the_layout_of_the_console_alone() -> None:
    logging = ({"format": kind, "loggers": {"a.b": "DEBUG"}} for kind in ("text", "json"))
    text, data = (render(FLINK, {"logging": one}, name="r").one("ConfigMap", "r-flink-config")["data"] for one in logging)
    log4j = "log4j-console.properties"
    assert {name for name in text if text[name] != data[name]} == {log4j}
    plain, changed = (dict(line.split(" = ", 1) for line in one[log4j].splitlines()) for one in (text, data))
    assert {key for key in plain.keys() | changed.keys() if plain.get(key) != changed.get(key)} == {
        "appender.console.layout.pattern",
        "appender.console.layout.alwaysWriteExceptions",
    }
    assert changed["appender.console.layout.pattern"].startswith('{"@timestamp":"%d{')
    assert changed["logger.values-a-b.level"] == "DEBUG"


def loggers_of(properties: dict[str, str]) -> set[str]:
    return {key.split(".")[1] for key in properties if key.startswith("logger.")}


@pytest.mark.parametrize(("written", "option"), [("10 s", "10 s"), (5000, "5000 ms"), ("2 minutes", "2 minutes"), ("900", "900")])
def test_durations_are_those_of_flink(written: str | int, option: str) -> None:
    values = {"state": {"checkpointing": {"interval": written, "timeout": written}}}
    options = config(values)
    assert options["execution.checkpointing.interval"] == options["execution.checkpointing.timeout"] == option


@pytest.mark.parametrize(
    ("values", "restarted"),
    [
        ({}, set()),
        ({"taskmanager": {"slots": 4}}, {"taskmanager"}),
        ({"taskmanager": {"replicas": 3}}, set()),
        ({"taskmanager": {"resources": {"limits": {"memory": "3Gi"}}}}, {"taskmanager"}),
        ({"flink": {"config": {"taskmanager.network.retries": 3}}}, {"taskmanager"}),
        ({"jobmanager": {"resources": {"limits": {"memory": "3Gi"}}}}, {"jobmanager"}),
        ({"flink": {"config": {"jobmanager.execution.attempts-history-size": 3}}}, {"jobmanager"}),
        ({"flink": {"config": {"state.backend.type": "rocksdb"}}}, {"jobmanager", "taskmanager"}),
        ({"logging": {"log4jConsole": "a = b\n"}}, {"jobmanager", "taskmanager"}),
        ({"storage": {"size": "9Gi"}}, set()),
        ({"rest": {"service": {"type": "NodePort"}}}, set()),
        ({"commonLabels": {"cost-center": "42"}}, set()),
        ({"commonAnnotations": {"owner": "streams"}}, set()),
        # Flink reads them again, but not what an init container has copied.
        ({"logging": {"loggers": {"root": "DEBUG"}}}, set()),
        ({"taskmanager": {"podAnnotations": {"a": "b"}}}, {"taskmanager"}),
        ({"jobmanager": {"podAnnotations": {"a": "b"}}}, {"jobmanager"}),
    ],
)
def test_which_pods_a_change_restarts(values: dict[str, Any], restarted: set[str]) -> None:
    before, after = render(FLINK, name="r"), render(FLINK, values, name="r")
    changed = {
        role
        for role in ("jobmanager", "taskmanager")
        if pod_template(before.one("Deployment", f"r-flink-{role}")) != pod_template(after.one("Deployment", f"r-flink-{role}"))
    }
    assert changed == restarted
