"""The tables: which rows they have, and which runs they need next, decided from results alone.

For each row a grid of learning rates is tried with the first seed. If the best rate lies at an end of the grid, the
grid goes on by a step there. The best rate is then run with the other seeds.
"""

from __future__ import annotations

import math
from typing import Any, Iterable, NamedTuple, Sequence

from options import Options, Wrong, preset


class Row(NamedTuple):
    """A row: its name, the options that it changes, and what to say of it."""

    name: str
    changes: dict[str, Any]
    about: str = ""


SEEDS = (1, 2, 3)


class Table(NamedTuple):
    """common: options of all rows. minutes: those of the preset of this name besides, so that a run takes minutes.
    rates: the grid that rows begin with; lower: that of rows in GROWING, if it is another one."""

    about: str
    common: dict[str, Any]
    rows: tuple[Row, ...]
    minutes: dict[str, Any] = {}
    rates: tuple[float, ...] = (0.02, 0.05, 0.1)
    lower: tuple[float, ...] = ()
    seeds: tuple[int, ...] = SEEDS
    extends: bool = True        # whether the grid of rates goes on where the best is at its end


SMOOTH = ("bsilu", "elu", "selu", "gelu", "silu", "leaky_relu", "nelu")
# Surrogates with which gradients grow from layer to layer (doc/surrogates.md), so that they want lower rates.
GROWING = ("relu~bsilu", "relu~elu", "relu~selu", "relu~bsilu(domain=negative)", "relu~bsilu (fading)")
HIGHEST, LOWEST = 10.0, 1e-5        # where a grid ends
CHANCE = {"cifar10": 0.1, "cifar100": 0.01, "fashion-mnist": 0.1, "text": 0.0}      # accuracy of one answer


def specs(*names: str, how: str = "", **changes: Any) -> tuple[Row, ...]:
    """Rows of specs; how says behind their names what else is changed."""
    return tuple(Row(f"{name} ({how})" if how else name, {"activation": name, **changes}) for name in names)


# By 1/growth from layer to layer, of the formula in doc/surrogates.md: gradients keep their length, as with relu.
SCALED = {name: {"activation": name, "gradient_scale": scale}
          for name, scale in (("relu~bsilu", 0.775), ("relu~elu", 0.893))}
CONVOLUTIONS = specs("relu", *SMOOTH, *(f"relu~{one}" for one in SMOOTH), "relu~bsilu(blend=0.5)",
                     "relu~bsilu(domain=negative)") + (
    Row("relu~bsilu (fading)", {"activation": "relu~bsilu", "blend_from": 1.0, "blend_to": 0.0},
        "its share falls from 1 to 0 over the epochs"),
    Row("relu~bsilu (scaled)", SCALED["relu~bsilu"], "as long as relu's own gradient"))
TRANSFORMERS = specs("gelu", "relu", "relu~nelu", "relu~bsilu", "relu~gelu")
ADAMW_RATES = (0.001, 0.002, 0.005)

VARIANTS = (
    Row("relu", {"activation": "relu"}, "the first to try: cheap, sparse; units can die at high rates"),
    Row("leaky_relu", {"activation": "leaky_relu"}, "where units die, and sparsity is not needed"),
    Row("prelu", {"activation": "prelu"}, "as leaky_relu, where there are data enough to learn the slope from"),
    Row("rrelu", {"activation": "rrelu"}, "as leaky_relu, where there are few data: its random slopes regularise"),
    Row("elu", {"activation": "elu"}, "without normalisation: outputs have a mean near 0"),
    Row("selu (LeCun's weights)", {"activation": "selu", "init": "lecun"},
        "deep networks without normalisation; it needs these weights"),
    Row("selu (He's weights)", {"activation": "selu"}, "what happens without them"),
    Row("gelu", {"activation": "gelu"}, "transformers"),
    Row("silu", {"activation": "silu"}, "Swish: deep convolutional networks with normalisation"),
    Row("mish", {"activation": "mish"}, "as silu; takes longer"),
    Row("softplus", {"activation": "softplus"}, "where the function itself is to be smooth, such as in physics"),
    Row("relu~bsilu", {"activation": "relu~bsilu"}, "where relu is wanted, and its units die"),
)


def on(network: str, changes: dict[str, Any], rows: Iterable[Row]) -> tuple[Row, ...]:
    """Rows with a network in front."""
    return tuple(Row(f"{network}: {row.name}", {**changes, **row.changes, "network": network}, row.about)
                 for row in rows)


NORMALISED = {"how": "normalised", "network": "mlp-bn"}
WITH_ADAMW = {"how": "AdamW", "optimizer": "adamw"}
SHORTENED = tuple(Row(f"{name} (scaled)", changes) for name, changes in SCALED.items())

LOW = (specs("relu", "relu~bsilu", "relu~bsilu(blend=0.5)", "relu~elu", "relu~elu(blend=0.5)", "relu~silu", "relu~nelu",
             "relu~leaky_relu", "leaky_relu", "elu", "bsilu", "gelu") + SHORTENED +
       specs("relu", "relu~bsilu", **NORMALISED) + specs("relu", "relu~bsilu", **WITH_ADAMW))

DEEP = (specs("relu", "relu~bsilu", "relu~bsilu(blend=0.5)", "relu~elu", "relu~leaky_relu", "elu", "leaky_relu") +
        specs("selu", how="LeCun's weights", init="lecun") + specs("relu", "relu~bsilu", **NORMALISED))
# Two ways to keep a longer gradient from making longer steps: to scale it, and AdamW.
DEEPEST = DEEP + SHORTENED + specs("relu", "relu~bsilu", "relu~elu", "elu", **WITH_ADAMW)

DECAYS = (0.0005, 0.003, 0.01)
DECAYING = tuple(Row(f"{decay:g}: {name}", {"activation": name, "weight_decay": decay})
                 for decay in DECAYS for name in ("relu", "bsilu", "relu~bsilu"))

MLP = {"network": "mlp", "data": "fashion-mnist"}
FACTORS = (100, 300)
AFTER_OUTLIER = specs("relu", "relu~bsilu", "relu~bsilu(blend=0.5)", "relu~elu", "relu~nelu", "leaky_relu", "elu") + (
    *specs("relu", **NORMALISED),
    Row("relu (gradient clipped)", {"activation": "relu", "clip": 1.0}, "the step is short, whatever the input"))
OUTLIER = (Row("relu (without the outlier)", {"activation": "relu", "outlier": 0.0}, "what would have been"),) + tuple(
    Row(f"{factor}: {row.name}", {"outlier": float(factor), **row.changes}, row.about)
    for factor in FACTORS for row in AFTER_OUTLIER)

TABLES = {
    "vgg": Table("VGG-16 without normalisation", {"network": "vgg16"}, CONVOLUTIONS, {"train_images": 20000},
                 lower=(0.005, 0.01, 0.02)),
    "vgg-bn": Table("VGG-16 with batch normalisation", {"network": "vgg16-bn"}, CONVOLUTIONS, {"train_images": 20000},
                    (0.1, 0.2, 0.5), (0.005, 0.01, 0.02)),
    "resnet": Table("ResNet-18", {"network": "resnet18"}, CONVOLUTIONS, rates=(0.2, 0.5, 1.0), lower=(0.02, 0.05, 0.1)),
    "decay": Table("ResNet-18 with more weight decay, which high rates make up for", {"network": "resnet18"}, DECAYING),
    "swin": Table("Swin", {"network": "swin"}, TRANSFORMERS, rates=ADAMW_RATES),
    "convnext": Table("ConvNeXt V2", {"network": "convnext"}, TRANSFORMERS, rates=ADAMW_RATES),
    "gpt2": Table("GPT-2 over bytes of text", {"network": "gpt2"}, TRANSFORMERS, rates=(0.005, 0.01, 0.02)),
    "variants": Table("The usual activations, and when to use which", {},
                      on("mlp", MLP, VARIANTS) + on("vgg16", {}, VARIANTS), {"train_images": 20000}),
    "outlier": Table("An MLP, in the middle of whose training one image is 100 or 300 times too large",
                     {**MLP, "schedule": "constant", "augment": "none"}, OUTLIER, rates=(0.01,), extends=False),
    "low": Table("An MLP whose biases begin at -1, so that most units are dead before it learns",
                 {**MLP, "augment": "none", "bias": -1.0}, LOW, rates=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5)),
    "depth": Table("MLPs of 6, 12 and 24 layers", {**MLP, "augment": "none"},
                   tuple(Row(f"{depth} layers: {row.name}", {"depth": depth, **row.changes})
                         for depth, some in ((6, DEEP), (12, DEEP), (24, DEEPEST)) for row in some),
                   rates=(0.01, 0.02, 0.05)),
}


# ---- Decisions -------------------------------------------------------------------------------------------------------


class Decision(NamedTuple):
    """Of a row: the rates that were tried or are to be, the best so far, and the runs that are still to be done."""

    grid: tuple[float, ...]
    best: float | None
    wanted: tuple[Options, ...]
    later: int              # how many runs will at least follow those


def rates_of(table: Table, name: str) -> tuple[float, ...]:
    """The grid that a row begins with."""
    return table.lower if table.lower and name in GROWING else table.rates


def options_of(table: Table, row: Row, preset_name: str, given: dict[str, Any]) -> Options:
    """Of a row; what is given goes before what table and preset say. What makes the row cannot be given."""
    for name, value in given.items():
        if row.changes.get(name, value) != value:
            raise Wrong(f"--{name.replace('_', '-')}: {value}, expected {row.changes[name]}, which row {row.name!r} "
                        "has")
    asked = {**table.common, **(table.minutes if preset_name == "minutes" else {}), **row.changes, **given}
    return Options().changed(**{**preset(preset_name, asked.get("network", Options.network)), **asked})


def decide(base: Options, rates: Sequence[float], seeds: Sequence[int], extends: bool,
           results: Iterable[dict[str, Any]]) -> Decision:
    """What a row needs next. base has the row's options; results are lines of any runs."""
    known = {one["run"]: one for one in results}
    grid = tuple(sorted(rates))
    while True:
        screening = [base.changed(rate=rate, seed=seeds[0]) for rate in grid]
        wanted = tuple(one for one in screening if one.identity() not in known)
        if wanted:
            return Decision(grid, None, wanted, len(seeds) - 1)
        best = best_rate(grid, [known[one.identity()] for one in screening])
        longer = extended(grid, best) if extends else grid
        if longer == grid:
            break
        grid = longer
    more = [base.changed(rate=best, seed=seed) for seed in seeds[1:]]
    return Decision(grid, best, tuple(one for one in more if one.identity() not in known), 0)


def taken_over(made: dict[str, Decision], others: Iterable[dict[str, Any]],
               digests: dict[str, str]) -> list[dict[str, Any]]:
    """Of the runs that rows need, those that other tables have, of the same data: their lines, with the rows' names
    here."""
    known = {one["run"]: one for one in others if one["data_digest"] == digests.get(one["options"]["data"])}
    return [{**known[one.identity()], "row": row} for row, decision in made.items() for one in decision.wanted
            if one.identity() in known]


def best_rate(grid: Sequence[float], results: Sequence[dict[str, Any]]) -> float:
    """The rate with the highest test accuracy at the end; of equal ones the lowest, also if all have failed."""
    scores = [one["test_accuracy"] if learned(one) else -1.0 for one in results]
    return grid[scores.index(max(scores))]


def learned(result: dict[str, Any]) -> bool:
    """Not diverged, nor dead, so that it has one answer to everything: lower rates are to be tried in both cases."""
    accuracy: float = result.get("test_accuracy", 0.0)      # those that diverged have none
    return accuracy > 1.05 * CHANCE[result["options"]["data"]]


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
