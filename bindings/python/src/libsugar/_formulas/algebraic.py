"""Algebraic kinds, and those made of others."""

from __future__ import annotations

import math
from typing import Any

from .common import FAR, below_zero, far, inverse_square
from .pieces import relu_value
from .sigmoids import tanh_derivative


def softsign_value(m: Any, x: Any) -> Any:
    c = far(m, x)
    return c / (1 + m.abs(c))


def softsign_derivative(m: Any, x: Any) -> Any:
    return inverse_square(m, x, 1.0)


def squareplus_root(m: Any, c: Any, b: Any) -> Any:
    """sqrt(c^2 + b), for |c| <= FAR"""
    return m.sqrt(c * c + b)


def squareplus_value(m: Any, x: Any, b: Any) -> Any:
    """For x < 0 (x + root) / 2 = b / (2 (root - x))."""
    c = m.distance(far(m, x))
    twice = squareplus_root(m, c, b) + c
    return m.where(m.abs(x) > FAR, relu_value(m, x), m.where(x < 0, b / (2 * twice), 0.5 * twice))


def squareplus_derivative(m: Any, x: Any, b: Any) -> Any:
    """For x < 0 (1 + x / root) / 2 = b / (2 root (root - x))."""
    c = m.distance(far(m, x))
    root = squareplus_root(m, c, b)
    near = m.where(x < 0, b / (2 * root) / (root + c), 0.5 + 0.5 * (c / root))
    return m.where(x < -FAR, 0.0, near)


def squareplus_parameter_derivative(m: Any, x: Any, b: Any) -> Any:
    return m.where(m.abs(x) > FAR, 0.0, 0.25 / squareplus_root(m, far(m, x), b))


def nelu_value(m: Any, x: Any, alpha: Any) -> Any:
    return m.where(x > 0, x, alpha * nelu_parameter_derivative(m, x, alpha))


def nelu_derivative(m: Any, x: Any, alpha: Any) -> Any:
    n = below_zero(m, far(m, x))
    t = 1 / (1 + n * n)
    return m.where(x > 0, 1.0, m.where(x < -FAR, 0.0, 2 * alpha * (n * t * t)))


def nelu_parameter_derivative(m: Any, x: Any, alpha: Any) -> Any:
    n = below_zero(m, far(m, x))
    return n * n / (1 + n * n)


def arctan_value(m: Any, x: Any) -> Any:
    return m.atan(x)


def arctan_derivative(m: Any, x: Any) -> Any:
    """1 / (1 + x^2) = w^2 / (w^2 + (1 - w)^2) with w = 1 / (1 + |x|): x^2 may overflow"""
    w = 1 / (1 + m.abs(x))
    return w * w / (w * w + (1 - w) * (1 - w))


def lisht_value(m: Any, x: Any) -> Any:
    return x * m.tanh(x)


def lisht_derivative(m: Any, x: Any) -> Any:
    return m.tanh(x) + far(m, x) * tanh_derivative(m, x)


def logcosh_value(m: Any, x: Any) -> Any:
    return m.abs(x) + (m.log1p(m.exp(-2 * m.abs(x))) - math.log(2))
