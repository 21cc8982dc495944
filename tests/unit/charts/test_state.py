"""Where the state lies: folders, plugins, credentials, and the refusals of what no pod could reach."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ci.core.paths import DEMO, FLINK
from harness.helm import HelmError, merged
from harness.manifests import containers, env, flink_config, pod_template, render
from tests.unit.scenarios import KERBEROS, S3

PLUGINS = FLINK / "files" / "plugins.sh"
HA = {"highAvailability": {"type": "kubernetes"}}
BOTH_ROLES = pytest.mark.parametrize("role", ["jobmanager", "taskmanager"])


def folders(checkpoints: str, savepoints: str) -> dict[str, Any]:
    return {"state": {"folders": {"checkpoints": checkpoints, "savepoints": savepoints}}}


def options(values: dict[str, Any]) -> dict[str, Any]:
    return flink_config(render(FLINK, values, name="r", namespace="streams"))


@pytest.mark.parametrize(
    ("state", "checkpoints", "savepoints", "ha"),
    [
        ({}, *(f"file:///flink-data/r-flink/{part}" for part in ("checkpoints", "savepoints", "ha"))),
        ({"root": "s3://b/p/"}, *(f"s3://b/p/streams/r-flink/{part}" for part in ("checkpoints", "savepoints", "ha"))),
        (
            {"root": "hdfs://n:8020/p"},
            *(f"hdfs://n:8020/p/streams/r-flink/{part}" for part in ("checkpoints", "savepoints", "ha")),
        ),
        (
            {"root": "gs://b", "folders": {"savepoints": "s3://other/s"}},
            "gs://b/streams/r-flink/checkpoints",
            "s3://other/s",
            "gs://b/streams/r-flink/ha",
        ),
        (
            {"folders": {"checkpoints": "s3p://b/c", "highAvailability": "file:///flink-data/jm"}},
            "s3p://b/c",
            "file:///flink-data/r-flink/savepoints",
            "file:///flink-data/jm",
        ),
    ],
)
def test_folders_follow_from_the_root_or_stand_alone(state: dict[str, Any], checkpoints: str, savepoints: str, ha: str) -> None:
    rendered_options = options({"state": state, **HA})
    assert rendered_options["execution.checkpointing.dir"] == checkpoints
    assert rendered_options["execution.checkpointing.savepoint-dir"] == savepoints
    assert rendered_options["high-availability.storageDir"] == ha
    assert rendered_options["execution.checkpointing.externalized-checkpoint-retention"] == "RETAIN_ON_CANCELLATION"


@pytest.mark.parametrize(
    ("state", "changes"),
    [
        ({"backend": "rocksdb"}, {"state.backend.type": "rocksdb"}),
        ({"checkpointing": {"interval": "10 s"}}, {"execution.checkpointing.interval": "10 s"}),
        ({"checkpointing": {"timeout": "3 min"}}, {"execution.checkpointing.timeout": "3 min"}),
        ({"checkpointing": {"retained": 1}}, {"execution.checkpointing.num-retained": "1"}),
        ({"checkpointing": {"incremental": False}}, {"execution.checkpointing.incremental": "false"}),
        ({"checkpointing": {"unaligned": True}}, {"execution.checkpointing.unaligned.enabled": "true"}),
        (
            {"checkpointing": {"localRecovery": True}},
            {"execution.checkpointing.local-backup.enabled": "true", "execution.state-recovery.from-local": "true"},
        ),
        (
            {"s3": S3},
            {
                "s3.endpoint": "http://versitygw:9000",
                "s3.directory.marker.retention": "keep",
                "s3.path-style-access": "true",
                "s3a.endpoint.region": "eu-central-1",
            },
        ),
    ],
    ids=str,
)
def test_what_a_value_changes_in_the_configuration(state: dict[str, Any], changes: dict[str, str]) -> None:
    assert options({"state": state}) == {**options({}), **changes}


def test_jobs_can_be_left_to_say_how_often() -> None:
    assert "execution.checkpointing.interval" not in options({"state": {"checkpointing": {"interval": ""}}})


@pytest.mark.parametrize(
    ("values", "plugins"),
    [
        ({}, []),
        ({"state": {"root": "hdfs://n/p"}}, []),
        ({"state": {"root": "s3://b/p"}}, ["flink-s3-fs-hadoop"]),
        ({"state": {"root": "s3p://b/p", "s3": S3}}, ["flink-s3-fs-presto"]),
        ({"state": {"root": "gs://b/p", "folders": {"savepoints": "s3a://b/s"}}}, ["flink-gs-fs-hadoop", "flink-s3-fs-hadoop"]),
        # A job that writes to S3, and one that begins there.
        ({"state": {"s3": {"credentialsSecret": "s3"}}}, ["flink-s3-fs-hadoop"]),
        ({"flink": {"type": "job"}, "job": {"fromSavepoint": "s3://b/s"}}, ["flink-s3-fs-hadoop"]),
        ({"flink": {"config": {"execution.checkpointing.dir": "gs://b/c"}}}, ["flink-gs-fs-hadoop"]),
        ({"flink": {"config": {"state.checkpoints.dir": "gs://b/c"}}}, ["flink-gs-fs-hadoop"]),
        *(
            ({"state": {"root": f"{scheme}://c@a.dfs.core.windows.net/p"}}, ["flink-azure-fs-hadoop"])
            for scheme in ("abfs", "abfss", "wasb", "wasbs")
        ),
        ({"state": {"root": "oss://b/p"}}, ["flink-oss-fs-hadoop"]),
        # Checkpoints by one client of S3, files of jobs by the other.
        (
            {"state": {"root": "s3p://b/p", "s3": S3}, "flink": {"plugins": ["flink-s3-fs-hadoop"]}},
            ["flink-s3-fs-hadoop", "flink-s3-fs-presto"],
        ),
        ({"flink": {"plugins": ["flink-metrics-mine", "flink-metrics-mine"]}}, ["flink-metrics-mine"]),
    ],
    ids=str,
)
@BOTH_ROLES
def test_the_plugins_of_the_schemes_are_linked_before_flink_starts(role: str, values: dict[str, Any], plugins: list[str]) -> None:
    workload = render(FLINK, values, name="r").one("Deployment", f"r-flink-{role}")
    pod_containers = containers(workload)
    mounts = {
        mount["mountPath"]: mount.get("subPath") for mount in pod_containers[role]["volumeMounts"] if mount["name"] == "plugins"
    }
    assert mounts == {f"/opt/flink/plugins/{name}": name for name in plugins}
    if plugins:
        assert pod_containers["plugins"]["args"] == plugins
        assert pod_containers["plugins"]["image"] == pod_containers[role]["image"]
    else:
        assert "plugins" not in pod_containers


@BOTH_ROLES
def test_credentials_come_from_the_secret_and_stand_nowhere_else(role: str) -> None:
    manifests = render(FLINK, {"state": {"root": "s3://b/p", "s3": S3}}, name="r")
    given = env(containers(manifests.one("Deployment", f"r-flink-{role}"))[role])
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        assert given[name] == {"secretKeyRef": {"name": "s3", "key": name}}
    assert given["AWS_REGION"] == "eu-central-1"
    others = [obj for obj in manifests if obj["kind"] != "Deployment"]
    # The hooks carry the Deployments along, which name the Secret, and ask the store before anything is stopped.
    theirs = ("r-flink-hooks", "r-flink-before", "r-flink-before-rollback")
    assert not any("AWS" in str(obj) for obj in others if obj["metadata"]["name"] not in theirs)


ON_S3: dict[str, Any] = {"flink": {"type": "job"}, "state": {"root": "s3a://b/p", "s3": S3}}
ASKED = {
    "endpoint": "http://versitygw:9000",
    "region": "eu-central-1",
    "path_style": True,
    "buckets": ["b"],
    "secret": "s3",
    "keys": ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
}
SECRET_KEY = {"name": "s3.secret-key", "secretKeyRef": {"name": "other", "key": "key"}}


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        ({}, ASKED),
        (HA, ASKED),
        ({**HA, "state": {"folders": {"highAvailability": "s3://ha/x"}}}, {**ASKED, "buckets": ["b", "ha"]}),
        ({"state": {"folders": {"highAvailability": "s3://ha/x", "savepoints": "s3p://unused"}}}, ASKED),
        ({"flink": {"type": "session"}}, ASKED),
        ({"flink": {"mode": "native"}}, ASKED),
        ({"flink": {"config": {"s3.connection.maximum": 50}}}, ASKED),
        ({"state": {"s3": {"credentialsSecret": "{{ .Release.Name }}-s3"}}}, {**ASKED, "secret": "r-s3"}),
        ({"state": {"s3": {"credentialsSecret": ""}}}, None),
        ({"state": {"root": "", "folders": {"savepoints": "s3://b/x"}}}, None),
        # What else decides where pods go, and with which keys.
        ({"flink": {"config": {"s3a.endpoint": "http://other"}}, "state": {"s3": {"region": ""}}}, None),
        ({"flink": {"config": {"fs.s3a.endpoint": "http://other"}}}, None),
        ({"flink": {"config": {"s3.bucket.b.endpoint": "http://other"}}}, None),
        ({"flink": {"config": {"s3.aws.credentials.provider": "x"}}}, None),
        ({"flink": {"configFrom": [SECRET_KEY]}}, None),
        ({"jobmanager": {"extraEnv": [{"name": "AWS_SESSION_TOKEN", "value": "x"}]}}, None),
        ({"taskmanager": {"extraEnvFrom": [{"secretRef": {"name": "x"}}]}}, None),
        # The Secret may come with the release, and another one with the same name.
        ({"extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}]}, None),
    ],
)
def test_the_hook_before_asks_the_store_where_that_says_something(values: dict[str, Any], asked: dict[str, Any] | None) -> None:
    manifests = render(FLINK, merged(ON_S3, values), name="r")
    hooks = manifests.one("ConfigMap", "r-flink-hooks")
    assert json.loads(hooks["data"]["wanted.json"])["s3"] == asked
    for job in manifests.by("Job"):
        given = [one for container in containers(job).values() for one in container.get("env", [])]
        keys = [one["valueFrom"]["secretKeyRef"] for one in given if one["name"].startswith("STATE_S3_")]
        if asked and job["metadata"]["name"] in ("r-flink-before", "r-flink-before-rollback"):
            assert keys == [{"name": asked["secret"], "key": key, "optional": True} for key in asked["keys"]]
        else:
            assert keys == []


def test_a_release_of_several_charts_may_bring_its_secret() -> None:
    values = {"flink": {"state": ON_S3["state"], "storage": {"enabled": True}}}
    hooks = render(DEMO, values, name="r").one("ConfigMap", "r-flink-hooks")
    assert json.loads(hooks["data"]["wanted.json"])["s3"] is None


@BOTH_ROLES
def test_hadoop_is_told_where_its_files_are(role: str) -> None:
    state = {"root": "hdfs:///flink", "hdfs": {"configMap": "hadoop", "classpath": "/opt/hadoop/*"}}
    workload = render(FLINK, {"state": state}, name="r").one("Deployment", f"r-flink-{role}")
    container = containers(workload)[role]
    assert env(container)["HADOOP_CLASSPATH"] == "/opt/hadoop/*"
    (mount,) = [mount for mount in container["volumeMounts"] if mount["name"] == "hadoop"]
    assert env(container)["HADOOP_CONF_DIR"] == mount["mountPath"]
    assert {"name": "hadoop", "configMap": {"name": "hadoop"}} in pod_template(workload)["spec"]["volumes"]


@BOTH_ROLES
def test_flink_logs_in_by_the_keytab(role: str) -> None:
    manifests = render(FLINK, {"kerberos": KERBEROS}, name="r")
    workload = manifests.one("Deployment", f"r-flink-{role}")
    mounts = {mount["name"]: mount for mount in containers(workload)[role]["volumeMounts"]}
    volumes = pod_template(workload)["spec"]["volumes"]
    assert {"name": "keytab", "secret": {"secretName": "r-keytab"}} in volumes
    assert {"name": "krb5", "configMap": {"name": "krb5"}} in volumes
    assert (mounts["krb5"]["mountPath"], mounts["krb5"]["subPath"]) == ("/etc/krb5.conf", "krb5.conf")
    login = {name: value for name, value in flink_config(manifests).items() if name.startswith("security.kerberos.login.")}
    assert login == {
        "security.kerberos.login.principal": "flink@EXAMPLE.COM",
        "security.kerberos.login.keytab": f"{mounts['keytab']['mountPath']}/keytab",
    }


@pytest.mark.parametrize(
    ("mode", "values", "hadoop", "kerberos"),
    [
        ("native", {}, None, "false"),
        ("native", {"state": {"hdfs": {"configMap": "hadoop"}}}, "false", "false"),
        ("operator", {}, None, None),
        ("operator", {"kerberos": KERBEROS}, None, "false"),
    ],
)
def test_flink_mounts_no_copies_of_what_a_template_mounts(
    mode: str, values: dict[str, Any], hadoop: str | None, kerberos: str | None
) -> None:
    config = flink_config(render(FLINK, {"flink": {"mode": mode}, **values}))
    assert config.get("kubernetes.decorator.hadoop-conf-mount.enabled") == hadoop
    assert config.get("kubernetes.decorator.kerberos-mount.enabled") == kerberos


def test_the_test_pod_needs_none_of_it() -> None:
    pod = render(FLINK, {"state": {"root": "s3://b/p", "s3": S3}}, name="r").one("Pod")
    assert "initContainers" not in pod["spec"]
    assert "AWS_ACCESS_KEY_ID" not in env(containers(pod)["test"])


def mounted(name: str, path: str) -> dict[str, Any]:
    volume = {"extraVolumes": [{"name": name, "emptyDir": {}}], "extraVolumeMounts": [{"name": name, "mountPath": path}]}
    return {"jobmanager": volume, "taskmanager": volume}


NFS = mounted("nfs", "/shared")


@pytest.mark.parametrize(
    ("values", "wrong", "remedy"),
    [
        ({"state": {"root": "/flink-data"}}, 'state.root is "/flink-data"', "write s3://bucket/path"),
        ({"state": {"root": "s3:///path"}}, 'state.root is "s3:///path"', "write s3://bucket/path"),
        ({"state": {"root": "ftp://host/p"}}, "no directory that the chart can reach", "file:///path on a volume"),
        ({"state": {"folders": {"savepoints": "b/s"}}}, 'state.folders.savepoints is "b/s"', "write s3://bucket/path"),
        ({"state": {"root": "hdfs:///flink"}}, "names no NameNode", "hdfs://host:port/path, or set state.hdfs.configMap"),
        ({"state": {"root": "file:///shared/state"}}, "mounts no volume there", "extraVolumeMounts"),
        ({"state": {"root": "file:///flink-database"}}, "mounts no volume there", "below storage.mountPath"),
        (
            {"state": {"root": "file:///shared"}, "jobmanager": NFS["jobmanager"]},
            "the pod of taskmanager mounts no volume there",
            "taskmanager.extraVolumeMounts",
        ),
        ({"state": {"root": "file:///flink-data"}, "storage": {"enabled": False}}, "mounts no volume there", "mount one"),
        ({"state": {"backend": "forst"}, "flink": {"version": "1.20.5"}}, "which Flink 1.20.5 does not have", "write rocksdb"),
        *(
            ({"flink": {"config": {option: "x"}}}, f"flink.config sets {option}", "state.s3.credentialsSecret")
            for option in (
                "s3.access-key", "s3.secret-key", "s3.access.key", "fs.s3a.secret.key", "presto.s3.secret-key",
                "s3a.session.token", "fs.azure.account.key.me.blob.core.windows.net", "gs.auth.private.key",
            )
        ),
        (
            {"state": {"s3": S3}, "jobmanager": {"extraEnv": [{"name": "AWS_REGION", "value": "x"}]}},
            "jobmanager.extraEnv has AWS_REGION",
            "another name",
        ),
        ({"kerberos": {"principal": "flink"}}, "no keytab is named", "set kerberos.keytabSecret"),
        ({"kerberos": {"keytabSecret": "k"}}, "nobody is named who logs in", "set kerberos.principal"),
        *(
            (
                {
                    "kerberos": {key: "k", **({"keytabSecret": "k"} if key == "principal" else {})},
                    "flink": {"configFrom": [{"name": option, "secretKeyRef": {"name": "s", "key": "k"}}]}
                    if secret
                    else {"config": {option: "mine"}},
                },
                f"{option}, but kerberos.{key} is set",
                "leave one of them out",
            )
            for option in ("security.kerberos.login.principal", "security.kerberos.login.keytab")
            for key in ("principal", "keytabSecret")
            for secret in (True, False)
        ),
        ({"state": {"root": "s3://b"}, **mounted("plugins", "/p")}, "extraVolumes has plugins", "another name"),
        (
            {"state": {"root": "s3://b"}, "taskmanager": {"initContainers": [{"name": "plugins", "image": "a:1"}]}},
            "taskmanager.initContainers has plugins",
            "another name",
        ),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(values: dict[str, Any], wrong: str, remedy: str) -> None:
    with pytest.raises(HelmError) as caught:
        render(FLINK, values)
    assert wrong in caught.value.stderr
    assert remedy in caught.value.stderr


@pytest.mark.parametrize(
    "values",
    [
        {"state": {"root": "file:///shared/state"}, **NFS},
        {"state": {"root": "file:///flink-data"}},
        {"state": {"root": "hdfs:///flink", "hdfs": {"configMap": "hadoop"}}},
        {"state": {"backend": "forst"}},
        {"jobmanager": {"extraEnv": [{"name": "AWS_REGION", "value": "x"}]}},
        {"flink": {"config": {"execution.checkpointing.dir": "abfss://container@account/c"}}},
    ],
    ids=str,
)
def test_what_is_close_to_a_refusal_is_taken(values: dict[str, Any]) -> None:
    render(FLINK, values)


def test_jobs_begin_from_the_newest_file_only_where_the_claim_holds_both_folders() -> None:
    def folder(values: dict[str, Any]) -> str:
        manifests = render(FLINK, {"flink": {"type": "job"}, **values}, name="r")
        return str(env(containers(manifests.one("Deployment", "r-flink-jobmanager"))["jobmanager"])["CLAIM_DIRECTORY"])

    assert folder({}) == "/flink-data/r-flink"
    assert folder({"state": {"root": "s3://b/p"}}) == ""
    assert folder({"state": {"folders": {"savepoints": "s3://b/s"}}}) == ""
    assert folder({"state": {"root": "file:///shared/state"}, **NFS}) == "/shared/state/default/r-flink"


@pytest.mark.parametrize(
    ("values", "folder"),
    [
        ({"storage": {"mountPath": "/flink-data/"}}, "/flink-data/r-flink"),
        ({"storage": {"mountPath": "//a//b//"}}, "/a/b/r-flink"),
        ({"state": {"root": "file:////flink-data//"}}, "/flink-data/default/r-flink"),
        (folders("file:///flink-data/a/checkpoints/", "file:///flink-data/a//savepoints"), "/flink-data/a"),
        ({"flink": {"config": {"state.checkpoints.dir": "file:/flink-data/a/checkpoints/"}}, **folders("", "file:///flink-data/a/savepoints/")},
         "/flink-data/a"),
    ],
    ids=str,
)  # fmt: skip
def test_folders_are_compared_however_slashes_are_repeated(values: dict[str, Any], folder: str) -> None:
    """By the chart, which knows the claim's, by start-job.sh, and by the hooks."""
    manifests = render(FLINK, merged({"flink": {"type": "job"}}, values), name="r")
    main = containers(manifests.one("Deployment", "r-flink-jobmanager"))["jobmanager"]
    assert env(main)["CLAIM_DIRECTORY"] == folder
    (mount,) = [mount["mountPath"] for mount in main["volumeMounts"] if mount["name"] == "data"]
    assert folder.startswith(f"{mount}/")
    session = render(FLINK, merged(values, {"session": {"jobs": [{"name": "a", "jar": {"file": "/a.jar"}}]}}), name="r")
    data = next(obj["data"] for obj in session.by("ConfigMap") if "wanted.json" in obj.get("data", {}))
    assert json.loads(data["wanted.json"])["claim_directory"] == folder


def test_a_savepoint_of_an_uninstall_is_not_left_on_a_claim_that_goes_with_it() -> None:
    values = {"flink": {"type": "job"}, "storage": {"mountPath": "/flink-data/"}, "job": {"savepointOnUninstall": True}}
    for more in ({}, folders("", "file:////flink-data/s/")):
        with pytest.raises(HelmError, match="the savepoint would be on the claim that goes with the release"):
            render(FLINK, merged(values, more))


def link(home: Path, target: Path, *names: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "FLINK_HOME": str(home)}
    return subprocess.run(["bash", PLUGINS, target, *names], env=environment, capture_output=True, text=True)


def test_the_script_links_what_the_image_has(tmp_path: Path) -> None:
    home, target = tmp_path / "flink", tmp_path / "links"
    for file in ("opt/one-2.2.1.jar", "opt/one-more-2.2.1.jar", "plugins/other/two-1.20.0.jar"):
        (home / file).parent.mkdir(parents=True, exist_ok=True)
        (home / file).write_text(file)
    for _ in range(2):  # a container that is started again finds its links
        assert link(home, target, "one", "two").returncode == 0
    assert (target / "one" / "one-2.2.1.jar").read_text() == "opt/one-2.2.1.jar"
    assert (target / "two" / "two-1.20.0.jar").read_text() == "plugins/other/two-1.20.0.jar"
    missing = link(home, target, "three")
    assert missing.returncode == 1
    assert "no three-<version>.jar" in missing.stderr
