"""What the images hold of Flink's distribution, and what they leave out."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from ci import flink_home


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
