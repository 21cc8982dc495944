"""docs/troubleshooting.md quotes what the chart, its hooks and its start script say."""

from __future__ import annotations

import re

import pytest

from ci.core.paths import DOCS, FLINK

PAGE = (DOCS / "troubleshooting.md").read_text()
# What Helm, an image's shell, Kafka and the KDV job say themselves.
OTHERS = {
    "config.yaml: Read-only file system",
    "additional properties 'typo' not allowed",
    "another operation (install/upgrade/rollback) is in progress",
    "Available: 0/1",
    "context deadline exceeded",
    "InvalidPidMappingException",
    "Rebootstrapping with Cluster",
}


def sources() -> str:
    """Templates, hooks and scripts on one line, with sentences of several strings put together."""
    files = [file for part in ("templates", "files") for file in sorted((FLINK / part).rglob("*")) if file.suffix != ".txt"]
    text = "\n".join(file.read_text() for file in [*files, FLINK / "templates" / "NOTES.txt"] if file.is_file())
    joined = re.sub(r'"\s*\\?\n\s*f?"', " ", text)
    return re.sub(r"\s+", " ", joined)


def quoted() -> list[str]:
    """The messages in the first cells of the tables, cut where the page leaves something out."""
    cells = [line.split(" | ")[0] for line in PAGE.splitlines() if line.startswith("| `")]
    messages = [message for cell in cells for message in re.findall(r"`([^`]+)`", cell) if message not in OTHERS]
    return [part.strip(" ,") for message in messages for part in message.split("...") if part.strip(" ,")]


SOURCES = sources()


@pytest.mark.parametrize("message", quoted())
def test_a_message_is_what_somebody_says(message: str) -> None:
    assert message in SOURCES
