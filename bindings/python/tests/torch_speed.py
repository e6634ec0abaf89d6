"""What a training step of one activation takes in PyTorch, forward and backward, in ns per element, in turns:

    python3 torch_speed.py [MILLIONS OF ELEMENTS] [THREADS]

nn.ReLU; relu~bsilu by libsugar.torch; the same as an autograd.Function that has the formula in PyTorch's own
operations; and by forward gradient injection (FGI, arXiv 2406.00177), which gets the surrogate's gradient from PyTorch.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any, Callable

import torch

import libsugar
import libsugar.torch

ALPHA = 1.67
ROUNDS = 9


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


def injected(x: torch.Tensor) -> torch.Tensor:
    surrogate = (x + ALPHA) * x.sigmoid() - ALPHA / 2
    return surrogate - surrogate.detach() + x.relu().detach()


def step(activation: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor, dy: torch.Tensor) -> float:
    x.grad = None
    start = time.perf_counter()
    activation(x).backward(dy)
    seconds = time.perf_counter() - start
    return seconds * 1e9 / int(x.numel())


def main() -> None:
    elements = int(float(sys.argv[1]) * 2**20) if len(sys.argv) > 1 else 2**24
    threads = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    torch.set_num_threads(threads)
    libsugar.set_threads(threads)
    activations: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "nn.ReLU": torch.nn.ReLU(), "relu~bsilu": libsugar.torch.Activation(f"relu~bsilu(alpha={ALPHA})"),
        "the formula": Formula.apply, "FGI": injected}
    x = torch.randn(elements).requires_grad_()
    dy = torch.randn(elements)
    times: dict[str, list[float]] = {name: [] for name in activations}
    for _ in range(ROUNDS + 1):
        for name, activation in activations.items():
            times[name].append(step(activation, x, dy))
    relu = statistics.median(times["nn.ReLU"][1:])
    print(f"{elements} elements, {threads} threads, torch {torch.__version__}; ns an element, times nn.ReLU's")
    for name in activations:
        median = statistics.median(times[name][1:])
        print(f"  {name:12} {median:7.2f} {median / relu:6.2f}")


if __name__ == "__main__":
    main()
