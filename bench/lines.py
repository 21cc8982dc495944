"""Pictures of figures over time, one below the other, as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

Line = Sequence[tuple[float, float]]  # seconds, value

_COLOURS = ("#e6526f", "#3f7cac", "#d9a21b", "#5b8c5a", "#8a6fb0", "#8fa3ad")
_LABEL = 21  # characters
_LEFT, _WIDTH, _RIGHT, _TOP, _HEIGHT, _GAP = 60, 560, 20, 22, 90, 34


@dataclass(frozen=True)
class Diagram:
    """Lines by name, which share an axis of values from 0 up."""

    title: str
    lines: Mapping[str, Line]


def svg(diagrams: Sequence[Diagram], *, columns: int = 1) -> str:
    """All diagrams have the time from the first to the last point of any of them."""
    points = [point for diagram in diagrams for line in diagram.lines.values() for point in line]
    begin, end = min(when for when, _ in points), max(when for when, _ in points)
    across, down = _LEFT + _WIDTH + _RIGHT, _TOP + _HEIGHT + _GAP
    parts = []
    for number, diagram in enumerate(diagrams):
        x, y = number % columns * across + _LEFT, number // columns * down + _TOP
        parts.append(f'<g transform="translate({x} {y})">\n{_diagram(diagram, begin, max(end - begin, 1))}\n</g>')
    rows = -(-len(diagrams) // columns)
    size = f'width="{columns * across}" height="{rows * down}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">'
    return "\n".join([head, f'<rect {size} fill="#fff"/>', *parts, "</svg>\n"])


def _diagram(diagram: Diagram, begin: float, seconds: float) -> str:
    most = max((value for line in diagram.lines.values() for _, value in line), default=0) or 1
    several = len(diagram.lines) > 1
    parts = [
        f'<text x="0" y="-8" font-weight="bold">{escape(diagram.title)}</text>',
        f'<path d="M0 0V{_HEIGHT}H{_WIDTH}" fill="none" stroke="#999"/>',
        f'<text x="-6" y="8" text-anchor="end">{short(most)}</text>',
        f'<text x="-6" y="{_HEIGHT}" text-anchor="end">0</text>',
        f'<text x="{_WIDTH}" y="{_HEIGHT + 14}" text-anchor="end">{seconds:.0f} s</text>',
    ]
    for number, (name, line) in enumerate(diagram.lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{(when - begin) / seconds * _WIDTH:.1f},{_HEIGHT * (1 - value / most):.1f}" for when, value in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.3"/>')
        if several:
            label = name if len(name) <= _LABEL else f"{name[: _LABEL - 1]}…"
            parts.append(f'<text x="{number * 132}" y="{_HEIGHT + 14}" fill="{colour}">{escape(label)}</text>')
    return "\n".join(parts)


def short(value: float) -> str:
    """Three digits and a letter."""
    for factor, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.3g} {letter}"
    return f"{value:.3g}"
