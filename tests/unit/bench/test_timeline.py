"""bench/timeline.py: which moments are taken from logs."""

from __future__ import annotations

from bench import timeline


def test_moments_count_from_the_last_rows_before_the_gap() -> None:
    lines = [
        ("jobmanager", "old", 99.0, "Completed checkpoint 7 for job a"),  # before the stop
        ("jobmanager", "old", 101.0, "Triggering stop-with-savepoint for job a."),
        ("jobmanager", "old", 102.0, "Completed checkpoint 8 for job a (1 bytes)"),
        ("jobmanager", "new", 110.0, "Job kdv (a) switched from state CREATED to RUNNING."),
        ("jobmanager", "new", 112.0, "b switched from INITIALIZING to RUNNING."),
        ("jobmanager", "new", 113.0, "c switched from INITIALIZING to RUNNING."),
        ("jobmanager", "new", 114.0, "Completed checkpoint 9 for job a"),
    ]
    seconds = timeline.moments({"hook": 103.0}, lines, [98.0, 99.0, 100.0, 115.0, 116.0])
    assert seconds == {"stop": 1, "savepoint": 2, "hook": 3, "job": 10, "tasks": 13, "checkpoint": 14, "rows": 15}


def test_the_page_has_the_median_of_each_subject() -> None:
    runs = [{"subject": "ours", "seconds": {"rows": seconds}} for seconds in (15, 17, 30)]
    text = timeline.section([*runs, {"subject": "by-hand", "seconds": {"rows": 14.5}}])
    assert "| rows are committed | 17.0 | 14.5 |" in text
