"""Periodic kinds."""

from __future__ import annotations

import math
from typing import Any

from .common import FAR, constant


def product_lost(m: Any, a: Any, b: Any, product: Any) -> Any:
    """a b - product, what the product's rounding lost (Dekker, by Veltkamp's splitting)."""
    splitter = 2.0**27 + 1 if str(b.dtype).endswith("64") else 2.0**12 + 1
    a_high, b_high = splitter * a - (splitter * a - a), splitter * b - (splitter * b - b)
    a_low, b_low = a - a_high, b - b_high
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def sine_and_cosine(m: Any, x: Any, factor: float) -> Any:
    """Those of factor x; 0 where the product is infinite. The digits that it loses count where it is large."""
    inside = m.abs(factor * x) < math.inf
    scale = m.where(m.abs(x) > FAR, 1 / FAR, 1.0)
    y = factor * m.where(inside, x, 0.0)
    s, c = m.sin(y), m.cos(y)
    if factor != 1:
        small = scale * m.where(inside, x, 0.0)
        lost = product_lost(m, constant(m, small, factor), small, factor * small) / scale
        s, c = s * m.cos(lost) + c * m.sin(lost), c * m.cos(lost) - s * m.sin(lost)
    nothing = constant(m, x, 0.0)
    return m.where(inside, s, nothing), m.where(inside, c, nothing)


def sin_value(m: Any, x: Any, omega: float) -> Any:
    return sine_and_cosine(m, x, omega)[0]


def sin_derivative(m: Any, x: Any, omega: float) -> Any:
    return omega * sine_and_cosine(m, x, omega)[1]


def sin_second(m: Any, x: Any, omega: float) -> Any:
    return -(omega * omega) * sine_and_cosine(m, x, omega)[0]


def snake_value(m: Any, x: Any, alpha: float) -> Any:
    sine = sine_and_cosine(m, x, alpha)[0]
    return x + sine * sine / alpha


def snake_derivative(m: Any, x: Any, alpha: float) -> Any:
    """1 + sin(2 alpha x), of twice as large an x"""
    s, c = sine_and_cosine(m, x, alpha)
    return 1 + 2 * s * c
