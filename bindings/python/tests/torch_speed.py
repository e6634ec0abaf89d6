"""What a training step of one activation takes in PyTorch, forward and backward, in turns:

    python3 torch_speed.py [--rounds N] [--no-compile]

nn.ReLU; relu~bsilu by libsugar.torch; the same as an autograd.Function that has the formula in PyTorch's operations;
and by forward gradient injection (FGI, arXiv 2505.22074 and 2406.00177), which gets the surrogate's gradient from
PyTorch. Each eager and compiled; 128 x 128 elements, 1 Mi (in cache) and 16 Mi (in memory); one thread and two.
Writes medians and the ratios to nn.ReLU in the same way, as the tables of doc/speed.md have them.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any, Callable

import torch

import libsugar.torch

ALPHA = 1.67
SIZES = {"128 x 128": (128, 128), "1 Mi": (1024, 1024), "16 Mi": (4096, 4096)}
Step = Callable[[torch.Tensor], torch.Tensor]
base: Any = torch.autograd.Function


class Formula(base):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x.relu()

    @staticmethod
    def backward(ctx: Any, dy: torch.Tensor) -> torch.Tensor:
        x: torch.Tensor = ctx.saved_tensors[0]
        s = x.sigmoid()
        return dy * (s + (x + ALPHA) * s * (1 - s))


def formula(x: torch.Tensor) -> torch.Tensor:
    made: torch.Tensor = Formula.apply(x)
    return made


def injected(x: torch.Tensor) -> torch.Tensor:
    s = x.sigmoid()
    h = x * (s + (x + ALPHA) * s * (1 - s)).detach()
    return h - h.detach() + x.relu().detach()


def ways(compiled: bool) -> dict[str, Step]:
    made: dict[str, Step] = {
        "nn.ReLU": torch.nn.ReLU(), "relu~bsilu, libsugar": libsugar.torch.Activation(f"relu~bsilu(alpha={ALPHA})"),
        "relu~bsilu, autograd.Function": formula, "relu~bsilu, FGI": injected}
    if compiled:
        return {name: torch.compile(one) for name, one in made.items()}
    return made


def seconds(step: Step, x: torch.Tensor, dy: torch.Tensor, repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        x.grad = None
        step(x).backward(dy)
    return (time.perf_counter() - start) / repeats


def measure(shape: tuple[int, ...], compiled: bool, rounds: int) -> dict[str, float]:
    """The median of each way's rounds, which take turns."""
    x, dy = torch.randn(shape).requires_grad_(), torch.randn(shape)
    steps = ways(compiled)
    repeats = max(1, 2**21 // x.numel())
    for step in steps.values():
        seconds(step, x, dy, 3)
    found: dict[str, list[float]] = {name: [] for name in steps}
    order = list(steps)
    for _ in range(rounds):
        for name in order:
            found[name].append(seconds(steps[name], x, dy, repeats))
        order.append(order.pop(0))      # nobody always follows the slowest one
    return {name: statistics.median(times) for name, times in found.items()}


def show(found: dict[str, float], elements: int, columns: list[str]) -> None:
    relu = found["nn.ReLU"]
    for name, median in found.items():
        time_of = f"{median * 1e6:.1f} us" if elements < 2**20 else f"{median * 1e9 / elements:.2f} ns"
        print(f"| {name} | {' | '.join(columns)} | {time_of} | {median / relu:.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="times of a training step, by nn.ReLU, libsugar and others")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--no-compile", action="store_true", help="eager alone")
    arguments = parser.parse_args()
    print(f"torch {torch.__version__}; us a step, or ns an element, and times nn.ReLU's\n")
    print("| | way | elements | threads | time | nn.ReLU's |\n|---|---|---|---|---|---|")
    for compiled in (False,) if arguments.no_compile else (False, True):
        for threads in (1, 2):
            torch.set_num_threads(threads)
            torch._dynamo.reset()
            for name, shape in SIZES.items():
                found = measure(shape, compiled, arguments.rounds)
                show(found, shape[0] * shape[1], ["compiled" if compiled else "eager", name, str(threads)])


if __name__ == "__main__":
    main()
