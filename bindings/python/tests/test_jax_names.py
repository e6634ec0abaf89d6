"""The specs that doc/names.json gives for the names of jax.nn, beside JAX: values in float64, and slopes but at kinks.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_jax_names.py
"""

from __future__ import annotations

import unittest
from typing import Any

import jax
import jax.numpy as jnp
import libsugar
import numpy as np
from names_table import calls, halves, points, table

# In units of eps * max(1, |x|, |result|): the library's errors and JAX's own.
BOUND = 64
KINKS = np.array([0, -1, 1, -3, 3, 6])


class Names(unittest.TestCase):
    def compare(self, found: Any, expected: Any, x: Any) -> None:
        error = np.abs(found - expected) / np.finfo(np.float64).eps
        error /= np.maximum(np.maximum(1, np.abs(x)), np.abs(expected))
        worst = error.argmax()
        self.assertLessEqual(error[worst], BOUND, f"x = {x[worst]!r}: {found[worst]!r}, expected {expected[worst]!r}")

    def test_values_and_slopes(self) -> None:
        for row, passed, arguments in calls("JAX"):
            activation = libsugar.Activation(row.spec_of(arguments))
            x = points(row, arguments)
            for name in row.names:
                with self.subTest(f"{name}, {passed}"), jax.enable_x64(True):
                    def function(x: Any) -> Any:
                        return getattr(jax.nn, name)(x, **passed)
                    if row.gate:
                        u, gate = halves(row, arguments, x, x[::-1])
                        self.compare(activation.forward(u) * gate, function(np.concatenate([x, x[::-1]])), x)
                        continue
                    self.compare(activation.forward(x), np.asarray(function(jnp.asarray(x))), x)
                    smooth = x[(np.abs(x[:, None] - KINKS) > 1e-6).all(1)]
                    slope = np.asarray(jax.vmap(jax.grad(function))(jnp.asarray(smooth)))
                    self.compare(activation.backward(smooth, np.ones_like(smooth)), slope, smooth)

    def test_complete(self) -> None:
        public = {name for name in dir(jax.nn) if not name.startswith("_")}
        self.assertEqual(public, {name for row in table()["JAX"] for name in row.names})


if __name__ == "__main__":
    unittest.main()
