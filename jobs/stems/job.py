"""Counts the words of a text by their stems, into CSV files: a Python project with a module of its own and a package.

--text TEXT [--output FOLDER]
"""

from __future__ import annotations

import argparse

from pyflink.table import DataTypes, EnvironmentSettings, TableEnvironment
from stemming import stems


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--text", required=True)
    parser.add_argument("--output", default="file:///flink-data/stems")
    options = parser.parse_args()

    tables = TableEnvironment.create(EnvironmentSettings.in_batch_mode())
    schema = DataTypes.ROW([DataTypes.FIELD("stem", DataTypes.STRING())])
    tables.create_temporary_view("words", tables.from_elements([(stem,) for stem in stems(options.text)], schema))
    files = f"'connector' = 'filesystem', 'path' = '{options.output}', 'format' = 'csv'"
    tables.execute_sql(f"CREATE TABLE counts (stem STRING, n BIGINT) WITH ({files})")
    tables.execute_sql("INSERT INTO counts SELECT stem, COUNT(*) FROM words GROUP BY stem")


if __name__ == "__main__":
    main()
