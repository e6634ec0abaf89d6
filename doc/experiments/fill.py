"""Puts tables and plots of results into documents in Markdown, so that they say what the lines of results say.

A place for a table begins with one of these comments, and goes to the next <!-- end of results -->. Rows may be named
behind a colon.

    <!-- results of vgg: accuracy, rate, dead -->
    <!-- results of vgg: accuracy, rate, dead: relu, relu~bsilu -->
    <!-- accuracy at each rate of vgg -->
    <!-- accuracy at each rate of vgg: relu, relu~bsilu -->

What is named here are functions, each as it is and as surrogate of relu:

    <!-- surrogates of vgg: bsilu, elu -->

A plot is a file beside the document, which the document includes as any other picture. It has a panel for each table,
with a title and rows:

    <!-- plot rates.svg: VGG-16 = vgg: relu, relu~bsilu | ResNet-18 = resnet: relu, relu~bsilu -->
"""

from __future__ import annotations

import re
import statistics
from pathlib import Path
from typing import Callable, Iterable, Sequence

import plots
from options import Wrong
from report import percent, shown
from summary import Result, Row, deviation, rows
from tables import SEEDS

PLACE = re.compile(r"(<!-- (results|accuracy at each rate|surrogates) of ([\w-]+)(?:: ([^\n]*?))? -->\n).*?"
                   r"(<!-- end of results -->)", re.DOTALL)
PLOT = re.compile(r"<!-- plot ([\w-]+\.svg): ([^\n]*) -->")
OPENING = re.compile(r"<!-- (?:plot|results of|accuracy at each rate|surrogates of)\b[^\n]*")
PANEL = re.compile(r"(.+) = ([\w-]+): (.+)")
COMMA = re.compile(r", (?![^(]*\))")        # between names, not in parentheses
AFTER = re.compile(r"(accuracy|dead) after epoch (\d+)")

Cell = Callable[[Row, Row], str]        # of a row, and the first one


def accuracy(row: Row, _: Row) -> str:
    """Mean and deviation in percent, and what else there is to say of the runs."""
    runs, failed = len(row.best), len(row.best) - len(row.done)
    said = ["one run" if runs == 1 else f"{runs} runs"] if runs != len(SEEDS) else []
    said += [f"{failed} diverged"] if failed else []
    return " ".join([*spread(list(row.accuracies.values())), *([f"({', '.join(said)})"] if said else [])])


def spread(values: Sequence[float], sign: str = "") -> list[str]:
    made = [] if not values else [f"{round(statistics.fmean(values), 1) + 0.0:{sign}.1f}"]      # + 0.0: no -0.0
    return made + ([] if deviation(values) is None else [f"± {deviation(values):.1f}"])


def gain(row: Row, first: Row) -> str:
    """The difference to the first row, seed by seed: with one seed all rows have the same weights at the start and the
    same order of samples. Bold if it is more than chance."""
    if row is first:
        return ""
    gains = [value - first.accuracies[seed] for seed, value in row.accuracies.items() if seed in first.accuracies]
    text = " ".join(spread(gains, "+"))
    return f"**{text}**" if more_than_chance(gains) else text


def more_than_chance(differences: Sequence[float]) -> bool:
    """Student's t of three values is beyond 4.3, which is 5 % by chance (two-sided), if their mean is more than 2.5
    times their deviation. Rows have three seeds; with fewer nothing is."""
    return len(differences) >= 3 and abs(statistics.fmean(differences)) > 2.5 * statistics.stdev(differences)


COLUMNS: dict[str, tuple[str, Cell]] = {
    "accuracy": ("test accuracy, %", accuracy),
    "gain": ("against the first row", gain),
    "training": ("training accuracy, %", lambda row, _: shown(percent(row.after(0, "train_accuracy")), 1)),
    "rate": ("rate", lambda row, _: row.rate_shown),
    "dead": ("dead units, %", lambda row, _: shown(row.of_units("dead"), 1)),
    "nearly dead": ("at most 1 % active, %", lambda row, _: shown(row.of_units("nearly_dead"), 1)),
    "not active": ("not active, %", lambda row, _: shown(row.sparsity, 1)),
    "about": ("about", lambda row, _: row.about),
}


def column(document: Path, name: str) -> tuple[str, Cell]:
    """The title of a column and its cells."""
    if match := AFTER.fullmatch(name):
        epoch = int(match[2])
        if match[1] == "dead":
            return f"dead units after epoch {epoch}", lambda row, _: shown(row.after(epoch, "dead"), 1)
        return (f"accuracy after epoch {epoch}, %",
                lambda row, _: shown(percent(row.after(epoch, "test_accuracy")), 1))
    if name not in COLUMNS:
        raise Wrong(f"{document}: no column {name!r}, expected some of: {', '.join(COLUMNS)}, {AFTER.pattern}")
    return COLUMNS[name]


def fill(document: Path, results: dict[str, list[Result]]) -> bool:
    """Whether the document has changed, or a plot of it."""
    before = document.read_text(encoding="utf-8")
    check(document, before)

    def asked(table: str, names: str) -> Sequence[Row]:
        return chosen(document, table, names, rows(table, results.get(table, [])))

    def made(match: re.Match[str]) -> str:
        opening, kind, table, rest, closing = match.groups()
        names = rest or ""
        if kind == "results":
            columns, _, names = names.partition(": ")
            lines = of_columns(document, asked(table, names), columns)
        elif kind == "surrogates":
            lines = of_surrogates([asked(table, f"{name}, relu~{name}") for name in COMMA.split(names)])
        else:
            lines = of_rates(asked(table, names))
        return opening + "".join(line + "\n" for line in lines) + closing

    after = PLACE.sub(made, before)
    plotted = {document.parent / name: plots.panels_over_rates(panels(document, text, asked))
               for name, text in PLOT.findall(before)}
    texts = {document: after, **plotted}
    changed = [path for path, text in texts.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in changed:
        path.write_text(texts[path], encoding="utf-8")
    return bool(changed)


def check(document: Path, text: str) -> None:
    """What looks like a place must be one: a slip of the pen would leave it as it was."""
    understood = {match.start() for pattern in (PLACE, PLOT) for match in pattern.finditer(text)}
    for match in OPENING.finditer(text):
        if match.start() not in understood:
            raise Wrong(f"{document}: {match[0]!r} is no place for results, expected what fill.py shows, and behind a "
                        "table <!-- end of results -->")


def panels(document: Path, text: str, asked: Callable[[str, str], Sequence[Row]]) -> dict[str, Sequence[Row]]:
    """Of a plot: the rows of each title."""
    made: dict[str, Sequence[Row]] = {}
    for panel in text.split(" | "):
        match = PANEL.fullmatch(panel)
        if match is None:
            raise Wrong(f"{document}: no panel of a plot: {panel!r}, expected: title = table: row, row")
        title, table, names = match.groups()
        if title in made:
            raise Wrong(f"{document}: two panels of a plot have the title {title!r}, expected one")
        made[title] = asked(table, names)
        if len({plots.short(row.name) for row in made[title]}) < len(made[title]):
            raise Wrong(f"{document}: panel {title!r} has rows {names!r}, expected ones that differ behind ': '")
    return made


def chosen(document: Path, table: str, names: str, some: Sequence[Row]) -> Sequence[Row]:
    if not some:
        raise Wrong(f"{document}: results of {table!r} are asked for, and there are none")
    known = {row.name: row for row in some}
    wanted = COMMA.split(names) if names else list(known)
    for one in wanted:
        if one not in known:
            raise Wrong(f"{document}: no row {one!r} of {table}, expected some of: {', '.join(known)}")
    return [known[one] for one in wanted]


def of_columns(document: Path, some: Sequence[Row], names: str) -> Iterable[str]:
    columns = [column(document, one) for one in names.split(", ")]
    return markdown(["", *(title for title, _ in columns)],
                    [[f"`{row.name}`", *(cell(row, some[0]) for _, cell in columns)] for row in some])


def of_rates(some: Sequence[Row]) -> Iterable[str]:
    """For each row the accuracies of the rates, with the seed that chose among them."""
    rates = sorted({rate for row in some for rate in row.screened})
    return markdown(["", *(f"{rate:g}" for rate in rates)],
                    [[f"`{row.name}`", *(at_rate(row, rate) for rate in rates)] for row in some])


def of_surrogates(pairs: Sequence[Sequence[Row]]) -> Iterable[str]:
    """For each function: its accuracy, that of relu with its derivative, and the difference."""
    return markdown(["", "itself, %", "`relu` with its derivative, %", "difference"],
                    [[f"`{itself.name}`", accuracy(itself, itself), accuracy(surrogate, itself),
                      gain(surrogate, itself)] for itself, surrogate in pairs])


def at_rate(row: Row, rate: float) -> str:
    if rate not in row.screened:
        return ""
    one = row.screened[rate]
    text = shown(100 * one["test_accuracy"], 1) if one["status"] == "done" else "diverged"
    return f"**{text}**" if row.learned and rate == row.rate else text


def markdown(head: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterable[str]:
    return ["| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *lines)]
