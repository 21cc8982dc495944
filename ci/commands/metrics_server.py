"""The metrics server in the kind cluster: by it a HorizontalPodAutoscaler knows what pods use."""

from __future__ import annotations

from pathlib import Path

from ci.core import versions
from ci.core.console import run, step
from ci.images import images
from ci.kubernetes import cluster, tools
from ci.machine import golang

_API = "apiservice/v1beta1.metrics.k8s.io"
_IN = ("--namespace=kube-system",)


def main() -> None:
    cluster.ensure()
    install(cluster.of().kubeconfig)


def install(kubeconfig: Path) -> None:
    """Wait until it serves; done again it changes nothing."""
    with step("metrics server"):
        images.load_named(images.metrics_server())
        *objects, registered = _manifest().split("---\n")
        run(_kubectl(kubeconfig, "apply", "--server-side", "--force-conflicts", "--filename=-"), stdin="---\n".join(objects))
        run(_kubectl(kubeconfig, *_IN, "rollout", "status", "--timeout=180s", "deployment/metrics-server"))
        _await_service(kubeconfig)
        run(_kubectl(kubeconfig, "apply", "--server-side", "--force-conflicts", "--filename=-"), stdin=registered)
        run(_kubectl(kubeconfig, "wait", "--for=condition=Available", "--timeout=180s", _API))


def _await_service(kubeconfig: Path) -> None:
    """The API server keeps its first connection, whoever answers at the Service's address before that leads to the pod."""
    address = run(_kubectl(kubeconfig, *_IN, "get", "service", "metrics-server", "--output=jsonpath={.spec.clusterIP}"))
    ask = ["curl", "--insecure", "--silent", "--fail", "--retry", "60", "--retry-delay", "1", "--retry-all-errors"]
    run(["docker", "exec", cluster.of().nodes[0], *ask, f"https://{address}/livez"])


def uninstall(kubeconfig: Path) -> None:
    run(_kubectl(kubeconfig, "delete", "--wait=false", "--ignore-not-found", "--filename=-"), stdin=_manifest())


def _manifest() -> str:
    """The project's own, for kubelets whose certificates nobody has signed, as kind has them."""
    source = golang.module_folder(images.MODULES["metrics-server"], versions.get("metrics-server", "version"))
    text = run([tools.path("kubectl"), "kustomize", source / "manifests" / "overlays" / "release"])
    return text.replace("- --cert-dir=/tmp\n", "- --cert-dir=/tmp\n        - --kubelet-insecure-tls\n")


def _kubectl(kubeconfig: Path, *arguments: str) -> list[str | Path]:
    return [tools.path("kubectl"), f"--kubeconfig={kubeconfig}", *arguments]
