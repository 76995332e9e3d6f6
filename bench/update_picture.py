# SPDX-License-Identifier: Apache-2.0
"""Stacked bars as SVG: the parts of the time of updates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

# Readable on white and on black pages alike: the picture brings its own dark ground.
GROUND, TEXT, LINE = "#181a1f", "#d6dae0", "#41444e"
COLOURS = ("#f07178", "#ffb454", "#95c76f", "#59c2ff", "#d2a6ff", "#7f8794")

WIDTH, LEFT, RIGHT = 860, 190, 70
BAR, STEP, HEAD, FOOT = 16, 24, 56, 36
SIZE = 13


@dataclass(frozen=True)
class Bar:
    """One line of the picture."""

    label: str
    parts: dict[str, float]  # seconds; none: a line without a bar, a heading
    bound: float = 0.0


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{TEXT}">{escape(text)}</text>'
    )


def _rect(x: float, y: float, width: float, height: float, fill: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"/>'
    )


def _legend(parts: list[str]) -> list[str]:
    drawn, x = [], float(LEFT)
    for part, colour in zip(parts, COLOURS):
        drawn += [_rect(x, 34, 11, 11, colour), _text(x + 16, 44, part)]
        x += 32 + 7.2 * len(part)
    return [*drawn, _rect(x + 4, 32, 2, 15, TEXT), _text(x + 16, 44, "bound")]


def _bar(bar: Bar, y: float, scale: float) -> list[str]:
    if not bar.parts:
        return [_text(12, y + BAR - 3, bar.label)]
    drawn, x = [_text(LEFT - 8, y + BAR - 3, bar.label, "end")], float(LEFT)
    for seconds, colour in zip(bar.parts.values(), COLOURS):
        drawn.append(_rect(x, y, seconds * scale, BAR, colour))
        x += seconds * scale
    drawn.append(_text(x + 6, y + BAR - 3, f"{sum(bar.parts.values()):.2f} s"))
    return [*drawn, _rect(LEFT + bar.bound * scale - 1, y - 3, 2, BAR + 6, TEXT)]


def draw(path: Path, title: str, bars: list[Bar]) -> None:
    """Writes the picture; all bars have the same parts."""
    longest = max(sum(bar.parts.values()) for bar in bars)
    scale = (WIDTH - LEFT - RIGHT) / longest
    height = HEAD + STEP * len(bars) + FOOT
    drawn = [_rect(0, 0, WIDTH, height, GROUND), _text(12, 22, title)]
    drawn += _legend(list(next(bar.parts for bar in bars if bar.parts)))
    for second in range(0, int(longest) + 1, 2):
        x = LEFT + second * scale
        drawn.append(_rect(x, HEAD, 1, height - HEAD - FOOT + 6, LINE))
        drawn.append(_text(x, height - 12, f"{second} s", "middle"))
    for index, bar in enumerate(bars):
        drawn += _bar(bar, HEAD + 6 + STEP * index, scale)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'font-family="sans-serif" font-size="{SIZE}">\n' + "\n".join(drawn) + "\n</svg>\n"
    )
