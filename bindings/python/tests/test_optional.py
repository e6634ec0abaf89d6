"""What the package can do with more packages: bfloat16 (ml_dtypes) and pictures (matplotlib).

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_optional.py

Exits with 77 if one of them is missing, and nothing is wrong with the other.
"""

from __future__ import annotations

import sys
import unittest
from importlib.util import find_spec
from unittest import mock

import libsugar
import numpy as np
from libsugar import _check, _tensor
from numpy_cases import OnArrays, bsilu_slope, random_view

missing = [name for name in ("ml_dtypes", "matplotlib") if find_spec(name) is None]


@unittest.skipIf("ml_dtypes" in missing, "there is no ml_dtypes")
class BFloat16(unittest.TestCase):
    def test_vectors(self) -> None:
        done = 0
        for case in _check.cases():
            if case["type"] == "bf16" and not case["status"] and not _check.unavailable(case):
                with self.subTest(case["name"]):
                    self.assertEqual(OnArrays(case).differences(), [])
                    done += 1
        self.assertGreater(done, 30)

    def test_views(self) -> None:
        import ml_dtypes

        random = np.random.default_rng(7)
        activation = libsugar.Activation("relu~bsilu")
        for _ in range(40):
            shape = tuple(int(n) for n in random.integers(1, 6, size=random.integers(0, 5)))
            x, dy, y, dx = (random_view(random, shape, ml_dtypes.bfloat16) for _ in range(4))
            self.assertEqual(_tensor.view(x, "x").data, x.ctypes.data)
            self.assertIs(activation.forward(x, y), y)
            np.testing.assert_array_equal(y.astype(float), np.maximum(x.astype(float), 0))
            activation.backward(x, dy, dx, threads=2)
            np.testing.assert_allclose(dx.astype(float), dy.astype(float) * bsilu_slope(x.astype(float)), rtol=0.008,
                                       atol=0.02)
            self.assertEqual(activation(x).dtype, ml_dtypes.bfloat16)

    def test_new_array(self) -> None:
        """For a tensor that is not NumPy's, a result of NumPy with the type of ml_dtypes."""
        import ml_dtypes

        case = next(case for case in _check.cases() if case["type"] == "bf16" and case["call"] == "forward")
        replay = _check.Replay(case)
        made = replay.activation.forward(replay.operand("x"))
        self.assertEqual(made.dtype, ml_dtypes.bfloat16)


@unittest.skipIf("matplotlib" in missing, "there is no matplotlib")
class Plot(unittest.TestCase):
    def test_curves(self) -> None:
        import matplotlib

        matplotlib.use("Agg")
        with mock.patch.dict("os.environ", {"MPLCONFIGDIR": "/tmp"}):
            axes = libsugar.plot("relu~bsilu", low=-2, high=2)
        value, slope = axes.get_lines()
        x, y = value.get_data()
        np.testing.assert_array_equal(y, np.maximum(x, 0))
        np.testing.assert_allclose(slope.get_data()[1], bsilu_slope(x), rtol=1e-13)
        self.assertEqual((x[0], x[-1], axes.get_title()), (-2, 2, "relu~bsilu(alpha=1.67)"))
        self.assertIs(libsugar.plot(libsugar.Activation("gelu"), axes=axes), axes)


if __name__ == "__main__":
    passed = unittest.main(exit=False).result.wasSuccessful()
    if missing:
        print(f"skipped: python-optional: there is no {' and no '.join(missing)}")
    sys.exit(1 if not passed else 77 if missing else 0)
