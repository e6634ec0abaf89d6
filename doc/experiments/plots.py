"""The plots of the report, as SVG."""

from __future__ import annotations

import io
import statistics
from typing import Any, Callable, Sequence

import matplotlib
import numpy as np

from summary import Row

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "libsugar", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3})
from matplotlib import pyplot  # noqa: E402 (behind the choice of what draws)

COLOURS = matplotlib.colormaps["tab10"]
DASHES = ("-", "--", ":", "-.")


def svg(figure: Any) -> str:
    """A figure as an element of HTML; without dates, so that the same results give the same file."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    return text.getvalue()[text.getvalue().index("<svg"):]


def styles(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """A colour for each function, with a dash of its own for each row that has it."""
    colours: dict[str, int] = {}
    made: dict[str, dict[str, Any]] = {}
    used: dict[int, int] = {}
    for row in rows:
        function = row.name.split(": ")[-1].split("~")[-1].split("(")[0].strip()
        colour = colours.setdefault(function, len(colours) % 10)
        made[row.name] = {"color": COLOURS(colour), "linestyle": DASHES[used.get(colour, 0) % len(DASHES)]}
        used[colour] = used.get(colour, 0) + 1
    return made


def lines(title: str, x_name: str, y_name: str, rows: Sequence[Row],
          points: Callable[[Row], tuple[Sequence[float], Sequence[float]]], **settings: Any) -> str:
    """A line for each row, with a legend beside the plot. Where x is logarithmic, each x that occurs has a tick."""
    figure, axes = pyplot.subplots(figsize=(9, 4.2), layout="constrained")
    looks = styles(rows)
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
    for row in rows:
        x, y = points(row)
        if len(x):
            axes.plot(x, y, label=row.name, marker="." if len(x) < 40 else None, markersize=4, linewidth=1.3,
                      **looks[row.name])
    axes.set(title=title, xlabel=x_name, ylabel=y_name, **settings)
    if settings.get("xscale") == "log":
        ticks = sorted({x for row in rows for x in points(row)[0]})
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks], rotation=45 if len(ticks) > 8 else 0)
        axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    figure.legend(loc="outside right upper", fontsize=8, frameon=False)
    return svg(figure)


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
    return lines("Accuracy against the learning rate, with one seed (0: diverged)", "highest learning rate",
                 "test accuracy, %", rows, points, xscale="log")


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
