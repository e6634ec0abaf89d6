"""What results say of a table: for each row its grid of rates, and the best of them with all of its seeds."""

from __future__ import annotations

import statistics
from typing import Any, NamedTuple, Sequence

import tables
from paper import figure
from tables import best_rate

Result = dict[str, Any]
SWEPT = ("rate", "seed")        # what differs between the runs of one row


class Row(NamedTuple):
    """The runs of a row: all of them, those of each rate with the seed that screened, and those at the best rate.
    Figures are of the runs at the best rate that are done, shares in percent; None if there are none."""

    name: str
    about: str
    runs: list[Result]
    screened: dict[float, Result]
    best: list[Result]
    paper: float | None

    @property
    def rate(self) -> float:
        rate: float = self.best[0]["options"]["rate"]
        return rate

    @property
    def learned(self) -> bool:
        """With any rate; otherwise the best is the lowest one."""
        return any(map(tables.learned, self.screened.values()))

    @property
    def rate_shown(self) -> str:
        return f"{self.rate:g}" if self.learned else "none"

    @property
    def done(self) -> list[Result]:
        return [one for one in self.best if one["status"] == "done"]

    @property
    def accuracies(self) -> dict[int, float]:
        """By seed."""
        return {one["options"]["seed"]: 100 * one["test_accuracy"] for one in self.done}

    def of_layers(self, name: str) -> list[float]:
        """A figure of each layer, the mean over the runs."""
        layers = [[layer[name] for layer in run["layers"].values()] for run in self.done]
        return [statistics.fmean(some) for some in zip(*layers)]

    def of_units(self, name: str) -> float | None:
        """dead or nearly_dead, of all units of the network."""
        return 100 * sum(self.of_layers(name)) / sum(self.of_layers("units")) if self.done else None

    @property
    def sparsity(self) -> float | None:
        """The mean over layers, whatever their size."""
        return 100 * statistics.fmean(self.of_layers("sparsity")) if self.done else None

    def after(self, epoch: int, name: str) -> float | None:
        """A figure of an epoch; 0 is the last."""
        values = [one[name] for run in self.done for one in run["epochs"]
                  if one["epoch"] == (epoch or run["options"]["epochs"])]
        return mean(values)


def mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None


def deviation(values: Sequence[float]) -> float | None:
    return statistics.stdev(values) if len(values) > 1 else None


def rows(table: str, results: list[Result]) -> list[Row]:
    """The rows of a table that have results, in its order; then those of other runs, one for each set of options. Of
    rows with one name, as with other options on the command line, those that are not as the table has them say what
    the others do not have."""
    groups: dict[str, list[Result]] = {}
    for one in results:
        groups.setdefault(key_of(one["options"]), []).append(one)
    own = {row.name: key_of(tables.options_of(tables.TABLES[table], row, "minutes", {}).values())
           for row in rows_of(table)}
    made = {key: row_of(table, runs) for key, runs in groups.items()}
    named = []
    for key, row in made.items():
        same = [one for one in made.values() if one.name == row.name]
        plain = len(same) == 1 or key == own.get(row.name)
        named.append(row if plain else row._replace(name=f"{row.name} ({differences(row, same)})"))
    return sorted(named, key=lambda row: place(table, row.name))


def differences(row: Row, others: Sequence[Row]) -> str:
    """The options in which rows differ, as this one has them."""
    options = [one.best[0]["options"] for one in others]
    return ", ".join(f"{name} {value}" for name, value in row.best[0]["options"].items()
                     if name not in SWEPT and any(one.get(name) != value for one in options))


def key_of(options: dict[str, Any]) -> str:
    return repr(sorted((name, value) for name, value in options.items() if name not in SWEPT))


def row_of(table: str, runs: list[Result]) -> Row:
    """The runs of a row. The best rate is that of the seed with the most rates, which is the one that screened."""
    seeds = [one["options"]["seed"] for one in runs]
    screening = sorted((one for one in runs if one["options"]["seed"] == max(sorted(set(seeds)), key=seeds.count)),
                       key=lambda one: float(one["options"]["rate"]))
    rate = best_rate([one["options"]["rate"] for one in screening], screening)
    best = sorted((one for one in runs if one["options"]["rate"] == rate), key=lambda one: int(one["options"]["seed"]))
    options = runs[0]["options"]
    name = runs[0]["row"] or f"{options['network']}: {options['activation']}"
    about = next((row.about for row in rows_of(table) if row.name == name), "")
    return Row(name, about, runs, {one["options"]["rate"]: one for one in screening}, best, figure(options))


def rows_of(table: str) -> Sequence[tables.Row]:
    return tables.TABLES[table].rows if table in tables.TABLES else ()


def place(table: str, name: str) -> int:
    names = [row.name for row in rows_of(table)]
    return names.index(name) if name in names else len(names)
