"""Puts tables of results into documents in Markdown, so that a document says what the lines of results say.

A place for a table begins with a comment such as

    <!-- results of vgg: accuracy, rate, dead -->
    <!-- accuracy at each rate of vgg -->

and goes to the next <!-- end of results -->. Behind a second colon in the first one rows may be named.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Callable, Iterable, Sequence

from options import Wrong
from report import mean, shown
from summary import Result, Row, rows

PLACE = re.compile(r"(<!-- (results|accuracy at each rate) of ([\w-]+)(?:: ([^\n]*?))? -->\n).*?"
                   r"(<!-- end of results -->)", re.DOTALL)
SEEDS = 3       # what a row has at the end; of one with fewer it is said


def accuracy(row: Row) -> str:
    """Mean and deviation in percent, and what else there is to say of the runs."""
    runs, failed = len(row.best), len(row.best) - len(row.accuracies)
    said = ["one run" if runs == 1 else f"{runs} runs"] if runs != SEEDS else []
    said += [f"{failed} diverged"] if failed else []
    figures = [] if row.mean is None else [shown(row.mean, 1)]
    figures += [] if row.deviation is None else [f"± {row.deviation:.1f}"]
    return " ".join(figures + ([f"({', '.join(said)})"] if said else []))


def share(name: str) -> Callable[[Row], str]:
    """Of all units, in percent."""
    def cell(row: Row) -> str:
        return shown(100 * sum(row.of_layers(name)) / sum(row.of_layers("units")), 1) if row.accuracies else ""
    return cell


COLUMNS: dict[str, tuple[str, Callable[[Row], str]]] = {
    "accuracy": ("test accuracy, %", accuracy),
    "training": ("training accuracy, %", lambda row: shown(row.training, 1)),
    "rate": ("rate", lambda row: f"{row.rate:g}"),
    "dead": ("dead units, %", share("dead")),
    "nearly dead": ("at most 1 % active, %", share("nearly_dead")),
    "not active": ("not active, %", lambda row: shown(mean([100 * one for one in row.of_layers("sparsity")]), 1)),
    "about": ("", lambda row: row.about),
}


def fill(document: Path, results: dict[str, list[Result]]) -> bool:
    """Whether the document has changed."""
    before = document.read_text(encoding="utf-8")

    def made(match: re.Match[str]) -> str:
        opening, kind, table, rest, closing = match.groups()
        columns, _, names = (rest or "").partition(": ")
        some = chosen(document, table, names, rows(table, results.get(table, [])))
        lines = of_rates(some) if kind != "results" else of_columns(document, some, columns)
        return opening + "".join(line + "\n" for line in lines) + closing

    after = PLACE.sub(made, before)
    document.write_text(after, encoding="utf-8")
    return after != before


def chosen(document: Path, table: str, names: str, some: Sequence[Row]) -> Sequence[Row]:
    if not some:
        raise Wrong(f"{document}: results of {table!r} are asked for, and there are none")
    known = {row.name: row for row in some}
    for one in names.split(", ") if names else ():
        if one not in known:
            raise Wrong(f"{document}: no row {one!r} of {table}, expected some of: {', '.join(known)}")
    return [known[one] for one in names.split(", ")] if names else some


def of_columns(document: Path, some: Sequence[Row], names: str) -> Iterable[str]:
    for one in names.split(", "):
        if one not in COLUMNS:
            raise Wrong(f"{document}: no column {one!r}, expected some of: {', '.join(COLUMNS)}")
    columns = [COLUMNS[one] for one in names.split(", ")]
    return markdown(["", *(title for title, _ in columns)],
                    [[f"`{row.name}`", *(cell(row) for _, cell in columns)] for row in some])


def of_rates(some: Sequence[Row]) -> Iterable[str]:
    """For each row the accuracies of the rates, with the seed that chose among them."""
    rates = sorted({rate for row in some for rate in row.screened})
    return markdown(["", *(f"{rate:g}" for rate in rates)],
                    [[f"`{row.name}`", *(at_rate(row, rate) for rate in rates)] for row in some])


def at_rate(row: Row, rate: float) -> str:
    if rate not in row.screened:
        return ""
    one = row.screened[rate]
    text = shown(100 * one["test_accuracy"], 1) if one["status"] == "done" else "diverged"
    return f"**{text}**" if rate == row.rate else text


def markdown(head: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterable[str]:
    return ["| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *lines)]
