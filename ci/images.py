"""The images that the pods run: Flink with the KDV job for each version, Kafka, and the tools beside them.

Everything in them is fetched and laid out here; `docker build` only copies and has no network.
"""

from __future__ import annotations

import shutil
import stat
import tempfile
from pathlib import Path

from ci import artifacts, bases, cache, cluster, engine, java, versions
from ci.console import run, say, step

_JOBS = versions.REPO / "jobs"
_SOURCES = {"flink": ["image", "kdv"], "kafka": ["image"], "tools": ["image", "kdv", "tools"]}  # what an image takes from jobs/

# What PyFlink compiled for Python functions; those need packages that are not in the image.
_COMPILED = {".so", ".pyx", ".pxd", ".c"}


def _unpack(archive: Path, folder: Path) -> Path:
    """Unpack a wheel or a source archive and return the folder of what it holds."""
    wheel = archive.suffix == ".whl"
    shutil.unpack_archive(archive, folder, "zip" if wheel else "gztar")
    return folder if wheel else next(folder.iterdir())


def _lay_out_flink(version: str, context: Path) -> None:
    """Make `flink` (FLINK_HOME) and `python` (pyflink and what it imports) in the context, from the published packages."""
    home, python = context / "flink", context / "python"
    for wheel in artifacts.fetch(f"pyflink-{version}").iterdir():
        _unpack(wheel, python)
    with tempfile.TemporaryDirectory(dir=context) as work:
        source = _unpack(next(artifacts.fetch(f"flink-{version}").iterdir()), Path(work))
        # A wheel holds the folders under the name of the package, a source archive under that of its build.
        distribution = next(folder for folder in (source / "deps", source / "pyflink") if folder.is_dir())
        home.mkdir()
        for name in ("lib", "opt", "plugins", "licenses"):
            (distribution / name).rename(home / name)
        for name in ("bin", "conf"):
            (python / "pyflink" / name).rename(home / name)
        shutil.copy2(distribution / "bin" / "bash-java-utils.jar", home / "bin")
    for program in (home / "bin").iterdir():
        program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    for file in (python / "pyflink" / "fn_execution").rglob("*"):
        if file.suffix in _COMPILED:
            file.unlink()
    for jar in artifacts.fetch(f"connector-{version}").iterdir():
        shutil.copy2(jar, home / "lib")
    examples = home / "examples" / "streaming"
    examples.mkdir(parents=True)
    for jar in artifacts.fetch(f"examples-{version}").iterdir():
        shutil.copy2(jar, examples / f"{jar.stem.rsplit('-', 1)[1]}.jar")
    for name in ("log", "usrlib"):
        (home / name).mkdir()
    config = home / "conf" / "config.yaml"
    config.write_text(reachable(config.read_text()))


def reachable(config: str) -> str:
    """The configuration that Flink ships, listening to other hosts as well, as a container must."""
    lines = config.replace("bind-host: localhost", "bind-host: 0.0.0.0").splitlines()
    # A TaskManager announces its own name, and the REST server listens everywhere, when the two are not set.
    return "\n".join(line for line in lines if line not in ("  host: localhost", "  bind-address: localhost")) + "\n"


def context(kind: str, version: str) -> Path:
    """The folder that `docker build` reads, without the files of jobs/, which _build() adds.

    For Flink: `flink` is its home, `python` holds pyflink.
    """
    names = {
        "flink": [f"{part}-{version}" for part in ("pyflink", "flink", "connector", "examples")],
        "kafka": ["kafka"],
        "tools": ["kdv-tools"],
    }[kind]

    def build(folder: Path) -> None:
        with step(f"lay out {kind} {version}"):
            if kind == "flink":
                _lay_out_flink(version, folder)
            elif kind == "kafka":
                shutil.copytree(artifacts.fetch("kafka"), folder / "kafka")
            else:
                for wheel in artifacts.fetch("kdv-tools").iterdir():
                    _unpack(wheel, folder / "python")

    lock = artifacts.LOCK.read_text()
    contents = {name: artifacts.locked(lock, name) for name in names}
    return cache.entry("contexts", {"kind": kind, "contents": contents, "how": cache.file_hash(Path(__file__))}, build)


def own_jars(version: str) -> list[Path]:
    """The jars of jobs/ that belong into Flink's lib/, compiled against this version of Flink."""
    lib = context("flink", version) / "flink" / "lib"
    return [java.java_jar(_JOBS / "checked-json", [lib], "checked-json")]


def _build(kind: str, version: str) -> str:
    """Build jobs/image/<kind>.Dockerfile, unless the engine has it, and return the name that its content gives it."""
    base = bases.python() if kind == "tools" else bases.java()
    files = context(kind, version)
    own = [_JOBS / name for name in _SOURCES[kind]]
    jars = own_jars(version) if kind == "flink" else []

    def build(tag: str) -> None:
        with step(f"docker build {kind} {version}"), tempfile.TemporaryDirectory(dir=cache.root()) as work:
            folder = Path(work)
            run(["cp", "--archive", "--link", f"{files}/.", folder])  # hard links: nothing large is copied
            for jar in jars:
                shutil.copy2(jar, folder / "flink" / "lib")
            for source in own:
                shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("__pycache__"))
            shutil.copy2(_JOBS / "image" / f"{kind}.Dockerfile", folder / "Dockerfile")
            options = ["--network=none", f"--build-arg=BASE={base}", f"--tag={tag}"]
            run(["docker", "build", *options, folder], env={"DOCKER_BUILDKIT": "0"})  # the builder that needs no plugin

    return engine.image(kind, {"base": base, "context": files.name, "own": cache.file_hash(*own, *jars)}, build)


def wanted() -> dict[str, tuple[str, str]]:
    """Name of each image that the cluster is given -> (kind, version of what is in it).

    The charts' defaults name published images of Flink and Kafka; where no registry answers, ours stand in for them.
    """
    published = cluster.registry_answers()
    found = {}
    for version in versions.section("flink")["releases"]:
        found[f"flink-kdv:{version}"] = ("flink", version)
        if not published:
            found[f"flink:{version}-java{versions.get('images', 'java')}"] = ("flink", version)
    if not published:
        kafka = versions.get("kafka", "version")
        found[f"apache/kafka:{kafka}"] = ("kafka", kafka)
    tools = versions.get("images", "kdv-tools")
    found[f"kdv-tools:{tools}"] = ("tools", tools)
    return found


def ensure() -> None:
    """Build what is missing and say how large each image is."""
    engine.ensure()
    with step("images"):
        for name, (kind, version) in wanted().items():
            run(["docker", "tag", _build(kind, version), name])
            size = int(run(["docker", "image", "inspect", "--format={{.Size}}", name]))
            say(f"{name}: {size / 1e6:.0f} MB")


def load() -> None:
    """Build what is missing and bring all images into the cluster."""
    ensure()
    cluster.load(list(wanted()))
