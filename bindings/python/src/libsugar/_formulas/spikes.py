"""Surrogates of heaviside and sign. x is the distance from the threshold."""

from __future__ import annotations

import math
from typing import Any

from .algebraic import arctan_derivative
from .common import constant, density, far, inverse_square, logistic, scaled, zero_far
from .pieces import relu_value


def atan_spike_derivative(m: Any, x: Any, alpha: Any) -> Any:
    return 0.5 * alpha * arctan_derivative(m, 0.5 * math.pi * alpha * x)


def fast_sigmoid_spike_derivative(m: Any, x: Any, slope: Any) -> Any:
    return inverse_square(m, x, slope)


def slayer_spike_derivative(m: Any, x: Any, alpha: Any, c: Any) -> Any:
    return 0.5 * c * alpha * m.exp(-alpha * m.abs(x))


def triangle_spike_derivative(m: Any, x: Any, gamma: Any) -> Any:
    return gamma * relu_value(m, 1 - m.abs(x))


def gaussian_spike_derivative(m: Any, x: Any, sigma: Any) -> Any:
    return density(m, x, sigma)


def multi_gaussian_spike_derivative(m: Any, x: Any, sigma: Any, h: Any, s: Any) -> Any:
    sides = density(m, x - sigma, s * sigma) + density(m, x + sigma, s * sigma)
    return (1 + h) * density(m, x, sigma) - h * sides


def sigmoid_spike_derivative(m: Any, x: Any, alpha: Any) -> Any:
    return alpha * logistic(m, scaled(m, x, alpha))[1]


def box_spike_derivative(m: Any, x: Any, width: Any) -> Any:
    return constant(m, x, m.where(m.abs(x) <= width, 1.0, 0.0))


def super_spike_derivative(m: Any, x: Any, alpha: Any, slope: Any) -> Any:
    return alpha * fast_sigmoid_spike_derivative(m, x, slope)


def sparse_fast_sigmoid_spike_derivative(m: Any, x: Any, slope: Any, b: Any) -> Any:
    return m.where(x <= b, 0.0, fast_sigmoid_spike_derivative(m, x, slope))


def nonzero_sign_log_abs_spike_derivative(m: Any, x: Any, alpha: Any) -> Any:
    return alpha / (1 + alpha * m.abs(x))


def fake_numerical_gradient_spike_derivative(m: Any, x: Any, alpha: Any) -> Any:
    return 1 / m.where(m.abs(x) < 1 / alpha, 1 / alpha, m.abs(x))


def log_tailed_relu_spike_derivative(m: Any, x: Any, alpha: Any) -> Any:
    return m.where(x <= 0, alpha, m.where(x <= 1, 1.0, 1 / m.clip(x, 1.0, math.inf)))


def circ_spike_derivative(m: Any, x: Any, alpha: Any) -> Any:
    z = far(m, x) / alpha
    t = 1 / m.sqrt(1 + z * z)
    return zero_far(m, x, t * t * t)


def q_pseudo_spike_derivative(m: Any, x: Any, alpha: Any) -> Any:
    return zero_far(m, x, m.exp(-alpha * m.log1p(2 / (alpha - 1) * m.abs(far(m, x)))))


def rate_escape_spike_derivative(m: Any, x: Any, beta: Any, slope: Any, center: Any) -> Any:
    return slope * m.exp(-beta * m.abs(x - center))


def piecewise_quadratic_spike_derivative(m: Any, x: Any, alpha: Any) -> Any:
    return triangle_spike_derivative(m, alpha * x, alpha)


def erf_spike_derivative(m: Any, x: Any, alpha: Any, c: Any) -> Any:
    """exp(-z^2) is 0 at 28, in float64 too."""
    z = m.clip(alpha * x, -28.0, 28.0)
    return c * alpha / math.sqrt(math.pi) * m.exp(-z * z)


def tanh_spike_derivative(m: Any, x: Any, alpha: Any) -> Any:
    return 4 * logistic(m, scaled(m, x, 2 * alpha))[1]


def s2nn_spike_derivative(m: Any, x: Any, alpha: Any, beta: Any) -> Any:
    return m.where(x < 0, sigmoid_spike_derivative(m, x, alpha), beta / (1 + m.where(x < 0, 0.0, x)))


def leaky_k_relu_spike_derivative(m: Any, x: Any, leak: Any, k: Any) -> Any:
    return constant(m, x, m.where(x < 0, leak, k))


def piecewise_leaky_relu_spike_derivative(m: Any, x: Any, w: Any, c: Any) -> Any:
    return constant(m, x, m.where(m.abs(x) < w, 0.5 / w, c))
