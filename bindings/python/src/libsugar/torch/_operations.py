"""PyTorch's operations as libsugar._formulas takes them, and the formulas of an activation for a type of elements."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch
from torch.autograd import forward_ad

from .._activation import Activation
from .._catalogue import Function
from .._formulas import Composed
from .._tables import DIGEST, table_of

TYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


class Operations:
    """Those on arrays of one type and device."""

    def __init__(self, dtype: torch.dtype, device: torch.device) -> None:
        self.dtype, self.device = dtype, device

    def where(self, condition: torch.Tensor, a: Any, b: Any) -> torch.Tensor:
        if not isinstance(a, torch.Tensor) and not isinstance(b, torch.Tensor):
            # Of two numbers PyTorch would make its default type.
            a = torch.scalar_tensor(a, dtype=self.dtype, device=self.device)
        return torch.where(condition, a, b)

    def distance(self, x: torch.Tensor) -> torch.Tensor:
        """abs is faster in graphs, but its derivative at 0 is 0."""
        differentiated = (x.requires_grad and torch.is_grad_enabled() or forward_ad._current_level >= 0
                          or torch._C._are_functorch_transforms_active())
        return torch.where(x < 0, -x, x) if differentiated else torch.abs(x)

    def piece(self, x: torch.Tensor, knots: tuple[float, ...],
              coefficients: tuple[tuple[float, ...], ...]) -> list[torch.Tensor]:
        """The coefficients at each x: those of column i from knot i - 1 on."""
        def constant(numbers: tuple[float, ...]) -> torch.Tensor:
            return torch.tensor(numbers, dtype=self.dtype, device=self.device)

        found = torch.bucketize(x, constant(knots), right=True).reshape(-1)
        # Not constant(row)[found]: a number as index would be a read of it, which vmap refuses.
        return [constant(row).index_select(0, found).view(x.shape) for row in coefficients]

    exp = staticmethod(torch.exp)
    expm1 = staticmethod(torch.expm1)
    log1p = staticmethod(torch.log1p)
    sqrt = staticmethod(torch.sqrt)
    tanh = staticmethod(torch.tanh)
    sin = staticmethod(torch.sin)
    cos = staticmethod(torch.cos)
    atan = staticmethod(torch.atan)
    abs = staticmethod(torch.abs)
    clip = staticmethod(torch.clamp)
    sigmoid = staticmethod(torch.sigmoid)
    erfc = staticmethod(torch.special.erfc)


class Described:
    """What calls need to know of an activation, looked up once."""

    def __init__(self, spec: str, level: str | None) -> None:
        self.spec, self.level = spec, level
        table = table_of(spec) if isinstance(spec, str) else None      # what else it is Activation refuses
        self.activation = Activation(spec, level, table)
        self.address = self.activation._address
        self.info = self.activation.info
        self.own_parameters = tuple(self.info.forward.parameters.values())
        self.draws = "draw" in self.info.capabilities
        self.learns = "learn" in self.info.capabilities
        self.orders = 2 if "differentiate_twice" in self.info.capabilities else 1     # of derivatives in C
        self.exact = Composed(self.info, table=table)
        self.single = Composed(self.info, lambda value: float(np.float32(value)), table)


# Specs come from programs, not from data: there are few, but a schedule of `blend` makes one for each of its values.
described = functools.lru_cache(maxsize=1024)(Described)


@functools.lru_cache(maxsize=1024)
def with_blend(spec: str, blend: float) -> str:
    """A spec with another share of the surrogate."""
    info = described(spec, None).info
    if info.surrogate is None:
        raise ValueError(f"blend: {blend}, expected nothing: {spec} has no surrogate")
    forward, surrogate = (own_options(one, spec) for one in (info.forward, info.surrogate))
    options = {**surrogate, "domain": info.domain, "blend": blend}
    return described(f"{spelled(info.forward.kind, forward)}~{spelled(info.surrogate.kind, options)}", None).info.spec


def own_options(function: Function, spec: str) -> dict[str, Any]:
    """What stands in brackets behind a function: its parameters, or the digest of its table."""
    digest = DIGEST.search(spec)
    return {"digest": digest[1]} if digest and function.kind == "table" else function.parameters


def spelled(kind: str, options: dict[str, Any]) -> str:
    return f"{kind}({', '.join(f'{name}={value}' for name, value in options.items())})" if options else kind


class Ready:
    """x in the type that is computed in, float32 for narrow types, and the formulas for that type."""

    def __init__(self, spec: str, x: torch.Tensor) -> None:
        found = described(spec, None)
        self.dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
        self.composed = found.exact if self.dtype == torch.float64 else found.single
        self.m = Operations(self.dtype, x.device)
        self.x = x.to(self.dtype)

    def wide(self, operand: torch.Tensor | None) -> torch.Tensor | None:
        return None if operand is None else operand.to(self.dtype)

    def value(self, parameter: torch.Tensor | None) -> torch.Tensor:
        made: torch.Tensor = self.composed.value(self.m, self.x, self.wide(parameter))
        return made

    def derivative(self, parameter: torch.Tensor | None, blend: torch.Tensor | None) -> torch.Tensor:
        made: torch.Tensor = self.composed.derivative(self.m, self.x, self.wide(parameter), self.wide(blend))
        return made

    def second(self) -> torch.Tensor | None:
        made: torch.Tensor | None = self.composed.second(self.m, self.x)
        return made

    def parameter_derivative(self, parameter: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.composed.parameter_derivative(self.m, self.x, self.wide(parameter))
        return made
