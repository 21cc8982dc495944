"""What the tests on a real cluster install with: which Helm, which Flink, and the fixture that does it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ci.core import versions
from harness.release import FlinkRelease

NEW, OLD = versions.section("flink")["releases"]


def matrix(*always: tuple[str, str]) -> pytest.MarkDecorator:
    """Each Helm with each Flink; all but these (Helm, Flink) belong to the whole matrix."""
    every = [(helm, version) for helm in ("helm", "helm3") for version in (NEW, OLD)]
    return pytest.mark.parametrize(
        ("helm", "version"),
        [pytest.param(*pair, marks=[] if pair in always else [pytest.mark.full]) for pair in every],
        indirect=["helm"],
    )


BOTH_HELMS_AND_FLINKS = matrix(("helm", NEW), ("helm3", OLD))

# install(name, chart, values, files=...), the fixture of conftest.py.
Install = Callable[..., FlinkRelease]
