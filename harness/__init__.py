"""A small library for tests of Helm charts on a real Kubernetes, and of charts that run Flink. README.md shows it.

It renders, installs, waits, breaks things on purpose, looks at the data and collects evidence. It knows no chart.
"""
