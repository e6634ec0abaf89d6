"""Training runs of libsugar that anybody can repeat; README.md says what they are.

    run.py run --activation relu~bsilu --folder FOLDER      one run
    run.py table vgg --folder FOLDER --jobs 2               all runs of a table that are not done yet
    run.py cost vgg                                         what steps and tests take with each row's activation
    run.py list                                             the tables: what is done, what is left
    run.py report                                           results as HTML and CSV
    run.py fill FILE                                        tables and plots in the places that a document has
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import statistics
import sys
from pathlib import Path
from typing import Any, Callable, Iterable, Sequence

import record
from options import Options, Wrong, add_flags, given, preset
from tables import TABLES, Decision, Row, decide, options_of, rates_of, taken_over

BUILD = Path(__file__).resolve().parents[2] / "build" / "experiments"


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="one run")
    run.add_argument("--row", default="", help="the row of a table that it is for, which stands with the result")
    table = commands.add_parser("table", help="all runs of a table that are not done yet")
    table.add_argument("name", choices=TABLES)
    cost = commands.add_parser("cost", help="what steps and tests take with each row of a table, measured in turns")
    cost.add_argument("name", choices=TABLES)
    cost.add_argument("--rounds", type=int, default=30, help="so many turns (%(default)s)")
    listing = commands.add_parser("list", help="the tables: what is done, what is left")
    report = commands.add_parser("report", help="results as HTML and CSV")
    filling = commands.add_parser("fill", help="tables and plots in the places that documents have (fill.py)")
    filling.add_argument("documents", nargs="+", type=Path, metavar="FILE", help="Markdown, with such places")
    for one in (table, cost, listing):
        one.add_argument("--rows", nargs="+", metavar="ROW", help="some rows (all)")
    for one in (table, listing):
        one.add_argument("--rates", help="the grid of learning rates to begin with, separated by commas")
        one.add_argument("--seeds", help="the seeds, separated by commas; the first one screens (1,2,3)")
        one.add_argument("--jobs", type=int, default=1, help="so many runs at once, as processes (%(default)s)")
    for one in (run, table):
        one.add_argument("--folder", help="CIFAR's files in its binary layout, or the folder with their folder")
        one.add_argument("--fashion-mnist", help="Fashion-MNIST's files (where Debian's package puts them)")
        one.add_argument("--text", help="a file of text")
        one.add_argument("--note", default="",
                         help="stands with results and in reports: what was done to the data of --folder, "
                         "--fashion-mnist or --text")
        one.add_argument("--output", type=Path, help="the file of results (build/experiments/NAME.jsonl)")
    for one in (listing, report, filling):
        one.add_argument("--results", type=Path, default=BUILD, help="the folder with files of results (%(default)s)")
    report.add_argument("--output", type=Path, default=BUILD / "report", help="the folder it goes to (%(default)s)")
    for one in (run, table, cost, listing):
        add_flags(one)
    return made


def place_of_data(arguments: argparse.Namespace, data: str) -> str | None:
    place: str | None = {"text": arguments.text, "fashion-mnist": arguments.fashion_mnist}.get(data, arguments.folder)
    return place


def check_note(arguments: argparse.Namespace, data: Iterable[str]) -> None:
    """A note is of data whose place is given, and stands with their results alone."""
    if arguments.note and all(place_of_data(arguments, one) is None for one in data):
        raise Wrong(f"--note: {arguments.note!r}, expected none without --folder, --fashion-mnist or --text")


# ---- One run ---------------------------------------------------------------------------------------------------------


def run(arguments: argparse.Namespace) -> int:
    from session import run_here        # what takes long to import, and what only a run needs
    own = given(arguments)
    options = Options().changed(**{**preset(arguments.preset, own.get("network", Options.network)),
                                   "processes": int(os.environ.get("WORLD_SIZE", 1)), **own})
    check_note(arguments, [options.data])
    run_here(options, place_of_data(arguments, options.data), arguments.output or BUILD / "runs.jsonl",
             {"row": arguments.row, "note": arguments.note})
    return 0


# ---- Tables ----------------------------------------------------------------------------------------------------------


def options_of_rows(arguments: argparse.Namespace, name: str) -> dict[str, Options]:
    """Of each row of a table that is asked for."""
    table = TABLES[name]
    return {row.name: options_of(table, row, arguments.preset, given(arguments))
            for row in chosen_rows(arguments.rows, table.rows)}


def chosen_rows(names: Sequence[str] | None, rows: Sequence[Row]) -> Sequence[Row]:
    known = {row.name: row for row in rows}
    for one in names or ():
        if one not in known:
            raise Wrong(f"--rows: {one!r}, expected some of: {', '.join(known)}")
    return rows if names is None else [known[one] for one in names]


def check_flags(arguments: argparse.Namespace) -> None:
    """Of `table` and `list`: those of a run that they have in another way, and how many at once."""
    own = given(arguments)
    for one in ("rate", "seed"):
        if one in own:
            raise Wrong(f"--{one}: {own[one]}, expected --{one}s, as rows have several")
    if own.get("processes", 1) != 1:
        raise Wrong(f"--processes: {own['processes']}, expected 1: torchrun is for `run` alone")
    if arguments.jobs < 1:
        raise Wrong(f"--jobs: {arguments.jobs}, expected 1 or more")


def numbers(flag: str, text: str | None, kind: Callable[[str], Any]) -> tuple[Any, ...] | None:
    if text is None:
        return None
    try:
        return tuple(kind(one) for one in text.split(","))
    except ValueError as error:
        raise Wrong(f"{flag}: {text!r}, expected numbers separated by commas") from error


def decisions(arguments: argparse.Namespace, name: str, rows: dict[str, Options],
              results: list[dict[str, Any]]) -> dict[str, Decision]:
    table = TABLES[name]
    rates = numbers("--rates", arguments.rates, float)
    seeds = numbers("--seeds", arguments.seeds, int) or table.seeds
    return {row: decide(options, rates or rates_of(table, row), seeds, table.extends, results)
            for row, options in rows.items()}


def table(arguments: argparse.Namespace) -> int:
    from data import load
    from pool import Planned, Pool
    check_flags(arguments)
    name = arguments.name
    output = arguments.output or BUILD / f"{name}.jsonl"
    rows = options_of_rows(arguments, name)
    decisions(arguments, name, rows, [])        # rates and seeds that are none are found before anything is read
    data = {options.data: options for options in rows.values()}
    check_note(arguments, data)
    digests = {one: load(options, place_of_data(arguments, one)).digest for one, options in data.items()}
    for one in digests:
        record.check_data(output, one, digests[one])
    files = [output.with_name(f"{other}.jsonl") for other in TABLES]
    others = [one for file in files if file != output for one in record.read(file)]

    def plan(results: list[dict[str, Any]]) -> Planned:
        made = decisions(arguments, name, rows, results)
        while shared := taken_over(made, others, digests):
            for one in shared:
                record.append(output, one)
            results = results + shared
            made = decisions(arguments, name, rows, results)
        return ([(row, one) for row in made for one in made[row].wanted],
                sum(made[row].later * rows[row].epochs for row in made))

    def more(row: str, options: Options) -> list[str]:
        place = place_of_data(arguments, options.data)
        flag = {"text": "--text", "fashion-mnist": "--fashion-mnist"}.get(options.data, "--folder")
        return ["--row", row, *(() if place is None else (flag, place, "--note", arguments.note))]

    Pool(plan, output, more, arguments.jobs).finish()
    print(f"{name} is done: {output}")
    return 0


def cost(arguments: argparse.Namespace) -> int:
    from cost import measure
    if arguments.rounds < 1:
        raise Wrong(f"--rounds: {arguments.rounds}, expected 1 or more")
    rows = options_of_rows(arguments, arguments.name)
    for one in rows.values():
        if one.device != "cpu" or one.processes != 1:
            raise Wrong(f"--device, --processes: {one.device}, {one.processes}, expected cpu, 1 to measure costs")
    networks = sorted({f"{one.network} of depth {one.depth}" for one in rows.values()})
    if len(networks) > 1:
        raise Wrong(f"--rows: of {', '.join(networks)}, expected rows of one network, whose costs can be compared")
    measure(rows, arguments.rounds)
    return 0


def listing(arguments: argparse.Namespace) -> int:
    check_flags(arguments)
    print(f"{'table':<10} {'rows':>5} {'done':>5} {'left':>5} {'hours left':>11}   about")
    for name in TABLES:
        try:
            rows = options_of_rows(arguments, name)
        except Wrong as reason:
            print(f"{name:<10} not with these options: {reason}")
            continue
        results = record.read(arguments.results / f"{name}.jsonl")
        made = decisions(arguments, name, rows, results)
        left = {row: len(one.wanted) + one.later for row, one in made.items()}
        names = {options.changed(rate=one["options"]["rate"], seed=one["options"]["seed"]).identity()
                 for options in rows.values() for one in results}
        done = [one for one in results if one["run"] in names]
        seconds = sum(count * seconds_of(rows[row], done) for row, count in left.items() if count)
        hours = "?" if math.isnan(seconds) else f"{seconds / 3600 / arguments.jobs:.1f}"
        print(f"{name:<10} {len(rows):>5} {len(done):>5} {sum(left.values()):>5} {hours:>11}   {TABLES[name].about}")
    return 0


def seconds_of(options: Options, done: Sequence[dict[str, Any]]) -> float:
    """What a run is likely to take: the median of those of the same network, as deep, with as many steps."""
    alike = ("network", "depth", "width", "train_images", "epochs")
    known: list[float] = [
        one["seconds"] for one in done if all(one["options"][name] == getattr(options, name) for name in alike)]
    return statistics.median(known) if known else math.nan


def all_results(arguments: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    """The results of each table, in their order, then those of others."""
    names = list(TABLES)
    files = sorted(arguments.results.glob("*.jsonl"), key=lambda file: (
        names.index(file.stem) if file.stem in names else len(names), file.stem))
    if not files:
        raise Wrong(f"--results: {arguments.results} has no file of results (*.jsonl), expected one or more; "
                    "the project's own are in doc/experiments/results")
    return {file.stem: record.read(file) for file in files}


def report(arguments: argparse.Namespace) -> int:
    from report import write
    print(write(all_results(arguments), arguments.output))
    return 0


def filling(arguments: argparse.Namespace) -> int:
    from fill import fill
    results = all_results(arguments)
    for one in arguments.documents:
        print(f"{one}: {'changed' if fill(one, results) else 'as it was'}")
    return 0


def interrupted(*_: Any) -> None:
    """Once: whoever stops a whole group of processes has its members stop each other, too."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: None)
    raise KeyboardInterrupt


def main(given_arguments: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(given_arguments)
    try:
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, interrupted)
        commands = {"run": run, "table": table, "cost": cost, "list": listing, "report": report, "fill": filling}
        return commands[arguments.command](arguments)
    except (Wrong, OSError) as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        if not getattr(arguments, "row", ""):       # a table says it for its runs
            print("\nrun.py: stopped; the same command goes on behind the last epoch that was done", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
