"""bench/scaling.py and bench/lines.py: what is made of samples."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from bench import lines, scaling

# Seconds, rows sent per second, lag, TaskManagers: a peak at 10, nobody reads at 12, and the lag is over after 14.
SAMPLES: list[scaling.Sample] = [
    (9, 3000, 100, 1),
    (10, 9000, 100, 1),
    (11, 9000, scaling.CAUGHT_UP + 9000, 1),
    (12, 9000, None, 2),
    (13, 9000, scaling.CAUGHT_UP + 500, 2),
    (14, 9000, scaling.CAUGHT_UP, 2),
    (15, 9000, 300, 2),
    (20, 3000, 50, 1),
]


def test_a_lag_is_over_when_no_later_sample_of_the_peak_is_behind() -> None:
    assert scaling.peak(SAMPLES, 10) == {"caught_up": 4, "most": scaling.CAUGHT_UP + 9000}
    assert scaling.peak(SAMPLES, 15) == {"caught_up": 0, "most": 300}


def test_each_change_of_the_taskmanagers_has_its_longest_time_without_output() -> None:
    assert scaling.gaps(SAMPLES, [9, 10, 11, 19, 20, 21, 25]) == [8, 4]


def test_the_page_has_each_subject_with_all_its_peaks() -> None:
    peaks = [{"caught_up": 40, "most": 12000}, {"caught_up": 60, "most": 30000}]
    run = {"cpu_seconds": 50.0, "rows": 2_000_000, "samples": SAMPLES}
    text = scaling.section(
        [
            {"subject": "autoscaled", "peaks": peaks, "gaps": [8, 4], **run},
            {"subject": "fixed", "peaks": [{"caught_up": 0, "most": 900}], "gaps": [], **run},
        ]
    )
    assert "| autoscaled | 2 | 1.5 | 25 | 50 s (40 to 60) | 21,000 (12,000 to 30,000) | 6 s (4 to 8) |" in text
    assert "| fixed | 1 | 1.5 | 25 | 0 s (0 to 0) | 900 (900 to 900) |  |" in text


def test_a_picture_has_a_line_for_each_subject_that_leaves_out_what_is_not_known() -> None:
    run = {"subject": "autoscaled", "samples": SAMPLES}
    document = ElementTree.fromstring(scaling.picture([run]))
    sent, lag, taskmanagers = [one.attrib["points"].split() for one in document.iter("{http://www.w3.org/2000/svg}polyline")]
    assert (len(sent), len(lag), len(taskmanagers)) == (8, 7, 8)


@pytest.mark.parametrize(("value", "text"), [(0.5, "0.5"), (7, "7"), (12345, "12.3 k"), (9e6, "9 M"), (2.5e9, "2.5 G")])
def test_a_number_has_three_digits(value: float, text: str) -> None:
    assert lines.short(value) == text
