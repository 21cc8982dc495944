"""Flink's options: their old names, those that no Flink has, and those that come from Secrets."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci.charts import flink_options
from ci.core.paths import FLINK
from harness.helm import Helm, merged
from harness.manifests import Manifests, containers, flink_config, pod_template, render
from harness.validation import strict_yaml
from tests.unit.charts.releases import refused
from tests.unit.scenarios import JOBS

CONFIGURE = FLINK / "files" / "configure.sh"
OPTIONS = FLINK / "files" / "options"


def given(**options: Any) -> dict[str, Any]:
    """flink.config with one option; "__" stands for a dot and "_" for a hyphen."""
    return {"flink": {"config": {key.replace("__", ".").replace("_", "-"): value for key, value in options.items()}}}


def secret(name: str, key: str = "k", of: str = "mine") -> dict[str, Any]:
    return {"name": name, "secretKeyRef": {"name": of, "key": key}}


def from_secrets(*names: str) -> dict[str, Any]:
    return {"flink": {"configFrom": [secret(name) for name in names]}}


def options(values: dict[str, Any]) -> dict[str, Any]:
    return flink_config(render(FLINK, values, name="r"))


class TestOldNames:
    """An old name counts as the new one, so that the user's value wins over the chart's."""

    @pytest.mark.parametrize(
        ("old", "value", "new"),
        [
            ("state.backend", "rocksdb", ["state.backend.type"]),
            ("state.checkpoints.dir", "s3://b/c", ["execution.checkpointing.dir"]),
            ("state.backend.fs.checkpointdir", "s3://b/c", ["execution.checkpointing.dir"]),
            ("state.savepoints.dir", "s3://b/s", ["execution.checkpointing.savepoint-dir"]),
            ("state.checkpoints.num-retained", 7, ["execution.checkpointing.num-retained"]),
            ("state.backend.incremental", False, ["execution.checkpointing.incremental"]),
            ("execution.checkpointing.unaligned", True, ["execution.checkpointing.unaligned.enabled"]),
            (
                "state.backend.local-recovery",
                True,
                ["execution.checkpointing.local-backup.enabled", "execution.state-recovery.from-local"],
            ),
            ("restart-strategy", "fixed-delay", ["restart-strategy.type"]),
            ("env.java.opts", "-Da=b", ["env.java.opts.all"]),
        ],
    )
    @pytest.mark.parametrize("version", ["1.20.5", "2.2.1"])
    def test_they_are_written_by_the_new_one(self, version: str, old: str, value: Any, new: list[str]) -> None:
        rendered_options = options({"flink": {"version": version, "config": {old: value}}})
        text = str(value).lower() if isinstance(value, bool) else str(value)
        assert {name: rendered_options[name] for name in new} == dict.fromkeys(new, text)
        assert old not in rendered_options

    def test_a_name_that_is_old_in_one_version_alone(self) -> None:
        ends = ("resource-wait-timeout", "submission.resource-wait-timeout")
        old, new = (f"jobmanager.adaptive-scheduler.{end}" for end in ends)
        assert options({"flink": {"version": "1.20.5", "config": {old: "1 s"}}})[old] == "1 s"
        assert options({"flink": {"version": "2.2.1", "config": {old: "1 s"}}})[new] == "1 s"

    def test_old_names_that_flinks_yaml_could_not_hold_together(self) -> None:
        rendered_options = options({"flink": {"config": {"state.backend": "rocksdb", "state.backend.incremental": "false"}}})
        assert rendered_options["state.backend.type"] == "rocksdb"
        assert rendered_options["execution.checkpointing.incremental"] == "false"

    def test_the_chart_derives_the_same_from_them(self) -> None:
        old = {"state.checkpoints.dir": "gs://b/c", "state.savepoints.dir": "gs://b/s", "state.backend": "forst"}
        new = {
            "execution.checkpointing.dir": "gs://b/c",
            "execution.checkpointing.savepoint-dir": "gs://b/s",
            "state.backend.type": "forst",
        }
        for kind in ("session", "job"):
            one, other = (render(FLINK, {"flink": {"type": kind, "config": config}}, name="r") for config in (old, new))
            assert one.all == other.all
        claim = {"flink": {"type": "job", "config": {"execution.savepoint-restore-mode": "NO_CLAIM"}}}
        assert "CLAIM_OWN_CHECKPOINTS, value: 'false'" in yaml.safe_dump(
            render(FLINK, claim, name="r").one("Deployment", "r-flink-jobmanager"), width=1000
        ).replace("\n          value", ", value")

    @pytest.mark.parametrize(
        ("option", "remedy"),
        [
            ("jobmanager.web.port", "set rest.port"),
            ("web.port", "set rest.port"),
            ("taskmanager.tmp.dirs", "/tmp is a volume"),
            ("recovery.zookeeper.quorum", "set highAvailability.zookeeper.quorum"),
            ("slotmanager.taskmanager-timeout", "set native.idleTimeout"),
        ],
    )
    def test_they_are_refused_as_the_new_ones(self, option: str, remedy: str) -> None:
        sentence = refused({"flink": {"config": {option: "1"}}})
        assert f"flink.config sets {option}, an old name of " in sentence
        assert "which would break the chart: " in sentence
        assert remedy in sentence

    def test_both_names_are_refused(self) -> None:
        sentence = refused({"flink": {"config": {"state.backend": "rocksdb", "state.backend.type": "hashmap"}}})
        assert "flink.config sets state.backend and state.backend.type, two names of one option" in sentence
        assert "Use the newer name" in sentence

    def test_a_value_and_a_key_below_it_are_refused_with_the_charts_own_too(self) -> None:
        values = merged(given(s3__endpoint__region="eu"), {"state": {"s3": {"endpoint": "http://minio:9000"}}})
        assert "s3.endpoint and s3.endpoint.region" in refused(values)


@pytest.mark.parametrize("option", ["high-availability.type", "high-availability", "recovery.mode"])
@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        ("kubernetes", "set highAvailability.type=kubernetes"),
        ("org.apache.flink.kubernetes.highavailability.KubernetesHaServicesFactory", "set highAvailability.type=kubernetes"),
        ("ZOOKEEPER", "set highAvailability.type=zookeeper"),
    ],
)
def test_high_availability_is_a_value_of_the_chart(option: str, value: str, remedy: str) -> None:
    sentence = refused({"flink": {"config": {option: value}}})
    assert f"flink.config sets {option}" in sentence
    assert remedy in sentence


def warnings(config: dict[str, Any], **more: Any) -> list[str]:
    text = Helm().notes(FLINK, {"flink": {"config": config, **more}})
    return [line for line in text.splitlines() if line.startswith("WARNING: flink.config")]


class TestUnknownOptions:
    @pytest.mark.parametrize(
        ("option", "nearest"),
        [
            ("taskmanager.memory.manged.fraction", "taskmanager.memory.managed.fraction"),
            ("taskmanger.memory.managed.fraction", "taskmanager.memory.managed.fraction"),
            ("execution.checkpointing.intervall", "execution.checkpointing.interval"),
            ("state.backend.rocksdb.memory.manage", "state.backend.rocksdb.memory.managed"),
        ],
    )
    def test_the_notes_name_them_and_the_nearest_one(self, option: str, nearest: str) -> None:
        (warning,) = warnings({option: "1"})
        assert f"flink.config sets {option}, which is no option of Flink 2.2:" in warning
        assert f"did you mean {nearest}?" in warning

    @pytest.mark.parametrize("option", ["kubernetes.operator.savepoint.history.max.age", "job.autoscaler.enabled"])
    def test_those_of_the_operator_are_called_so(self, option: str) -> None:
        (warning,) = warnings({option: "1"})
        assert f"flink.config sets {option}, which the Flink Kubernetes Operator reads" in warning

    def test_without_one_that_is_near_nothing_is_guessed(self) -> None:
        (warning,) = warnings({"taskmanager.some.thing-that-nobody-ever-wrote": "1"})
        assert "did you mean" not in warning

    def test_each_version_has_its_own(self) -> None:
        option = "state.backend.forst.cache.size-based-limit"
        assert warnings({option: "1 gb"}) == []
        assert len(warnings({option: "1 gb"}, version="1.20.5")) == 1

    @pytest.mark.parametrize(
        "option",
        [
            "metrics.reporter.mine.factory.class",
            "security.ssl.internal.enabled",
            "fs.s3a.connection.maximum",
            "fs.oss.endpoint",
            "s3.connection.maximum",
            "env.java.opts.all",
            "containerized.master.env.A",
            "kubernetes.mine.team",
            "pekko.ask.timeout",
            "external-resource.gpu.amount",
            "pipeline.global-job-parameters.rate",
            "restart-strategy.fixed-delay.attempts",
            "table.exec.state.ttl",
            "table.optimizer.reuse-sub-plan-enabled",
            "python.fn-execution.bundle.size",
            "state.backend",
            "myjob.rate",
            "a.b",
            "sql-gateway.endpoint.mine.path",
        ],
    )
    def test_free_names_and_those_of_jobs_are_left_alone(self, option: str) -> None:
        assert warnings({option: "1"}) == []

    def test_the_options_of_the_chart_are_known(self) -> None:
        known = {line.split()[0] for line in (OPTIONS / "known.txt").read_text().splitlines()}
        zookeeper = {"highAvailability": {"type": "zookeeper"}}
        for values in ({}, JOBS, {"flink": {"mode": "native"}}, zookeeper, {"flink": {"type": "job"}}):
            assert {name for name in options(values) if not name.startswith(("s3", "metrics.reporter."))} <= known


class TestTheTable:
    def test_it_is_that_of_the_supported_versions(self) -> None:
        flink_options.check()

    def test_it_stays_small(self) -> None:
        """A release is a Secret of at most 1 MiB, which holds the chart."""
        assert sum(file.stat().st_size for file in OPTIONS.iterdir()) < 60_000

    def test_how_old_names_are_found(self) -> None:
        releases = {
            "1": {"a.new": ["a.old", "a.older"], "b.one": ["b"], "b.two": ["b"], "c.mid": ["c.old"], "d": ["d"], "e.map": ["*"]},
            "2": {"a.new": [], "b.one": ["b"], "b.two": ["b"], "c.new": ["c.mid"], "d": ["d"], "e.map": ["*"]},
        }
        assert flink_options.old_names(releases) == {
            "all": {"a.old": "a.new", "a.older": "a.new", "b": "b.one b.two"},
            "1": {"c.old": "c.mid"},
            "2": {"c.mid": "c.new"},
        }
        assert flink_options.known(releases).splitlines() == ["a.new", "b.one", "b.two", "c.mid 1", "c.new 2", "d", "e.map *"]


SENSITIVE = [
    "metrics.reporter.dghttp.apikey",
    "metrics.reporter.influxdb.password",
    "metrics.reporter.x.api-key",
    "security.ssl.internal.key-password",
    "security.ssl.rest.keystore-password",
    "fs.azure.account.oauth2.client.secret",
    "fs.azure.account.key.me.blob.core.windows.net",
    "fs.oss.accessKeySecret",
    "s3.secret-key",
    "s3.access-key",
    "my.service-key",
    "my.Auth-Params",
    "my.jaas.config",
    "user.artifacts.http-headers",
]


@pytest.mark.parametrize("option", SENSITIVE)
def test_a_secret_among_the_options_is_refused(option: str) -> None:
    sentence = refused({"flink": {"config": {option: "x"}}})
    assert f"flink.config sets {option}, which would stand in a ConfigMap for all to read" in sentence
    assert "flink.configFrom" in sentence


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("security.delegation.tokens.enabled", False),
        ("security.delegation.tokens.renewal.retry.backoff", "1 h"),
        ("security.delegation.token.provider.s3.enabled", "false"),
        ("kubernetes.secrets", "a:/b"),
        ("kubernetes.env.secretKeyRef", "env:A,secret:b,key:c"),
        ("my.token.enabled", True),
    ],
)
def test_names_of_secrets_and_switches_are_none(option: str, value: Any) -> None:
    render(FLINK, {"flink": {"config": {option: value}}})


@pytest.mark.parametrize(
    ("values", "wrong", "remedy"),
    [
        (from_secrets("rest.port"), "flink.configFrom sets rest.port, which would break the chart", "set rest.port"),
        (from_secrets("taskmanager.tmp.dirs"), "flink.configFrom sets taskmanager.tmp.dirs, an old name of io.tmp.dirs", "/tmp"),
        (from_secrets("high-availability"), "flink.configFrom sets high-availability", "set highAvailability.type"),
        (from_secrets("a.b", "a.b"), "flink.configFrom names a.b twice", "leave one of them out"),
        (
            merged(from_secrets("a.b"), given(a__b=1)),
            "flink.configFrom names a.b, which flink.config sets as well",
            "leave one of them out",
        ),
        (from_secrets("state.backend.type"), "flink.configFrom names state.backend.type, which the chart", "flink.config"),
        (from_secrets("state.backend"), "flink.configFrom names state.backend.type, which the chart", "flink.config"),
        (from_secrets("a b"), 'flink.configFrom has the name "a b"', "for example"),
        (merged(from_secrets("a.b.c"), given(a__b=1)), "a.b and a.b.c", "cannot hold"),
        ({"flink": {"configFrom": [{"name": "a"}]}}, "secretKeyRef", ""),
    ],
)
def test_what_cannot_come_from_a_secret(values: dict[str, Any], wrong: str, remedy: str) -> None:
    sentence = refused(values)
    assert wrong in sentence
    assert remedy in sentence


PASSWORD = "security.ssl.internal.key-password"
ALL = {"sqlGateway": {"enabled": True}, "historyServer": {"enabled": True}}


def pods(manifests: Manifests) -> dict[str, dict[str, Any]]:
    """Every pod that runs Flink, by component; the one that Flink makes in native mode too."""
    templates = {}
    for obj in manifests:
        if obj["kind"] in ("Deployment", "Job", "Pod") and obj["spec"].get("replicas") != 0:
            pod = pod_template(obj)
            templates[pod["metadata"]["labels"]["app.kubernetes.io/component"]] = pod
        text = obj.get("data", {}).get("taskmanager-pod-template.yaml") if obj["kind"] == "ConfigMap" else None
        if text:
            templates["taskmanager"] = strict_yaml(text)
    return templates


class TestOptionsFromSecrets:
    @pytest.mark.parametrize(
        "values",
        [
            {**ALL, **{key: JOBS[key] for key in ("files", "session")}},
            {"flink": {"type": "job"}},
            {"flink": {"type": "job"}, "job": {"bounded": True}},
            {"flink": {"mode": "native"}, **ALL, **{key: JOBS[key] for key in ("files", "session")}},
            {"flink": {"type": "job", "mode": "native"}},
            {"flink": {"type": "job", "mode": "native"}, "job": {"bounded": True}},
        ],
        ids=["session", "job", "bounded", "native session", "native job", "native bounded"],
    )
    def test_every_pod_that_runs_flink_reads_them(self, values: dict[str, Any]) -> None:
        plain, manifests = (render(FLINK, merged(values, more), name="r") for more in ({}, from_secrets(PASSWORD)))
        seen = pods(manifests)
        assert {"jobmanager", "taskmanager"} <= seen.keys()
        flinks = {name for name, pod in pods(plain).items() if name not in ("test", "hooks", "zookeeper")}
        assert flinks == seen.keys() - {"test", "hooks"}
        for name in flinks:
            spec = seen[name]["spec"]
            volumes = {volume["name"]: volume for volume in spec["volumes"]}
            assert volumes["conf"]["emptyDir"] == {"medium": "Memory"}
            (source,) = volumes["options"]["projected"]["sources"]
            assert source["secret"] == {"name": "mine", "items": [{"key": "k", "path": PASSWORD}]}
            (writer,) = [container for container in spec["initContainers"] if container["name"] == "configure"]
            main = spec["containers"][0]
            assert writer["image"] == main["image"]
            mounts = {mount["mountPath"]: mount["name"] for mount in writer["volumeMounts"]}
            program, script, config_map, secrets, target = writer["command"]
            assert (program, script) == ("bash", "/opt/flink/scripts/configure.sh")
            assert [mounts[path] for path in (config_map, secrets, target)] == ["config", "options", "conf"]
            assert volumes["config"]["configMap"]["name"] in {name for _, name in manifests.census()}
            read = {mount["mountPath"]: mount for mount in main["volumeMounts"]}
            assert read["/opt/flink/conf"] == {"name": "conf", "mountPath": "/opt/flink/conf", "readOnly": True}
            assert "options" not in {mount["name"] for mount in main["volumeMounts"]}
        if "native" in str(values):
            # Flink mounts the ConfigMap too, and not over the folder with the secrets.
            folder = flink_config(manifests)["kubernetes.flink.conf.dir"]
            assert folder not in {mount["mountPath"] for mount in seen["taskmanager"]["spec"]["containers"][0]["volumeMounts"]}

    def test_they_stand_in_no_other_object(self) -> None:
        manifests = render(FLINK, merged(from_secrets(PASSWORD), ALL), name="r")
        assert PASSWORD not in options(from_secrets(PASSWORD))
        for name in ("test",):
            assert "options" not in str(pods(manifests)[name])

    def test_old_names_count_as_the_new_ones(self) -> None:
        manifests = render(FLINK, from_secrets("security.keytab"), name="r")
        volumes = pods(manifests)["jobmanager"]["spec"]["volumes"]
        (volume,) = [volume for volume in volumes if volume["name"] == "options"]
        (source,) = volume["projected"]["sources"]
        assert source["secret"]["items"] == [{"key": "k", "path": "security.kerberos.login.keytab"}]

    def test_another_secret_is_another_pod_and_another_job(self) -> None:
        specifications = []
        for values in ({}, from_secrets(PASSWORD), {"flink": {"configFrom": [secret(PASSWORD, key="other")]}}):
            manifests = render(FLINK, merged({"flink": {"type": "job"}}, values), name="r")
            specifications.append(
                manifests.one("Deployment", "r-flink-jobmanager")["metadata"]["annotations"]["flink/specification"]
            )
        assert len(set(specifications)) == 3

    def test_a_volume_of_that_name_is_the_charts(self) -> None:
        values = merged(from_secrets("a.b"), {"jobmanager": {"extraVolumes": [{"name": "conf", "emptyDir": {}}]}})
        assert "jobmanager.extraVolumes has conf" in refused(values)
        init = merged(from_secrets("a.b"), {"taskmanager": {"initContainers": [{"name": "configure", "image": "a:1"}]}})
        assert "taskmanager.initContainers has configure" in refused(init)


def configure(tmp_path: Path, config: str, secrets: dict[str, bytes]) -> subprocess.CompletedProcess[str]:
    source, options_, target = (tmp_path / name for name in ("config", "options", "conf"))
    for folder in (source / "..data", options_ / "..data", target):
        folder.mkdir(parents=True)
    (source / "..data" / "config.yaml").write_text(config)
    (source / "..data" / "log4j-cli.properties").write_text("a = b\n")
    for name in ("config.yaml", "log4j-cli.properties"):
        (source / name).symlink_to(f"..data/{name}")  # as the kubelet does
    for name, value in secrets.items():
        (options_ / "..data" / name).write_bytes(value)
        (options_ / name).symlink_to(f"..data/{name}")
    return subprocess.run(
        ["bash", CONFIGURE, source, options_, target], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True
    )


class TestTheScript:
    def test_it_adds_the_options_as_they_are(self, tmp_path: Path) -> None:
        secrets = {
            "a.password": b"plain\n",
            "b.password": b"with \"quotes\", 'more', \\ and # : $HOME `id`",
            "c.jaas.config": "two\r\nlines\twith ünïcode\n".encode(),
            "d.secret": b"1234",
        }
        done = configure(tmp_path, 'x.y: "1"\n', secrets)
        assert done.returncode == 0, done.stderr
        target = tmp_path / "conf"
        assert strict_yaml((target / "config.yaml").read_text()) == {
            "x.y": "1",
            "a.password": "plain",
            "b.password": "with \"quotes\", 'more', \\ and # : $HOME `id`",
            "c.jaas.config": "two\r\nlines\twith ünïcode",
            "d.secret": "1234",
        }
        assert (target / "log4j-cli.properties").read_text() == "a = b\n"
        assert (target / "config.yaml").read_text().count("\n") == 5  # one line a key: the start scripts of Flink read it too
        assert "plain" not in done.stdout + done.stderr

    def test_it_says_which_one_is_empty(self, tmp_path: Path) -> None:
        done = configure(tmp_path, 'x.y: "1"\n', {"a.password": b"\n"})
        assert done.returncode == 1
        assert "a.password" in done.stderr

    def test_a_container_that_is_started_again_writes_the_same(self, tmp_path: Path) -> None:
        configure(tmp_path, 'x.y: "1"\n', {"a.password": b"p"})
        target = tmp_path / "conf" / "config.yaml"
        before = target.read_text()
        done = subprocess.run(["bash", CONFIGURE, tmp_path / "config", tmp_path / "options", tmp_path / "conf"], check=False)
        assert done.returncode == 0
        assert target.read_text() == before


def test_the_sensitive_words_are_those_of_flink() -> None:
    sensitive = json.loads((OPTIONS / "names.json").read_text())["sensitive"]
    assert {"password", "secret", "apikey", "api-key", "token", "jaas.config", "http-headers"} <= set(sensitive)


def test_containers_are_the_same_without_them() -> None:
    jobmanager = render(FLINK, name="r").one("Deployment", "r-flink-jobmanager")
    assert list(containers(jobmanager)) == ["jobmanager"]
