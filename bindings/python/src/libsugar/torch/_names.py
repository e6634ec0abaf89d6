"""PyTorch's activations by the specs that compute them."""

from __future__ import annotations

from typing import Any, Callable

from torch import nn

# For each class of torch.nn its spec, from its attributes.
MODULES: dict[type[nn.Module], Callable[[Any], str | None]] = {
    nn.Identity: lambda made: "identity",
    nn.ReLU: lambda made: "relu",
    nn.ReLU6: lambda made: "relu6",
    nn.Threshold: lambda made: f"threshold(threshold={float(made.threshold)}, value={float(made.value)})",
    nn.LeakyReLU: lambda made: f"leaky_relu(negative_slope={float(made.negative_slope)})",
    nn.RReLU: lambda made: f"rrelu(lower={float(made.lower)}, upper={float(made.upper)})",
    nn.ELU: lambda made: f"elu(alpha={float(made.alpha)})",
    nn.CELU: lambda made: f"celu(alpha={float(made.alpha)})",
    nn.SELU: lambda made: "selu",
    nn.GELU: lambda made: "gelu_tanh" if made.approximate == "tanh" else "gelu",
    nn.SiLU: lambda made: "silu",
    nn.Mish: lambda made: "mish",
    nn.Softplus: lambda made: f"softplus(beta={float(made.beta)})",
    nn.Softsign: lambda made: "softsign",
    nn.Sigmoid: lambda made: "sigmoid",
    nn.LogSigmoid: lambda made: "log_sigmoid",
    nn.Tanh: lambda made: "tanh",
    nn.Tanhshrink: lambda made: "tanhshrink",
    nn.Softshrink: lambda made: f"softshrink(lambda={float(made.lambd)})",
    nn.Hardshrink: lambda made: f"hardshrink(lambda={float(made.lambd)})",
    nn.Hardtanh: lambda made: f"hardtanh(min_val={float(made.min_val)}, max_val={float(made.max_val)})",
    nn.Hardsigmoid: lambda made: "hardsigmoid",
    nn.Hardswish: lambda made: "hardswish",
}


def spec_of(module: nn.Module) -> str | None:
    """The spec that computes what a module of torch.nn does; None if there is none."""
    found = MODULES.get(type(module))
    return found(module) if found else None
