"""Training that differentiates gradients: a critic with a gradient penalty, and networks that solve a differential
equation. Each with PyTorch's activation and with libsugar's, step by step in turns; prints what a step takes, and what
both have learned.

    python3 bindings/python/examples/twice.py [--steps N] [--threads N]

It needs PyTorch alone.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from typing import Callable

import torch
from torch import nn

import libsugar.torch

Loss = Callable[[nn.Module], torch.Tensor]


def network(widths: list[int], activation: Callable[[], nn.Module]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [nn.Linear(inputs, outputs), activation()]
    return nn.Sequential(*layers[:-1])


def slope(y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """dy/dx for each row, differentiable again."""
    made: torch.Tensor = torch.autograd.grad(y.sum(), x, create_graph=True)[0]
    return made


def penalized(critic: nn.Module) -> torch.Tensor:
    """A critic that tells two clouds apart, with slopes of length 1 between them (arXiv 1704.00028)."""
    real, fake = torch.randn(256, 64) + 0.5, torch.randn(256, 64)
    between = torch.lerp(real, fake, torch.rand(256, 1)).requires_grad_()
    lengths = slope(critic(between), between).norm(dim=1)
    made: torch.Tensor = critic(fake).mean() - critic(real).mean() + 10 * ((lengths - 1) ** 2).mean()
    return made


def bent(u: nn.Module) -> torch.Tensor:
    """u'' = -pi^2 sin(pi x), u(0) = u(1) = 0, by the residual of the equation: third derivatives in each step."""
    x = torch.rand(1024, 1).requires_grad_()
    residual = slope(slope(u(x), x), x) + math.pi ** 2 * torch.sin(math.pi * x)
    return (residual ** 2).mean() + ends(u)


def stretched(u: nn.Module) -> torch.Tensor:
    """The same by the energy that the solution makes least, of u'^2/2 - f u (arXiv 1710.00211): second derivatives."""
    x = torch.rand(1024, 1).requires_grad_()
    y = u(x)
    return (slope(y, x) ** 2 / 2 - math.pi ** 2 * torch.sin(math.pi * x) * y).mean() + ends(u)


def ends(u: nn.Module) -> torch.Tensor:
    made: torch.Tensor = 100 * (u(torch.tensor([[0.0], [1.0]])) ** 2).mean()
    return made


def train(loss: Loss, models: dict[str, nn.Sequential], steps: int) -> dict[str, list[float]]:
    """What each step of each model took, in microseconds. All models get the same numbers."""
    optimizers = {name: torch.optim.Adam(model.parameters(), lr=1e-3) for name, model in models.items()}
    found: dict[str, list[float]] = {name: [] for name in models}
    names = list(models)
    for step in range(steps):
        for name in names:
            torch.manual_seed(step)
            start = time.perf_counter()
            optimizers[name].zero_grad()
            loss(models[name]).backward()
            optimizers[name].step()
            found[name].append(1e6 * (time.perf_counter() - start))
        names.append(names.pop(0))      # nobody always follows the other
    return found


def error(u: nn.Module) -> str:
    x = torch.linspace(0, 1, 101)[:, None]
    with torch.no_grad():
        return f"error {float((u(x) - torch.sin(math.pi * x)).abs().max()):.4f}"


def difference(critic: nn.Module) -> str:
    torch.manual_seed(1)
    real, fake = torch.randn(999, 64) + 0.5, torch.randn(999, 64)
    with torch.no_grad():
        return f"critic's difference {float((critic(real) - critic(fake)).mean()):.3f}"


PROBLEMS = {"gradient penalty, silu": (penalized, [64, 512, 512, 1], nn.SiLU, "silu", difference),
            "gradient penalty, gelu": (penalized, [64, 512, 512, 1], nn.GELU, "gelu", difference),
            "Poisson's equation by energy, tanh": (stretched, [1, 128, 128, 128, 1], nn.Tanh, "tanh", error),
            "Poisson's equation by residual, tanh": (bent, [1, 128, 128, 128, 1], nn.Tanh, "tanh", error)}


def main() -> None:
    parser = argparse.ArgumentParser(description="steps of training that differentiate gradients")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print("| | PyTorch's, us a step | libsugar's | of PyTorch's | learned |\n|---|---|---|---|---|")
    for name, (loss, widths, theirs, ours, learned) in PROBLEMS.items():
        models = {}
        for which, activation in (("theirs", theirs), ("ours", lambda: libsugar.torch.Activation(ours))):
            torch.manual_seed(1)
            models[which] = network(widths, activation)
        found = train(loss, models, arguments.steps)
        medians = {which: statistics.median(times[len(times) // 10:]) for which, times in found.items()}
        ratio = statistics.median(our / their for our, their in zip(found["ours"], found["theirs"]))
        results = " and ".join(dict.fromkeys(learned(model) for model in models.values()))
        print(f"| {name} | {medians['theirs']:.0f} | {medians['ours']:.0f} | {ratio:.2f} | {results} |", flush=True)


if __name__ == "__main__":
    main()
