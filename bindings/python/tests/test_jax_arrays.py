"""Arrays of JAX through NumPy's side of the package, as inputs; what has no memory, or may not be written, is refused.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_jax_arrays.py
"""

from __future__ import annotations

import unittest
from typing import Any

import jax
import jax.numpy as jnp
import libsugar
import numpy as np


class Arrays(unittest.TestCase):
    def test_inputs(self) -> None:
        for dtype in ("float16", "bfloat16", "float32"):
            x = jnp.linspace(-2, 2, 9).astype(dtype)
            made: Any = libsugar.Activation("relu")(x)
            self.assertIs(type(made), np.ndarray)
            np.testing.assert_array_equal(made, np.maximum(np.asarray(x), 0))

    def test_waits(self) -> None:
        """JAX computes on while Python goes on; the memory is read when it is done."""
        factor = jax.random.normal(jax.random.key(0), (1500, 1500))
        x = factor @ factor @ factor
        made: Any = libsugar.Activation("relu")(x)
        np.testing.assert_array_equal(made, np.maximum(np.asarray(x), 0))

    def test_never_written(self) -> None:
        """Other arrays of JAX, and compiled programs, may share the memory."""
        out = jnp.zeros(4)
        for threads in (None, 1):
            with self.assertRaisesRegex(libsugar.ArgumentError, "^out: "):
                libsugar.Activation("relu")(np.ones(4, np.float32), out, threads=threads)
        self.assertEqual(out.tolist(), [0] * 4)

    def test_without_memory(self) -> None:
        deleted = jnp.ones(3)
        deleted.delete()
        with self.assertRaisesRegex(libsugar.ArgumentError, "^x: .*deleted"):
            libsugar.Activation("relu")(deleted)

        def traced(x: Any) -> Any:
            return jnp.sum(jnp.asarray(libsugar.Activation("relu")(x)))

        for transformed in (jax.jit(traced), jax.vmap(traced), jax.grad(traced)):
            with self.assertRaisesRegex(libsugar.ArgumentError, "^x: .*Tracer"):
                transformed(jnp.ones(3))


if __name__ == "__main__":
    unittest.main()
