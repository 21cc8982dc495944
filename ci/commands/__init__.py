"""The commands of `make`, each declared here once and explained by `make help`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """`function` is "module:function" below ci/. It is called with `arguments`, and after them ARGS; with None it takes none."""

    function: str
    explanation: str
    arguments: tuple[str, ...] | None = None


_ARGS = ()

COMMANDS = {
    "help": Command("commands.help:main", "show this"),
    "demo": Command("commands.demo:main", "from nothing to CSV rows on a local Kubernetes", _ARGS),
    "demo-local": Command(
        "commands.demo:local", "the same pipeline as processes of this machine: no container, no Kubernetes", _ARGS
    ),
    "test": Command("commands.test:checked", "linters, and a representative set of all tests; ARGS go to pytest", ("all",)),
    "test-unit": Command("commands.test:main", "charts rendered, hooks, jobs and tools; no cluster", ("unit",)),
    "test-model": Command(
        "commands.test:main",
        "random walks of the hooks in a model of Kubernetes and Flink; MODEL_SEED and MODEL_WALKS of the environment; no cluster",
        ("model",),
    ),
    "test-local": Command(
        "commands.test:main", "the KDV job with real Kafka and Flink as processes of this machine; no cluster", ("local",)
    ),
    "test-kind": Command(
        "commands.test:main", 'on a real Kubernetes; ARGS="-k session" picks tests, KEEP=1 keeps their namespaces', ("kind",)
    ),
    "test-soak": Command(
        "commands.test:main", 'a random walk of operations and faults on kind; ARGS="--minutes 20 --seed 7"', ("soak",)
    ),
    "test-full": Command("commands.test:checked", "linters, and the whole matrix", ("full",)),
    "fuzz": Command(
        "commands.test:fuzz",
        "the decoder's verdicts on random records beside the model's; ARGS=\"--seconds 3600 --flink 1.20.5\"",
        _ARGS,
    ),
    "bench": Command("commands.bench:start", "measure the start of the demo on kind", _ARGS),
    "bench-kdv": Command(
        "commands.bench:kdv", 'check and measure the KDV job beside others; ARGS="measure --runs 5" does one part', _ARGS
    ),
    "bench-lifecycle": Command(
        "commands.bench:lifecycle", "measure the seconds without output of kills, upgrades and rollbacks on kind", _ARGS
    ),
    "bench-modes": Command("commands.bench:modes", "measure the start of a job in standalone and in native mode on kind", _ARGS),
    "bench-operator": Command(
        "commands.bench:operator", "measure charts/flink beside the Flink Kubernetes Operator, on kind", _ARGS
    ),
    "bench-scaling": Command(
        "commands.bench:scaling", "measure TaskManagers that follow a load, beside a fixed number of them, on kind", _ARGS
    ),
    "lint": Command("commands.lint:main", "formatters and linters"),
    "fmt": Command("commands.lint:fmt", "format the Python code"),
    "docs": Command("commands.lint:docs", "generate the tables of values, and what editors show of them"),
    "dashboards": Command("commands.lint:dashboards", "generate Grafana's dashboards, after a change of their panels"),
    "docs-site": Command("commands.site:main", "the documentation as a site in .build/site, with every link and anchor checked"),
    "options": Command("charts.flink_options:main", "read the names of Flink's options again, after a change of its version"),
    "images": Command("images.images:ensure", "build the images"),
    "image": Command(
        "images.job_image:main",
        "an image with any Flink and a job of yours;"
        " JOB=jobs/high-speed NAME=... TAG=... FLINK_DIST=release|archive|local FLINK=...",
        _ARGS,
    ),
    "load": Command("images.images:load", "build the images and load them into the kind cluster"),
    "cluster": Command(
        "kubernetes.cluster:main",
        'the kind cluster; its kubeconfig is .build/kubeconfig; ARGS="--workers 2" for the one of several nodes',
        _ARGS,
    ),
    "metrics-server": Command(
        "commands.addons:main",
        "the metrics server in the kind cluster, for values/autoscaling.yaml and kubectl top",
        ("metrics-server",),
    ),
    "keda": Command("commands.addons:main", "KEDA in the kind cluster, for taskmanager.autoscaling.keda", ("keda",)),
    "prometheus-operator": Command(
        "commands.addons:main",
        "the Prometheus Operator in the kind cluster, for metrics.podMonitor and metrics.prometheusRule",
        ("prometheus-operator",),
    ),
    "flink-operator": Command(
        "commands.addons:main",
        "the Flink Kubernetes Operator in the kind cluster, for flink.mode=operator in the namespace default",
        ("flink-operator",),
    ),
    "cluster-delete": Command(
        "kubernetes.cluster:main_delete", "delete the kind clusters; ARGS=--workers only the one of several nodes", _ARGS
    ),
    "release": Command(
        "commands.release:main",
        'both charts, signed, and our images into a registry; ARGS="registry.example.com/flink", see docs/release.md',
        _ARGS,
    ),
    "engine": Command("machine.engine:ensure", "make a docker engine answer"),
    "tools": Command("kubernetes.tools:ensure", "kind, helm, helm3, kubectl and helm-docs in .build/bin"),
    "venv": Command("machine.venv:ensure", "the Python of the tests in .build/venv"),
    "lock": Command("commands.lock:main", "write the hashes of all downloads again, after a change of versions.toml"),
    "clean": Command("commands.clean:main", "delete the clusters, what was built, and .build"),
}
