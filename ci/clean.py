"""Removes what the other commands made, and nothing else."""

from __future__ import annotations

import shutil

from ci import cache, cluster, engine
from ci.console import run, step
from ci.paths import BUILD


def main() -> None:
    with step("clean"):
        if engine.answers():
            cluster.delete()
            if images := run(["docker", "images", "--quiet", "--filter=reference=flink-helm/*"]).split():
                run(["docker", "rmi", "--force", *sorted(set(images))])
        cache.clean()
        shutil.rmtree(BUILD, ignore_errors=True)
