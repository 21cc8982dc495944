"""A real Prometheus and Alertmanager in a namespace, set up from the PodMonitors and PrometheusRules of the charts."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml
from kubernetes.dynamic import DynamicClient

from ci.core import versions
from ci.images import images
from ci.images.monitoring import IMAGE
from harness import evidence, network
from harness.cluster import Cluster
from harness.waits import wait_for
from tests.kind import kinds

Json = dict[str, Any]

API = "monitoring.coreos.com/v1"
SECONDS = 2  # between scrapes, and between evaluations


def define_kinds(cluster: Cluster) -> None:
    """Have the cluster know PodMonitors and PrometheusRules."""
    version = versions.get("monitoring", "prometheus-operator")
    folder = images.source("prometheus-operator", version) / "example/prometheus-operator-crd"
    plurals = ("podmonitors", "prometheusrules")
    manifests = [(folder / f"monitoring.coreos.com_{plural}.yaml").read_text() for plural in plurals]
    kinds.define(cluster, manifests, *(f"{plural}.monitoring.coreos.com" for plural in plurals))


def _account(namespace: str) -> list[Json]:
    """By which Prometheus sees pods."""
    group, metadata = "rbac.authorization.k8s.io", {"name": "monitoring"}
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": metadata, "rules": rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": group, "kind": "Role", **metadata},
            "subjects": [{"kind": "ServiceAccount", "namespace": namespace, **metadata}],
        },
    ]


def _meta(label: str) -> str:
    return f"__meta_kubernetes_pod_label_{re.sub('[^a-zA-Z0-9_]', '_', label)}"


def scrape_configs(monitor: Json) -> list[Json]:
    """What the Prometheus Operator makes of a PodMonitor, as far as the chart's has it."""
    spec, metadata = monitor["spec"], monitor["metadata"]
    selected = {key: [value] for key, value in spec["selector"].get("matchLabels", {}).items()}
    selected |= {one["key"]: one["values"] for one in spec["selector"].get("matchExpressions", []) if one["operator"] == "In"}
    configs = []
    for number, endpoint in enumerate(spec["podMetricsEndpoints"]):
        relabelings: list[Json] = [
            {"action": "keep", "source_labels": [_meta(key)], "regex": "|".join(map(re.escape, values))}
            for key, values in selected.items()
        ]
        relabelings += [
            {"action": "keep", "source_labels": ["__meta_kubernetes_pod_container_port_name"], "regex": endpoint["port"]},
            {"action": "drop", "source_labels": ["__meta_kubernetes_pod_phase"], "regex": "(Failed|Succeeded)"},
            {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
            {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
            {"source_labels": ["__meta_kubernetes_pod_container_name"], "target_label": "container"},
        ]
        for label in spec.get("podTargetLabels", []):
            relabelings.append({"source_labels": [_meta(label)], "target_label": re.sub("[^a-zA-Z0-9_]", "_", label)})
        configs.append(
            {
                "job_name": f"podMonitor/{metadata['namespace']}/{metadata['name']}/{number}",
                "http_sd_configs": [{"url": "http://localhost:9900/targets", "refresh_interval": f"{SECONDS}s"}],
                "relabel_configs": relabelings,
            }
        )
    return configs


def _files(cluster: Cluster, namespace: str) -> dict[str, str]:
    """The files of both programs, from what the charts have made in the namespace."""
    kinds = DynamicClient(cluster.api).resources

    def there(kind: str) -> list[Json]:
        objects: list[Json] = kinds.get(api_version=API, kind=kind).get(namespace=namespace).to_dict()["items"]
        return objects

    prometheus = {
        "global": {"scrape_interval": f"{SECONDS}s", "scrape_timeout": f"{SECONDS}s", "evaluation_interval": f"{SECONDS}s"},
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": ["localhost:9093"]}]}]},
        "rule_files": ["/etc/monitoring/rules.yml"],
        "scrape_configs": [config for monitor in there("PodMonitor") for config in scrape_configs(monitor)],
    }
    route = {"receiver": "test", "group_by": ["..."], "group_wait": "1s", "group_interval": "1s", "repeat_interval": "1h"}
    receiver = {"name": "test", "webhook_configs": [{"url": "http://localhost:9900", "send_resolved": True}]}
    return {
        "prometheus.yml": yaml.safe_dump(prometheus),
        "rules.yml": yaml.safe_dump({"groups": [group for rule in there("PrometheusRule") for group in rule["spec"]["groups"]]}),
        "alertmanager.yml": yaml.safe_dump({"route": route, "receivers": [receiver]}),
    }


def _container(name: str, command: list[str], port: int) -> Json:
    return {
        "name": name,
        "image": IMAGE,
        "command": command,
        "ports": [{"containerPort": port}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "files", "mountPath": "/etc/monitoring"}],
        "resources": {"requests": {"cpu": "10m"}},
    }


def _service(selector: Json, **ports: int) -> Json:
    named = [{"name": name, "port": port} for name, port in ports.items()]
    spec = {"selector": selector, "ports": named}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "monitoring"}, "spec": spec}


def _objects(files: dict[str, str], namespace: str) -> list[Json]:
    name = {"name": "monitoring"}
    labels = {"app.kubernetes.io/name": "monitoring"}
    prometheus = ["prometheus", "--config.file=/etc/monitoring/prometheus.yml", "--storage.tsdb.path=/data/prometheus"]
    alertmanager = ["alertmanager", "--config.file=/etc/monitoring/alertmanager.yml", "--storage.path=/data/alertmanager",
                    "--cluster.listen-address="]  # fmt: skip
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": name, "data": files},
        *_account(namespace),
        _service(labels, prometheus=9090, alertmanager=9093, beside=9900),
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**name, "labels": labels},
            "spec": {
                **{"serviceAccountName": "monitoring", "terminationGracePeriodSeconds": 0},
                "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                "volumes": [{"name": "files", "configMap": name}],
                "containers": [
                    _container("prometheus", prometheus, 9090),
                    _container("alertmanager", alertmanager, 9093),
                    _container("beside", ["python3", "-u", "/opt/beside.py"], 9900),
                ],
            },
        },
    ]


class Monitoring:
    """Prometheus and Alertmanager that run in the namespace."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace

    def _get(self, part: str, path: str, **parameters: str) -> Any:
        session, url = network.http(self._cluster, self._namespace, "monitoring", part)
        response = session.get(f"{url}/{path}", params=parameters, timeout=30)
        response.raise_for_status()
        return response.json()

    def query(self, expression: str) -> list[Json]:
        """The samples of an expression, now."""
        samples: list[Json] = self._get("prometheus", "api/v1/query", query=expression)["data"]["result"]
        return samples

    def values(self, expression: str, start: float, end: float, step: float) -> list[Json]:
        """The series of an expression over a time."""
        times = {"start": str(start), "end": str(end), "step": str(step)}
        series: list[Json] = self._get("prometheus", "api/v1/query_range", query=expression, **times)["data"]["result"]
        return series

    def firing(self) -> set[str]:
        return {sample["metric"]["alertname"] for sample in self.query('ALERTS{alertstate="firing"}')}

    def delivered(self, status: str) -> list[Json]:
        """The alerts that the receiver was given with this status, `firing` or `resolved`."""
        return [alert for alert in self._get("beside", "") if alert["status"] == status]

    def wait_fired(self, *names: str, timeout: float = 180) -> None:
        """Wait until each of the alerts was pending, fires, and has been delivered."""

        def fired() -> bool:
            was_pending = {
                sample["metric"]["alertname"] for sample in self.query('max_over_time(ALERTS{alertstate="pending"}[1h])')
            }
            came = {alert["labels"]["alertname"] for alert in self.delivered("firing")}
            at_once = {name for name in names if name not in was_pending and not self._waits(name)}
            missing = set(names) - (came & (was_pending | at_once))
            if missing:
                raise LookupError(f"not yet: {sorted(missing)}; firing: {sorted(self.firing())}")
            return True

        self._wait(fired, f"{', '.join(names)} to be delivered", timeout)

    def wait_resolved(self, *names: str, timeout: float = 180) -> None:
        """Wait until none of the alerts fires any more, and that was delivered too."""

        def resolved() -> bool:
            gone = {alert["labels"]["alertname"] for alert in self.delivered("resolved")}
            if still := (set(names) - gone) | (set(names) & self.firing()):
                raise LookupError(f"not yet: {sorted(still)}")
            return True

        self._wait(resolved, f"{', '.join(names)} to be resolved", timeout)

    def wait_scraped(self, pods: int, *, timeout: float = 120) -> None:
        """Wait until so many pods are scraped."""
        self._wait(lambda: len(self.query("up == 1")) == pods, f"{pods} pods to be scraped", timeout)

    @functools.cached_property
    def _rules(self) -> dict[str, float]:
        groups = self._get("prometheus", "api/v1/rules")["data"]["groups"]
        return {rule["name"]: rule["duration"] for group in groups for rule in group["rules"]}

    def _waits(self, name: str) -> bool:
        return self._rules[name] > 0

    def _wait(self, condition: Any, what: str, timeout: float) -> None:
        def explain() -> str:
            up = [(sample["metric"].get("pod"), sample["value"][1]) for sample in self.query("up")]
            return f"targets: {json.dumps(up)}\n{evidence.summary(self._cluster, self._namespace)}"

        wait_for(condition, timeout=timeout, what=what, on_timeout=explain, interval=1)


@contextmanager
def monitoring(cluster: Cluster, namespace: str) -> Iterator[Monitoring]:
    """Prometheus and Alertmanager over what is installed in the namespace by now."""
    with cluster.having(_objects(_files(cluster, namespace), namespace), namespace):
        yield _answering(cluster, namespace)


@contextmanager
def operated(cluster: Cluster, namespace: str, labels: dict[str, str]) -> Iterator[Monitoring]:
    """A Prometheus that the Prometheus Operator makes, for what has these labels in the namespace."""
    selector = {"matchLabels": labels}
    spec = {
        "version": f"v{versions.get('monitoring', 'operated-prometheus')}",
        "serviceAccountName": "monitoring",
        "podMonitorSelector": selector,
        "ruleSelector": selector,
        "evaluationInterval": f"{SECONDS}s",
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
        "resources": {"requests": {"cpu": "10m"}},
    }
    prometheus = {"apiVersion": API, "kind": "Prometheus", "metadata": {"name": "monitoring"}, "spec": spec}
    objects = [*_account(namespace), _service({"prometheus": "monitoring"}, prometheus=9090), prometheus]
    with cluster.having(objects, namespace):
        yield _answering(cluster, namespace)


def _answering(cluster: Cluster, namespace: str) -> Monitoring:
    prometheus = Monitoring(cluster, namespace)
    wait_for(lambda: prometheus.query("vector(1)"), timeout=120, what="Prometheus to answer",
             on_timeout=lambda: evidence.summary(cluster, namespace))  # fmt: skip
    return prometheus
