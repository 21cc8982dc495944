"""The mode in which the Flink Kubernetes Operator runs what the values say: its custom resources, and what it cannot be told."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from ci.core import versions
from ci.core.paths import DOCS, FLINK, VALUES
from ci.images import artifacts
from harness.definitions import Definitions
from harness.helm import Helm, HelmError, merged
from harness.manifests import Object, containers, flink_config, pod_template, render
from harness.validation import InvalidManifest
from tests.unit.charts.operated import JOB, NAME, REFUSED, SESSION, SPEEDS, URL
from tests.unit.charts.releases import refused
from tests.unit.scenarios import ROLE, S3

Tree = dict[str, Any]
ON_DEMAND: Tree = {"session": {"jobs": [SPEEDS, {"name": "words", "jar": {"file": URL}, "parallelism": 3}]}}


def deployment(values: Tree | None = None, base: Tree = JOB) -> Object:
    spec: Object = render(FLINK, merged(base, values or {})).one("FlinkDeployment", NAME)["spec"]
    return spec


def options(values: Tree | None = None, base: Tree = JOB) -> dict[str, str]:
    config: dict[str, str] = deployment(values, base)["flinkConfiguration"]
    return config


def pod(role: str, values: Tree | None = None, base: Tree = JOB) -> Object:
    template: Object = deployment(values, base)[role]["podTemplate"]
    return template


# Releases that between them have every field.
RELEASES: dict[str, Tree] = {
    "session": SESSION,
    "session-jobs": merged(SESSION, ON_DEMAND),
    "job": JOB,
    "python": merged(JOB, {"job": {"jar": {"file": ""}, "python": {"file": "job.py"}}, "files": {"job.py": "pass\n"}}),
    "url": merged(JOB, {"job": {"jar": {"file": URL, "sha256": "0" * 64}}}),
    "pods": merged(JOB, {"jobmanager": {**ROLE, "podSpec": {}}, "taskmanager": ROLE}),
    "state": merged(
        JOB, {"state": {"root": "s3://b/p", "s3": S3, "hdfs": {"configMap": "hadoop"}}, "podSecurityContext": {"runAsUser": 1000}}
    ),
    "everything-of-a-job": merged(
        JOB,
        {
            "job": {"fromSavepoint": "s3://b/s", "allowNonRestoredState": True, "state": "suspended", "args": ["--a", 1]},
            "savepoints": {"schedule": "@daily", "format": "native"},
            "metrics": {"scrapeAnnotations": True},
            "rest": {"service": {"type": "NodePort", "annotations": {"a": "b"}}},
            "jobmanager": {"replicas": 2},
        },
    ),
}


@functools.cache
def definitions(name: str) -> Definitions:
    version = versions.get("operator", name)
    return Definitions(artifacts.fetch(f"operator-api-{version}") / f"flink-kubernetes-operator-api-{version}.jar")


@pytest.fixture(scope="module", params=["definitions", "version"])
def known(request: pytest.FixtureRequest) -> tuple[Definitions, Tree]:
    """Definitions of an operator, and the values that it needs."""
    older = {"operator": {"flinkVersion": "v1_19"}} if request.param == "version" else {}
    return definitions(request.param), older


@pytest.mark.parametrize("name", RELEASES)
def test_custom_resources_are_as_their_definitions_say(name: str, known: tuple[Definitions, Tree]) -> None:
    there, values = known
    custom = [obj for obj in render(FLINK, merged(RELEASES[name], values)) if obj["apiVersion"] == "flink.apache.org/v1beta1"]
    assert custom
    for obj in custom:
        there.check(obj)


def test_the_values_file_is_as_the_definitions_say(known: tuple[Definitions, Tree]) -> None:
    values = merged({"flink": {"version": "1.20.5"}}, known[1])
    known[0].check(render(FLINK, values, files=(VALUES / "operator.yaml",)).one("FlinkDeployment"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"flinkVersion": "v9_9"}, "v9_9"),
        ({"jobs": {}}, "'jobs' was unexpected"),
        ({"jobManager": {"replicas": "1"}}, "replicas"),
        ({"podTemplate": {"spec": {"containerz": []}}}, "containerz"),
    ],
)
def test_what_a_definition_does_not_know_is_found(changes: Tree, message: str) -> None:
    obj = {"kind": "FlinkDeployment", "metadata": {"name": "a"}, "spec": changes}
    with pytest.raises(InvalidManifest, match=message):
        definitions("definitions").check(obj)


def test_the_objects_of_a_release() -> None:
    def census(values: Tree) -> set[str]:
        return {f"{kind}/{name}" for kind, name in render(FLINK, values, name="r").census()}

    cluster = {
        *("FlinkDeployment/r-flink", "ServiceAccount/r-flink", "PersistentVolumeClaim/r-flink-data", "Pod/r-flink-test"),
        *("ConfigMap/r-flink-config", "ConfigMap/r-flink-scripts", "Role/r-flink-native", "RoleBinding/r-flink-native"),
    }
    assert census(SESSION) == cluster
    jobs = {"FlinkSessionJob/r-flink-speeds", "FlinkSessionJob/r-flink-words"}
    assert census(merged(SESSION, ON_DEMAND)) == cluster | jobs
    leader = {"Role/r-flink", "RoleBinding/r-flink"}
    assert census(merged(JOB, {"savepoints": {"schedule": "@daily"}})) == cluster | leader


@pytest.mark.parametrize(
    ("version", "flink_version", "name"),
    [("1.20.5", "", "v1_20"), ("2.2.1", "", "v2_2"), ("2.10.0", "", "v2_10"), ("1.20.5", "v1_19", "v1_19")],
)
def test_the_version_as_the_operator_calls_it(version: str, flink_version: str, name: str) -> None:
    assert deployment({"flink": {"version": version}, "operator": {"flinkVersion": flink_version}})["flinkVersion"] == name


def test_options_are_those_of_the_other_modes_without_what_the_operator_sets() -> None:
    values = {"historyServer": {"enabled": True}, "flink": {"config": {"restart-strategy.type": "fixed-delay"}}}
    config, others = options(values), flink_config(render(FLINK, merged(JOB, values, {"flink": {"mode": "native"}})))
    lost = {key for key in others if key not in config and not key.startswith("historyserver.")}
    assert lost == {
        *("jobmanager.rpc.address", "rest.address", "kubernetes.cluster-id", "kubernetes.namespace"),
        *("high-availability.cluster-id", "jobmanager.memory.process.size", "taskmanager.memory.process.size"),
        *("kubernetes.taskmanager.cpu.amount", "execution.shutdown-on-application-finish", "parallelism.default"),
        *("job-result-store.delete-on-commit", "kubernetes.decorator.kerberos-mount.enabled"),
    }
    assert {key: value for key, value in others.items() if key in config}.items() <= config.items()
    # The operator refuses a FlinkDeployment that has one of these.
    assert not config.keys() & {"kubernetes.namespace", "kubernetes.cluster-id", "high-availability.cluster-id"}
    assert "parallelism.default" in options(base=SESSION)


def test_an_operator_built_with_an_older_flink_finds_the_directories() -> None:
    config = options()
    assert config["state.checkpoints.dir"] == config["execution.checkpointing.dir"]
    assert config["state.savepoints.dir"] == config["execution.checkpointing.savepoint-dir"]
    assert not options({"flink": {"version": "2.2.1"}}).keys() & {"state.checkpoints.dir", "state.savepoints.dir"}


@pytest.mark.parametrize("role", ["jobmanager", "taskmanager"])
@pytest.mark.parametrize(
    "values",
    [
        {},
        {"state": {"root": "s3://b/p", "s3": S3}},
        {"jobmanager": {**ROLE, "podSpec": {}}, "taskmanager": {**ROLE, "podSpec": {"schedulerName": "other"}}},
        {"storage": {"accessModes": ["ReadWriteMany"]}, "metrics": {"scrapeAnnotations": True}},
        {"files": {"a": "b\n"}, "job": {"jar": {"file": URL, "sha256": "0" * 64}}},
    ],
)
def test_pods_are_those_of_standalone_mode(role: str, values: Tree) -> None:
    made = pod({"jobmanager": "jobManager", "taskmanager": "taskManager"}[role], values)
    own = pod_template(render(FLINK, merged(JOB, values, {"flink": {"mode": "standalone"}})).one("Deployment", f"{NAME}-{role}"))
    main, theirs = containers({"kind": "Pod", **made})["flink-main-container"], containers({"kind": "Pod", **own})[role]
    for template in (made, own):
        # What hooks and other options are told by.
        for name in ("checksum/config", "flink/specification", "flink/chart", "flink/jobmanager-template"):
            template["metadata"].get("annotations", {}).pop(name, None)
        # Flink mounts its options itself; the record is the hooks'.
        template["spec"]["volumes"] = [v for v in template["spec"]["volumes"] if v["name"] not in ("config", "record")]
        template["spec"]["containers"] = template["spec"]["containers"][1:]
        # The JobManager makes TaskManagers.
        template["spec"].pop("automountServiceAccountToken")
    assert made["metadata"].get("annotations") == (own["metadata"].get("annotations") or None)
    assert made["metadata"]["labels"] == own["metadata"]["labels"]
    assert made["spec"] == own["spec"]
    for container in (main, theirs):
        container.pop("name")
        container.pop("args", None)
        for probe in ("startupProbe", "livenessProbe"):
            container[probe].get("tcpSocket", {}).pop("port", None)  # Flink names it
        flinks = ("rest", "rpc", "blob")
        container["ports"] = [port for port in container["ports"] if port["name"] not in flinks]
        container["volumeMounts"] = [m for m in container["volumeMounts"] if m["name"] not in ("config", "record")]
        hooks = ("JOB_SPECIFICATION", "POD_UID", "HIGH_AVAILABILITY", "CLAIM_DIRECTORY", "RETAINED_CHECKPOINTS")
        container["env"] = [e for e in container["env"] if e["name"] not in (*hooks, "CLAIM_OWN_CHECKPOINTS")]
    assert main == theirs


@pytest.mark.parametrize(
    ("resources", "cpu", "factor", "memory"),
    [
        ({}, 0.1, "1000", "1024m"),
        ({"requests": {"cpu": "500m"}, "limits": {"cpu": 2, "memory": "2Gi"}}, 0.5, "4", "2048m"),
    ],
)
def test_cpu_and_memory_are_given_by_numbers(resources: Tree, cpu: float, factor: str, memory: str) -> None:
    spec = deployment({"jobmanager": {"resources": resources}})
    assert spec["jobManager"]["resource"] == {"cpu": cpu, "memory": memory}
    assert spec["flinkConfiguration"]["kubernetes.jobmanager.cpu.limit-factor"] == factor
    assert spec["taskManager"]["resource"] == {"cpu": 0.1, "memory": "1728m"}


def test_the_job() -> None:
    assert deployment()["job"] == {
        "jarURI": "local:///a.jar",
        "parallelism": 1,
        "state": "running",
        "upgradeMode": "savepoint",
    }
    job = {
        "jar": {"entryClass": "a.B"},
        "args": ["--at={{ .Release.Name }}", 7],
        "parallelism": 4,
        "fromSavepoint": "s3://b/s",
        "allowNonRestoredState": True,
        "upgradeMode": "last-state",
        "state": "suspended",
    }
    assert deployment({"job": job})["job"] == {
        "jarURI": "local:///a.jar",
        "entryClass": "a.B",
        "args": ["--at=release-name", "7"],
        "parallelism": 4,
        "initialSavepointPath": "s3://b/s",
        "allowNonRestoredState": True,
        "upgradeMode": "last-state",
        "state": "suspended",
    }
    assert "job" not in deployment(base=SESSION)


def test_a_python_job_and_a_file_by_url() -> None:
    python = deployment({"job": {"jar": {"file": ""}, "python": {"file": "/job.py"}, "args": ["--a"]}})["job"]
    assert python["entryClass"] == "org.apache.flink.client.python.PythonDriver"
    assert python["args"] == ["-py", "/job.py", "--a"]
    assert "jarURI" not in python
    spec = deployment({"job": {"jar": {"file": URL, "sha256": "0" * 64}}})
    assert spec["job"]["jarURI"] == "local:///opt/flink/artifact/a.jar"
    (download,) = spec["jobManager"]["podTemplate"]["spec"]["initContainers"]
    assert URL in download["command"]


def test_jobs_of_a_session() -> None:
    manifests = render(FLINK, merged(SESSION, ON_DEMAND))
    speeds = manifests.one("FlinkSessionJob", f"{NAME}-speeds")["spec"]
    assert speeds == {
        "deploymentName": NAME,
        "flinkConfiguration": {"pipeline.name": "speeds"},
        "job": {
            "jarURI": URL,
            "entryClass": "a.B",
            "args": ["--at=release-name", "7"],
            "parallelism": 1,
            "state": "running",
            "upgradeMode": "savepoint",
        },
    }
    assert manifests.one("FlinkSessionJob", f"{NAME}-words")["spec"]["job"]["parallelism"] == 3
    stateless = merged(SESSION, ON_DEMAND, {"storage": {"enabled": False}})
    assert render(FLINK, stateless).one("FlinkSessionJob", f"{NAME}-words")["spec"]["job"]["upgradeMode"] == "stateless"


@pytest.mark.parametrize(
    ("schedule", "interval"),
    [
        ("0 3 * * *", "0 0 3 * * ?"),
        ("*/15 * * * *", "0 */15 * * * ?"),
        ("@hourly", "0 0 * * * ?"),
        ("@daily", "0 0 0 * * ?"),
        ("@weekly", "0 0 0 ? * SUN"),
        ("30 4 1,15 * *", "0 30 4 1,15 * ?"),
        ("0 3 * * 1-5", "0 0 3 ? * MON-FRI"),
        ("0 3 * jan sun,7", "0 0 3 ? jan SUN,SUN"),
    ],
)
def test_a_schedule_in_the_operators_words(schedule: str, interval: str) -> None:
    assert options({"savepoints": {"schedule": schedule}})["kubernetes.operator.periodic.savepoint.interval"] == interval


def test_savepoints_as_the_values_say() -> None:
    config = options({"savepoints": {"keep": 5, "format": "native"}})
    assert config["kubernetes.operator.savepoint.history.max.count"] == "5"
    assert config["kubernetes.operator.savepoint.format.type"] == "NATIVE"
    assert "kubernetes.operator.periodic.savepoint.interval" not in config
    own = {"kubernetes.operator.periodic.savepoint.interval": "6 h", "kubernetes.operator.savepoint.history.max.age": "1 d"}
    assert own.items() <= options({"flink": {"config": own}}).items()


def test_how_rest_is_exposed() -> None:
    assert options()["kubernetes.rest-service.exposed.type"] == "ClusterIP"
    annotations = {"a/b": "https://x.example,y", "c": "'\""}
    config = options({"rest": {"service": {"type": "LoadBalancer", "annotations": annotations}}})
    assert config["kubernetes.rest-service.exposed.type"] == "LoadBalancer"
    assert config["kubernetes.rest-service.annotations"] == """'a/b:"https://x.example,y"','c:"''\"\""'"""
    proxied: Tree = {"rest": {"readOnly": True, "service": {"type": "NodePort", "nodePort": 30081, "annotations": {"a": "b"}}}}
    config = options(proxied)
    assert config["kubernetes.rest-service.exposed.type"] == "ClusterIP"
    assert "kubernetes.rest-service.annotations" not in config
    service = render(FLINK, merged(JOB, proxied)).one("Service", f"{NAME}-ui-proxy")
    assert service["spec"]["ports"][0]["nodePort"] == 30081


def test_people_and_gateways_come_in_by_the_service_that_flink_makes() -> None:
    values = merged(SESSION, {"ingress": {"enabled": True}, "sqlGateway": {"enabled": True}})
    manifests = render(FLINK, values)
    (rule,) = manifests.one("Ingress")["spec"]["rules"]
    assert rule["http"]["paths"][0]["backend"]["service"] == {"name": f"{NAME}-rest", "port": {"name": "rest"}}
    assert flink_config(manifests)["rest.address"] == f"{NAME}-rest"
    assert not [s for s in manifests.by("Service") if s["metadata"]["name"] in (NAME, f"{NAME}-rest", f"{NAME}-jobmanager")]


def test_accounts() -> None:
    spec = deployment({"jobmanager": {"serviceAccountName": "boss"}})
    assert spec["serviceAccount"] == "boss"
    assert spec["flinkConfiguration"]["kubernetes.taskmanager.service-account"] == NAME
    assert "kubernetes.taskmanager.service-account" not in options()
    assert pod("jobManager", base=SESSION)["spec"]["automountServiceAccountToken"] is True
    assert pod("taskManager", base=SESSION)["spec"]["automountServiceAccountToken"] is False
    rules = render(FLINK, SESSION).one("Role", f"{NAME}-native")["rules"]
    assert [(rule["resources"], rule.get("resourceNames")) for rule in rules] == [(["pods"], None), (["deployments"], [NAME])]


def test_notes() -> None:
    text = Helm().notes(FLINK, merged(JOB, {"flink": {"config": {"job.autoscaler.enabled": "true"}}}))
    assert f"get flinkdeployment/{NAME}" in text
    assert "Operator reads and nothing else" not in text
    assert "record" not in text
    assert "job.state=running resumes it" in Helm().notes(FLINK, merged(JOB, {"job": {"state": "suspended"}}))
    assert "--target remote" in Helm().notes(FLINK, SESSION)


HOSTILE: list[tuple[Tree, str, str]] = [
    ({"highAvailability": {"type": "none"}}, "highAvailability.type is none", "set highAvailability.type=kubernetes"),
    ({"flink": {"configFrom": [{"name": "a.b", "secretKeyRef": {"name": "s", "key": "k"}}]}}, "flink.configFrom", "extraVolumes"),
    ({"job": {"bounded": True}}, "job.bounded", "set flink.mode=standalone"),
    ({"job": {"savepointOnUninstall": True}}, "job.savepointOnUninstall", "job.state=suspended"),
    ({"job": {"jar": {"file": ""}, "sql": {"file": "/a.sql"}}}, "job.sql.file", "set flink.mode=native"),
    ({"job": {"args": ["--password=$(PASSWORD)"]}}, "job.args has $(PASSWORD)", "read the variable itself"),
    ({"jobmanager": {"strategy": {"type": "RollingUpdate"}}}, "jobmanager.strategy", "leave it out"),
    ({"taskmanager": {"replicas": 2}}, "taskmanager.replicas is 2, but flink.mode is operator", "native.maxTaskManagers"),
    ({"taskmanager": {"autoscaling": {"enabled": True}}}, "taskmanager.autoscaling.enabled", "job.autoscaler.enabled"),
    ({"taskmanager": {"podDisruptionBudget": {"enabled": True}}}, "podDisruptionBudget.enabled", "leave it out"),
    ({"taskmanager": {"podSpec": {"hostNetwork": True}}}, "taskmanager.podSpec sets hostNetwork", "flink.mode=standalone"),
    (
        {"jobmanager": {"resources": {"requests": {"memory": "512Mi"}}}},
        "jobmanager.resources.requests.memory is 512Mi, but flink.mode is operator",
        "write that in both",
    ),
    (
        {"jobmanager": {"resources": {"requests": {"cpu": None}}}},
        "jobmanager.resources names no CPU, but flink.mode is operator",
        "set jobmanager.resources.requests.cpu",
    ),
    ({"hooks": {"enabled": False}}, "hooks.enabled is set", "so that no hook runs"),
    ({"hooks": {"podLabels": {"a": "b"}}}, "hooks.podLabels is set", "set hooks.image alone"),
    ({"savepoints": {"keepOfUpgrades": 1}}, "savepoints.keepOfUpgrades is set", "set schedule, keep and format alone"),
    ({"savepoints": {"schedule": "0 3 1 * 1"}}, 'savepoints.schedule is "0 3 1 * 1"', "periodic.savepoint.interval: 6 h"),
    ({"savepoints": {"schedule": "0 3 * * 1-5/2"}}, "savepoints.schedule", "no step of weekdays"),
    ({"savepoints": {"schedule": "@every 6h"}}, "savepoints.schedule", "write an interval into flink.config"),
    ({"tls": {"rest": {"enabled": True, "secretName": "s"}}}, "tls.rest.enabled", "set flink.mode=native"),
    ({"tls": {"internal": {"enabled": True, "secretName": "s"}}}, "tls.internal.enabled", "set flink.mode=native"),
    ({"rest": {"service": {"type": "NodePort", "nodePort": 30081}}}, "rest.service.nodePort", "Service of your own"),
    ({"logging": {"log4jCli": "a = b"}}, "logging.log4jCli", "leave it out"),
    ({"networkPolicy": {"enabled": True}}, "networkPolicy.ingress.operator is empty", "name it, for example"),
    ({"flink": {"config": {"kubernetes.jobmanager.replicas": 2}}}, "kubernetes.jobmanager.replicas", "set jobmanager.replicas"),
    ({"flink": {"config": {"pipeline.jars": "/b.jar"}}}, "pipeline.jars", "set job.jar.file"),
    (
        {"storage": {"enabled": False}, "state": {"folders": {"savepoints": "s3://b/s", "highAvailability": "s3://b/h"}}},
        "There is no directory for checkpoints",
        "state.folders.checkpoints",
    ),
]
HOSTILE_SESSIONS: list[tuple[Tree, str, str]] = [
    ({"name": "a", "python": {"file": "/a.py"}}, "a has no URL in jar.file", "https://repo.example/jobs/a.jar"),
    ({"name": "a", "jar": {"file": "/a.jar"}}, "a has no URL in jar.file", "which fetches jars itself"),
    ({"name": "a", "jar": {"file": "local:///a.jar"}}, "a has no URL in jar.file", "which fetches jars itself"),
    ({"name": "a", "jar": {"file": URL, "sha256": "0" * 64}}, "a has a sha256", "leave it out"),
    ({"name": "a", "jar": {"file": "https://me:word@repo.example/a.jar"}}, "with a user or a password", "serve the file without"),
    ({"name": "a", "jar": {"file": URL}, "args": ["$(A)"]}, "a has in its args $(A)", "read the variable itself"),
]


@pytest.mark.parametrize(("values", "wrong", "instead"), HOSTILE, ids=str)
def test_what_the_operator_cannot_be_told_is_refused(values: Tree, wrong: str, instead: str) -> None:
    sentence = refused(merged(JOB, values))
    assert wrong in sentence
    assert instead in sentence
    assert "operator" in sentence


@pytest.mark.parametrize(("job", "wrong", "instead"), HOSTILE_SESSIONS, ids=str)
def test_what_a_session_of_the_operator_cannot_run_is_refused(job: Tree, wrong: str, instead: str) -> None:
    sentence = refused(merged(SESSION, {"session": {"jobs": [job]}}))
    assert wrong in sentence
    assert instead in sentence


def test_files_that_nothing_of_a_session_would_read_are_refused() -> None:
    assert "leave them out" in refused(merged(SESSION, {"files": {"a.py": "pass"}}))


def test_what_the_operator_fetches_needs_no_way_out_of_the_pods() -> None:
    walls = {"networkPolicy": {"enabled": True, "ingress": {"operator": [{"podSelector": {}}]}}}
    assert render(FLINK, merged(SESSION, ON_DEMAND, walls)).by("NetworkPolicy")


def test_jobs_of_a_session_need_a_directory_for_savepoints() -> None:
    folders = {"storage": {"enabled": False}, "state": {"folders": {"checkpoints": "s3://b/c"}}}
    assert "set state.folders.savepoints" in refused(merged(SESSION, ON_DEMAND, folders))


def test_a_cluster_without_the_operator_is_told_to_have_it() -> None:
    with pytest.raises(
        HelmError, match="the cluster has no flink.apache.org/v1beta1/FlinkDeployment: install the Flink Kubernetes"
    ):
        Helm().template(FLINK, SESSION, api_versions=["v1/Pod"])
    kinds = [f"flink.apache.org/v1beta1/{kind}" for kind in ("FlinkDeployment", "FlinkSessionJob")]
    Helm().template(FLINK, SESSION, api_versions=["v1/Pod", *kinds])


@pytest.mark.parametrize("role", ["hooks", "savepoints", "session"])
@pytest.mark.parametrize("key", ROLE)
def test_values_of_pods_that_are_not_there_are_refused(role: str, key: str) -> None:
    assert f"{role}.{key} is set, but flink.mode is operator" in refused(merged(SESSION, {role: {key: ROLE[key]}}))


def fields(schema: Tree, path: str = "") -> set[str]:
    """The fields of a spec, without what a pod has."""
    below: set[str] = set()
    for key, node in schema.get("properties", {}).items():
        name = f"{path}.{key}".lstrip(".")
        inner = set() if key == "podTemplate" else fields(node, name)
        below |= inner or {name}
    return below


@pytest.mark.parametrize("kind", ["FlinkDeployment", "FlinkSessionJob"])
def test_the_page_has_every_field(kind: str) -> None:
    page = (DOCS / "from-the-operator.md").read_text()
    section = page.split(f"\n## {kind}\n", 1)[1].split("\n## ", 1)[0]
    cells = [row.split(" | ")[0] for row in section.splitlines() if row.startswith("| `")]
    written = {field for cell in cells for field in cell.strip("| `").split("`, `")}
    assert written == fields(definitions("definitions").spec(kind))


def test_the_page_says_of_each_refused_value_that_it_is() -> None:
    page = (DOCS / "from-the-operator.md").read_text()
    section = page.split("\n## What is refused\n", 1)[1].split("\n## ", 1)[0]
    for path in REFUSED:
        keys = path.split(".")
        assert any(f"`{'.'.join(keys[:length])}`" in section for length in range(1, len(keys) + 1)), path


def test_the_example_of_the_page_is_the_values_file() -> None:
    assert "values/operator.yaml" in (DOCS / "from-the-operator.md").read_text()
    assert Path(VALUES / "operator.yaml").exists()
    assert json.loads((FLINK / "defaults.json").read_text())["operator.flinkVersion"] == ""
