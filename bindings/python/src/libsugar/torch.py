"""Activations for PyTorch, on the CPU: a module, and a function with a gradient. Tensors are not copied.

    import libsugar.torch

    model = torch.nn.Sequential(torch.nn.Linear(8, 16), libsugar.torch.Activation("relu~bsilu"), ...)
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from . import _activation
from ._context import Context
from ._monitor import Monitor

Options = dict[str, Any]


class Function(torch.autograd.Function):
    """forward and backward of an activation, from x or from what is saved of its derivative."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, activation: _activation.Activation, save: str, monitor: Monitor | None,
                options: Options) -> torch.Tensor:
        ctx.activation, ctx.save, ctx.options = activation, save, options
        x = x.detach()
        if save == "input" or not ctx.needs_input_grad[0]:
            ctx.save_for_backward(x)
            return activation.forward(x, monitor=monitor, **options) if monitor or options else activation.forward(x)
        shape = x.shape if save == "byte" else ((x.numel() + 7) // 8,)
        saved = torch.empty(shape, dtype=torch.uint8)
        ctx.save_for_backward(saved)
        return activation.forward(x, monitor=monitor, saved_gradient=saved, saved_bits=8 if save == "byte" else 1,
                                  **options)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (saved,) = ctx.saved_tensors
        activation, options = ctx.activation, ctx.options
        if ctx.save == "input":
            dx = activation.backward(saved, dy, **options) if options else activation.backward(saved, dy)
        else:
            dx = activation.backward(None, dy, saved_gradient=saved, saved_bits=8 if ctx.save == "byte" else 1,
                                     **options)
        return dx, None, None, None, None


class Activation(torch.nn.Module):
    """An activation as a module.

    spec       such as "relu~bsilu(alpha=1.67)"
    level      the instruction set; None: the best
    save       what backward is computed from: "input", the module's input; "byte" or "bit", the derivative in
               one byte or one bit for each element, which takes less memory (see the header on saved_gradient)
    threads, context    of each call; neither: what libsugar.set_threads said
    monitor    counts the inputs in passing; may be set and removed as the attribute of that name
    """

    def __init__(self, spec: str, level: str | None = None, save: str = "input", threads: int | None = None,
                 context: Context | None = None, monitor: Monitor | None = None) -> None:
        super().__init__()
        if save not in ("input", "byte", "bit"):
            raise ValueError(f"save: '{save}', expected 'input', 'byte' or 'bit'")
        self.activation = _activation.Activation(spec, level)
        self.save = save
        self.monitor = monitor
        self.options: Options = {key: value for key, value in (("threads", threads), ("context", context))
                                 if value is not None}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = Function.apply(x, self.activation, self.save, self.monitor, self.options)
        return made

    def extra_repr(self) -> str:
        return f'"{self.activation.spec}"' + ("" if self.save == "input" else f', save="{self.save}"')
