"""The hook that makes certificates for trials."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hooks import certificates
from hooks.errors import Failed, LookAgain

from harness.certificates import write

LABELS = {"app.kubernetes.io/instance": "r"}
NAMES = ["r-flink-rest", "localhost"]


class Secrets:
    """Kubernetes, as far as it keeps Secrets."""

    def __init__(self) -> None:
        self.data: dict[str, dict[str, str]] = {}
        self.patched = 0

    def create_secret(self, name: str, labels: dict[str, str], data: dict[str, str]) -> None:
        assert labels == LABELS
        if name in self.data:
            raise LookAgain("409")
        self.data[name] = data

    def patch_secret(self, name: str, data: dict[str, str]) -> None:
        self.patched += 1
        self.data[name].update(data)

    def files(self, name: str) -> dict[str, str]:
        return {key: base64.b64decode(value).decode() for key, value in self.data[name].items()}


class Hook:
    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self.monkeypatch = home, monkeypatch
        self.secrets = Secrets()
        self.runs = 0

    def __call__(self, rotation: str = "", names: list[str] = NAMES) -> dict[str, str]:
        """One operation of Helm: the pod mounts the Secret as it is. Returns the Secret afterwards."""
        self.runs += 1
        there, work = self.home / f"there-{self.runs}", self.home / f"work-{self.runs}"
        work.mkdir()
        if "s" in self.secrets.data:
            write(self.secrets.files("s"), there / "s")
        self.monkeypatch.setattr(certificates, "_THERE", there)
        self.monkeypatch.setattr(certificates, "_WORK", work)
        kubernetes: Any = self.secrets
        self.message = certificates.ensure(kubernetes, "s", {"names": names, "rotation": rotation}, LABELS)
        return self.secrets.files("s")


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hook:
    return Hook(tmp_path, monkeypatch)


def openssl(directory: Path, *arguments: str) -> str:
    return subprocess.run(["openssl", *arguments], cwd=directory, capture_output=True, text=True, check=True).stdout


def test_the_first_one_is_made_for_its_names_and_both_usages(hook: Hook, tmp_path: Path) -> None:
    files = write(hook(), tmp_path / "files")
    assert "is made" in hook.message
    assert openssl(files, "verify", "-CAfile", "ca.crt", "-verify_hostname", "r-flink-rest", "tls.crt") == "tls.crt: OK\n"
    for purpose in ("sslserver", "sslclient"):
        assert openssl(files, "verify", "-CAfile", "ca.crt", "-purpose", purpose, "tls.crt") == "tls.crt: OK\n"
    assert openssl(files, "x509", "-in", "tls.crt", "-noout", "-pubkey") == openssl(files, "pkey", "-in", "tls.key", "-pubout")


def test_it_stays_over_operations(hook: Hook) -> None:
    assert hook() == hook()
    assert hook.message == "Secret s stays."
    assert hook.secrets.patched == 0


@pytest.mark.parametrize("change", [{"rotation": "2"}, {"names": [*NAMES, "flink.example"]}])
def test_another_one_is_of_the_same_authority(hook: Hook, tmp_path: Path, change: dict[str, Any]) -> None:
    """Old pods and new ones, and the hook between them, accept each other."""
    before, after = hook(), hook(**change)
    assert "a new certificate" in hook.message
    assert before["ca.crt"] == after["ca.crt"]
    assert before["tls.crt"] != after["tls.crt"]
    assert openssl(write(after, tmp_path / "files"), "verify", "-CAfile", "ca.crt", "tls.crt") == "tls.crt: OK\n"
    assert json.loads(after["made-for"])["rotation"] == change.get("rotation", "")


def test_a_secret_of_somebody_else_is_left_alone(hook: Hook) -> None:
    hook.secrets.data["s"] = {"tls.crt": ""}
    before = dict(hook.secrets.data)
    with pytest.raises(Failed, match="this chart has not made it"):
        hook()
    assert hook.secrets.data == before


def test_an_image_without_openssl_is_a_sentence(hook: Hook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Failed, match="has no openssl, which tls.selfSigned needs"):
        hook()
