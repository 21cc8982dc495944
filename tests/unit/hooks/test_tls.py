"""How hooks ask a JobManager that speaks HTTPS, and what they say of certificates that do not fit."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hooks import observe, tls
from hooks.errors import Failed, Unreachable
from hooks.flink import Flink
from hooks.wanted import Certificates

from harness.certificates import Authority, write
from tests.unit.fakes import FakeFlink, FakeKubernetes, serving
from tests.unit.hooks import build
from tests.unit.hooks.conftest import Clock, World

SECRET = "r-rest-tls"


@pytest.fixture(scope="module")
def good(authority: Authority) -> dict[str, str]:
    return authority.issue(["localhost"])


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the hooks look for certificates of REST; nothing is there yet."""
    monkeypatch.setattr(tls, "_CERTIFICATES", tmp_path / "mounted")
    return tmp_path / "mounted" / "rest"


@contextmanager
def https(certificates: dict[str, str], directory: Path, *, clients: str = "") -> Iterator[tuple[FakeFlink, str]]:
    """A JobManager with these certificates; it wants some of its clients that `clients` has signed."""
    files = write(certificates, directory)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # as Flink
    context.load_cert_chain(files / "tls.crt", files / "tls.key")
    if clients:
        context.load_verify_locations(cadata=clients)
        context.verify_mode = ssl.CERT_REQUIRED
    fake = FakeFlink()
    with serving(fake, context) as url:
        yield fake, url


def distrust(flink: Flink) -> str:
    with pytest.raises(Unreachable) as caught:
        flink.jobs()
    assert flink.distrust == str(caught.value)
    return flink.distrust


def test_a_certificate_of_the_authority_is_accepted(good: dict[str, str], mounted: Path, tmp_path: Path) -> None:
    write({"ca.crt": good["ca.crt"]}, mounted)
    with https(good, tmp_path / "server") as (_, url):
        flink = Flink(url, SECRET)
        assert flink.jobs() == []
        assert flink.distrust == ""


def test_the_hook_shows_its_own_where_servers_ask_for_one(
    good: dict[str, str], authority: Authority, mounted: Path, tmp_path: Path
) -> None:
    write({"ca.crt": good["ca.crt"]}, mounted)
    with https(good, tmp_path / "server", clients=authority.certificate) as (_, url):
        sentence = distrust(Flink(url, SECRET))
        assert "does not accept the certificate of this hook" in sentence
        assert f"Secret {SECRET} has expired" in sentence
        assert "leave tls.rest.secretName in the values" in distrust(Flink(url))
        write(good, mounted)
        assert Flink(url, SECRET).jobs() == []


@pytest.mark.parametrize(
    ("names", "days", "trusted", "parts"),
    [
        (["localhost"], -1, True, ("certificate has expired. Put a new one into Secret r-rest-tls", "kubectl rollout restart")),
        (["r-flink-rest"], 2, True, ("Hostname mismatch", "'localhost'", "Put one for this name into Secret r-rest-tls")),
        (["localhost"], 2, False, ("Add the authority that signed it to ca.crt in Secret r-rest-tls",)),
    ],
)
def test_a_certificate_that_does_not_fit_is_a_sentence(
    authority: Authority, mounted: Path, tmp_path: Path, names: list[str], days: int, trusted: bool, parts: tuple[str, ...]
) -> None:
    write({"ca.crt": (authority if trusted else Authority(tmp_path / "another")).certificate}, mounted)
    with https(authority.issue(names, days=days), tmp_path / "server") as (_, url):
        sentence = distrust(Flink(url, SECRET))
        assert f"The certificate of {url} is not accepted" in sentence
        for part in parts:
            assert part in sentence


def test_one_for_clients_alone_is_not_said_to_be_of_another_authority(
    authority: Authority, mounted: Path, tmp_path: Path
) -> None:
    write({"ca.crt": authority.certificate}, mounted)
    with https(authority.issue(["localhost"], usages="clientAuth"), tmp_path / "server") as (_, url):
        sentence = distrust(Flink(url, SECRET))
    assert "unsuitable certificate purpose" in sentence.replace("unsupported", "unsuitable")
    assert "Put one that fits into Secret r-rest-tls" in sentence


def test_a_secret_may_come_after_the_hook(good: dict[str, str], mounted: Path, tmp_path: Path) -> None:
    with https(good, tmp_path / "server") as (_, url):
        flink = Flink(url, SECRET)
        assert f"Secret {SECRET} has no ca.crt" in distrust(flink)
        write({"ca.crt": good["ca.crt"]}, mounted)
        assert flink.jobs() == []


def test_what_certificates_said_stays_until_there_is_an_answer(
    authority: Authority, good: dict[str, str], mounted: Path, tmp_path: Path
) -> None:
    """A JobManager under load refuses one try, and is too slow for the next."""
    write({"ca.crt": good["ca.crt"]}, mounted)
    other = Authority(tmp_path / "other").issue(["localhost"])
    with https(other, tmp_path / "server") as (_, url):
        flink = Flink(url, SECRET)
        sentence = distrust(flink)
    with pytest.raises(Unreachable):
        flink.jobs()
    assert flink.distrust == sentence


def test_what_is_silent_for_another_reason_is_not_distrusted(good: dict[str, str], mounted: Path) -> None:
    write(good, mounted)
    with serving(FakeFlink()) as url:
        flink = Flink(url.replace("http:", "https:").replace("127.0.0.1", "localhost"), SECRET)
        with pytest.raises(Unreachable):
            flink.jobs()
        assert flink.distrust == ""


@pytest.mark.parametrize(
    ("coming", "live", "asked"),
    [
        ("http", None, "http://r-rest:8081"),
        ("https", None, "https://r-rest:8081"),
        ("https", {"rest_scheme": "http", "rest_port": 8081}, "http://r-rest:8081"),
        ("http", {"rest_scheme": "https", "rest_port": 18081}, "https://r-rest:18081"),
        ("https", {"rest_scheme": "https"}, "https://r-rest:8081"),
    ],
)
def test_the_live_jobmanager_is_asked_as_it_speaks(coming: str, live: dict[str, Any] | None, asked: str) -> None:
    jobmanager = build.jobmanager(**live) if live else None
    assert observe.rest_of(build.wanted(rest=f"{coming}://r-rest:8081"), jobmanager) == asked


def encrypted(world: World, url: str) -> None:
    """The live JobManager speaks HTTPS, at another port than the coming one's."""
    deployment = world.kubernetes.deployments["r-jobmanager"]
    deployment["metadata"]["annotations"]["flink/rest"] = "https"
    port = int(url.rpartition(":")[2])
    deployment["spec"]["template"]["spec"]["containers"][0]["ports"] = [{"name": "rest", "containerPort": port}]


@pytest.fixture
def locked(clock: Clock, good: dict[str, str], tmp_path: Path) -> Iterator[World]:
    """The release of build.py, whose JobManager speaks HTTPS."""
    kubernetes = FakeKubernetes()
    with https(good, tmp_path / "server") as (flink, url), serving(kubernetes) as server:
        world = World(flink, kubernetes, url, server, clock)
        encrypted(world, url)
        yield world


@pytest.mark.parametrize("event", ["before", "before-rollback"])
@pytest.mark.parametrize("names", [True, False])
def test_the_state_is_carried_from_https_to_http(
    locked: World, good: dict[str, str], mounted: Path, event: str, names: bool
) -> None:
    """A revision without TLS asks the one before it as it speaks; it looks at the certificate if its values name a Secret."""
    write({"ca.crt": good["ca.crt"]}, mounted)
    plain = locked.rest.replace("https:", "http:")
    locked(event, rest=plain, rest_secret=SECRET if names else "")
    assert locked.record.restore.startswith("file:///flink-data/r/savepoints/")
    assert locked.record.generation == 2


def test_an_upgrade_is_refused_with_what_is_wrong_with_the_certificate(locked: World, mounted: Path, tmp_path: Path) -> None:
    write({"ca.crt": Authority(tmp_path / "another").certificate}, mounted)
    untouched = locked.untouched()
    refusal = locked.refused("before", rest_secret=SECRET)
    assert refusal.startswith(f"The certificate of {locked.rest} is not accepted: ")
    assert "cannot be reached" in refusal
    assert untouched()


def test_the_state_is_carried_from_http_to_https(world: World, mounted: Path) -> None:
    port = int(world.rest.rpartition(":")[2])
    pod = world.kubernetes.deployments["r-jobmanager"]["spec"]["template"]["spec"]
    pod["containers"][0]["ports"] = [{"name": "rest", "containerPort": port}]
    world("before", rest=world.rest.replace("http:", "https:"), rest_secret=SECRET)
    assert world.record.restore.startswith("file:///flink-data/r/savepoints/")


def coming(part: str = "rest", *, clients: bool = False) -> dict[str, Any]:
    """A revision whose pods mount certificates."""
    host = "localhost" if part == "rest" else ""
    return {"certificates": [Certificates(part, f"my-{part}", host, clients or part == "internal")]}


def spoilt(good: dict[str, str], **changes: str | None) -> dict[str, str]:
    files = {**good, **{name.replace("_", "."): text for name, text in changes.items()}}
    return {name: text for name, text in files.items() if text is not None}


@pytest.mark.parametrize("event", ["before", "before-rollback"])
@pytest.mark.parametrize("part", ["rest", "internal"])
def test_a_job_is_not_stopped_for_pods_that_would_not_start(
    world: World, good: dict[str, str], authority: Authority, mounted: Path, tmp_path: Path, part: str, event: str
) -> None:
    directory = mounted.parent / part
    untouched = world.untouched()
    another = Authority(tmp_path / "another")

    def refusal(files: dict[str, str]) -> str:
        shutil.rmtree(directory, ignore_errors=True)
        write(files, directory)
        sentence = world.refused(event, **coming(part))
        assert f"Secret my-{part}, which tls.{part} needs, " in sentence
        assert sentence.endswith("Nothing was changed.")
        assert untouched()
        return sentence

    assert "has no ca.crt, tls.crt, tls.key: " in refusal({})
    assert "has no ca.crt: " in refusal(spoilt(good, ca_crt=None))
    assert "has no tls.key: " in refusal(spoilt(good, tls_key=None))
    assert "does not fit" in refusal(spoilt(good, tls_key=another.issue(["localhost"])["tls.key"]))
    assert "does not fit" in refusal(spoilt(good, tls_crt="no certificate"))
    assert "does not fit" in refusal(spoilt(good, ca_crt="no certificate"))
    assert "certificate has expired" in refusal(authority.issue(["localhost"], days=-1))
    assert "unable to get local issuer certificate" in refusal(spoilt(good, ca_crt=another.certificate))
    if part == "rest":
        assert "Hostname mismatch, certificate is not valid for 'localhost'" in refusal(authority.issue(["elsewhere"]))


@pytest.mark.parametrize("part", ["rest", "internal"])
@pytest.mark.parametrize("clients", [True, False])
def test_it_is_stopped_for_certificates_that_fit(
    world: World, good: dict[str, str], mounted: Path, part: str, clients: bool
) -> None:
    write(good, mounted.parent / part)
    world("before", **coming(part, clients=clients))
    assert world.record.restore.startswith("file:///flink-data/r/savepoints/")


@pytest.mark.parametrize("part", ["rest", "internal"])
def test_an_authority_below_another_one_is_enough(
    world: World, authority: Authority, mounted: Path, tmp_path: Path, part: str
) -> None:
    """Java trusts whatever is in ca.crt."""
    below = Authority(tmp_path / "below", signed_by=authority.directory)
    write(below.issue(["localhost"]), mounted.parent / part)
    world("before", **coming(part))
    assert world.record.generation == 2


def test_a_certificate_for_servers_alone_fits_where_no_client_shows_it(world: World, authority: Authority, mounted: Path) -> None:
    write(authority.issue(["localhost"], usages="serverAuth"), mounted)
    assert "unsuitable certificate purpose" in world.refused("before", **coming(clients=True))
    world("before", **coming())
    assert world.record.generation == 2


def test_a_secret_that_cert_manager_makes_may_come_with_the_revision(mounted: Path, good: dict[str, str]) -> None:
    certificate = {"kind": "Certificate", "metadata": {"name": "c"}, "spec": {"secretName": "my-rest"}}
    tls.check(build.wanted(**coming(), objects=[certificate]))
    write(spoilt(good, ca_crt=None), mounted)
    with pytest.raises(Failed, match=r"has no ca\.crt"):
        tls.check(build.wanted(**coming(), objects=[certificate]))


def test_a_job_can_be_suspended_whatever_its_certificates_are(world: World, mounted: Path) -> None:
    world("before", {"state": "suspended"}, **coming("internal"))
    assert world.record.state == "suspended"


def test_pods_that_stay_need_no_certificates(world: World, mounted: Path) -> None:
    world("before", {"specification": "a"}, jobmanager_template="t1", **coming("internal"))
    refusal = world.refused("before", {"specification": "a"}, jobmanager_template="t2", **coming("internal"))
    assert "Secret my-internal" in refusal
