"""The package on NumPy's arrays, against formulas written here, and the shared vectors, bit for bit.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_libsugar.py
"""

from __future__ import annotations

import copy
import json
import unittest
from pathlib import Path
from typing import Any, cast

import libsugar
import numpy as np
from libsugar import _check
from numpy.lib.stride_tricks import as_strided
from numpy_cases import FORMULAS, OnArrays, bsilu_slope, nothing, random_view

BINDINGS = Path(__file__).resolve().parents[2]
ERROR = {np.float16: 2e-3, np.float32: 1e-6, np.float64: 1e-14}


class Vectors(unittest.TestCase):
    def test_all(self) -> None:
        cases = _check.cases()
        self.assertEqual(len(cases), json.loads((BINDINGS / "vectors/vectors.json").read_text())["count"])
        left_out = [case["name"] for case in cases if _check.unavailable(case)]
        self.assertLess(len(left_out), 17, left_out)     # they are in test_lowlevel.py
        for case in cases:
            if not _check.unavailable(case):
                with self.subTest(case["name"]):
                    self.assertEqual(_check.Replay(case).differences(), [])

    def test_numpy(self) -> None:
        done = 0
        for case in _check.cases():
            if case["call"] == "create" or case["status"] or case["type"] == "bf16" or _check.unavailable(case):
                continue
            with self.subTest(case["name"]):
                self.assertEqual(OnArrays(case).differences(), [])
                done += 1
        self.assertGreater(done, 150)

    def test_difference_is_seen(self) -> None:
        case = copy.deepcopy(_check.cases()[0])
        block = case["memories"][1]
        block["after"] = block["after"][:8] + "%08x" % (int(block["after"][8:16], 16) ^ 1) + block["after"][16:]
        self.assertEqual(len(_check.Replay(case).differences()), 1)


class Numbers(unittest.TestCase):
    def compare(self, found: Any, expected: Any, where: str) -> None:
        error = ERROR[found.dtype.type]
        np.testing.assert_allclose(found.astype(float), expected, rtol=error, atol=error, err_msg=where)

    def test_random_views(self) -> None:
        random = np.random.default_rng(1)
        for _ in range(40):
            shape = tuple(int(n) for n in random.integers(1, 6, size=random.integers(0, 5)))
            for spec, (value, slope) in FORMULAS.items():
                activation = libsugar.Activation(spec)
                for dtype in ERROR:
                    x, dy, y, dx = (random_view(random, shape, dtype) for _ in range(4))
                    exact, given = x.astype(float), dy.astype(float)
                    where = f"{spec}, {shape}, {[a.strides for a in (x, dy, y, dx)]}"
                    self.assertIs(activation.forward(x, y), y)
                    self.compare(y, value(exact), where)
                    self.assertIs(activation.backward(x, dy, dx), dx)
                    # Slopes are within an error of their own, then multiplied.
                    self.compare(dx, given * slope(exact), where)
                    self.compare(activation(x), value(exact), where)

    def test_only_the_view_is_written(self) -> None:
        base = np.full((9, 11), 7, np.float32)
        activation = libsugar.Activation("tanh")
        view = base[::-2, 1::3]
        activation.forward(np.zeros(view.shape, np.float32), view)
        expected = np.full((9, 11), 7)
        expected[::-2, 1::3] = 0
        np.testing.assert_array_equal(base, expected)

    def test_broadcast(self) -> None:
        activation = libsugar.Activation("relu~bsilu")
        x = np.linspace(-2, 2, 12).reshape(3, 4)
        for dy in (np.broadcast_to(2.0, x.shape), np.broadcast_to(x[0], x.shape), np.broadcast_to(x[:, :1], x.shape)):
            np.testing.assert_allclose(activation.backward(x, dy), dy * bsilu_slope(x), rtol=1e-14)
        row = np.broadcast_to(x[1], x.shape)
        y = activation.forward(row)
        self.assertTrue(y.flags.owndata and y.shape == x.shape)
        np.testing.assert_array_equal(y, np.maximum(row, 0))

    def test_in_place_and_accumulate(self) -> None:
        activation = libsugar.Activation("silu")
        value, slope = FORMULAS["silu"]
        start = np.random.default_rng(2).standard_normal((5, 6))
        x = start.copy()
        self.assertIs(activation.forward(x, x), x)
        np.testing.assert_allclose(x, value(start), rtol=1e-14)
        total = np.ones_like(start)
        for _ in range(2):
            activation.backward(start, start[::-1], total, accumulate=True)
        np.testing.assert_allclose(total, 1 + 2 * start[::-1] * slope(start), rtol=1e-13)

    def test_shapes_without_elements(self) -> None:
        activation = libsugar.Activation("gelu")
        for shape in ((0,), (3, 0, 2), ()):
            self.assertEqual(activation.forward(np.ones(shape)).shape, shape)


class Options(unittest.TestCase):
    x = np.random.default_rng(3).standard_normal((4, 3, 5)).astype(np.float32)
    dy = np.random.default_rng(4).standard_normal((4, 3, 5)).astype(np.float32)

    def test_parameter(self) -> None:
        activation = libsugar.Activation("prelu")
        slopes = np.array([0.5, 0.125, 0.25], np.float32)[:, None]
        np.testing.assert_array_equal(activation.forward(self.x, parameter=slopes),
                                      np.where(self.x > 0, self.x, self.x * slopes))
        gradient = np.ones_like(slopes)
        dx = activation.backward(self.x, self.dy, parameter=slopes, parameter_gradient=gradient)
        np.testing.assert_array_equal(dx, np.where(self.x > 0, self.dy, self.dy * slopes))
        expected = (self.dy.astype(float) * np.minimum(self.x, 0)).sum(axis=(0, 2))[:, None]
        np.testing.assert_allclose(gradient, expected, rtol=1e-6)
        for shape in ((), (1,), (1, 1, 1)):
            total = np.ones(shape, np.float32)
            activation.backward(self.x, self.dy, parameter=slopes, parameter_gradient=total)
            np.testing.assert_allclose(total.sum(), expected.sum(), rtol=1e-5)
        each = np.ones_like(self.x)
        activation.backward(self.x, self.dy, parameter=np.broadcast_to(slopes, self.x.shape), parameter_gradient=each)
        np.testing.assert_array_equal(each, self.dy * np.minimum(self.x, 0))
        with self.assertRaisesRegex(libsugar.ArgumentError, r"parameter: shape \(1, 1, 2\), expected \(4, 3, 5\)"):
            activation.forward(self.x, parameter=np.ones(2, np.float32))
        with self.assertRaisesRegex(libsugar.ArgumentError, r"parameter: shape \(1, 1, 1, 1\), expected"):
            activation.forward(self.x, parameter=np.ones((1, 1, 1, 1), np.float32))
        repeated = as_strided(np.ones(5, np.float32), self.x.shape, (0, 0, 4))
        with self.assertRaisesRegex(libsugar.OverlapError, "parameter_gradient: stride 0"):
            activation.backward(self.x, self.dy, parameter_gradient=repeated)

    def test_bias_and_gate(self) -> None:
        activation = libsugar.Activation("relu")
        bias, gate = np.array([0.5, -0.25, 1], np.float32)[:, None], self.dy[::-1]
        moved = np.maximum(self.x + bias, 0)
        np.testing.assert_array_equal(activation.forward(self.x, bias=bias, gate=gate), moved * gate)
        sums, product = np.ones_like(bias), np.ones_like(self.x)
        dx = activation.backward(self.x, self.dy, bias=bias, bias_gradient=sums, gate=gate, gate_gradient=product)
        np.testing.assert_array_equal(dx, self.dy * gate * (self.x + bias > 0))
        np.testing.assert_array_equal(product, self.dy * moved)
        np.testing.assert_allclose(sums, dx.astype(float).sum(axis=(0, 2))[:, None], rtol=1e-6)
        narrow = activation.forward(self.x.astype(np.float16), bias=bias)
        np.testing.assert_array_equal(narrow, np.maximum(self.x.astype(np.float16) + bias, 0).astype(np.float16))
        with self.assertRaisesRegex(libsugar.ArgumentError, r"gate: shape \(3, 1\), expected \(4, 3, 5\)"):
            activation.forward(self.x, gate=bias)
        with self.assertRaisesRegex(libsugar.UnsupportedError, "gate_gradient beside|bias beside"):
            activation.backward(None, self.dy, bias=bias, saved_gradient=np.zeros(self.x.shape, np.uint8))

    def test_backward_twice(self) -> None:
        activation, v = libsugar.Activation("leaky_relu(negative_slope=0.5)~softplus"), self.dy[::-1]
        ddy, dx = activation.backward_twice(self.x, self.dy, v)
        sigmoid = 1 / (1 + np.exp(-self.x.astype(float)))
        np.testing.assert_allclose(ddy, v * sigmoid, rtol=1e-5)
        np.testing.assert_allclose(dx, v * self.dy * sigmoid * (1 - sigmoid), rtol=1e-5, atol=1e-30)
        np.testing.assert_array_equal(ddy, activation.backward(self.x, v))
        # One output alone, in place, and added to.
        first, second = v.copy(), np.ones_like(self.x)
        self.assertEqual(activation.backward_twice(self.x, self.dy, first, first)[1], None)
        np.testing.assert_array_equal(first, ddy)
        found: Any = activation.backward_twice(self.x, self.dy, v, dx=second, accumulate=True, threads=2)
        self.assertIs(found[1], second)
        self.assertIsNone(found[0])
        np.testing.assert_allclose(second, 1 + dx, rtol=1e-6)
        with self.assertRaisesRegex(TypeError, "ddy: None, and dx None, expected an array to accumulate in"):
            activation.backward_twice(self.x, self.dy, v, accumulate=True)
        with self.assertRaisesRegex(libsugar.OverlapError, "ddy|dx"):
            activation.backward_twice(self.x, self.dy, v, second, second)
        with self.assertRaisesRegex(libsugar.ArgumentError, r"v: shape \(2, 3, 5\), expected \(4, 3, 5\)"):
            activation.backward_twice(self.x, self.dy, v[:2])

    def test_gradient_without_elements(self) -> None:
        activation, memory = libsugar.Activation("prelu"), np.ones(8)
        x = np.zeros((0, 3))
        strides_of_0 = as_strided(memory[2:], (0, 3), (0, 0))       # as NumPy may make an empty array
        activation.backward(x, x, parameter_gradient=strides_of_0)
        np.testing.assert_array_equal(memory, 1)
        activation.backward(x, x, parameter=memory[7:], parameter_gradient=memory[2:5])
        np.testing.assert_array_equal(memory, [1, 1, 0, 0, 0, 1, 1, 1])
        activation.backward(x, x, parameter_gradient=memory[5:6])
        np.testing.assert_array_equal(memory, [1, 1, 0, 0, 0, 0, 1, 1])

    def test_nothing(self) -> None:
        """Every operand without elements, at addresses and with strides that no array with elements could have."""
        for shape in ((0,), (0, 3), (3, 0, 2)):
            for dtype in (np.float16, np.float32, np.float64):
                for way in range(4):
                    self.run_nothing(shape, *(nothing(shape, dtype, way + i) for i in range(5)))

    def run_nothing(self, shape: tuple[int, ...], x: Any, dy: Any, out: Any, parameter: Any, gradient: Any) -> None:
        libsugar.Activation("relu~bsilu").forward(x, out)
        libsugar.Activation("relu~bsilu").backward(x, dy, out)
        prelu, relu, rrelu = (libsugar.Activation(spec) for spec in ("prelu", "relu", "rrelu"))
        prelu.forward(x, out, parameter=parameter)
        prelu.backward(x, dy, out, parameter=parameter, parameter_gradient=gradient)
        for saved_bits, codes in ((8, nothing(shape, np.uint8, 1)), (8, nothing(shape, np.uint8, 2)),
                                  (1, nothing((0,), np.uint8, 1)), (1, nothing((0,), np.uint8, 2)),
                                  (1, np.zeros(0, np.uint8)), (1, np.zeros(9, np.uint8)[3:3:-1])):
            relu.forward(x, out, saved_gradient=codes, saved_bits=saved_bits)
            relu.backward(None, dy, out, saved_gradient=codes, saved_bits=saved_bits)
        rrelu.forward(x, out, random=(1, 2))
        rrelu.backward(x, dy, out, random=(1, 2))
        self.assertEqual(prelu.forward(x).shape, shape)
        if shape[-1] > 0:
            monitor = libsugar.Monitor(shape[-1])
            prelu.forward(x, out, monitor=monitor)
            monitor.observe(x)
            self.assertEqual(monitor.summary().samples, 0)

    def test_saved_gradient(self) -> None:
        activation = libsugar.Activation("relu~bsilu")
        codes = np.empty(self.x.shape, np.uint8)
        activation.forward(self.x, saved_gradient=codes)
        low, high = activation.info.gradient_minimum, activation.info.gradient_maximum
        dx = activation.backward(None, self.dy, saved_gradient=codes)
        slopes = bsilu_slope(self.x.astype(float))
        self.assertLess(np.abs(dx / self.dy - slopes).max(), (high - low) / 509)
        activation = libsugar.Activation("relu")
        packed = np.empty((self.x.size + 7) // 8, np.uint8)
        activation.forward(self.x, saved_gradient=packed, saved_bits=1)
        np.testing.assert_array_equal(np.unpackbits(packed, bitorder="little")[:60], (self.x > 0).ravel())
        np.testing.assert_array_equal(activation.backward(None, self.dy, saved_gradient=packed, saved_bits=1),
                                      np.where(self.x > 0, self.dy, 0))
        unfit: tuple[Any, ...] = (packed[:-1], packed.astype(np.uint16), packed[::-1])
        for wrong in unfit:
            with self.assertRaisesRegex(libsugar.ArgumentError, "saved_gradient: .* expected 8 bytes"):
                activation.forward(self.x, saved_gradient=wrong, saved_bits=1)
        with self.assertRaisesRegex(libsugar.ArgumentError, "saved_bits: 2, expected 8 or 1"):
            activation.forward(self.x, saved_gradient=packed, saved_bits=2)

    def test_random(self) -> None:
        activation = libsugar.Activation("rrelu")
        offsets: tuple[int, ...] = (0, 0, 15)
        drawn: Any = [activation.forward(self.x, random=(7, offset)) for offset in offsets]
        y, again, other = drawn
        np.testing.assert_array_equal(y, again)
        self.assertTrue((y != other).any())
        negative = self.x < 0
        slopes = y[negative] / self.x[negative]
        self.assertTrue((slopes >= 0.1249).all() and (slopes <= 0.3334).all() and slopes.std() > 0.02)
        dx = activation.backward(self.x, np.ones_like(self.x), random=(7, 0))
        np.testing.assert_allclose(dx[negative], slopes, rtol=1e-6)
        with self.assertRaisesRegex(libsugar.ArgumentError, f"seed: {1 << 64}, expected 0 to {(1 << 64) - 1}"):
            activation.forward(self.x, random=(1 << 64, 0))

    def test_from_output(self) -> None:
        activation = libsugar.Activation("tanh")
        y = activation.forward(self.x)
        np.testing.assert_allclose(activation.backward(y, self.dy, from_output=True),
                                   self.dy * (1 - y * y.astype(float)), rtol=1e-5, atol=1e-7)
        with self.assertRaises(libsugar.UnsupportedError):
            libsugar.Activation("relu~bsilu").backward(y, self.dy, from_output=True)

    def test_nontemporal(self) -> None:
        activation = libsugar.Activation("silu")
        stores: tuple[Any, ...] = (None, True, False)
        for nontemporal in stores:
            np.testing.assert_array_equal(activation.forward(self.x, nontemporal=nontemporal),
                                          activation.forward(self.x))

    def test_refusals_of_the_layer(self) -> None:
        activation = libsugar.Activation("relu")
        with self.assertRaisesRegex(TypeError, "out: None"):
            activation.backward(self.x, self.dy, accumulate=True)
        with self.assertRaisesRegex(TypeError, "threads and context"):
            activation.forward(self.x, threads=2, context=libsugar.Context(2))
        with self.assertRaisesRegex(libsugar.ArgumentError, "threads: 4294967298, expected"):
            activation.forward(self.x, threads=(1 << 32) + 2)
        wrong: dict[str, Any] = {"context": 3, "monitor": 3, "nontemporal": "x", "random": 3, "threads": "2"}
        for name, value in wrong.items():
            with self.subTest(name), self.assertRaisesRegex(TypeError, f"{name}: "):
                activation.forward(self.x, **{name: value})
        with self.assertRaisesRegex(libsugar.ArgumentError, "level: .*NUL"):
            libsugar.Activation("relu", "avx2\0x")

    def test_truth_of_flags(self) -> None:
        out = np.full_like(self.x, 5)
        added: Any = libsugar.Activation("relu").backward(self.x, self.dy, out, accumulate=cast(bool, 2))
        np.testing.assert_array_equal(added, 5 + np.where(self.x > 0, self.dy, 0))


if __name__ == "__main__":
    unittest.main()
