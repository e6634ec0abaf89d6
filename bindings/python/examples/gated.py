"""What a gated unit takes, forward and backward, side by side: PyTorch's operations on the halves of a tensor,
libsugar's activation in their midst, and the unit in one pass.

    python3 bindings/python/examples/gated.py [--rounds N] [--threads N]

It needs PyTorch alone.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Callable

import torch
import torch.nn.functional as F

import libsugar.torch

Unit = Callable[[torch.Tensor], torch.Tensor]
SILU = libsugar.torch.Activation("silu")


def plain(h: torch.Tensor) -> torch.Tensor:
    first, second = h.chunk(2, -1)
    return F.silu(first) * second


def activated(h: torch.Tensor) -> torch.Tensor:
    first, second = h.chunk(2, -1)
    made: torch.Tensor = SILU(first) * second
    return made


UNITS: dict[str, Unit] = {"PyTorch": plain, "Activation": activated, "SwiGLU": libsugar.torch.SwiGLU()}


def measure(rows: int, width: int, rounds: int) -> dict[str, float]:
    """Microseconds a step, the median of each unit's rounds, which take turns."""
    h, dy = torch.randn(rows, 2 * width).requires_grad_(), torch.randn(rows, width)
    repeats = max(1, 2**18 // h.numel())
    found: dict[str, list[float]] = {name: [] for name in UNITS}
    names = list(UNITS)
    for _ in range(rounds + 3):
        for name in names:
            start = time.perf_counter()
            for _ in range(repeats):
                h.grad = None
                UNITS[name](h).backward(dy)
            found[name].append(1e6 * (time.perf_counter() - start) / repeats)
        names.append(names.pop(0))      # nobody always follows the same one
    return {name: statistics.median(times[3:]) for name, times in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="times of a gated unit, by PyTorch and by libsugar")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print("| rows x width | PyTorch, us | Activation, of it | SwiGLU, of it |\n|---|---|---|---|")
    for rows, width in ((32, 64), (256, 1024), (1024, 4096)):
        found = measure(rows, width, arguments.rounds)
        ratios = (f"{found[name] / found['PyTorch']:.2f}" for name in ("Activation", "SwiGLU"))
        print(f"| {rows} x {width} | {found['PyTorch']:.0f} | {' | '.join(ratios)} |", flush=True)


if __name__ == "__main__":
    main()
