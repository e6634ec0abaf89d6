"""What a gated unit takes, forward and backward, side by side: PyTorch's operations on the halves of a tensor,
libsugar's activation in their midst, and the unit in one pass. And what a layer with its activation takes, where the
bias is added by the layer, or with the activation.

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
Step = Callable[[], object]
SILU = libsugar.torch.Activation("silu")


def plain(h: torch.Tensor) -> torch.Tensor:
    first, second = h.chunk(2, -1)
    return F.silu(first) * second


def activated(h: torch.Tensor) -> torch.Tensor:
    first, second = h.chunk(2, -1)
    made: torch.Tensor = SILU(first) * second
    return made


UNITS: dict[str, Unit] = {"PyTorch": plain, "Activation": activated, "SwiGLU": libsugar.torch.SwiGLU()}


def measure(steps: dict[str, Step], repeats: int, rounds: int) -> dict[str, float]:
    """Microseconds a step, the median of each one's rounds, which take turns."""
    found: dict[str, list[float]] = {name: [] for name in steps}
    names = list(steps)
    for _ in range(rounds + 3):
        for name in names:
            start = time.perf_counter()
            for _ in range(repeats):
                steps[name]()
            found[name].append(1e6 * (time.perf_counter() - start) / repeats)
        names.append(names.pop(0))      # nobody always follows the same one
    return {name: statistics.median(times[3:]) for name, times in found.items()}


def units(rows: int, width: int) -> dict[str, Step]:
    h, dy = torch.randn(rows, 2 * width).requires_grad_(), torch.randn(rows, width)
    return {name: lambda unit=unit: unit(h).backward(dy) for name, unit in UNITS.items()}      # type: ignore[misc]


def layers(rows: int, inputs: int, outputs: int) -> dict[str, Step]:
    x, layer, dy = torch.randn(rows, inputs), torch.nn.Linear(inputs, outputs), torch.randn(rows, outputs)
    return {"PyTorch": lambda: F.silu(layer(x)).backward(dy), "Activation": lambda: SILU(layer(x)).backward(dy),
            "biased": lambda: libsugar.torch.biased(F.linear(x, layer.weight), layer.bias, "silu").backward(dy)}


def show(what: str, found: dict[str, float]) -> None:
    first, *others = found.values()
    print(f"| {what} | {first:.0f} | {' | '.join(f'{one / first:.2f}' for one in others)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="times of gated units and biases, by PyTorch and by libsugar")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print("| rows x width | PyTorch's, us | Activation, of it | SwiGLU, of it |\n|---|---|---|---|")
    for rows, width in ((32, 64), (256, 1024), (1024, 4096)):
        show(f"{rows} x {width}", measure(units(rows, width), max(1, 2**18 // (rows * width)), arguments.rounds))
    print("\n| rows, layer | PyTorch's, us | Activation, of it | biased, of it |\n|---|---|---|---|")
    for rows, inputs, outputs in ((64, 128, 128), (2048, 64, 256), (256, 512, 512)):
        found = measure(layers(rows, inputs, outputs), max(1, 2**17 // (rows * outputs)), arguments.rounds)
        show(f"{rows}, {inputs} to {outputs}", found)


if __name__ == "__main__":
    main()
