"""Says by which ids the operators of the KDV job keep their state, for each line of arguments (JSON) on stdin: a line of JSON,
[[name, id], ...]. Runs with Flink's home and PyFlink in its environment, and starts nothing."""

from __future__ import annotations

import json
import sys

from kdv_job.arguments import parse_args
from kdv_job.options import configuration
from kdv_job.plan import plan
from kdv_job.topics import KEPT_BYTES
from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment


def uids(argv: list[str]) -> list[tuple[str, str | None]]:
    args = parse_args(argv)
    flink = Configuration()
    for key, value in configuration(args).items():
        flink.set_string(key, value)
    flink.set_string("parallelism.default", "2")
    streams = StreamExecutionEnvironment.get_execution_environment(flink)
    plan(StreamTableEnvironment.create(streams), args, {}, KEPT_BYTES, 1).attach_as_datastream()
    graph = streams._j_stream_execution_environment.getStreamGraph(False)
    nodes = sorted(graph.getStreamNodes().toArray(), key=lambda node: node.getId())
    return [(node.getOperatorName(), node.getTransformationUID()) for node in nodes]


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(uids(json.loads(line))), flush=True)
