"""pictures.py - bars as SVG: values printed, axis labelled, nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

COLOURS = ("#1b6ca8", "#7fb3d5", "#c0504d")
LABEL_WIDTH, PLOT_WIDTH, VALUE_WIDTH = 300, 440, 90
BAR, GAP, TOP, BOTTOM = 13, 10, 58, 44
WIDTH = LABEL_WIDTH + PLOT_WIDTH + VALUE_WIDTH
STYLE = "font-family:sans-serif;font-size:12px"


@dataclass(frozen=True)
class Scale:
    """Logarithmic from `first` on: what is less has no bar."""
    first: float
    last: float

    def place(self, value: float) -> float:
        if value <= self.first:
            return 0
        return PLOT_WIDTH * math.log(value / self.first) / math.log(self.last / self.first)

    def marks(self) -> list[float]:
        return [10.0 ** n for n in range(round(math.log10(self.first)),
                                         round(math.log10(self.last)) + 1)]


def scale_of(values: list[float]) -> Scale:
    least = min(value for value in values if value > 0)
    first = 10.0 ** (math.floor(math.log10(least)) - (math.log10(least) % 1 < 0.1))
    return Scale(first, 10.0 ** math.ceil(math.log10(max(values))))


def bars(title: str, axis: str, series: list[str],
         rows: list[tuple[str, list[float | None]]]) -> str:
    """One group of bars for each row; None is no bar."""
    scale = scale_of([value for _, values in rows for value in values if value is not None])
    group = BAR * len(series) + GAP
    bottom = TOP + group * len(rows)
    parts = [text(10, 20, title, "font-weight:bold;font-size:14px"), *legend(series),
             *grid(scale, bottom),
             text(LABEL_WIDTH + PLOT_WIDTH / 2, bottom + 34, axis, anchor="middle")]
    for number, (label, values) in enumerate(rows):
        top = TOP + group * number
        parts.append(text(LABEL_WIDTH - 8, top + (group - GAP) / 2 + 4, label, anchor="end"))
        parts += [part for place, value in enumerate(values) if value is not None
                  for part in bar(top + BAR * place, value, scale, COLOURS[place])]
    body = "\n".join(parts)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + BOTTOM}" '
            f'width="{WIDTH}" height="{bottom + BOTTOM}" style="{STYLE}">\n'
            f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n')


def bar(top: float, value: float, scale: Scale, colour: str) -> list[str]:
    length = scale.place(value)
    return [f'<rect x="{LABEL_WIDTH}" y="{top + 1}" width="{length:.1f}" height="{BAR - 2}" '
            f'fill="{colour}"/>',
            text(LABEL_WIDTH + length + 4, top + BAR - 3, number(value), "font-size:11px")]


def legend(series: list[str]) -> list[str]:
    parts, left = [], LABEL_WIDTH
    for name, colour in zip(series, COLOURS):
        parts += [f'<rect x="{left}" y="32" width="12" height="12" fill="{colour}"/>',
                  text(left + 17, 42, name)]
        left += 35 + 7 * len(name)
    return parts


def grid(scale: Scale, bottom: float) -> list[str]:
    parts = []
    for mark in scale.marks():
        left = LABEL_WIDTH + scale.place(mark)
        parts += [f'<line x1="{left:.1f}" x2="{left:.1f}" y1="{TOP - 4}" y2="{bottom}" '
                  'stroke="#cccccc"/>', text(left, bottom + 15, number(mark), anchor="middle")]
    return parts


def text(left: float, top: float, words: str, style: str = "", anchor: str = "start") -> str:
    return (f'<text x="{left:.1f}" y="{top:.1f}" text-anchor="{anchor}" style="{style}">'
            f'{escape(words)}</text>')


def number(value: float) -> str:
    if value >= 10 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2g}"
