"""How the registry of a release is named and spoken to."""

from __future__ import annotations


def plain_http(registry: str) -> list[str]:
    """The option of helm and oras for a registry on this machine ("127.0.0.1:5000/flink"), which docker takes without TLS too."""
    host = registry.partition("/")[0].partition(":")[0]
    return ["--plain-http"] if host in ("127.0.0.1", "localhost") else []
