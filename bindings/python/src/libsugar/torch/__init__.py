"""Activations for PyTorch: eager, compiled, exported, under torch.func, on every device.

    import libsugar.torch

    model = torch.nn.Sequential(torch.nn.Linear(8, 16), libsugar.torch.Activation("relu~bsilu"), ...)
    y = libsugar.torch.activation(x, "relu~bsilu")
"""

from .._tables import tabulated
from ._function import activation
from ._fused import biased, gated
from ._modules import GEGLU, Activation, BSiLU, GatedLinearUnit, NeLU, ReGLU, ReluNelu, Sugar, SwiGLU
from ._record import Record
from ._surgery import Report, convert, restore
from ._watch import Watch, watch

__all__ = ["Activation", "BSiLU", "GEGLU", "GatedLinearUnit", "NeLU", "ReGLU", "Record", "ReluNelu", "Report", "Sugar",
           "SwiGLU", "Watch", "activation", "biased", "convert", "gated", "restore",
           "tabulated", "watch"]
