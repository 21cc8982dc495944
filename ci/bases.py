"""The Debian images that the others are made from, or in."""

from __future__ import annotations

from ci import cluster, engine, rootfs, versions
from ci.console import run, step


def _base(name: str, packages: list[str]) -> str:
    """A Debian image with `packages`: from the published one where a registry answers, else made of Debian's packages."""
    release = versions.get("images", "debian")
    published = f"debian:{release}-slim" if cluster.registry_answers() else ""

    def from_registry(tag: str) -> None:
        install = f"apt-get update && apt-get install -y --no-install-recommends {' '.join(packages)}"
        container = f"flink-helm-{name}"
        run(["docker", "rm", "--force", container])
        run(["docker", "run", f"--name={container}", published, "sh", "-c", f"{install} && rm -rf /var/lib/apt/lists/*"])
        run(["docker", "commit", container, tag])
        run(["docker", "rm", container])

    def build(tag: str) -> None:
        with step(f"Debian system {name}"):
            if published:
                from_registry(tag)
            else:
                rootfs.make(tag, release, packages, variant="essential")

    return engine.image(name, {"release": release, "packages": packages, "from": published}, build)


def python() -> str:
    """Python alone."""
    return _base("base-python", ["python3"])


def java() -> str:
    """Python, a Java runtime, and the allocator that Flink runs best with."""
    return _base("base-java", ["python3", f"openjdk-{versions.get('images', 'java')}-jre-headless", "libjemalloc2"])


def jdk() -> str:
    """What compiles Java; nothing runs in it on a cluster."""
    return _base("base-jdk", [f"openjdk-{versions.get('images', 'java')}-jdk-headless"])
