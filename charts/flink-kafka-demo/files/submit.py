"""Submits a job to a session cluster once the cluster is ready, unless a job of that name is there already.

    submit.py --rest URL --job-name NAME -- flink run ...

Standard library only: it runs in the Flink image. Exits with 0 when the job is there, with 1 and a sentence when the cluster did
not come up in time, and with the exit code of the command when that failed.
"""

import argparse
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable

# States that a job does not leave by itself; a job in any other one is alive.
ENDED = {"FINISHED", "CANCELED", "FAILED", "SUSPENDED"}


def get(rest: str, path: str) -> dict:
    """The JSON answer of the REST API; raises OSError if there is none."""
    with urllib.request.urlopen(f"{rest}{path}", timeout=5) as answer:
        return json.load(answer)


def wait_for(rest: str, path: str, ready: Callable[[dict], bool], what: str, timeout: float) -> None:
    """Poll a path until its answer is as wanted; exits with 1 and the last answer if it is not in time (seconds)."""
    deadline = time.monotonic() + timeout
    seen: object = None
    while time.monotonic() < deadline:
        try:
            seen = get(rest, path)
            if ready(seen):
                return
        except OSError as error:
            seen = error
        time.sleep(1)
    sys.exit(f"{rest}{path}: {what} for {timeout:.0f} s (last answer: {seen}). Look at the pods of the cluster.")


def running(rest: str, name: str) -> str | None:
    """The id of a job of this name that has not ended, or None."""
    jobs = get(rest, "/jobs/overview")["jobs"]
    return next((job["jid"] for job in jobs if job["name"] == name and job["state"] not in ENDED), None)


def main() -> int:
    parser = argparse.ArgumentParser(description="Submits a job to a session cluster, once.")
    parser.add_argument("--rest", required=True, help="URL of the REST API")
    parser.add_argument("--job-name", required=True, help="name that the job gives itself")
    parser.add_argument("--timeout", type=float, default=300, help="seconds to wait for the cluster")
    parser.add_argument("--slots-on-demand", action="store_true", help="the cluster makes slots when a job needs them")
    parser.add_argument("command", nargs="+", help="command that submits the job, after --")
    options = parser.parse_args()

    wait_for(options.rest, "/overview", lambda _: True, "no answer", options.timeout)
    if job := running(options.rest, options.job_name):
        print(f"The job {options.job_name} is there already, with the id {job}: nothing to do.")
        return 0
    if not options.slots_on_demand:
        wait_for(options.rest, "/overview", lambda seen: seen["slots-available"] > 0, "no free slot", options.timeout)
    return subprocess.run(options.command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
