"""Credentials that the store does not take: refused before the job is stopped for pods that could not read its state."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from hooks import s3
from hooks.errors import Unreachable
from hooks.http_client import Http
from hooks.wanted import S3

from tests.unit.fakes import Fake, serving
from tests.unit.hooks import build
from tests.unit.hooks.conftest import World

SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
CODES = {"InvalidAccessKeyId": 403, "SignatureDoesNotMatch": 403, "NoSuchBucket": 404}


class FakeStore(Fake):
    """Answers each question with an error of that code, if any."""

    def __init__(self, code: str = "") -> None:
        super().__init__()
        self.code = code
        self.asked: list[str] = []

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.asked.append(f"{method} {path}")
        status = CODES.get(self.code, 403) if self.code else 200
        return status, f"<Error><Code>{self.code}</Code></Error>" if self.code else "<ListBucketResult/>"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in zip(s3.KEYS, ("AKIAIOSFODNN7EXAMPLE", SECRET_KEY), strict=True):
        monkeypatch.setenv(name, value)


@pytest.fixture
def store() -> Iterator[tuple[FakeStore, str]]:
    fake = FakeStore()
    with serving(fake) as url:
        yield fake, url


def coming(endpoint: str, **changes: Any) -> dict[str, Any]:
    """A revision with its state on S3."""
    given: dict[str, Any] = {
        "endpoint": endpoint,
        "region": "",
        "path_style": True,
        "buckets": ["b"],
        "secret": "my-s3",
        "keys": ["id", "key"],
    }
    return {**build.S3, "s3": S3(**{**given, **changes})}


def kept_on_s3(world: World) -> None:
    world.write(build.record(**build.S3_RECORD))


@pytest.mark.parametrize("event", ["before", "before-rollback"])
@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "InvalidAccessKeyId",
            "does not know the access key in the Secret my-s3, which state.s3.credentialsSecret names: put one",
        ),
        (
            "SignatureDoesNotMatch",
            "does not accept the secret key in the Secret my-s3, which state.s3.credentialsSecret names: put",
        ),
        ("NoSuchBucket", "has no bucket b: make it, or correct state.root or state.folders."),
    ],
)
def test_a_job_is_not_stopped_for_pods_that_the_store_would_refuse(
    world: World, store: tuple[FakeStore, str], event: str, code: str, said: str
) -> None:
    fake, url = store
    fake.code = code
    kept_on_s3(world)
    untouched = world.untouched()
    refusal = world.refused(event, **coming(url))
    assert refusal.startswith(f"The store {url} {said}")
    assert refusal.endswith(" Nothing was changed.")
    assert untouched()
    assert fake.asked == ["GET /b?list-type=2&max-keys=1"]


@pytest.mark.parametrize("code", ["", "AccessDenied", "RequestTimeTooSkewed", "PermanentRedirect"])
def test_it_is_stopped_where_the_store_says_anything_else(world: World, store: tuple[FakeStore, str], code: str) -> None:
    """An account may read objects and not list them, and the clock of a node may be wrong."""
    fake, url = store
    fake.code = code
    kept_on_s3(world)
    world("before", **coming(url))
    assert world.record.generation == 2


def test_it_is_stopped_where_the_store_does_not_answer(world: World) -> None:
    """Flink tries again until it does; the savepoint before fails by itself."""
    kept_on_s3(world)
    world("before", **coming("http://127.0.0.1:1"))
    assert world.record.generation == 2


def test_a_secret_that_is_missing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(s3.KEYS[1])
    kept_on_s3(world)
    untouched = world.untouched()
    assert world.refused("before", **coming("http://127.0.0.1:1")) == (
        "state.s3.credentialsSecret names the Secret my-s3, which is not there, or lacks id or key: the pods of this revision "
        "would not start. Make it. Nothing was changed."
    )
    assert untouched()


def test_an_install_waits_for_its_secret_and_is_refused_for_a_wrong_one(
    world: World, store: tuple[FakeStore, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, url = store
    fake.code = "InvalidAccessKeyId"
    world.uninstalled()
    world.kubernetes.config_maps.clear()
    assert "does not know the access key" in world.refused("before", **coming(url))
    monkeypatch.delenv(s3.KEYS[0])
    world("before", **coming(url))
    assert world.record.generation == 1


def test_an_install_waits_for_its_bucket(world: World, store: tuple[FakeStore, str]) -> None:
    fake, url = store
    fake.code = "NoSuchBucket"
    world.uninstalled()
    world.kubernetes.config_maps.clear()
    world("before", **coming(url))
    assert world.record.generation == 1


def test_keys_count_without_the_end_of_a_line(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `echo key | base64` has it, and the client of Flink reads it."""
    monkeypatch.setenv(s3.KEYS[1], f"{SECRET_KEY}\n")
    signed: list[str] = []

    def sign(host: str, uri: str, query: str, region: str, keys: tuple[str, str]) -> dict[str, str]:
        signed.append(keys[1])
        return {}

    monkeypatch.setattr(s3, "_signed", sign)
    kept_on_s3(world)
    world("before", **coming("http://127.0.0.1:1"))
    assert signed == [SECRET_KEY]


def test_pods_that_stay_need_no_other_credentials(world: World, store: tuple[FakeStore, str]) -> None:
    fake, url = store
    kept_on_s3(world)
    world("before", {"specification": "a"}, jobmanager_template="t1", jobmanager_specification="a", **coming(url))
    assert fake.asked == []


def test_credentials_with_a_token_are_not_judged_without_it(
    world: World, store: tuple[FakeStore, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, url = store
    monkeypatch.setenv(s3.KEYS[0], "ASIAIOSFODNN7EXAMPLE")
    kept_on_s3(world)
    world("before", **coming(url))
    assert fake.asked == []


@pytest.mark.parametrize(
    ("endpoint", "changes", "asked"),
    [
        ("", {}, "https://b.s3.us-east-1.amazonaws.com/ us-east-1"),
        ("", {"region": "eu-west-3"}, "https://b.s3.eu-west-3.amazonaws.com/ eu-west-3"),
        ("https://s3.eu-central-1.amazonaws.com", {}, "https://b.s3.eu-central-1.amazonaws.com/ eu-central-1"),
        ("store.example.com", {"path_style": True}, "https://store.example.com/b us-east-1"),
        ("minio:9000", {"path_style": True}, "https://minio:9000/b us-east-1"),
        ("http://minio:9000", {"path_style": True}, "http://minio:9000/b us-east-1"),
        ("http://minio:80", {"path_style": True}, "http://minio/b us-east-1"),
        ("https://minio:443", {}, "https://b.minio/ us-east-1"),
    ],
)
def test_the_store_is_asked_as_flink_asks_it(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, changes: dict[str, Any], asked: str
) -> None:
    urls: list[str] = []

    def text(http: Any, method: str, path: str, headers: dict[str, str]) -> str:
        assert headers["host"] == http._url.partition("://")[2]
        region = headers["Authorization"].split("/")[2]
        urls.append(f"{http._url}{path.partition('?')[0]} {region}")
        return ""

    monkeypatch.setattr(Http, "text", text)
    s3.check(coming(endpoint, **{"path_style": False, **changes})["s3"], replaces=True)
    assert urls == [asked]


@pytest.mark.parametrize("endpoint", ["http://[::1", "http://a b", "ftp://store"])
def test_an_address_that_cannot_be_read_is_no_reason(endpoint: str) -> None:
    s3.check(coming(endpoint)["s3"], replaces=True)


def test_a_store_that_does_not_answer_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def text(http: Any, method: str, path: str, headers: dict[str, str]) -> str:
        asked.append(path)
        raise Unreachable("no answer")

    monkeypatch.setattr(Http, "text", text)
    s3.check(coming("http://store", buckets=["b", "c"])["s3"], replaces=True)
    assert asked == ["/b?list-type=2&max-keys=1"]


def test_another_region_is_no_wrong_key(world: World, store: tuple[FakeStore, str]) -> None:
    fake, url = store
    fake.code = "SignatureDoesNotMatch</Code><Message>Credential should be scoped to a valid Region</Message><Code>"
    kept_on_s3(world)
    world("before", **coming(url))
    assert world.record.generation == 2


def test_a_signature_is_that_of_the_example_in_the_documentation_of_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "gmtime", lambda: time.strptime("20130524T000000Z", "%Y%m%dT%H%M%SZ"))
    keys = ("AKIAIOSFODNN7EXAMPLE", SECRET_KEY)
    headers = s3._signed("examplebucket.s3.amazonaws.com", "/", "max-keys=2&prefix=J", "us-east-1", keys)
    signature = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    assert headers["Authorization"].endswith(f"SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}")
