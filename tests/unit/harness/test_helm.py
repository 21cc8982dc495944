"""Helm as an object: which words reach the binary, which environment, and what an error says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.helm import Helm, HelmError

# Prints its arguments, its input and what it knows of homes and clusters, as JSON.
FAKE = """#!/usr/bin/env python3
import json, os, sys
known = {key: value for key, value in os.environ.items() if key.startswith("HELM_") or key == "KUBECONFIG"}
print(json.dumps({"words": sys.argv[1:], "input": sys.stdin.read(), "known": known}))
"""


@pytest.fixture
def helm(tmp_path: Path) -> Helm:
    binary = tmp_path / "helm"
    binary.write_text(FAKE)
    binary.chmod(0o755)
    return Helm(binary, "/kubeconfig")


def test_an_install_waits_and_takes_files_before_values(helm: Helm) -> None:
    seen = json.loads(helm.install("r", "chart", {"a": {"b": 1}}, files=["f.yaml"], namespace="n", timeout="1m"))
    options = ["--namespace=n", "--timeout=1m", "--wait", "--values=f.yaml", "--values=-"]
    assert seen["words"] == ["install", "r", "chart", *options]
    assert json.loads(seen["input"]) == {"a": {"b": 1}}


def test_the_other_operations(helm: Helm) -> None:
    calls = {
        "upgrade": helm.upgrade("r", "chart", namespace="n", wait=False),
        "rollback": helm.rollback("r", 3, namespace="n"),
        "uninstall": helm.uninstall("r", namespace="n"),
        "test": helm.test("r", namespace="n"),
    }
    argv = {operation: json.loads(output)["words"] for operation, output in calls.items()}
    assert all(operation == line[0] and "--namespace=n" in line for operation, line in argv.items())
    assert "--reset-values" in argv["upgrade"]
    assert "--wait" not in argv["upgrade"]
    assert argv["rollback"][2] == "3"
    assert "--wait" in argv["uninstall"]


def test_the_users_own_helm_and_cluster_are_out_of_reach(helm: Helm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELM_NAMESPACE", "production")
    monkeypatch.setenv("KUBECONFIG", "/production")
    known = json.loads(helm.run("version"))["known"]
    assert known.pop("KUBECONFIG") == "/kubeconfig"
    assert known.keys() == {"HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"}
    assert json.loads(Helm(helm.binary).run("version"))["known"]["KUBECONFIG"] == "/dev/null"


@pytest.mark.parametrize("binary", ["helm", "helm3"])
def test_an_error_says_what_helm_said(binary: str, tmp_path: Path) -> None:
    with pytest.raises(HelmError, match=rf"{binary} template r .*: exit code 1\nError:.*") as caught:
        Helm(binary).template(tmp_path / "no-chart", name="r")
    assert "no-chart" in caught.value.stderr


@pytest.mark.parametrize(("script", "code"), [("exec sleep 60", None), ("exit 3", 3)])
def test_an_upgrade_is_killed_unless_it_is_quicker(script: str, code: int | None, tmp_path: Path) -> None:
    binary = tmp_path / "helm"
    binary.write_text(f"#!/bin/sh\n{script}\n")
    binary.chmod(0o755)
    after = 0.2 if code is None else 60
    assert Helm(binary).upgrade_killed("r", "chart", {}, namespace="n", after=after) == code
