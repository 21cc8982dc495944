"""SQL in its three ways: over HTTP, by the SQL client in a pod, and as a job; and the history of what has ended."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import yaml

from ci.core.paths import FLINK, VALUES
from harness import network
from harness.helm import Helm
from harness.rest import is_savepoint
from harness.waits import wait_for
from tests.kind.installs import NEW, Install, matrix
from tests.kind.sql_gateway import Gateway

TEXT = "to be or not to be that is the question"
QUERY = "SELECT word, COUNT(*) FROM (VALUES {}) AS words (word) GROUP BY word"


@matrix(("helm", NEW))
def test_sql_over_http_and_by_the_client(install: Install, helm: Helm, version: str) -> None:
    flink = install(f"sql-{version[0]}", values={"flink": {"version": version}}, files=[VALUES / "sql.yaml"])
    words = TEXT.split()
    query = QUERY.format(", ".join(f"('{word}')" for word in words))
    assert {word: count for word, count in Gateway(flink).rows(query)} == Counter(words)

    # The client tells statements apart by the ends of lines.
    statements = ["SET 'execution.runtime-mode' = 'batch'", "SET 'sql-client.execution.result-mode' = 'tableau'", query]
    script = "".join(f"{statement};\n" for statement in statements)
    output = flink.jobmanager(
        ["bash", "-c", 'echo "$1" >/tmp/query.sql; sql-client.sh -f /tmp/query.sql', "-", script], timeout=120
    )
    counts = [line.strip("| \n").split("|") for line in output.splitlines() if line.startswith("|")][1:]
    assert {word.strip(): int(count) for word, count in counts} == Counter(words)

    # Both jobs have ended, and the history server shows them when the JobManager is another.
    ended = {job["jid"] for job in flink.rest.jobs()}
    assert len(ended) == 2
    history, url = network.http(flink.cluster, flink.namespace, f"{flink.name}-flink-history-server", "http")
    flink.cluster.apps.patch_namespaced_deployment_scale(
        f"{flink.name}-flink-jobmanager", flink.namespace, {"spec": {"replicas": 0}}
    )

    def archived() -> bool:
        jobs = history.get(f"{url}/jobs/overview", timeout=30).json()["jobs"]
        return {job["jid"] for job in jobs if job["state"] == "FINISHED"} == ended

    wait_for(archived, timeout=90, what="the history server to show the jobs")


@pytest.mark.state
def test_a_job_in_sql_goes_on_where_it_was(install: Install, helm: Helm, namespace: str) -> None:
    values: dict[str, Any] = yaml.safe_load((VALUES / "job-sql.yaml").read_text())
    # So slow that it does not end before the upgrade, and fast afterwards.
    values["files"]["squares.sql"] = values["files"]["squares.sql"].replace("'25'", "'3'")
    flink = install("squares", values=values)
    (job,) = wait_for(flink.rest.jobs, timeout=60, what="the job to be there")
    flink.rest.wait_checkpoint(job["jid"], 1)

    values["files"]["squares.sql"] = values["files"]["squares.sql"].replace("'3'", "'200'")
    helm.upgrade("squares", FLINK, values, namespace=namespace)
    (job,) = flink.rest.jobs()
    assert is_savepoint(flink.rest.checkpoints(job["jid"])["latest"]["restored"])
    flink.rest.wait_finished(job["jid"])
    lines = flink.jobmanager(["bash", "-c", "cat /flink-data/squares/part-*"]).split()
    assert sorted(tuple(map(int, line.split(","))) for line in lines) == [(n, n**2) for n in range(1000)]
