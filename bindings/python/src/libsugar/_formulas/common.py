"""What the formulas of several families are built of."""

from __future__ import annotations

import math
from typing import Any, Callable, NamedTuple, Optional

Formula = Callable[..., Any]

FAR = 2.0**60       # beyond it every function is linear, as far as its digits go, as in lib/kernels/kinds/common.h


class Formulas(NamedTuple):
    """value is None for a kind that is a surrogate only, parameter_derivative, df/dparameter, for one that cannot be
    learned. second, of the kinds that networks for differential equations use, saves third derivatives half of their
    time; a framework makes the others from derivative."""

    value: Optional[Formula]
    derivative: Formula
    parameter_derivative: Optional[Formula] = None
    second: Optional[Formula] = None


def far(m: Any, x: Any) -> Any:
    return m.clip(x, -FAR, FAR)


def zero_far(m: Any, x: Any, value: Any) -> Any:
    """value, made of far(m, x), with the limit 0 at infinities."""
    return m.where(m.abs(x) > FAR, 0.0, value)


def below_zero(m: Any, x: Any) -> Any:
    """min(x, 0), with the derivative 1 at 0."""
    return m.where(x > 0, 0.0, x)


def below_zero_flat(m: Any, x: Any) -> Any:
    """The same, with the derivative 0 at 0."""
    return m.where(x >= 0, 0.0, x)


def logistic(m: Any, y: Any) -> Any:
    """s(y) and its derivative s(y) s(-y), both from one exp, and to their last digits, as with 1 - s(y) they would not
    be. y may be infinite. (exp of anything but -|y| took inductor up to three times as long.)"""
    e = m.exp(-m.distance(y))
    larger = 1 / (1 + e)
    smaller = e * larger
    return m.where(y < 0, smaller, larger), larger * smaller


def scaled(m: Any, x: Any, factor: Any) -> Any:
    """factor x; bounded if it may be differentiated by the factor."""
    return factor * (x if isinstance(factor, float) else far(m, x))


def constant(m: Any, x: Any, value: Any) -> Any:
    """A value for all x but NaN."""
    return m.where(x == x, value, x)


def density(m: Any, x: Any, sigma: Any) -> Any:
    """The normal density; it is 0 at 40 sigma, in float64 too."""
    z = m.clip(x / sigma, -40.0, 40.0)
    return (1 / (math.sqrt(2 * math.pi) * sigma)) * m.exp(-0.5 * z * z)


def inverse_square(m: Any, x: Any, slope: Any) -> Any:
    t = 1 / (1 + slope * m.abs(x))
    return t * t
