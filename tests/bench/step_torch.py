"""A training step of a linear layer and its activation: in C with libsugar (bench-step), and in PyTorch, eager and
compiled; forward, backward, SGD. Writes the table of doc/speed.md.

    step_torch.py BENCH_STEP [--widths N,N,...] [--batch N] [--rounds N] [--threads N,N,...]

Needs libsugar.torch. FGI is forward gradient injection (arXiv 2505.22074 and 2406.00177), which gets the surrogate's
gradient from PyTorch's operations. A cell is ms a step, and in brackets what that is above the same step without an
activation: the products of the two programs are those of different libraries."""
from __future__ import annotations

import argparse
import contextlib
import json
import operator
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import torch

import libsugar.torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bindings" / "python" / "tests"))
import torch_speed  # noqa: E402 (the line above says where it is)

SPEC = f"relu~bsilu(alpha={torch_speed.ALPHA})"
COLUMNS = ["none", "relu", "relu~bsilu", "relu~bsilu, monitored", "relu~bsilu, FGI"]


class Injected(torch.nn.Module):
    def forward(self, x):
        return torch_speed.injected(x)


class Program:
    """A layer in PyTorch, and the step that is timed."""

    def __init__(self, activation, width, batch, compiled, monitored):
        torch.manual_seed(0)
        self.model = torch.nn.Sequential(torch.nn.Linear(width, width), activation)
        self.watch = libsugar.torch.watch(self.model, live=False) if monitored else contextlib.nullcontext()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=1e-6)
        self.run = torch.compile(self.model) if compiled else self.model
        self.x, self.dy = torch.randn(batch, width).requires_grad_(), torch.randn(batch, width)

    def step(self):
        """Seconds."""
        start = time.perf_counter()
        self.x.grad = None
        self.optimizer.zero_grad()
        self.run(self.x).backward(self.dy)
        self.optimizer.step()
        return time.perf_counter() - start


def programs(width, batch, compiled):
    activations = {"none": torch.nn.Identity(), "relu": torch.nn.ReLU(),
                   "relu~bsilu": libsugar.torch.Activation(SPEC), "relu~bsilu, FGI": Injected()}
    if not compiled:        # the hooks of a watch end graphs
        activations["relu~bsilu, monitored"] = libsugar.torch.Activation(SPEC)
    return {name: Program(one, width, batch, compiled, "monitored" in name) for name, one in activations.items()}


def measure(made, rounds):
    """ms a step, and above the one without an activation in the same round; medians of rounds in turns, in which
    nobody always follows the same one."""
    found = {name: [] for name in made}
    order = list(made)
    for round in range(-3, rounds):         # the first ones compile
        for name in order:
            taken = made[name].step()
            if round >= 0:
                found[name].append(1e3 * taken)
        order.append(order.pop(0))
    return {name: (statistics.median(times), statistics.median(map(operator.sub, times, found["none"])))
            for name, times in found.items()}


def measure_c(program, width, batch, threads, rounds):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "step.json"
        subprocess.run([program, "--width", str(width), "--batch", str(batch), "--threads", str(threads),
                        "--rounds", str(rounds), "--json", str(path)], check=True, stdout=subprocess.DEVNULL)
        found = json.loads(path.read_text())
        return {r["way"]: (r["ms"], r["above_ms"]) for r in found["results"]}, found["products"]


def row(width, threads, name, found):
    cells = ["{:.2f} ({:.2f})".format(*found[column]) if column in found else "" for column in COLUMNS[1:]]
    print(f"| {width} | {threads} | {name} | {found['none'][0]:.2f} | {' | '.join(cells)} |", flush=True)


def numbers(text):
    return [int(number) for number in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description="a training step in C and in PyTorch")
    parser.add_argument("program", help="build/tests/bench/bench-step")
    parser.add_argument("--widths", type=numbers, default=[256, 512, 1024])
    parser.add_argument("--threads", type=numbers, default=[1, 2])
    parser.add_argument("--batch", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=31, help="an odd number")
    given = parser.parse_args()
    print(f"torch {torch.__version__}, batch {given.batch}; ms a step, in brackets above that without an activation\n")
    print(f"| width | threads | | {' | '.join(COLUMNS)} |\n|---|---|---|" + "---|" * len(COLUMNS))
    for threads in given.threads:
        torch.set_num_threads(threads)
        for width in given.widths:
            found, core = measure_c(given.program, width, given.batch, threads, given.rounds)
            row(width, threads, f"C, OpenBLAS for {core}", found)
            for compiled in (False, True):
                torch._dynamo.reset()
                row(width, threads, "PyTorch, compiled" if compiled else "PyTorch, eager",
                    measure(programs(width, given.batch, compiled), given.rounds))


if __name__ == "__main__":
    main()
