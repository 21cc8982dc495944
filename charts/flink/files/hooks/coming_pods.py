"""What pods of the coming revision need of Secrets, which no manifest shows, before anything is stopped for them."""

from __future__ import annotations

from typing import Optional

from . import s3, tls
from .observe import JobManager
from .wanted import Wanted


def check_pods(wanted: Wanted, live: Optional[JobManager]) -> None:
    """Raises Failed if they would not accept each other, or the store of the state would not accept them."""
    replaced = live is not None and live.is_replaced_by(wanted)
    if replaced:
        tls.check(wanted)
    if wanted.s3 and (replaced or not live):
        s3.check(wanted.s3, replaces=replaced)
