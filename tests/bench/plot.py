"""Draws what the benchmark measured: ours against the fastest peers and the limits.

    python3 plot.py BENCH.json BENCH.svg

One panel for each direction and size, with f32 vectors on one thread; the time of each implementation on a
logarithmic axis, a line of marks for each kind.
"""
import html
import math
import sys

from goals import load, results, warning

COLORS = {"sugar": "#d62728", "onednn": "#1f77b4", "xnnpack": "#2ca02c", "ggml": "#9467bd", "torch": "#ff7f0e",
          "torch-output": "#ffd9b3", "memcpy": "#999999", "loop": "#666666", "loop-nt": "#bbbbbb"}
LABELS, PANEL, GAP, ROW, HEAD, ENTRY = 110, 260, 30, 14, 44, 95


def position(ns, low, high):
    return PANEL * (math.log10(ns) - low) / (high - low)


def text(x, y, words, anchor="start"):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{words}</text>'


def panel(left, top, title, times, kinds, low, high):
    """The SVG elements of one panel; times maps (kind, implementation) to nanoseconds."""
    bottom = top + ROW * len(kinds)
    parts = [text(left + PANEL / 2, top - 20, title, "middle")]
    for power in range(low, high + 1):
        x = left + position(10.0**power, low, high)
        parts.append(f'<line x1="{x:.1f}" y1="{top - 8}" x2="{x:.1f}" y2="{bottom}" stroke="#dddddd"/>')
        parts.append(text(x, bottom + 14, f"{10.0**power:g}", "middle"))
    for (kind, implementation), ns in times.items():
        x, y = left + position(ns, low, high), top + ROW * kinds.index(kind)
        parts.append(f'<circle cx="{x:.1f}" cy="{y}" r="4" fill="{COLORS[implementation]}" fill-opacity="0.8">'
                     f"<title>{kind}, {implementation}: {ns:.4f} ns</title></circle>")
    return parts


def legend(names, width):
    """Its SVG elements, in as many lines as the width needs, and how high it is."""
    columns = max(1, (width - 20) // ENTRY)
    parts = []
    for i, name in enumerate(names):
        x, y = 20 + ENTRY * (i % columns), 16 + ROW * (i // columns)
        parts += [f'<circle cx="{x}" cy="{y}" r="4" fill="{COLORS[name]}"/>', text(x + 8, y + 4, name)]
    return parts, ROW * ((len(names) - 1) // columns + 1)


def draw(bench):
    chosen = [r for r in bench["results"] if r["dtype"] == "f32" and r["threads"] == 1
              and r["layout"] == "contiguous" and r["elements"] > 16 and r["implementation"] in COLORS]
    if not chosen:
        return None
    kinds = list(dict.fromkeys(r["kind"] for r in chosen))
    low = math.floor(math.log10(min(r["ns_per_element"] for r in chosen)))
    high = max(low + 1, math.ceil(math.log10(max(r["ns_per_element"] for r in chosen))))
    panels = sorted({(r["elements"], r["direction"]) for r in chosen}, key=lambda p: (p[0], p[1] != "forward"))
    width = LABELS + (PANEL + GAP) * len(panels)
    names = [name for name in COLORS if any(r["implementation"] == name for r in chosen)]
    entries, high_legend = legend(names, width)
    top = high_legend + HEAD
    about = ["nanoseconds per element: f32, one thread, contiguous", f"{bench['cpu']}, level {bench['level']}",
             *warning(bench).splitlines()]
    height = top + ROW * len(kinds) + 30 + ROW * len(about)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
             'font-family="sans-serif" font-size="11">',
             '<rect width="100%" height="100%" fill="white"/>', *entries]
    parts += [text(LABELS - 10, top + ROW * i + 4, kind, "end") for i, kind in enumerate(kinds)]
    for i, (elements, direction) in enumerate(panels):
        times = {(r["kind"], r["implementation"]): r["ns_per_element"] for r in chosen
                 if (r["elements"], r["direction"]) == (elements, direction)}
        title = f"{direction}, {elements} elements"
        parts += panel(LABELS + (PANEL + GAP) * i, top, title, times, kinds, low, high)
    parts += [text(width / 2, height - 8 - ROW * (len(about) - 1 - i), html.escape(line), "middle")
              for i, line in enumerate(about)]
    return "\n".join(parts) + "\n</svg>\n"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    picture = draw(load(sys.argv[1]))
    if picture is None:
        print("nothing to draw: no f32 vector on one thread was measured")
        return
    results.write(sys.argv[2], picture)


if __name__ == "__main__":
    main()
