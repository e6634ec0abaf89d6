"""Runs of a table as processes of their own, several at once."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from pathlib import Path
from queue import Queue
from typing import Any, Callable

from tqdm import tqdm

import record
from options import Options, Wrong, command_line

EPOCH = re.compile(r" epoch (\d+) of ")
Planned = tuple[list[tuple[str, Options]], int]     # runs with their rows' names; epochs of those that follow


class Running:
    """A run in work."""

    def __init__(self, row: str, process: subprocess.Popen[str]) -> None:
        self.row, self.process, self.epochs = row, process, 0


class Pool:
    """Asks plan what is wanted, and runs it, until nothing is."""

    def __init__(self, plan: Callable[[list[dict[str, Any]]], Planned], output: Path,
                 more: Callable[[str, Options], list[str]], jobs: int) -> None:
        self.plan, self.output, self.more, self.jobs = plan, output, more, jobs
        self.running: dict[str, Running] = {}
        self.heard: Queue[tuple[str, str | None]] = Queue()     # lines of runs; None: it ended

    def finish(self) -> None:
        with tqdm(unit="epoch", dynamic_ncols=True, smoothing=0.05) as bar:
            try:
                while self.start(bar):
                    self.hear(bar)
            finally:
                for one in self.running.values():
                    one.process.terminate()
                for one in self.running.values():
                    one.process.wait()

    def start(self, bar: Any) -> bool:
        """Fills free places; whether anything is in work."""
        wanted, later = self.plan(record.read(self.output))
        for row, options in wanted:
            name = options.identity()
            if name not in self.running and len(self.running) < self.jobs:
                self.running[name] = Running(row, self.launch(name, row, options))
        bar.total = bar.n + later + sum(options.epochs for _, options in wanted) - sum(
            one.epochs for one in self.running.values())
        bar.set_description(", ".join(dict.fromkeys(one.row for one in self.running.values())))
        return bool(self.running)

    def launch(self, name: str, row: str, options: Options) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("run.py")), "run", *command_line(options),
             *self.more(row, options), "--output", str(self.output)], stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self.listen, args=(name, process), daemon=True).start()
        return process

    def listen(self, name: str, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            self.heard.put((name, line))
        self.heard.put((name, None))

    def hear(self, bar: Any) -> None:
        name, line = self.heard.get()
        one = self.running[name]
        if line is None:
            del self.running[name]
            if one.process.wait() != 0:
                raise Wrong(f"{one.row}: the run {name} ended with exit status {one.process.returncode}")
        elif match := EPOCH.search(line):
            bar.update(int(match[1]) - one.epochs)
            one.epochs = int(match[1])
