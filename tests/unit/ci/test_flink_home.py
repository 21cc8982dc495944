"""What the images hold of Flink's distribution, and what they leave out."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from ci.images import artifacts, flink_home


@pytest.mark.parametrize(
    "entry",
    [
        "librocksdbjni-linux64.so",
        "libforstjni-linux64.so",
        "linux/amd64/libzstd-jni-1.5.6-4.so",
        "net/jpountz/util/linux/amd64/liblz4-java.so",
        "org/xerial/snappy/native/Linux/x86_64/libsnappyjava.so",
        "META-INF/native/liborg_apache_flink_shaded_netty4_netty_transport_native_epoll_x86_64.so",
        "linux-x64/libasyncProfiler.so",
        "org/apache/flink/client/python/PythonDriver.class",
        "org/apache/flink/api/python/shaded/py4j/GatewayServer.class",
    ],
)
def test_what_runs_in_the_image_stays(entry: str) -> None:
    assert not flink_home.unused(entry)


@pytest.mark.parametrize(
    "entry",
    [
        "librocksdbjni-linux64-musl.so",
        "librocksdbjni-linux32.so",
        "librocksdbjni-linux-aarch64.so",
        "libforstjni-linux-ppc64le.so",
        "librocksdbjni-osx-arm64.jnilib",
        "librocksdbjni-win64.dll",
        "win/amd64/libzstd-jni-1.5.6-4.dll",
        "freebsd/amd64/libzstd-jni-1.5.6-4.so",
        "net/jpountz/util/win32/amd64/liblz4-java.so",
        "net/jpountz/util/darwin/x86_64/liblz4-java.dylib",
        "org/xerial/snappy/native/Linux/x86/libsnappyjava.so",
        "org/xerial/snappy/native/Linux/android-arm/libsnappyjava.so",
        "linux-arm64/libasyncProfiler.so",
        "macos/libasyncProfiler.so",
        "org/apache/beam/sdk/Pipeline.class",
        "org/apache/flink/api/python/shaded/org/apache/arrow/vector/IntVector.class",
        "META-INF/native/liborg_apache_beam_vendor_grpc_v1p60p1_netty_tcnative_linux_x86_64.so",
    ],
)
def test_what_is_for_other_machines_or_for_python_functions_goes(entry: str) -> None:
    assert flink_home.unused(entry)


def test_a_slimmed_jar_keeps_the_rest_byte_for_byte(tmp_path: Path) -> None:
    jar = tmp_path / "flink-dist.jar"
    inner = bytes(range(256)) * 64
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"a/A.class": b"a" * 999, "librocksdbjni-win64.dll": b"b", "flink-rpc-akka.jar": inner}.items():
            archive.writestr(name, content)
    flink_home.slim(jar)
    with zipfile.ZipFile(jar) as archive:
        assert archive.namelist() == ["a/A.class", "flink-rpc-akka.jar"]
        assert archive.read("a/A.class") == b"a" * 999
        assert archive.read("flink-rpc-akka.jar") == inner
        assert archive.getinfo("flink-rpc-akka.jar").compress_type == zipfile.ZIP_STORED


def test_a_jar_that_is_all_used_is_left_as_it_was_published(tmp_path: Path) -> None:
    jar = tmp_path / "flink-csv.jar"
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr("a/A.class", b"a")
    before = jar.stat().st_ino, jar.read_bytes()
    flink_home.slim(jar)
    assert (jar.stat().st_ino, jar.read_bytes()) == before


def test_the_shipped_configuration_listens_to_other_hosts() -> None:
    shipped = "taskmanager:\n  bind-host: localhost\n  host: localhost\nrest:\n  address: localhost\n  bind-address: localhost\n"
    assert flink_home.for_containers(shipped) == "taskmanager:\n  bind-host: 0.0.0.0\nrest:\n  address: localhost\n"


def test_the_shipped_configuration_names_no_module_that_a_runtime_lacks() -> None:
    kept, opened = "--add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED", "--add-opens=java.base/java.io=ALL-UNNAMED"
    shipped = f"all: {kept} --add-exports=jdk.compiler/com.sun.tools.javac.api=ALL-UNNAMED {opened}\n"
    assert flink_home.for_containers(shipped) == f"all: {kept} {opened}\n"


def test_the_start_scripts_take_options_for_their_own_program() -> None:
    script = 'output=`"${JAVA_RUN}" -classpath "${class_path}" org.apache.flink.runtime.util.bash.BashJavaUtils`\n'
    assert '"${JAVA_RUN}" ${BASH_JAVA_UTILS_OPTS:-} -classpath "${class_path}"' in flink_home.with_options(script)
    with pytest.raises(ValueError, match="0 times instead of once"):
        flink_home.with_options("java")


def wheel(file: Path, *names: str) -> None:
    file.parent.mkdir(parents=True)
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, name)


def test_the_published_distribution_has_its_files_by_their_names_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    got = tmp_path / "got"
    monkeypatch.setattr(artifacts, "fetch", lambda name: got / name)
    programs = [f"pyflink/{name}" for name in ("bin/flink", "bin/pyflink-udf-runner.sh", "conf/config.yaml", "table.py")]
    wheel(got / "pyflink-2.2.1" / "pyflink.whl", *programs, "py4j/a.py")
    libraries = ("bin/bash-java-utils.jar", "lib/flink-scala_2.12-2.2.1.jar", "opt/flink-python-2.2.1.jar", "plugins/README.txt")
    texts = ("README.txt", "licenses/LICENSE.a")
    published = [f"x.dist-info/licenses/{name}" for name in ("LICENSE", "NOTICE")]
    wheel(got / "flink-2.2.1" / "libraries.whl", *(f"pyflink/{name}" for name in (*libraries, *texts)), *published)
    for name in ("sql-gateway/flink-sql-gateway-2.2.0", "s3/flink-s3-fs-hadoop-2.2.0", "examples/flink-2.3.0-WordCount"):
        kind, _, jar = name.partition("/")
        wheel(got / f"{kind}-2.2.1" / f"{jar}.jar", "a.class")
    monkeypatch.setattr(flink_home, "slim", lambda jar: None)  # these are no jars
    (tmp_path / "context").mkdir()
    flink_home.lay_out_published("2.2.1", tmp_path / "context")
    home = tmp_path / "context" / "flink"
    assert list((tmp_path / "context").iterdir()) == [home]
    assert {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()} == {
        *("bin/flink", "bin/bash-java-utils.jar", "conf/config.yaml", "examples/streaming/WordCount.jar"),
        *("lib/flink-scala_2.12-2.2.1.jar", "licenses/LICENSE.a", "plugins/README.txt", "LICENSE", "NOTICE", "README.txt"),
        *(f"opt/flink-{name}-2.2.1.jar" for name in ("python", "sql-gateway", "s3-fs-hadoop")),
    }
    assert (home / "log").is_dir()
    assert not (home / "usrlib").exists()
