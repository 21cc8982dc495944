"""The decoder's verdicts, held against the model's on records near the edge; `make fuzz` does it for longer."""

from __future__ import annotations

import itertools

import pytest

from tests.fuzz.__main__ import Tally, check, decoder
from tests.fuzz.records import records
from tests.local.kdv import VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_every_verdict_is_that_of_the_model(version: str) -> None:
    tally = Tally()
    with decoder(version) as running:
        check(running, list(itertools.islice(records(seed=1), 10_000)), tally)
    assert min(tally.verdicts["good"], tally.verdicts["broken"]) > 1000, tally
