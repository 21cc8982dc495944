"""What autoscalers ask, in the kind cluster: the metrics server, and KEDA, each as its project installs it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ci.core import versions
from ci.core.console import run, step
from ci.images import images
from ci.kubernetes import cluster, tools


@dataclass(frozen=True)
class Autoscaler:
    """`overlay` is the directory in its source that Kustomize renders; `changes` are made to the text of that."""

    kind: str
    overlay: str
    namespace: str
    api: str
    changes: tuple[tuple[str, str], ...]

    def install(self, kubeconfig: Path) -> None:
        """Wait until it serves; done again it changes nothing."""
        with step(self.kind):
            images.load_named(images.of_autoscaler(self.kind))
            kubectl = tools.kubectl(kubeconfig)
            run([*kubectl, "apply", "--server-side", "--force-conflicts", "--filename=-"], stdin=self._manifest())
            run([*kubectl, f"--namespace={self.namespace}", "rollout", "status", "--timeout=240s", "deployment"])
            run([*kubectl, "wait", "--for=condition=Available", "--timeout=180s", f"apiservice/{self.api}"])

    def uninstall(self, kubeconfig: Path) -> None:
        run(tools.kubectl(kubeconfig, "delete", "--wait=false", "--ignore-not-found", "--filename=-"), stdin=self._manifest())

    def _manifest(self) -> str:
        text = run([tools.path("kubectl"), "kustomize", images.source(self.kind) / self.overlay])
        for old, new in self.changes:
            text = text.replace(old, new)
        return text


METRICS_SERVER = Autoscaler(
    kind="metrics-server",
    overlay="manifests/overlays/release",
    namespace="kube-system",
    api="v1beta1.metrics.k8s.io",
    # Nobody has signed the certificates of kind's kubelets.
    changes=(("- --cert-dir=/tmp\n", "- --cert-dir=/tmp\n        - --kubelet-insecure-tls\n"),),
)
KEDA = Autoscaler(
    kind="keda",
    overlay="config/minimal",
    namespace="keda",
    api="v1beta1.external.metrics.k8s.io",
    changes=(
        (":main\n", f":{versions.get('keda', 'version')}\n"),
        ("imagePullPolicy: Always", "imagePullPolicy: IfNotPresent"),
    ),
)


def main(arguments: list[str]) -> None:
    (kind,) = arguments
    (autoscaler,) = (one for one in (METRICS_SERVER, KEDA) if one.kind == kind)
    cluster.ensure()
    autoscaler.install(cluster.of().kubeconfig)
