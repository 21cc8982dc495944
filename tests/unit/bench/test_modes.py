"""The page's section on the modes, from records."""

from __future__ import annotations

from bench import modes


def test_the_section_has_a_line_for_each_mode() -> None:
    runs = [
        {"mode": mode, "flink": "2.2.1", "rest": rest, "running": rest + 5}
        for mode, rest in (("standalone", 4.0), ("native", 6.0), ("standalone", 5.0), ("native", 7.0))
    ]
    text = modes.section(runs)
    assert "Flink 2.2.1, 2 runs of each mode" in text
    assert "| standalone | 4.5 s (4.0-5.0) | 9.5 s (9.0-10.0) |" in text
    assert "| native | 6.5 s (6.0-7.0) | 11.5 s (11.0-12.0) |" in text
