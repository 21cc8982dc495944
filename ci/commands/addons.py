"""What a cluster has beside releases, in the kind cluster, as its own project installs it: what autoscalers ask, and what reads
PodMonitors and PrometheusRules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from ci.core import versions
from ci.core.console import run, step
from ci.images import images
from ci.kubernetes import cluster, tools


@dataclass(frozen=True)
class Addon:
    """`images` {published name: (kind, version)} are those that are made where no registry answers.

    `overlay` is the directory in the source of the first that Kustomize renders, and `changes` are made to the text of that.
    `api` is what it serves, if anything.
    """

    name: str
    images: Mapping[str, tuple[str, str]]
    overlay: str
    api: str = ""
    changes: tuple[tuple[str, str], ...] = ()

    def install(self, kubeconfig: Path) -> None:
        """Wait until it serves; done again it changes nothing."""
        with step(self.name):
            if not cluster.registry_answers():
                images.load_named(dict(self.images))
            kubectl = tools.kubectl(kubeconfig)
            manifests = self._manifests()
            apply = [*kubectl, "apply", "--server-side", "--force-conflicts", "--filename=-"]
            run(apply, stdin="---\n".join(manifests))
            for deployment in (yaml.safe_load(manifest)["metadata"] for manifest in manifests if _kind(manifest) == "Deployment"):
                status = ["rollout", "status", "--timeout=240s", f"deployment/{deployment['name']}"]
                run([*kubectl, f"--namespace={deployment['namespace']}", *status])
            if self.api:
                run([*kubectl, "wait", "--for=condition=Available", "--timeout=180s", f"apiservice/{self.api}"])

    def uninstall(self, kubeconfig: Path) -> None:
        """Take away what runs. Definitions of kinds stay: their objects would go with them, those of others too."""
        manifests = [manifest for manifest in self._manifests() if _kind(manifest) != "CustomResourceDefinition"]
        delete = tools.kubectl(kubeconfig, "delete", "--wait=false", "--ignore-not-found", "--filename=-")
        run(delete, stdin="---\n".join(manifests))

    def _manifests(self) -> list[str]:
        kind, version = next(iter(self.images.values()))
        text = run([tools.path("kubectl"), "kustomize", images.source(kind, version) / self.overlay])
        for old, new in self.changes:
            text = text.replace(old, new)
        return re.split("^---\n", text, flags=re.MULTILINE)


def _kind(manifest: str) -> str:
    """Without a parser of YAML: PyYAML refuses the lone = in definitions of the Prometheus Operator's."""
    (kind,) = re.findall(r"^kind: (\w+)$", manifest, re.MULTILINE)
    return str(kind)


def _metrics_server(version: str) -> Addon:
    return Addon(
        name="metrics-server",
        images={f"registry.k8s.io/metrics-server/metrics-server:v{version}": ("metrics-server", version)},
        overlay="manifests/overlays/release",
        api="v1beta1.metrics.k8s.io",
        # Nobody has signed the certificates of kind's kubelets.
        changes=(("- --cert-dir=/tmp\n", "- --cert-dir=/tmp\n        - --kubelet-insecure-tls\n"),),
    )


def _keda(version: str) -> Addon:
    return Addon(
        name="keda",
        images={f"ghcr.io/kedacore/{image}:{version}": ("keda", version) for image in ("keda", "keda-metrics-apiserver")},
        overlay="config/minimal",
        api="v1beta1.external.metrics.k8s.io",
        changes=((":main\n", f":{version}\n"), ("imagePullPolicy: Always", "imagePullPolicy: IfNotPresent")),
    )


def _prometheus_operator(version: str, prometheus: str) -> Addon:
    own = ("prometheus-operator", "prometheus-config-reloader")
    major, minor, patch = prometheus.split(".")
    return Addon(
        name="prometheus-operator",
        images={
            **{f"quay.io/prometheus-operator/{image}:v{version}": (image, version) for image in own},
            f"quay.io/prometheus/prometheus:v{prometheus}": ("prometheus", f"0.{major}{minor:0>2}.{patch}"),
        },
        overlay=".",
    )


METRICS_SERVER = _metrics_server(versions.get("metrics-server", "version"))
KEDA = _keda(versions.get("keda", "version"))
PROMETHEUS_OPERATOR = _prometheus_operator(
    versions.get("monitoring", "prometheus-operator"), versions.get("monitoring", "operated-prometheus")
)


def main(arguments: list[str]) -> None:
    (name,) = arguments
    (addon,) = (addon for addon in (METRICS_SERVER, KEDA, PROMETHEUS_OPERATOR) if addon.name == name)
    cluster.ensure()
    addon.install(cluster.of().kubeconfig)
