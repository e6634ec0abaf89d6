"""Kinds that are x times a gate."""

from __future__ import annotations

import math
from typing import Any

from .common import FAR, density, far, logistic, scaled


def gelu_value(m: Any, x: Any) -> Any:
    """Phi is 0 below -40, in float64 too."""
    c = m.clip(x, -40.0, math.inf)
    return c * (0.5 * m.erfc(-math.sqrt(0.5) * c))


def gelu_derivative(m: Any, x: Any) -> Any:
    c = m.clip(x, -40.0, 40.0)
    return 0.5 * m.erfc(-math.sqrt(0.5) * c) + c * density(m, c, 1.0)


def gelu_second(m: Any, x: Any) -> Any:
    c = m.clip(x, -40.0, 40.0)
    return (2 - c * c) * density(m, c, 1.0)


GELU_TANH_A = 2 * math.sqrt(2 / math.pi)
GELU_TANH_B = 0.044715 * GELU_TANH_A


def gelu_tanh_value(m: Any, x: Any) -> Any:
    """x s(2 u), 2 u = x (A + B x^2)"""
    low = m.clip(x, -40.0, math.inf)
    c = m.clip(low, -40.0, 40.0)
    return low * m.sigmoid(c * (GELU_TANH_A + GELU_TANH_B * c * c))


def gelu_tanh_derivative(m: Any, x: Any) -> Any:
    c = m.clip(x, -40.0, 40.0)
    return gate_derivative(m, c * (GELU_TANH_A + GELU_TANH_B * c * c), c * (GELU_TANH_A + 3 * GELU_TANH_B * c * c))


def gate_derivative(m: Any, y: Any, z: Any) -> Any:
    """s(y) + z s(y) s(-y), the derivative of x s(y) with z = x y', which is finite."""
    s, derivative = logistic(m, y)
    return s + z * derivative


def gate_second(m: Any, y: Any, z: Any) -> Any:
    """s(y) s(-y) (2 + z (1 - 2 s(y))), the derivative of gate_derivative by y with z' = 1"""
    s, other = m.sigmoid(y), m.sigmoid(-y)
    return s * other * (2 + z * (other - s))


def silu_value(m: Any, x: Any, beta: Any) -> Any:
    c = far(m, x)
    return m.where(x > FAR, x, c * m.sigmoid(scaled(m, x, beta)))


def silu_derivative(m: Any, x: Any, beta: Any) -> Any:
    return gate_derivative(m, scaled(m, x, beta), beta * far(m, x))


def silu_second(m: Any, x: Any, beta: Any) -> Any:
    y = beta * far(m, x)
    return beta * gate_second(m, y, y)


def silu_parameter_derivative(m: Any, x: Any, beta: Any) -> Any:
    c = far(m, x)
    return c * (c * logistic(m, beta * c)[1])


def bsilu_value(m: Any, x: Any, alpha: Any) -> Any:
    """(x + alpha) s(x) - alpha/2 = x s(x) + alpha/2 tanh(x/2), two terms of the same sign"""
    return silu_value(m, x, 1.0) + 0.5 * alpha * m.tanh(0.5 * x)


def bsilu_derivative(m: Any, x: Any, alpha: Any) -> Any:
    return gate_derivative(m, x, far(m, x) + alpha)


def bsilu_second(m: Any, x: Any, alpha: Any) -> Any:
    c = far(m, x)
    return gate_second(m, c, c + alpha)


def bsilu_parameter_derivative(m: Any, x: Any, alpha: Any) -> Any:
    return 0.5 * m.tanh(0.5 * x)


def mish_value(m: Any, x: Any) -> Any:
    c = far(m, x)
    return m.where(x > FAR, x, c * mish_gate(m, x))


def mish_terms(m: Any, x: Any) -> Any:
    """e = exp(-|x|), and the denominator of mish_gate."""
    e = m.exp(-m.distance(x))
    return e, m.where(x < 0, 2 + e * (2 + e), 1 + 2 * e * (1 + e))


def mish_gate(m: Any, x: Any) -> Any:
    """tanh(softplus(x)) = ((1 + exp(x))^2 - 1) / ((1 + exp(x))^2 + 1)"""
    e, denominator = mish_terms(m, x)
    return m.where(x < 0, e * (2 + e), 1 + 2 * e) / denominator


def mish_derivative(m: Any, x: Any) -> Any:
    c = far(m, x)
    e, denominator = mish_terms(m, x)
    # s(x) (1 - gate^2), the derivative of the gate
    return mish_gate(m, x) + c * 4 * e * (1 + e) * m.where(x < 0, 1.0, e) / (denominator * denominator)
