"""The Debian images that the others are made from, or in."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ci.core import cache, versions
from ci.core.console import run, step
from ci.core.paths import IMAGES
from ci.kubernetes import cluster
from ci.machine import engine
from ci.no_registry import rootfs

# Parts of Debian's packages that no program in our images runs or reads. dpkg's status stays: scanners read it.
_UNWANTED = [
    *(f"usr/bin/{program}*" for program in ("apt", "dpkg", "perl")),
    "usr/lib/*-linux-gnu/perl*",
    "usr/share/perl*",
    "usr/lib/*-linux-gnu/gconv",  # character sets of the C library; Java and Python have their own
    *(f"usr/lib/python3.*/{module}" for module in ("ensurepip", "idlelib", "lib2to3", "pydoc_data", "test", "turtledemo")),
    *(f"usr/share/{directory}" for directory in ("bash-completion", "debconf", "fonts", "gdb", "lintian", "pixmaps")),
    "usr/sbin/*",  # for who administers a machine
    "usr/lib/*-linux-gnu/security",  # for who logs in
    "usr/lib/*-linux-gnu/libdb-*",  # Berkeley DB
    "var/cache/*",
    "var/lib/apt",
    "var/lib/dpkg/info",
    "var/log/*",
]

# What Flink, Kafka and the jobs in them may call: all of Java SE; elliptic curves for TLS; the tools, agents and connections that
# look into a running JVM; DNS, Kerberos and file systems in zip files.
_MODULES = [
    "java.se",
    *(
        f"jdk.{name}"
        for name in (
            "charsets crypto.ec httpserver jcmd jdwp.agent jfr management management.agent management.jfr naming.dns naming.rmi"
            " net security.auth security.jgss unsupported zipfs"
        ).split()
    ),
]

# What Eclipse's runtime of Java 17 holds, on which the published images of Flink and Kafka stand: no tool that looks into a JVM.
_PUBLISHED_MODULES = [
    "java.se",
    *(
        f"jdk.{name}"
        for name in (
            "accessibility charsets crypto.cryptoki crypto.ec dynalink httpserver jdwp.agent jfr jsobject localedata management"
            " management.agent naming.dns naming.rmi net nio.mapmode sctp security.auth security.jgss unsupported xml.dom zipfs"
        ).split()
    ),
]


def _debian(name: str, packages: list[str], unwanted: Sequence[str] = tuple(_UNWANTED)) -> str:
    """A Debian image of one layer with `packages`: from the published one where a registry answers, else of its packages."""
    release = versions.get("images", "debian")
    published = f"debian:{release}-slim" if cluster.registry_answers() else ""

    def from_registry(tag: str) -> None:
        install = f"apt-get update && apt-get install -y --no-install-recommends {' '.join(packages)}"
        command = ["sh", "-c", f"{install} && {rootfs.prune('/', unwanted)}"]
        container = run(["docker", "create", published, *command]).strip()
        try:
            run(["docker", "start", "--attach", container])
            engine.import_tar(["docker", "export", container], tag)
        finally:
            run(["docker", "rm", "--force", container])

    def build(tag: str) -> None:
        with step(f"Debian system {name}"):
            if published:
                from_registry(tag)
            else:
                rootfs.make(tag, release, packages, variant="essential", unwanted=unwanted)

    inputs = {"release": release, "packages": packages, "from": published, "unwanted": list(unwanted)}
    return engine.image(name, inputs, build)


def python() -> str:
    """Python, and openssl, which the published image has as a part of its certificates."""
    return _debian("base-python", ["openssl", "python3"])


def jdk() -> str:
    """What compiles Java and cuts runtimes from it; nothing runs in it on a cluster."""
    return _debian("base-jdk", [f"openjdk-{versions.get('images', 'java')}-jdk-headless"])


def java() -> str:
    """Python, openssl, the allocator that Flink runs best with, and a Java runtime of the modules needed, in /opt/java."""
    return _runtime("base-java", _debian("base-system", ["openssl", "python3", "libjemalloc2"]), "/opt/java", _MODULES)


def published_java() -> str:
    """What the published images of Flink and Kafka stand on, as far as programs and users can tell: no Python."""
    # jemalloc by the name that Flink's entrypoint looks for, envsubst, what compresses for Hadoop's classes, and what Debian's
    # certificates bring along.
    packages = ["gettext-base", "libjemalloc-dev", "libsnappy1v5", "openssl"]
    system = _debian("base-published", packages, ["var/cache/*", "var/lib/apt", "var/log/*"])
    return _runtime("base-published-java", system, "/opt/java/openjdk", _PUBLISHED_MODULES)


def _runtime(name: str, system: str, home: str, modules: Sequence[str]) -> str:
    """The image `system` with a Java runtime of these modules in the directory `home`."""
    dockerfile = IMAGES / "java" / "Dockerfile"
    arguments = {"BASE": system, "JDK": jdk(), "MODULES": ",".join(modules), "JAVA": home}

    def build(tag: str) -> None:
        with step(f"Java runtime {name}"), tempfile.TemporaryDirectory() as work:
            shutil.copy2(dockerfile, Path(work) / "Dockerfile")
            engine.build(Path(work), tag, arguments)

    return engine.image(name, {"arguments": arguments, "dockerfile": cache.file_hash(dockerfile)}, build)
