"""The plots of the report, and one for documents, as SVG."""

from __future__ import annotations

import io
import statistics
from typing import Any, Callable, Iterable, Sequence

import matplotlib
import numpy as np

import tables
from summary import Row

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "libsugar", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3})
from matplotlib import pyplot  # noqa: E402 (behind the choice of what draws)

COLOURS = matplotlib.colormaps["tab10"]
DASHES = ("-", "--", ":", "-.")
RATE, ACCURACY = "highest learning rate", "test accuracy, %"


def svg(figure: Any) -> str:
    """A figure as an element of HTML; without dates, so that the same results give the same file, and without spaces
    at the ends of lines."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    text = buffer.getvalue()
    return "".join(line.rstrip() + "\n" for line in text[text.index("<svg"):].splitlines())


def styles(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """A colour for each function, with a dash of its own for each name that has it."""
    colours: dict[str, int] = {}
    made: dict[str, dict[str, Any]] = {}
    used: dict[int, int] = {}
    for name in names:
        function = short(name).split("~")[-1].split("(")[0].strip()
        colour = colours.setdefault(function, len(colours) % 10)
        made[name] = {"color": COLOURS(colour), "linestyle": DASHES[used.get(colour, 0) % len(DASHES)]}
        used[colour] = used.get(colour, 0) + 1
    return made


def short(name: str) -> str:
    """Of a row, without what stands in front of the function."""
    return name.split(": ")[-1]


def lines(title: str, x_name: str, y_name: str, rows: Sequence[Row],
          points: Callable[[Row], tuple[Sequence[float], Sequence[float]]], **settings: Any) -> str:
    """A line for each row, with a legend beside the plot. Where x is logarithmic, each x that occurs has a tick."""
    figure, axes = pyplot.subplots(figsize=(9, 4.2), layout="constrained")
    looks = styles([row.name for row in rows])
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
    for row in rows:
        x, y = points(row)
        if len(x):
            axes.plot(x, y, label=row.name, marker="." if len(x) < 40 else None, markersize=4, linewidth=1.3,
                      **looks[row.name])
    axes.set(title=title, xlabel=x_name, ylabel=y_name, **settings)
    if settings.get("xscale") == "log":
        set_ticks(axes, {x for row in rows for x in points(row)[0]}, 8)
    figure.legend(loc="outside right upper", fontsize=8, frameon=False)
    return svg(figure)


def set_ticks(axes: Any, ticks: Iterable[float], upright: int) -> None:
    """On an axis of logarithms; more than so many are turned."""
    texts = {tick: f"{tick:g}" for tick in sorted(ticks)}
    axes.set_xticks(list(texts), list(texts.values()), rotation=45 if len(texts) > upright else 0)
    axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())


def over_epochs(rows: Sequence[Row], name: str, title: str, y_name: str, factor: float = 1.0) -> str:
    """A figure of each epoch at the best rate, the mean over the seeds that were done, where all lines have it."""
    def points(row: Row) -> tuple[list[float], list[float]]:
        runs: list[dict[float, float]] = [
            {epoch["epoch"]: factor * epoch[name] for epoch in run["epochs"]} for run in row.done]
        epochs = [at for at in sorted(runs[0]) if all(at in run for run in runs)] if runs else []
        return epochs, [statistics.fmean(run[at] for run in runs) for at in epochs]
    return lines(title, "epoch", y_name, rows, points)


def over_rates(rows: Sequence[Row]) -> str:
    """Test accuracy at the end against the learning rate, with the seed that screened; at 0 where it diverged."""
    def points(row: Row) -> tuple[list[float], list[float]]:
        rates = sorted(row.screened)
        return rates, [100 * row.screened[rate].get("test_accuracy", 0.0) for rate in rates]
    return lines("Accuracy against the learning rate, with one seed (0: diverged)", RATE, ACCURACY, rows, points,
                 xscale="log")


def panels_over_rates(panels: dict[str, Sequence[Row]]) -> str:
    """The same for rows of several tables: two panels beside each other, and one legend for all."""
    names = list(dict.fromkeys(short(row.name) for some in panels.values() for row in some))
    looks = styles(names)
    down = -(-len(panels) // 2)
    figure, axes = pyplot.subplots(down, 2, figsize=(9, 0.6 + 3 * down), layout="constrained", squeeze=False)
    for place in axes.flat[len(panels):]:
        place.axis("off")
    for place, (title, some) in zip(axes.flat, panels.items()):
        fill_panel(place, some, looks)
        place.set(title=title)
    figure.supxlabel(RATE, fontsize=9)
    figure.supylabel(ACCURACY, fontsize=9)
    handles = [matplotlib.lines.Line2D([], [], label=name, **looks[name]) for name in names]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(names), frameon=False)
    return svg(figure)


def fill_panel(axes: Any, rows: Sequence[Row], looks: dict[str, dict[str, Any]]) -> None:
    """A line for each row, which goes down to a cross at the lower edge where the run diverged or died."""
    learned = [{rate: 100 * one["test_accuracy"] for rate, one in row.screened.items() if tables.learned(one)}
               for row in rows]
    values = [value for some in learned for value in some.values()] or [0.0]
    bottom = min(values) - 0.08 * (max(values) - min(values))
    for row, some in zip(rows, learned):
        rates = sorted(row.screened)
        look = looks[short(row.name)]
        axes.plot(rates, [some.get(rate, bottom) for rate in rates], linewidth=1.3, **look)
        axes.plot(list(some), list(some.values()), ".", color=look["color"])
        axes.plot([rate for rate in rates if rate not in some], [bottom] * (len(rates) - len(some)), "x",
                  color=look["color"])
    axes.set_xscale("log")
    set_ticks(axes, {rate for row in rows for rate in row.screened}, 6)


def over_layers(rows: Sequence[Row], name: str, title: str, y_name: str) -> str:
    """A figure of each layer at the end, in percent; of counts, of the layer's units."""
    def points(row: Row) -> tuple[Sequence[float], Sequence[float]]:
        values = np.array(row.of_layers(name))
        if name != "sparsity":
            values = values / np.array(row.of_layers("units"))
        return range(1, len(values) + 1), (100 * values).tolist()
    return lines(title, "activation, from the input on", y_name, rows, points, ylim=(0, None))


def histograms(rows: Sequence[Row]) -> str:
    """For each row the inputs of its activations: a line of pixels for each layer, darker where there are more."""
    with_layers = [row for row in rows if row.of_layers("units")]
    if not with_layers:
        return ""
    across = 3
    down = -(-len(with_layers) // across)
    figure, axes = pyplot.subplots(down, across, figsize=(9, 0.4 + 1.7 * down), layout="constrained", squeeze=False)
    for i, place in enumerate(axes.flat):
        if i >= len(with_layers):
            place.axis("off")
            continue
        run = with_layers[i].done[0]
        counts = np.array([layer["histogram"] for layer in run["layers"].values()], float)
        shares = counts / np.maximum(1, counts.sum(1, keepdims=True))
        place.imshow(np.sqrt(shares), aspect="auto", cmap="Greys", extent=(-8.5, 8.5, len(shares) + 0.5, 0.5))
        place.axvline(0, color="tab:red", linewidth=0.6)
        place.set_title(with_layers[i].name, fontsize=8)
        place.grid(False)
        place.tick_params(labelsize=7)
    figure.supxlabel("input of the activation", fontsize=8)
    figure.supylabel("activation, from the input on", fontsize=8)
    return svg(figure)
