"""What one activation computes, from the formulas of its kinds."""

from __future__ import annotations

import functools
import math
from typing import Any, Callable, Sequence

from .._catalogue import Function, Info, catalogue
from .kinds import formulas


class Composed:
    """What one activation computes, from the formulas of its kinds. A `parameter` is used in place of the forward
    function's own; rrelu's is the slope that was drawn.

    round    a number to the type that is computed in
    table    the rows of the kind `table`
    """

    def __init__(self, info: Info, round: Callable[[float], Any] = float,
                 table: Sequence[Sequence[float]] | None = None) -> None:
        rows = None if table is None else [[round(number) for number in row] for row in table]
        self.own = formulas(info.forward.kind, rows)
        self.learned = formulas("leaky_relu") if info.forward.kind == "rrelu" else self.own
        self.numbers = rounded(info.forward, round)
        self.surrogate = None if info.surrogate is None else formulas(info.surrogate.kind, rows)
        self.surrogate_numbers = () if info.surrogate is None else rounded(info.surrogate, round)
        self.blend = info.blend
        self.negative = info.domain == "negative"
        spike = info.surrogate is not None and info.surrogate.kind.endswith("_spike")
        self.shift = self.numbers[0] if spike and info.forward.kind == "heaviside" else 0.0
        self.limits = limits(info.forward.kind)

    def value(self, m: Any, x: Any, parameter: Any = None) -> Any:
        """f(x)"""
        formula = self.own.value if parameter is None else self.learned.value
        assert formula is not None      # surrogates that have none do not stand before a ~
        return formula(m, x, *self.given(m, parameter))

    def derivative(self, m: Any, x: Any, parameter: Any = None, blend: Any = None) -> Any:
        """g'(x), what the backward pass multiplies by; `blend` is used in place of the spec's."""
        blend = self.blend if blend is None else blend
        if self.surrogate is None:
            return self.own_derivative(m, x, parameter)
        made = self.surrogate.derivative(m, x - self.shift if self.shift else x, *self.surrogate_numbers)
        if not isinstance(blend, float) or blend != 1:
            made = mixed(m, blend, made, self.own_derivative(m, x, parameter))
        return m.where(x > 0, self.own_derivative(m, x, parameter), made) if self.negative else made

    def second(self, m: Any, x: Any) -> Any:
        """g''(x), of functions and surrogates whose formula there is and which stand alone; else None"""
        if self.surrogate is None:
            return self.own.second and self.own.second(m, x, *self.numbers)
        alone = self.blend == 1 and not self.negative and not self.shift
        return self.surrogate.second(m, x, *self.surrogate_numbers) if self.surrogate.second and alone else None

    def own_derivative(self, m: Any, x: Any, parameter: Any) -> Any:
        """f'(x)"""
        formula = self.own.derivative if parameter is None else self.learned.derivative
        return formula(m, x, *self.given(m, parameter))

    def parameter_derivative(self, m: Any, x: Any, parameter: Any) -> Any:
        """df/dparameter"""
        assert self.own.parameter_derivative is not None
        return self.own.parameter_derivative(m, x, *self.given(m, parameter))

    def given(self, m: Any, parameter: Any) -> tuple[Any, ...]:
        """The numbers of the spec, or the parameter: NaN where it is out of its range, as what a graph computes cannot
        raise."""
        if parameter is None or self.limits is None:
            return self.numbers if parameter is None else (parameter,)
        low, high = self.limits
        return (m.where((parameter >= low) & (parameter <= high), parameter, math.nan),)


def mixed(m: Any, blend: Any, surrogate: Any, own: Any) -> Any:
    """blend * surrogate + (1 - blend) * own. A share of 0 of relu_squared's infinite derivative is 0."""
    mixture = blend * surrogate + (1 - blend) * own
    if isinstance(blend, float):
        return own if blend == 0 else mixture
    return m.where(blend == 1, surrogate, m.where(blend == 0, own, mixture))


@functools.lru_cache(maxsize=None)
def limits(kind: str) -> tuple[float, float] | None:
    """The range of the parameter that can be learned; None: there is none."""
    for found in catalogue():
        if found.name == kind:
            return next(((one.minimum, one.maximum) for one in found.parameters if one.learnable), None)
    return None


def rounded(function: Function, round: Callable[[float], Any]) -> tuple[float, ...]:
    return tuple(round(value) for value in function.parameters.values())
