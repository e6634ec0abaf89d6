"""Results as one HTML file with its plots inside, and as CSV."""

from __future__ import annotations

import csv
from html import escape
from pathlib import Path
from typing import Any, Sequence

import plots
from summary import Result, Row, deviation, mean, rows
from tables import TABLES

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1c2024; background: #fff; max-width: 1120px; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.7rem; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #d5dade; } p { max-width: 52rem; }
.note { color: #5c656e; font-size: .9rem; } .wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { padding: .25rem .5rem; text-align: right; }
td { white-space: nowrap; } th { vertical-align: bottom; }
th:first-child, td:first-child, td:last-child, th:last-child { text-align: left; }
thead th { border-bottom: 1px solid #5c656e; } tbody tr:nth-child(even) { background: #f3f5f6; }
svg { max-width: 100%; height: auto; } details { margin: 1rem 0; }
"""

COLUMNS = ("row", "rate", "accuracy, %", "± deviation", "training, %", "runs", "diverged", "loss", "dead, %",
           "nearly dead, %", "not active, %", "paper, %", "note")


def write(results: dict[str, list[Result]], folder: Path) -> str:
    """Writes report.html, for each table NAME.csv, and all-runs.csv; what was written, in words."""
    folder.mkdir(parents=True, exist_ok=True)
    results = {name: some for name, some in results.items() if some}
    tables = {name: rows(name, some) for name, some in results.items()}
    for name, some in tables.items():
        write_csv(folder / f"{name}.csv", COLUMNS, [cells(row) for row in some])
    if results:
        write_csv(folder / "all-runs.csv", *lines_of_runs(results))
    (folder / "report.html").write_text(html(tables, results), encoding="utf-8")
    count = sum(map(len, results.values()))
    return f"{folder / 'report.html'}: {count} runs of {len(tables)} tables, and CSV beside it"


def write_csv(path: Path, columns: Sequence[str], lines: Sequence[Sequence[Any]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([columns, *lines])


# ---- Cells -----------------------------------------------------------------------------------------------------------


def cells(row: Row) -> list[str]:
    """Of COLUMNS. Times of steps are not among them: runs had other runs beside them (cost.py measures them)."""
    accuracies = list(row.accuracies.values())
    return [row.name, row.rate_shown, shown(mean(accuracies)), shown(deviation(accuracies)),
            shown(percent(row.after(0, "train_accuracy"))), str(len(row.best)), str(len(row.best) - len(row.done)),
            shown(mean([one["test_loss"] for one in row.done]), 3), shown(row.of_units("dead")),
            shown(row.of_units("nearly_dead")), shown(row.sparsity, 1), shown(row.paper), row.about]


def percent(value: float | None) -> float | None:
    return None if value is None else 100 * value


def shown(value: float | None, digits: int = 2) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def lines_of_runs(results: dict[str, list[Result]]) -> tuple[list[str], list[list[Any]]]:
    """Of each run: its options, and what came out."""
    outcome = ("status", "test_accuracy", "test_loss", "ms_per_step", "seconds", "data_digest", "note")
    options = list(next(iter(one for some in results.values() for one in some))["options"])
    lines = [[table, one["run"], one["row"], *(one["options"].get(name) for name in options),
              *(one.get(name) for name in outcome)] for table, some in results.items() for one in some]
    return ["table", "run", "row", *options, *outcome], lines


# ---- HTML ------------------------------------------------------------------------------------------------------------


def html(tables: dict[str, list[Row]], results: dict[str, list[Result]]) -> str:
    return "\n".join([
        '<!DOCTYPE html>', '<html lang="en">', '<head>', '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<title>Experiments with surrogate gradients</title>', f'<style>{STYLE}</style>', '</head>', '<body>',
        '<h1>Experiments with surrogate gradients</h1>',
        '<p>A spec such as <code>relu~bsilu</code> is ReLU forward, and the derivative of B-SiLU backward. For each '
        'row learning rates of a grid were tried with one seed; the best one was run with more seeds, and the figures '
        'are means over those. The runs at the best rate include the one that chose it, so that small differences '
        'between rows are no proof. A unit is <em>dead</em> if no test sample makes it active, <em>nearly dead</em> if '
        'at most 1 % of them do.</p>',
        '<p>The column <em>paper</em> has the figures of <a href="https://arxiv.org/abs/2505.22074">arXiv '
        '2505.22074</a>, of networks of full width with all images. It reports, too, that Leaky ReLU and NeLU gain '
        'nothing as surrogates of ReLU in convolutional networks, ELU and SELU some.</p>',
        *[section(name, some, results[name]) for name, some in tables.items()], '</body>', '</html>', ''])


def section(name: str, some: list[Row], results: list[Result]) -> str:
    about = TABLES[name].about if name in TABLES else "runs of no table"
    text = [f'<h2 id="{escape(name)}">{escape(name)}: {escape(about)}</h2>', conditions(results),
            '<div class="wide"><table>', f'<thead>{line("th", COLUMNS)}</thead>', '<tbody>',
            *[line("td", cells(row)) for row in some], '</tbody></table></div>',
            *[plotted(title, part) for title, part in parts(some).items()]]
    return "\n".join(text)


def parts(some: list[Row]) -> dict[str, list[Row]]:
    """Rows by what stands before ': ' in their names, such as the depth: a plot of all of them could not be read."""
    made: dict[str, list[Row]] = {}
    for row in some:
        made.setdefault(row.name.rpartition(": ")[0], []).append(row)
    return made


def plotted(title: str, some: list[Row]) -> str:
    return "\n".join([
        f"<h3>{escape(title)}</h3>" if title else "",
        plots.over_rates(some),
        plots.over_epochs(some, "test_accuracy", "Learning curves", plots.ACCURACY, 100.0),
        plots.over_epochs(some, "train_loss", "Loss in training", "loss"),
        plots.over_epochs(some, "dead", "Dead units after each epoch, on a part of the test samples", "units"),
        plots.over_layers(some, "dead", "Dead units at the end", "of the units, %"),
        plots.over_layers(some, "nearly_dead", "Dead and nearly dead units at the end", "of the units, %"),
        plots.over_layers(some, "sparsity", "Sparsity at the end", "not active, %"),
        '<details><summary>Inputs of the activations at the end, with the first seed</summary>',
        plots.histograms(some), '</details>'])


def line(kind: str, texts: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{kind}>{escape(text)}</{kind}>" for text in texts) + "</tr>"


def conditions(results: list[Result]) -> str:
    """What all runs have in common, and what else they were made with."""
    options = [one["options"] for one in results]
    common = {name: value for name, value in options[0].items() if all(one.get(name) == value for one in options)}
    said = ", ".join(f"{name} {value}" for name, value in common.items()
                     if not (name in ("blend_from", "blend_to") and value < 0))     # there is no blend
    machines = {", ".join(f"{name} {value}" for name, value in one["machine"].items() if value) for one in results}
    data = {f"{one['options']['data']} {one['data_digest']}" + (f" ({one['note']})" if one["note"] else "")
            for one in results}
    hours = sum(one["seconds"] for one in results) / 3600
    return (f'<p class="note">{len(results)} runs, {hours:.1f} hours of training in all; in all of them: '
            f'{escape(said)}.<br>Data, with a digest of the '
            f'files: {escape("; ".join(sorted(data)))}.<br>Made with: {escape("; ".join(sorted(machines)))}.</p>')
