"""What reading alone allows: a topic to nowhere, as it is (`raw`) or with every field of its rows decoded (`json`).

It asks Kafka for as much at once as the KDV job does (kdv_job/source.py).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

_COLUMNS = {
    "raw": "line BYTES",
    "json": """
        id BIGINT, product STRING, description STRING, price DECIMAL(20, 4), kdv DECIMAL(7, 4), timestamp_column TIMESTAMP(3)""",
}
_OPTIONS = {"raw": "", "json": ", 'json.ignore-parse-errors' = 'true'"}


def main(argv: Sequence[str]) -> None:
    kind, broker, topic, group, interval = argv
    from pyflink.common import Configuration
    from pyflink.table import EnvironmentSettings, TableEnvironment

    config = Configuration()
    config.set_string("pipeline.name", f"{kind}-blackhole")
    config.set_string("execution.checkpointing.interval", interval)
    tables = TableEnvironment.create(EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(config).build())
    tables.execute_sql(f"""
        CREATE TABLE adverts ({_COLUMNS[kind]}) WITH (
            'connector' = 'kafka',
            'topic' = '{topic}',
            'properties.bootstrap.servers' = '{broker}',
            'properties.group.id' = '{group}',
            'properties.max.partition.fetch.bytes' = '4194304',
            'properties.max.poll.records' = '2000',
            'scan.startup.mode' = 'earliest-offset',
            'format' = '{kind}'{_OPTIONS[kind]}
        )""")
    tables.execute_sql(f"CREATE TABLE nowhere ({_COLUMNS[kind]}) WITH ('connector' = 'blackhole')")
    tables.execute_sql("INSERT INTO nowhere SELECT * FROM adverts")


if __name__ == "__main__":
    main(sys.argv[1:])
