"""logging.format=json: what a real Flink prints with it, line by line."""

from __future__ import annotations

import contextlib
import datetime
import json
import socket
from pathlib import Path

import pytest

from ci.core.paths import FLINK
from harness.manifests import render
from harness.waits import wait_for
from local.flink import FlinkCluster
from tests.local.kdv import VERSIONS

SETTINGS = {"logging": {"format": "json", "loggers": {"org.apache.flink.configuration": "DEBUG"}}}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_line_is_an_object_and_a_failure_is_one_line(version: str, tmp_path: Path) -> None:
    """A JobManager whose port is taken says so and ends."""
    (tmp_path / "flink").mkdir()
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        cluster = FlinkCluster(version, tmp_path / "flink", config={"rest.port": str(port), "rest.bind-port": str(port)})
        logging = render(FLINK, SETTINGS, name="r").one("ConfigMap", "r-flink-config")["data"]["log4j-console.properties"]
        (cluster.directory / "conf" / "log4j-console.properties").write_text(logging)
        with cluster.launch("jobmanager") as jobmanager:
            wait_for(lambda: not jobmanager.running(), timeout=300, what="the JobManager to end", on_timeout=jobmanager.tail)
        start, *printed = jobmanager.log.read_text().splitlines()
    assert start.startswith("Starting standalonesession")  # Flink's script, before there is a log
    lines = [json.loads(line) for line in printed]
    assert all({"@timestamp", "level", "logger", "thread", "message"} <= line.keys() for line in lines)
    assert all(datetime.datetime.fromisoformat(line["@timestamp"]).utcoffset() == datetime.timedelta(0) for line in lines)
    assert {line["level"] for line in lines} >= {"INFO", "ERROR"}
    (failure,) = [line for line in lines if "exception" in line and line["message"].startswith("Could not start cluster")]
    first, *stack = failure["exception"].strip().splitlines()
    assert first.startswith("org.apache.flink.runtime.entrypoint.ClusterEntrypointException: ")
    assert [line for line in stack if line.startswith("Caused by: java.net.BindException: ")]
    assert [line for line in stack if line.startswith("\tat org.apache.flink.")]
    assert len([line for line in lines if "\n" in line["message"]]) >= 1  # a message of several lines is one object too
    # The file, which the UI shows, is as ever.
    (file,) = [file for file in (cluster.directory / "log").glob("*.log") if file.stat().st_size]
    assert "INFO  org.apache.flink.runtime.entrypoint" in file.read_text()
