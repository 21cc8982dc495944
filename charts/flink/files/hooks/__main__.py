"""python3 -m hooks EVENT; exit code 1: the reason is the last line that was printed."""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path

from .clock import Deadline
from .errors import Failed, HttpError, Unreachable
from .flink import Flink
from .kubernetes import Kubernetes
from .operations import EVENTS, Release
from .wanted import parse


def main(event: str) -> int:
    wanted = parse(json.loads((Path(__file__).parent / "wanted.json").read_text()))
    deadline = Deadline(wanted.timeout_seconds)
    # Helm would leave a release whose hook after a rollback failed as pending for ever.
    only_warns = event == "after-rollback"
    try:
        EVENTS[event](Release(wanted, Kubernetes.of_this_pod(deadline), Flink(wanted.rest, wanted.rest_secret), deadline))
        return 0
    except (Failed, HttpError, Unreachable) as error:
        reason = str(error)
    except Exception as error:
        traceback.print_exc()
        reason = f"the hook itself has failed, which is a fault of the chart: {type(error).__name__}: {error}"
    print(f"{'Warning' if only_warns else 'Error'}: {reason}", flush=True)
    return 0 if only_warns else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
