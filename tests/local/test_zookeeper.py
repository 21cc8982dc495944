"""ZooKeeper that speaks TLS and knows its clients by their certificates: what Flink's client stores there, the hooks find."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hooks import tls, zookeeper
from hooks.clock import Deadline
from hooks.errors import Unreachable
from hooks.high_availability import InZooKeeper
from hooks.wanted import ZooKeeper

from ci.core.paths import FLINK
from ci.images import images
from harness.certificates import Authority, write
from harness.manifests import flink_config, render
from harness.waits import wait_for
from local.process import Process, free_port
from tests.local.kdv import VERSIONS

SHADED = "org.apache.flink.shaded.zookeeper3.org.apache.zookeeper"
JAVA = ["java", "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"]
HOME = "/opt/flink/conf"


class Servers:
    """A quorum of one, and a pod of Flink with the values of `highAvailability.zookeeper.tls`."""

    def __init__(self, version: str, directory: Path) -> None:
        lib = images.context("flink", version) / "flink" / "lib"
        self.classes = ":".join(map(str, (*lib.glob("flink-dist*.jar"), *lib.glob("log4j-*.jar"))))
        self.directory, self.quorum = directory, f"localhost:{free_port()}"
        authority = Authority(directory / "authority")
        for who in ("server", "flink", "another"):
            secret = write(authority.issue(["localhost"], name=who), directory / who / "tls" / "zookeeper").parent
            config = directory / who / "config"
            config.mkdir()
            (config / "config.yaml").write_text("")
            (directory / who / "conf").mkdir()
            script = FLINK / "files" / "configure.sh"
            subprocess.run(["bash", script, config, config / "none", directory / who / "conf", secret], check=True)
        store = directory / "server" / "conf" / "zookeeper"
        (directory / "zoo.cfg").write_text(
            f"dataDir={directory}/data\nadmin.enableServer=false\n"
            f"secureClientPort={self.quorum.partition(':')[2]}\nsecureClientPortAddress=127.0.0.1\n"
            f"serverCnxnFactory={SHADED}.server.NettyServerCnxnFactory\n"
            f"ssl.keyStore.location={store}-keystore.pem\nssl.trustStore.location={store}-truststore.pem\n"
            f"authProvider.x509={SHADED}.server.auth.X509AuthenticationProvider\n"
        )

    def running(self) -> Process:
        server = [*JAVA, self.classes, f"{SHADED}.server.ZooKeeperServerMain", str(self.directory / "zoo.cfg")]
        return Process(server, self.directory / "server.log")

    def create(self, *paths: str) -> None:
        """As Flink does it, with its options, and so that nobody else may look there."""
        own = {"type": "zookeeper", "zookeeper": {"quorum": self.quorum, "tls": {"secretName": "s"}}}
        options = flink_config(render(FLINK, {"highAvailability": own}))["env.java.default-opts.all"]
        options = options.replace(HOME, str(self.directory / "flink" / "conf")).split()
        commands = "".join(f'create {path} "" auth::cdrwa\n' for path in paths)
        subprocess.run(
            [*JAVA, self.classes, *options, f"{SHADED}.ZooKeeperMain", "-server", self.quorum],
            input=f"{commands}quit\n",
            check=True,
            text=True,
        )

    def store(self, monkeypatch: pytest.MonkeyPatch, who: str = "flink", secret: str = "s") -> InZooKeeper:
        """What the hooks see with the certificate of somebody."""
        monkeypatch.setattr(tls, "_CERTIFICATES", self.directory / who / "tls")
        where = ZooKeeper(quorum=self.quorum, path="/r", bundled=False, secret=secret)
        return InZooKeeper(where, Deadline(0), in_use=True, is_to_come=False)


@pytest.fixture(scope="module", params=VERSIONS)
def servers(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    made = Servers(request.param, tmp_path_factory.mktemp("zookeeper"))
    with made.running() as server, pytest.MonkeyPatch.context() as patch:
        wait_for(lambda: not made.store(patch).jobs(), timeout=60, what="ZooKeeper", on_timeout=server.tail)
        yield made


def test_hooks_find_and_forget_what_flink_has_stored(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    servers.create(
        "/r", "/r/jobgraphs", "/r/jobgraphs/a", "/r/jobs", "/r/jobs/b", "/r/jobs/b/checkpoints", "/r/jobs/b/checkpoints/1"
    )
    store = servers.store(monkeypatch)
    assert (store.jobs(), store.knows("b")) == (("a",), True)
    with pytest.raises(Unreachable, match="does not let the hooks see"):
        servers.store(monkeypatch, "another").jobs()
    store = servers.store(monkeypatch)
    store.forget_programs()
    assert (store.jobs(), store.knows("b")) == ((), True)
    store.forget()
    with zookeeper.session(servers.quorum, tls.of_zookeeper("s")) as session:
        assert session.children("/") == ["zookeeper"]


def test_servers_that_speak_tls_do_not_answer_who_does_not(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unreachable, match="no ZooKeeper answers"):
        servers.store(monkeypatch, secret="").jobs()
    (servers.directory / "stranger").mkdir()
    stranger = Authority(servers.directory / "stranger" / "authority").issue(["localhost"])
    write(stranger, servers.directory / "stranger" / "tls" / "zookeeper")
    with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED.*at the certificates in Secret s"):
        servers.store(monkeypatch, "stranger").jobs()
