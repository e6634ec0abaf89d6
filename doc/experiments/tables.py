"""The tables: which rows they have, and which runs they need next, decided from results alone.

For each row a grid of learning rates is tried with the first seed. If the best rate lies at an end of the grid, the
grid goes on by a step there. The best rate is then run with the other seeds.
"""

from __future__ import annotations

import math
from typing import Any, Iterable, NamedTuple, Sequence

from options import Options


class Row(NamedTuple):
    """A row: its name, and the options that it changes."""

    name: str
    changes: dict[str, Any]


class Table(NamedTuple):
    about: str
    common: dict[str, Any]
    rows: tuple[Row, ...]
    rates: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1)
    seeds: tuple[int, ...] = (1, 2, 3)


SMOOTH = ("bsilu", "elu", "selu", "gelu", "silu", "leaky_relu", "nelu")
HIGHEST, LOWEST = 10.0, 1e-5        # where a grid ends


def specs(*names: str) -> tuple[Row, ...]:
    return tuple(Row(name, {"activation": name}) for name in names)


ALL = specs("relu", *SMOOTH, *(f"relu~{one}" for one in SMOOTH), "relu~bsilu(blend=0.5)", "relu~bsilu(domain=negative)")

TABLES = {
    "vgg": Table("VGG-16 without normalisation", {"network": "vgg16"}, ALL),
    "vgg-bn": Table("VGG-16 with batch normalisation", {"network": "vgg16-bn"}, ALL),
    "resnet": Table("ResNet-18", {"network": "resnet18"}, ALL),
}


# ---- Decisions -------------------------------------------------------------------------------------------------------


class Decision(NamedTuple):
    """Of a row: the rates that were tried or are to be, the best so far, and the runs that are still to be done."""

    grid: tuple[float, ...]
    best: float | None
    wanted: tuple[Options, ...]
    later: int              # how many runs will at least follow those


def decide(base: Options, rates: Sequence[float], seeds: Sequence[int], results: Iterable[dict[str, Any]]) -> Decision:
    """What a row needs next. base has the row's options; results are lines of any runs."""
    known = {one["run"]: one for one in results}
    grid = tuple(sorted(rates))
    while True:
        screening = [base.changed(rate=rate, seed=seeds[0]) for rate in grid]
        wanted = tuple(one for one in screening if one.identity() not in known)
        if wanted:
            return Decision(grid, None, wanted, len(seeds) - 1)
        best = best_rate(grid, [known[one.identity()] for one in screening])
        longer = extended(grid, best)
        if longer == grid:
            break
        grid = longer
    more = [base.changed(rate=best, seed=seed) for seed in seeds[1:]]
    return Decision(grid, best, tuple(one for one in more if one.identity() not in known), 0)


def best_rate(grid: Sequence[float], results: Sequence[dict[str, Any]]) -> float:
    """The rate with the highest test accuracy at the end; of equal ones the lowest, also if all have diverged."""
    scores = [one["test_accuracy"] if one["status"] == "done" else -1.0 for one in results]
    return grid[scores.index(max(scores))]


def extended(grid: tuple[float, ...], best: float) -> tuple[float, ...]:
    """The grid, one step longer at the end where the best rate is."""
    if best == grid[0] and stepped(best, -1) >= LOWEST:
        return (stepped(best, -1), *grid)
    if best == grid[-1] and stepped(best, 1) <= HIGHEST:
        return (*grid, stepped(best, 1))
    return grid


def stepped(rate: float, by: int) -> float:
    """The next of ... 0.01, 0.02, 0.05, 0.1 ... above (by = 1) or below (-1)."""
    power = math.floor(math.log10(rate) + 1e-9)
    series = [float(f"{digit}e{power + shift}") for shift in (-1, 0, 1) for digit in (1, 2, 5)]
    if by > 0:
        return next(one for one in series if one > rate * 1.0001)
    return next(one for one in reversed(series) if one < rate * 0.9999)
