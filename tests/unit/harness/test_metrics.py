"""The text format of Prometheus."""

from __future__ import annotations

import math

import pytest

from harness.metrics import Sample, parse


def test_samples_have_their_labels() -> None:
    text = '# TYPE a gauge\na{b="c",d="e \\"f\\" \\\\ } 1",} 2.0\n\nn:_1 1.5E3\nnan{} NaN\n'
    first, second, third = parse(text)
    assert first == Sample("a", {"b": "c", "d": 'e "f" \\ } 1'}, 2.0)
    assert second == Sample("n:_1", {}, 1500.0)
    assert math.isnan(third.value)


def test_a_line_that_is_no_sample_is_an_error() -> None:
    with pytest.raises(ValueError, match="no sample: a b c"):
        list(parse("a b c\n"))
