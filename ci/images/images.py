"""The images that the pods run: Flink with the KDV job for each version, the tools beside it; what tests have beside a release.

Where no registry answers, also what stands in for the published images of Flink, Kafka and Python.
Everything in them is fetched and laid out here; `docker build` only copies and has no network.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from ci.core import cache, versions
from ci.core.console import run, say, step
from ci.core.paths import IMAGES, JOBS
from ci.images import access, artifacts, bases, flink_home, hive, monitoring
from ci.kubernetes import cluster
from ci.machine import engine, golang, java

# What an image takes from jobs/, beside the files of its own folder, which lie in `image` for its Dockerfile.
_JOBS = {"flink": ["kdv"], "tools": ["kdv", "tools"]}
# The job image with a plugin of Flink: they share images/plugin.
_PLUGINS = ("s3", "gcs")


def context(kind: str, version: str) -> Path:
    """The folder that `docker build` reads, without the files of images/ and jobs/, which build() adds.

    For Flink: `flink` is its home, `python` holds pyflink.
    """
    names = {
        "flink": [f"{part}-{version}" for part in ("pyflink", "flink", "connector", "sql-gateway", "examples")],
        "s3": [f"s3-{version}"],
        "gcs": [f"gcs-{version}"],
        "hdfs": ["hadoop-client"],
        "hive": ["hadoop-client", "hadoop-s3", "hive-client"],
        "metastore": ["hadoop-client", "hadoop-s3", "hive-metastore", "postgres"],
        "published-flink": [f"{part}-{version}" for part in ("pyflink", "flink", "sql-gateway", "s3", "examples")],
        "published-python": [],
        "kafka": ["kafka"],
        "tools": ["kdv-tools"],
    }[kind]

    def build(folder: Path) -> None:
        with step(f"lay out {kind} {version}"):
            if kind == "flink":
                flink_home.lay_out(version, folder)
            elif kind == "published-flink":
                flink_home.lay_out_published(version, folder)
            elif kind in _PLUGINS:
                shutil.copytree(artifacts.fetch(names[0]), folder / "plugin")
            elif kind in ("kafka", "hdfs"):
                shutil.copytree(artifacts.fetch(names[0]), folder / kind)
            elif kind in ("hive", "metastore"):
                hive.lay_out(names, folder)
            elif kind == "tools":
                for wheel in artifacts.fetch("kdv-tools").iterdir():
                    shutil.unpack_archive(wheel, folder / "python", "zip")

    lock = artifacts.LOCK.read_text()
    contents = {name: artifacts.locked(lock, name) for name in names}
    how = cache.file_hash(Path(__file__), Path(flink_home.__file__), Path(hive.__file__))
    return cache.entry("contexts", {"kind": kind, "contents": contents, "how": how}, build)


_PROMETHEUS_OPERATOR = "github.com/prometheus-operator/prometheus-operator"
# Images of programs of a Go module: {kind: (module, packages)}.
_PROGRAMS = {
    "versitygw": ("github.com/versity/versitygw", ["cmd/versitygw"]),
    "fake-gcs-server": ("github.com/fsouza/fake-gcs-server", [""]),
    "oauth2-proxy": ("github.com/oauth2-proxy/oauth2-proxy/v7", [""]),
    "keda": ("github.com/kedacore/keda/v2", ["cmd/operator", "cmd/adapter"]),
    "metrics-server": ("sigs.k8s.io/metrics-server", ["cmd/metrics-server"]),
    "prometheus-operator": (_PROMETHEUS_OPERATOR, ["cmd/operator"]),
    "prometheus-config-reloader": (_PROMETHEUS_OPERATOR, ["cmd/prometheus-config-reloader"]),
    "prometheus": ("github.com/prometheus/prometheus", ["cmd/prometheus"]),
}
# Which it is built with: the ways of finding pods in other places than Kubernetes are left out, and take long to compile.
_TAGS = {"prometheus": ["remove_all_sd", "enable_kubernetes_sd"]}
# Those whose image is images/program.
_ALONE = ("fake-gcs-server", "metrics-server", "prometheus-operator", "prometheus-config-reloader", "prometheus")


def _packages(kind: str) -> list[str]:
    """Full names of the packages of programs: the last part of each is that of its program."""
    module, packages = _PROGRAMS[kind]
    return [f"{module}/{package}".removesuffix("/") for package in packages]


def _files(kind: str, version: str) -> Path:
    """The folder that `docker build` reads, be it one of programs alone."""
    if kind in _PROGRAMS:
        return golang.build(kind, _PROGRAMS[kind][0], version, _packages(kind), tags=_TAGS.get(kind, []))
    if kind in ("flink-operator", "hadoop"):
        return artifacts.fetch(kind)
    programs = {"monitoring": monitoring.programs, "access": access.programs}
    return programs[kind]() if kind in programs else context(kind, version)


def own_jars(version: str) -> list[Path]:
    """The jars of jobs/ that belong into Flink's lib/, compiled against this version of Flink."""
    lib = context("flink", version) / "flink" / "lib"
    return [java.java_jar(java.module(JOBS / "checked-json", "main"), [lib], "checked-json")]


def _compiled(kind: str, version: str) -> dict[Path, str]:
    """Jars of sources of ours -> the folder that each belongs into, of those that `docker build` reads."""
    if kind == "flink":
        return dict.fromkeys(own_jars(version), "flink/lib")
    if kind == "hive":
        return {java.java_jar([IMAGES / "hive" / "java"], [], "hive-class-loader"): "."}
    return {}


def arguments(kind: str, version: str) -> dict[str, str]:
    """What the Dockerfile is told: the image that it begins with, and whatever else differs by version."""
    if kind in (*_PLUGINS, "hdfs"):
        return {"BASE": build("flink", version)}
    if kind == "hive":  # where the warehouse is on S3, so are the checkpoints
        return {"BASE": build("s3", version)}
    if kind == "published-flink":  # until 2.1 it starts as root, and its entrypoint steps down
        return {"BASE": bases.published_java(), "RUNS_AS": "root" if version.startswith(("1.", "2.0.", "2.1.")) else "flink"}
    if kind == "kafka":
        return {"BASE": bases.published_java()}
    if kind in _ALONE:
        return {"BASE": bases.python(), "PROGRAM": Path(_packages(kind)[0]).name}
    if kind == "flink-operator":
        return {"BASE": bases.java(), "VERSION": version}
    return {"BASE": bases.java() if kind in ("flink", "hadoop", "metastore") else bases.python()}


def build(kind: str, version: str) -> str:
    """Build the image, unless the engine has it, and return the name that its content gives it."""
    build_arguments = arguments(kind, version)
    files = _files(kind, version)
    shared = {**dict.fromkeys(_PLUGINS, "plugin"), **dict.fromkeys(_ALONE, "program")}
    own = {"image": IMAGES / shared.get(kind, kind), **{name: JOBS / name for name in _JOBS.get(kind, [])}}
    jars = _compiled(kind, version)

    def under(tag: str) -> None:
        with step(f"docker build {kind} {version}"), tempfile.TemporaryDirectory(dir=cache.root()) as work:
            folder = Path(work)
            run(["cp", "--archive", "--link", f"{files}/.", folder])  # hard links: nothing large is copied
            for jar, place in jars.items():
                shutil.copy2(jar, folder / place)
            for name, source in own.items():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            (folder / "image" / "Dockerfile").rename(folder / "Dockerfile")
            engine.build(folder, tag, build_arguments)

    inputs = {"arguments": build_arguments, "context": files.name, "own": cache.file_hash(*own.values(), *jars)}
    return engine.image(kind, inputs, under)


def for_cluster(*, tests: bool) -> dict[str, tuple[str, str]]:
    """Name of each image that the cluster is given -> (kind, version of what is in it), with or without what only tests use.

    The charts' defaults name published images of Flink, Kafka and Python; where no registry answers, ours stand in for them, and
    hold no more than these.
    """
    published = cluster.registry_answers()
    named = {}
    for version in versions.section("flink")["releases"]:
        named[f"flink-kdv:{version}"] = ("flink", version)
        named[f"flink-kdv:{version}-s3"] = ("s3", version)
        named[f"flink-kdv:{version}-hdfs"] = ("hdfs", version)
        if not published:
            named[f"flink:{version}-java{versions.get('images', 'java')}"] = ("published-flink", version)
    if not published:
        kafka = versions.get("kafka", "version")
        named[f"apache/kafka:{kafka}"] = ("kafka", kafka)
    tools = versions.get("images", "kdv-tools")
    named[f"kdv-tools:{tools}"] = ("tools", tools)
    if not published:
        python = versions.get("images", "python")
        named[f"python:{python}-slim-{versions.get('images', 'debian')}"] = ("published-python", python)
    if tests and not published:
        store = versions.get("versitygw", "version")
        named[f"versity/versitygw:v{store}"] = ("versitygw", store)
    if tests:
        hadoop = versions.get("hadoop", "version")
        named[f"hadoop:{hadoop}"] = ("hadoop", hadoop)
        named[monitoring.IMAGE] = ("monitoring", monitoring.IMAGE.partition(":")[2])
    return named


def ways_in() -> dict[str, tuple[str, str]]:
    """The same of the images of which only tests of ways in to the UI make pods: what is in them takes minutes to compile."""
    proxy = {} if cluster.registry_answers() else {access.OAUTH2_PROXY: ("oauth2-proxy", versions.get("access", "oauth2-proxy"))}
    return {access.IMAGE: ("access", access.IMAGE.partition(":")[2]), **proxy}


def on_hive() -> dict[str, tuple[str, str]]:
    """The same of those of which only tests of Hive make pods."""
    flink = next(version for version in versions.section("flink")["releases"] if version.startswith("1."))
    metastore = versions.get("hive", "version")
    return {f"flink-kdv:{flink}-hive": ("hive", flink), f"metastore:{metastore}": ("metastore", metastore)}


def on_gcs() -> dict[str, tuple[str, str]]:
    """The same of those of which only tests of Google Cloud Storage make pods: its store takes minutes to compile."""
    store = versions.get("fake-gcs-server", "version")
    named = {f"flink-kdv:{version}-gcs": ("gcs", version) for version in versions.section("flink")["releases"]}
    if not cluster.registry_answers():
        named[f"fsouza/fake-gcs-server:{store}"] = ("fake-gcs-server", store)
    return named


def source(kind: str, version: str) -> Path:
    """The source of the program in an image of that kind."""
    return golang.module_folder(_PROGRAMS[kind][0], version)


def ensure(*, tests: bool = True) -> None:
    """Build what is missing and say how large each image is."""
    engine.ensure()
    _build(for_cluster(tests=tests))


def _build(named: dict[str, tuple[str, str]]) -> None:
    with step("images"):
        for name, (kind, version) in named.items():
            run(["docker", "tag", build(kind, version), name])
            size = int(run(["docker", "image", "inspect", "--format={{.Size}}", name]))
            say(f"{name}: {size / 1e6:.0f} MB")


def load(*, tests: bool = True) -> None:
    """Build what is missing and bring the images into the cluster."""
    ensure(tests=tests)
    cluster.load(list(for_cluster(tests=tests)))


def load_named(named: dict[str, tuple[str, str]], workers: int = 0) -> None:
    """The same of these images, such as `ways_in()`, for the cluster with so many workers."""
    _build(named)
    cluster.load(list(named), workers)
