"""Paths that mean the same file compare equal, and others do not."""

from __future__ import annotations

import pytest
from hooks import paths
from hypothesis import given
from hypothesis import strategies as st

SAME = [
    ("file:///a/b", "file:/a/b"),
    ("file:///a/b", "/a/b"),
    ("file:///a/b", "file:///a/b/"),
    ("file:///a/b", "file:///a/b/_metadata"),
    ("file:///a/b", "file:////a//b"),
    ("file:///a/b", "file:///a/./c/../b"),
    ("s3://b/a", "s3a://b/a"),
    ("s3://b/a", "s3p://b/a/"),
    ("S3://b/a", "s3n://b/a/_metadata"),
    ("hdfs:///a", "hdfs://namenode:8020/a"),
    ("hdfs:/a", "hdfs:///a"),
    ("gs://b/a", "gs://b/a/"),
    ("", ""),
]
OTHERS = [
    ("file:///a/b", "file:///a/b2"),
    ("file:///a/b", "s3://a/b"),
    ("s3://b/a", "s3://c/a"),
    ("hdfs://one:8020/a", "hdfs://two:8020/a"),
    ("s3://b/a", "gs://b/a"),
    ("file:///a", ""),
    ("", "file:///"),
    ("file:///a/chk-1", "file:///a/chk-10"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_file(one: str, other: str) -> None:
    assert paths.same(one, other)
    assert paths.same(other, one)


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_another_file(one: str, other: str) -> None:
    assert not paths.same(one, other)
    assert not paths.same(other, one)


@pytest.mark.parametrize(
    ("path", "directory", "inside"),
    [
        ("file:///data/r/checkpoints", "/data/r", True),
        ("file:///data/r", "/data/r", True),
        ("file:///data/r2", "/data/r", False),
        ("file:///data", "/data/r", False),
        ("file:///data/r", "/", True),
        ("s3://data/r/c", "/data/r", False),
        ("file:///data/r/../x", "/data/r", False),
        ("", "/data", False),
        ("file:///data", "", False),
    ],
)
def test_below(path: str, directory: str, inside: bool) -> None:
    assert paths.below(path, directory) is inside


@given(st.text(st.sampled_from("ab/.:_-"), max_size=20))
def test_a_normal_form_is_its_own(text: str) -> None:
    scheme, authority, path = paths.split(text)
    assert paths.split(f"{scheme}://{authority}{path}") == (scheme, authority, path)
    assert path.startswith("/")
