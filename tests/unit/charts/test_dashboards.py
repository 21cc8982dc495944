"""Grafana's dashboards: written by the generator, of expressions that Prometheus takes, each about the chosen releases alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest

from ci.charts import dashboards
from ci.core.paths import FLINK
from harness.manifests import Object, render

ON: dict[str, Any] = {"metrics": {"dashboard": {"enabled": True}}}
NAMES = ("flink-release.json", "flink-releases.json")
each_board = pytest.mark.parametrize("name", NAMES)
# What Grafana puts in.
VARIABLES = {"$namespace": "ns", "$release": "my", "$job": ".*", "$__rate_interval": "1m", "$__range": "1h"}


def board(name: str, values: dict[str, Any] = ON) -> Object:
    dashboard: Object = json.loads(render(FLINK, values, name="my").one("ConfigMap", "my-flink-dashboards")["data"][name])
    return dashboard


def expressions(name: str) -> list[str]:
    return [target["expr"] for panel in board(name)["panels"] for target in panel.get("targets", [])]


def filled(expression: str) -> str:
    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)
    return expression


def selectors(node: Any) -> Iterator[Any]:
    """Each selector of series in a parsed expression."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for field in ("expr", "lhs", "rhs", "vector_selector", "param"):
        below = getattr(node, field, None)
        if below is not None:
            yield from selectors(below)
    for argument in getattr(node, "args", []):
        yield from selectors(argument)


def test_the_files_are_what_the_generator_makes() -> None:
    assert {file.name: file.read_text() for file in dashboards.FOLDER.iterdir()} == dashboards.texts()


@each_board
def test_prometheus_takes_each_expression_and_it_is_about_the_chosen_releases(name: str) -> None:
    chosen = {"namespace", "app_kubernetes_io_instance"} if name == "flink-release.json" else {"namespace"}
    queries = expressions(name)
    assert len(queries) > 10
    for expression in queries:
        series = list(selectors(promql_parser.parse(filled(expression))))
        assert series, expression
        for one in series:
            assert one.name.startswith("flink_"), expression
            assert chosen <= {matcher.name for matcher in one.matchers.matchers}, expression


@each_board
def test_no_variable_is_left_and_no_panel_lies_on_another(name: str) -> None:
    text = json.dumps(board(name)["panels"])
    assert "$" not in filled(text.replace("${datasource}", "").replace("${__data.fields.", ""))
    places: set[tuple[int, int]] = set()
    for panel in board(name)["panels"]:
        at = panel["gridPos"]
        covered = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not covered & places, panel["title"]
        assert max(x for x, _ in covered) < 24
        places |= covered


def test_the_sidecar_of_grafana_finds_them() -> None:
    metadata = render(FLINK, ON, name="my").one("ConfigMap", "my-flink-dashboards")["metadata"]
    assert metadata["labels"]["grafana_dashboard"] == "1"
    own = {"metrics": {"dashboard": {"enabled": True, "labels": {"board": "yes"}, "annotations": {"grafana_folder": "Flink"}}}}
    metadata = render(FLINK, own, name="my").one("ConfigMap", "my-flink-dashboards")["metadata"]
    assert metadata["labels"]["board"] == "yes"
    assert metadata["annotations"]["grafana_folder"] == "Flink"
    assert not render(FLINK, name="my").by("ConfigMap", "my-flink-dashboards")


def test_all_releases_show_the_same_boards() -> None:
    """Whichever release is removed, the files of the others are equal to its own."""
    one, other = (render(FLINK, ON, name=name, namespace=name).one("ConfigMap", f"{name}-flink-dashboards") for name in "ab")
    assert one["data"] == other["data"]
