"""libsugar._formulas against the C library, by NumPy.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_formulas.py
"""

from __future__ import annotations

import math
import unittest
from typing import Any

import libsugar
import numpy as np
from libsugar._formulas import FORMULAS, Composed

# Of values and derivatives with the parameters below, in units of eps * max(1, |result|).
BOUND = 4
TYPES: tuple[Any, ...] = (np.float32, np.float64)


class Operations:
    """NumPy's, in the type of x."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        return np.where(condition, np.asarray(a, self.dtype), np.asarray(b, self.dtype))

    def clip(self, x: Any, low: float, high: float) -> Any:
        return np.clip(x, low, high)

    def distance(self, x: Any) -> Any:
        return np.abs(x)

    def erfc(self, x: Any) -> Any:
        return np.vectorize(math.erfc, otypes=[self.dtype])(x)

    def sigmoid(self, x: Any) -> Any:
        return 1 / (1 + np.exp(-x))

    exp, expm1, log1p, sqrt, tanh, abs = np.exp, np.expm1, np.log1p, np.sqrt, np.tanh, np.abs
    sin, cos, atan = np.sin, np.cos, np.arctan


def specs() -> list[str]:
    """Every kind, as itself or behind relu, with its defaults and with two other sets of parameters; and mixtures."""
    made = ["relu~bsilu(domain=negative)", "relu~bsilu(blend=0.3)", "gelu~elu(blend=0.5, domain=negative)",
            "heaviside(threshold=0.3)~atan_spike", "relu_squared~silu(blend=1)"]
    for kind in libsugar.catalogue():
        if kind.name == "table":        # its formula is its knots
            continue
        name = kind.name if "forward" in kind.roles else f"relu~{kind.name}"
        for values in ((), (0.37, 0.6, 2.0), (3.1, 4.7, 6.0)) if kind.parameters else ((),):
            given = ", ".join(f"{one.name}={min(max(value, one.minimum), one.maximum)}"
                              for one, value in zip(kind.parameters, values))
            made.append(f"{name}({given})" if given else name)
    return made


def points(dtype: Any) -> Any:
    random = np.random.default_rng(1)
    edges = [0.0, -0.0, math.inf, -math.inf, math.nan, 3, -3, 6, 1, -1, 0.5, -0.5, 40, -40]
    wide = np.exp(random.uniform(-80, 80, 10000)) * random.choice([-1, 1], 10000)
    return np.concatenate([random.normal(0, 3, 10000), random.uniform(-30, 30, 10000), wide, edges]).astype(dtype)


class Catalogue(unittest.TestCase):
    def test_complete(self) -> None:
        kinds = [kind for kind in libsugar.catalogue() if kind.name != "table"]
        self.assertEqual(sorted(FORMULAS), sorted(kind.name for kind in kinds))
        for kind in kinds:
            formulas = FORMULAS[kind.name]
            self.assertEqual(formulas.value is None, "forward" not in kind.roles, kind.name)
            self.assertEqual(formulas.parameter_derivative is None, "learn" not in kind.capabilities, kind.name)


class Errors(unittest.TestCase):
    def compare(self, found: Any, expected: Any, x: Any, what: str, scale: float = 1) -> None:
        self.assertTrue(np.array_equal(np.isnan(found), np.isnan(expected)), what)
        infinite = np.isinf(x) | np.isinf(expected)
        self.assertTrue(np.array_equal(found[infinite], expected[infinite]), what)
        finite = np.isfinite(expected)
        error = np.abs(found[finite].astype(np.longdouble) - expected[finite])
        error /= np.maximum(scale, np.abs(expected[finite])) * np.finfo(x.dtype).eps
        self.assertLessEqual(error.max(), BOUND, f"{what}, x = {x[finite][error.argmax()]}")

    def test_like_the_library(self) -> None:
        for dtype in TYPES:
            x = points(dtype)
            for spec in specs():
                activation = libsugar.Activation(spec)
                composed = Composed(activation.info, dtype)
                with np.errstate(all="ignore"):
                    value = composed.value(Operations(dtype), x)
                    derivative = composed.derivative(Operations(dtype), x)
                self.compare(value, activation.forward(x), x, f"{spec}, {dtype.__name__}: value")
                ones = np.ones_like(x)
                self.compare(derivative, activation.backward(x, ones), x, f"{spec}, {dtype.__name__}: derivative")

    def test_parameter(self) -> None:
        """silu's has terms of x^2, which are bounded where they matter: x^2 s(beta x) s(-beta x) <= 0.44 / beta^2."""
        for dtype in TYPES:
            x = points(dtype)
            for spec in specs():
                activation = libsugar.Activation(spec)
                if "learn" not in activation.info.capabilities or "~" in spec:
                    continue
                parameter = np.full_like(x, next(iter(activation.info.forward.parameters.values())))
                expected, dx = np.empty_like(x), np.empty_like(x)
                activation.backward(x, np.ones_like(x), dx, parameter=parameter, parameter_gradient=expected)
                with np.errstate(all="ignore"):
                    found = Composed(activation.info, dtype).parameter_derivative(Operations(dtype), x, parameter)
                scale = max(1, float(parameter[0]) ** -2)
                self.compare(found, expected, x, f"{spec}, {dtype.__name__}: parameter derivative", scale)

    def test_parameter_out_of_range(self) -> None:
        """NaN, which graphs can hold, where the library raises."""
        for spec in specs():
            activation = libsugar.Activation(spec)
            if "learn" not in activation.info.capabilities or "~" in spec:
                continue
            x, parameter = np.array([-1.5, 0.5]), np.array([-1e9, 1e9])
            with self.assertRaises(libsugar.OutOfRangeError):
                activation.forward(x, parameter=parameter)
            composed, m = Composed(activation.info), Operations(np.float64)
            with np.errstate(all="ignore"):
                found = [composed.value(m, -np.abs(x), parameter), composed.derivative(m, -np.abs(x), parameter)]
            self.assertTrue(np.isnan(found).all(), f"{spec}: {found}")


if __name__ == "__main__":
    unittest.main()
