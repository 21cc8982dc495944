"""Ways from the tests' machine to what listens in a cluster."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from .cluster import Cluster, CommandFailed


def http(cluster: Cluster, namespace: str, service: str, port: str | int, *, tls: bool = False) -> tuple[requests.Session, str]:
    """A session and the URL of a Service by way of the API server; they outlive the pods behind it.

    With `tls` the API server speaks HTTPS to the Service: it looks at no certificate, and shows none.
    """
    settings = cluster.api.configuration
    session = requests.Session()
    session.trust_env = False  # or certificates and proxies of the environment would win over the kubeconfig's
    session.verify = settings.ssl_ca_cert if settings.verify_ssl else False
    if settings.cert_file:
        session.cert = (settings.cert_file, settings.key_file)
    cluster.api.update_params_for_auth(session.headers, [], settings.auth_settings(), "", "", None)
    name = f"https:{service}" if tls else service
    return session, f"{settings.host}/api/v1/namespaces/{namespace}/services/{name}:{port}/proxy"


@contextmanager
def port_forward(cluster: Cluster, namespace: str, target: str, port: int) -> Iterator[int]:
    """A free local port that leads to `target` ("service/NAME", "pod/NAME"), for programs that need one.

    It ends with the pod it reached; use `http` for what has to survive that.
    """
    command = [
        "kubectl",
        f"--kubeconfig={cluster.kubeconfig}",
        f"--namespace={namespace}",
        "port-forward",
        target,
    ]
    with subprocess.Popen([*command, f":{port}"], stdout=subprocess.PIPE, text=True) as child:
        try:
            line = child.stdout.readline() if child.stdout else ""
            if "127.0.0.1:" not in line:
                raise CommandFailed(f"kubectl port-forward {target} {port} ended before it listened")
            yield int(line.split("127.0.0.1:")[1].split()[0])
        finally:
            child.terminate()
