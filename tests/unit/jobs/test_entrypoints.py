"""What stands in for published images starts as these do, seen with programs that write down how they were called."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ci.core.paths import IMAGES

PLUGIN = "flink-s3-fs-hadoop-2.2.1.jar"


def program(file: Path, script: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/bash\n{script}\n")
    file.chmod(0o755)


class Flink:
    """A FLINK_HOME in which each call of a script is a line of `calls`: its name, and its arguments with | between."""

    def __init__(self, home: Path) -> None:
        self.home, self.calls = home, home / "calls"
        record = f'(IFS="|"; echo "${{0##*/}} $*") >>{self.calls}'
        for name in ("config-parser-utils", "jobmanager", "standalone-job", "taskmanager", "historyserver"):
            program(home / "bin" / f"{name}.sh", record)
        program(home / "path" / "hostname", "echo $1-host")
        for folder in ("conf", "opt", "plugins"):
            (home / folder).mkdir()
        (home / "opt" / PLUGIN).touch()

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        self.calls.unlink(missing_ok=True)
        # The library is not where the tests run, and would be loaded by every program of theirs.
        given = {"FLINK_HOME": str(self.home), "PATH": f"{self.home}/path:/usr/bin:/bin", "DISABLE_JEMALLOC": "true"}
        entrypoint = ["bash", str(IMAGES / "published-flink" / "published-flink-entrypoint.sh"), *arguments]
        return subprocess.run(entrypoint, env={**given, **environment}, capture_output=True, text=True, timeout=30)

    def called(self, *arguments: str, **environment: str) -> list[str]:
        done = self.run(*arguments, **environment)
        assert done.returncode == 0, done.stderr
        return self.calls.read_text().splitlines()

    @property
    def folders(self) -> str:
        return "|".join(str(self.home / name) for name in ("conf", "bin", "lib"))


@pytest.fixture
def flink(tmp_path: Path) -> Flink:
    return Flink(tmp_path)


@pytest.mark.parametrize(
    ("command", "script"),
    [
        ("jobmanager", "jobmanager.sh"),
        ("standalone-job", "standalone-job.sh"),
        ("taskmanager", "taskmanager.sh"),
        ("history-server", "historyserver.sh"),
    ],
)
def test_a_command_runs_its_script_in_the_foreground(flink: Flink, command: str, script: str) -> None:
    assert flink.called(command, "-D", "a=b c")[-1] == f"{script} start-foreground|-D|a=b c"


def test_help_names_the_commands_and_anything_else_is_executed(flink: Flink) -> None:
    assert "jobmanager|standalone-job|taskmanager|history-server" in flink.run("help").stdout
    done = flink.run("bash", "-c", 'echo "$1"; exit 3', "-", "two words")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (3, "two words")


def test_the_configuration_gets_an_address_and_two_ports(flink: Flink) -> None:
    ports = "-Dblob.server.port=6124|-Dquery.server.port=6125"
    configure = f"config-parser-utils.sh {flink.folders}|-Djobmanager.rpc.address="
    assert flink.called("true") == [f"{configure}-f-host|{ports}"]
    given = {"JOB_MANAGER_RPC_ADDRESS": "jm", "TASK_MANAGER_NUMBER_OF_TASK_SLOTS": "3"}
    assert flink.called("true", **given) == [f"{configure}jm|{ports}|-Dtaskmanager.numberOfTaskSlots=3"]


def test_properties_lose_their_spaces_and_come_after(flink: Flink) -> None:
    program(flink.home / "path" / "envsubst", "sed s/@WHO/me/")
    text = "rest.port: 8082\n\n  env.java.opts.all : -Da=b -Dc=d\nfs.default: s3://b:9000/@WHO\n"
    calls = flink.called("true", FLINK_PROPERTIES=text)
    options = "-Drest.port=8082|-Denv.java.opts.all=-Da=b-Dc=d|-Dfs.default=s3://b:9000/me"
    assert calls[1:] == [f"config-parser-utils.sh {flink.folders}|{options}"]


def test_what_cannot_be_written_does_not_keep_it_from_starting(flink: Flink) -> None:
    program(flink.home / "bin" / "config-parser-utils.sh", "echo 'Read-only file system' >&2; exit 1")
    (flink.home / "plugins").rmdir()
    (flink.home / "plugins").touch()  # no folder can be made in it
    done = flink.run("jobmanager", ENABLE_BUILT_IN_PLUGINS=PLUGIN)
    assert done.returncode == 0
    assert "Read-only file system" in done.stderr
    assert flink.calls.read_text() == "jobmanager.sh start-foreground\n"


def test_plugins_of_the_distribution_are_linked_and_others_end_it(flink: Flink) -> None:
    (flink.home / "opt" / "flink-azure.jar").touch()
    flink.called("true", ENABLE_BUILT_IN_PLUGINS=f"{PLUGIN};flink-azure.jar")
    for jar in (PLUGIN, "flink-azure.jar"):
        assert (flink.home / "plugins" / jar.removesuffix(".jar") / jar).resolve() == flink.home / "opt" / jar
    done = flink.run("jobmanager", ENABLE_BUILT_IN_PLUGINS="flink-none.jar")
    assert done.returncode == 1
    assert "flink-none.jar" in done.stdout
    assert not flink.calls.exists()


def test_jemalloc_is_the_allocator_unless_it_is_declined(flink: Flink) -> None:
    program(flink.home / "path" / "uname", "echo none")
    warning = "there is no /usr/lib/none-linux-gnu/libjemalloc.so"
    assert warning in flink.run("true", DISABLE_JEMALLOC="false").stdout
    assert warning not in flink.run("true", DISABLE_JEMALLOC="true").stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be anybody else")
def test_root_steps_down_where_the_image_has_gosu(flink: Flink) -> None:
    assert "WARNING: Flink runs as root" in flink.run("true").stdout
    program(flink.home / "path" / "gosu", 'echo "gosu $*"')
    assert flink.run("taskmanager").stdout.splitlines() == [f"gosu flink {flink.home}/bin/taskmanager.sh start-foreground"]
    argv = ["sh", str(IMAGES / "published-flink" / "gosu.sh"), "daemon", "id", "-un"]
    assert subprocess.run(argv, check=True, capture_output=True, text=True).stdout == "daemon\n"


class Kafka:
    """A home of Kafka whose programs print how they were called, and the options that they find."""

    def __init__(self, home: Path) -> None:
        self.home = home
        for name in ("storage", "server-start"):
            program(home / "bin" / f"kafka-{name}.sh", 'echo "${0##*/} $*"')
        for folder in ("config", "mounted", "defaults"):
            (home / folder).mkdir()
        (home / "defaults" / "server.properties").write_text("node.id=1\n")

    def run(self, *arguments: str, **environment: str) -> tuple[list[str], list[str]]:
        """What the programs print, and the lines of the options."""
        folders = {"KAFKA_HOME": self.home, "KAFKA_MOUNTED": self.home / "mounted", "KAFKA_DEFAULTS": self.home / "defaults"}
        given = {"PATH": "/usr/bin:/bin", **{name: str(path) for name, path in folders.items()}}
        command = ["bash", str(IMAGES / "kafka" / "kafka-run.sh"), *arguments]
        done = subprocess.run(command, env={**given, **environment}, check=True, capture_output=True, text=True, timeout=30)
        options = (self.home / "config" / "server.properties").read_text()
        return done.stdout.splitlines(), [line for line in options.splitlines() if line]


def test_a_broker_without_options_has_the_defaults(tmp_path: Path) -> None:
    printed, options = Kafka(tmp_path).run(CLUSTER_ID="me", KAFKA_HEAP_OPTS="-Xmx1g")
    config = tmp_path / "config" / "server.properties"
    assert printed == [
        f"kafka-storage.sh format --ignore-formatted --cluster-id me --config {config}",
        f"kafka-server-start.sh {config}",
    ]
    assert options == ["node.id=1"]


def test_variables_of_a_broker_are_its_options(tmp_path: Path) -> None:
    kafka = Kafka(tmp_path)
    _, options = kafka.run("KAFKA_LOG_DIRS=/d", KAFKA_NODE_ID="2", KAFKA_A__B_C___D="x=y", KAFKA_JMX_PORT="1")
    assert options == ["a_b.c-d=x=y", "log.dirs=/d", "node.id=2"]
    (tmp_path / "mounted" / "server.properties").write_text("process.roles=broker\n")
    assert kafka.run(KAFKA_NODE_ID="3")[1] == ["process.roles=broker", "node.id=3"]
    assert kafka.run()[1] == ["process.roles=broker"]
