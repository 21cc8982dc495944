"""The sentences of refusals name what the values of that kind of release have."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from hooks import plan, reach, refusals


def sentences() -> list[str]:
    """All that `plan` may say, with a dash for what it fills in."""
    strings = []
    trees = [ast.parse(Path(str(module.__file__)).read_text()) for module in (plan, reach)]
    for node in [node for tree in trees for node in ast.walk(tree)]:
        if isinstance(node, ast.JoinedStr):
            strings.append("".join(str(part.value) if isinstance(part, ast.Constant) else "-" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            strings.append(node.value)
    # Those that only a job release comes to, which a session cluster is to become, or whose mode and state can be set.
    of_jobs = ("Stop them first, with a savepoint", "job.upgradeMode is stateless.", "with job.upgradeMode=last-state")
    return [one for one in strings if "job." in one and not any(phrase in one for phrase in of_jobs)]


def test_there_are_some() -> None:
    assert len(sentences()) > 10


@pytest.mark.parametrize("remedy", sentences())
def test_none_tells_the_user_of_a_session_to_write_what_the_chart_refuses_there(remedy: str) -> None:
    assert not re.search(r"\bjob\.(fromSavepoint|upgradeMode|state)", refusals.text("It is so.", remedy, session=True))


@pytest.mark.parametrize("session", [False, True])
def test_that_of_a_job_stays_as_it_is(session: bool) -> None:
    remedy = refusals.text("It is so.", "Name it with job.fromSavepoint, or wait.", session=session)
    assert remedy == f"It is so. Nothing was changed. Name it with {'' if session else 'job.'}fromSavepoint, or wait."
