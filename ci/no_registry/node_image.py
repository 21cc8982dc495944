"""The kind node image, built from package registries for machines that no container registry answers."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from ci.core import cache, versions
from ci.core.console import CommandFailed, run, step, works
from ci.core.paths import IMAGES
from ci.machine import debian, engine, golang
from ci.no_registry import rootfs

_KUBERNETES = ("kubeadm", "kubectl", "kubelet", "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler")


def kubernetes_programs() -> Path:
    """The folder of the seven Kubernetes programs."""
    version = versions.get("kubernetes", "version")
    major, minor, _ = version.split(".")
    facts = {
        "gitVersion": f"v{version}",
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
        "gitCommit": "unknown",
        "buildDate": "1970-01-01T00:00:00Z",
    }
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return golang.build(
        "kubernetes",
        "k8s.io/kubernetes",
        version,
        [f"k8s.io/kubernetes/cmd/{name}" for name in _KUBERNETES],
        variables={f"{package}.{name}": value for package in packages for name, value in facts.items()},
    )


def etcd_program() -> Path:
    module = "go.etcd.io/etcd/server/v3"
    return golang.build("etcd", module, versions.get("kubernetes", "etcd"), [module]) / "server"


def coredns_program() -> Path:
    module = "github.com/coredns/coredns"
    return golang.build("coredns", module, versions.get("kubernetes", "coredns"), [module]) / "coredns"


def provisioner_program() -> Path:
    module = "github.com/rancher/local-path-provisioner"
    version = versions.get("kubernetes", "local-path-provisioner")
    return golang.build("local-path-provisioner", module, version, [module]) / "local-path-provisioner"


_RELEASE = "bookworm"  # a later systemd does not boot under cgroup v1
_PACKAGES = (
    "systemd systemd-sysv dbus conntrack iptables nftables iproute2 ethtool util-linux mount kmod libseccomp2 pigz e2fsprogs "
    "bash ca-certificates curl jq procps containerd runc containernetworking-plugins socat hostname xz-utils gawk"
).split()


def _system() -> str:
    """The image with the Debian system of a node."""

    def build(tag: str) -> None:
        with step("Debian system of the node"):
            rootfs.make(tag, _RELEASE, _PACKAGES, variant="minbase")

    return engine.image("rootfs", {"release": _RELEASE, "packages": _PACKAGES}, build)


_FILES = IMAGES / "node"


def _base() -> str:
    """The node without Kubernetes' own images."""
    programs, system = kubernetes_programs(), _system()
    kind = golang.module_folder("sigs.k8s.io/kind", versions.get("tools", "kind")) / "images" / "base" / "files"

    def build(tag: str) -> None:
        with step("system of the node"), tempfile.TemporaryDirectory() as folder:
            context = Path(folder)
            shutil.copytree(_FILES, context, dirs_exist_ok=True)
            shutil.copytree(kind, context / "kind")
            run(["chmod", "-R", "u+w", context])  # Go keeps its modules read-only
            (context / "programs").mkdir()
            for name in ("kubeadm", "kubelet", "kubectl"):
                shutil.copy(programs / name, context / "programs")
            (context / "files" / "kind" / "version").write_text(f"v{versions.get('kubernetes', 'version')}\n")
            engine.build(context, tag, {"ROOTFS": system})

    return engine.image("node-base", {"rootfs": system, "files": cache.file_hash(_FILES), "programs": programs.name}, build)


def _pause_program() -> Path:
    source = _FILES / "pause.c"

    def build(folder: Path) -> None:
        debian.provide({"gcc": "gcc"}, "the pause program of the node")
        run(["gcc", "-static", "-Os", "-s", "-o", folder / "pause", source])

    return cache.entry("pause", cache.file_hash(source), build) / "pause"


def _program_image(tag: str, program: Path, name: str) -> None:
    """An image of one static program that is its entrypoint."""
    command: list[str | Path] = ["tar", "c", "--transform", f"s#.*#usr/bin/{name}#", "-C", program.parent, program.name]
    engine.import_tar(command, tag, [f'ENTRYPOINT ["/usr/bin/{name}"]', "ENV PATH=/usr/bin"])


def _kube_proxy(tag: str, program: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(program, folder)
        text = f"FROM {_system()}\nCOPY kube-proxy /usr/local/bin/kube-proxy\n"
        (Path(folder) / "Dockerfile").write_text(text)
        engine.build(Path(folder), tag)


def _system_images() -> list[str]:
    """Make every image that the pods of the node's own need, under the names that kubeadm and the manifests ask for."""
    programs = kubernetes_programs()
    tags = run(
        [programs / "kubeadm", "config", "images", "list", f"--kubernetes-version=v{versions.get('kubernetes', 'version')}"]
    ).split()
    single = {
        "etcd": etcd_program(),
        "coredns": coredns_program(),
        "pause": _pause_program(),
        **{name: programs / name for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")},
    }
    for tag in tags:
        name = tag.rpartition(":")[0].rpartition("/")[2]
        if name == "kube-proxy":
            _kube_proxy(tag, programs / name)
        else:
            _program_image(tag, single[name], name)
    ours = ["flink-helm/local-path-provisioner:1", "flink-helm/local-path-helper:1"]
    _program_image(ours[0], provisioner_program(), "local-path-provisioner")
    run(["docker", "tag", _system(), ours[1]])
    # The tag that kind's configuration of containerd names may differ from kubeadm's.
    config = (
        golang.module_folder("sigs.k8s.io/kind", versions.get("tools", "kind")) / "images/base/files/etc/containerd/config.toml"
    ).read_text()
    sandbox = re.search(r'sandbox_image = "(.+)"', config)
    if sandbox is None:
        raise CommandFailed(
            "kind's configuration of containerd names no sandbox image: another version of kind needs other code here."
        )
    _program_image(sandbox[1], single["pause"], "pause")
    return sorted({*tags, *ours, sandbox[1]})


def ensure() -> str:
    """The name of the node image, which the engine holds after this."""
    base = _base()
    parts = [program.parent.name for program in (etcd_program(), coredns_program(), provisioner_program(), _pause_program())]

    def build(tag: str) -> None:
        with step("images of Kubernetes"):
            images = _system_images()
        with step("node image"):
            _fill(tag, base, images)

    return engine.image("node", {"base": base, "parts": parts, "code": cache.file_hash(Path(__file__))}, build)


def _fill(tag: str, base: str, images: list[str]) -> None:
    """Import `images` into the containerd of a container made from `base`, and make that container the image `tag`."""
    container = run(["docker", "run", "--detach", "--privileged", "--entrypoint=sleep", base, "infinity"]).strip()
    try:
        run(["docker", "exec", "--detach", container, "containerd"])
        inside = ["docker", "exec", "--interactive", container, "ctr", "--namespace=k8s.io", "images"]
        deadline = time.monotonic() + 30
        while not works([*inside, "ls"]):
            if time.monotonic() > deadline:
                raise CommandFailed(
                    "containerd does not start in the node's system: `docker logs` of the newest container tells why."
                )
            time.sleep(0.5)
        for image in images:
            with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved:
                command = [*inside, "import", "--no-unpack", "--digests", "-"]
                taken = subprocess.run(command, stdin=saved.stdout, capture_output=True, text=True)
            if saved.returncode or taken.returncode:
                raise CommandFailed(f"{image} could not be put into the node image: {taken.stderr.strip()}")
        run(["docker", "exec", container, "pkill", "-x", "containerd"])
        change = 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]'
        run(["docker", "commit", f"--change={change}", container, tag])
    finally:
        run(["docker", "rm", "--force", container])
