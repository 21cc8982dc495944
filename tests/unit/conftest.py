"""Fixtures of the tests without a cluster."""

from __future__ import annotations

import pytest

from harness.certificates import Authority
from harness.helm import Helm


@pytest.fixture(scope="session")
def helm3() -> Helm:
    """Helm 3, beside the Helm 4 that everything is rendered with by default."""
    return Helm("helm3")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))
