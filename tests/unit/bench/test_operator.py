"""The page's section on the Flink Kubernetes Operator, from records."""

from __future__ import annotations

from typing import Any

from bench import operator


def test_the_section_has_each_step_of_both_and_what_runs_besides() -> None:
    runs: list[dict[str, Any]] = [
        {"step": step, "subject": subject, "seconds": seconds}
        for subject, figures in (("ours", (10.0, 12.0, 11.0)), ("operator", (20.0, 30.0, 40.0)))
        for step in operator.STEPS
        for seconds in figures
    ]
    text = operator.section([*runs, {"step": "memory", "subject": "operator", "mb": 211.5}])
    for what in operator.STEPS.values():
        assert f"| {what} | 11.0 (10.0 to 12.0) | 30.0 (20.0 to 40.0) |" in text
    assert "3 runs of each" in text
    assert "needs 211.5 (211.5 to 211.5) MB" in text
