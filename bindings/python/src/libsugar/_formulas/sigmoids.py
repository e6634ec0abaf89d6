"""Sigmoid, softplus and tanh."""

from __future__ import annotations

from typing import Any

from .common import far, logistic
from .pieces import relu_value


def sigmoid_value(m: Any, x: Any) -> Any:
    return m.sigmoid(x)


def sigmoid_derivative(m: Any, x: Any) -> Any:
    return logistic(m, x)[1]


def sigmoid_second(m: Any, x: Any) -> Any:
    s, other = m.sigmoid(x), m.sigmoid(-x)
    return s * other * (other - s)


def log_sigmoid_value(m: Any, x: Any) -> Any:
    return m.where(x > 0, 0.0, x) - m.log1p(m.exp(-m.abs(x)))


def log_sigmoid_derivative(m: Any, x: Any) -> Any:
    return m.sigmoid(-x)


def softplus_value(m: Any, x: Any, beta: Any) -> Any:
    return relu_value(m, x) + m.log1p(m.exp(-beta * m.abs(far(m, x)))) / beta


def softplus_derivative(m: Any, x: Any, beta: Any) -> Any:
    return m.sigmoid(beta * far(m, x))


def softplus_second(m: Any, x: Any, beta: Any) -> Any:
    y = beta * far(m, x)
    return beta * (m.sigmoid(y) * m.sigmoid(-y))


def softplus_parameter_derivative(m: Any, x: Any, beta: Any) -> Any:
    """(x s(beta x) - softplus(x)) / beta, which is the same for x and -x"""
    a = m.abs(far(m, x))
    return -(a * m.sigmoid(-beta * a) + m.log1p(m.exp(-beta * a)) / beta) / beta


def tanh_value(m: Any, x: Any) -> Any:
    return m.tanh(x)


def tanh_derivative(m: Any, x: Any) -> Any:
    """1 - tanh(x)^2 without its cancellation"""
    return 4 * logistic(m, 2 * x)[1]


def tanh_second(m: Any, x: Any) -> Any:
    t = m.tanh(x)
    return -2 * t * (1 - t * t)


def tanhshrink_value(m: Any, x: Any) -> Any:
    return x - m.tanh(x)


def tanhshrink_derivative(m: Any, x: Any) -> Any:
    return m.tanh(x) * m.tanh(x)
