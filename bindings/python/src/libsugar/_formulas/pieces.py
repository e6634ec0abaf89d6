"""Kinds that are made of straight pieces."""

from __future__ import annotations

from typing import Any

from .common import below_zero, constant


def identity_value(m: Any, x: Any) -> Any:
    return x


def identity_derivative(m: Any, x: Any) -> Any:
    return constant(m, x, 1.0)


def relu_value(m: Any, x: Any) -> Any:
    return m.where(x <= 0, 0.0, x)


def relu_derivative(m: Any, x: Any) -> Any:
    return constant(m, x, m.where(x > 0, 1.0, 0.0))


def relu6_value(m: Any, x: Any) -> Any:
    return m.clip(x, 0.0, 6.0)


def relu6_derivative(m: Any, x: Any) -> Any:
    return hardtanh_derivative(m, x, 0.0, 6.0)


def relu_squared_value(m: Any, x: Any) -> Any:
    return relu_value(m, x) * relu_value(m, x)


def relu_squared_derivative(m: Any, x: Any) -> Any:
    return 2 * relu_value(m, x)


def threshold_value(m: Any, x: Any, threshold: Any, value: Any) -> Any:
    return m.where(x <= threshold, value, x)


def threshold_derivative(m: Any, x: Any, threshold: Any, value: Any) -> Any:
    return constant(m, x, m.where(x > threshold, 1.0, 0.0))


def leaky_relu_value(m: Any, x: Any, slope: Any) -> Any:
    return m.where(x > 0, x, slope * below_zero(m, x))


def leaky_relu_derivative(m: Any, x: Any, slope: Any) -> Any:
    return constant(m, x, m.where(x > 0, 1.0, slope))


def leaky_relu_parameter_derivative(m: Any, x: Any, slope: Any) -> Any:
    return below_zero(m, x)


def rrelu_value(m: Any, x: Any, lower: Any, upper: Any) -> Any:
    return leaky_relu_value(m, x, (lower + upper) / 2)


def rrelu_derivative(m: Any, x: Any, lower: Any, upper: Any) -> Any:
    return leaky_relu_derivative(m, x, (lower + upper) / 2)


def softshrink_value(m: Any, x: Any, lambda_: Any) -> Any:
    return m.where(x > lambda_, x - lambda_, m.where(x < -lambda_, x + lambda_, constant(m, x, 0.0)))


def hardshrink_value(m: Any, x: Any, lambda_: Any) -> Any:
    return m.where(m.abs(x) <= lambda_, 0.0, x)


def shrink_derivative(m: Any, x: Any, lambda_: Any) -> Any:
    return constant(m, x, m.where(m.abs(x) > lambda_, 1.0, 0.0))


def hardtanh_value(m: Any, x: Any, low: Any, high: Any) -> Any:
    return m.clip(x, low, high)


def hardtanh_derivative(m: Any, x: Any, low: Any, high: Any) -> Any:
    return constant(m, x, m.where((low < x) & (x < high), 1.0, 0.0))


def hardsigmoid_value(m: Any, x: Any) -> Any:
    return m.clip(x + 3, 0.0, 6.0) / 6


def hardsigmoid_derivative(m: Any, x: Any) -> Any:
    return constant(m, x, m.where((-3 < x) & (x < 3), 1 / 6, 0.0))


def hardswish_value(m: Any, x: Any) -> Any:
    return m.where(x >= 3, x, m.clip(x, -3.0, 3.0) * (m.clip(x, -3.0, 3.0) + 3) / 6)


def hardswish_derivative(m: Any, x: Any) -> Any:
    return m.where(x <= -3, 0.0, m.where(x >= 3, 1.0, (2 * x + 3) / 6))


def heaviside_value(m: Any, x: Any, threshold: Any, zero: Any) -> Any:
    return m.where(x > threshold, 1.0, m.where(x < threshold, 0.0, constant(m, x, zero)))


def heaviside_derivative(m: Any, x: Any, threshold: Any, zero: Any) -> Any:
    return constant(m, x, 0.0)


def sign_value(m: Any, x: Any, zero: float) -> Any:
    return m.where(x > 0, 1.0, m.where(x < 0, -1.0, constant(m, x, zero)))


def sign_derivative(m: Any, x: Any, zero: float) -> Any:
    return constant(m, x, 0.0)


def hard_mish_value(m: Any, x: Any) -> Any:
    return m.where(x >= 0, x, 0.5 * m.clip(x, -2.0, 0.0) * (m.clip(x, -2.0, 0.0) + 2))


def hard_mish_derivative(m: Any, x: Any) -> Any:
    return m.where(x < -2, 0.0, m.where(x >= 0, 1.0, x + 1))


def sparse_plus_value(m: Any, x: Any) -> Any:
    root = sparse_sigmoid_value(m, x)
    return m.where(x > 1, x, root * root)


def sparse_plus_derivative(m: Any, x: Any) -> Any:
    return m.where(x <= -1, 0.0, m.where(x >= 1, 1.0, 0.5 * (x + 1)))


def sparse_sigmoid_value(m: Any, x: Any) -> Any:
    return 0.5 * m.clip(x + 1, 0.0, 2.0)


def sparse_sigmoid_derivative(m: Any, x: Any) -> Any:
    return 0.5 * hardtanh_derivative(m, x, -1.0, 1.0)


def abs_value(m: Any, x: Any) -> Any:
    return m.abs(x)


def abs_derivative(m: Any, x: Any) -> Any:
    return m.where(x > 0, 1.0, m.where(x < 0, -1.0, constant(m, x, 0.0)))


def square_value(m: Any, x: Any) -> Any:
    return x * x


def square_derivative(m: Any, x: Any) -> Any:
    return 2 * x


def linear_value(m: Any, x: Any, alpha: float, beta: float) -> Any:
    return alpha * x + beta if alpha != 0 else constant(m, x, beta)


def linear_derivative(m: Any, x: Any, alpha: float, beta: float) -> Any:
    return constant(m, x, alpha)


def bounded_relu_value(m: Any, x: Any, threshold: float, high: float, slope: float) -> Any:
    below = m.where(x > threshold, 0.0, x - threshold)
    return m.where(x > threshold, m.clip(x, 0.0, high), slope * below if slope != 0 else constant(m, x, 0.0))


def bounded_relu_derivative(m: Any, x: Any, threshold: float, high: float, slope: float) -> Any:
    return constant(m, x, m.where(x > threshold, m.where(x < high, 1.0, 0.0), slope))


def clipped_linear_value(m: Any, x: Any, alpha: float, beta: float) -> Any:
    return m.clip(alpha * x + beta, 0.0, 1.0)


def clipped_linear_derivative(m: Any, x: Any, alpha: float, beta: float) -> Any:
    y = alpha * x + beta
    return constant(m, x, m.where((0 < y) & (y < 1), alpha, 0.0))


def clipped_gate_value(m: Any, x: Any, alpha: float, beta: float) -> Any:
    y = alpha * x + beta
    return m.where(y >= 1, x, m.where(y <= 0, 0.0, x) * m.clip(y, 0.0, 1.0))


def clipped_gate_derivative(m: Any, x: Any, alpha: float, beta: float) -> Any:
    y = alpha * x + beta
    return m.where(y <= 0, 0.0, m.where(y >= 1, 1.0, 2 * alpha * x + beta))
