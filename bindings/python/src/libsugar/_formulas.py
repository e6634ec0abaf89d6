"""Each kind's value and derivative as array operations, for frameworks that compute, trace and differentiate them:
libsugar.torch and libsugar.jax. The C library does not use them, and they do not use it.

A formula takes `m`, the operations of a framework; x, an array of float32 or float64; and the kind's parameters,
numbers or arrays that broadcast to x. The operations have the names of NumPy's: where, exp, expm1, log1p, sqrt, tanh,
sin, cos, atan, abs, clip; and there are sigmoid, 1 / (1 + exp(-x)), erfc, distance: |x| whose derivative at 0 is 1,
where a formula continues that of the positive side; and piece, for tables.

Frameworks differentiate derivatives by x, for second and higher orders, and both formulas by a parameter that is
learned. So a formula must be right when it is differentiated step by step:

- no step may be infinite, nor its derivative, where the other factor is 0, as 0 * inf is NaN: `far` and `clip` bound
  x first;
- what `where` leaves out is differentiated too, so both of its branches are finite wherever x is;
- at x = 0 the branch of the negative side counts, and abs has the derivative 0; but the second derivatives of elu,
  celu and selu are 0 there, as PyTorch's are.

The error is at most 4 units of eps * max(1, |result|): C's formulas are exact in tails as well, these are not.
tests/test_formulas.py compares. s(x) is 1 / (1 + exp(-x)); Phi and phi are the normal distribution and its density.
"""

from __future__ import annotations

import functools
import math
from typing import Any, Callable, NamedTuple, Optional, Sequence

from ._catalogue import Function, Info, catalogue

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


# ---- Made of straight pieces ---------------------------------------------------------------------------------------


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


# ---- Exponential ---------------------------------------------------------------------------------------------------


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


# ---- x times a gate ------------------------------------------------------------------------------------------------


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


# ---- Sigmoid, softplus, tanh ---------------------------------------------------------------------------------------


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


# ---- Periodic ------------------------------------------------------------------------------------------------------


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


# ---- Algebraic -----------------------------------------------------------------------------------------------------


def softsign_value(m: Any, x: Any) -> Any:
    c = far(m, x)
    return c / (1 + m.abs(c))


def softsign_derivative(m: Any, x: Any) -> Any:
    return fast_sigmoid_spike_derivative(m, x, 1.0)


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


def exponential_value(m: Any, x: Any) -> Any:
    return m.exp(x)


# ---- Spikes: surrogates of heaviside and sign, x is the distance from the threshold --------------------------------


def atan_spike_derivative(m: Any, x: Any, alpha: Any) -> Any:
    return 0.5 * alpha * arctan_derivative(m, 0.5 * math.pi * alpha * x)


def fast_sigmoid_spike_derivative(m: Any, x: Any, slope: Any) -> Any:
    t = 1 / (1 + slope * m.abs(x))
    return t * t


def slayer_spike_derivative(m: Any, x: Any, alpha: Any, c: Any) -> Any:
    return 0.5 * c * alpha * m.exp(-alpha * m.abs(x))


def triangle_spike_derivative(m: Any, x: Any, gamma: Any) -> Any:
    return gamma * relu_value(m, 1 - m.abs(x))


def density(m: Any, x: Any, sigma: Any) -> Any:
    """The normal density; it is 0 at 40 sigma, in float64 too."""
    z = m.clip(x / sigma, -40.0, 40.0)
    return (1 / (math.sqrt(2 * math.pi) * sigma)) * m.exp(-0.5 * z * z)


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


# ---- The catalogue -------------------------------------------------------------------------------------------------

FORMULAS = {
    "identity": Formulas(identity_value, identity_derivative),
    "relu": Formulas(relu_value, relu_derivative),
    "relu6": Formulas(relu6_value, relu6_derivative),
    "relu_squared": Formulas(relu_squared_value, relu_squared_derivative),
    "threshold": Formulas(threshold_value, threshold_derivative),
    "leaky_relu": Formulas(leaky_relu_value, leaky_relu_derivative, leaky_relu_parameter_derivative),
    "prelu": Formulas(leaky_relu_value, leaky_relu_derivative, leaky_relu_parameter_derivative),
    "rrelu": Formulas(rrelu_value, rrelu_derivative),
    "elu": Formulas(elu_value, elu_derivative, elu_parameter_derivative),
    "celu": Formulas(celu_value, celu_derivative, celu_parameter_derivative),
    "selu": Formulas(selu_value, selu_derivative),
    "gelu": Formulas(gelu_value, gelu_derivative, second=gelu_second),
    "gelu_tanh": Formulas(gelu_tanh_value, gelu_tanh_derivative),
    "silu": Formulas(silu_value, silu_derivative, silu_parameter_derivative, silu_second),
    "mish": Formulas(mish_value, mish_derivative),
    "softplus": Formulas(softplus_value, softplus_derivative, softplus_parameter_derivative, softplus_second),
    "squareplus": Formulas(squareplus_value, squareplus_derivative, squareplus_parameter_derivative),
    "softsign": Formulas(softsign_value, softsign_derivative),
    "sigmoid": Formulas(sigmoid_value, sigmoid_derivative, second=sigmoid_second),
    "log_sigmoid": Formulas(log_sigmoid_value, log_sigmoid_derivative),
    "tanh": Formulas(tanh_value, tanh_derivative, second=tanh_second),
    "tanhshrink": Formulas(tanhshrink_value, tanhshrink_derivative),
    "softshrink": Formulas(softshrink_value, shrink_derivative),
    "hardshrink": Formulas(hardshrink_value, shrink_derivative),
    "hardtanh": Formulas(hardtanh_value, hardtanh_derivative),
    "hardsigmoid": Formulas(hardsigmoid_value, hardsigmoid_derivative),
    "hardswish": Formulas(hardswish_value, hardswish_derivative),
    "bsilu": Formulas(bsilu_value, bsilu_derivative, bsilu_parameter_derivative, bsilu_second),
    "nelu": Formulas(nelu_value, nelu_derivative, nelu_parameter_derivative),
    "xielu": Formulas(xielu_value, xielu_derivative),
    "sin": Formulas(sin_value, sin_derivative, second=sin_second),
    "snake": Formulas(snake_value, snake_derivative),
    "arctan": Formulas(arctan_value, arctan_derivative),
    "lisht": Formulas(lisht_value, lisht_derivative),
    "logcosh": Formulas(logcosh_value, tanh_value),
    "exponential": Formulas(exponential_value, exponential_value),
    "hard_mish": Formulas(hard_mish_value, hard_mish_derivative),
    "sparse_plus": Formulas(sparse_plus_value, sparse_plus_derivative),
    "sparse_sigmoid": Formulas(sparse_sigmoid_value, sparse_sigmoid_derivative),
    "abs": Formulas(abs_value, abs_derivative),
    "square": Formulas(square_value, square_derivative),
    "linear": Formulas(linear_value, linear_derivative),
    "bounded_relu": Formulas(bounded_relu_value, bounded_relu_derivative),
    "clipped_linear": Formulas(clipped_linear_value, clipped_linear_derivative),
    "clipped_gate": Formulas(clipped_gate_value, clipped_gate_derivative),
    "heaviside": Formulas(heaviside_value, heaviside_derivative),
    "sign": Formulas(sign_value, sign_derivative),
    "atan_spike": Formulas(None, atan_spike_derivative),
    "fast_sigmoid_spike": Formulas(None, fast_sigmoid_spike_derivative),
    "slayer_spike": Formulas(None, slayer_spike_derivative),
    "triangle_spike": Formulas(None, triangle_spike_derivative),
    "gaussian_spike": Formulas(None, gaussian_spike_derivative),
    "multi_gaussian_spike": Formulas(None, multi_gaussian_spike_derivative),
    "sigmoid_spike": Formulas(None, sigmoid_spike_derivative),
    "box_spike": Formulas(None, box_spike_derivative),
    "super_spike": Formulas(None, super_spike_derivative),
    "sparse_fast_sigmoid_spike": Formulas(None, sparse_fast_sigmoid_spike_derivative),
    "nonzero_sign_log_abs_spike": Formulas(None, nonzero_sign_log_abs_spike_derivative),
    "fake_numerical_gradient_spike": Formulas(None, fake_numerical_gradient_spike_derivative),
    "log_tailed_relu_spike": Formulas(None, log_tailed_relu_spike_derivative),
    "circ_spike": Formulas(None, circ_spike_derivative),
    "q_pseudo_spike": Formulas(None, q_pseudo_spike_derivative),
    "rate_escape_spike": Formulas(None, rate_escape_spike_derivative),
    "piecewise_quadratic_spike": Formulas(None, piecewise_quadratic_spike_derivative),
    "erf_spike": Formulas(None, erf_spike_derivative),
    "tanh_spike": Formulas(None, tanh_spike_derivative),
    "s2nn_spike": Formulas(None, s2nn_spike_derivative),
    "leaky_k_relu_spike": Formulas(None, leaky_k_relu_spike_derivative),
    "piecewise_leaky_relu_spike": Formulas(None, piecewise_leaky_relu_spike_derivative),
}


# ---- A function given by knots -------------------------------------------------------------------------------------


def spline(rows: Sequence[Sequence[float]]) -> Formulas:
    """The formulas of the kind `table`, for rows of a knot, the value there and the slope there: from each knot on
    a + b t + c t^2 + d t^3, where t is the distance from it. `m` finds the piece. Outside of the knots t is 0."""
    pieces = [(knot, value, slope, 0.0, 0.0) for knot, value, slope in (rows[0], *rows)]
    for i, ((x, a, b), (next_x, next_a, next_b)) in enumerate(zip(rows, rows[1:]), 1):
        h = next_x - x
        rise = (next_a - a) / h
        pieces[i] = (x, a, b, (3 * rise - 2 * b - next_b) / h, (b + next_b - 2 * rise) / h / h)
    knots = tuple(row[0] for row in rows)
    coefficients = tuple(zip(*pieces))

    def value(m: Any, x: Any) -> Any:
        inside = m.clip(x, knots[0], knots[-1])
        start, a, b, c, d = m.piece(x, knots, coefficients)
        t = inside - start
        beyond = m.where((b == 0) | (x == inside), 0.0, b * (x - inside))       # of an infinite x, too
        return a + t * (b + t * (c + t * d)) + beyond

    def derivative(m: Any, x: Any) -> Any:
        start, _, b, c, d = m.piece(x, knots, coefficients)
        t = m.clip(x, knots[0], knots[-1]) - start
        return b + t * (2 * c + t * (3 * d))

    def second(m: Any, x: Any) -> Any:
        start, _, _, c, d = m.piece(x, knots, coefficients)
        return 2 * c + (m.clip(x, knots[0], knots[-1]) - start) * (6 * d)

    return Formulas(value, derivative, second=second)


def formulas(kind: str, rows: Sequence[Sequence[float]] | None = None) -> Formulas:
    """Those of a kind, by its name; those of `table` from its rows."""
    if kind == "table" and rows is not None:
        return spline(rows)
    if kind not in FORMULAS:
        raise NotImplementedError(f"spec: {kind}, expected a kind that has formulas in libsugar._formulas")
    return FORMULAS[kind]


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
