"""The kind clusters, one of a single node and one with workers beside it, each with a kubeconfig of its own.

~/.kube/config is never touched.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ci.core import versions
from ci.core.console import CommandFailed, die, run, say, step, works
from ci.core.paths import BUILD
from ci.kubernetes import tools
from ci.machine import engine
from ci.no_registry import network_policies, node_image, pod_network


@dataclass(frozen=True)
class Cluster:
    """A kind cluster. With workers the pods run there and not on the control plane, as kubeadm has it, and policies bind them."""

    name: str
    kubeconfig: Path
    workers: int = 0

    @property
    def nodes(self) -> list[str]:
        """The names of its nodes, and of their containers, as kind gives them."""
        workers = [f"{self.name}-worker{'' if number == 1 else number}" for number in range(1, self.workers + 1)]
        return [f"{self.name}-control-plane", *workers]


def of(workers: int = 0) -> Cluster:
    """The cluster with that many workers; there is one without, and one with any number of them."""
    if not workers:
        return Cluster("flink-helm", BUILD / "kubeconfig")
    return Cluster("flink-helm-workers", BUILD / "kubeconfig-workers", workers)


_CONFIG = Path(__file__).with_name("kind.yaml")
# In the node: {image name: id} of what load() brought there, and what kind made the cluster from.
_LOADED = "/kind/loaded.json"
_MADE_FROM = "/kind/made-from.yaml"
_PROBE_SECONDS = 8
# The API server asks servers of its APIs at addresses of Services, and keeps its first connection. Before kube-proxy has its
# rules for such an address, somebody outside the cluster may answer there.
_SERVICES = "10.96.0.0/16"  # kind's default
_KEEP_INSIDE = f"iptables -C OUTPUT -d {_SERVICES} -j REJECT 2>/dev/null || iptables -A OUTPUT -d {_SERVICES} -j REJECT"


@functools.cache
def registry_answers() -> bool:
    """Whether images come from container registries: as CLUSTER_IMAGES (registry or build) says, else by a short probe."""
    choice = os.environ.get("CLUSTER_IMAGES", "")
    if choice not in ("", "registry", "build"):
        die(f"CLUSTER_IMAGES is {choice!r}: write registry or build, or leave it out.")
    if choice:
        return choice == "registry"
    return works(["docker", "pull", "--quiet", "registry.k8s.io/pause:3.9"], timeout=_PROBE_SECONDS)


def _image_of_nodes() -> str:
    if not registry_answers():
        return node_image.ensure()
    image = f"kindest/node:v{versions.get('kubernetes', 'version')}"
    if not engine.image_id(image):
        with step(f"docker pull {image}"):
            run(["docker", "pull", "--quiet", image])
    return image


def _kind(cluster: Cluster, *arguments: str | Path) -> str:
    # The path is kind's own default, but the user's file: every call names ours.
    command = [tools.path("kind"), *arguments, f"--name={cluster.name}"]
    return run(command, env={"KUBECONFIG": str(cluster.kubeconfig)})


def _usable(cluster: Cluster, image: str, config: str) -> bool:
    """Whether our cluster is complete, runs from this image, was made from this text, and answers."""
    if set(_kind(cluster, "get", "nodes").split()) != set(cluster.nodes):
        return False
    states = run(["docker", "inspect", "--format", "{{.State.Status}} {{.Image}}", *cluster.nodes]).splitlines()
    if set(states) != {f"running {engine.image_id(image)}"}:
        return False
    if _text(cluster.nodes[0], _MADE_FROM).strip() != config.strip():
        return False
    _kind(cluster, "export", "kubeconfig", f"--kubeconfig={cluster.kubeconfig}")
    kubectl = tools.kubectl(cluster.kubeconfig, "--request-timeout=10s")
    # kind makes the class near its end: a creation that was interrupted has none, though the API may answer.
    nodes = [f"node/{node}" for node in cluster.nodes]
    ready = works([*kubectl, "wait", "--for=condition=Ready", *nodes, "--timeout=10s"])
    return ready and works([*kubectl, "get", "storageclass", "standard"])


def config(cluster: Cluster, *, own_network: bool) -> str:
    """What kind makes the cluster from; `own_network`: the node image brings one."""
    text = _CONFIG.read_text() + "  - role: worker\n" * cluster.workers
    return text + ("networking:\n  disableDefaultCNI: true\n" if own_network else "")


def _spread(cluster: Cluster) -> None:
    """Let pods of different nodes reach each other where policies do, and keep the cluster's own pods off the workers.

    Done again it changes nothing.
    """
    kubectl = tools.kubectl(cluster.kubeconfig)
    if not registry_answers():
        run([*kubectl, "wait", "--for=jsonpath={.spec.podCIDR}", "node", "--all", "--timeout=60s"])
        nodes = json.loads(run([*kubectl, "get", "nodes", "--output=json"]))["items"]
        pod_network.connect({node["metadata"]["name"]: node["spec"]["podCIDR"] for node in nodes})
        image = network_policies.image()
        load([image], cluster.workers)
        run([*kubectl, "apply", "--filename=-"], stdin=network_policies.manifest(image))
        run([*kubectl, "--namespace=kube-system", "rollout", "status", "daemonset/kube-router", "--timeout=120s"])
    # A worker that a test takes away must not take DNS with it; and what started before the network was right is restarted.
    selector = {"nodeSelector": {"node-role.kubernetes.io/control-plane": ""}}
    patch = json.dumps({"spec": {"template": {"spec": selector}}})
    for namespace, name in (("kube-system", "coredns"), ("local-path-storage", "local-path-provisioner")):
        run([*kubectl, f"--namespace={namespace}", "patch", "deployment", name, f"--patch={patch}"])
        run([*kubectl, f"--namespace={namespace}", "rollout", "status", f"deployment/{name}", "--timeout=120s"])
    run([*kubectl, "wait", "--for=condition=Ready", "node", "--all", "--timeout=120s"])


def ensure(workers: int = 0) -> None:
    """Provide a Ready cluster and its kubeconfig; one that is stopped, broken or of another image is made again."""
    cluster = of(workers)
    with step(f"cluster {cluster.name}"):
        engine.ensure()
        tools.ensure()
        image = _image_of_nodes()
        cluster.kubeconfig.parent.mkdir(exist_ok=True)
        text = config(cluster, own_network=not registry_answers())
        if _usable(cluster, image, text):
            say(f"the cluster {cluster.name} is there")
        else:
            _delete(cluster)
            with step(f"kind create cluster from {image}"):
                file = BUILD / f"{cluster.name}.yaml"
                file.write_text(text)
                _kind(cluster, "create", "cluster", f"--image={image}", f"--config={file}", "--wait=180s",
                      f"--kubeconfig={cluster.kubeconfig}")  # fmt: skip
                run(["docker", "exec", "--interactive", cluster.nodes[0], "tee", _MADE_FROM], stdin=text)
        if cluster.workers:
            with step("network between the nodes"):
                _spread(cluster)
        for node in cluster.nodes:
            run(["docker", "exec", node, "sh", "-c", _KEEP_INSIDE])
        cluster.kubeconfig.chmod(0o600)


def _text(node: str, path: str) -> str:
    """A file in a node; empty if there is none."""
    try:
        return run(["docker", "exec", node, "cat", path])
    except CommandFailed:
        return ""


def _delete(cluster: Cluster) -> None:
    if engine.answers():
        _kind(cluster, "delete", "cluster", f"--kubeconfig={cluster.kubeconfig}")
    cluster.kubeconfig.unlink(missing_ok=True)


def delete() -> None:
    """Delete the clusters, those that there are."""
    for workers in (0, 1):
        _delete(of(workers))


def main(arguments: list[str]) -> None:
    """Provide the cluster that the options ask for."""
    parser = argparse.ArgumentParser(prog="make cluster", description="A Ready kind cluster.")
    explanation = "nodes beside the control plane; the cluster with them is another one than that without"
    parser.add_argument("--workers", type=int, default=0, choices=range(10), metavar="N", help=explanation)
    ensure(parser.parse_args(arguments).workers)


def main_delete(arguments: list[str]) -> None:
    """Delete the clusters, or the one that the options name."""
    parser = argparse.ArgumentParser(prog="make cluster-delete", description="Deletes the kind clusters.")
    parser.add_argument("--workers", nargs="?", const="any", metavar="N", help="only the one with workers, however many")
    if parser.parse_args(arguments).workers:
        _delete(of(1))
    else:
        delete()


def load(images: list[str], workers: int = 0) -> None:
    """Bring images of the engine into every node, under their names; those that a node has already are left out."""
    ids = {image: engine.image_id(image) for image in images}
    if absent := [image for image, digest in ids.items() if not digest]:
        raise CommandFailed(f"the engine holds no image {', '.join(absent)}: run `make images` first.")
    for node in of(workers).nodes:
        _load(node, ids)


def _load(node: str, ids: dict[str, str]) -> None:
    inside = ["docker", "exec", "--interactive", node]
    loaded: dict[str, str] = json.loads(_text(node, _LOADED) or "{}")
    # The kubelet may have thrown an image away to free the disk.
    present = run([*inside, "ctr", "--namespace=k8s.io", "images", "ls", "--quiet"]).splitlines()
    missing = [
        image
        for image, digest in ids.items()
        if loaded.get(image) != digest or not any(f"/{name}".endswith(f"/{image}") for name in present)
    ]
    if not missing:
        return
    with step(f"load into {node}: {' '.join(missing)}"):
        command = [*inside, "ctr", "--namespace=k8s.io", "images", "import", "-"]
        with subprocess.Popen(["docker", "save", *missing], stdout=subprocess.PIPE) as saved:
            taken = subprocess.run(command, stdin=saved.stdout, capture_output=True, text=True)
        if saved.returncode or taken.returncode:
            raise CommandFailed(f"the images could not be loaded into {node}: {taken.stderr.strip()}")
        record = json.dumps({**loaded, **{image: ids[image] for image in missing}})
        run([*inside, "tee", _LOADED], stdin=record)
