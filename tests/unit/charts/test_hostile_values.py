"""Texts with the signs of shells, YAML, templates, formats, nginx and Kubernetes: one text to the end, or refused."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest

from ci.core.paths import FLINK
from harness.helm import Helm, HelmError, merged
from harness.manifests import containers
from harness.validation import strict_yaml_all
from tests.unit.charts.releases import refused

Tree = dict[str, Any]

TEXTS = [
    *("$(id)", "$$(id)", "$(HOME)", "$$(HOME)", "${HOME}", "$host", "$", "`id`", "; id", "| id && id", "> /tmp/a", "\\", "\\n"),
    *("%s", "%d%!v(x)", "%%", "\n", "a\r\nb: c", "\n---\n- a", "a: b", "- a", "a #b", "&a *a", "!!binary a", "*/", "<!-- -->"),
    *("'", '"', "''", '"a": "b"', "}", "{", "];", "return 200;", "../..", "\x01\x07\x1b[31m"),
    *("\ufeff", "ü"),
]
# Also where no blank may be.
HOSTILE = "".join(text for text in TEXTS if not re.search(r"\s", text))
IN_ADDRESS = re.sub('[@,"#\x00-\x1f]', "", HOSTILE)
ALL = " ".join(["a", *TEXTS, "a"])


def walls(text: str, unspaced: str, in_address: str) -> Tree:
    """Every value that takes free text, save for `auth.basic`, and for those that make certificates."""
    return {
        "flink": {"type": "job"},
        "job": {"jar": {"file": "/a.jar"}},
        "highAvailability": {"type": "zookeeper", "zookeeper": {"quorum": "zk:2281", "tls": {"secretName": text}}},
        "tls": {part: {"enabled": True, "secretName": text} for part in ("internal", "rest")} | {"rotation": text},
        "gateway": {
            "parentRefs": [{"name": text, "namespace": text, "sectionName": text}],
            "hostnames": [text],
            "annotations": {"a": text, text: "a"},
            "caConfigMap": text,
        },
        "rest": {"readOnly": True, "service": {"annotations": {"a": text, text: "a"}}},
        "auth": {
            "type": "oidc",
            "oidc": {
                "image": text,
                "publicUrl": "https://tools.example/flink",
                "issuer": f"https://{unspaced}",
                "clientId": text,
                "secret": text,
                "allowedEmails": [f"{in_address}@b.example"],
                "caConfigMap": text,
                "args": [f"--banner={text}"],
            },
        },
        "uiProxy": {"image": text, "podAnnotations": {"a": text}, "priorityClassName": text},
    }


def without_proxy(text: str, *_: str) -> Tree:
    return {
        "tls": {"rest": {"enabled": True, "secretName": "s"}},
        "gateway": {"parentRefs": [{"name": text}], "caConfigMap": text},
    }


def basic(text: str, *_: str) -> Tree:
    return {
        "auth": {"type": "basic", "basic": {"secret": text}},
        "tls": {"rest": {"enabled": True}, "certManager": {"issuerRef": {"name": text, "kind": text, "group": text}}},
    }


def trial(text: str, *_: str) -> Tree:
    return {"tls": {"rest": {"enabled": True}, "selfSigned": {"enabled": True}, "rotation": text}}


def started_with(text: str) -> str:
    """An argument as a program gets it from Kubernetes, where only HOME is a variable."""
    return re.sub(r"\$(\$|\(HOME\))", lambda match: "$" if match[1] == "$" else "/root", text)


def meant(node: Any) -> Any:
    """What it says to whoever reads it: JSON in a text as what it holds, arguments as programs get them, and no checksums."""
    if isinstance(node, dict):
        node = dict(node)
        if node.get("name") == "oauth2-proxy" or node.get("command", [])[-1:] == ["hooks.certificates"]:
            node["args"] = [word if word.startswith("--banner=") else started_with(word) for word in node["args"]]
        return {key: meant(value) for key, value in node.items()}
    if isinstance(node, list):
        return [meant(value) for value in node]
    if isinstance(node, str):
        if node[:1] in ("{", "["):
            try:
                return meant(json.loads(node))
            except ValueError:
                pass
        return re.sub("[0-9a-f]{16,}", "#", node)
    return node


def put(node: Any, texts: dict[str, str]) -> Any:
    """The same with these texts instead."""
    if isinstance(node, dict):
        return {put(key, texts): put(value, texts) for key, value in node.items()}
    if isinstance(node, list):
        return [put(value, texts) for value in node]
    if isinstance(node, str):
        for old, new in texts.items():
            node = node.replace(old, new)
    return node


def objects(values: Tree) -> list[Any]:
    return [obj for obj in strict_yaml_all(Helm().template(FLINK, values, name="r")) if obj]


PROXY: Tree = walls("a", "a", "a")


@pytest.mark.parametrize("given", [walls, without_proxy, basic, trial], ids=lambda given: given.__name__)
def test_a_text_stays_one_text(given: Any) -> None:
    texts = {"PUTHERE": ALL, "UNSPACED": HOSTILE, "ADDRESS": IN_ADDRESS}
    plain, hostile = objects(given(*texts)), objects(given(*texts.values()))
    assert meant(hostile) == put(meant(plain), texts)
    assert not [obj for obj in plain if any(place in obj.get("data", {}).get("nginx.conf", "") for place in texts)]


def test_a_group_is_one_group() -> None:
    values = merged(PROXY, {"auth": {"oidc": {"allowedGroups": [ALL]}}})
    (proxy,) = [obj for obj in objects(values) if obj["kind"] == "Deployment" and obj["metadata"]["name"].endswith("ui-proxy")]
    (group,) = [started_with(arg) for arg in containers(proxy)["oauth2-proxy"]["args"] if arg.startswith("--allowed-group=")]
    assert next(csv.reader(io.StringIO(group.removeprefix("--allowed-group="), newline=""), strict=True)) == [ALL]


@pytest.mark.parametrize("text", [text for text in TEXTS if not text.startswith("..")], ids=ascii)
def test_nginx_is_told_no_url_with_signs(text: str) -> None:
    with pytest.raises(HelmError, match="publicUrl"):
        objects(merged(PROXY, {"auth": {"oidc": {"publicUrl": f"https://a{text}"}}}))


@pytest.mark.parametrize(
    "text", ["$(id)", "`id`", "a;id", "%s", "a\nb", "a,DNS:b", "'", "${HOME}", "*/", "#", "..", "a\x1b"], ids=ascii
)
def test_openssl_is_told_no_name_with_signs(text: str) -> None:
    """The names of a certificate are lines of a file that openssl reads."""
    assert "which is no name of a host" in refused(merged(trial("a"), {"tls": {"rest": {"hosts": [text]}}}))


def test_a_file_is_what_the_values_say() -> None:
    text = f"{''.join(TEXTS)}\x7f\x85b: c\u2028\ufffe\n"
    maps = [obj["data"] for obj in objects({"files": {"a.sql": text}}) if "data" in obj]
    (wanted,) = [json.loads(data["wanted.json"]) for data in maps if "wanted.json" in data]
    for files in maps, [obj["data"] for obj in wanted["objects"] if "data" in obj]:
        assert [data["a.sql"] for data in files if "a.sql" in data] == [text]


# What these are in YAML, Helm does not keep: a text with one of them would be gone, or end in its middle.
@pytest.mark.parametrize("character", "\x7f\x85\x9f\u2028\u2029\ufffe")
@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("tls.rotation", lambda text: {"tls": {"rotation": text}}),
        ("gateway.hostnames.0", lambda text: {"gateway": {"parentRefs": [{"name": "web"}], "hostnames": [text]}}),
        ("rest.service.annotations", lambda text: {"rest": {"service": {"annotations": {text: "a"}}}}),
        ("logging.log4jCli", lambda text: {"logging": {"log4jCli": text}}),
    ],
)
def test_a_character_that_helm_does_not_keep_is_refused(key: str, values: Any, character: str) -> None:
    assert f"{key} has the character" in refused(values(f"a{character}b: c"))
