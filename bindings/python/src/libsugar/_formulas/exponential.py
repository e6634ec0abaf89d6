"""Kinds that are made of exponentials."""

from __future__ import annotations

from typing import Any

from .common import below_zero, below_zero_flat, far
from .pieces import linear_value


def elu_value(m: Any, x: Any, alpha: Any) -> Any:
    return m.where(x > 0, x, alpha * m.expm1(below_zero(m, x)))


def elu_derivative(m: Any, x: Any, alpha: Any) -> Any:
    return m.where(x > 0, 1.0, alpha * m.exp(below_zero_flat(m, x)))


def elu_parameter_derivative(m: Any, x: Any, alpha: Any) -> Any:
    return m.expm1(below_zero(m, x))


def celu_value(m: Any, x: Any, alpha: Any) -> Any:
    return m.where(x > 0, x, alpha * m.expm1(below_zero(m, far(m, x)) / alpha))


def celu_derivative(m: Any, x: Any, alpha: Any) -> Any:
    return m.where(x > 0, 1.0, m.exp(below_zero_flat(m, far(m, x)) / alpha))


def celu_parameter_derivative(m: Any, x: Any, alpha: Any) -> Any:
    u = below_zero(m, far(m, x)) / alpha
    return m.expm1(u) - u * m.exp(u)


SELU_LAMBDA = 1.0507009873554805
SELU_LAMBDA_ALPHA = 1.7580993408473768      # times 1.6732632423543772


def selu_value(m: Any, x: Any) -> Any:
    return m.where(x > 0, SELU_LAMBDA * x, SELU_LAMBDA_ALPHA * m.expm1(below_zero(m, x)))


def selu_derivative(m: Any, x: Any) -> Any:
    return m.where(x > 0, SELU_LAMBDA, SELU_LAMBDA_ALPHA * m.exp(below_zero_flat(m, x)))


def xielu_value(m: Any, x: Any, alpha_p: float, alpha_n: float, beta: float) -> Any:
    z = below_zero(m, x)
    below = alpha_n * m.expm1(z) + linear_value(m, z, beta - alpha_n, 0.0)
    above = m.where(x > 0, x, 0.0)
    return m.where(x > 0, above * (alpha_p * above + beta), below)


def xielu_derivative(m: Any, x: Any, alpha_p: float, alpha_n: float, beta: float) -> Any:
    return m.where(x > 0, 2 * alpha_p * x, alpha_n * m.expm1(below_zero(m, x))) + beta


def exponential_value(m: Any, x: Any) -> Any:
    return m.exp(x)
