"""Activations of a sum, and activations that are multiplied: f(x + bias) gate, in one pass over memory each way.

In eager mode on the CPU that is one call of the C library in each direction. Every other way has operations of their
own, which a compiler fuses: `composed`.
"""

from __future__ import annotations

from typing import Any, Optional

import torch
from torch.autograd import forward_ad

from . import _library as library
from ._function import LAYOUTS, apply, derivative, is_compiling, is_tracing, memory_of_gradient
from ._operations import TYPES, Described, described

torch.fx.wrap("fused")      # leaves for torch.fx, which cannot follow them
torch.fx.wrap("fused_halves")

base: Any = torch.autograd.Function
Given = Optional[torch.Tensor]
HALVES = ("first", "second")
OPERAND = "a tensor of float16, bfloat16, float32 or float64"


def biased(x: torch.Tensor, bias: torch.Tensor, spec: str, *, training: bool | None = None,
           level: str | None = None) -> torch.Tensor:
    """f(x + bias). The bias broadcasts to x. One of another dtype than that of x is taken as float32, or as float64
    where x is; its gradient has its own dtype. The sum is not rounded to float16 or bfloat16. The gradient of the bias
    is summed in the same pass that makes that of x. The rest as in `activation`."""
    return fused(x, given("bias", bias), None, spec, training, level)


def gated(x: torch.Tensor, gate: torch.Tensor, spec: str, *, bias: torch.Tensor | None = None,
          training: bool | None = None, level: str | None = None) -> torch.Tensor:
    """f(x) * gate, or f(x + bias) * gate. The gate has the dtype of x, and broadcasts to it. Nothing is copied, so x
    and gate may be the halves of one tensor. The rest as in `activation`."""
    return fused(x, bias, given("gate", gate), spec, training, level)


def given(name: str, one: Given) -> torch.Tensor:
    """An operand that is not optional; the rest of it `check` looks at."""
    if one is None:
        raise TypeError(f"{name}: None, expected {OPERAND}")
    return one


def fused(x: torch.Tensor, bias: Given, gate: Given, spec: str, training: bool | None,
          level: str | None) -> torch.Tensor:
    check(given("x", x), bias, gate)
    if gate is not None and gate.shape != x.shape:
        gate = gate.expand(x.shape)
    if in_c(spec, training, level, x, bias, gate):
        known = described(spec, level)
        x, bias, gate = (None if one is None else library.readable(one) for one in (x, bias, gate))
        if bias is not None and bias.dtype != x.dtype:
            bias = bias.to(computed_in(x))
        if torch.is_grad_enabled():
            made: torch.Tensor = apply_fused_in_c(known, x, bias, gate)
            return made
        return library.forward_fused(known, x, bias, gate)
    return composed(x, bias, gate, spec, training, level)


def fused_halves(x: torch.Tensor, dim: int, activated: str, spec: str, training: bool | None,
                 level: str | None) -> torch.Tensor:
    """The activation of one half of x, along dim, times the other."""
    given("x", x)
    if torch.is_grad_enabled() and in_c(spec, training, level, x):
        made: torch.Tensor = apply_halves_in_c(described(spec, level), library.readable(x), dim, activated)
        return made
    check(x, None, None)
    first, second = halves(x, dim, activated)
    return fused(first, None, second, spec, training, level)


def halves(x: torch.Tensor, dim: int, activated: str) -> tuple[torch.Tensor, torch.Tensor]:
    """What the activation is of, and what multiplies it: views."""
    if not -x.dim() <= dim < x.dim() or x.shape[dim] % 2:
        raise ValueError(f"x: shape {tuple(x.shape)}, expected an even extent in dimension {dim}")
    first, second = x.chunk(2, dim) if x.shape[dim] else (x, x)
    return (first, second) if activated == "first" else (second, first)


def check(x: torch.Tensor, bias: Given, gate: Given) -> None:
    for name, one in (("x", x), ("bias", bias), ("gate", gate)):
        if one is None:
            continue
        if not isinstance(one, torch.Tensor) or one.dtype not in TYPES or one.layout not in LAYOUTS:
            found = f"dtype {one.dtype}, {one.layout}" if isinstance(one, torch.Tensor) else type(one).__name__
            raise TypeError(f"{name}: {found}, expected {OPERAND}")
        if name != "x" and not broadcasts(one, x):
            raise ValueError(f"{name}: shape {tuple(one.shape)}, expected {tuple(x.shape)} like x, or 1 in any "
                             "dimension")
    if gate is not None and gate.dtype != x.dtype:
        raise TypeError(f"gate: dtype {gate.dtype}, expected {x.dtype} like x")


def broadcasts(one: torch.Tensor, x: torch.Tensor) -> bool:
    extents = x.shape[x.dim() - one.dim():]
    return one.dim() <= x.dim() and all(mine in (1, other) for mine, other in zip(one.shape, extents))


def in_c(spec: str, training: bool | None, level: str | None, *operands: Given) -> bool:
    """Whether this is a call for the C library."""
    if is_compiling() or is_tracing() or forward_ad._current_level >= 0:
        return False
    if any(one is not None and library.readable(one) is None for one in operands):
        return False
    return not (training and described(spec, level).draws)


def composed(x: torch.Tensor, bias: Given, gate: Given, spec: str, training: bool | None,
             level: str | None) -> torch.Tensor:
    """In operations of their own; of narrow types in float32, as in C."""
    y = apply(shifted(x, bias), spec, None, None, training, "input", None, level)
    return (y if gate is None else y * gate.to(y.dtype)).to(x.dtype)


def computed_in(x: torch.Tensor) -> torch.dtype:
    return torch.float64 if x.dtype == torch.float64 else torch.float32


def shifted(x: torch.Tensor, bias: Given) -> torch.Tensor:
    """x + bias, in the type that is computed in."""
    wide = computed_in(x)
    return x.to(wide) if bias is None else x.to(wide) + bias.to(wide)


class FusedInC(base):
    """In the C library."""

    @staticmethod
    def forward(ctx: Any, known: Described, x: torch.Tensor, bias: Given, gate: Given) -> torch.Tensor:
        ctx.save_for_backward(x, bias, gate)
        ctx.known = known
        return library.forward_fused(known, x, bias, gate)

    @staticmethod
    def backward(ctx: Any, dy: torch.Tensor) -> tuple[Given, ...]:
        x, bias, gate = ctx.saved_tensors
        wanted = ctx.needs_input_grad[1:]
        memory = memory_of_gradient(dy, x)
        if memory is None or torch.is_grad_enabled() or not unchanged(bias, gate):
            return (None, *gradients(ctx.known, x, bias, gate, dy, wanted))
        dx = torch.empty_like(x)
        dbias, dgate = (torch.empty_like(one) if want else None for one, want in zip((bias, gate), wanted[1:]))
        library.backward_fused(ctx.known, x, memory, dx, bias=bias, gate=gate, bias_gradient=dbias,
                               gate_gradient=dgate)
        return None, dx, dbias, dgate


class HalvesInC(base):
    """The same of the halves of one tensor. Their gradients are the halves of its gradient: none is copied."""

    @staticmethod
    def forward(ctx: Any, known: Described, x: torch.Tensor, dim: int, activated: str) -> torch.Tensor:
        ctx.save_for_backward(x)
        ctx.known, ctx.dim, ctx.activated = known, dim, activated
        first, second = halves(x, dim, activated)
        return library.forward_fused(known, first, None, second)

    @staticmethod
    def backward(ctx: Any, dy: torch.Tensor) -> tuple[Given, ...]:
        (x,) = ctx.saved_tensors
        first, second = halves(x, ctx.dim, ctx.activated)
        memory = memory_of_gradient(dy, first)
        if memory is None or torch.is_grad_enabled():
            dfirst, _, dsecond = gradients(ctx.known, first, None, second, dy, (True, False, True))
            parts = (dfirst, dsecond) if ctx.activated == "first" else (dsecond, dfirst)
            return None, torch.cat(parts, ctx.dim), None, None
        dx = torch.empty_like(x)
        dfirst, dsecond = halves(dx, ctx.dim, ctx.activated)
        library.backward_fused(ctx.known, first, memory, dfirst, gate=second, gate_gradient=dsecond)
        return None, dx, None, None


# Without the search for torch.func, as apply_in_c.
apply_fused_in_c = super(torch.autograd.Function, FusedInC).apply
apply_halves_in_c = super(torch.autograd.Function, HalvesInC).apply


def unchanged(*saved: Given) -> bool:
    """Whether what forward saved can be read as it is; hooks for saved tensors may have made it something else."""
    return all(one is None or library.readable(one) is one for one in saved)


def gradients(known: Described, x: torch.Tensor, bias: Given, gate: Given, dy: torch.Tensor,
              wanted: tuple[bool, ...]) -> tuple[Given, Given, Given]:
    """Those of x, bias and gate, which can be differentiated again."""
    made = shifted(x, bias)
    wide = dy.to(made.dtype)
    dx = dbias = dgate = None
    if wanted[0] or wanted[1]:
        through = derivative(known, made, wide if gate is None else wide * gate.to(made.dtype))
        dx = through.to(x.dtype)
        if bias is not None and wanted[1]:
            dbias = through.sum_to_size(bias.shape).to(bias.dtype)
    if gate is not None and wanted[2]:
        y = apply(made, known.spec, None, None, None, "input", None, known.level)
        dgate = (wide * y).to(gate.dtype)
    return dx, dbias, dgate
