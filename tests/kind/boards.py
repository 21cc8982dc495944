"""The dashboards of the chart: what they ask Prometheus, and how that looks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench import lines
from ci.core.paths import FLINK
from harness.manifests import render
from tests.kind.monitoring import Monitoring


@dataclass(frozen=True)
class Panel:
    title: str
    shape: str  # "timeseries", "stat", ...
    targets: Sequence[tuple[str, str]]  # an expression, and what its series are called: "{{job_name}} late"


def panels(board: str, release: str, namespace: str) -> list[Panel]:
    """The panels of a dashboard with its variables filled in."""
    values = {"metrics": {"dashboard": {"enabled": True}}}
    text = render(FLINK, values).one("ConfigMap", "release-name-flink-dashboards")["data"][board]
    variables = {"$namespace": namespace, "$release": release, "$job": ".*", "$__rate_interval": "30s", "$__range": "5m"}

    def filled(expression: str) -> str:
        for variable, value in variables.items():
            expression = expression.replace(variable, value)
        return expression

    return [
        Panel(
            panel["title"],
            panel["type"],
            [(filled(target["expr"]), target.get("legendFormat", "")) for target in panel.get("targets", [])],
        )
        for panel in json.loads(text)["panels"]
    ]


def picture(prometheus: Monitoring, board: Sequence[Panel], start: float, end: float) -> str:
    """Its panels over time, as SVG."""

    def diagram(panel: Panel) -> lines.Diagram:
        drawn: dict[str, lines.Line] = {}
        for expression, legend in panel.targets:
            for series in prometheus.values(expression, start, end, 5):
                points = [(float(when), float(value)) for when, value in series["values"] if value not in ("NaN", "+Inf")]
                drawn[_name(legend, series["metric"]) or panel.title] = points
        return lines.Diagram(panel.title, drawn)

    return lines.svg([diagram(panel) for panel in board if panel.shape == "timeseries"], columns=2)


def _name(legend: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"{{(\w+)}}", lambda variable: labels.get(variable[1], ""), legend)
