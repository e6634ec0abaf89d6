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
    accuracies are in percent, of runs at the best rate that are done."""

    name: str
    about: str
    runs: list[Result]
    screened: dict[float, Result]
    best: list[Result]
    accuracies: list[float]
    paper: float | None

    @property
    def rate(self) -> float:
        rate: float = self.best[0]["options"]["rate"]
        return rate

    @property
    def mean(self) -> float | None:
        return statistics.fmean(self.accuracies) if self.accuracies else None

    @property
    def deviation(self) -> float | None:
        return statistics.stdev(self.accuracies) if len(self.accuracies) > 1 else None

    @property
    def training(self) -> float | None:
        """Training accuracy of the last epoch in percent, the mean over the runs that are done."""
        done = [100 * run["epochs"][-1]["train_accuracy"] for run in self.best if run["status"] == "done"]
        return statistics.fmean(done) if done else None

    def of_layers(self, name: str) -> list[float]:
        """A figure of each layer at the best rate, the mean over the runs that are done."""
        layers = [[layer[name] for layer in run["layers"].values()] for run in self.best if run["status"] == "done"]
        return [statistics.fmean(some) for some in zip(*layers)]


def rows(table: str, results: list[Result]) -> list[Row]:
    """The rows of a table that have results, in its order; then those of other runs, one for each set of options."""
    groups: dict[str, list[Result]] = {}
    for one in results:
        groups.setdefault(key_of(one["options"]), []).append(one)
    return sorted((row_of(table, runs) for runs in groups.values()), key=lambda row: place(table, row.name))


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
    return Row(name, about, runs, {one["options"]["rate"]: one for one in screening}, best,
               [100 * one["test_accuracy"] for one in best if one["status"] == "done"], figure(options))


def rows_of(table: str) -> Sequence[tables.Row]:
    return tables.TABLES[table].rows if table in tables.TABLES else ()


def place(table: str, name: str) -> int:
    names = [row.name for row in rows_of(table)]
    return names.index(name) if name in names else len(names)
