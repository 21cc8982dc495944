"""Where things are in this repository."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build"  # git-ignored: kubeconfig, tools, venv, test reports

FLINK = ROOT / "charts" / "flink"
DEMO = ROOT / "charts" / "flink-kafka-demo"
CHARTS = (FLINK, DEMO)
VALUES = ROOT / "values"
JOBS = ROOT / "jobs"
IMAGES = ROOT / "images"
DOCS = ROOT / "docs"
LOCKS = ROOT / "ci" / "locks"
