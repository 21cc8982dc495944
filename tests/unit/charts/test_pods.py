"""The workloads of charts/flink: what starts, with which arguments, and what each value of a role does to its pod."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ci.core.paths import DEMO, FLINK
from harness.manifests import Object, containers, env, flink_config, pod_template, render
from tests.unit.scenarios import ROLE

JOB = {"type": "job"}
PYTHON = ["--job-classname", "org.apache.flink.client.python.PythonDriver", "--", "-py"]
ZOOKEEPER = {"highAvailability": {"type": "zookeeper"}}
PLAIN = {"hooks": {"enabled": False}}
WORKLOADS = ("Deployment", "Job", "CronJob", "Pod")
VARIABLES = ("HIGH_AVAILABILITY", "CLAIM_DIRECTORY", "RETAINED_CHECKPOINTS", "CLAIM_OWN_CHECKPOINTS")

ROLES = pytest.mark.parametrize("role", ["jobmanager", "taskmanager"])


def workload(role: str, values: dict[str, Any] | None = None) -> Object:
    return render(FLINK, values, name="r").one("Deployment", f"r-flink-{role}")


@pytest.mark.parametrize(
    ("values", "args"),
    [
        ({}, ["jobmanager"]),
        ({"flink": JOB, **PLAIN}, ["standalone-job", *PYTHON, "/opt/flink/usrlib/job.py"]),
        (
            {**PLAIN, "flink": JOB, "job": {"args": ["--to={{ .Release.Name }}", 1000000, True]}},
            ["standalone-job", *PYTHON, "/opt/flink/usrlib/job.py", "--to=r", "1000000", "true"],
        ),
        (
            {**PLAIN, "flink": JOB, "job": {"jar": {"file": "/opt/flink/usrlib/a.jar", "entryClass": "a.B"}, "args": ["x"]}},
            ["standalone-job", "--jars=local:///opt/flink/usrlib/a.jar", "--job-classname", "a.B", "--", "x"],
        ),
        ({**PLAIN, "flink": JOB, "job": {"jar": {"entryClass": "a.B"}}}, ["standalone-job", "--job-classname", "a.B"]),
        (
            {
                **PLAIN,
                "flink": JOB,
                "job": {"jar": {"entryClass": "a.B"}, "fromSavepoint": "s3://b/s", "allowNonRestoredState": True},
            },
            ["standalone-job", "--fromSavepoint", "s3://b/s", "--allowNonRestoredState", "--job-classname", "a.B"],
        ),
        (
            {**ZOOKEEPER, "jobmanager": {"replicas": 2}},
            ["jobmanager", "-D", "jobmanager.rpc.address=$(POD_IP)", "-D", "rest.address=$(POD_IP)"],
        ),
        ({"flink": {"config": {"high-availability.type": "NONE"}}}, ["jobmanager"]),
    ],
)
def test_arguments_of_the_jobmanager(values: dict[str, Any], args: list[str]) -> None:
    assert containers(workload("jobmanager", values))["jobmanager"]["args"] == args


def test_a_job_that_hooks_carry_starts_where_the_record_says() -> None:
    def started(values: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
        made = workload("jobmanager", {"flink": JOB, **values})
        container = containers(made)["jobmanager"]
        assert container["args"][:2] == ["bash", "/opt/flink/scripts/start-job.sh"]
        variables = env(container)
        specification = made["metadata"]["annotations"]["flink/specification"]
        assert variables["JOB_SPECIFICATION"] == specification
        assert re.fullmatch("[0-9a-f]{16}", specification)
        assert pod_template(made)["metadata"]["annotations"]["flink/specification"] == specification
        return container["args"][2:], {key: variables[key] for key in VARIABLES}

    job = [*PYTHON, "/opt/flink/usrlib/job.py"]
    on_claim = dict(zip(VARIABLES, ("false", "/flink-data/r-flink", "3", "true"), strict=True))
    assert started({}) == (job, on_claim)
    elsewhere = {"state": {"root": "s3://b/p", "checkpointing": {"retained": 5}}, "job": {"fromSavepoint": "s3://b/s"}}
    assert started(elsewhere) == (job, {**on_claim, "CLAIM_DIRECTORY": "", "RETAINED_CHECKPOINTS": "5"})
    # High availability knows the newest checkpoint itself, and the files tell it of a job that has ended.
    address = ["-D", "jobmanager.rpc.address=$(POD_IP)", "-D", "rest.address=$(POD_IP)"]
    assert started({"highAvailability": {"type": "kubernetes"}}) == ([*address, *job], {**on_claim, "HIGH_AVAILABILITY": "true"})
    # Whoever says how state is taken over is not overruled.
    given = {"flink": {**JOB, "config": {"execution.state-recovery.claim-mode": "NO_CLAIM"}}}
    assert started(given) == (job, {**on_claim, "CLAIM_OWN_CHECKPOINTS": "false"})


@pytest.mark.parametrize(("availability", "together"), [("none", True), ("kubernetes", False)])
def test_without_high_availability_taskmanagers_are_replaced_with_their_jobmanager(availability: str, together: bool) -> None:
    """Nothing else would tell them of the new one for 50 s."""
    values = {"flink": JOB, "highAvailability": {"type": availability}, "taskmanager": {"podAnnotations": {"a": "b"}}}
    before, after = (workload("taskmanager", {**values, "job": {"args": args}}) for args in ([], ["--other"]))
    assert (pod_template(before) != pod_template(after)) is together
    assert pod_template(after)["metadata"]["annotations"]["a"] == "b"


def test_a_suspended_job_has_no_pods() -> None:
    values = {"flink": JOB, "job": {"state": "suspended"}, "taskmanager": {"replicas": 3}}
    assert [workload(role, values)["spec"]["replicas"] for role in ("jobmanager", "taskmanager")] == [0, 0]


def test_a_taskmanager_announces_its_own_address_and_name() -> None:
    container = containers(workload("taskmanager"))["taskmanager"]
    announced = ["-D", "taskmanager.host=$(POD_IP)", "-D", "taskmanager.resource-id=$(POD_NAME)"]
    assert container["args"] == ["taskmanager", *announced]
    assert env(container) == {
        "POD_NAME": {"fieldRef": {"fieldPath": "metadata.name"}},
        "POD_IP": {"fieldRef": {"fieldPath": "status.podIP"}},
    }


@pytest.mark.parametrize(
    ("image", "reference"),
    [
        ({}, "flink:2.2.1-java17"),
        ({"tag": "mine"}, "flink:mine"),
        ({"repository": "registry.example:5000/flink-kdv", "tag": "1"}, "registry.example:5000/flink-kdv:1"),
        ({"tag": "1", "digest": "sha256:" + "a" * 64}, "flink@sha256:" + "a" * 64),
    ],
)
@ROLES
def test_image(role: str, image: dict[str, str], reference: str) -> None:
    assert containers(workload(role, {"image": image}))[role]["image"] == reference


def test_the_version_names_the_default_image() -> None:
    container = containers(workload("jobmanager", {"flink": {"version": "1.20.5"}}))["jobmanager"]
    assert container["image"] == "flink:1.20.5-java17"


def test_probes_ask_what_they_should() -> None:
    jobmanager = containers(workload("jobmanager"))["jobmanager"]
    assert jobmanager["readinessProbe"]["httpGet"] == {"path": "/overview", "port": "rest"}
    taskmanager = containers(workload("taskmanager", {"rest": {"port": 18081}}))["taskmanager"]
    command = taskmanager["readinessProbe"]["exec"]["command"]
    assert command == ["bash", "/opt/flink/scripts/rest.sh", "registered", "r-flink-rest", "18081"]


def test_a_taskmanager_stays_ready_while_it_looks_for_the_next_jobmanager() -> None:
    """The 5 minutes of Flink's taskmanager.registration.timeout."""
    probe = containers(workload("taskmanager"))["taskmanager"]["readinessProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 300


@pytest.mark.parametrize(("seconds", "given"), [(10, 10), (61, 62), (300, 300)])
@ROLES
def test_the_start_is_given_its_time(role: str, seconds: int, given: int) -> None:
    probe = containers(workload(role, {role: {"startupSeconds": seconds}}))[role]["startupProbe"]
    assert probe["failureThreshold"] * probe["periodSeconds"] == given


@ROLES
def test_each_value_of_a_role_is_in_its_pod_and_not_in_the_others(role: str) -> None:
    there = workload(role, {role: ROLE})
    pod = pod_template(there)
    spec = pod["spec"]
    assert {"team": "streams"}.items() <= pod["metadata"]["labels"].items()
    assert {"example.com/scrape": "true"}.items() <= pod["metadata"]["annotations"].items()
    for key in ("nodeSelector", "affinity", "tolerations", "topologySpreadConstraints", "priorityClassName"):
        assert spec[key] == ROLE[key]
    assert spec["terminationGracePeriodSeconds"] == 60
    assert spec["initContainers"][-1]["name"] == "prepare"
    assert [container["name"] for container in spec["containers"]] == [role, "beside"]
    main = containers(there)[role]
    assert main["resources"]["limits"] == {"cpu": 2, "memory": "3Gi"}
    assert env(main)["WHO"] == "r"
    assert {"name": "extra", "mountPath": "/extra"} in main["volumeMounts"]
    assert {"name": "extra", "configMap": {"name": "r-elsewhere"}} in spec["volumes"]

    other = "taskmanager" if role == "jobmanager" else "jobmanager"
    assert workload(other, {role: ROLE}) == workload(other)


@ROLES
def test_by_default_a_pod_has_none_of_it(role: str) -> None:
    spec = pod_template(workload(role))["spec"]
    absent = {"initContainers", "nodeSelector", "tolerations", "topologySpreadConstraints", "priorityClassName"}
    assert not absent & spec.keys()
    assert [container["name"] for container in spec["containers"]] == [role]


@ROLES
def test_pods_of_a_claim_for_one_node_keep_together(role: str) -> None:
    affinity = pod_template(workload(role))["spec"]["affinity"]["podAffinity"]
    (term,) = affinity["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["topologyKey"] == "kubernetes.io/hostname"
    labels = term["labelSelector"]["matchLabels"]
    assert labels.keys() == {"app.kubernetes.io/name", "app.kubernetes.io/instance", "flink/claim"}
    assert labels.items() <= pod_template(workload(role))["metadata"]["labels"].items()
    for storage in ({"accessModes": ["ReadWriteMany"]}, {"enabled": False}):
        assert "affinity" not in pod_template(workload(role, {"storage": storage}))["spec"]


def test_pods_that_do_not_mount_the_claim_hold_no_node_for_it() -> None:
    """A hook's pod on another node could keep the pods that it waits for from being placed."""
    manifests = render(FLINK, {"flink": JOB}, name="r")
    pods = {obj["metadata"]["name"]: pod_template(obj) for obj in manifests if obj["kind"] in WORKLOADS}
    labelled = {name for name, pod in pods.items() if "flink/claim" in pod["metadata"]["labels"]}
    assert labelled == {name for name, pod in pods.items() if "persistentVolumeClaim" in str(pod["spec"]["volumes"])}
    assert {"r-flink-jobmanager", "r-flink-taskmanager"} <= labelled
    assert not [name for name in labelled if "before" in name or "after" in name]


@ROLES
def test_the_claim_is_mounted_where_it_should(role: str) -> None:
    def claim(values: dict[str, Any]) -> tuple[str | None, str | None]:
        there = workload(role, values)
        volumes = {volume["name"]: volume for volume in pod_template(there)["spec"]["volumes"]}
        mounts = {mount["name"]: mount["mountPath"] for mount in containers(there)[role]["volumeMounts"]}
        return volumes.get("data", {}).get("persistentVolumeClaim", {}).get("claimName"), mounts.get("data")

    assert claim({}) == ("r-flink-data", "/flink-data")
    assert claim({"storage": {"existingClaim": "mine", "mountPath": "/d"}}) == ("mine", "/d")
    assert claim({"storage": {"enabled": False}}) == (None, None)


@pytest.mark.parametrize(("keep", "annotations"), [(True, {"helm.sh/resource-policy": "keep"}), (False, {})])
def test_a_claim_is_kept_on_request_only(keep: bool, annotations: dict[str, str]) -> None:
    claim = render(FLINK, {"storage": {"keep": keep}}).one("PersistentVolumeClaim")
    assert claim["metadata"].get("annotations", {}) == annotations


def test_common_labels_are_on_every_object_and_in_no_pod_and_no_selector() -> None:
    common = {"commonLabels": {"cost-center": "42"}, "commonAnnotations": {"example.com/owner": True}}
    for obj in render(FLINK, {**common, "taskmanager": {"podDisruptionBudget": {"enabled": True}}}):
        assert obj["metadata"]["annotations"]["example.com/owner"] == "true"
        assert obj["metadata"]["labels"]["cost-center"] == "42"
        if obj["kind"] == "Deployment":
            assert "cost-center" not in pod_template(obj)["metadata"]["labels"]
        assert "cost-center" not in str(obj.get("spec", {}).get("selector"))


@pytest.mark.parametrize(
    ("ingress", "paths"),
    [
        ({}, [("/", "Prefix")]),
        ({"path": "/flink", "rewrite": "none"}, [("/flink", "Prefix")]),
        ({"path": "/flink"}, [("/flink/(.*)", "ImplementationSpecific"), ("/flink", "Exact")]),
        ({"path": "/flink/"}, [("/flink/(.*)", "ImplementationSpecific"), ("/flink", "Exact")]),
    ],
)
def test_ingress_paths(ingress: dict[str, Any], paths: list[tuple[str, str]]) -> None:
    objects = render(FLINK, {"ingress": {"enabled": True, **ingress}}).by("Ingress")
    rules = [path for obj in objects for path in obj["spec"]["rules"][0]["http"]["paths"]]
    assert [(path["path"], path["pathType"]) for path in rules] == paths


def test_an_ingress_under_a_path_strips_it_and_sends_a_browser_to_the_slash() -> None:
    values = {"enabled": True, "path": "/flink", "annotations": {"a": "b"}, "className": "nginx"}
    rest, slash = render(FLINK, {"ingress": values}).by("Ingress")
    nginx = "nginx.ingress.kubernetes.io"
    assert rest["metadata"]["annotations"] == {
        "a": "b",
        f"{nginx}/use-regex": "true",
        f"{nginx}/rewrite-target": "/$1",
    }
    assert slash["metadata"]["annotations"] == {"a": "b", f"{nginx}/permanent-redirect": "/flink/"}
    assert rest["spec"]["ingressClassName"] == "nginx"
    assert "host" not in rest["spec"]["rules"][0]


def test_templates_in_an_ingress_are_rendered() -> None:
    namespaced = "{{ .Release.Namespace }}"
    values = {"host": f"{namespaced}.example", "path": f"/{namespaced}/ui", "annotations": {"who": "{{ .Release.Name }}"}}
    rest, slash = render(FLINK, {"ingress": {"enabled": True, **values}}, name="r").by("Ingress")
    (rule,) = slash["spec"]["rules"]
    assert (rule["host"], rule["http"]["paths"][0]["path"]) == ("default.example", "/default/ui")
    assert rest["metadata"]["annotations"]["who"] == "r"


def test_an_ingress_has_a_rule_for_each_host() -> None:
    values = {"host": "a.example", "extraHosts": ["b.example", "{{ .Release.Name }}.example"], "tlsSecretName": "tls"}
    ingress = render(FLINK, {"ingress": {"enabled": True, "path": "/ui", **values}}, name="r").by("Ingress")
    hosts = ["a.example", "b.example", "r.example"]
    for one in ingress:
        assert [rule["host"] for rule in one["spec"]["rules"]] == hosts
        assert one["spec"]["tls"] == [{"hosts": hosts, "secretName": "tls"}]
        (http, *others) = [rule["http"] for rule in one["spec"]["rules"]]
        assert others == [http, http]


def test_the_helm_test_checks_what_was_asked_for() -> None:
    def args(values: dict[str, Any]) -> list[str]:
        pod = render(FLINK, values, name="r").one("Pod")
        assert pod["spec"]["restartPolicy"] == "Never"
        return list(containers(pod)["test"]["args"][2:])

    metrics = ["r-flink-jobmanager", "9249"]
    assert args({"taskmanager": {"replicas": 3}}) == ["check", "r-flink-rest", "8081", "3", "session", *metrics]
    silent = {"flink": JOB, "rest": {"port": 18081}, "metrics": {"enabled": False}}
    assert args(silent) == ["check", "r-flink-rest", "18081", "1", "job"]


def test_large_numbers_are_written_in_digits() -> None:
    demo = render(DEMO, {"producer": {"rate": 1000000, "count": 2000000}, "topic": {"partitions": 1000000}})
    arguments = [
        word
        for job in demo.by("Job")
        for container in job["spec"]["template"]["spec"]["containers"]
        for word in container.get("args", [])
    ]
    assert {"--rate=1000000", "--count=2000000", "--partitions=1000000"} <= set(arguments)


def test_memory_may_be_given_in_bytes() -> None:
    config = flink_config(render(FLINK, {"taskmanager": {"resources": {"limits": {"memory": 2147483648}}}}))
    assert config["taskmanager.memory.process.size"] == "2048m"


def test_the_client_that_submits_to_a_session_gets_volumes_of_ones_own() -> None:
    session = {
        "jobs": [{"name": "a", "jar": {"file": "/a.jar"}}],
        "extraVolumes": [{"name": "kafka-client", "secret": {"secretName": "{{ .Release.Name }}-kafka"}}],
        "extraVolumeMounts": [{"name": "kafka-client", "mountPath": "/etc/kafka-client"}],
    }
    job = render(FLINK, {"session": session}, name="r").one("Job", "r-flink-after")
    assert {"name": "kafka-client", "secret": {"secretName": "r-kafka"}} in pod_template(job)["spec"]["volumes"]
    mounts = {name: [m["name"] for m in container["volumeMounts"]] for name, container in containers(job).items()}
    assert [name for name, volumes in mounts.items() if "kafka-client" in volumes] == ["submitter"]


def own_pods(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """{component: pod template} of the demo's own workloads."""
    workloads = [*(object for kind in ("Job", "StatefulSet", "Deployment") for object in render(DEMO, values, name="r").by(kind))]
    return {
        object["metadata"]["labels"]["app.kubernetes.io/component"]: pod_template(object)
        for object in workloads
        if object["metadata"]["labels"]["app.kubernetes.io/name"] == "flink-kafka-demo"
    }


def test_a_cluster_may_assign_the_users_of_the_demos_pods() -> None:
    nobody: dict[str, Any] = {"runAsUser": None, "runAsGroup": None, "fsGroup": None}
    pods = own_pods({"kafkaUi": {"enabled": True}, "podSecurityContext": nobody})
    assert pods.keys() == {"kafka", "kafka-ui", "topic", "producer"}
    for pod in pods.values():
        assert pod["spec"]["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


@pytest.mark.parametrize(
    "values",
    [
        {"podSecurityContext": {"runAsUser": 1234}},
        {"global": {"kafka": {"topic": "other"}}},
        {"global": {"kafka": {"propertiesSecret": "s"}}},
        {"global": {"tools": {"image": "other:1"}}},
        {"kafka": {"enabled": False}, "global": {"kafka": {"bootstrapServers": "k:9092"}}},
        {"producer": {"rate": 7}, "topic": {"partitions": 7}},
    ],
)
def test_a_job_of_the_demo_whose_pods_change_has_another_name(values: dict[str, Any]) -> None:
    """Kubernetes refuses another pod template for a Job that is there."""

    def jobs(given: dict[str, Any]) -> dict[str, str]:
        every_job = render(DEMO, given, name="r").by("Job")
        own = (job for job in every_job if job["metadata"]["labels"]["app.kubernetes.io/name"] == "flink-kafka-demo")
        return {job["metadata"]["name"]: str(job["spec"]) for job in own}

    before, after = jobs({}), jobs(values)
    assert len(before) == len(after) == 2
    assert not before.keys() & after.keys()
