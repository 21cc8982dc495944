"""Metrics: one port, for all pods that Flink's reporter runs in and no other ones, and a PodMonitor that finds these."""

from __future__ import annotations

from typing import Any

import pytest

from ci.core.paths import DEMO, FLINK
from harness.helm import Helm, HelmError, merged
from harness.manifests import Manifests, Object, containers, flink_config, pod_template, render
from harness.validation import strict_yaml

COMPONENT = "app.kubernetes.io/component"
MONITORED = {"metrics": {"podMonitor": {"enabled": True}}}
JOB = {"flink": {"type": "job"}}
KINDS: dict[str, dict[str, Any]] = {
    "session": {"flink": {"type": "session"}},
    "job": JOB,
    "bounded": {**JOB, "job": {"bounded": True}},
    "native session": {"flink": {"type": "session", "mode": "native"}},
    "native job": {"flink": {"type": "job", "mode": "native"}},
}
# All pods of Flink's image that there are beside.
OTHERS = {"sqlGateway": {"enabled": True}, "historyServer": {"enabled": True}, "highAvailability": {"type": "zookeeper"}}
each_kind = pytest.mark.parametrize("kind", KINDS)


def pods(manifests: Manifests) -> dict[str, Object]:
    """The pod templates by component; in native mode that of the TaskManagers is in Flink's ConfigMap."""
    templates = {}
    for obj in manifests:
        if obj["kind"] in ("Deployment", "StatefulSet", "Job", "CronJob", "Pod"):
            template = pod_template(obj)
            templates[template["metadata"]["labels"][COMPONENT]] = template
    for config_map in manifests.by("ConfigMap"):
        if text := config_map.get("data", {}).get("taskmanager-pod-template.yaml"):
            template = strict_yaml(text)
            templates[template["metadata"]["labels"][COMPONENT]] = template
    return templates


def metrics_port(pod: Object) -> int | None:
    main = pod["spec"]["containers"][0]
    return next((port["containerPort"] for port in main.get("ports", []) if port["name"] == "metrics"), None)


def has_metrics(values: dict[str, Any]) -> dict[str, int]:
    """The metrics port by component, of pods that have one."""
    manifests = render(FLINK, values, name="r")
    ports = {component: metrics_port(pod) for component, pod in pods(manifests).items()}
    return {component: port for component, port in ports.items() if port}


@each_kind
def test_jobmanagers_and_taskmanagers_have_the_port_of_the_reporter(kind: str) -> None:
    assert has_metrics(KINDS[kind]) == {"jobmanager": 9249, "taskmanager": 9249}
    other = merged(KINDS[kind], {"metrics": {"port": 9999}})
    assert has_metrics(other) == {"jobmanager": 9999, "taskmanager": 9999}
    assert flink_config(render(FLINK, other))["metrics.reporter.prom.port"] == "9999"


def test_pods_without_a_reporter_have_no_such_port() -> None:
    assert has_metrics(OTHERS).keys() == {"jobmanager", "taskmanager"}


@each_kind
def test_without_metrics_there_is_nothing_of_them(kind: str) -> None:
    values = merged(KINDS[kind], {"metrics": {"enabled": False}})
    assert not has_metrics(values)
    assert not [name for name in flink_config(render(FLINK, values)) if name.startswith(("metrics.reporter", "metrics.job"))]
    (service,) = render(FLINK, values, name="r").by("Service", "r-flink-jobmanager")
    assert {port["name"] for port in service["spec"]["ports"]} == {"rpc", "blob"}


@each_kind
def test_the_pods_say_where_they_are_scraped(kind: str) -> None:
    plain, annotated = ({"metrics": {"port": 9999, "scrapeAnnotations": on}} for on in (False, True))
    for pod in pods(render(FLINK, merged(KINDS[kind], plain))).values():
        assert not [name for name in pod["metadata"].get("annotations", {}) if name.startswith("prometheus.io/")]
    annotations = {
        component: {name: text for name, text in pod["metadata"]["annotations"].items() if name.startswith("prometheus.io/")}
        for component, pod in pods(render(FLINK, merged(KINDS[kind], annotated))).items()
        if component in ("jobmanager", "taskmanager")
    }
    expected = {"prometheus.io/scrape": "true", "prometheus.io/port": "9999", "prometheus.io/path": "/metrics"}
    assert annotations == {"jobmanager": expected, "taskmanager": expected}


def selects(selector: Object, labels: dict[str, str]) -> bool:
    listed = [labels.get(one["key"]) in one["values"] for one in selector["matchExpressions"] if one["operator"] == "In"]
    return all(listed) and selector["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize("kind", [*KINDS, "demo"])
def test_the_pod_monitor_selects_the_pods_with_the_port_and_no_other_ones(kind: str) -> None:
    if kind == "demo":
        manifests = render(DEMO, {"flink": MONITORED}, name="r")
    else:
        manifests = render(FLINK, merged(merged(KINDS[kind], OTHERS if kind == "session" else {}), MONITORED), name="r")
    monitor = manifests.one("PodMonitor")["spec"]
    assert [endpoint["port"] for endpoint in monitor["podMetricsEndpoints"]] == ["metrics"]
    for component, pod in pods(manifests).items():
        labels = pod["metadata"]["labels"]
        assert selects(monitor["selector"], labels) == (metrics_port(pod) is not None), component
        if metrics_port(pod):
            assert set(monitor["podTargetLabels"]) <= labels.keys()
    other = pods(render(FLINK, name="r2"))["jobmanager"]
    assert not selects(monitor["selector"], other["metadata"]["labels"])


def test_the_pod_monitor_takes_what_prometheus_is_to_know() -> None:
    own = {
        "labels": {"release": "kube-prometheus-stack"},
        "interval": "15s",
        "scrapeTimeout": "10s",
        "relabelings": [{"targetLabel": "cluster", "replacement": "east"}],
        "metricRelabelings": [{"regex": "task_name", "action": "labeldrop"}],
    }
    monitor = render(FLINK, {"metrics": {"podMonitor": {"enabled": True, **own}}}).one("PodMonitor")
    assert own.pop("labels").items() <= monitor["metadata"]["labels"].items()  # type: ignore[attr-defined]
    assert own.items() <= monitor["spec"]["podMetricsEndpoints"][0].items()
    assert not render(FLINK).by("PodMonitor")


def test_the_hooks_try_the_pod_monitor_and_have_the_right_to() -> None:
    manifests = render(FLINK, MONITORED, name="r")
    rules = manifests.one("Role", "r-flink-hooks")["rules"]
    verbs = {verb for rule in rules if "podmonitors" in rule["resources"] for verb in rule["verbs"]}
    assert verbs == {"get", "patch", "create"}
    assert "podmonitors" not in str(render(FLINK, name="r").one("Role", "r-flink-hooks"))


def test_a_cluster_without_the_kind_is_told_of_before_it_is_asked_for_one() -> None:
    """`helm template` has not asked a cluster: it renders what the values ask for."""
    assert Helm().template(FLINK, MONITORED, api_versions=("v1/Pod", "monitoring.coreos.com/v1/PodMonitor"))
    with pytest.raises(HelmError) as error:
        Helm().template(FLINK, MONITORED, api_versions=("v1/Pod",))
    assert "metrics.podMonitor.enabled is set, but the cluster has no monitoring.coreos.com/v1/PodMonitor" in str(error.value)
    assert "set metrics.scrapeAnnotations=true instead" in str(error.value)
    assert Helm().template(FLINK, api_versions=("v1/Pod",))


PROMETHEUS = "org.apache.flink.metrics.prometheus.PrometheusReporterFactory"


@pytest.mark.parametrize(
    "options",
    [
        {"metrics.reporters": "prom"},
        {"metrics.reporters": "slf4j, prom"},
        {"metrics.reporter.prom.factory.class": PROMETHEUS, "metrics.reporter.prom.port": 9249},
        {"metrics.reporter.prom.scope.variables.excludes": "tm_id"},
        {"metrics.reporter.slf4j.factory.class": "org.apache.flink.metrics.slf4j.Slf4jReporterFactory"},
        {"metrics.job.status.enable": "STATE"},
    ],
    ids=str,
)
def test_your_own_options_win(options: dict[str, Any]) -> None:
    rendered = flink_config(render(FLINK, {"flink": {"config": options}}))
    assert {name: rendered[name] for name in options} == {name: str(value) for name, value in options.items()}


def test_your_own_reporter_is_yours_without_the_charts() -> None:
    options = {"metrics.reporter.prom.factory.class": PROMETHEUS, "metrics.reporter.prom.port": "9999"}
    values = {"flink": {"config": options}, "metrics": {"enabled": False}}
    assert options.items() <= flink_config(render(FLINK, values)).items()


def option(name: str, value: Any) -> dict[str, Any]:
    return {"flink": {"config": {f"metrics.{name}": value}}}


REFUSALS: list[tuple[dict[str, Any], str, str]] = [
    (option("reporter.prom.port", 9999), "metrics.reporter.prom.port", "set metrics.port=9999 instead"),
    (option("reporters", "slf4j"), 'to "slf4j", which leaves out prom', "add it, or set metrics.enabled=false"),
    (
        option("reporter.prom.factory.class", "a.B"),
        "but prom is the chart's own reporter",
        "give yours another name, or set metrics.enabled=false",
    ),
    (
        option("reporter.mine.factory.class", PROMETHEUS),
        "metrics.reporter.mine.factory.class, a second Prometheus reporter",
        "leave it out and set metrics.port",
    ),
    ({"metrics": {"port": 8081}}, "metrics.port is 8081, which JobManagers or TaskManagers use already", "for example 9249"),
    ({"metrics": {"port": 6121}}, "metrics.port is 6121", "for example 9249"),
    ({"rest": {"port": 9249}}, "metrics.port is 9249", "write another"),
    (
        {"metrics": {"enabled": False, "podMonitor": {"enabled": True}}},
        "metrics.podMonitor.enabled is true, but metrics.enabled is false",
        "set metrics.enabled=true, or leave it out",
    ),
    (
        {"metrics": {"enabled": False, "scrapeAnnotations": True}},
        "metrics.scrapeAnnotations is true, but metrics.enabled is false",
        "set metrics.enabled=true, or leave it out",
    ),
    (
        {"taskmanager": {"extraPorts": [{"name": "metrics", "containerPort": 9249}]}},
        "taskmanager.extraPorts has metrics",
        "another name, or leave it out",
    ),
]


@pytest.mark.parametrize(("values", "reason", "remedy"), REFUSALS, ids=lambda value: value if isinstance(value, str) else "")
def test_what_would_keep_the_reporter_from_its_port_is_refused(values: dict[str, Any], reason: str, remedy: str) -> None:
    with pytest.raises(HelmError) as error:
        render(FLINK, values)
    assert reason in str(error.value)
    assert remedy in str(error.value)


@each_kind
def test_the_test_of_a_release_asks_for_metrics_where_they_are_on(kind: str) -> None:
    if kind == "bounded":
        assert "test" not in pods(render(FLINK, KINDS[kind]))
        return
    values = merged(KINDS[kind], {"metrics": {"port": 9999}})
    arguments = containers(render(FLINK, values, name="r").one("Pod", "r-flink-test"))["test"]["args"]
    assert arguments[-2:] == ["r-flink-jobmanager", "9999"]
    off = merged(values, {"metrics": {"enabled": False}})
    assert "9999" not in containers(render(FLINK, off, name="r").one("Pod", "r-flink-test"))["test"]["args"]
