"""What holds for a release as a whole: registries, rights, objects of the user's own, empty values, parent charts."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci.charts.defaults import leaves
from ci.core.paths import DEMO, FLINK
from harness.helm import Helm, merged
from harness.manifests import containers, flink_config, pod_template, render
from tests.unit.charts.releases import JOB, SESSION, nested, pods
from tests.unit.scenarios import S3

Tree = dict[str, Any]
HA: Tree = {"highAvailability": {"type": "kubernetes"}}
# Each of these has an init container of the chart's.
FETCHED: Tree = {
    "flink": {
        "type": "job",
        "plugins": ["flink-azure-fs-hadoop"],
        "configFrom": [{"name": "a.password", "secretKeyRef": {"name": "s", "key": "k"}}],
    },
    "job": {"jar": {"file": "https://example.com/a.jar", "sha256": "0" * 64}},
}


def images(values: Tree, chart: Path = FLINK) -> set[str]:
    return {
        box["image"]
        for pod in pods(render(chart, values, name="r")).values()
        for box in (*pod["spec"]["containers"], *pod["spec"].get("initContainers", []))
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, {"flink:2.2.1-java17", "python:3.11-slim-bookworm"}),
        ({"global": {"imageRegistry": "a.example:5000/b"}}, {
            "a.example:5000/b/flink:2.2.1-java17", "a.example:5000/b/python:3.11-slim-bookworm",
        }),
        ({"global": {"imageRegistry": "a"}, "image": {"registry": "c.example/"}}, {
            "c.example/flink:2.2.1-java17", "c.example/python:3.11-slim-bookworm",
        }),
        ({
            "global": {"imageRegistry": "a.example"},
            "image": {"repository": "b.example/flink"},
            "hooks": {"image": "d:5000/p:1"},
        }, {
            "b.example/flink:2.2.1-java17", "d:5000/p:1",
        }),
        ({"image": {"registry": "a.example", "digest": "sha256:" + "1" * 64}, "hooks": {"image": "me/p:1"}}, {
            "a.example/flink@sha256:" + "1" * 64, "me/p:1",
        }),
        ({"image": {"tag": 20261125}}, {"flink:20261125", "python:3.11-slim-bookworm"}),
    ],
    ids=["unset", "global", "its own", "another repository", "digest", "tag of digits"],
)  # fmt: skip
def test_images_come_from_the_registry_that_is_named(values: Tree, expected: set[str]) -> None:
    assert images(values) == expected
    assert images(merged({"state": {"root": "s3://b/p", "s3": S3}}, values)) == expected
    assert images(merged(FETCHED, values)) == expected


def test_one_value_moves_all_images_of_the_demo() -> None:
    values = {"global": {"imageRegistry": "a.example"}, "kafkaUi": {"enabled": True}}
    assert all(image.startswith("a.example/") for image in images(values, DEMO))


@pytest.mark.parametrize("base", [SESSION, merged(JOB, HA), {"flink": {"mode": "native"}}], ids=["session", "job", "native"])
def test_without_rights_of_the_chart_the_rest_is_the_same(base: Tree) -> None:
    def others(values: Tree) -> list[Any]:
        objects = [obj for obj in render(FLINK, values, name="r") if obj["kind"] not in ("Role", "RoleBinding")]
        return [obj for obj in objects if "wanted.json" not in obj.get("data", {})]

    without = merged(base, {"rbac": {"create": False}})
    assert not [obj for obj in render(FLINK, without, name="r") if "Role" in obj["kind"]]
    assert others(base) == others(without)


def test_accounts_that_are_there_get_the_rights() -> None:
    values = merged(JOB, HA, {"job": {"savepointOnUninstall": True}, "storage": {"keep": True}})
    values = merged(values, {"hooks": {"serviceAccountName": "h"}, "jobmanager": {"serviceAccountName": "j"}})
    manifests = render(FLINK, values, name="r")
    bound = {one["metadata"]["name"]: [who["name"] for who in one["subjects"]] for one in manifests.by("RoleBinding")}
    assert bound == {
        "r-flink": ["j", "r-flink"],
        "r-flink-hooks": ["h"],
        "r-flink-hooks-uninstall": ["h"],
        "r-flink-savepoint": ["h"],
    }
    assert [one["metadata"]["name"] for one in manifests.by("ServiceAccount")] == ["r-flink"]
    accounts = {name: pod["spec"]["serviceAccountName"] for name, pod in pods(manifests).items()}
    assert {account for name, account in accounts.items() if re.search("before|after|savepoint", name)} == {"h"}


def test_one_account_is_named_once() -> None:
    (bound,) = render(FLINK, HA, name="r").by("RoleBinding", "r-flink")
    assert [who["name"] for who in bound["subjects"]] == ["r-flink"]


def test_init_containers_of_the_chart_take_their_resources_and_the_context_of_their_pod() -> None:
    resources = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}
    values = merged(FETCHED, {"initResources": resources, "jobmanager": {"securityContext": {"runAsUser": 1234}}})
    pod_containers = containers(render(FLINK, values, name="r").one("Deployment", "r-flink-jobmanager"))
    for name in ("configure", "plugins", "download"):
        assert pod_containers[name]["resources"] == resources, name
        assert pod_containers[name]["securityContext"]["runAsUser"] == 1234, name
        assert pod_containers[name]["securityContext"]["readOnlyRootFilesystem"] is True, name


def test_a_file_is_fetched_with_the_variables_of_its_pod() -> None:
    """Behind a proxy, say."""
    more = {
        "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://{{ .Release.Name }}"}],
        "extraEnvFrom": [{"secretRef": {"name": "a"}}],
    }
    pod_containers = containers(
        render(FLINK, merged(FETCHED, {"jobmanager": more}), name="r").one("Deployment", "r-flink-jobmanager")
    )
    assert pod_containers["download"]["env"] == [{"name": "HTTPS_PROXY", "value": "http://r"}]
    assert pod_containers["download"]["envFrom"] == [{"secretRef": {"name": "a"}}]


@pytest.mark.parametrize(
    ("values", "mounted"),
    [
        ({}, set()),
        (HA, {"jobmanager", "taskmanager"}),
        (
            {"serviceAccount": {"automountToken": True}},
            {"jobmanager", "taskmanager", "sql-gateway", "history-server"},
        ),
        ({**HA, "serviceAccount": {"automountToken": False}}, set()),
    ],
    ids=["unset", "high availability", "on", "off"],
)
def test_who_has_a_token_besides_the_hooks(values: Tree, mounted: set[str]) -> None:
    base = {key: SESSION[key] for key in ("sqlGateway", "historyServer", "session")}
    assert {
        pod["metadata"]["labels"]["app.kubernetes.io/component"]
        for pod in pods(render(FLINK, merged(base, values), name="r")).values()
        if pod["spec"]["automountServiceAccountToken"]
    } - {"hooks"} == mounted


def test_extra_objects_are_rendered_and_not_carried_along() -> None:
    mine = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "{{ .Release.Name }}-mine"}, "stringData": {"a": "b"}}
    text = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ include "flink.fullname" . }}-text\n'
    manifests = render(FLINK, {"extraObjects": [mine, text]}, name="r")
    assert manifests.one("Secret", "r-mine")["stringData"] == {"a": "b"}
    assert manifests.one("ConfigMap", "r-flink-text")
    assert "r-mine" not in manifests.one("ConfigMap", "r-flink-hooks")["data"]["wanted.json"]


def empty() -> Tree:
    """Every value written without one, save for the one of which that says something."""
    values = yaml.safe_load((FLINK / "values.yaml").read_text())
    schema = json.loads((FLINK / "values.schema.json").read_text())
    return merged(*(nested(tuple(path.split(".")), None) for path, _ in leaves(values, schema)))


@pytest.mark.parametrize("version", [3, 4])
def test_an_empty_value_is_its_default(version: int, helm3: Helm) -> None:
    helm = helm3 if version == 3 else Helm()
    assert render(FLINK, empty(), helm=helm).all == render(FLINK, helm=helm).all
    groups = {key: None for key in yaml.safe_load((FLINK / "values.yaml").read_text()) if key != "taskmanager"}
    assert render(FLINK, groups, helm=helm).all == render(FLINK, helm=helm).all


def test_every_template_reads_values_that_have_their_defaults() -> None:
    files = [file for file in (FLINK / "templates").rglob("*") if file.suffix in (".yaml", ".txt")]
    assert len(files) > 15
    assert [file for file in files if not file.read_text().startswith('{{- include "flink.begin" . -}}\n')] == []


def test_what_something_else_scales_has_no_number() -> None:
    values: Tree = {"taskmanager": {"replicas": None}}
    manifests = render(FLINK, merged(values, {"flink": {"type": "job"}, "job": {"parallelism": 99}}), name="r")
    assert "replicas" not in manifests.one("Deployment", "r-flink-taskmanager")["spec"]
    assert containers(manifests.one("Pod"))["test"]["args"][5:7] == ["any", "job"]
    suspended = render(FLINK, merged(values, {"flink": {"type": "job"}, "job": {"state": "suspended"}}), name="r")
    assert suspended.one("Deployment", "r-flink-taskmanager")["spec"]["replicas"] == 0
    bounded = render(FLINK, merged(values, {"flink": {"type": "job"}, "job": {"bounded": True}}), name="r")
    assert {job["spec"]["completions"] for job in bounded.by("Job")} == {1}


@pytest.mark.parametrize(("name", "written"), [("", None), ("-", ""), ("fast", "fast"), ("42", "42")])
def test_the_class_of_the_claims(name: str, written: str | None) -> None:
    values = {"storage": {"storageClassName": name}, "highAvailability": {"type": "zookeeper"}}
    for claim in render(FLINK, values).by("PersistentVolumeClaim"):
        assert claim["spec"].get("storageClassName") == written


def test_large_whole_numbers_are_written_in_digits() -> None:
    values = {"podSecurityContext": {"runAsUser": 1000660000}, "flink": {"config": {"a.b": 9007199254740991}}}
    manifests = render(FLINK, values, name="r")
    text = Helm().template(FLINK, values)
    assert "runAsUser: 1000660000" in text
    assert flink_config(manifests)["a.b"] == "9007199254740991"


def test_whole_numbers_and_booleans_are_texts_where_kubernetes_wants_those() -> None:
    given = {
        "podAnnotations": {"port": 9249, "scrape": True},
        "extraEnv": [{"name": "A", "value": 7}],
        "nodeSelector": {"a": True},
    }
    manifests = render(FLINK, {"jobmanager": given, "commonLabels": {"cost": 42}}, name="r")
    (hooks,) = manifests.by("ConfigMap", "r-flink-hooks")
    assert json.loads(hooks["data"]["wanted.json"])["common_labels"] == {"cost": "42"}
    pod = pod_template(manifests.one("Deployment", "r-flink-jobmanager"))
    assert {"port": "9249", "scrape": "true"}.items() <= pod["metadata"]["annotations"].items()
    assert {"name": "A", "value": "7"} in pod["spec"]["containers"][0]["env"]
    assert pod["spec"]["nodeSelector"] == {"a": "true"}


@pytest.mark.parametrize("version", [3, 4])
def test_a_parent_chart_can_switch_it_off_and_keep_anchors(version: int, helm3: Helm, tmp_path: Path) -> None:
    chart = tmp_path / "parent"
    (chart / "charts").mkdir(parents=True)
    (chart / "charts" / "flink").symlink_to(FLINK)
    dependency = {"name": "flink", "version": ">0", "condition": "flink.enabled"}
    head = {"apiVersion": "v2", "name": "parent", "version": "1.0.0", "dependencies": [dependency]}
    (chart / "Chart.yaml").write_text(yaml.safe_dump(head))
    helm = helm3 if version == 3 else Helm()
    flink: Tree = {"enabled": True, "x-small": {"cpu": 1}, "jobmanager": {"podAnnotations": None, "strategy": None}}
    assert render(chart, {"flink": flink}, helm=helm).by("Deployment")
    assert not list(render(chart, {"flink": {**flink, "enabled": False}}, helm=helm))


@pytest.mark.parametrize("version", [3, 4])
def test_values_kept_from_an_older_chart_get_what_is_new(version: int, helm3: Helm, tmp_path: Path) -> None:
    """`--reuse-values` has the older chart's defaults instead of this one's."""
    chart = tmp_path / "flink"
    shutil.copytree(FLINK, chart)
    (chart / "values.yaml").write_text("taskmanager: {replicas: 1}\nx-begun: 0\n")
    helm = helm3 if version == 3 else Helm()
    assert render(chart, helm=helm).all == render(FLINK, helm=helm).all
