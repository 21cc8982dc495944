"""The stems of words, looked up while the job is planned: the cluster only counts them."""

from __future__ import annotations

import re

import snowballstemmer


def stems(text: str) -> list[str]:
    """The stem of each word of an English text."""
    words: list[str] = snowballstemmer.stemmer("english").stemWords(re.findall(r"[a-z]+", text.lower()))
    return words
