"""Ways in to the UI, tried with a real controller, a browser's session and a real login; and what the proxy lets through."""

from __future__ import annotations

import base64
import hashlib
import http.client
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests

from ci.core.paths import FLINK, VALUES
from ci.images.access import IMAGE
from harness import network
from harness.certificates import Authority
from harness.cluster import Cluster
from harness.helm import Helm, merged
from harness.rest import is_savepoint
from harness.waits import wait_for
from tests.kind import doors, jar_job
from tests.kind.doors import CLIENT, Doors
from tests.kind.installs import Install
from tests.kind.locks import locked
from tests.kind.walls import opens, policy, stranger

pytestmark = [pytest.mark.access, pytest.mark.full]

Values = dict[str, Any]
JAR = "/opt/flink/examples/streaming/TopSpeedWindowing.jar"
PROXY: Values = {"uiProxy": {"image": IMAGE}}
READ_ONLY: Values = {"rest": {"readOnly": True}}


@pytest.fixture(scope="module", autouse=True)
def images(cluster: Cluster) -> None:
    doors.load_images(cluster)


@pytest.fixture(scope="module")
def ways(cluster: Cluster, namespace: str) -> Iterator[Doors]:
    with doors.doors(cluster, namespace) as contour:
        yield contour


def secret(cluster: Cluster, namespace: str, name: str, **data: str) -> None:
    """Makes or changes it."""
    body = {"metadata": {"name": name}, "stringData": {key.replace("_", "-"): value for key, value in data.items()}}
    if name in [one.metadata.name for one in cluster.core.list_namespaced_secret(namespace).items]:
        cluster.core.patch_namespaced_secret(name, namespace, body)
    else:
        cluster.core.create_namespaced_secret(namespace, body)


def people(**passwords: str) -> str:
    """The file of a Secret for basic auth."""
    hashed = {name: base64.b64encode(hashlib.sha1(word.encode()).digest()).decode() for name, word in passwords.items()}
    return "".join(f"{name}:{{SHA}}{word}\n" for name, word in hashed.items())


def shows_the_ui(browser: requests.Session, url: str) -> None:
    """The page and its programs are found relative to where the browser ends up, and so is the REST API."""

    def page() -> requests.Response:
        answer = browser.get(url, timeout=30)
        answer.raise_for_status()
        return answer

    answer = wait_for(page, timeout=60, what=f"the UI at {url}")
    scripts = re.findall(r'src="([^"]+\.js)"', answer.text)
    assert scripts
    for script in scripts:
        assert "javascript" in browser.get(urljoin(answer.url, script), timeout=30).headers["Content-Type"]
    assert browser.get(urljoin(answer.url, "overview"), timeout=30).json()["flink-version"]


def test_the_ui_under_a_host_of_an_ingress_and_under_a_path_of_a_gateway(
    install: Install, cluster: Cluster, namespace: str, ways: Doors
) -> None:
    gateway = {"parentRefs": [{"name": "web"}], "hostnames": ["tools.example", f"contour.{namespace}"], "path": "/team/flink"}
    ingress = {"enabled": True, "className": ways.ingress_class, "host": "flink.example"}
    flink = install("ways", values={"ingress": ingress, "gateway": gateway})
    browser = ways.browser()
    shows_the_ui(browser, "http://flink.example/")
    shows_the_ui(browser, "http://tools.example/team/flink/")
    shows_the_ui(browser, "http://tools.example/team/flink")
    assert browser.get("http://tools.example/team/flinker", timeout=30).status_code == 404
    assert browser.get("http://other.example/", timeout=30).status_code == 404

    # A client in the cluster that knows no other way.
    options = {"rest.address": f"contour.{namespace}", "rest.port": 80, "rest.path": "/team/flink"}
    flink.submit("--target", "remote", *(f"-D{key}={value}" for key, value in options.items()), "--detached", JAR)
    flink.rest.wait_running(jar_job.NAME)


def test_a_gateway_speaks_tls_with_whoever_has_a_certificate_of_the_right_authority(
    install: Install, cluster: Cluster, namespace: str, ways: Doors, tmp_path: Path
) -> None:
    ours, other = (Authority(tmp_path / name) for name in ("ours", "other"))
    gateway = {"parentRefs": [{"name": "web"}], "hostnames": ["locked.example"], "caConfigMap": "authority"}
    config_map = {"metadata": {"name": "authority"}, "data": {"ca.crt": ours.certificate}}
    cluster.core.create_namespaced_config_map(namespace, config_map)
    install("kept", FLINK, {"gateway": gateway, **locked(cluster, namespace, "kept", ours)})
    browser, url = ways.browser(), "http://locked.example/"
    shows_the_ui(browser, url)

    def trusts(authority: Authority) -> None:
        data = {"ca.crt": authority.certificate}
        cluster.core.patch_namespaced_config_map("authority", namespace, {"data": data})

    trusts(other)
    wait_for(lambda: browser.get(url, timeout=30).status_code == 503, timeout=60, what="the Gateway to refuse the certificate")
    trusts(ours)
    shows_the_ui(browser, url)

    # While there is none, it speaks plain HTTP, and Flink says that this is the wrong way.
    cluster.core.delete_namespaced_config_map("authority", namespace)

    def is_sent_away() -> bool:
        answer = browser.get(url, allow_redirects=False, timeout=30)
        return answer.is_redirect and answer.headers["Location"].startswith("https://kept-flink-rest")

    wait_for(is_sent_away, timeout=60, what="the Gateway to show nobody the UI")
    cluster.core.create_namespaced_config_map(namespace, config_map)
    shows_the_ui(browser, url)


def raw(port: int, method: str, path: str, headers: Values | None = None) -> int:
    """The status of an answer to a path that nobody corrects."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in {"Content-Length": "0", **(headers or {})}.items():
        connection.putheader(name, value)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


# Each call that changes something, by Flink's table of them.
CHANGES = [
    ("POST", "/jobs"),
    ("POST", "/jars/upload"),
    ("POST", "/jars/a.jar/run"),
    ("POST", "/jars/a.jar/plan"),
    ("DELETE", "/jars/a.jar"),
    ("DELETE", "/cluster"),
    ("DELETE", "/datasets/a"),
    ("PATCH", "/jobs/{job}"),
    ("PATCH", "/jobs/{job}?mode=cancel"),
    ("PATCH", "/jobs/{job}/rescaling?parallelism=2"),
    ("PATCH", "/jobs/{job}/clientHeartbeat"),
    ("POST", "/jobs/{job}/stop"),
    ("POST", "/jobs/{job}/savepoints"),
    ("POST", "/jobs/{job}/checkpoints"),
    ("POST", "/jobs/{job}/coordinators/a"),
    ("PUT", "/jobs/{job}/resource-requirements"),
    ("POST", "/savepoint-disposal"),
    ("POST", "/jobmanager/profiler"),
    ("POST", "/taskmanagers/{taskmanager}/profiler"),
    ("OPTIONS", "/jobs"),
    ("TRACE", "/jobs"),
    ("PROPFIND", "/jobs"),
]
# What changes something by GET, and ways to write it that Flink understands.
GETS = [
    "/jars",
    "/jars/a.jar/plan",
    "/v1/jars/a.jar/plan",
    "//jars//a.jar/plan",
    "/%6aars/a.jar/plan",
    *(
        f"{prefix}/jobs/{{job}}/{end}"
        for prefix in ("", "/v1", "/")
        for end in (
            *("yarn-cancel", "yarn-cancel/", "yarn-cancel?a=b", "%79arn-cancel", "yarn%2Dcancel", "yarn-stop"),
            *("%2579arn-cancel", "yarn-cancel%3f", "yarn-cancel%3F/../../a", "yarn-cancel%23"),
        )
    ),
]
READS = [
    *("/", "/config", "/overview", "/jobs", "/jobs/overview", "/taskmanagers", "/jobmanager/config", "/jobmanager/logs"),
    *("/jobmanager/thread-dump", "/jobs/{job}", "/jobs/{job}/plan", "/jobs/{job}/config", "/jobs/{job}/exceptions"),
    *("/jobs/{job}/checkpoints", "/jobs/{job}/metrics?get=numRestarts", "/taskmanagers/{taskmanager}/logs", "/v1/jobs"),
]


def test_read_only_lets_look_and_change_nothing(install: Install, cluster: Cluster, namespace: str) -> None:
    flink = install("look", values=merged(PROXY, READ_ONLY))
    flink.submit("--detached", JAR)
    job = jar_job.running(flink)
    names = {"job": job, "taskmanager": flink.rest.taskmanagers()[0]["id"]}
    with network.port_forward(cluster, namespace, "service/look-flink-ui-proxy", 8080) as port:
        tried = {(method, path): raw(port, method, path.format(**names)) for method, path in CHANGES}
        assert set(tried.values()) == {405}, tried
        gets = {path: raw(port, "GET", path.format(**names)) for path in GETS}
        assert set(gets.values()) == {403}, gets
        reads = {path: raw(port, "GET", path.format(**names)) for path in READS}
        assert set(reads.values()) == {200}, reads
        features = requests.get(f"http://127.0.0.1:{port}/config", timeout=30).json()["features"]
        assert not features["web-submit"]
        assert not features["web-cancel"]
    assert flink.rest.get("/config")["features"]["web-submit"]
    assert jar_job.running(flink) == job
    assert flink.rest.get("/jars")["files"] == []
    # What it keeps out: this is how the JobManager itself reads such a path.
    with network.port_forward(cluster, namespace, "service/look-flink-rest", 8081) as port:
        raw(port, "GET", f"/jobs/{job}/%2579arn-cancel")
        wait_for(lambda: flink.rest.job(job)["state"] == "CANCELED", timeout=60, what="the job to be cancelled by a GET")


def test_a_login_at_a_provider(install: Install, cluster: Cluster, namespace: str, ways: Doors) -> None:
    url = "http://tools.example/flink"
    secret(cluster, namespace, "login", client_secret=CLIENT["CLIENT_SECRET"], cookie_secret="0123456789abcdef" * 2)
    oidc = {
        **{"publicUrl": url, "issuer": ways.issuer, "clientId": CLIENT["CLIENT_ID"], "secret": "login"},
        **{"allowedGroups": ["streams"], "bearerTokens": True},
    }
    gateway = {"parentRefs": [{"name": "web"}], "hostnames": ["tools.example"], "path": "/flink"}
    values = merged(PROXY, {"gateway": gateway, "auth": {"type": "oidc", "oidc": oidc}})
    flink = install("login", values=values)
    wait_for(lambda: ways.browser().get(f"{url}/healthz", timeout=30).ok, timeout=60, what="the route")

    json = {"Accept": "application/json"}
    for method in ("GET", "POST", "DELETE"):
        assert ways.browser().request(method, f"{url}/jobs", headers=json, timeout=30).status_code == 401

    ada = ways.browser()
    ways.next_user("ada@example.com", "streams")
    shows_the_ui(ada, f"{url}/")
    assert ada.get(f"{url}/", timeout=30).history == []
    (cookie,) = [cookie for cookie in ada.cookies if cookie.name == "_login-flink"]
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.path == "/flink"
    # Flink answers itself, whatever it thinks of such a job.
    assert ada.post(f"{url}/jobs", json={}, headers=json, timeout=30).json()["errors"]

    # A page of another site has her browser open an address.
    flink.submit("--detached", JAR)
    job = jar_job.running(flink)
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert ada.get(f"{url}/jobs/{job}/yarn-cancel", headers=elsewhere, timeout=30).status_code == 403
    assert ada.get(f"{url}/", headers=elsewhere, timeout=30).status_code == 200
    assert jar_job.running(flink) == job
    assert ada.get(f"{url}/jobs/{job}/yarn-cancel", timeout=30).status_code == 202
    wait_for(lambda: flink.rest.job(job)["state"] == "CANCELED", timeout=60, what="the job to be cancelled by herself")

    ways.next_user("eve@example.com", "others")
    eve = ways.browser()
    refusal = eve.get(f"{url}/", headers={**elsewhere, "Accept": "text/html"}, timeout=30)
    assert refusal.status_code == 403
    # What it leads to is under the same path: another login, and the way back.
    links = set(re.findall(r'(?:href|action)="(/[^"]*)"', refusal.text))
    assert {"/flink/oauth2/sign_in", "/flink/"} <= links
    for link in links:
        assert eve.get(urljoin(url, link), headers=json, timeout=30).status_code != 404
    assert eve.get(f"{url}/jobs", headers=json, timeout=30).status_code == 401

    def as_program(token: str) -> int:
        headers = {**json, "Authorization": f"Bearer {token}"}
        return ways.browser().get(f"{url}/jobs/overview", headers=headers, timeout=30).status_code

    token = ways.token("robot@example.com", "streams")
    assert as_program(token) == 200
    head, _, signature = token.rpartition(".")
    assert as_program(f"{head}.{signature[::-1]}") == 401
    assert as_program(ways.token("eve@example.com", "others")) == 401

    assert ada.get(f"{url}/oauth2/sign_out", allow_redirects=False, timeout=30).headers["Location"] == "/flink/"
    assert ada.get(f"{url}/jobs", headers=json, timeout=30).status_code == 401

    # The proxy's log has who came, and neither a code of a login nor a token.
    log = cluster.log(namespace, cluster.pod(namespace, flink.selector("ui-proxy")), container="ui-proxy")
    assert "ada@example.com" in log
    assert "code=" not in log
    assert token not in log


def test_a_name_and_a_password_and_a_job_that_does_not_notice(
    install: Install, helm: Helm, cluster: Cluster, namespace: str
) -> None:
    secret(cluster, namespace, "people", auth=people(ada="one"))
    plain = jar_job.values(**PROXY)
    flink = jar_job.started(install, "people", plain)
    job, pod = jar_job.running(flink), cluster.pod(namespace, flink.selector("jobmanager"))
    # The file's policies stay out: the tests come by the API server, which is none of those whom they let in.
    walls = {"networkPolicy": {"enabled": False}}
    helm.upgrade(flink.name, FLINK, merged(plain, walls), files=[VALUES / "read-only.yaml"], namespace=namespace)
    assert jar_job.running(flink) == job
    assert cluster.pod(namespace, flink.selector("jobmanager")) == pod

    with network.port_forward(cluster, namespace, "service/people-flink-ui-proxy", 8080) as port:

        def status(name: str, word: str, method: str = "GET") -> int:
            given = base64.b64encode(f"{name}:{word}".encode()).decode()
            return raw(port, method, "/jobs/overview", {"Authorization": f"Basic {given}"})

        assert raw(port, "GET", "/jobs/overview") == 401
        assert status("ada", "two") == 401
        assert status("ada", "one") == 200
        assert status("ada", "one", "POST") == 405
        secret(cluster, namespace, "people", auth=people(bob="two"))
        wait_for(lambda: status("bob", "two") == 200, timeout=180, what="another name to be taken", interval=2)
        assert status("ada", "one") == 401

    # Hooks stop the job, start it, take savepoints and look, as they did.
    another = jar_job.another(merged(plain, walls))
    helm.upgrade(flink.name, FLINK, another, files=[VALUES / "read-only.yaml"], namespace=namespace)
    assert is_savepoint(jar_job.restored(flink))
    assert "/savepoint-" in jar_job.savepoint(flink, "by-hand")
    assert "Succeeded" in helm.test(flink.name, namespace=namespace)
    helm.rollback(flink.name, 1, namespace=namespace)
    assert is_savepoint(jar_job.restored(flink))


@pytest.mark.nodes
def test_with_policies_nobody_gets_past_the_proxy(install: Install, helm: Helm, cluster: Cluster, namespace: str) -> None:
    secret(cluster, namespace, "people", auth=people(ada="one"))
    walls = policy(cluster)
    # The tests ask the JobManager by the API server.
    asks = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "asks"},
        "spec": {
            "podSelector": {"matchLabels": {"app.kubernetes.io/component": "jobmanager"}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": walls["ingress"]["rest"], "ports": [{"port": 8081}]}],
        },
    }
    portal = {"podSelector": {"matchLabels": {"app.kubernetes.io/component": "stranger"}}}
    walls["ingress"]["rest"] = [*walls["ingress"]["rest"], portal]
    values = jar_job.values(**PROXY, networkPolicy=walls, extraObjects=[asks])
    flink = install("walled", FLINK, values, files=[VALUES / "read-only.yaml"])
    flink.rest.wait_checkpoint(jar_job.running(flink), 1)

    def reaches(component: str, port: int) -> bool:
        (pod,) = cluster.pods(namespace, flink.selector(component))
        return opens(cluster, namespace, stranger(cluster, namespace), pod.status.pod_ip, port)

    wait_for(lambda: reaches("ui-proxy", 8080), timeout=60, what="the proxy to be open to whom rest names")
    assert not reaches("jobmanager", 8081)

    helm.upgrade(flink.name, FLINK, jar_job.another(values), files=[VALUES / "read-only.yaml"], namespace=namespace)
    assert is_savepoint(jar_job.restored(flink))
    assert "/savepoint-" in jar_job.savepoint(flink, "by-hand")
    assert "Succeeded" in helm.test(flink.name, namespace=namespace)
    assert not reaches("jobmanager", 8081)
