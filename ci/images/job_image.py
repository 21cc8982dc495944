"""Builds an image with any Flink and a job of yours; docs/build-an-image.md shows how. `make image` calls it."""

from __future__ import annotations

import argparse
import re
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ci.core import cache, versions
from ci.core.console import die, run, say, step, works
from ci.core.paths import IMAGES
from ci.images import artifacts, bases, flink_home, images
from ci.kubernetes import cluster
from ci.machine import debian, engine

_ENTRYPOINT = IMAGES / "flink" / "docker-entrypoint.sh"
# What a distribution of Flink cannot do without: a pattern, and what it is.
_PARTS = {"bin/flink": "the start scripts", "lib/flink-dist*.jar": "Flink itself", "conf": "the configuration"}
_COORDINATES = re.compile(r"[\w.-]+:[\w.-]+:[\w.-]+")


@dataclass(frozen=True)
class Flink:
    """Where Flink comes from. `where`: a version for `release`, a path for the others."""

    dist: str
    where: str

    def check(self) -> None:
        known = versions.section("flink")["releases"]
        if self.dist == "release":
            if self.where not in known:
                die(f"Flink {self.where} is not among the releases of versions.toml ({', '.join(known)}): take one of them, or "
                    "give its distribution with --flink-dist=archive and --flink=FILE.")  # fmt: skip
        elif not self.where:
            die(f"--flink-dist={self.dist} needs --flink: the path of the {'.tgz' if self.dist == 'archive' else 'directory'}.")
        elif self.dist == "archive" and not Path(self.where).is_file():
            die(f"--flink is {self.where}, which is no file: write the path of a distribution, for example flink-2.2.1-bin.tgz.")
        elif self.dist == "local":
            check_home(Path(self.where))

    def image(self) -> str:
        """The name of an image with this Flink alone; it is built unless the engine has it."""
        if self.dist == "release":
            return images.build("flink", self.where)
        return _dist_image(Path(self.where), unpack=self.dist == "archive")


def check_home(home: Path) -> None:
    """End the program unless a directory is a whole distribution of Flink."""
    missing = [f"{pattern} ({what})" for pattern, what in _PARTS.items() if not list(home.glob(pattern))]
    if missing:
        die(f"{home} is no distribution of Flink: it lacks {', '.join(missing)}.")


def _dist_image(source: Path, *, unpack: bool) -> str:
    base = bases.java()
    # What PyFlink imports; it itself is part of a distribution.
    python = f"pyflink-{versions.get('flink', 'default')}"
    own = [IMAGES / "dist" / "Dockerfile", _ENTRYPOINT]

    def build(tag: str) -> None:
        with step(f"docker build Flink of {source}"), tempfile.TemporaryDirectory(dir=cache.root()) as work:
            context = Path(work)
            home = source
            if unpack:
                run(["tar", "--extract", "--file", source, "--directory", work, "--no-same-owner"])
                directories = list(context.iterdir())
                home = directories[0] if len(directories) == 1 else context
                check_home(home)
            run(["cp", "--archive", home, context / "flink"])
            _for_containers(context / "flink")
            for wheel in artifacts.fetch(python).iterdir():
                if not wheel.name.startswith("apache_flink"):
                    shutil.unpack_archive(wheel, context / "python", "zip")
            shutil.copy2(own[0], context / "Dockerfile")
            shutil.copy2(_ENTRYPOINT, context)
            engine.build(context, tag, {"BASE": base})

    inputs = {
        "base": base,
        "python": cache.file_hash(artifacts.LOCK),
        "flink": cache.file_hash(source),
        "own": cache.file_hash(*own),
    }
    return engine.image("flink-dist", inputs, build)


def _for_containers(home: Path) -> None:
    config = home / "conf" / "config.yaml"
    if config.exists():
        config.write_text(flink_home.for_containers(config.read_text()))
    for directory in ("log", "usrlib"):
        (home / directory).mkdir(exist_ok=True)
    for program in (home / "bin").iterdir():
        program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def lay_out_job(job: Path, usrlib: Path, flink_version: str) -> str:
    """Copy or build the job; returns the option of charts/flink that names it. A directory holds pom.xml or job.py."""
    if job.suffix == ".jar" or (job / "pom.xml").exists():
        jar = job if job.is_file() else maven_jar(job, flink_version)
        shutil.copy2(jar, usrlib / jar.name)
        return f"job.jar.file=/opt/flink/usrlib/{jar.name}"
    if job.suffix == ".py":
        shutil.copy2(job, usrlib / "job.py")
    elif (job / "job.py").exists():
        ignored = shutil.ignore_patterns("__pycache__", "requirements.txt", ".*")
        shutil.copytree(job, usrlib, ignore=ignored, dirs_exist_ok=True)
    else:
        die(f"{job} is no job: name a jar, a Python file, or a directory with pom.xml (Maven) or job.py (Python).")
    return "job.python.file=/opt/flink/usrlib/job.py"


def maven_jar(project: Path, flink_version: str) -> Path:
    """The jar of a Maven project, built against a version of Flink if the project has a property flink.version."""
    debian.provide({"mvn": "maven"}, "the job's project")
    option = [f"-Dflink.version={flink_version}"] if flink_version else []
    with step(f"mvn package {project.name}"):
        run(["mvn", "--quiet", "--batch-mode", f"--file={project / 'pom.xml'}", *option, "clean", "package"])
    unwanted = ("original-", "-sources.jar", "-javadoc.jar", "-tests.jar")
    jars = [
        jar for jar in (project / "target").glob("*.jar") if not jar.name.startswith(unwanted) and not jar.name.endswith(unwanted)
    ]
    if len(jars) != 1:
        die(f"`mvn package` left {len(jars)} jars in {project / 'target'} instead of one: name the right one with --job.")
    return jars[0]


def requirements_of(job: Path, given: str) -> Path | None:
    """The file with what a Python job requires. Ends the program unless every line names one version."""
    file = Path(given) if given else job / "requirements.txt"
    if not file.is_file():
        if given:
            die(f"--requirements is {given}, which is no file.")
        return None
    text = file.read_text().replace("\\\n", " ")
    lines = [line.partition(" #")[0].strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    loose = [line for line in lines if not line.startswith("--") and "==" not in line]
    if loose:
        die(f"{file} leaves versions open: {', '.join(loose)}. Write each as name==version; `pip freeze` prints them so.")
    if named := [line for line in lines if re.match(r"apache.flink", line)]:
        die(f"{file} names {', '.join(named)}, which the image has already: leave it out.")
    return file


def install_requirements(file: Path, target: Path) -> None:
    """Install packages for the Python of the images; a pod downloads nothing."""
    pip = [sys.executable, "-m", "pip"]
    if not works([*pip, "--version"]):
        debian.provide({"pip3": "python3-pip"}, "the Python packages of the job")
    with step(f"pip install {file}"):
        run(
            [
                *pip,
                "install",
                "--quiet",
                "--no-compile",
                *artifacts.target_options(),
                f"--target={target}",
                f"--requirement={file}",
            ]
        )


def jar_of(name: str, directory: Path) -> Path:
    """A jar that an option names: a file, or group:artifact:version, which Maven fetches into the directory."""
    if Path(name).is_file():
        return Path(name)
    if not _COORDINATES.fullmatch(name):
        die(f"{name} is no jar: write the path of one, or group:artifact:version.")
    group, artifact, version = name.split(":")
    with step(f"fetch {name}"):
        artifacts.Jars((artifacts.Jar(group, artifact, version, alone=True),)).fetch(directory)
    return directory / f"{artifact}-{version}.jar"


def build(options: argparse.Namespace, name: str) -> str:
    """Build the image and give it its name; returns the option of charts/flink that names the job in it."""
    job = Path(options.job).resolve()
    flink = Flink(
        options.flink_dist, options.flink or (versions.get("flink", "default") if options.flink_dist == "release" else "")
    )
    flink.check()
    if not job.exists():
        die(f"--job is {options.job}, which does not exist.")
    requirements = requirements_of(job, options.requirements)
    engine.ensure()
    with tempfile.TemporaryDirectory(dir=cache.root()) as work:
        context = Path(work)
        home = context / "flink"
        for directory in ("usrlib", "lib", "plugins"):
            (home / directory).mkdir(parents=True)
        (context / "python").mkdir()
        option = lay_out_job(job, home / "usrlib", flink.where if flink.dist == "release" else options.flink_version)
        if requirements:
            install_requirements(requirements, context / "python")
        for jar in options.lib:
            shutil.copy2(jar_of(jar, context), home / "lib")
        for jar in options.plugin:
            file = jar_of(jar, context)
            own = home / "plugins" / file.stem  # Flink wants a directory for each
            own.mkdir()
            shutil.copy2(file, own)
        shutil.copy2(IMAGES / "job" / "Dockerfile", context / "Dockerfile")
        base = flink.image()
        if option.startswith("job.python") and not works(
            ["docker", "run", "--rm", "--entrypoint=sh", base, "-c", "ls opt/flink-python*.jar"]
        ):
            die("The job is in Python, but this Flink has no flink-python jar in opt/: take a distribution with it.")
        with step(f"docker build {name}"):
            engine.build(context, name, {"BASE": base})
    return option


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make image", description="An image with any Flink and a job of yours.")
    parser.add_argument("--job", required=True, help="a jar, a Python file, or a directory with pom.xml or job.py")
    parser.add_argument("--flink-dist", default="release", choices=["release", "archive", "local"],
                        help="Flink from the published packages, from an archive (.tgz) or from a directory")  # fmt: skip
    parser.add_argument("--flink", default="", help="version of the release, or path of the archive or the directory")
    parser.add_argument(
        "--flink-version", default="", help="version that a Maven project is built against, beside an archive or a directory"
    )
    parser.add_argument(
        "--requirements", default="", help="Python packages of the job (default: requirements.txt of its directory)"
    )
    parser.add_argument("--lib", action="append", default=[], metavar="JAR", help="connector: a path or group:artifact:version")
    parser.add_argument("--plugin", action="append", default=[], metavar="JAR", help="plugin: a path or group:artifact:version")
    parser.add_argument("--name", default="", help="repository of the image (default: the job's name)")
    parser.add_argument("--tag", default="", help="tag of the image (default: the version of Flink, else `dev`)")
    parser.add_argument("--push", action="store_true", help="push it to its registry")
    parser.add_argument("--load", action="store_true", help="load it into the kind cluster of `make cluster`")
    options = parser.parse_args(arguments)
    repository = options.name or Path(options.job).resolve().stem
    default = options.flink or versions.get("flink", "default")
    name = f"{repository}:{options.tag or (default if options.flink_dist == 'release' else 'dev')}"
    option = build(options, name)
    if options.push:
        with step(f"push {name}"):
            run(["docker", "push", name])
    if options.load:
        cluster.load([name])
    repository, _, tag = name.rpartition(":")
    say(f"helm install my charts/flink --set flink.type=job,image.repository={repository},image.tag={tag},{option}")
    return 0
