"""Releases that speak TLS: in every mode, through upgrades and rollbacks, and with certificates that change."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.dynamic import DynamicClient

from ci.core.paths import FLINK
from harness import faults, workloads
from harness.certificates import Authority
from harness.cluster import Cluster, CommandFailed
from harness.helm import Helm, HelmError, merged
from harness.release import FlinkRelease
from harness.rest import is_savepoint
from harness.waits import wait_for
from tests.kind import jar_job, zookeeper
from tests.kind.installs import NEW, OLD, Install
from tests.kind.jar_job import another, restored, running
from tests.kind.locks import FromWithin, ask, define_certificates, locked, names, put_secret, shown, speaks_tls

pytestmark = [pytest.mark.access, pytest.mark.full]
Values = dict[str, Any]
OFF: Values = {"tls": {"internal": {"enabled": False}, "rest": {"enabled": False}}}
CLIENTS: Values = {"tls": {"rest": {"clientCertificates": True}}}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


def again(flink: FlinkRelease, *, within: bool = False) -> FlinkRelease:
    """The release as its Service speaks now; from within, where clients show certificates."""
    now = FlinkRelease(flink.cluster, flink.namespace, flink.name)
    if within:
        now.rest = FromWithin(now)
    return now


JOBS: dict[str, Values] = {
    "job": {},
    "kubernetes": {"highAvailability": {"type": "kubernetes"}, "jobmanager": {"replicas": 2}},
    "zookeeper": {"highAvailability": {"type": "zookeeper"}},
    "native": {"flink": {"mode": "native"}},
    "old": {"flink": {"version": "1.20.5"}},
}


@pytest.mark.parametrize("mode", JOBS)
def test_a_job_behind_both_locks_is_carried_over_an_upgrade_and_a_rollback(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, authority: Authority, mode: str
) -> None:
    """With certificates of clients: whoever has none gets no answer."""
    name = f"locked-{mode}"
    values = merged(jar_job.values(**JOBS[mode]), locked(cluster, namespace, name, authority, clientCertificates=True))
    flink = again(install(name, FLINK, values), within=True)
    flink.rest.wait_checkpoint(running(flink), 2)
    assert "Succeeded" in helm.test(name, namespace=namespace)
    assert set(speaks_tls(flink, f"{name}-flink-jobmanager", [6123, 6124]).values()) == {True}
    request = "printf 'GET /overview HTTP/1.0\\r\\n\\r\\n'"
    plain = f"exec 3<>/dev/tcp/{name}-flink-rest/8081; {request} >&3; cat <&3"
    without_certificate = f"{request} | openssl s_client -quiet -connect {name}-flink-rest:8081"
    for script in (plain, without_certificate):
        assert "slots-total" not in flink.jobmanager(["bash", "-c", f'timeout 20 bash -c "{script}" 2>&1 || true'])

    helm.upgrade(name, FLINK, another(values), namespace=namespace)
    assert is_savepoint(restored(flink))
    helm.rollback(name, 1, namespace=namespace)
    assert is_savepoint(restored(flink))
    if mode == "job":
        assert jar_job.savepoint(flink, "by-hand")


def test_no_password_is_where_others_see_it(install: Install, cluster: Cluster, namespace: str, authority: Authority) -> None:
    values = merged(jar_job.VALUES, locked(cluster, namespace, "seen", authority))
    flink = jar_job.started(install, "seen", values)
    for pod in cluster.pods(namespace, "app.kubernetes.io/instance=seen"):
        component = pod.metadata.labels["app.kubernetes.io/component"]
        if component not in ("jobmanager", "taskmanager"):
            continue

        def run_in(script: str, pod: str = pod.metadata.name, container: str = component) -> str:
            return cluster.exec(namespace, pod, ["bash", "-c", script], container=container)

        passwords = set(re.findall(r'password: "([0-9a-f]{64})"', run_in("cat /opt/flink/conf/config.yaml")))
        assert len(passwords) == 2
        lines = run_in("cat /proc/[0-9]*/cmdline | tr '\\0' ' '") + run_in("cat /opt/flink/log/* 2>/dev/null || true")
        for container in ("configure", component):
            lines += cluster.log(namespace, pod.metadata.name, container=container)
        assert not [password for password in passwords if password in lines]
    hidden = {key: value for key, value in flink.rest.config().items() if key.endswith("-password")}
    assert set(hidden.values()) == {"******"}
    assert len(hidden) == 6


SESSIONS: dict[str, Values] = {
    "plain": {},
    "clients": CLIENTS,
    "kubernetes": {**CLIENTS, "highAvailability": {"type": "kubernetes"}},
    "native": {**CLIENTS, "flink": {"mode": "native"}},
}


@pytest.mark.parametrize("mode", SESSIONS)
def test_a_session_with_all_of_its_clients(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, authority: Authority, mode: str
) -> None:
    """Jobs that hooks submit, `flink run`, SQL by gateway and client, the history server."""
    name = f"session-{mode}"
    base: Values = {
        "session": {"jobs": [{"name": "speeds", "jar": {"file": "/opt/flink/examples/streaming/TopSpeedWindowing.jar"}}]},
        "state": {"checkpointing": {"interval": "2 s"}},
        "sqlGateway": {"enabled": True},
        "historyServer": {"enabled": True},
        "taskmanager": {"slots": 4},
        "hooks": {"timeoutSeconds": 200},
    }
    values = merged(merged(base, locked(cluster, namespace, name, authority)), SESSIONS[mode])
    flink = again(install(name, FLINK, values), within=True)
    flink.rest.wait_checkpoint(running(flink), 1)
    flink.rest.wait_running(flink.submit("--detached", "/opt/flink/examples/streaming/TopSpeedWindowing.jar"))
    assert "productName" in ask(flink, "/v1/info", component="sql-gateway", port=8083)
    assert "refresh-interval" in ask(flink, "/config", component="history-server", port=8082)
    statements = "SET 'sql-client.execution.result-mode' = 'TABLEAU';\nSET 'execution.runtime-mode' = 'batch';\nSELECT 6 * 7;\n"
    output = flink.jobmanager(["bash", "-c", "cat >/tmp/q.sql; sql-client.sh -f /tmp/q.sql"], stdin=statements, timeout=240)
    assert "| 42 |" in re.sub(r" +", " ", output)
    assert "Succeeded" in helm.test(name, namespace=namespace)


@pytest.mark.parametrize("clients", [False, True])
def test_it_is_switched_on_and_off_by_upgrades_that_keep_the_state(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, authority: Authority, clients: bool
) -> None:
    name = f"switch-{str(clients).lower()}"
    on = merged(jar_job.VALUES, locked(cluster, namespace, name, authority, clientCertificates=clients))
    flink = jar_job.started(install, name, jar_job.VALUES)

    helm.upgrade(name, FLINK, on, namespace=namespace)
    encrypted = again(flink, within=True)
    assert is_savepoint(restored(encrypted))

    helm.upgrade(name, FLINK, merged(on, OFF), namespace=namespace)
    assert is_savepoint(restored(again(flink)))

    helm.upgrade(name, FLINK, on, namespace=namespace)
    encrypted.rest.wait_checkpoint(running(encrypted), 1)
    helm.rollback(name, 1, namespace=namespace)
    # Nobody who has no certificate is answered, not even to stop the job: its newest checkpoint is taken then.
    assert ("/chk-" in restored(again(flink))["external_path"]) is clients


def test_without_its_certificates_an_upgrade_is_refused_by_a_jobmanager_that_wants_them(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, authority: Authority
) -> None:
    values = merged(jar_job.VALUES, locked(cluster, namespace, "shut", authority, clientCertificates=True))
    flink = again(install("shut", FLINK, values), within=True)
    job = running(flink)
    with pytest.raises(HelmError, match=r"does not accept the certificate of this hook.*leave tls\.rest\.secretName"):
        helm.upgrade("shut", FLINK, jar_job.VALUES, namespace=namespace)
    assert running(flink) == job


def test_pods_take_another_certificate_by_rotation_and_another_authority_in_two_steps(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, authority: Authority, tmp_path: Path
) -> None:
    name = "rotated"
    values = merged(jar_job.VALUES, locked(cluster, namespace, name, authority, clientCertificates=True))
    flink = again(install(name, FLINK, values), within=True)
    flink.rest.wait_checkpoint(running(flink), 2)
    first = shown(flink)

    def rotate(word: str, secret: dict[str, str]) -> None:
        for part in ("internal", "rest"):
            put_secret(cluster, namespace, f"{name}-{part}", secret)
        helm.upgrade(name, FLINK, merged(values, {"tls": {"rotation": word}}), namespace=namespace)
        assert is_savepoint(restored(flink))

    second = authority.issue(names(name))
    rotate("same authority", second)
    assert shown(flink).strip() == second["tls.crt"].strip() != first.strip()

    new = Authority(tmp_path / "new")
    third = new.issue(names(name))
    # All at once the hook, which has the new one, cannot know the JobManager.
    put_secret(cluster, namespace, f"{name}-rest", third)
    with pytest.raises(HelmError, match=r"is not accepted.*Add the authority that signed it to ca\.crt in Secret rotated-rest"):
        helm.upgrade(name, FLINK, merged(values, {"tls": {"rotation": "at once"}}), namespace=namespace)

    both = new.certificate + authority.certificate
    rotate("both authorities", {**second, "ca.crt": both})
    rotate("the new one", {**third, "ca.crt": both})
    rotate("the old one has left", third)
    assert shown(flink).strip() == third["tls.crt"].strip()


def test_a_restart_of_the_pods_takes_another_certificate_and_the_newest_checkpoint(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, authority: Authority
) -> None:
    """As docs/tls.md has it for one that has expired."""
    name = "restarted"
    values = merged(jar_job.VALUES, locked(cluster, namespace, name, authority))
    flink = again(jar_job.started(install, name, values), within=True)
    new = authority.issue(names(name))
    put_secret(cluster, namespace, f"{name}-rest", new)
    stamp = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-12-01T00:00:00Z"}}}}}
    for component in ("jobmanager", "taskmanager"):
        cluster.apps.patch_namespaced_deployment(f"{name}-flink-{component}", namespace, stamp)
    wait_for(lambda: shown(flink).strip() == new["tls.crt"].strip(), timeout=180, what="the new certificate")
    assert "/chk-" in restored(flink)["external_path"]
    helm.upgrade(name, FLINK, another(values), namespace=namespace)
    assert is_savepoint(restored(flink))


def test_a_pod_with_an_expired_certificate_says_so(
    install: Install, cluster: Cluster, namespace: str, authority: Authority
) -> None:
    values = merged({"hooks": {"timeoutSeconds": 60}}, locked(cluster, namespace, "expired", authority))
    put_secret(cluster, namespace, "expired-rest", authority.issue(names("expired"), days=-1))
    with pytest.raises(HelmError):
        install("expired", FLINK, values, options=["--timeout=40s"])
    pod = cluster.pods(namespace, "app.kubernetes.io/instance=expired,app.kubernetes.io/component=jobmanager")[0]
    log = cluster.log(namespace, pod.metadata.name, container="configure")
    assert "The certificate in the Secret of tls.rest has expired" in log


def test_cert_manager_makes_what_pods_wait_for(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, authority: Authority
) -> None:
    """The API server takes the Certificates; the test writes their Secrets, as cert-manager would."""
    define_certificates(cluster)
    issuer = {"certManager": {"issuerRef": {"name": "authority", "kind": "ClusterIssuer"}}}
    tls: Values = {"internal": {"enabled": True}, "rest": {"enabled": True, "hosts": ["flink.example"]}, **issuer}
    values = jar_job.values(tls=tls)
    text = helm.template(FLINK, values, name="managed", namespace=namespace)
    certificates = [obj for obj in yaml.safe_load_all(text) if obj and obj["kind"] == "Certificate"]
    kind = DynamicClient(cluster.api).resources.get(api_version="cert-manager.io/v1", kind="Certificate")
    for one in certificates:
        kind.create(body=one, namespace=namespace, query_params=[("dryRun", "All"), ("fieldValidation", "Strict")])
        put_secret(cluster, namespace, one["spec"]["secretName"], authority.issue(one["spec"]["dnsNames"]))
    flink = jar_job.started(install, "managed", values)
    assert {one.metadata.name for one in kind.get(namespace=namespace).items} == {
        f"managed-flink-{part}-tls" for part in ("internal", "rest")
    }
    helm.upgrade("managed", FLINK, another(values), namespace=namespace)
    assert is_savepoint(restored(flink))


TRIAL: Values = {
    "internal": {"enabled": True},
    "rest": {"enabled": True, "clientCertificates": True},
    "selfSigned": {"enabled": True},
}


@pytest.mark.parametrize("mode", ["standalone", "native"])
def test_certificates_for_a_trial_stay_over_upgrades_and_are_made_anew_by_rotation(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, mode: str
) -> None:
    name = f"trial-{mode}"
    values = jar_job.values(flink={"mode": mode}, tls=TRIAL)
    flink = again(install(name, FLINK, values), within=True)
    flink.rest.wait_checkpoint(running(flink), 2)

    def certificate() -> str:
        data = cluster.core.read_namespaced_secret(f"{name}-flink-rest-tls", namespace).data
        return base64.b64decode(data["tls.crt"]).decode().strip()

    first = certificate()
    assert shown(flink).strip() == first
    with pytest.raises(CommandFailed):
        flink.jobmanager(["bash", "-c", "ls /opt/flink/tls/rest/ca.key"])

    helm.upgrade(name, FLINK, another(values), namespace=namespace)
    assert is_savepoint(restored(flink))
    assert certificate() == first

    helm.upgrade(name, FLINK, merged(values, {"tls": {"rotation": "2"}}), namespace=namespace)
    assert is_savepoint(restored(flink))
    assert shown(flink).strip() == certificate() != first


@pytest.mark.parametrize("mode", ["standalone", "native"])
def test_a_bounded_job_ends_behind_both_locks(install: Install, cluster: Cluster, namespace: str, mode: str) -> None:
    name = f"bounded-{mode}"
    values: Values = {
        "flink": {"type": "job", "mode": mode},
        "job": {"bounded": True, "jar": {"file": "/opt/flink/examples/streaming/WordCount.jar"}},
        "tls": TRIAL,
    }
    flink = install(name, FLINK, values)
    (jobmanager,) = cluster.batch.list_namespaced_job(namespace, label_selector=flink.selector("jobmanager")).items
    workloads.wait_job(cluster, namespace, jobmanager.metadata.name, timeout=240)


@pytest.mark.parametrize("version", [NEW, OLD])
def test_a_job_whose_leader_a_zookeeper_by_tls_knows(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, authority: Authority, version: str
) -> None:
    name = f"known-{version[0]}"
    with zookeeper.locked(cluster, namespace, authority) as known:
        config = {"high-availability.zookeeper.client.acl": "creator"}
        values = jar_job.values(flink={"version": version, "config": config}, highAvailability=known)
        flink = jar_job.started(install, name, values)
        job, before = running(flink), jar_job.newest(flink)
        faults.delete_pods(cluster, namespace, flink.selector("jobmanager"))
        wait_for(lambda: restored(flink).get("id", 0) >= before, timeout=180, what="the job to resume from its checkpoint")
        assert running(flink) == job
        helm.upgrade(name, FLINK, another(values), namespace=namespace)
        assert is_savepoint(restored(flink))
        helm.rollback(name, 1, namespace=namespace)
        assert is_savepoint(restored(flink))
        helm.uninstall(name, namespace=namespace)


def test_walls_and_locks_stand_together(
    install: Install, helm: Helm, cluster: Cluster, namespace: str, authority: Authority
) -> None:
    values = merged(jar_job.VALUES, locked(cluster, namespace, "both", authority, clientCertificates=True))
    values = merged(values, {"networkPolicy": {"enabled": True}})
    flink = again(install("both", FLINK, values), within=True)
    flink.rest.wait_checkpoint(running(flink), 2)
    helm.upgrade("both", FLINK, another(values), namespace=namespace)
    assert is_savepoint(restored(flink))
