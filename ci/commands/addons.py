"""What a cluster has beside releases, in the kind cluster: what autoscalers ask, what reads PodMonitors and PrometheusRules, and
the Flink Kubernetes Operator."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from ci.core import versions
from ci.core.console import run, step
from ci.core.paths import ROOT
from ci.images import artifacts, images
from ci.kubernetes import cluster, tools

MANIFEST = ROOT / "ci" / "kubernetes" / "flink-operator.yaml"


@dataclass(frozen=True)
class Addon:
    """`images` {name: (kind, version)}: those of a registry are made where none answers, the others always.

    `api` is what it serves, if anything.
    """

    name: str
    images: Mapping[str, tuple[str, str]]
    manifests: Callable[[], list[str]]
    api: str = ""

    def install(self, kubeconfig: Path) -> None:
        """Wait until it serves; done again it changes nothing."""
        with step(self.name):
            published = cluster.registry_answers()
            images.load_named({name: made for name, made in self.images.items() if not (published and "/" in name)})
            kubectl = tools.kubectl(kubeconfig)
            manifests = self.manifests()
            apply = [*kubectl, "apply", "--server-side", "--force-conflicts", "--filename=-"]
            run(apply, stdin="---\n".join(manifests))
            for deployment in (yaml.safe_load(manifest)["metadata"] for manifest in manifests if _kind(manifest) == "Deployment"):
                status = ["rollout", "status", "--timeout=240s", f"deployment/{deployment['name']}"]
                run([*kubectl, f"--namespace={deployment['namespace']}", *status])
            if self.api:
                run([*kubectl, "wait", "--for=condition=Available", "--timeout=180s", f"apiservice/{self.api}"])

    def uninstall(self, kubeconfig: Path) -> None:
        """Take away what runs. Definitions of kinds stay: their objects would go with them, those of others too."""
        manifests = [manifest for manifest in self.manifests() if _kind(manifest) != "CustomResourceDefinition"]
        delete = tools.kubectl(kubeconfig, "delete", "--wait=false", "--ignore-not-found", "--filename=-")
        run(delete, stdin="---\n".join(manifests))


def _kustomized(kind: str, version: str, overlay: str, *changes: tuple[str, str]) -> list[str]:
    """The manifests that a project renders from a directory of its source, with changes to their text."""
    text = run([tools.path("kubectl"), "kustomize", images.source(kind, version) / overlay])
    for old, new in changes:
        text = text.replace(old, new)
    return _documents(text)


def _documents(text: str) -> list[str]:
    return re.split("^---\n", text, flags=re.MULTILINE)


def _kind(manifest: str) -> str:
    """Without a parser of YAML: PyYAML refuses the lone = in definitions of the Prometheus Operator's."""
    (kind,) = re.findall(r"^kind: (\w+)$", manifest, re.MULTILINE)
    return str(kind)


def _metrics_server(version: str) -> Addon:
    # Nobody has signed the certificates of kind's kubelets.
    insecure = ("- --cert-dir=/tmp\n", "- --cert-dir=/tmp\n        - --kubelet-insecure-tls\n")
    return Addon(
        name="metrics-server",
        images={f"registry.k8s.io/metrics-server/metrics-server:v{version}": ("metrics-server", version)},
        manifests=lambda: _kustomized("metrics-server", version, "manifests/overlays/release", insecure),
        api="v1beta1.metrics.k8s.io",
    )


def _keda(version: str) -> Addon:
    changes = ((":main\n", f":{version}\n"), ("imagePullPolicy: Always", "imagePullPolicy: IfNotPresent"))
    return Addon(
        name="keda",
        images={f"ghcr.io/kedacore/{image}:{version}": ("keda", version) for image in ("keda", "keda-metrics-apiserver")},
        manifests=lambda: _kustomized("keda", version, "config/minimal", *changes),
        api="v1beta1.external.metrics.k8s.io",
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
        manifests=lambda: _kustomized("prometheus-operator", version, "."),
    )


def flink_operator(namespace: str) -> Addon:
    """The Flink Kubernetes Operator, which watches this namespace alone."""
    version = versions.get("operator", "version")
    image = f"flink-operator:{version}"

    def manifests() -> list[str]:
        text = MANIFEST.read_text().replace("NAMESPACE", namespace).replace("IMAGE", image)
        return [*flink_kinds(), *_documents(text)]

    return Addon(name="flink-operator", images={image: ("flink-operator", version)}, manifests=manifests)


def flink_kinds() -> list[str]:
    """The custom resource definitions of the newest Flink Kubernetes Operator whose API there is."""
    version = versions.get("operator", "definitions")
    jar = artifacts.fetch(f"operator-api-{version}") / f"flink-kubernetes-operator-api-{version}.jar"
    with zipfile.ZipFile(jar) as archive:
        names = (name for name in archive.namelist() if re.fullmatch(r"META-INF/fabric8/.+-v1\.yml", name))
        return [archive.read(name).decode() for name in names]


METRICS_SERVER = _metrics_server(versions.get("metrics-server", "version"))
KEDA = _keda(versions.get("keda", "version"))
PROMETHEUS_OPERATOR = _prometheus_operator(
    versions.get("monitoring", "prometheus-operator"), versions.get("monitoring", "operated-prometheus")
)


def main(arguments: list[str]) -> None:
    (name,) = arguments
    known = (METRICS_SERVER, KEDA, PROMETHEUS_OPERATOR, flink_operator("default"))
    (addon,) = (addon for addon in known if addon.name == name)
    cluster.ensure()
    addon.install(cluster.of().kubeconfig)
