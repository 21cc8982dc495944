"""What all tests share. Fixtures of a cluster come from harness/plugin.py; tests that need no cluster never touch them.

Options come from pytest-helm-charts: `--kubeconfig FILE` (default `.build/kubeconfig`, which `make cluster` writes).
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from ci.core.paths import BUILD

pytest_plugins = ["harness.plugin"]
# The asserts of what tests share say what they compared, as those of tests do.
pytest.register_assert_rewrite("tests.kind", "tests.local", "tests.soak", "tests.unit")

# How long an example takes says more about the machine than about the code.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

# The tools that `make cluster` built or linked come before others of the same name.
os.environ["PATH"] = f"{BUILD / 'bin'}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture(scope="session")
def kube_config(pytestconfig: pytest.Config) -> str:
    """The kubeconfig; KUBECONFIG is ignored, so that no test reaches a cluster that nobody named for it."""
    file = Path(pytestconfig.getoption("kubeconfig") or BUILD / "kubeconfig")
    if not file.exists():
        pytest.fail(f"{file} does not exist: run `make cluster`, or name a kubeconfig with --kubeconfig", pytrace=False)
    return str(file)
