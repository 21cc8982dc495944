"""A store that speaks S3 and changes under a job: its credentials are replaced, and it fills."""

from __future__ import annotations

import json
import secrets
import time

import pytest

from ci.core.paths import FLINK
from harness.cluster import Cluster
from harness.helm import Helm, merged
from tests.kind import jar_job, outages, s3_store
from tests.kind.demo_job import ARGS, check_rows, producer_done, started
from tests.kind.installs import NEW, Install

pytestmark = [pytest.mark.state, pytest.mark.platform, pytest.mark.faults, pytest.mark.full]


def give_accounts(cluster: Cluster, namespace: str, accounts: dict[str, str]) -> None:
    """The store knows these {access key: secret key} and its administrator alone."""
    entries = {access: {"access": access, "secret": secret, "role": "admin"} for access, secret in accounts.items()}
    script = "cat > /tmp/new && mv /tmp/new /tmp/users.json"
    cluster.runner(namespace, s3_store.PODS)(["sh", "-c", script], stdin=json.dumps({"accessAccounts": entries}))


def test_credentials_are_replaced(install: Install, helm: Helm, cluster: Cluster, namespace: str) -> None:
    s3 = s3_store.serve(cluster, namespace)
    env = [{"name": "VGW_IAM_DIR", "value": "/tmp"}, {"name": "VGW_IAM_CACHE_DISABLE", "value": "true"}]
    s3_store.change(cluster, namespace, {"containers": [{"name": s3_store.DEPLOYMENT, "env": env}]})
    old, new = ({name: secrets.token_hex(16)} for name in ("old", "new"))
    for accounts in (old, new):
        for name, secret in accounts.items():
            s3_store.make_secret(cluster, namespace, name, name, secret)
    give_accounts(cluster, namespace, old)
    values = jar_job.values(**merged(s3, {"state": {"s3": {"credentialsSecret": "old"}}}))
    flink = jar_job.started(install, "replaced", values)

    give_accounts(cluster, namespace, old | new)
    helm.upgrade("replaced", FLINK, merged(values, {"state": {"s3": {"credentialsSecret": "new"}}}), namespace=namespace)
    assert "/savepoints/" in jar_job.restored(flink)["external_path"]
    give_accounts(cluster, namespace, new)
    job = jar_job.running(flink)
    flink.rest.wait_checkpoint(job, jar_job.newest(flink) + 2)
    assert jar_job.running(flink) == job


def test_a_bucket_that_is_full_for_a_while(install: Install, cluster: Cluster, namespace: str) -> None:
    s3 = s3_store.serve(cluster, namespace)
    memory = {"name": "data", "persistentVolumeClaim": None, "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}
    s3_store.change(cluster, namespace, {"volumes": [memory]})
    args = [*ARGS, "--output=s3://flink/output"]
    _, flink, kafka, first = started(install, "filled", image={"tag": f"{NEW}-s3"}, job={"args": args}, **s3)

    store = cluster.runner(namespace, s3_store.PODS)
    before = time.time()
    store(["sh", "-c", "! dd if=/dev/zero of=/data/filler bs=64k 2>&1"])
    outages.wait_missed(flink, first["jid"], before)
    store(["rm", "/data/filler"])
    outages.wait_next_checkpoint(flink, first["jid"])
    producer_done(flink)
    check_rows(flink, kafka, 2000, lambda: s3_store.output(cluster, namespace, "output"))
