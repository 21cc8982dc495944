"""The proxy before the UI: people come through it and nothing else does, and what it lets through."""

from __future__ import annotations

import csv
import json
import posixpath
import re
from typing import Any
from urllib.parse import unquote

import pytest

from ci.core.paths import FLINK
from harness.helm import merged
from harness.manifests import Manifests, Object, containers, pod_template, render
from tests.unit.charts.releases import pods

Tree = dict[str, Any]

WAYS_IN: Tree = {"ingress": {"enabled": True}, "gateway": {"parentRefs": [{"name": "web"}]}}
NODE_PORT: Tree = {"rest": {"service": {"type": "NodePort", "nodePort": 30081, "annotations": {"a": "b"}}}}
READ_ONLY: Tree = {"rest": {"readOnly": True}}
BASIC: Tree = {"auth": {"type": "basic", "basic": {"secret": "{{ .Release.Name }}-people"}}}


def oidc(**more: Any) -> Tree:
    given = {
        "publicUrl": "https://tools.example/flink",
        "issuer": "https://login.example",
        "clientId": "flink",
        "secret": "{{ .Release.Name }}-login",
        "allowedGroups": ["streams", "admins"],
    }
    return {"auth": {"type": "oidc", "oidc": {**given, **more}}}


PROXIED = pytest.mark.parametrize("values", [READ_ONLY, BASIC, oidc()], ids=["read-only", "basic", "oidc"])


def rendered(*values: Tree) -> Manifests:
    together: Tree = {}
    for one in values:
        together = merged(together, one)
    return render(FLINK, together, name="r")


def nginx(*values: Tree) -> str:
    text: str = rendered(*values).one("ConfigMap", "r-flink-ui-proxy")["data"]["nginx.conf"]
    return text


def proxy(*values: Tree) -> Object:
    return rendered(*values).one("Deployment", "r-flink-ui-proxy")


def arguments(**more: Any) -> list[str]:
    return list(containers(proxy(oidc(**more)))["oauth2-proxy"]["args"])


def backends(manifests: Manifests) -> set[str]:
    paths = [path for obj in manifests.by("Ingress") for path in obj["spec"]["rules"][0]["http"]["paths"]]
    (rule,) = manifests.one("HTTPRoute")["spec"]["rules"]
    return {path["backend"]["service"]["name"] for path in paths} | {backend["name"] for backend in rule["backendRefs"]}


@PROXIED
def test_people_come_through_it_and_the_release_does_not(values: Tree) -> None:
    plain, proxied = rendered(WAYS_IN, NODE_PORT), rendered(WAYS_IN, NODE_PORT, values)
    assert backends(plain) == {"r-flink-rest"}
    assert backends(proxied) == {"r-flink-ui-proxy"}
    open_one, inner = proxied.one("Service", "r-flink-ui-proxy"), proxied.one("Service", "r-flink-rest")
    assert open_one["spec"]["type"] == "NodePort"
    assert open_one["spec"]["ports"][0]["nodePort"] == 30081
    assert open_one["metadata"]["annotations"] == {"a": "b"}
    assert inner["spec"]["type"] == "ClusterIP"
    assert "nodePort" not in inner["spec"]["ports"][0]
    assert "annotations" not in inner["metadata"]
    # No pod of Flink is another one for it.
    before, after = pods(plain), pods(proxied)
    assert before == {name: pod for name, pod in after.items() if name in before}


def test_by_default_there_is_none() -> None:
    assert "ui-proxy" not in str(render(FLINK).all)


def refused(config: str, target: str) -> bool:
    """Whether nginx answers with 403: it compares the target as it came, and then what is left of its path."""
    (raw,) = re.findall(r'if \(\$request_uri ~\* "(.+)"\) \{\s+return 403;', config)
    (decoded,) = re.findall(r"location ~ (\S+) \{\s+return 403;", config)
    path = posixpath.normpath(unquote(target.partition("?")[0]))
    return bool(re.search(raw, target, re.IGNORECASE) or re.search(decoded, path))


@pytest.mark.parametrize(
    ("path", "passes"),
    [
        ("/", True),
        ("/jobs/1/plan", True),
        ("/jobs/1/yarn-cancel", False),
        ("/v1/jobs/1/yarn-stop/", False),
        ("/jars/a.jar/plan", False),
        ("/jars", False),
        # Flink would decode these once more.
        ("/jobs/1/%2579arn-cancel", False),
        ("/jobs/1/yarn-cancel%3F/../../x", False),
        # nginx compares what is left without these, and Flink takes two dots for the name of a jar.
        ("/jars/../plan", False),
        ("/jars/%2e%2E/plan", False),
        ("/jars/.%2e/plan?a=b", False),
        ("/jars%2f..%2Fplan", False),
        ("/jobs/..", False),
        ("/./jars", False),
        ("/static/.hidden/...", True),
        ("/main.0.1.js?v=/../", True),
        ("/taskmanagers/10.0.0.1%3A6122-a/logs", True),
        ("/jobs/metrics?get=a%25b", True),
    ],
)
def test_read_only_lets_no_get_through_that_changes_something(path: str, passes: bool) -> None:
    assert refused(nginx(READ_ONLY), path) is not passes


def test_read_only_lets_no_other_method_through() -> None:
    (methods,) = re.findall(r"if \(\$request_method !~ (\S+)\) \{\s+return 405;", nginx(READ_ONLY))
    every = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "GETS", "TRACE"]
    assert [method for method in every if re.search(methods, method)] == ["GET", "HEAD"]
    assert "request_method" not in nginx(BASIC).partition("server {")[2]


@pytest.mark.parametrize("values", [BASIC, oidc()], ids=["basic", "oidc"])
def test_another_site_does_not_use_a_login(values: Tree) -> None:
    """A browser sends names, passwords and cookies along with what a page of another site has it send."""
    config = nginx(values)
    (rules,) = re.findall(r'map "\$http_sec_fetch_site:\$request_method:\$request_uri" \$foreign \{\n((?: .+\n)+?)  \}', config)
    assert re.search(r"    if \(\$foreign\) \{\s+return 403;", config)

    def refused(site: str, method: str, target: str) -> bool:
        """nginx takes the first of the expressions that fits."""
        ordered = re.findall(r'"~(\S+)" (\S+);', rules)
        return next((value for rule, value in ordered if re.search(rule, f"{site}:{method}:{target}")), '""') == "1"

    for site in ("cross-site", "same-site"):
        assert not refused(site, "GET", "/")
        assert not refused(site, "HEAD", "/?a=/b")
        assert refused(site, "GET", "/oauth2/callback?code=1&state=2") is (values == BASIC)
        for method in ("POST", "PUT", "PATCH", "DELETE", "GETS"):
            assert refused(site, method, "/")
        # Flink cancels a job and runs the main method of a jar by GET, and reads what nginx would have read as /.
        for path in ("jobs/1/yarn-cancel", "%6aobs/1/yarn-cancel", "jars/a/plan?a=/", "jobs/1/yarn-cancel%3F/../../..",
                     "oauth2/../jobs/1/yarn-cancel", "/jobs/1/yarn-cancel", "./", "oauth2/sign_out"):  # fmt: skip
            assert refused(site, "GET", f"/{path}")
    for site in ("same-origin", "none", ""):
        assert not refused(site, "GET", "/jobs/1/yarn-cancel")
        assert not refused(site, "POST", "/jobs")


def locations(config: str) -> dict[str, str]:
    """Each location of nginx -> what is in it."""
    return dict(re.findall(r"(?m)^ {4}location (.+) \{\n((?: {6}.*\n)+) {4}\}", config))


def test_with_a_login_only_the_way_to_it_is_open() -> None:
    config = nginx(oidc(), READ_ONLY)
    assert "    auth_request /oauth2/auth;" in config.splitlines()
    open_ones = {name: text for name, text in locations(config).items() if "auth_request off;" in text}
    assert open_ones.keys() == {"= /healthz", "/oauth2/", "= /oauth2/auth", "@login"}
    assert all("r-flink-rest" not in text for text in open_ones.values())
    assert "internal;" in open_ones["= /oauth2/auth"]
    basic = nginx(BASIC)
    assert "    auth_basic_user_file /etc/ui-proxy-login/auth;" in basic.splitlines()
    assert "auth_basic off" not in basic


@PROXIED
def test_flink_learns_no_password_cookie_or_token(values: Tree) -> None:
    config = nginx(values, READ_ONLY)
    for header in ("Authorization", "Cookie"):
        assert f'    proxy_set_header {header} "";' in config.splitlines()
    # A header set in a location would take those of the server away.
    assert all("proxy_set_header" not in text for text in locations(config).values() if "r-flink-rest" in text)


def test_an_authority_is_mounted_for_a_provider_alone() -> None:
    assert '"ca"' not in json.dumps(proxy(merged(oidc(caConfigMap="authorities"), BASIC))["spec"]["template"]["spec"]["volumes"])


def test_basic_auth_reads_the_secret() -> None:
    pod = pod_template(proxy(BASIC))["spec"]
    (login,) = [volume for volume in pod["volumes"] if volume["name"] == "login"]
    assert login["secret"] == {"secretName": "r-people", "items": [{"key": "auth", "path": "auth"}]}
    (main,) = pod["containers"]
    assert {"name": "login", "mountPath": "/etc/ui-proxy-login", "readOnly": True} in main["volumeMounts"]


def test_the_client_secret_is_in_files_of_oauth2_proxy_alone() -> None:
    pod = pod_template(proxy(oidc()))["spec"]
    (login,) = [volume for volume in pod["volumes"] if volume["name"] == "login"]
    assert login["secret"]["secretName"] == "r-login"
    assert [item["key"] for item in login["secret"]["items"]] == ["client-secret", "cookie-secret"]
    main, beside = pod["containers"]
    assert "login" not in str(main["volumeMounts"])
    assert "login" in str(beside["volumeMounts"])
    assert "env" not in beside
    assert "--client-secret-file" in beside["args"]
    assert "--cookie-secret-file" in beside["args"]


def test_oauth2_proxy_is_reached_by_nginx_alone() -> None:
    assert "--http-address=127.0.0.1:4180" in arguments()
    assert "ports" not in containers(proxy(oidc()))["oauth2-proxy"]


def test_a_name_of_a_group_is_one_name() -> None:
    """oauth2-proxy reads a list with commas, and would let in who is in a part of the name."""
    (group,) = [one for one in arguments(allowedGroups=['CN=a "b",OU=c'], args=[]) if "allowed-group" in one]
    assert next(csv.reader([group.removeprefix("--allowed-group=")])) == ['CN=a "b",OU=c']
    assert "--allowed-group=streams" in arguments()


@pytest.mark.parametrize("key", ["issuer", "clientId", "allowedGroups"])
def test_kubernetes_puts_no_variables_into_what_is_given(key: str) -> None:
    text = "https://$(HOME)"
    (given,) = [one for one in arguments(**{key: [text] if key == "allowedGroups" else text}) if "HOME" in one]
    assert given.endswith("=https://$$(HOME)")


def test_who_is_let_in() -> None:
    assert {"--allowed-group=streams", "--allowed-group=admins", "--email-domain=*"} <= set(arguments())
    people = ["ada@example.com", "bob@example.com", "@streams.example"]
    assert [one for one in arguments(allowedGroups=[], allowedEmails=people) if "email" in one] == [
        "--authenticated-emails-file=/etc/ui-proxy/emails",
        "--email-domain=streams.example",
    ]
    config = rendered(oidc(allowedEmails=people)).one("ConfigMap", "r-flink-ui-proxy")["data"]
    assert config["emails"].split() == people[:2]
    assert "--email-domain=*" in arguments(allowedGroups=[], allowedEmails=["*"])


@pytest.mark.parametrize(
    ("url", "secure", "back"),
    [("https://flink.example", "true", "/"), ("http://tools.example/a/flink/", "false", "/a/flink/")],
)
def test_the_public_url_is_where_people_come_back_to(url: str, secure: str, back: str) -> None:
    base = url.rstrip("/")
    assert {f"--redirect-url={base}/oauth2/callback", f"--cookie-secure={secure}"} <= set(arguments(publicUrl=url))
    config = nginx(oidc(publicUrl=url))
    assert f"return 302 {base}/oauth2/start?rd={back};" in config
    # Its pages lead to where people find them, and its cookie goes to no other tool under this host.
    assert {f"--proxy-prefix={back}oauth2", f"--cookie-path={back.rstrip('/') or '/'}"} <= set(arguments(publicUrl=url))
    assert f"proxy_pass http://127.0.0.1:4180{back}oauth2/;" in locations(config)["/oauth2/"]
    assert f"proxy_set_header X-Auth-Request-Redirect {back};" in locations(config)["/oauth2/"]
    assert f"proxy_pass http://127.0.0.1:4180{back}oauth2/auth;" in locations(config)["= /oauth2/auth"]


def test_programs_tokens_authorities_and_more_arguments() -> None:
    assert "--skip-jwt-bearer-tokens" not in arguments()
    assert "--skip-jwt-bearer-tokens" in arguments(bearerTokens=True)
    assert arguments(args=["--cookie-expire=12h"])[-1] == "--cookie-expire=12h"
    assert "--provider-ca-file=/etc/ui-proxy-ca/ca.crt" in arguments(caConfigMap="authorities")
    pod = pod_template(proxy(oidc(caConfigMap="{{ .Release.Name }}-ca")))["spec"]
    assert {"name": "ca", "configMap": {"name": "r-ca"}} in pod["volumes"]


@pytest.mark.parametrize("change", [READ_ONLY, oidc(allowedEmails=["ada@example.com"]), oidc(publicUrl="https://a.example")])
def test_another_configuration_replaces_its_pod(change: Tree) -> None:
    def checksum(*values: Tree) -> str:
        text: str = pod_template(proxy(*values))["metadata"]["annotations"]["checksum/config"]
        return text

    assert checksum(oidc()) != checksum(oidc(), change)


def test_the_hooks_look_at_it_before_they_stop_a_job() -> None:
    config = rendered(READ_ONLY, {"flink": {"type": "job"}}).one("ConfigMap", "r-flink-hooks")
    names = {(obj["kind"], obj["metadata"]["name"]) for obj in json.loads(config["data"]["wanted.json"])["objects"]}
    assert {("Deployment", "r-flink-ui-proxy"), ("Service", "r-flink-ui-proxy"), ("ConfigMap", "r-flink-ui-proxy")} <= names


def test_the_proxy_asks_an_encrypted_rest_api_with_the_certificates_of_the_release() -> None:
    locks: Tree = {"tls": {"rest": {"enabled": True, "secretName": "mine", "clientCertificates": True}}}
    config = nginx(READ_ONLY, locks)
    assert "proxy_pass https://r-flink-rest:8081;" in config
    assert "proxy_ssl_name r-flink-rest;" in config
    assert "proxy_ssl_certificate /opt/flink/tls/rest/tls.crt;" in config
    assert "proxy_ssl" not in nginx(READ_ONLY)
    assert mounted(locks) == ("mine", ["ca.crt", "tls.crt", "tls.key"])


def mounted(locks: Tree) -> tuple[str, list[str]]:
    """The Secret of REST's certificate in the proxy, and which of its keys are there."""
    volumes = {one["name"]: one for one in proxy(READ_ONLY, locks)["spec"]["template"]["spec"]["volumes"]}
    secret = volumes["tls-rest"]["secret"]
    return secret["secretName"], [item["key"] for item in secret["items"]]


def test_who_shows_no_certificate_has_no_key() -> None:
    locks: Tree = {"tls": {"rest": {"enabled": True, "secretName": "mine"}}}
    assert mounted(locks) == ("mine", ["ca.crt"])
    (pod,) = rendered(locks).by("Pod")
    (volume,) = [volume for volume in pod["spec"]["volumes"] if volume["name"] == "tls-rest"]
    assert volume["secret"]["items"] == [{"key": "ca.crt", "path": "ca.crt"}]


def test_another_rotation_has_the_proxy_read_its_certificates_anew() -> None:
    locks: Tree = {"tls": {"rest": {"enabled": True, "secretName": "mine"}}}
    rotated: Tree = {"tls": {"rotation": "2"}}
    assert pod_template(proxy(READ_ONLY, locks)) != pod_template(proxy(READ_ONLY, locks, rotated))
    assert pod_template(proxy(READ_ONLY)) == pod_template(proxy(READ_ONLY, rotated))


def test_it_looks_at_a_chain_of_authorities() -> None:
    locks: Tree = {"tls": {"rest": {"enabled": True, "secretName": "mine"}}}
    assert int(re.findall(r"proxy_ssl_verify_depth (\d+);", nginx(READ_ONLY, locks))[0]) > 1


def test_an_ingress_that_leads_to_the_proxy_speaks_plain_http() -> None:
    locks: Tree = {"tls": {"rest": {"enabled": True, "secretName": "mine"}}}
    encrypted = "nginx.ingress.kubernetes.io/backend-protocol"
    assert encrypted in str(rendered(WAYS_IN, locks).by("Ingress"))
    assert encrypted not in str(rendered(WAYS_IN, locks, READ_ONLY).by("Ingress"))
