"""Pods that stand in for others: they have their labels, listen on any port, and try to reach one another."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from ci.core import versions
from harness import evidence
from harness.cluster import Cluster
from harness.waits import wait_for

_LISTEN = """
import selectors, socket, sys
listening = selectors.DefaultSelector()
for port in sys.argv[1:]:
    listening.register(socket.create_server(("", int(port)), backlog=512), selectors.EVENT_READ)
while True:
    for key, _ in listening.select():
        key.fileobj.accept()[0].close()
"""
_CONNECT = """
import asyncio, json, sys

async def reached(name, host, port):
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 5)
    except OSError:
        return None
    writer.close()
    return [name, port]

async def main():
    tried = await asyncio.gather(*(reached(*target) for target in json.load(sys.stdin)))
    print(json.dumps([target for target in tried if target]))

asyncio.run(main())
"""


@dataclass(frozen=True)
class StandIn:
    name: str
    namespace: str
    address: str


@contextmanager
def standing(
    cluster: Cluster, namespace: str, labels: Mapping[str, Mapping[str, str]], ports: Iterable[int]
) -> Iterator[list[StandIn]]:
    """A pod for each name, with its labels, that listens on these ports."""
    command = ["python3", "-c", _LISTEN, *map(str, ports)]
    pods = []
    for name, own in labels.items():
        container = {
            "name": "stand-in",
            "image": f"kdv-tools:{versions.get('images', 'kdv-tools')}",
            "command": command,
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
        spec = {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
        }
        metadata = {"name": name, "labels": dict(own)}
        pods.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})

    def running() -> list[StandIn]:
        pods = {pod.metadata.name: pod for pod in cluster.pods(namespace)}
        ready = all(name in pods and pods[name].status.phase == "Running" for name in labels)
        return [StandIn(name, namespace, pods[name].status.pod_ip) for name in labels] if ready else []

    explain = functools.partial(evidence.summary, cluster, namespace)
    with cluster.having(pods, namespace):
        yield wait_for(running, timeout=120, what=f"the stand-ins of {namespace}", on_timeout=explain)


def matrix(cluster: Cluster, those: Iterable[StandIn], ports: Iterable[int]) -> set[tuple[str, str, int]]:
    """(from, to, port) of each connection that is made between them."""
    those, ports = list(those), list(ports)
    targets = json.dumps([[one.name, one.address, port] for one in those for port in ports])

    def tried(source: StandIn) -> set[tuple[str, str, int]]:
        command = ["python3", "-c", _CONNECT]
        reached = json.loads(cluster.exec(source.namespace, source.name, command, stdin=targets))
        return {(source.name, name, port) for name, port in reached}

    with ThreadPoolExecutor(4) as pool:
        return set().union(*pool.map(tried, those))
