"""What holds for every chart with every values file, whatever it is for."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci.core.paths import CHARTS, DEMO
from harness.helm import Helm
from harness.manifests import Manifests, Object, containers, flink_config, pod_template, render
from harness.validation import describe
from tests.unit.scenarios import SCENARIOS, Scenario

# Helm's own limit for the name of a release.
LONGEST_RELEASE = "r" * 53
# A StatefulSet's pods carry its name and a hash of ten characters in a label, a CronJob's Jobs its name and a time.
NAME_LIMITS = {"StatefulSet": 52, "CronJob": 52, "NetworkPolicy": 253}
WORKLOADS = ("Deployment", "StatefulSet", "Job", "CronJob", "Pod")
SELECTOR_KEYS = {"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component"}

every_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=str)


def workloads(manifests: Manifests) -> Iterator[Object]:
    return (obj for obj in manifests if obj["kind"] in WORKLOADS)


def selector(obj: Object) -> dict[str, str]:
    """The labels by which a Service, a workload or a disruption budget selects pods."""
    labels: dict[str, str] = obj["spec"]["selector"]
    return labels.get("matchLabels", labels)  # type: ignore[return-value]


def selected(labels: dict[str, str], manifests: Manifests) -> list[Object]:
    pods = ((obj, pod_template(obj)["metadata"].get("labels", {})) for obj in workloads(manifests))
    return [obj for obj, own in pods if labels.items() <= own.items()]


@every_scenario
def test_names_fit_whatever_the_release_is_called(scenario: Scenario) -> None:
    manifests = scenario.render(LONGEST_RELEASE)
    names = {describe(obj): obj["metadata"]["name"] for obj in manifests}
    limits = {describe(obj): NAME_LIMITS.get(obj["kind"], 63) for obj in manifests}
    assert not {key: len(name) for key, name in names.items() if len(name) > limits[key]}
    assert not {key for key, name in names.items() if not re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name)}


@every_scenario
def test_labels_are_valid_and_the_standard_ones_are_there(scenario: Scenario) -> None:
    for release in ("release-name", LONGEST_RELEASE):
        for obj in scenario.render(release):
            labels = obj["metadata"]["labels"]
            assert labels["app.kubernetes.io/instance"] == release, describe(obj)
            assert labels["app.kubernetes.io/managed-by"] == "Helm", describe(obj)
            assert labels["app.kubernetes.io/name"] in labels["helm.sh/chart"], describe(obj)
            for value in labels.values():
                assert re.fullmatch(r"([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?", value), describe(obj)


@every_scenario
def test_selectors_are_the_three_labels_that_never_change(scenario: Scenario) -> None:
    manifests = scenario.render()
    for obj in manifests:
        if obj["kind"] in ("Service", "Deployment", "StatefulSet", "PodDisruptionBudget"):
            assert selector(obj).keys() == SELECTOR_KEYS, describe(obj)
        if obj["kind"] in ("Deployment", "StatefulSet"):
            assert selected(selector(obj), manifests) == [obj]


@every_scenario
def test_every_service_selects_one_workload_and_finds_its_ports_by_name(scenario: Scenario) -> None:
    manifests = scenario.render()
    for service in manifests.by("Service"):
        targets = selected(selector(service), manifests)
        assert len(targets) == 1, f"{describe(service)} selects {list(map(describe, targets))}"
        names = [port["name"] for container in containers(targets[0]).values() for port in container.get("ports", [])]
        for port in service["spec"]["ports"]:
            assert names.count(port["targetPort"]) == 1, f"{describe(service)}: {port} of {names}"


@every_scenario
def test_nothing_of_the_chart_version_is_in_a_pod(scenario: Scenario) -> None:
    for obj in workloads(scenario.render()):
        labels = pod_template(obj)["metadata"].get("labels", {})
        if obj["kind"] != "Pod":
            assert not labels.keys() & {"helm.sh/chart", "app.kubernetes.io/version"}, describe(obj)


def without_version(obj: Object) -> Object:
    """An object without the label; the hooks carry objects along, which have it too."""
    label = obj["metadata"]["labels"].pop("helm.sh/chart")
    if carried := obj.get("data", {}).get("wanted.json"):
        obj["data"]["wanted.json"] = carried.replace(label, "")
    return obj


@every_scenario
def test_a_new_chart_version_alone_changes_only_its_label(scenario: Scenario, tmp_path: Path) -> None:
    folder = tmp_path / scenario.chart.name
    shutil.copytree(scenario.chart, folder)  # with the content of linked charts
    for file in folder.rglob("Chart.yaml"):
        file.write_text(re.sub(r"(?m)^(\s*version): .*$", r"\1: 77.0.0", file.read_text()))
    bumped = render(folder, scenario.values, files=scenario.files)
    for old, new in zip(scenario.render(), bumped, strict=True):
        assert "77.0.0" in new["metadata"]["labels"]["helm.sh/chart"]
        assert without_version(old) == without_version(new)


@every_scenario
def test_rendering_again_and_with_helm_3_gives_the_same(scenario: Scenario, helm3: Helm) -> None:
    once = Helm().template(scenario.chart, scenario.values, files=scenario.files)
    again = Helm().template(scenario.chart, scenario.values, files=scenario.files)
    assert once == again
    with_helm_4 = scenario.render(kube_version="1.35.0")
    assert scenario.render(kube_version="1.35.0", helm=helm3).all == with_helm_4.all


@every_scenario
def test_nothing_names_a_namespace_and_text_ends_with_one_newline(scenario: Scenario) -> None:
    for obj in scenario.render(namespace="elsewhere"):
        assert obj["metadata"].get("namespace") in (None, "elsewhere"), describe(obj)
        for key, text in obj.get("data", {}).items():
            assert re.search(r"[^\n]\n\Z", text), f"{describe(obj)}: {key}"


def texts(node: Any) -> Iterator[str]:
    """The texts of a JSON document, those of an environment with their names."""
    if isinstance(node, dict):
        if isinstance(node.get("name"), str) and isinstance(node.get("value"), str):
            yield f"{node['name']}={node['value']}"
        for value in node.values():
            yield from texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)
    elif isinstance(node, str):
        yield node.replace("automountServiceAccountToken: ", "")


@every_scenario
def test_config_maps_hold_no_secrets(scenario: Scenario) -> None:
    for obj in scenario.render().by("ConfigMap"):
        hooks = "wanted.json" in obj["data"]
        for key, text in obj["data"].items():
            if hooks and key.endswith(".py"):
                continue  # the chart's own program
            text = "\n".join(texts(json.loads(text))) if hooks else text.replace("automountServiceAccountToken: ", "")
            assert not re.search(r"(?i)(password|passwd|secret|access-?key|token)\S*\s*[:=]\s*\S", text), key


@every_scenario
def test_two_releases_share_no_names(scenario: Scenario) -> None:
    assert not scenario.render("one").census() & scenario.render("two").census()


def references(obj: Object) -> Iterator[tuple[str, str, str | None]]:
    """(kind, name, key) of everything that the pods of a workload need; the key is None for the whole object."""
    spec = pod_template(obj)["spec"]
    if account := spec.get("serviceAccountName"):
        yield "ServiceAccount", account, None
    for volume in spec.get("volumes", []):
        for source, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
            held = volume.get(source)
            if held and not held.get("optional"):  # the hooks make those
                name = held.get("name") or held["secretName"]
                yield kind, name, None
                yield from ((kind, name, item["key"]) for item in held.get("items", []))
        if claim := volume.get("persistentVolumeClaim"):
            yield "PersistentVolumeClaim", claim["claimName"], None
    for container in containers(obj).values():
        for entry in container.get("env", []):
            for source, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                if held := entry.get("valueFrom", {}).get(source):
                    yield kind, held["name"], held["key"]


@every_scenario
def test_every_reference_leads_to_an_object_of_the_release(scenario: Scenario) -> None:
    manifests = scenario.render()
    there = manifests.census() | scenario.externals | {("ServiceAccount", "default")}
    for obj in workloads(manifests):
        for kind, name, key in references(obj):
            assert (kind, name) in there, f"{describe(obj)} needs {kind}/{name}"
            if key and (kind, name) not in scenario.externals:
                assert key in manifests.one(kind, name)["data"], f"{describe(obj)} needs {key} of {kind}/{name}"
    for ingress in manifests.by("Ingress"):
        assert {("Secret", tls["secretName"]) for tls in ingress["spec"].get("tls", [])} <= scenario.externals
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                ports = manifests.one("Service", backend["name"])["spec"]["ports"]
                assert backend["port"]["name"] in [port["name"] for port in ports]
    for route in manifests.by("HTTPRoute"):
        for rule in route["spec"]["rules"]:
            for backend in rule.get("backendRefs", []):
                assert backend["port"] in [port["port"] for port in manifests.one("Service", backend["name"])["spec"]["ports"]]


@every_scenario
def test_mounts_and_probes_name_what_their_pod_has(scenario: Scenario) -> None:
    for obj in workloads(scenario.render()):
        volumes = [volume["name"] for volume in pod_template(obj)["spec"].get("volumes", [])]
        volumes += [claim["metadata"]["name"] for claim in obj["spec"].get("volumeClaimTemplates", [])]
        assert len(volumes) == len(set(volumes)), describe(obj)
        for name, container in containers(obj).items():
            mounts = container.get("volumeMounts", [])
            assert {mount["name"] for mount in mounts} <= set(volumes), f"{describe(obj)} {name}"
            paths = [mount["mountPath"] for mount in mounts]
            assert len(paths) == len(set(paths)), f"{describe(obj)} {name}"
            ports = {port["name"] for port in container.get("ports", [])}
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                handler: Any = container.get(probe, {})
                port = handler.get("httpGet", handler.get("tcpSocket", {})).get("port")
                assert port is None or port in ports, f"{describe(obj)} {name} {probe}"


@every_scenario
def test_every_container_is_confined_and_has_its_resources(scenario: Scenario) -> None:
    manifests = scenario.render()
    leader = flink_config(manifests).get("high-availability.type") == "kubernetes"
    native = "resourcemanager.taskmanager-timeout" in flink_config(manifests)
    talkative = {"hooks", *(("jobmanager", "taskmanager") if leader else ("jobmanager",) if native else ())}
    for obj in workloads(manifests):
        pod = pod_template(obj)["spec"]
        # Hooks speak to Kubernetes, and Flink does where Kubernetes keeps its leader or makes its TaskManagers.
        talks = pod_template(obj)["metadata"]["labels"]["app.kubernetes.io/component"] in talkative
        assert pod["automountServiceAccountToken"] is talks, describe(obj)
        for name, container in containers(obj).items():
            where = f"{describe(obj)} {name}"
            context = {**pod.get("securityContext", {}), **container.get("securityContext", {})}
            assert context["runAsNonRoot"] is True, where
            assert context["runAsUser"] > 0, where
            assert context["seccompProfile"] == {"type": "RuntimeDefault"}, where
            assert context["allowPrivilegeEscalation"] is False, where
            assert context["readOnlyRootFilesystem"] is True, where
            assert context["capabilities"] == {"drop": ["ALL"]}, where
            assert container["resources"]["requests"].keys() >= {"cpu", "memory"}, where
            assert "memory" in container["resources"]["limits"], where
            image = container["image"].rpartition("/")[2]
            assert re.search(r"[:@]", image), f"{where}: {image} has no version"
            assert not image.endswith(":latest"), f"{where}: {image} has no version"


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_lint_finds_nothing(chart: Path) -> None:
    assert "0 chart(s) failed" in Helm().lint(chart)


def test_the_demo_takes_the_flink_chart_of_this_repository() -> None:
    (dependency,) = yaml.safe_load((DEMO / "Chart.yaml").read_text())["dependencies"]
    chart = DEMO / "charts" / dependency["name"]
    assert chart.resolve() == CHARTS[0]
    assert yaml.safe_load((chart / "Chart.yaml").read_text())["version"] == dependency["version"]
