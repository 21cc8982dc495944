"""The KDV job as tutorials publish it: SQL over the stock JSON and CSV formats, amounts in DOUBLE, broken and late rows dropped.

Its checkpoints are ours: without them it would never finish a file.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str]) -> None:
    broker, topic, group, output, interval = argv
    from pyflink.common import Configuration
    from pyflink.table import EnvironmentSettings, TableEnvironment

    config = Configuration()
    config.set_string("pipeline.name", "reference")
    config.set_string("execution.checkpointing.interval", interval)
    tables = TableEnvironment.create(EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(config).build())
    tables.execute_sql(f"""
        CREATE TABLE adverts (
            id BIGINT,
            product STRING,
            description STRING,
            price DOUBLE,
            kdv DOUBLE,
            timestamp_column TIMESTAMP(3),
            WATERMARK FOR timestamp_column AS timestamp_column - INTERVAL '5' SECOND
        ) WITH (
            'connector' = 'kafka',
            'topic' = '{topic}',
            'properties.bootstrap.servers' = '{broker}',
            'properties.group.id' = '{group}',
            'scan.startup.mode' = 'earliest-offset',
            'format' = 'json',
            'json.ignore-parse-errors' = 'true'
        )""")
    tables.execute_sql(f"""
        CREATE TABLE adverts_with_kdv (
            id BIGINT,
            product STRING,
            description STRING,
            price DOUBLE,
            kdv DOUBLE,
            price_with_kdv DOUBLE,
            window_start TIMESTAMP(3)
        ) WITH ('connector' = 'filesystem', 'path' = '{output}', 'format' = 'csv')""")
    tables.execute_sql("""
        INSERT INTO adverts_with_kdv
        SELECT id, product, description, price, kdv, price * (1 + kdv), window_start
        FROM TABLE(TUMBLE(TABLE adverts, DESCRIPTOR(timestamp_column), INTERVAL '2' MINUTES))
        GROUP BY window_start, window_end, id, product, description, price, kdv""")


if __name__ == "__main__":
    main(sys.argv[1:])
