"""The docker engine: the one that answers, else Debian's, installed and started by us."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ci.core import cache
from ci.core.console import CommandFailed, die, run, step, works
from ci.machine import debian

# In the order of their numbers (capabilities(7)).
CAPABILITIES = [
    f"CAP_{name}"
    for name in (
        "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
        "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
        "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE "
        "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
    ).split()
]
_START_SECONDS = 60


def missing_capabilities(status: str) -> list[str]:
    """The capabilities outside the bounding set that the text of /proc/<pid>/status shows."""
    line = next(line for line in status.splitlines() if line.startswith("CapBnd:"))
    bounding = int(line.split()[1], 16)
    return [name for number, name in enumerate(CAPABILITIES) if not bounding >> number & 1]


def answers() -> bool:
    return works(["docker", "version", "--format", "{{.Server.Version}}"], timeout=20)


def _runtime_options() -> list[str]:
    """Options that make dockerd use runc.sh, where this machine lacks capabilities; none elsewhere."""
    missing = missing_capabilities(Path("/proc/self/status").read_text())
    if not missing:
        return []
    debian.provide({"jq": "jq"}, "the container runtime")
    script = Path(__file__).with_name("runc.sh")

    def fill(target: Path) -> None:
        shutil.copy(script, target / "runc")
        (target / "missing.json").write_text(json.dumps(missing) + "\n")

    directory = cache.entry("runc", {"script": cache.file_hash(script), "missing": missing}, fill)
    return ["--add-runtime", f"reduced={directory}/runc", "--default-runtime", "reduced"]


def _start() -> None:
    if Path("/run/systemd/system").is_dir():
        run(["systemctl", "start", "docker"])
        return
    log = cache.root() / "dockerd.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    Path("/lib/modules").mkdir(exist_ok=True)  # kind mounts it into its nodes
    with log.open("ab") as output:
        engine = subprocess.Popen(
            ["dockerd", *_runtime_options()],
            env={**os.environ, "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            start_new_session=True,  # the engine outlives this command
        )
    deadline = time.monotonic() + _START_SECONDS
    while not answers():
        if engine.poll() is not None or time.monotonic() > deadline:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise CommandFailed(f"dockerd did not start, its log {log} ends with:\n{tail}")
        time.sleep(0.3)


@functools.cache
def ensure() -> None:
    """Return once an engine answers; it may be remote or rootless, whatever the docker client is set to."""
    if answers():
        return
    remedy = "start docker, or run this as root on Debian, where it is installed for you"
    if os.environ.get("DOCKER_HOST"):
        die(f"The docker engine of DOCKER_HOST does not answer: {remedy} once DOCKER_HOST is unset.")
    if os.geteuid() != 0 or not debian.release():
        die(f"No docker engine answers: {remedy}.")
    programs = {"dockerd": "docker.io", "docker": "docker.io", "iptables": "iptables", "ip": "iproute2"}
    debian.provide(programs, "the docker engine")
    with step("start the docker engine"):
        _start()


def image_id(reference: str) -> str:
    """The id of an image that the engine holds ("sha256:..."); empty where it holds none of that name."""
    try:
        return run(["docker", "image", "inspect", "--format", "{{.Id}}", reference]).strip()
    except CommandFailed:
        return ""


def image(name: str, inputs: Any, build: Callable[[str], None]) -> str:
    """Return the name of the image flink-helm/<name>:<key of inputs>; `build(name)` makes it where the engine has it not.

    The engine itself is the store: an image that was removed, or an engine that was replaced, leads to a new build.
    """
    tag = f"flink-helm/{name}:{cache.key(inputs)}"
    if not image_id(tag):
        with cache.lock(cache.root() / "images" / f"{name}.lock"):
            if not image_id(tag):
                build(tag)
    return tag


def build(directory: Path, tag: str, arguments: Mapping[str, str] | None = None) -> None:
    """Build an image from a directory that holds a Dockerfile; no step of it has a network."""
    options = [f"--build-arg={name}={value}" for name, value in (arguments or {}).items()]
    command: list[str | Path] = ["docker", "build", "--network=none", *options, f"--tag={tag}", directory]
    run(command, env={"DOCKER_BUILDKIT": "0"})  # the builder that needs no plugin


def import_tar(command: Sequence[str | Path], tag: str, changes: Sequence[str] = ()) -> None:
    """Import the tar that a command writes to its standard output as an image of one layer; `changes` as in a Dockerfile."""
    options = [word for change in changes for word in ("--change", change)]
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=errors) as source:
            taken = subprocess.run(["docker", "import", *options, "-"], stdin=source.stdout, capture_output=True, text=True)
        errors.seek(0)
        lines = errors.read().decode(errors="replace").splitlines()
    if source.returncode != 0 or taken.returncode != 0:
        tail = "\n".join([*lines[-15:], taken.stderr.strip()])
        raise CommandFailed(f"docker import of {command[0]} failed (exit code {source.returncode}):\n{tail}")
    # Named only now: a tar that broke off must not be taken for a whole image.
    run(["docker", "tag", taken.stdout.strip(), tag])
