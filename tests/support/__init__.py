"""A small library for tests of Helm charts that run Flink.

It renders, installs, waits, looks at the data and collects evidence. Nothing in it knows this repository's
charts; only `csv_output` and `kdv_model` know the rows of the KDV job.
"""
