"""Kafka and Flink as processes of this machine: no container, no cluster, free ports, everything ended afterwards."""
