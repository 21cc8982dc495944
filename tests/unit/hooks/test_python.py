"""The hooks run in whatever Python the user's image has, from 3.8 on: PyFlink 1.20 takes it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from ci.core.paths import FLINK

MODULES = sorted((FLINK / "files" / "hooks").glob("*.py"))
each_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)

NEWER_METHODS = {
    "removeprefix",
    "removesuffix",
    "bit_count",
    "is_relative_to",
    "with_stem",
    "readlink",
    "hardlink_to",
    "pairwise",
}
NEWER_KEYWORDS = {
    "zip": "strict",
    "dataclass": "slots kw_only match_args weakref_slot",
    "glob": "root_dir dir_fd include_hidden",
    "run": "process_group",
}
NEWER_NAMES = {
    "functools": {"cache"},
    "typing": {
        "Annotated", "ParamSpec", "TypeAlias", "TypeGuard", "Self", "Never", "NotRequired", "Required", "override",
        "assert_never",
    },
    "itertools": {"pairwise", "batched"},
    "datetime": {"UTC"},
    "enum": {"StrEnum", "verify", "member", "nonmember"},
    "contextlib": {"aclosing", "chdir"},
    "hashlib": {"file_digest"},
    "zoneinfo": {"ZoneInfo"},
    "tomllib": {"load", "loads"},
    "graphlib": {"TopologicalSorter"},
}  # fmt: skip
GENERIC = {"dict", "list", "tuple", "set", "frozenset", "type"}


def names(tree: ast.AST) -> list[ast.AST]:
    return list(ast.walk(tree))


def evaluated(tree: ast.Module) -> list[ast.AST]:
    """All but annotations, which nobody evaluates here."""

    class Without(ast.NodeTransformer):
        def visit_arg(self, node: ast.arg) -> ast.arg:
            node.annotation = None
            return node

        def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
            node.returns = None
            self.generic_visit(node)
            return node

        def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
            node.annotation = ast.Constant(None)
            self.generic_visit(node)
            return node

    return names(Without().visit(tree))


def newer(text: str) -> list[str]:
    """What a text has that Python 3.8 lacks; its grammar aside."""
    newer = []
    for node in evaluated(ast.parse(text)):
        match node:
            case ast.Attribute(value=ast.Name(id=module), attr=name) if name in NEWER_NAMES.get(module, ()):
                newer.append(f"{module}.{name}")
            case ast.Attribute(attr=name) if name in NEWER_METHODS:
                newer.append(name)
            case ast.ImportFrom(module=str(module), names=given):
                newer += [f"{module}.{one.name}" for one in given if one.name in NEWER_NAMES.get(module, ())]
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), keywords=given):
                wrong = NEWER_KEYWORDS.get(name, "").split()
                newer += [f"{name}({one.arg}=)" for one in given if one.arg in wrong]
            case ast.Subscript(value=ast.Name(id=name)) if name in GENERIC:
                newer.append(f"{name}[]")
            case ast.BinOp(left=ast.Dict(), op=ast.BitOr()) | ast.BinOp(right=ast.Dict(), op=ast.BitOr()):
                newer.append("dict | dict")
            case ast.AugAssign(op=ast.BitOr(), value=ast.Dict() | ast.DictComp()):
                newer.append("dict |= dict")
    return newer


@each_module
def test_the_grammar_is_that_of_python_3_8(module: Path) -> None:
    ast.parse(module.read_text(), feature_version=(3, 8))
    # feature_version lets these pass.
    assert not [node for node in names(ast.parse(module.read_text())) if isinstance(node, ast.Match)]


@each_module
def test_names_are_those_of_python_3_8(module: Path) -> None:
    text = module.read_text()
    assert newer(text) == []
    assert "from __future__ import annotations" in text or not any(
        isinstance(node, ast.FunctionDef | ast.AnnAssign) for node in names(ast.parse(text))
    )


@pytest.mark.parametrize(
    "text",
    [
        "a.removeprefix('b')",
        "from functools import cache",
        "functools.cache(f)",
        "zip(a, b, strict=True)",
        "{} | {'a': 1}",
        "a |= {'b': 1}",
        "x = list[int]()",
        "@dataclass(slots=True)\nclass A: pass",
        "datetime.UTC",
    ],
)
def test_what_is_newer_is_found(text: str) -> None:
    assert newer(text)


@pytest.mark.parametrize("text", ["def f(a: dict[str, int]) -> list[int]: ...", "a: list[int] = []", "{1} | {2}", "a or b"])
def test_what_is_not_newer_is_taken(text: str) -> None:
    assert newer(text) == []


@each_module
def test_it_needs_nothing_but_the_standard_library(module: Path) -> None:
    imported = set()
    for node in names(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            imported |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported.add(str(node.module).partition(".")[0])
    assert imported <= sys.stdlib_module_names
