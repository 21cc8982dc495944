"""Values as people write them: numbers where Kubernetes has texts, what YAML reads otherwise, what was left empty."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from ci.core.paths import DEMO, FLINK
from harness.helm import Helm, HelmError, merged
from harness.manifests import Object, containers, env, flink_config, pod_template, render

NFS = {"extraVolumes": [{"name": "n"}], "extraVolumeMounts": [{"name": "n", "mountPath": "/mnt/nfs"}]}
JOB = {"flink": {"type": "job"}, "job": {"jar": {"file": "/opt/flink/examples/streaming/TopSpeedWindowing.jar"}}}


SUBMITS: dict[str, Any] = {"session": {"jobs": [{"name": "a", "jar": {"file": "/a.jar"}}]}}
NO_CPU = {"requests": {"cpu": "0", "memory": "1Gi"}, "limits": {"cpu": 1, "memory": "1Gi"}}


def pods(values: dict[str, Any], chart: Any = FLINK, name: str = "r") -> dict[str, Object]:
    """The pod templates of Deployments, by the last part of their names."""
    templates = {}
    for obj in render(chart, values, name=name).by("Deployment"):
        templates[obj["metadata"]["name"].rpartition("-")[2]] = pod_template(obj)
    return templates


def refusal(values: dict[str, Any], chart: Any = FLINK) -> str:
    with pytest.raises(HelmError) as error:
        render(chart, values)
    return " ".join(str(error.value).split())


def specification(values: dict[str, Any]) -> str:
    deployment = render(FLINK, values, name="r").one("Deployment", "r-flink-jobmanager")
    return str(deployment["metadata"]["annotations"]["flink/specification"])


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"rest": {"service": {"annotations": {"a": True, "b": 86400, "c": ""}}}}, "Service"),
        ({"serviceAccount": {"annotations": {"a": True, "b": 86400, "c": ""}}}, "ServiceAccount"),
        ({"ingress": {"enabled": True, "annotations": {"a": True, "b": 86400, "c": ""}}}, "Ingress"),
    ],
)
def test_annotations_are_texts_and_those_of_an_objects_own_keys_win(values: dict[str, Any], kind: str) -> None:
    common = {"commonAnnotations": {"a": "other", "b": "other", "c": "other", "d": 1}}
    annotations = [obj["metadata"].get("annotations", {}) for obj in render(FLINK, {**values, **common}, name="r").by(kind)]
    assert {"a": "true", "b": "86400", "c": "", "d": "1"} in annotations


@pytest.mark.parametrize("release", ["1234", "true", "null", "on", "y", "1e3"])
def test_names_that_yaml_takes_for_something_else_are_texts(release: str) -> None:
    values = {
        "fullnameOverride": "f",
        "nameOverride": "123",
        "serviceAccount": {"create": False, "name": "1234"},
        "storage": {"existingClaim": "5678"},
    }
    manifests = render(FLINK, values, name=release)
    for obj in manifests:
        assert obj["metadata"]["labels"]["app.kubernetes.io/instance"] == release
        assert obj["metadata"]["labels"]["app.kubernetes.io/name"] == "123"
    pod = pod_template(manifests.one("Deployment", "f-jobmanager"))
    assert pod["spec"]["serviceAccountName"] == "1234"
    claims = [volume["persistentVolumeClaim"] for volume in pod["spec"]["volumes"] if "persistentVolumeClaim" in volume]
    assert claims == [{"claimName": "5678"}]
    data = next(obj["data"] for obj in manifests.by("ConfigMap") if "wanted.json" in obj.get("data", {}))
    selector = json.loads(data["wanted.json"])["jobmanager_selector"]
    assert f"app.kubernetes.io/instance={release}" in selector.split(",")


def test_a_claims_name_may_be_a_template() -> None:
    pod = pods({"storage": {"existingClaim": "{{ .Release.Name }}-mine"}})["jobmanager"]
    assert "r-mine" in str(pod["spec"]["volumes"])


@pytest.mark.parametrize("key", ["historyserver.archive.retained-jobs", "sql-gateway.session.idle-timeout"])
def test_options_of_other_components_restart_no_job(key: str) -> None:
    first, second = (pods(merged(JOB, {"flink": {"config": config}})) for config in ({}, {key: "5"}))
    assert first == second
    assert specification(JOB) == specification(merged(JOB, {"flink": {"config": {key: "5"}}}))


@pytest.mark.parametrize(
    ("level", "log4j", "logback"), [(False, "OFF", "OFF"), ("debug", "DEBUG", "DEBUG"), ("FATAL", "FATAL", "ERROR")]
)
def test_levels_are_taken_as_yaml_and_people_write_them(level: Any, log4j: str, logback: str) -> None:
    values = {"logging": {"loggers": {"org.apache.kafka": level}}}
    data = render(FLINK, values, name="r").one("ConfigMap", "r-flink-config")["data"]
    assert f"logger.kafka.level = {log4j}" in data["log4j-console.properties"].splitlines()[-1]
    assert f'<logger name="org.apache.kafka" level="{logback}"/>' in data["logback-console.xml"]


class TestResources:
    def of(self, values: dict[str, Any]) -> Any:
        return containers(render(FLINK, {"taskmanager": values}, name="r").one("Deployment", "r-flink-taskmanager"))[
            "taskmanager"
        ]["resources"]

    def test_of_memory_what_is_not_said_is_the_limit(self) -> None:
        assert self.of({"resources": {"limits": {"memory": "4Gi"}}})["requests"]["memory"] == "4Gi"
        native = {"flink": {"mode": "native"}, "taskmanager": {"resources": {"limits": {"memory": "4Gi"}}}}
        assert flink_config(render(FLINK, native))["taskmanager.memory.process.size"] == "4096m"

    def test_what_was_said_stays(self) -> None:
        assert self.of({"resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "4Gi"}}})["requests"]["memory"] == "1Gi"

    def test_a_limit_that_another_file_has_set_can_be_taken_back(self) -> None:
        assert self.of({"resources": {"limits": {"cpu": None, "memory": "4Gi"}}})["limits"] == {"memory": "4Gi"}


@pytest.mark.parametrize(
    "values",
    [
        {"session": {"jobs": [{"name": "a", "jar": {"file": "/a.jar"}, "fromSavepoint": "gs://b/s"}]}},
        {
            "historyServer": {"enabled": True},
            "flink": {"config": {"jobmanager.archive.fs.dir": "gs://b/a", "historyserver.archive.fs.dir": "gs://b/a"}},
        },
    ],
    ids=["session", "archive"],
)
def test_a_store_that_is_named_anywhere_has_its_plugin(values: dict[str, Any]) -> None:
    for pod in pods(values).values():
        (plugins,) = [one for one in pod["spec"]["initContainers"] if one["name"] == "plugins"]
        assert "flink-gs-fs-hadoop" in plugins["args"]


@pytest.mark.parametrize(
    "values",
    [
        {
            "serviceAccount": {"create": False},
            "jobmanager": {"serviceAccountName": "x"},
            "taskmanager": {"serviceAccountName": "x"},
            "highAvailability": {"type": "kubernetes"},
        },
        {"serviceAccount": {"create": False}, "jobmanager": {"serviceAccountName": "x"}, "flink": {"mode": "native"}},
        {
            "flink": {"config": {"jobmanager.scheduler": "adaptive"}},
            "session": {"jobs": [{"name": "a", "jar": {"file": "/a.jar"}, "parallelism": 10}]},
        },
        {"flink": {"config": {"security.ssl.rest.enabled": False, "sql-gateway.endpoint.type": "REST"}}},
        {"flink": {"version": "1.20.5", "config": {"state.backend": "filesystem", "security.ssl.enabled": "false"}}},
        {"flink": {"mode": "native"}, "taskmanager": {"resources": {"requests": {"cpu": "1.0"}, "limits": {"cpu": "2.0"}}}},
        {role: {"resources": NO_CPU} for role in ("hooks", "test", "jobmanager")},
        {"image": {"tag": "1.20.3-java17"}, "flink": {"version": "1.20"}},
        {"image": {"tag": "1.4.0", "repository": "team/job"}},
        {"image": {"tag": "1.20.3", "digest": "sha256:" + "0" * 64}},
        {"rest": {"port": 80}, "jobmanager": {"podSecurityContext": {"runAsUser": 0, "runAsNonRoot": False}}},
        {"rest": {"port": 80}, "jobmanager": {"securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE"]}}}},
        {"taskmanager": {"readinessProbe": {"successThreshold": 2}}},
        {"rest": {"service": {"type": "LoadBalancer", "nodePort": 30081}}},
        {"flink": {"mode": "native"}, "native": {"idleTimeout": 30000}},
        {"ingress": {"enabled": True, "path": "{{ .Values.global.p }}"}, "global": {"p": "/x"}},
        merged(JOB, {"jobmanager": {"extraEnv": [{"name": "A", "value": "x", "valueFrom": None}]}}),
    ],
    ids=[
        "accounts", "native account", "adaptive", "off", "backend", "cores", "no cores", "version", "tag of a job", "digest",
        "root", "capability", "probe", "node port", "duration", "path", "valueFrom",
    ],
)  # fmt: skip
def test_what_can_work_is_taken(values: dict[str, Any]) -> None:
    render(FLINK, values)


def test_who_asks_kubernetes_runs_as_an_account_with_rights() -> None:
    """Each kind of pod has an account of its own; those whose hook asks the API server are bound to the Role of the hooks."""
    accounts = {role: {"serviceAccountName": f"of-{role}"} for role in ("jobmanager", "taskmanager", "session", "hooks", "test")}
    jobs = {"jobs": [{"name": "a", "jar": {"file": "/a.jar"}}]}
    for kept in (set(), {"hooks"}):
        values = merged({role: own for role, own in accounts.items() if role not in kept}, {"session": jobs})
        manifests = render(FLINK, values, name="r")
        bound = {who["name"] for who in manifests.one("RoleBinding", "r-flink-hooks")["subjects"]}
        jobs_of_hooks = [job for job in manifests.by("Job") if "uninstall" not in job["metadata"]["name"]]
        hooks = {pod_template(job)["spec"]["serviceAccountName"] for job in jobs_of_hooks}
        assert bound == hooks == {"of-session", "r-flink-hooks" if kept else "of-hooks"}


def test_a_path_that_the_controller_reads_as_a_pattern_is_no_prefix() -> None:
    values = {"ingress": {"enabled": True, "path": "/flink(/|$)(.*)", "rewrite": "none"}}
    (rule,) = render(FLINK, values).one("Ingress")["spec"]["rules"]
    assert [(path["path"], path["pathType"]) for path in rule["http"]["paths"]] == [("/flink(/|$)(.*)", "ImplementationSpecific")]


def test_loggers_are_told_apart_and_stand_before_the_end_of_the_file() -> None:
    values = {
        "logging": {
            "loggers": {"a-b": "DEBUG", "a.b": "WARN"},
            "logbackConsole": "<configuration>\n</configuration>\n<!-- end -->",
        }
    }
    data = render(FLINK, values, name="r").one("ConfigMap", "r-flink-config")["data"]
    keys = [line.split(" ")[0] for line in data["log4j-console.properties"].splitlines() if line.startswith("logger.values-")]
    assert len(set(keys)) == 4
    root = ElementTree.fromstring(data["logback-console.xml"])
    assert {logger.get("name"): logger.get("level") for logger in root} == {"a-b": "DEBUG", "a.b": "WARN"}


@pytest.mark.parametrize("role", ["session", "highAvailability.zookeeper", "test"])
def test_pods_that_no_value_gives_a_token_take_one_of_their_own(role: str) -> None:
    own: dict[str, Any] = {"podSpec": {"automountServiceAccountToken": True}}
    for part in reversed(role.split(".")):
        own = {part: own}
    manifests = render(FLINK, merged(SUBMITS, {"highAvailability": {"type": "zookeeper"}}, own), name="r")
    kind, name = {"session": ("Job", "r-flink-after"), "test": ("Pod", "r-flink-test")}.get(
        role, ("Deployment", "r-flink-zookeeper")
    )
    assert pod_template(manifests.one(kind, name))["spec"]["automountServiceAccountToken"] is True


@pytest.mark.parametrize(
    ("flink", "key", "reason"),
    [
        ({}, "metrics.reporter.prom.class", "Flink reads no more: write metrics.reporter.prom.factory.class"),
        ({"version": "1.20.5"}, "metrics.reporter.prom.class", "Flink reads no more: write metrics.reporter.prom.factory.class"),
        ({}, "akka.watch.heartbeat.interval", "is no option of Flink 2.2"),
        ({"version": "1.20.5"}, "akka.watch.heartbeat.interval", ""),
        ({}, "kubernetes.taskmanager.labels", "Flink reads in native mode alone"),
        ({"mode": "native"}, "kubernetes.taskmanager.labels", ""),
        ({"mode": "native"}, "kubernetes.jobmanager.labels", "only a client of Flink reads"),
    ],
)
def test_the_notes_name_options_that_flink_does_not_read_here(flink: dict[str, Any], key: str, reason: str) -> None:
    notes = Helm().notes(FLINK, {"flink": {**flink, "config": {key: "a:b"}}})
    assert (f"WARNING: flink.config sets {key}, which {reason}" in notes) == bool(reason)


@pytest.mark.parametrize("release", ["on", "true", "null"])
def test_the_demo_takes_a_release_for_its_name(release: str) -> None:
    manifests = render(DEMO, {"kafkaUi": {"enabled": True}}, name=release)
    for obj in manifests:
        assert obj["metadata"]["labels"]["app.kubernetes.io/instance"] == release
    ui = containers(manifests.one("Deployment", f"{release}-kafka-ui"))["kafka-ui"]
    assert {"name": "KAFKA_CLUSTERS_0_NAME", "value": release} in ui["env"]


def test_braces_of_another_program_are_written_as_the_values_say() -> None:
    """As values.yaml shows it."""
    text = '{{ "{{" }} $labels.instance }}'
    assert f"`{text}`" in (FLINK / "values.yaml").read_text()
    rule = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}, "data": {"a": text}}
    manifests = render(FLINK, {"extraObjects": [rule], "jobmanager": {"extraEnv": [{"name": "A", "value": text}]}}, name="r")
    assert manifests.one("ConfigMap", "mine")["data"] == {"a": "{{ $labels.instance }}"}
    main = containers(manifests.one("Deployment", "r-flink-jobmanager"))["jobmanager"]
    assert env(main)["A"] == "{{ $labels.instance }}"


@pytest.mark.parametrize("client", [{}, {"session": NFS}, {"jobmanager": NFS}], ids=["none", "its own", "the JobManager's"])
def test_the_hook_beside_the_client_has_the_values_of_hooks(client: dict[str, Any]) -> None:
    hook = {
        "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://{{ .Release.Name }}:1"}],
        "extraEnvFrom": [{"secretRef": {"name": "env"}}],
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", "1"]}}},
        **NFS,
    }
    manifests = render(FLINK, merged(SUBMITS, client, {"hooks": hook}), name="r")
    after, before = (containers(manifests.one("Job", f"r-flink-{event}"))[event] for event in ("after", "before"))
    for key in ("env", "envFrom", "lifecycle"):
        assert after[key] == before[key]
    assert after["env"] == [{"name": "HTTPS_PROXY", "value": "http://r:1"}]
    assert {"name": "n", "mountPath": "/mnt/nfs"} in after["volumeMounts"]
    pod = pod_template(manifests.one("Job", "r-flink-after"))
    assert [volume["name"] for volume in pod["spec"]["volumes"]].count("n") == 1
    main = containers(manifests.one("Job", "r-flink-after"))["submitter"]
    assert "HTTPS_PROXY" not in str(main)
    assert ({"name": "n", "mountPath": "/mnt/nfs"} in main["volumeMounts"]) == bool(client)


def test_flink_makes_pods_in_the_network_of_the_node_where_the_values_say_so() -> None:
    """It writes the field itself, over what its pod template says."""
    native = {"flink": {"mode": "native"}}
    manifests = render(FLINK, merged(native, {"taskmanager": {"podSpec": {"hostNetwork": True}}}), name="r")
    assert flink_config(manifests)["kubernetes.hostnetwork.enabled"] == "true"
    data = next(obj["data"] for obj in manifests.by("ConfigMap") if "wanted.json" in obj.get("data", {}))
    assert [pod["spec"]["hostNetwork"] for pod in json.loads(data["wanted.json"])["pods"]] == [True]
    assert "kubernetes.hostnetwork.enabled" not in flink_config(render(FLINK, native))


@pytest.mark.parametrize(
    ("given", "written", "read"),
    [
        ({"jobmanager.archive.fs.dir": "s3://b/a"}, "s3://b/a", "s3://b/a"),
        ({"historyserver.archive.fs.dir": "s3://b/a"}, "s3://b/a", "s3://b/a"),
        ({"historyserver.archive.fs.dir": "s3://b/a, s3://b/others"}, "s3://b/a", "s3://b/a, s3://b/others"),
        ({"jobmanager.archive.fs.dir": "s3://b/a", "historyserver.archive.fs.dir": "s3://b"}, "s3://b/a", "s3://b"),
    ],
)
def test_the_history_server_reads_what_jobmanagers_write(given: dict[str, str], written: str, read: str) -> None:
    for storage in (True, False):
        values = {"historyServer": {"enabled": True}, "flink": {"config": given}, "storage": {"enabled": storage}}
        options = flink_config(render(FLINK, values))
        assert (options["jobmanager.archive.fs.dir"], options["historyserver.archive.fs.dir"]) == (written, read)


@pytest.mark.parametrize("helm", ["helm", "helm3"])
@pytest.mark.parametrize("base", [{}, {"flink": {"mode": "native"}}, JOB], ids=["session", "native", "job"])
def test_a_null_takes_back_what_another_file_has_set(helm: str, base: dict[str, Any]) -> None:
    """Also in maps of names that values.yaml does not know, of which Helm does not take it out."""
    limits = {"limits": {"memory": "64Mi"}}
    values = {
        "flink": {"config": {"a.b": None}},
        "files": {"a.py": None},
        "logging": {"loggers": {"a": None}},
        "commonLabels": {"team": None},
        "commonAnnotations": {"team": None},
        "commonPodLabels": {"team": None},
        "rest": {"service": {"annotations": {"a": None}}},
        "taskmanager": {
            "resources": {"requests": {"memory": None}},
            "startupProbe": {"periodSeconds": None},
            "podLabels": {"a": None},
        },
        "hooks": {"resources": {**limits, "requests": {"memory": None}}},
        "savepoints": {"resources": {**limits, "requests": None}},
        "test": {"resources": {**limits, "requests": {"memory": None}}},
        "initResources": {"limits": {"cpu": None}},
    }
    without = {"hooks": {"resources": limits}, "savepoints": {"resources": limits}, "test": {"resources": limits}}
    assert Helm(helm).template(FLINK, merged(base, values)) == Helm(helm).template(FLINK, merged(base, without))


def test_a_null_takes_back_what_a_job_of_a_session_has() -> None:
    job: dict[str, Any] = {"name": "a", "jar": {"file": "/a.jar"}}
    more: dict[str, Any] = dict.fromkeys(("args", "fromSavepoint", "python", "parallelism", "allowNonRestoredState"))
    more["jar"] = {**job["jar"], "entryClass": None, "sha256": None}
    with pytest.raises(HelmError, match="one of three"):
        render(FLINK, {"session": {"jobs": [{**job, "sql": {"file": "/a.sql"}}]}})
    for sql in (None, {"file": None}):
        assert render(FLINK, {"session": {"jobs": [{**job, **more, "sql": sql}]}}) == render(FLINK, {"session": {"jobs": [job]}})


def test_a_null_takes_back_what_the_demo_is_given() -> None:
    assert Helm().template(DEMO, {"kafka": {"config": {"a.b": None}, "resources": {"limits": {"cpu": None}}}}) == Helm().template(
        DEMO
    )


def test_a_null_among_fields_of_kubernetes_takes_away_what_the_chart_has_set() -> None:
    values = {"jobmanager": {"podSecurityContext": {"runAsUser": None}, "podSpec": {"enableServiceLinks": None}}}
    spec = pods(values)["jobmanager"]["spec"]
    assert spec["securityContext"]["runAsUser"] is None
    assert spec["enableServiceLinks"] is None


def test_pull_secrets_are_names_or_as_kubernetes_writes_them_in_both_charts() -> None:
    secrets = ["a", {"name": "b"}]
    names = [{"name": "a"}, {"name": "b"}]
    for pod in pods({"image": {"pullSecrets": secrets}}).values():
        assert pod["spec"]["imagePullSecrets"] == names
    for obj in render(DEMO, {"global": {"imagePullSecrets": secrets}, "kafkaUi": {"enabled": True}}):
        if obj["kind"] in ("Deployment", "StatefulSet", "Job"):
            assert pod_template(obj)["spec"]["imagePullSecrets"] == names


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        *(
            ({"flink": {"config": {name: "rocksdb"}}}, f'flink.config has the name "{name}", which is no option of Flink')
            for name in ("state.backend.type ", "state.backend state.backend", "a: b", "*x", "", "# a")
        ),
        *(
            ({"flink": {"config": {name: value}}}, f"flink.config sets {name}, which would break the chart: {remedy}")
            for name, value, remedy in (
                ("jobmanager.rpc.bind-port", 1, "the Services and probes"),
                ("taskmanager.rpc.bind-port", 1, "the Services and probes"),
                ("sql-gateway.endpoint.type", "hiveserver2", "set sqlGateway.hiveServer2 for clients of Hive"),
                ("sql-gateway.endpoint.hiveserver2.thrift.port", 1, "the Service relies on it"),
                ("sql-gateway.endpoint.hiveserver2.catalog.name", "lake", "set hive.catalog"),
                ("sql-gateway.endpoint.rest.bind-port", 1, "the Service and the probes of the gateway"),
                ("sql-gateway.endpoint.rest.bind-address", "localhost", "the Service and the probes of the gateway"),
                ("historyserver.web.address", "localhost", "the Service and the probes of the history server"),
                ("env.log.dir", "/logs", "the root file system is read-only and /opt/flink/log is a volume"),
                ("security.ssl.enabled", True, "the probes would still speak plain HTTP: set tls.internal.enabled"),
                ("security.ssl.rest.enabled", True, "the probes would still speak plain HTTP: set tls.rest.enabled"),
                ("kubernetes.service-account", "x", "set serviceAccount.name, or taskmanager.serviceAccountName"),
                ("kubernetes.taskmanager.service-account", "x", "set taskmanager.serviceAccountName"),
                ("kubernetes.container.image.ref", "x", "set image.repository and image.tag"),
                ("kubernetes.container.image.pull-policy", "x", "set image.pullPolicy"),
                ("kubernetes.container.image.pull-secrets", "x", "set image.pullSecrets"),
                ("kubernetes.decorator.kerberos-mount.enabled", True, "TaskManagers would wait for a Secret that nobody makes"),
                ("kubernetes.hostnetwork.enabled", True, "set taskmanager.podSpec.hostNetwork"),
                ("jobmanager.heap.size", "1g", "set jobmanager.resources.limits.memory"),
                ("taskmanager.heap.mb", 1024, "set taskmanager.resources.limits.memory"),
            )
        ),
        ({"flink": {"config": {"kubernetes.container.image": "x"}}}, "an old name of kubernetes.container.image.ref"),
        *(
            (
                {"flink": {"version": version, "config": {"state.backend": backend}}},
                f"flink.config sets state.backend to {backend}, which Flink {version} does not have: write {remedy}",
            )
            for version, backend, remedy in (
                ("2.2.1", "filesystem", "hashmap"),
                ("2.2.1", "jobmanager", "hashmap"),
                ("2.0", "org.apache.flink.contrib.streaming.state.RocksDBStateBackendFactory", "rocksdb"),
                ("1.20.5", "ForSt", "rocksdb, or use Flink 2"),
            )
        ),
        ({"flink": {"version": "1.20.5"}, "state": {"backend": "forst"}}, "state.backend is forst, which Flink 1.20.5 does"),
        (
            merged(JOB, {"job": {"bounded": True}, "taskmanager": {"podDisruptionBudget": {"enabled": True}}}),
            "taskmanager.podDisruptionBudget.enabled is true, but job.bounded is true",
        ),
        (
            {"flink": {"mode": "native"}, "taskmanager": {"resources": {"requests": {"cpu": "0"}}}},
            'taskmanager.resources.requests.cpu is "0", which the chart cannot turn into Flink\'s number',
        ),
        (
            {"taskmanager": {"resources": {"requests": {"cpu": "1.0"}, "limits": {"cpu": "900m"}}}},
            "taskmanager.resources.requests.cpu (1.0) is above limits.cpu (900m)",
        ),
        ({"taskmanager": {"resources": {"limits": {"cpu": ""}}}}, "'/taskmanager/resources/limits/cpu': minLength"),
        ({"test": {"resources": {"limits": {"memory": ""}}}}, "'/test/resources/limits/memory': minLength"),
        ({"image": {"repository": "myorg/flink:2.2.1"}}, "image.repository is myorg/flink:2.2.1, which names a tag"),
        ({"image": {"repository": "flink@sha256:0"}}, "image.repository is flink@sha256:0, which names a tag or a digest"),
        ({"image": {"registry": "https://reg.example"}}, "image.registry is https://reg.example: write the registry without"),
        ({"global": {"imageRegistry": "http://reg.example"}}, "global.imageRegistry is http://reg.example: write"),
        (merged(JOB, {"job": {"args": ["--v", 2.10]}}), "job.args is 2.1, a number, of which digits may be lost"),
        (
            {"session": {"jobs": [{"name": "a", "jar": {"file": "/a.jar"}, "args": [0.0000001]}]}},
            "session.jobs: args of a is 1e-07, a number",
        ),
        ({"jobmanager": {"extraEnv": [{"FOO": "bar"}]}}, "'/jobmanager/extraEnv/0': missing property 'name'"),
        ({"taskmanager": {"extraVolumeMounts": [{"name": "x"}]}}, "missing property 'mountPath'"),
        ({"ingress": {"enabled": True, "host": "pre-{{ .Values.global.d }}"}, "global": {"d": "a: b"}}, "gives no YAML"),
        ({"flink": {"config": {"taskmanager": {}}}}, 'for example "taskmanager.<name>"'),
        *(
            (
                {"image": image},
                f"image.tag is {image['tag']}, but flink.version is 2.2.1, by which the chart writes its options: "
                f"set flink.version={right}.",
            )
            for image, right in (
                ({"tag": "1.20.3-java17"}, "1.20.3"),
                ({"tag": "2.1-scala_2.12-java17", "repository": "mirror/apache"}, "2.1"),
                ({"tag": "2.1.1-mine", "repository": "docker.io/apache/flink"}, "2.1.1"),
            )
        ),
        ({"image": {"tag": 12345e7}}, "image.tag is 123450000000, a number, of which another text may be meant"),
        (
            {"ingress": {"enabled": True, "path": "/flink(/|$)(.*)"}},
            'ingress.path is "/flink(/|$)(.*)", but ingress.rewrite is nginx, for which the chart writes the pattern itself',
        ),
        (
            {"rest": {"port": 80}, "podSecurityContext": {"runAsUser": 0}, "jobmanager": {"securityContext": {"runAsUser": 5}}},
            "rest.port is 80, which a process that is not root may not bind",
        ),
        (
            {"logging": {"loggers": {"a": "INFO"}, "logbackConsole": "<configuration/>"}},
            "logging.loggers is set, but logging.logbackConsole has no </configuration>",
        ),
        *(
            ({role: {"podSpec": {field: value}}}, f"{role}.podSpec sets {field}, {remedy}")
            for role, field, value, remedy in (
                ("taskmanager", "serviceAccount", "x", "which has a value of its own: set taskmanager.serviceAccountName"),
                ("test", "serviceAccount", "x", "which has a value of its own: set test.serviceAccountName"),
                ("sqlGateway", "automountServiceAccountToken", True, "which has a value of its own: set serviceAccount."),
                ("hooks", "automountServiceAccountToken", False, "but a hook asks Kubernetes and always has a token"),
                ("savepoints", "automountServiceAccountToken", False, "but a hook asks Kubernetes and always has a token"),
            )
        ),
        *(
            ({role: {"strategy": {"type": kind}}}, f"'/{role}/strategy{error}")
            for role in ("jobmanager", "taskmanager")
            for kind, error in (("rollingupdate", "/type': value must be one of"), (None, "': missing property 'type'"))
        ),
        ({"taskmanager": {"livenessProbe": {"successThreshold": 2}}}, "additional properties 'successThreshold' not allowed"),
        ({"hooks": {"extraEnv": [{"name": "A", "value": {"a": 1}}]}}, "'/hooks/extraEnv/0/value': got object"),
        (
            {**SUBMITS, "hooks": {"extraVolumes": [{"name": "n", "emptyDir": {}}]}, "session": {**SUBMITS["session"], **NFS}},
            "hooks.extraVolumes and session.extraVolumes have two volumes called n",
        ),
        (
            {**SUBMITS, "hooks": {**NFS, "extraVolumeMounts": [{"name": "n", "mountPath": "/exchange/"}]}},
            "hooks.extraVolumeMounts has /exchange, where the chart mounts a volume of its own",
        ),
        ({"taskmanager": {"scratch": {"sizeLimit": "20Gi"}}}, "write {emptyDir: {sizeLimit: ...}}"),
        ({"taskmanager": {"strategy": {"rollingUpdate": {"maxSurge": 1}}}}, "set taskmanager.strategy.type=RollingUpdate"),
        (
            {
                "storage": {"enabled": False},
                "state": {"root": "file:///mnt/nfs/flink"},
                **{role: NFS for role in ("jobmanager", "taskmanager")},
                "historyServer": {"enabled": True, "extraVolumes": [{"name": "o", "emptyDir": {}}]},
            },
            "the pod of historyServer mounts no volume there",
        ),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_in_a_sentence(values: dict[str, Any], sentence: str) -> None:
    assert sentence in refusal(values)


def test_a_python_job_of_a_session_needs_python_too() -> None:
    notes = Helm().notes(FLINK, {"session": {"jobs": [{"name": "a", "python": {"file": "/opt/a.py"}}]}})
    assert "holds no Python, which the job a of session.jobs needs" in " ".join(notes.split())


@pytest.mark.parametrize(
    "key", ["kafka", "topic", "producer", "kafkaUi", "producer.args", "kafka.storage", "global", "global.kafka", "global.tools"]
)
@pytest.mark.parametrize("helm", ["helm", "helm3"])
def test_what_is_left_empty_in_the_demo_is_its_default(key: str, helm: str) -> None:
    values: Any = None
    for part in reversed(key.split(".")):
        values = {part: values}
    assert Helm(helm).template(DEMO, values) == Helm(helm).template(DEMO)


def test_the_demos_claim_takes_a_volume_that_is_there() -> None:
    kafka = render(DEMO, {"kafka": {"storage": {"storageClassName": "-"}}}).one("StatefulSet")
    assert kafka["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"] == ""


@pytest.mark.parametrize(
    "values", [{"podSecurityContext": {"runAsUser": None}}, {"taskmanager": {"securityContext": {"runAsUser": 1000}}}]
)
def test_a_user_that_the_image_does_not_know_has_a_name(values: dict[str, Any]) -> None:
    """Hadoop, by which Flink reads S3, logs in by its name."""
    usual, other = pods(JOB)["taskmanager"], pods(merged(JOB, values))["taskmanager"]
    passwd = {"name": "passwd", "mountPath": "/etc/passwd", "subPath": "passwd", "readOnly": True}
    assert passwd in other["spec"]["containers"][0]["volumeMounts"]
    assert [container["name"] for container in other["spec"]["initContainers"]] == ["passwd"]
    assert "initContainers" not in usual["spec"]


def test_a_users_own_passwd_stays() -> None:
    own = {"name": "own", "mountPath": "/etc/passwd", "subPath": "passwd"}
    role = {"extraVolumes": [{"name": "own", "configMap": {"name": "own"}}], "extraVolumeMounts": [own]}
    pod = pods(merged(JOB, {"podSecurityContext": {"runAsUser": None}, "jobmanager": role}))["jobmanager"]
    assert [mount for mount in pod["spec"]["containers"][0]["volumeMounts"] if mount["mountPath"] == "/etc/passwd"] == [own]
