"""The kind cluster of one node, with a kubeconfig of its own; ~/.kube/config is never touched."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from pathlib import Path

from ci import engine, node_image, tools, versions
from ci.console import CommandFailed, die, run, say, step, works
from ci.versions import BUILD, REPO

NAME = "flink-helm"
NODE = f"{NAME}-control-plane"
KUBECONFIG = BUILD / "kubeconfig"
_CONFIG = REPO / "ci" / "kind.yaml"
_LOADED = "/kind/loaded.json"  # in the node: {image name: id} of what load() brought there
_PROBE_SECONDS = 8


@functools.cache
def registry_answers() -> bool:
    """Whether images come from container registries: as CLUSTER_IMAGES (registry or build) says, else by a short probe."""
    choice = os.environ.get("CLUSTER_IMAGES", "")
    if choice not in ("", "registry", "build"):
        die(f"CLUSTER_IMAGES is {choice!r}: write registry or build, or leave it out.")
    if choice:
        return choice == "registry"
    return works(["docker", "pull", "--quiet", "registry.k8s.io/pause:3.9"], timeout=_PROBE_SECONDS)


def _wanted_image() -> str:
    if not registry_answers():
        return node_image.ensure()
    image = f"kindest/node:v{versions.get('kubernetes', 'version')}"
    if not engine.image_id(image):
        with step(f"docker pull {image}"):
            run(["docker", "pull", "--quiet", image])
    return image


def _kind(*words: str | Path) -> str:
    # The path is kind's own default, but the user's file: every call names ours.
    return run([tools.path("kind"), *words], env={"KUBECONFIG": str(KUBECONFIG)})


def _usable(image: str) -> bool:
    """Whether our cluster is complete, runs from this image, and answers."""
    try:
        state, used = run(["docker", "inspect", "--format", "{{.State.Status}} {{.Image}}", NODE]).split()
    except CommandFailed:
        return False
    if state != "running" or used != engine.image_id(image):
        return False
    _kind("export", "kubeconfig", f"--name={NAME}", f"--kubeconfig={KUBECONFIG}")
    kubectl: list[str | Path] = [tools.path("kubectl"), f"--kubeconfig={KUBECONFIG}", "--request-timeout=10s"]
    # kind makes the class near its end: a creation that was interrupted has none, though the API may answer.
    ready = works([*kubectl, "wait", "--for=condition=Ready", "node", "--all", "--timeout=10s"])
    return ready and works([*kubectl, "get", "storageclass", "standard"])


def ensure() -> None:
    """Provide a Ready cluster and .build/kubeconfig; one that is stopped, broken or of another image is made anew."""
    with step("cluster"):
        engine.ensure()
        tools.ensure()
        image = _wanted_image()
        KUBECONFIG.parent.mkdir(exist_ok=True)
        if _usable(image):
            say(f"the cluster {NAME} is there")
        else:
            delete()
            with step(f"kind create cluster from {image}"):
                text = _CONFIG.read_text()
                if not registry_answers():
                    text += "networking:\n  disableDefaultCNI: true\n"  # the image brings its own
                config = BUILD / "kind.yaml"
                config.write_text(text)
                _kind("create", "cluster", f"--name={NAME}", f"--image={image}", f"--config={config}", "--wait=180s",
                      f"--kubeconfig={KUBECONFIG}")  # fmt: skip
        KUBECONFIG.chmod(0o600)


def delete() -> None:
    """Delete the cluster, if there is one."""
    if engine.answers():
        _kind("delete", "cluster", f"--name={NAME}", f"--kubeconfig={KUBECONFIG}")
    KUBECONFIG.unlink(missing_ok=True)


def load(images: list[str]) -> None:
    """Bring images of the engine into the node, under their names; those that the node has already are left out."""
    inside = ["docker", "exec", "--interactive", NODE]
    try:
        loaded: dict[str, str] = json.loads(run([*inside, "cat", _LOADED]))
    except CommandFailed:
        loaded = {}
    # The kubelet may have thrown an image away to free the disk.
    present = run([*inside, "ctr", "--namespace=k8s.io", "images", "ls", "--quiet"]).splitlines()
    ids = {image: engine.image_id(image) for image in images}
    if absent := [image for image, found in ids.items() if not found]:
        raise CommandFailed(f"the engine holds no image {', '.join(absent)}: run `make images` first.")
    missing = [
        image for image in images if loaded.get(image) != ids[image] or not any(name.endswith(f"/{image}") for name in present)
    ]
    if not missing:
        return
    with step(f"load into the node: {' '.join(missing)}"):
        command = [*inside, "ctr", "--namespace=k8s.io", "images", "import", "-"]
        with subprocess.Popen(["docker", "save", *missing], stdout=subprocess.PIPE) as saved:
            taken = subprocess.run(command, stdin=saved.stdout, capture_output=True, text=True)
        if saved.returncode or taken.returncode:
            raise CommandFailed(f"the images could not be loaded into the node: {taken.stderr.strip()}")
        record = json.dumps({**loaded, **{image: ids[image] for image in missing}})
        run([*inside, "tee", _LOADED], stdin=record)
