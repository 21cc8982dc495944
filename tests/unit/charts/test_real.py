"""Deployments as people run them, said in the chart's values: each has a file in real/, and here what its author cares about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ci.core.paths import FLINK
from harness.helm import Helm
from harness.manifests import Manifests, Object, containers, env, flink_config, pod_template, render
from harness.validation import strict_yaml

FILES = {file.stem: file for file in sorted((Path(__file__).parent / "real").glob("*.yaml"))}
FLINKS = ("jobmanager", "taskmanager")


@dataclass(frozen=True)
class Release:
    """What a file makes, installed as r."""

    objects: Manifests

    @property
    def config(self) -> Object:
        return flink_config(self.objects)

    def pods(self) -> dict[str, Object]:
        """The pods that run on, by component; in native mode with the one that Flink makes TaskManagers of."""
        made = [pod_template(workload) for workload in self.objects.by("Deployment")]
        made += [
            strict_yaml(config_map["data"]["taskmanager-pod-template.yaml"])
            for config_map in self.objects.by("ConfigMap")
            if "taskmanager-pod-template.yaml" in config_map["data"]
        ]
        return {pod["metadata"]["labels"]["app.kubernetes.io/component"]: {**pod, "kind": "Pod"} for pod in made}

    def pod(self, component: str) -> Object:
        return self.pods()[component]

    def flink(self, component: str) -> Object:
        """The container of that component which runs Flink."""
        return self.pod(component)["spec"]["containers"][0]


def mounts(container: Object) -> dict[str, str]:
    """{path: volume}. No path is there twice, which Kubernetes would refuse."""
    volumes_by_path = [(mount["mountPath"], mount["name"]) for mount in container.get("volumeMounts", [])]
    assert len(dict(volumes_by_path)) == len(volumes_by_path), volumes_by_path
    return dict(volumes_by_path)


def volumes(pod: Object) -> dict[str, Any]:
    """{name: the volume's source}."""
    return {volume["name"]: {key: volume[key] for key in volume if key != "name"} for volume in pod["spec"]["volumes"]}


def rocksdb_on_disks_of_their_own(r: Release) -> None:
    taskmanagers, pod = r.objects.one("Deployment", "r-flink-taskmanager"), r.pod("taskmanager")
    assert taskmanagers["spec"]["replicas"] * int(r.config["taskmanager.numberOfTaskSlots"]) == 256
    assert r.config["parallelism.default"] == "256"
    claim = volumes(pod)[mounts(r.flink("taskmanager"))["/mnt/nvme"]]["ephemeral"]["volumeClaimTemplate"]["spec"]
    assert (claim["storageClassName"], claim["resources"]["requests"]["storage"]) == ("nvme", "200Gi")
    assert r.config["state.backend.rocksdb.localdir"].startswith("/mnt/nvme/")
    assert "/mnt/nvme" not in mounts(r.flink("jobmanager"))
    assert r.flink("taskmanager")["resources"]["limits"]["ephemeral-storage"] == "200Gi"
    assert pod["spec"]["nodeSelector"] == {"pool": "flink"}
    assert [(taint["key"], taint["value"], taint["effect"]) for taint in pod["spec"]["tolerations"]] == [
        ("workload", "flink", "NoSchedule")
    ]
    assert r.config["execution.checkpointing.dir"] == "s3://payments-checkpoints/prod"
    assert r.config["high-availability.storageDir"] == "s3://payments-leader/prod"
    assert r.objects.one("Deployment", "r-flink-jobmanager")["spec"]["replicas"] == 2
    assert {pod["spec"]["serviceAccountName"] for pod in r.pods().values()} == {"payments"}
    assert r.config["restart-strategy.type"] == "exponential-delay"
    assert r.config["restart-strategy.exponential-delay.max-backoff"] == "60 s"
    ports = {port["name"]: port["containerPort"] for port in r.flink("taskmanager")["ports"]}
    assert str(ports["metrics"]) == r.config["metrics.reporter.prom.port"]


def pyflink_with_azure_identity(r: Release) -> None:
    store = "lakeaccount.dfs.core.windows.net"
    assert r.config[f"fs.azure.account.auth.type.{store}"] == "OAuth"
    assert r.config[f"fs.azure.account.oauth2.client.id.{store}"].startswith("22222222")
    assert r.config[f"fs.azure.account.hns.enabled.{store}"] == "true"
    for component in FLINKS:
        assert r.pod(component)["metadata"]["labels"]["azure.workload.identity/use"] == "true"
        assert r.pod(component)["spec"]["serviceAccountName"] == "lake"
        assert env(r.flink(component))["HIVE_METASTORE_URIS"] == "thrift://metastore.lake.svc:9083"
        assert env(r.flink(component))["ROWS_PER_SECOND"] == "5"
    assert not any(made["metadata"]["name"] == "lake" for made in r.objects.by("ServiceAccount"))
    download = containers(r.pod("jobmanager"))["download"]
    assert "https://git.example/raw/4f1c2d/jobs/rows_to_lake.py" in download["command"]
    assert download["command"][-1] == r.flink("jobmanager")["args"][-1]
    assert r.config["python.client.executable"] == "/usr/bin/python3"
    assert r.config["execution.checkpointing.interval"] == "30s"
    assert "execution.checkpointing.dir" not in r.config


def log_shipper_beside_flink(r: Release) -> None:
    for component in FLINKS:
        shipper = containers(r.pod(component))["shipper"]
        assert mounts(shipper)["/flink-logs"] == mounts(r.flink(component))["/opt/flink/log"] == "log"
        assert volumes(r.pod(component))["log"] == {"emptyDir": {}}
    assert "greet" in containers(r.pod("taskmanager"))
    assert "greet" not in containers(r.pod("jobmanager"))
    logging = r.objects.one("ConfigMap", "r-flink-config")["data"]["log4j-console.properties"]
    assert "rootLogger.level = DEBUG" in logging
    assert "appender.file.fileName = ${sys:log.file}" in logging
    assert "--jars=local:///opt/flink/examples/streaming/StateMachineExample.jar" in r.flink("jobmanager")["args"]


def properties_file_and_service_mesh(r: Release) -> None:
    path = r.flink("jobmanager")["args"][-1]
    folder, _, name = path.rpartition("/")
    files = volumes(r.pod("jobmanager"))[mounts(r.flink("jobmanager"))[folder]]["configMap"]["name"]
    assert "routes=graph.example=localhost:6500" in r.objects.one("ConfigMap", files)["data"][name]
    for component in FLINKS:
        proxy = containers(r.pod(component))["proxy"]
        assert volumes(r.pod(component))[mounts(proxy)["/etc/envoy"]] == {"configMap": {"name": "r-proxy"}}
        assert env(r.flink(component))["DISABLE_JEMALLOC"] == "true"
        assert env(r.flink(component))["AWS_SECRET_ACCESS_KEY"]["secretKeyRef"]["name"] == "graph-objects"
        labels = r.objects.one("NetworkPolicy", "r-egress")["spec"]["podSelector"]["matchLabels"]
        assert labels.items() <= r.pod(component)["metadata"]["labels"].items()
    assert "envoy.yaml" in r.objects.one("ConfigMap", "r-proxy")["data"]
    assert (r.config["s3.endpoint"], r.config["s3.path-style-access"]) == ("https://objects.example", "true")
    assert r.config["taskmanager.memory.jvm-overhead.fraction"] == "0.45"
    assert r.config["taskmanager.memory.process.size"] == "4096m"
    assert r.config["state.backend.rocksdb.metrics.estimate-num-keys"] == "true"
    assert "--allowNonRestoredState" in r.flink("jobmanager")["args"]
    wanted = r.objects.one("ConfigMap", "r-flink-savepoint")["data"]["wanted.json"]
    assert '"keep_savepoints": 5' in wanted
    assert '"savepoint_format": "NATIVE"' in wanted


def native_job_on_arm_nodes(r: Release) -> None:
    role = r.objects.one("ServiceAccount", "r-flink")["metadata"]["annotations"]["eks.amazonaws.com/role-arn"]
    assert role == "arn:aws:iam::111122223333:role/loads"
    for component in FLINKS:
        assert r.pod(component)["spec"]["serviceAccountName"] == "r-flink"
        assert r.pod(component)["spec"]["nodeSelector"] == {"node-group": "streaming-arm"}
        assert r.flink(component)["imagePullPolicy"] == "Always"
    assert r.flink("taskmanager")["image"] == "registry.example/loads:2.2.1-arm64"
    assert volumes(r.pod("taskmanager"))[mounts(r.flink("taskmanager"))["/tmp"]] == {"emptyDir": {"sizeLimit": "10Gi"}}
    arguments = r.flink("jobmanager")["args"][-1].partition("=")[2]
    assert strict_yaml(arguments) == ["--load", "1;2;4;8", "--repeat-minutes", "60"]
    expected = {
        "jobmanager.scheduler": "adaptive",
        "pipeline.max-parallelism": "32",
        "slotmanager.number-of-slots.max": "32",
        "execution.checkpointing.interval": "3000",
        "execution.checkpointing.local-backup.enabled": "true",
        "state.changelog.dstl.dfs.base-path": "s3://loads-example/changelog",
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": "10",
        "fs.s3a.aws.credentials.provider": "com.amazonaws.auth.ContainerCredentialsProvider",
        "high-availability.type": "kubernetes",
        "high-availability.storageDir": "s3://loads-example/jobmanager",
    }
    assert expected.items() <= r.config.items()


def certificates_between_pods(r: Release) -> None:
    assert r.config["security.ssl.internal.enabled"] == "true"
    assert not any("password" in name for name in r.config)
    secret = r.objects.one("Certificate", "r-certificate")["spec"]["secretName"]
    for component in FLINKS:
        mounted = mounts(r.flink(component))["/opt/flink/certificate"]
        assert volumes(r.pod(component))[mounted] == {"secret": {"secretName": secret}}
        for store in ("keystore", "truststore"):
            assert r.config[f"security.ssl.internal.{store}"] == f"/opt/flink/certificate/{store}.jks"
        read = [source["secret"] for source in volumes(r.pod(component))["options"]["projected"]["sources"]]
        assert {source["name"] for source in read} == {"keystore-password"}
        assert {source["items"][0]["path"] for source in read} == {
            f"security.ssl.internal.{name}-password" for name in ("key", "keystore", "truststore")
        }
    issuer = r.objects.one("Certificate", "r-certificate")["spec"]["issuerRef"]["name"]
    assert r.objects.one("Issuer", issuer)
    assert "*.default.svc" in r.objects.one("Certificate", "r-certificate")["spec"]["dnsNames"]


def history_server_with_a_claim(r: Release) -> None:
    history = r.flink("history-server")
    assert r.config["jobmanager.archive.fs.dir"] == r.config["historyserver.archive.fs.dir"] == "s3://flink-state/completed-jobs"
    claim = volumes(r.pod("history-server"))[mounts(history)[r.config["historyserver.web.tmpdir"]]]["persistentVolumeClaim"]
    made = r.objects.one("PersistentVolumeClaim", claim["claimName"])["spec"]
    assert (made["accessModes"], made["storageClassName"]) == (["ReadWriteMany"], "nfs")
    assert r.config["historyserver.archive.retained-jobs"] == "200"
    assert history["resources"]["limits"]["memory"] == "4096M"
    service = r.objects.one("Service", "r-history")["spec"]
    assert service["selector"].items() <= r.pod("history-server")["metadata"]["labels"].items()
    assert service["ports"][0]["nodePort"] == 30001
    assert service["ports"][0]["port"] in [port["containerPort"] for port in history["ports"]]
    for component in (*FLINKS, "history-server"):
        assert volumes(r.pod(component))[mounts(r.flink(component))["/opt/flink/lib/connectors"]] == {
            "persistentVolumeClaim": {"claimName": "connectors"}
        }
        assert r.pod(component)["spec"]["imagePullSecrets"] == [{"name": "registry"}]
    fetched = mounts(containers(r.pod("jobmanager"))["fetch"])["/artifacts"]
    assert mounts(r.flink("jobmanager"))["/opt/flink/artifacts"] == fetched
    assert "fetch" not in containers(r.pod("history-server"))
    assert r.objects.one("Service", "r-flink-rest")["spec"]["type"] == "NodePort"
    assert r.config["classloader.resolve-order"] == "parent-first"
    assert r.config["env.java.opts.taskmanager"] == "-Duser.timezone=GMT+08"
    assert r.config["state.backend.rocksdb.writebuffer.count"] == "8"


def reactive_with_an_autoscaler(r: Release) -> None:
    scaler = r.objects.one("HorizontalPodAutoscaler")["spec"]
    scaled = r.objects.one("Deployment", scaler["scaleTargetRef"]["name"])
    assert pod_template(scaled)["metadata"]["labels"]["app.kubernetes.io/component"] == "taskmanager"
    assert "replicas" not in scaled["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (1, 3)
    assert r.config["scheduler-mode"] == "REACTIVE"
    for component in FLINKS:
        assert volumes(r.pod(component))[mounts(r.flink(component))["/flink-data"]]["hostPath"]["path"] == "/var/lib/flink"
    assert r.config["execution.checkpointing.dir"] == "file:///flink-data/checkpoints"
    assert r.config["execution.checkpointing.savepoint-dir"] == "file:///flink-data/savepoints"
    assert r.config["high-availability.storageDir"] == "file:///flink-data/ha"


def zookeeper_kerberos_and_extra_jars(r: Release) -> None:
    assert r.config["high-availability.zookeeper.quorum"] == "zk-0.zk:2181,zk-1.zk:2181,zk-2.zk:2181"
    assert r.config["high-availability.zookeeper.path.root"] == "/flink"
    assert r.config["security.kerberos.login.keytab"] == "/kerberos/flink.keytab"
    assert r.config["env.java.opts.all"].endswith("=/opt/flink/java-security/security.properties")
    monitored = r.objects.one("PodMonitor")["spec"]
    for component in FLINKS:
        mounted, sources = mounts(r.flink(component)), volumes(r.pod(component))
        assert sources[mounted["/kerberos"]] == {"secret": {"secretName": "kerberos"}}
        assert r.objects.one("ConfigMap", sources[mounted["/opt/flink/java-security"]]["configMap"]["name"])
        assert mounted["/opt/flink/lib/more"] == mounts(containers(r.pod(component))["jars"])["/more"]
        assert r.flink(component)["envFrom"] == [{"secretRef": {"name": "sealed-environment"}}]
        assert env(r.flink(component))["KAFKA_BOOTSTRAP_SERVERS"] == "kafka-bootstrap:9092"
        ports = {port["name"]: port["containerPort"] for port in r.flink(component)["ports"]}
        assert str(ports[monitored["podMetricsEndpoints"][0]["port"]]) == r.config["metrics.reporter.prom.port"]
        assert monitored["selector"]["matchLabels"].items() <= r.pod(component)["metadata"]["labels"].items()
    assert r.flink("taskmanager")["livenessProbe"]["initialDelaySeconds"] == 30
    assert r.flink("jobmanager")["readinessProbe"]["initialDelaySeconds"] == 20
    annotations = r.pod("taskmanager")["metadata"]["annotations"]
    assert annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"
    disk = volumes(r.pod("taskmanager"))[mounts(r.flink("taskmanager"))["/flink_state"]]
    assert disk["ephemeral"]["volumeClaimTemplate"]["spec"]["resources"]["requests"]["storage"] == "8Gi"
    assert r.config["execution.checkpointing.num-retained"] == "1"
    assert r.objects.one("Ingress")["spec"]["rules"][0]["host"] == "streams.example"


def session_with_sql_and_jobs(r: Release) -> None:
    wanted = strict_yaml(r.objects.one("ConfigMap", "r-flink-hooks")["data"]["wanted.json"])
    jobs = {job["name"]: job for job in wanted["jobs"]}
    assert jobs.keys() == {"rows-to-topic", "top-speed"}
    assert "INSERT INTO `topic` SELECT `id` FROM `rows`;" in str(jobs["rows-to-topic"])
    assert "https://maven.example/flink-examples-streaming-TopSpeedWindowing.jar" in str(jobs["top-speed"])
    assert "submitter" in containers(r.objects.one("Job", "r-flink-after"))
    assert r.config["taskmanager.numberOfTaskSlots"] == "6"
    assert {r.flink(component)["imagePullPolicy"] for component in (*FLINKS, "sql-gateway")} == {"Never"}
    gateway = r.objects.one("Service", "r-flink-sql-gateway")["spec"]
    assert gateway["ports"][0]["port"] == 8083
    assert gateway["selector"].items() <= r.pod("sql-gateway")["metadata"]["labels"].items()
    ingress = r.objects.one("Ingress", "r-flink-rest")
    assert ingress["spec"]["rules"][0]["host"] == ingress["spec"]["tls"][0]["hosts"][0] == "flink.example"
    assert ingress["spec"]["rules"][0]["http"]["paths"][0]["path"] == "/streams/sql/(.*)"
    annotations = ingress["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/rewrite-target"] == "/$1"
    assert annotations["cert-manager.io/cluster-issuer"] == "internal"


CARES: dict[str, Callable[[Release], None]] = {
    check.__name__.replace("_", "-"): check
    for check in (
        rocksdb_on_disks_of_their_own,
        pyflink_with_azure_identity,
        log_shipper_beside_flink,
        properties_file_and_service_mesh,
        native_job_on_arm_nodes,
        certificates_between_pods,
        history_server_with_a_claim,
        reactive_with_an_autoscaler,
        zookeeper_kerberos_and_extra_jars,
        session_with_sql_and_jobs,
    )
}


def release(name: str, helm: Helm | None = None) -> Release:
    # The two Helms think of other versions of Kubernetes where none is named.
    return Release(render(FLINK, files=(str(FILES[name]),), name="r", kube_version="1.35.0", helm=helm))


def test_each_file_has_what_its_author_cares_about() -> None:
    assert CARES.keys() == FILES.keys()


@pytest.mark.parametrize("name", CARES)
def test_what_its_author_cares_about_is_there(name: str) -> None:
    CARES[name](release(name))


@pytest.mark.parametrize("name", CARES)
def test_pods_mount_volumes_that_they_have(name: str) -> None:
    for pod in release(name).pods().values():
        for container in containers(pod).values():
            assert set(mounts(container).values()) <= volumes(pod).keys(), container["name"]


@pytest.mark.parametrize("name", CARES)
def test_helm_3_makes_the_same(name: str, helm3: Helm) -> None:
    assert release(name, helm3) == release(name)
