"""The report of `watch`: one HTML file, in the looks of that of doc/examples/resurrect."""

from __future__ import annotations

import math
from html import escape
from typing import NamedTuple, Sequence

STYLE = """
:root { color-scheme: light dark; --back: #ffffff; --text: #1c2024; --soft: #5c656e; --rule: #d5dade; }
@media (prefers-color-scheme: dark) { :root { --back: #14181c; --text: #e8ecef; --soft: #a0a9b2; --rule: #343b42; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); max-width: 1120px;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; } p { max-width: 48rem; } .note { color: var(--soft); font-size: .9rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { padding: .25rem .6rem; text-align: right; white-space: nowrap; }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; }
thead th { border-bottom: 1px solid var(--soft); font-weight: 600; }
tbody tr:nth-child(even) { background: color-mix(in srgb, var(--rule) 35%, transparent); }
.plots { display: flex; flex-wrap: wrap; gap: .5rem 1rem; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; padding: 0; list-style: none; font-size: .9rem; }
svg { max-width: 100%; height: auto; } .legend svg { width: 30px; height: 10px; margin-right: .4rem; }
svg text { font: 12px system-ui, sans-serif; fill: var(--soft); }
svg .title { font-weight: 600; font-size: 14px; fill: var(--text); }
.grid { stroke: var(--rule); } .axis { stroke: var(--soft); fill: none; }
.line { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; }
"""

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 530, 300, 72, 14, 34, 46


class Axis(NamedTuple):
    """Values from least to most lie on pixels from `start` to `end`."""

    least: float
    most: float
    start: float
    end: float

    def place(self, value: float) -> float:
        return self.start + (value - self.least) / (self.most - self.least) * (self.end - self.start)

    def ticks(self, most: int) -> list[float]:
        """At 1, 2 or 5 times a power of ten, at most so many, and one."""
        power = 10 ** math.floor(math.log10((self.most - self.least) / most))
        step = next(factor * power for factor in (1, 2, 5, 10) if (self.most - self.least) / (factor * power) <= most)
        first, last = math.ceil(self.least / step - 1e-9), math.floor(self.most / step + 1e-9)
        return [i * step for i in range(first, last + 1)]


def axis_for(values: list[float], start: float, end: float) -> Axis:
    least, most = min(values, default=0), max(values, default=1)
    return Axis(least, most if most > least else least + 1, start, end)


def html(columns: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str],
         plots: Sequence[tuple[str, str, str, dict[str, tuple[Sequence[float], Sequence[float]]]]]) -> str:
    """columns and rows of a table, lines of text, and for each plot its title, the names of its axes, its lines."""
    names = [row[0] for row in rows]
    return "\n".join([
        '<!DOCTYPE html>', '<html lang="en">', '<head>', '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<title>What the activations saw</title>', f'<style>{STYLE}</style>', '</head>', '<body>',
        '<h1>What the activations saw</h1>',
        '<p>A unit is <em>dead</em> if it was active, its input above the threshold, for none of the samples of a '
        'window of steps, <em>nearly dead</em> if for at most 1 % of them. The table is of the last window.</p>',
        '<div class="wide"><table>', f'<thead>{cells("th", columns)}</thead>', '<tbody>',
        *[cells("td", row) for row in rows], '</tbody></table></div>',
        *[f'<p class="note">{escape(note)}</p>' for note in notes],
        '<ul class="legend">', *[legend(name, shade(i, len(names))) for i, name in enumerate(names)], '</ul>',
        '<div class="plots">', *[plot(*one) for one in plots], '</div>', '</body>', '</html>', ''])


def cells(kind: str, texts: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{kind}>{escape(text)}</{kind}>" for text in texts) + "</tr>"


def shade(index: int, count: int) -> str:
    """From light yellow to dark violet, so that the order of layers shows without colour too."""
    share = index / (count - 1) if count > 1 else 0
    return f'class="line" style="--c: oklch({0.80 - 0.34 * share:.2f} 0.15 {85 + 215 * share:.0f})"'


def legend(name: str, style: str) -> str:
    return f'<li><svg viewBox="0 0 30 10" aria-hidden="true"><path {style} d="M0 5H30"/></svg>{escape(name)}</li>'


def plot(title: str, x_name: str, y_name: str,
         lines: dict[str, tuple[Sequence[float], Sequence[float]]]) -> str:
    x = axis_for([one for xs, _ in lines.values() for one in xs], LEFT, WIDTH - RIGHT)
    y = axis_for([0.0, *(one for _, ys in lines.values() for one in ys)], HEIGHT - BOTTOM, TOP)
    middle = (TOP + HEIGHT - BOTTOM) / 2
    return "\n".join([
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{title}">',
        *[f'<line class="grid" x1="{x.place(at):.1f}" x2="{x.place(at):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
          f'<text x="{x.place(at):.1f}" y="{HEIGHT - BOTTOM + 17}" text-anchor="middle">{at:.10g}</text>'
          for at in x.ticks(7)],
        *[f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y.place(at):.1f}" y2="{y.place(at):.1f}"/>'
          f'<text x="{LEFT - 7}" y="{y.place(at) + 4:.1f}" text-anchor="end">{at:.10g}</text>' for at in y.ticks(6)],
        f'<path class="axis" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>',
        *[f'<path {shade(i, len(lines))} d="{path(x, y, xs, ys)}"><title>{escape(name)}</title></path>'
          for i, (name, (xs, ys)) in enumerate(lines.items())],
        f'<text class="title" x="{LEFT}" y="18">{title}</text>',
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{x_name}</text>',
        f'<text x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">{y_name}</text>',
        '</svg>'])


def path(x: Axis, y: Axis, xs: Sequence[float], ys: Sequence[float]) -> str:
    return "M" + "L".join(f"{x.place(at):.1f} {y.place(value):.1f}" for at, value in zip(xs, ys))
