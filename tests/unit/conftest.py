"""Fixtures of the tests without a cluster."""

from __future__ import annotations

import pytest

from harness.helm import Helm


@pytest.fixture(scope="session")
def helm3() -> Helm:
    """Helm 3, beside the Helm 4 that everything is rendered with by default."""
    return Helm("helm3")
