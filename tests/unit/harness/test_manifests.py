"""The checks that every rendered object goes through: each finds what it is there for."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from harness.manifests import Manifests, containers, env, flink_config, parse
from harness.validation import InvalidManifest


def deployment(**changes: Any) -> dict[str, Any]:
    """A valid Deployment; `changes` are merged into its container."""
    container = {"name": "flink", "image": "flink:1", "ports": [{"name": "rest", "containerPort": 8081}], **changes}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}},
        },
    }


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def manifests(*objects: Any) -> Manifests:
    return parse(yaml.safe_dump_all(objects))


def test_a_valid_object_passes_as_it_is() -> None:
    resources = {"limits": {"cpu": 1, "memory": "1Gi"}, "requests": {"cpu": 0.5}}
    obj = deployment(resources=resources, readinessProbe={"httpGet": {"path": "/", "port": "rest"}})
    assert manifests(obj).all == (obj,)


def test_of_a_known_custom_resource_any_field_passes() -> None:
    obj = {"apiVersion": "cert-manager.io/v1", "kind": "Issuer", "metadata": {"name": "i"}, "spec": {"selfSigned": {}}}
    assert manifests(obj).all == (obj,)


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        (deployment(imagePullPolcy="Always"), "imagePullPolcy"),
        (deployment(image_pull_policy="Always"), "unknown keys.*image_pull_policy"),
        (deployment(ports=[{"containerPort": "8081"}]), "containerPort"),
        (deployment(env=[{"name": "A", "value": True}]), "env.0.value"),
        (deployment(name=None), "containers.0.name"),
        ({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {}}, "selector"),
        ({"apiVersion": "apps/v1", "kind": "Job", "metadata": {"name": "j"}}, "no kind Job in apps/v1"),
        ({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t"}}, "no kind Thing"),
        ({"apiVersion": "cert-manager.io/v1", "kind": "Thing", "metadata": {"name": "t"}}, "no kind Thing"),
        ({"apiVersion": "cert-manager.io/v1", "kind": "Issuer", "metadata": {}}, "without a name"),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}, "without a name"),
        ({"apiVersion": "v1", "metadata": {"name": "x"}}, "no Kubernetes object"),
        (["text"], "no Kubernetes object"),
    ],
)
def test_what_kubernetes_would_not_take_is_refused(obj: Any, message: str) -> None:
    with pytest.raises(InvalidManifest, match=message):
        manifests(obj)


def test_a_name_twice_is_refused_and_the_same_name_of_another_kind_is_not() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}
    assert len(manifests(config_map("a"), secret).all) == 2
    with pytest.raises(InvalidManifest, match="ConfigMap/a is rendered twice"):
        manifests(config_map("a"), config_map("a"))


def test_a_key_twice_in_one_mapping_is_refused() -> None:
    with pytest.raises(InvalidManifest, match="key 'team' stands twice"):
        parse("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {team: x, team: y}}\n")


def test_objects_are_found_by_kind_and_name() -> None:
    there = manifests(config_map("a"), config_map("b"), deployment())
    assert [obj["metadata"]["name"] for obj in there.by("ConfigMap")] == ["a", "b"]
    assert there.one("ConfigMap", "b") == config_map("b")
    assert there.census() == {("ConfigMap", "a"), ("ConfigMap", "b"), ("Deployment", "d")}
    with pytest.raises(LookupError, match=r"2 objects are ConfigMap.*ConfigMap/a, ConfigMap/b, Deployment/d"):
        there.one("ConfigMap")
    with pytest.raises(LookupError, match="0 objects are Service r"):
        there.one("Service", "r")


def test_containers_and_environment_by_name() -> None:
    source = {"fieldRef": {"fieldPath": "status.podIP"}}
    obj = deployment(env=[{"name": "A", "value": "1"}, {"name": "IP", "valueFrom": source}])
    obj["spec"]["template"]["spec"]["initContainers"] = [{"name": "before", "image": "i:1"}]
    assert list(containers(obj)) == ["before", "flink"]
    assert env(containers(obj)["flink"]) == {"A": "1", "IP": source}
    assert env(containers(obj)["before"]) == {}


def test_flink_options_are_read_from_the_only_config_file() -> None:
    one = config_map("one", **{"config.yaml": "rest.port: '8081'\n"})
    assert flink_config(manifests(one, config_map("other"))) == {"rest.port": "8081"}
    two = config_map("two", **{"config.yaml": "a: b\n"})
    assert flink_config(manifests(one, two), "two") == {"a": "b"}
    with pytest.raises(LookupError, match="2 ConfigMaps hold a config.yaml"):
        flink_config(manifests(one, two))
    with pytest.raises(InvalidManifest, match="'a' stands twice"):
        flink_config(manifests(config_map("bad", **{"config.yaml": "a: b\na: c\n"})))
