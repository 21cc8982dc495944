"""TLS between Flink's processes and for REST: who mounts which certificate, and who asks how."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from ci.core.paths import DOCS, FLINK
from harness.helm import Helm, merged
from harness.manifests import Manifests, Object, containers, flink_config, pod_template, render
from harness.validation import strict_yaml
from tests.unit.scenarios import JOBS

Tree = dict[str, Any]
JOB: Tree = {"flink": {"type": "job"}, "job": {"jar": {"file": "/a.jar"}}}
BOTH: Tree = {"tls": {part: {"enabled": True, "secretName": f"my-{part}"} for part in ("internal", "rest")}}
CLIENTS: Tree = {"tls": {"rest": {"clientCertificates": True}}}
KEYS = ["ca.crt", "tls.crt", "tls.key"]
MODES: dict[str, Tree] = {
    "session": merged(JOBS, {"highAvailability": {"type": "none"}}),
    "session-ha": JOBS,
    "job": JOB,
    "job-zookeeper": {**JOB, "highAvailability": {"type": "zookeeper"}},
    "native-session": {"flink": {"mode": "native"}},
    "native-job": merged(JOB, {"flink": {"mode": "native"}}),
    "bounded": merged(JOB, {"job": {"bounded": True}}),
    "native-bounded": merged(JOB, {"flink": {"mode": "native"}, "job": {"bounded": True}}),
}
PROCESSES = ("jobmanager", "taskmanager", "sql-gateway", "history-server", "submitter")
each_mode = pytest.mark.parametrize("mode", MODES)


def rendered(mode: str, *values: Tree) -> Manifests:
    result = merged(MODES[mode], BOTH)
    for one in values:
        result = merged(result, one)
    return render(FLINK, result, name="r")


def pods(manifests: Manifests) -> dict[str, Object]:
    """By component; those that Flink makes too."""
    kinds = ("Deployment", "Job", "CronJob", "Pod")
    templates = [pod_template(obj) for obj in manifests if obj["kind"] in kinds]
    for config in manifests.by("ConfigMap"):
        if text := config["data"].get("taskmanager-pod-template.yaml"):
            templates.append(strict_yaml(text))
    return {pod["metadata"]["labels"]["app.kubernetes.io/component"]: pod for pod in templates}


def secrets(spec: Tree) -> dict[str, Tree]:
    return {volume["name"]: volume["secret"] for volume in spec["volumes"] if "secret" in volume}


@each_mode
def test_what_runs_flink_makes_its_key_stores_of_the_secrets(mode: str) -> None:
    manifests = rendered(mode)
    options = flink_config(manifests)
    seen = {name: pod for name, pod in pods(manifests).items() if name in PROCESSES}
    assert {"jobmanager", "taskmanager"} <= seen.keys()
    for name, pod in seen.items():
        spec = pod["spec"]
        items = [{"key": key, "path": key} for key in KEYS]
        assert secrets(spec) == {f"tls-{part}": {"secretName": f"my-{part}", "items": items} for part in ("internal", "rest")}, (
            name
        )
        (writer,) = [one for one in spec["initContainers"] if one["name"] == "configure"]
        mounts = {mount["mountPath"]: mount for mount in writer["volumeMounts"]}
        for part in ("internal", "rest"):
            assert mounts[f"{writer['command'][-1]}/{part}"] == {
                "name": f"tls-{part}", "mountPath": f"/opt/flink/tls/{part}", "readOnly": True,
            }  # fmt: skip
            for store in ("keystore", "truststore"):
                assert options[f"security.ssl.{part}.{store}"] == f"{writer['command'][-2]}/{part}-{store}.p12"
        main = {mount["mountPath"]: mount["name"] for mount in spec["containers"][0]["volumeMounts"]}
        assert main["/opt/flink/tls/rest"] == "tls-rest"
        assert main["/opt/flink/conf"] == "conf"
        assert "/opt/flink/tls/internal" not in main
    assert options["security.ssl.internal.enabled"] == options["security.ssl.rest.enabled"] == "true"
    assert "security.ssl.rest.authentication-enabled" not in options
    assert all("ECDHE" in suite and "GCM" in suite for suite in options["security.ssl.algorithms"].split(","))


def test_the_history_server_goes_with_rest() -> None:
    assert flink_config(rendered("session"))["historyserver.web.ssl.enabled"] == "true"


@each_mode
def test_no_password_stands_in_an_object(mode: str) -> None:
    assert not [key for key in flink_config(rendered(mode, CLIENTS)) if "password" in key]


@pytest.mark.parametrize("values", [BOTH, merged(BOTH, CLIENTS)])
@pytest.mark.parametrize("mode", ["session", "job", "native-job", "native-session"])
def test_hooks_and_the_test_ask_with_the_certificates_of_rest(mode: str, values: Tree) -> None:
    manifests = rendered(mode, values)
    clients = values["tls"]["rest"].get("clientCertificates", False)
    before_a_stop = ("r-flink-before", "r-flink-before-rollback")  # looks at what the coming pods show each other
    asking = [one for one in manifests.by("Job") if one["metadata"]["name"] in ("r-flink-before-uninstall", *before_a_stop)]
    for obj in (*asking, manifests.one("Pod")):
        spec = pod_template(obj)["spec"]
        parts = ("internal", "rest") if obj["metadata"]["name"] in before_a_stop else ("rest",)
        optional = {} if obj["kind"] == "Pod" else {"optional": True}
        keys = KEYS[:1] if obj["kind"] == "Pod" and not clients else KEYS
        items = [{"key": key, "path": key} for key in keys]
        assert secrets(spec) == {f"tls-{part}": {"secretName": f"my-{part}", "items": items, **optional} for part in parts}
        mounts = {mount["mountPath"]: mount["name"] for mount in spec["containers"][0]["volumeMounts"]}
        assert {f"/opt/flink/tls/{part}": f"tls-{part}" for part in parts}.items() <= mounts.items()
    wanted = json.loads(manifests.one("ConfigMap", "r-flink-hooks")["data"]["wanted.json"])
    assert (wanted["rest"], wanted["rest_secret"]) == ("https://r-flink-rest:8081", "my-rest")
    assert wanted["certificates"] == [
        {"part": "internal", "secret": "my-internal", "host": "", "clients": True},
        {"part": "rest", "secret": "my-rest", "host": "r-flink-rest", "clients": clients},
    ]


def test_the_hook_beside_the_client_has_them_too() -> None:
    job = rendered("session").one("Job", "r-flink-after")
    mounts = {mount["mountPath"]: mount["name"] for mount in containers(job)["after"]["volumeMounts"]}
    assert mounts["/opt/flink/tls/rest"] == "tls-rest"


SHARED: Tree = {
    "highAvailability": {"type": "zookeeper", "zookeeper": {"quorum": "zk:2281", "tls": {"secretName": "{{ .Release.Name }}-zk"}}}
}


@pytest.mark.parametrize("mode", ["session-ha", "job-zookeeper", "native-job", "native-session"])
def test_who_asks_zookeeper_has_its_certificates(mode: str) -> None:
    """Alone, without TLS of Flink's own."""
    manifests = render(FLINK, merged(MODES[mode], SHARED), name="r")
    options = flink_config(manifests)["env.java.default-opts.all"].split()
    stores = [option.partition("=")[2] for option in options if option.endswith(".pem")]
    assert stores == ["/opt/flink/conf/zookeeper-keystore.pem", "/opt/flink/conf/zookeeper-truststore.pem"]
    assert "-Dzookeeper.client.secure=true" in options
    assert not [key for key in flink_config(manifests) if key.startswith("security.ssl")]
    items = [{"key": key, "path": key} for key in KEYS]
    for name, pod in pods(manifests).items():
        if name in ("test", "ui-proxy"):
            assert "tls-zookeeper" not in secrets(pod["spec"])
            continue
        optional = {"optional": True} if name == "hooks" else {}
        assert secrets(pod["spec"])["tls-zookeeper"] == {"secretName": "r-zk", "items": items, **optional}
        (asking,) = [
            one
            for one in (*pod["spec"].get("initContainers", []), *pod["spec"]["containers"])
            if one["name"] in ("configure", "hooks", "before", "after", "before-rollback", "after-rollback", "after-uninstall")
            and (name != "submitter" or one["name"] != "configure")
        ]
        assert {"name": "tls-zookeeper", "mountPath": "/opt/flink/tls/zookeeper", "readOnly": True} in asking["volumeMounts"]
    wanted = json.loads(manifests.one("ConfigMap", "r-flink-hooks")["data"]["wanted.json"])
    assert wanted["zookeeper"]["secret"] == "r-zk"
    assert not wanted["certificates"]


def probes(container: Object) -> dict[str, Tree]:
    return {kind: container[f"{kind}Probe"] for kind in ("startup", "readiness", "liveness")}


SERVERS = {"jobmanager": 8081, "sql-gateway": 8083, "history-server": 8082}


@pytest.mark.parametrize("server", SERVERS)
def test_the_kubelet_asks_by_https(server: str) -> None:
    for probe in probes(pods(rendered("session"))[server]["spec"]["containers"][0]).values():
        assert probe["httpGet"]["scheme"] == "HTTPS"


@pytest.mark.parametrize("server", SERVERS)
def test_where_clients_show_certificates_the_pod_asks_itself(server: str) -> None:
    plain = probes(pods(render(FLINK, MODES["session"], name="r"))[server]["spec"]["containers"][0])
    for kind, probe in probes(pods(rendered("session", CLIENTS))[server]["spec"]["containers"][0]).items():
        path = plain[kind]["httpGet"]["path"]
        assert probe["exec"]["command"] == ["bash", "/opt/flink/scripts/rest.sh", "probe", str(SERVERS[server]), path]
        assert "httpGet" not in probe
        assert "scheme" not in plain[kind]["httpGet"]


def test_services_say_what_they_speak() -> None:
    ports = {service["metadata"]["name"]: service["spec"]["ports"] for service in rendered("session").by("Service")}
    for name in ("r-flink-rest", "r-flink-sql-gateway", "r-flink-history-server"):
        assert [port["appProtocol"] for port in ports[name]] == ["https"]
    assert not any("appProtocol" in port for port in ports["r-flink-jobmanager"])


def test_ingress_nginx_speaks_https_to_it_and_looks_at_the_certificate() -> None:
    values = {"ingress": {"enabled": True, "annotations": {"nginx.ingress.kubernetes.io/proxy-ssl-verify": "off"}}}
    annotations = rendered("native-session", values).one("Ingress", "r-flink-rest")["metadata"]["annotations"]
    assert annotations == {
        f"nginx.ingress.kubernetes.io/{name}": value
        for name, value in {
            "backend-protocol": "HTTPS",
            "proxy-ssl-secret": "default/my-rest",
            "proxy-ssl-verify": "off",
            "proxy-ssl-name": "r-flink-rest",
            "proxy-ssl-server-name": "on",
        }.items()
    }
    other = rendered("native-session", {"ingress": {"enabled": True, "rewrite": "none"}}).one("Ingress", "r-flink-rest")
    assert "annotations" not in other["metadata"]


@each_mode
def test_another_secret_and_another_rotation_are_other_pods(mode: str) -> None:
    seen: list[str] = []
    for values in ({}, {"tls": {"rotation": "2"}}, {"tls": {"rotation": 3}}, {"tls": {"internal": {"secretName": "other"}}}):
        pods_by_name = pods(rendered(mode, values))
        seen.append(json.dumps([pods_by_name[name] for name in ("jobmanager", "taskmanager")], sort_keys=True))
    assert len(set(seen)) == 4


def test_the_next_revision_is_told_how_rest_speaks() -> None:
    def annotations(*values: Tree) -> Tree:
        return dict(rendered("job", *values).one("Deployment", "r-flink-jobmanager")["metadata"]["annotations"])

    assert annotations()["flink/rest"] == "https"
    assert "flink/rest" not in annotations({"tls": {"rest": {"enabled": False}}})


def test_a_revision_that_has_switched_it_off_can_still_ask_the_one_before() -> None:
    manifests = rendered("job", {"tls": {"rest": {"enabled": False}, "internal": {"enabled": False}}})
    pods_by_name = pods(manifests)
    assert secrets(pods_by_name["hooks"]["spec"])["tls-rest"]["secretName"] == "my-rest"
    assert not secrets(pods_by_name["jobmanager"]["spec"])
    wanted = json.loads(manifests.one("ConfigMap", "r-flink-hooks")["data"]["wanted.json"])
    assert (wanted["rest"], wanted["rest_secret"]) == ("http://r-flink-rest:8081", "my-rest")
    assert not wanted["certificates"]
    assert manifests.one("Deployment", "r-flink-jobmanager") == render(FLINK, JOB, name="r").one(
        "Deployment", "r-flink-jobmanager"
    )


def test_the_notes_lead_to_https_and_say_what_a_browser_needs() -> None:
    notes = Helm().notes(FLINK, merged(MODES["session"], merged(BOTH, CLIENTS)))
    assert "https://localhost:8081" in notes
    assert "http://" not in notes
    assert "Your browser has to show a certificate that an authority of ca.crt in Secret my-rest signed." in notes


ISSUER: Tree = {"tls": {**BOTH["tls"], "certManager": {"issuerRef": {"name": "authority", "kind": "ClusterIssuer"}}}}
NAMES = {"r-flink-rest", "r-flink-sql-gateway", "r-flink-history-server"}


def made(values: Tree) -> Manifests:
    parts = {"internal": {"enabled": True}, "rest": {"enabled": True, "hosts": ["{{ .Release.Name }}.example"]}}
    return render(FLINK, merged(merged(MODES["session"], {"tls": parts}), values), name="r", namespace="team")


def test_cert_manager_is_asked_for_the_certificates_that_pods_mount() -> None:
    manifests = made({"tls": {"certManager": {"issuerRef": {"name": "authority", "kind": "ClusterIssuer"}}}})
    certificates = {one["metadata"]["name"]: one["spec"] for one in manifests.by("Certificate")}
    mounted = {volume["secretName"] for volume in secrets(pods(manifests)["jobmanager"]["spec"]).values()}
    assert {spec["secretName"] for spec in certificates.values()} == mounted == {"r-flink-internal-tls", "r-flink-rest-tls"}
    for spec in certificates.values():
        assert spec["issuerRef"] == {"name": "authority", "kind": "ClusterIssuer"}
        assert {"server auth", "client auth"} <= set(spec["usages"])
    names = set(certificates["r-flink-rest-tls"]["dnsNames"])
    assert names == {"localhost", "r.example", *(f"{name}{end}" for name in NAMES for end in ("", ".team", ".team.svc"))}
    role = manifests.one("Role", "r-flink-hooks")
    assert any("certificates" in rule["resources"] and "cert-manager.io" in rule["apiGroups"] for rule in role["rules"])


def test_a_secret_that_is_named_is_not_made() -> None:
    assert not render(FLINK, ISSUER, name="r").by("Certificate")
    manifests = made({"tls": {"rest": {"secretName": "mine"}, "selfSigned": {"enabled": True}}})
    (arguments,) = [containers(one)["certificates"]["args"] for one in manifests.by("Job") if "certificates" in containers(one)]
    assert json.loads(arguments[0]).keys() == {"r-flink-internal-tls"}


@pytest.mark.parametrize("mode", ["job", "bounded", "native-bounded"])
def test_the_hook_that_makes_certificates_may_write_its_secrets_and_nothing_else(mode: str) -> None:
    tls = {"internal": {"enabled": True}, "rest": {"enabled": True}, "selfSigned": {"enabled": True}, "rotation": 7}
    manifests = render(FLINK, {**MODES[mode], "tls": tls}, name="r")
    names = ["r-flink-internal-tls", "r-flink-rest-tls"]
    assert manifests.one("Role", "r-flink-certificates")["rules"] == [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": names, "verbs": ["patch"]},
    ]
    job = manifests.one("Job", "r-flink-certificates")
    spec = pod_template(job)["spec"]
    assert secrets(spec) == {
        "tls-internal": {"secretName": names[0], "optional": True}, "tls-rest": {"secretName": names[1], "optional": True},
    }  # fmt: skip
    made_for = json.loads(containers(job)["certificates"]["args"][0])
    assert {name: one["rotation"] for name, one in made_for.items()} == dict.fromkeys(names, "7")
    # Pods that run users' programs never see the authority's key.
    for name in ("jobmanager", "taskmanager"):
        for volume in secrets(pods(manifests)[name]["spec"]).values():
            assert [item["key"] for item in volume["items"]] == KEYS


def test_what_the_values_of_the_page_render() -> None:
    blocks = re.findall(r"(?m)^    tls:\n(?:    .*\n)+", (DOCS / "tls.md").read_text())
    assert len(blocks) >= 3
    for block in blocks:
        assert flink_config(render(FLINK, yaml.safe_load(block)))["security.ssl.rest.enabled"] == "true"
