"""Activations for PyTorch: eager, compiled, exported, under torch.func, on every device.

    import libsugar.torch

    model = torch.nn.Sequential(torch.nn.Linear(8, 16), libsugar.torch.Activation("relu~bsilu"), ...)
    y = libsugar.torch.activation(x, "relu~bsilu")
"""

from ._function import activation
from ._modules import Activation, BSiLU, NeLU, ReluNelu, Sugar
from ._surgery import Report, convert, restore

__all__ = ["Activation", "BSiLU", "NeLU", "ReluNelu", "Report", "Sugar", "activation", "convert", "restore"]
