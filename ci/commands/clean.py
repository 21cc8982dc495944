"""Removes what the other commands made, and nothing else."""

from __future__ import annotations

import shutil

from ci.core import cache
from ci.core.console import run, step
from ci.core.paths import BUILD
from ci.kubernetes import cluster
from ci.machine import engine


def main() -> None:
    with step("clean"):
        if engine.answers():
            cluster.delete()
            if images := run(["docker", "images", "--quiet", "--filter=reference=flink-helm/*"]).split():
                run(["docker", "rmi", "--force", *sorted(set(images))])
        cache.clean()
        shutil.rmtree(BUILD, ignore_errors=True)
