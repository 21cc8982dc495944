"""What `make` calls."""

from __future__ import annotations

import importlib
import inspect

import pytest

from ci.commands import COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_takes_the_arguments_that_it_declares(name: str) -> None:
    module, function = COMMANDS[name].function.split(":")
    signature = inspect.signature(getattr(importlib.import_module(f"ci.{module}"), function))
    required = [one for one in signature.parameters.values() if one.default is one.empty]
    assert len(required) == (COMMANDS[name].arguments is not None)
