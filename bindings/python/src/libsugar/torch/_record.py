"""What the activations of a model have seen: figures for each layer, as a table, a plot, a report."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, NamedTuple

from .._monitor import Monitor
from ._report import html

NEARLY_DEAD = 0.01      # the share of active samples up to which a unit is nearly dead


class Figures(NamedTuple):
    """Of a layer, over the steps of a window that ends at `step`."""

    step: int
    units: int
    dead: int
    nearly_dead: int
    sparsity: float
    mean: float
    deviation: float


class Layer(NamedTuple):
    """An activation in a model: what it is, what its first and its last window counted, and figures of all."""

    activation: str
    first: Monitor
    last: Monitor
    history: list[Figures]

    def figures(self) -> Figures:
        return figures(self.history[-1].step, self.last)


def figures(step: int, monitor: Monitor) -> Figures:
    seen = monitor.summary()
    return Figures(step, seen.units, seen.dead, len(monitor.dead(NEARLY_DEAD)), seen.sparsity, seen.mean,
                   seen.deviation)


COLUMNS = ("layer", "activation", "units", "dead", "nearly dead", "not active, %", "mean", "deviation")


class Record(NamedTuple):
    """Layers by their names, and what was not seen."""

    layers: dict[str, Layer]
    unseen: tuple[str, ...]

    def rows(self) -> list[tuple[str, ...]]:
        """The cells of a table, in the order of COLUMNS."""
        made: list[tuple[str, ...]] = []
        for name, layer in self.layers.items():
            seen = layer.figures()
            made.append((name, layer.activation, str(seen.units), str(seen.dead), str(seen.nearly_dead),
                         f"{100 * seen.sparsity:.1f}", f"{seen.mean:.3g}", f"{seen.deviation:.3g}"))
        return made

    def table(self) -> str:
        """Of the last window: units that were active for no sample (dead) and for at most 1 % (nearly dead), the share
        of samples that were not active, mean and deviation of the inputs."""
        rows = [COLUMNS, *self.rows()]
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = ["  ".join(cell.ljust(width) if i < 2 else cell.rjust(width)
                           for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows]
        return "\n".join([*lines, *self.notes()])

    def notes(self) -> list[str]:
        made = [] if self.layers else ["nothing counted yet"]
        return made + [f"not seen: {one}, a call and no module" for one in self.unseen]

    def dead(self) -> str:
        """In one line."""
        found = {name: layer.figures() for name, layer in self.layers.items()}
        most = sorted((one for one in found if found[one].dead), key=lambda one: -found[one].dead)[:3]
        count, units = (sum(getattr(one, name) for one in found.values()) for name in ("dead", "units"))
        return f"{count} of {units} units dead" + (f" ({', '.join(f'{one}: {found[one].dead}' for one in most)})"
                                                   if most else "")

    def plot(self) -> Any:
        """A figure of matplotlib: dead units over the steps, and the inputs of the last window."""
        try:
            from matplotlib import pyplot
        except ImportError as error:
            raise ImportError("plot needs matplotlib, which is not installed: pip install matplotlib") from error
        figure, (over_steps, inputs) = pyplot.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
        for name, layer in self.layers.items():
            over_steps.plot([one.step for one in layer.history], [one.dead for one in layer.history], label=name)
            inputs.plot(*shares(layer.last), label=name)
        over_steps.set(title="Dead units", xlabel="step", ylabel="units", ylim=(0, None))
        inputs.set(title="Inputs in the last window", xlabel="input", ylabel="share, %")
        for axes in (over_steps, inputs):
            axes.grid(True, alpha=0.3)
        if self.layers:
            over_steps.legend()
        return figure

    def report(self, path: str | Path) -> None:
        """Writes one HTML file, with its style and its plots inside, and no script."""
        over_steps: dict[str, dict[str, Any]] = {"dead": {}, "sparsity": {}}
        histograms: dict[str, dict[str, Any]] = {"first": {}, "last": {}}
        for name, layer in self.layers.items():
            steps = [one.step for one in layer.history]
            over_steps["dead"][name] = steps, [one.dead for one in layer.history]
            over_steps["sparsity"][name] = steps, [100 * one.sparsity for one in layer.history]
            for which in histograms:
                histograms[which][name] = shares(getattr(layer, which))
        Path(path).write_text(html(COLUMNS, self.rows(), self.notes(), [
            ("Dead units", "step", "units", over_steps["dead"]),
            ("Sparsity", "step", "not active, %", over_steps["sparsity"]),
            ("Inputs in the first window", "input", "share, %", histograms["first"]),
            ("Inputs in the last window", "input", "share, %", histograms["last"])]), encoding="utf-8")

    def merged(self, others: list[Record]) -> Record:
        """With what others counted, as if one had counted all. Only the last window has a history: units that are dead
        in one process need not be so in another."""
        made: dict[str, Layer] = {}
        for name, layer in [item for one in (self, *others) for item in one.layers.items()]:
            last, step = copy.copy(layer.last), layer.history[-1].step
            if name in made:
                last.merge(made[name].last)
                step = max(step, made[name].history[-1].step)
            made[name] = Layer(layer.activation, last, last, [figures(step, last)])
        return Record(made, self.unseen)


def shares(monitor: Monitor) -> tuple[list[float], list[float]]:
    """A histogram in percent, over the middles of the bins; the open ones half a bin outside."""
    counts, edges = monitor.histogram()
    width = edges[1] - edges[0]
    middles = [float(edges[0] + (i - 0.5) * width) for i in range(len(counts))]
    return middles, [float(100 * one / max(1, counts.sum())) for one in counts]
