"""The KDV job: adverts in, price with KDV out, one CSV row per advert and window.

Input: JSON objects on a Kafka topic with the fields id, product, description, price, kdv and timestamp_column
(event time, `YYYY-MM-DD HH:MM:SS` with or without fraction, in no particular time zone).

Output: CSV files without header, encoded in UTF-8, with these columns, separated by commas:
id, product, description, price, kdv, price_with_kdv, window_start.

- Rows are grouped by window and all columns: copies of an advert within a window give one row.
- price and kdv are written as they were given, plainly and without zeros at the end: 18000, 0.18, 19.9.
- price_with_kdv is price * (1 + kdv) rounded half up to two digits, always written with both: 55000.00.
- window_start is written as `YYYY-MM-DD HH:MM:SS`.
- Texts and window_start are in quotes; quotes inside are doubled.

A row appears in a finished file (`part-...`, without a leading dot) with the first checkpoint after its window closed and its
file was rolled. A window closes when rows of a later time were read from every partition that is not idle.

Nothing is dropped in silence: each input record ends as a CSV row, as the copy of one in the same window, as a dead letter, or
as a late record. A dead letter lacks a field, or has one of a wrong type or beyond its range (price: 0 and more, up to 14
digits before the point and 4 behind; kdv: 0 to 1, 4 digits; time: from 1970), or is not JSON at all. A late record came after
its window had closed. Both are kept in a topic or a directory with their bytes, where they came from, and the reason. With
`--format=json`, which does without the jar of checked-json, this does not hold: see docs/kdv-job.md.

The modules are in the package kdv_job, which has to be beside this file; its own page names them.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Sequence

from kdv_job.arguments import parse_args
from kdv_job.kafka import kafka_package, kafka_properties, without_secrets
from kdv_job.options import checkpoint_timeout, configuration
from kdv_job.plan import plan
from kdv_job.topics import prepare_topics, stalled


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)

    # Here, so that --help and a wrong argument need no Flink.
    from pyflink.common import Configuration
    from pyflink.datastream import StreamExecutionEnvironment
    from pyflink.java_gateway import get_gateway
    from pyflink.table import StreamTableEnvironment

    package = kafka_package()
    properties = kafka_properties(args, package)
    topics = prepare_topics(args, package, properties)
    flink = Configuration()
    for key, value in configuration(args).items():
        flink.set_string(key, value)
    streams = StreamExecutionEnvironment.get_execution_environment(flink)
    parallelism = streams.get_parallelism()
    if sentence := stalled(args, topics, parallelism):
        raise SystemExit(sentence)
    partitions = math.ceil(topics.partitions / parallelism)
    checkpoints = streams.get_checkpoint_config()
    checkpoints.set_checkpoint_timeout(checkpoint_timeout(args, checkpoints.get_checkpoint_timeout()))
    try:
        plan(StreamTableEnvironment.create(streams), args, properties, topics.kept_bytes, partitions).execute()
    except Exception:
        message = without_secrets(traceback.format_exc(), properties)
        jvm = get_gateway().jvm  # which logs by itself what it threw
        jvm.org.apache.flink.client.python.PythonEnvUtils.setPythonException(jvm.java.lang.RuntimeException(message))
        raise SystemExit(message) from None


if __name__ == "__main__":
    main()
