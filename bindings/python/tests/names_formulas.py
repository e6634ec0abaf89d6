"""What the frameworks of doc/names.json compute, written down from their sources and manuals, for NumPy's float64.

Nothing here comes from the library. FORMULAS has the value, for frameworks of spiking networks the slope, for each
row by its first name, with the arguments of the framework and its defaults. PyTorch has none here: it is asked itself.
"""

from __future__ import annotations

import math
from typing import Any, Callable

import numpy as np

Formula = Callable[..., Any]

erf = np.vectorize(math.erf, otypes=[np.float64])
SELU_SCALE, SELU_ALPHA = 1.0507009873554804934, 1.6732632423543772848


# ---- Values --------------------------------------------------------------------------------------------------------


def identity(x: Any) -> Any:
    return x


def logistic(x: Any) -> Any:
    return 0.5 + 0.5 * np.tanh(0.5 * x)


def relu(x: Any) -> Any:
    return (x + np.abs(x)) / 2


def bounded(x: Any, low: float, high: float) -> Any:
    return np.minimum(np.maximum(x, low), high)


def leaky(x: Any, slope: float) -> Any:
    return np.where(x < 0, slope * x, x)


def elu(x: Any, alpha: float = 1, width: float = 1) -> Any:
    return np.where(x < 0, alpha * (np.exp(x / width) - 1), x)


def selu(x: Any) -> Any:
    return SELU_SCALE * elu(x, SELU_ALPHA)


def gelu(x: Any) -> Any:
    return x * (1 + erf(x / math.sqrt(2))) / 2


def gelu_by_tanh(x: Any) -> Any:
    return x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2


def silu(x: Any, beta: float = 1) -> Any:
    return x / (1 + np.exp(-beta * x))


def softplus(x: Any, beta: float = 1) -> Any:
    return np.logaddexp(0, beta * x) / beta


def mish(x: Any) -> Any:
    return x * np.tanh(softplus(x))


def squareplus(x: Any, b: float = 4) -> Any:
    return (x + np.sqrt(x**2 + b)) / 2


def softsign(x: Any) -> Any:
    return x / (1 + np.abs(x))


def log_sigmoid(x: Any) -> Any:
    return -softplus(-x)


def tanhshrink(x: Any) -> Any:
    return x - np.tanh(x)


def softshrink(x: Any, width: float) -> Any:
    return np.sign(x) * relu(np.abs(x) - width)


def hardshrink(x: Any, width: float) -> Any:
    return x * (np.abs(x) > width)


def above(x: Any, threshold: float, otherwise: float = 0) -> Any:
    return np.where(x > threshold, x, otherwise)


def hardtanh(x: Any) -> Any:
    return bounded(x, -1, 1)


def hard_sigmoid(x: Any) -> Any:
    return bounded(x / 6 + 0.5, 0, 1)


def hard_swish(x: Any) -> Any:
    return x * hard_sigmoid(x)


def sparse_plus(x: Any) -> Any:
    return np.where(x < -1, 0, np.where(x > 1, x, (x + 1) ** 2 / 4))


def sparse_sigmoid(x: Any) -> Any:
    return bounded(x / 2 + 0.5, 0, 1)


def gated(formula: Formula) -> Formula:
    """a f(b), the original gated linear unit."""
    return lambda a, b: a * formula(b)


def gating(formula: Formula) -> Formula:
    """f(a) b."""
    return lambda a, b: formula(a) * b


def keras_relu(x: Any, negative_slope: float = 0, max_value: float = math.inf, threshold: float = 0) -> Any:
    return np.where(x > threshold, np.minimum(x, max_value), negative_slope * (x - threshold))


def xielu(x: Any, alpha_n: float, alpha_p: float, beta: float, eps: float) -> Any:
    positive, negative = softplus(alpha_p), beta + softplus(alpha_n)
    return np.where(x > 0, positive * x**2 + beta * x, (np.expm1(np.minimum(x, eps)) - x) * negative + beta * x)


def swiglu_oai(a: Any, b: Any, alpha: float, limit: float) -> Any:
    return silu(np.minimum(a, limit), alpha) * (bounded(b, -limit, limit) + 1)


def swiglu_clamp(a: Any, b: Any, limit: float) -> Any:
    return silu(np.minimum(a, limit)) * bounded(b, -limit, limit)


# ---- Slopes --------------------------------------------------------------------------------------------------------


def bell(x: Any) -> Any:
    """The derivative of the logistic function."""
    return 1 / (2 * np.cosh(x / 2)) ** 2


def fourier(x: Any, n: int, period: float) -> Any:
    """The derivative of the first n - 1 terms of a square wave's Fourier series, from 0 to 1."""
    return 4 / period * sum(np.cos((2 * i - 1) * 2 * math.pi / period * x) for i in range(1, n))


# ---- The frameworks ------------------------------------------------------------------------------------------------


JAX: dict[str, Formula] = {
    "identity": identity,
    "relu": relu,
    "relu6": lambda x: bounded(x, 0, 6),
    "leaky_relu": lambda x, negative_slope=0.01: leaky(x, negative_slope),
    "elu": elu,
    "celu": lambda x, alpha=1: elu(x, alpha, alpha),
    "selu": selu,
    "gelu": lambda x, approximate=True: gelu_by_tanh(x) if approximate else gelu(x),
    "silu": silu,
    "mish": mish,
    "softplus": softplus,
    "squareplus": squareplus,
    "sparse_plus": sparse_plus,
    "sigmoid": logistic,
    "sparse_sigmoid": sparse_sigmoid,
    "log_sigmoid": log_sigmoid,
    "soft_sign": softsign,
    "tanh": np.tanh,
    "hard_tanh": hardtanh,
    "hard_sigmoid": hard_sigmoid,
    "hard_silu": hard_swish,
    "glu": gated(logistic),
}

KERAS: dict[str, Formula] = {
    "activations.linear": identity,
    "activations.relu": keras_relu,
    "activations.relu6": lambda x: bounded(x, 0, 6),
    "activations.leaky_relu": lambda x, negative_slope=0.2: leaky(x, negative_slope),
    "layers.LeakyReLU": lambda x, negative_slope=0.3: leaky(x, negative_slope),
    "layers.PReLU": lambda x, alpha=0: leaky(x, alpha),
    "activations.threshold": lambda x, threshold, default_value: above(x, threshold, default_value),
    "activations.elu": elu,
    "activations.celu": lambda x, alpha=1: elu(x, alpha, alpha),
    "activations.selu": selu,
    "activations.gelu": lambda x, approximate=False: gelu_by_tanh(x) if approximate else gelu(x),
    "ops.nn.gelu": lambda x, approximate=True: gelu_by_tanh(x) if approximate else gelu(x),
    "activations.silu": silu,
    "activations.mish": mish,
    "activations.softplus": softplus,
    "activations.squareplus": squareplus,
    "activations.sparse_plus": sparse_plus,
    "activations.softsign": softsign,
    "activations.sigmoid": logistic,
    "activations.sparse_sigmoid": sparse_sigmoid,
    "activations.log_sigmoid": log_sigmoid,
    "activations.tanh": np.tanh,
    "activations.tanh_shrink": tanhshrink,
    "activations.soft_shrink": lambda x, threshold=0.5: softshrink(x, threshold),
    "activations.hard_shrink": lambda x, threshold=0.5: hardshrink(x, threshold),
    "activations.hard_tanh": hardtanh,
    "activations.hard_sigmoid": hard_sigmoid,
    "activations.hard_silu": hard_swish,
    "activations.exponential": np.exp,
    "activations.glu": gated(logistic),
}

NNLIB: dict[str, Formula] = {
    "relu": relu,
    "relu6": lambda x: bounded(x, 0, 6),
    "leakyrelu": lambda x, a=0.01: leaky(x, a),
    "trelu": lambda x, theta=1: above(x, theta),
    "elu": lambda x, α=1: elu(x, α),
    "celu": lambda x, α=1: elu(x, α, α),
    "selu": selu,
    "gelu": gelu_by_tanh,
    "gelu_erf": gelu,
    "swish": silu,
    "mish": mish,
    "lisht": lambda x: x * np.tanh(x),
    "softplus": softplus,
    "logcosh": lambda x: np.log(np.cosh(x)),
    "softsign": softsign,
    "σ": logistic,
    "logσ": log_sigmoid,
    "tanh_fast": np.tanh,
    "tanhshrink": tanhshrink,
    "softshrink": lambda x, λ=0.5: softshrink(x, λ),
    "hardtanh": hardtanh,
    "hardσ": hard_sigmoid,
    "hardswish": hard_swish,
    "glu": gated(logistic),
}

ONEDNN: dict[str, Formula] = {
    "eltwise_relu": lambda x, alpha: leaky(x, alpha),
    "eltwise_tanh": np.tanh,
    "eltwise_elu": elu,
    "eltwise_square": lambda x: x * x,
    "eltwise_abs": np.abs,
    "eltwise_linear": lambda x, alpha, beta: alpha * x + beta,
    "eltwise_soft_relu": lambda x, alpha: softplus(x, alpha),
    "eltwise_logistic": logistic,
    "eltwise_exp": np.exp,
    "eltwise_gelu_tanh": gelu_by_tanh,
    "eltwise_gelu_erf": gelu,
    "eltwise_swish": lambda x, alpha: silu(x, alpha),
    "eltwise_mish": mish,
    "eltwise_clip": lambda x, alpha, beta: bounded(x, alpha, beta),
    "eltwise_hardsigmoid": lambda x, alpha, beta: bounded(alpha * x + beta, 0, 1),
    "eltwise_hardswish": lambda x, alpha, beta: x * bounded(alpha * x + beta, 0, 1),
}

GGML: dict[str, Formula] = {
    "relu": relu,
    "leaky_relu": lambda x, negative_slope: leaky(x, negative_slope),
    "elu": elu,
    "gelu": gelu_by_tanh,
    "gelu_erf": gelu,
    "gelu_quick": lambda x: silu(x, 1.702),
    "silu": silu,
    "softplus": softplus,
    "sigmoid": logistic,
    "tanh": np.tanh,
    "hardsigmoid": hard_sigmoid,
    "hardswish": hard_swish,
    "xielu": xielu,
    "abs": np.abs,
    "neg": np.negative,
    "sgn": np.sign,
    "step": lambda x: x > 0,
    "exp": np.exp,
    "sin": np.sin,
    "sqr": lambda x: x * x,
    "clamp": lambda x, min, max: bounded(x, min, max),
    "reglu": gating(relu),
    "geglu": gating(gelu_by_tanh),
    "geglu_erf": gating(gelu),
    "geglu_quick": gating(lambda x: silu(x, 1.702)),
    "swiglu": gating(silu),
    "swiglu_oai": swiglu_oai,
    "swiglu_clamp": swiglu_clamp,
    "reglu_swapped": gated(relu),
    "geglu_swapped": gated(gelu_by_tanh),
    "geglu_erf_swapped": gated(gelu),
    "geglu_quick_swapped": gated(lambda x: silu(x, 1.702)),
    "swiglu_swapped": gated(silu),
}

TIMM: dict[str, Formula] = {
    "'identity'": identity,
    "'relu'": relu,
    "'relu6'": lambda x: bounded(x, 0, 6),
    "'leaky_relu'": lambda x, negative_slope=0.01: leaky(x, negative_slope),
    "PReLU": lambda x, init=0.25: leaky(x, init),
    "'elu'": elu,
    "'celu'": lambda x, alpha=1: elu(x, alpha, alpha),
    "'selu'": selu,
    "'gelu'": gelu,
    "'gelu_tanh'": gelu_by_tanh,
    "'quick_gelu'": lambda x: silu(x, 1.702),
    "'silu'": silu,
    "'mish'": mish,
    "'sigmoid'": logistic,
    "'tanh'": np.tanh,
    "'hard_sigmoid'": hard_sigmoid,
    "'hard_swish'": hard_swish,
    "'hard_mish'": lambda x: x * bounded(x + 2, 0, 2) / 2,
    "GluMlp": gated(logistic),
    "SwiGLUPacked": gating(silu),
    "SwiGLU": gating(silu),
}

SNNTORCH: dict[str, Formula] = {
    "straight_through_estimator": np.ones_like,
    "heaviside": lambda x: x > 0,
    "fast_sigmoid": lambda x, slope=25: (1 + slope * np.abs(x)) ** -2.0,
    "sigmoid": lambda x, slope=25: slope * bell(slope * x),
    "atan": lambda x, alpha=2: alpha / 2 / (1 + (math.pi / 2 * alpha * x) ** 2),
    "triangular": lambda x, threshold=1: np.where(x >= 0, -threshold, threshold),
    "spike_rate_escape": lambda x, beta=1, slope=25: slope * np.exp(-beta * np.abs(x - 1)),
    "SFS": lambda x, slope=25, B=1: (x > B) * (1 + slope * np.abs(x)) ** -2.0,
    "LSO": lambda x, slope=0.1: np.where(x > 0, 1, slope),
}

SPIKINGJELLY: dict[str, Formula] = {
    "DeterministicPass": np.ones_like,
    "PiecewiseExp": lambda x, alpha=1: alpha / 2 * np.exp(-alpha * np.abs(x)),
    "Sigmoid": lambda x, alpha=4: alpha * bell(alpha * x),
    "ATan": lambda x, alpha=2: alpha / 2 / (1 + (math.pi / 2 * alpha * x) ** 2),
    "Erf": lambda x, alpha=2: alpha / math.sqrt(math.pi) * np.exp(-(alpha * x) ** 2),
    "PiecewiseQuadratic": lambda x, alpha=1: relu(alpha - alpha**2 * np.abs(x)),
    "Rect": lambda x, alpha=1: alpha * (np.abs(x) < 0.5 / alpha),
    "PiecewiseLeakyReLU": lambda x, w=1, c=0.01: np.where(np.abs(x) < w, 0.5 / w, c),
    "LeakyKReLU": lambda x, leak=0, k=1: np.where(x >= 0, k, leak),
    "LogTailedReLU": lambda x, alpha=0: np.where(x <= 0, alpha, 1 / np.maximum(x, 1)),
    "SoftSign": lambda x, alpha=2: 1 / (2 * alpha * (1 / alpha + np.abs(x)) ** 2),
    "SuperSpike": lambda x, alpha=1: alpha / (np.abs(x) + 1) ** 2,
    "NonzeroSignLogAbs": lambda x, alpha=1: 1 / (1 / alpha + np.abs(x)),
    "FakeNumericalGradient": lambda x, alpha=0.3: 1 / np.maximum(np.abs(x), 1 / alpha),
    "S2NN": lambda x, alpha=4, beta=1: np.where(x < 0, alpha * bell(alpha * x), beta / (1 + np.abs(x))),
    "QPseudoSpike": lambda x, alpha=2: (1 + 2 / (alpha - 1) * np.abs(x)) ** -alpha,
    "SquarewaveFourierSeries": lambda x, n=2, T_period=8: fourier(x, n, T_period),
}

NORSE: dict[str, Formula] = {
    "heaviside": np.zeros_like,
    "super_fn": lambda x, alpha=100: (1 + np.abs(x)) ** -2.0,
    "triangle_fn": lambda x, alpha=0.3: alpha * relu(1 - np.abs(x)),
    "heavi_tanh_fn": lambda x, k: np.cosh(k * x) ** -2.0,
    "heavi_circ_fn": lambda x, k: k**3 / np.hypot(x, k) ** 3,
    "heavi_erfc_fn": lambda x, k: 2 / math.sqrt(math.pi) * np.exp(-(k * x) ** 2),
}

SPIKING = {"snnTorch": SNNTORCH, "SpikingJelly": SPIKINGJELLY, "norse": NORSE}
FORMULAS = {"JAX": JAX, "Keras": KERAS, "NNlib.jl": NNLIB, "oneDNN": ONEDNN, "ggml": GGML, "timm": TIMM, **SPIKING}
