"""FLINK_HOME and PyFlink as the images hold them: the published packages, without what nothing in an image can use."""

from __future__ import annotations

import re
import shutil
import stat
import tempfile
import zipfile
from pathlib import Path

from ci.images import artifacts

# Python functions and pandas need packages that are not in the image: what PyFlink has for them, in Python and in its jar (Beam,
# Arrow and what these use), cannot run.
_PYTHON_UNUSED = ("examples", "fn_execution", "testing")
_FUNCTIONS = re.compile(
    r"^org/apache/beam/|^META-INF/native/.*_beam_"
    r"|^org/apache/flink/api/python/shaded/(org/apache/arrow|com/google/(protobuf|flatbuffers)|io/netty|org/joda)/"
)
# The distribution of Scala, for jobs that use it and do not bring it along. Flink itself has its own inside.
_SCALA = "flink-scala_*.jar"
# Machine code in the jars (RocksDB, ForSt, netty, snappy, lz4, zstd) for anything but Linux with glibc on x86-64.
_FOREIGN = re.compile(
    r"\.(dll|dylib|jnilib)$"
    r"|(musl|android|freebsd|sunos|osx|mac|darwin|windows|win\d|arm|aarch|ppc|s390|riscv|loongarch|mips|linux-?32|i386|x86(?!_64)).*\.so$",
    re.IGNORECASE,
)
# How the start scripts run the small program that reads the configuration. It runs three times for each process of Flink.
_UTILS_CALL = '"${JAVA_RUN}" -classpath'


def _unpack(archive: Path, folder: Path) -> Path:
    """Unpack a wheel or a source archive and return the folder of what it holds."""
    wheel = archive.suffix == ".whl"
    shutil.unpack_archive(archive, folder, "zip" if wheel else "gztar")
    return folder if wheel else next(folder.iterdir())


def unused(entry: str) -> bool:
    """Whether a program in the image can do nothing with this entry of a jar."""
    return bool(_FUNCTIONS.search(entry) or _FOREIGN.search(entry))


def slim(jar: Path) -> None:
    """Take the unused entries out of a jar. A jar inside it is not compressed again: Flink unpacks it at each start."""
    with zipfile.ZipFile(jar) as source:
        entries = source.infolist()
        kept = [entry for entry in entries if not unused(entry.filename)]
        if len(kept) == len(entries):
            return
        smaller = jar.with_suffix(".tmp")
        with zipfile.ZipFile(smaller, "w") as target:
            for entry in kept:
                stored = entry.filename.endswith((".jar", "/"))
                target.writestr(entry, source.read(entry), zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)
    smaller.replace(jar)


def for_containers(config: str) -> str:
    """The configuration that Flink ships, listening to other hosts as well, and without options that Java warns of."""
    lines = config.replace("bind-host: localhost", "bind-host: 0.0.0.0").splitlines()
    # A TaskManager announces its own name, and the REST server listens everywhere, when the two are not set.
    text = "\n".join(line for line in lines if line not in ("  host: localhost", "  bind-address: localhost")) + "\n"
    # A Java runtime holds no compiler: each JVM would warn five times.
    return re.sub(r"--add-exports=jdk\.compiler/\S+ ", "", text)


def with_options(script: str) -> str:
    """The start script that runs Flink's small program, which then takes the options of the JVM in $BASH_JAVA_UTILS_OPTS."""
    if script.count(_UTILS_CALL) != 1:
        raise ValueError(f"bash-java-utils.sh holds {_UTILS_CALL} {script.count(_UTILS_CALL)} times instead of once")
    return script.replace(_UTILS_CALL, '"${JAVA_RUN}" ${BASH_JAVA_UTILS_OPTS:-} -classpath')


def _distribution(version: str, home: Path, python: Path) -> None:
    """Make FLINK_HOME, as far as the published packages hold it, and unpack pyflink and what it imports into `python`."""
    for wheel in artifacts.fetch(f"pyflink-{version}").iterdir():
        _unpack(wheel, python)
    with tempfile.TemporaryDirectory(dir=home.parent) as work:
        source = _unpack(next(artifacts.fetch(f"flink-{version}").iterdir()), Path(work))
        # A wheel holds the folders under the name of the package, a source archive under that of its build.
        distribution = next(folder for folder in (source / "deps", source / "pyflink") if folder.is_dir())
        home.mkdir()
        for name in ("lib", "opt", "plugins", "licenses"):
            (distribution / name).rename(home / name)
        for name in ("bin", "conf"):
            (python / "pyflink" / name).rename(home / name)
        shutil.copy2(distribution / "bin" / "bash-java-utils.jar", home / "bin")
        shutil.copy2(source / "pyflink" / "README.txt", home)
        for name in ("LICENSE", "NOTICE"):
            shutil.copy2(next(file for file in source.rglob(name) if file.is_file()), home)
    for program in (home / "bin").iterdir():
        program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    examples = home / "examples" / "streaming"
    examples.mkdir(parents=True)
    for jar in artifacts.fetch(f"examples-{version}").iterdir():
        shutil.copy2(jar, examples / f"{jar.stem.rsplit('-', 1)[1]}.jar")
    (home / "log").mkdir()


def _slim(home: Path) -> None:
    for jar in [*home.glob("lib/*.jar"), *home.glob("opt/*.jar")]:
        slim(jar)


def lay_out(version: str, context: Path) -> None:
    """Make `flink` (FLINK_HOME) and `python` (pyflink and what it imports) in the context, from the published packages."""
    home, python = context / "flink", context / "python"
    _distribution(version, home, python)
    for name in _PYTHON_UNUSED:
        shutil.rmtree(python / "pyflink" / name)
    for name, folder in (("connector", "lib"), ("sql-gateway", "opt")):
        for jar in artifacts.fetch(f"{name}-{version}").iterdir():
            shutil.copy2(jar, home / folder)
    for jar in (home / "lib").glob(_SCALA):
        jar.unlink()
    _slim(home)
    (home / "usrlib").mkdir()
    for file, change in (("conf/config.yaml", for_containers), ("bin/bash-java-utils.sh", with_options)):
        text = (home / file).read_text()
        (home / file).write_text(change(text))


def lay_out_published(version: str, context: Path) -> None:
    """Make `flink` in the context: FLINK_HOME as Flink publishes it, by the names of its files, and nothing beside it."""
    home = context / "flink"
    with tempfile.TemporaryDirectory(dir=context) as python:
        _distribution(version, home, Path(python))
    for script in (home / "bin").glob("pyflink-udf-runner.*"):  # of the Python package alone
        script.unlink()
    for name in ("sql-gateway", "s3"):
        for jar in artifacts.fetch(f"{name}-{version}").iterdir():
            # The nearest version that a repository has, under the name that stands in the distribution.
            shutil.copy2(jar, home / "opt" / f"{jar.stem.rsplit('-', 1)[0]}-{version}.jar")
    _slim(home)
