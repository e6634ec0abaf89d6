"""Training runs of libsugar that can be repeated.

    run.py run --activation relu~bsilu --folder FOLDER      one run
    run.py table vgg --folder FOLDER --jobs 2               all runs of a table that are not done yet
"""

from __future__ import annotations

import argparse
import fcntl
import sys
from pathlib import Path
from typing import Any, Sequence

import torch

import record
from data import load
from options import PRESETS, Options, Wrong, add_flags, given
from pool import Failed, Planned, Pool
from tables import TABLES, Table, decide
from training import Run

BUILD = Path(__file__).resolve().parents[2] / "build" / "experiments"


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = made.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="one run")
    table = commands.add_parser("table", help="all runs of a table that are not done yet")
    table.add_argument("name", choices=TABLES)
    table.add_argument("--rows", help="the rows to run, separated by blanks (all)")
    table.add_argument("--rates", help="the grid of learning rates to begin with, separated by commas")
    table.add_argument("--seeds", help="the seeds, separated by commas; the first one screens (1,2,3)")
    table.add_argument("--jobs", type=int, default=1, help="so many runs at once, as processes (%(default)s)")
    for one in (run, table):
        one.add_argument("--folder", help="where the data lie")
        one.add_argument("--output", type=Path, help="the file of results; build/experiments/NAME.jsonl")
        add_flags(one)
    return made


def base(arguments: argparse.Namespace, changes: dict[str, Any]) -> Options:
    """The options of the preset, changed, and in the end as the command line says."""
    return Options().changed(**{**PRESETS[arguments.preset], **changes, **given(arguments)})


def run(arguments: argparse.Namespace) -> int:
    options = base(arguments, {})
    output = arguments.output or BUILD / "runs.jsonl"
    name = options.identity()
    checkpoint = output.parent / "checkpoints" / f"{name}.pt"
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    lock_path = checkpoint.with_suffix(".lock")
    with open(lock_path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)        # the same run is done by one process, others wait and find it done
        if any(one["run"] == name for one in record.read(output)):
            print(f"{name} is done: {options.label()}", flush=True)
        else:
            train(options, arguments.folder, output, checkpoint)
        checkpoint.unlink(missing_ok=True)
    return 0


def train(options: Options, folder: str | None, output: Path, checkpoint: Path) -> None:
    torch.set_num_threads(options.threads)
    torch.use_deterministic_algorithms(True)
    made = Run(options, load(options, folder), checkpoint)

    def show(epoch: int) -> None:
        print(f"{options.identity()} epoch {epoch} of {options.epochs}", made.epochs[-1] if made.epochs else "",
              flush=True)

    show(len(made.epochs))
    record.append(output, made.finish(show))


def table(arguments: argparse.Namespace) -> int:
    name = arguments.name
    output = arguments.output or BUILD / f"{name}.jsonl"
    rows = {row.name: base(arguments, {**TABLES[name].common, **row.changes}) for row in chosen_rows(arguments)}
    rates = numbers(arguments.rates, float) or TABLES[name].rates
    seeds = numbers(arguments.seeds, int) or TABLES[name].seeds

    def plan(results: list[dict[str, Any]]) -> Planned:
        wanted, later = [], 0
        for row, options in rows.items():
            decision = decide(options, rates, seeds, results)
            wanted += [(row, one) for one in decision.wanted]
            later += decision.later * options.epochs
        return wanted, later

    Pool(plan, output, arguments.folder, arguments.jobs).finish()
    print(f"{name} is done: {output}")
    return 0


def chosen_rows(arguments: argparse.Namespace) -> Sequence[Any]:
    found: Table = TABLES[arguments.name]
    if arguments.rows is None:
        return found.rows
    names = {row.name: row for row in found.rows}
    for one in arguments.rows.split():
        if one not in names:
            raise Wrong(f"--rows: {one!r}, expected some of {' '.join(names)}")
    return [names[one] for one in arguments.rows.split()]


def numbers(text: str | None, kind: type) -> tuple[Any, ...] | None:
    if text is None:
        return None
    try:
        return tuple(kind(one) for one in text.split(","))
    except ValueError as error:
        raise Wrong(f"{text!r}: {error}, expected numbers separated by commas") from error


def main(given_arguments: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(given_arguments)
    try:
        return {"run": run, "table": table}[arguments.command](arguments)
    except (Wrong, Failed) as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on after the last epoch that was done", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
