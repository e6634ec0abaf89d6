"""The formulas of each kind, by its name."""

from __future__ import annotations

from typing import Sequence

from . import algebraic, exponential, gates, periodic, pieces, sigmoids, spikes
from .common import Formulas
from .spline import spline

FORMULAS = {
    "identity": Formulas(pieces.identity_value, pieces.identity_derivative),
    "relu": Formulas(pieces.relu_value, pieces.relu_derivative),
    "relu6": Formulas(pieces.relu6_value, pieces.relu6_derivative),
    "relu_squared": Formulas(pieces.relu_squared_value, pieces.relu_squared_derivative),
    "threshold": Formulas(pieces.threshold_value, pieces.threshold_derivative),
    "leaky_relu": Formulas(pieces.leaky_relu_value, pieces.leaky_relu_derivative,
                           pieces.leaky_relu_parameter_derivative),
    "prelu": Formulas(pieces.leaky_relu_value, pieces.leaky_relu_derivative, pieces.leaky_relu_parameter_derivative),
    "rrelu": Formulas(pieces.rrelu_value, pieces.rrelu_derivative),
    "elu": Formulas(exponential.elu_value, exponential.elu_derivative, exponential.elu_parameter_derivative),
    "celu": Formulas(exponential.celu_value, exponential.celu_derivative, exponential.celu_parameter_derivative),
    "selu": Formulas(exponential.selu_value, exponential.selu_derivative),
    "gelu": Formulas(gates.gelu_value, gates.gelu_derivative, second=gates.gelu_second),
    "gelu_tanh": Formulas(gates.gelu_tanh_value, gates.gelu_tanh_derivative),
    "silu": Formulas(gates.silu_value, gates.silu_derivative, gates.silu_parameter_derivative, gates.silu_second),
    "mish": Formulas(gates.mish_value, gates.mish_derivative),
    "softplus": Formulas(sigmoids.softplus_value, sigmoids.softplus_derivative,
                         sigmoids.softplus_parameter_derivative, sigmoids.softplus_second),
    "squareplus": Formulas(algebraic.squareplus_value, algebraic.squareplus_derivative,
                           algebraic.squareplus_parameter_derivative),
    "softsign": Formulas(algebraic.softsign_value, algebraic.softsign_derivative),
    "sigmoid": Formulas(sigmoids.sigmoid_value, sigmoids.sigmoid_derivative, second=sigmoids.sigmoid_second),
    "log_sigmoid": Formulas(sigmoids.log_sigmoid_value, sigmoids.log_sigmoid_derivative),
    "tanh": Formulas(sigmoids.tanh_value, sigmoids.tanh_derivative, second=sigmoids.tanh_second),
    "tanhshrink": Formulas(sigmoids.tanhshrink_value, sigmoids.tanhshrink_derivative),
    "softshrink": Formulas(pieces.softshrink_value, pieces.shrink_derivative),
    "hardshrink": Formulas(pieces.hardshrink_value, pieces.shrink_derivative),
    "hardtanh": Formulas(pieces.hardtanh_value, pieces.hardtanh_derivative),
    "hardsigmoid": Formulas(pieces.hardsigmoid_value, pieces.hardsigmoid_derivative),
    "hardswish": Formulas(pieces.hardswish_value, pieces.hardswish_derivative),
    "bsilu": Formulas(gates.bsilu_value, gates.bsilu_derivative, gates.bsilu_parameter_derivative, gates.bsilu_second),
    "nelu": Formulas(algebraic.nelu_value, algebraic.nelu_derivative, algebraic.nelu_parameter_derivative),
    "xielu": Formulas(exponential.xielu_value, exponential.xielu_derivative),
    "sin": Formulas(periodic.sin_value, periodic.sin_derivative, second=periodic.sin_second),
    "snake": Formulas(periodic.snake_value, periodic.snake_derivative),
    "arctan": Formulas(algebraic.arctan_value, algebraic.arctan_derivative),
    "lisht": Formulas(algebraic.lisht_value, algebraic.lisht_derivative),
    "logcosh": Formulas(algebraic.logcosh_value, sigmoids.tanh_value),
    "exponential": Formulas(exponential.exponential_value, exponential.exponential_value),
    "hard_mish": Formulas(pieces.hard_mish_value, pieces.hard_mish_derivative),
    "sparse_plus": Formulas(pieces.sparse_plus_value, pieces.sparse_plus_derivative),
    "sparse_sigmoid": Formulas(pieces.sparse_sigmoid_value, pieces.sparse_sigmoid_derivative),
    "abs": Formulas(pieces.abs_value, pieces.abs_derivative),
    "square": Formulas(pieces.square_value, pieces.square_derivative),
    "linear": Formulas(pieces.linear_value, pieces.linear_derivative),
    "bounded_relu": Formulas(pieces.bounded_relu_value, pieces.bounded_relu_derivative),
    "clipped_linear": Formulas(pieces.clipped_linear_value, pieces.clipped_linear_derivative),
    "clipped_gate": Formulas(pieces.clipped_gate_value, pieces.clipped_gate_derivative),
    "heaviside": Formulas(pieces.heaviside_value, pieces.heaviside_derivative),
    "sign": Formulas(pieces.sign_value, pieces.sign_derivative),
    "atan_spike": Formulas(None, spikes.atan_spike_derivative),
    "fast_sigmoid_spike": Formulas(None, spikes.fast_sigmoid_spike_derivative),
    "slayer_spike": Formulas(None, spikes.slayer_spike_derivative),
    "triangle_spike": Formulas(None, spikes.triangle_spike_derivative),
    "gaussian_spike": Formulas(None, spikes.gaussian_spike_derivative),
    "multi_gaussian_spike": Formulas(None, spikes.multi_gaussian_spike_derivative),
    "sigmoid_spike": Formulas(None, spikes.sigmoid_spike_derivative),
    "box_spike": Formulas(None, spikes.box_spike_derivative),
    "super_spike": Formulas(None, spikes.super_spike_derivative),
    "sparse_fast_sigmoid_spike": Formulas(None, spikes.sparse_fast_sigmoid_spike_derivative),
    "nonzero_sign_log_abs_spike": Formulas(None, spikes.nonzero_sign_log_abs_spike_derivative),
    "fake_numerical_gradient_spike": Formulas(None, spikes.fake_numerical_gradient_spike_derivative),
    "log_tailed_relu_spike": Formulas(None, spikes.log_tailed_relu_spike_derivative),
    "circ_spike": Formulas(None, spikes.circ_spike_derivative),
    "q_pseudo_spike": Formulas(None, spikes.q_pseudo_spike_derivative),
    "rate_escape_spike": Formulas(None, spikes.rate_escape_spike_derivative),
    "piecewise_quadratic_spike": Formulas(None, spikes.piecewise_quadratic_spike_derivative),
    "erf_spike": Formulas(None, spikes.erf_spike_derivative),
    "tanh_spike": Formulas(None, spikes.tanh_spike_derivative),
    "s2nn_spike": Formulas(None, spikes.s2nn_spike_derivative),
    "leaky_k_relu_spike": Formulas(None, spikes.leaky_k_relu_spike_derivative),
    "piecewise_leaky_relu_spike": Formulas(None, spikes.piecewise_leaky_relu_spike_derivative),
}


def formulas(kind: str, rows: Sequence[Sequence[float]] | None = None) -> Formulas:
    """Those of a kind, by its name; those of `table` from its rows."""
    if kind == "table" and rows is not None:
        return spline(rows)
    if kind not in FORMULAS:
        raise NotImplementedError(f"spec: {kind}, expected a kind that has formulas in libsugar._formulas")
    return FORMULAS[kind]
