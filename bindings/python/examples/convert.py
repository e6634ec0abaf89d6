"""Training of a network that dies with ReLU, as it is and converted; with a table of its units, and two reports.

    python3 bindings/python/examples/convert.py

It needs PyTorch alone, and writes plain.html and converted.html.
"""

from __future__ import annotations

import torch
from torch import nn

import libsugar.torch


class Network(nn.Module):
    """Written without a thought of libsugar. Its biases begin at -1, as some have them after a step that was too large:
    units that no input makes active can never learn again."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(*[layer for _ in range(4) for layer in (nn.Linear(32, 32), nn.ReLU())])
        self.out = nn.Linear(32, 1)
        for layer in self.layers[::2]:
            nn.init.constant_(layer.bias, -1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.out(self.layers(x))
        return made


def train(name: str, model: nn.Module) -> None:
    x = torch.randn(256, 32)
    target = x[:, :1].abs() - x[:, 1:2]
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    with libsugar.torch.watch(model, window=100) as seen:
        for _ in range(400):
            optimizer.zero_grad()
            loss = ((model(x) - target) ** 2).mean()
            loss.backward()
            optimizer.step()
    print(f"\n{name}: loss {loss.item():.3f}\n{seen.table()}")
    seen.report(f"{name}.html")


if __name__ == "__main__":
    for name in ("plain", "converted"):
        torch.manual_seed(1)
        model = Network()
        if name == "converted":
            print(libsugar.torch.convert(model, {"relu": "relu~bsilu"}))
        train(name, model)
