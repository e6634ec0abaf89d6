"""The package on NumPy's arrays, against formulas written here, and the shared vectors, bit for bit.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_libsugar.py
"""

from __future__ import annotations

import contextlib
import copy
import ctypes
import gc
import io
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
import unittest
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, cast
from unittest import mock

import libsugar
import numpy as np
from libsugar import __main__, _check, _context, _tensor, overhead
from libsugar import _lowlevel as c
from numpy.lib.stride_tricks import as_strided

BINDINGS = Path(__file__).resolve().parents[2]
ERROR = {np.float16: 2e-3, np.float32: 1e-6, np.float64: 1e-14}
F = Callable[[Any], Any]


def logistic(x: Any) -> Any:
    return 0.5 * (1 + np.tanh(0.5 * x))


def bsilu_slope(x: Any) -> Any:
    s = logistic(x)
    return s + (x + 1.67) * s * (1 - s)


# Specs with their value and what the backward pass multiplies with, in f64, by formulas of their own.
FORMULAS: dict[str, tuple[F, F]] = {
    "relu~bsilu": (lambda x: np.where(x > 0, x, 0), bsilu_slope),
    "relu~bsilu(blend=0.25)": (lambda x: np.where(x > 0, x, 0), lambda x: 0.25 * bsilu_slope(x) + 0.75 * (x > 0)),
    "relu~nelu(alpha=0.1,domain=negative)": (
        lambda x: np.where(x > 0, x, 0), lambda x: np.where(x > 0, 1, 0.2 * x / (1 + x * x) ** 2)),
    "leaky_relu(negative_slope=0.125)": (
        lambda x: np.where(x > 0, x, 0.125 * x), lambda x: np.where(x > 0, 1, 0.125)),
    "silu": (lambda x: x * logistic(x), lambda x: logistic(x) * (1 + x * (1 - logistic(x)))),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "elu": (lambda x: np.where(x > 0, x, np.expm1(x)), lambda x: np.where(x > 0, 1, np.exp(x))),
    "softplus": (lambda x: np.logaddexp(0, x), logistic),
}


def random_view(random: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    """An array of that shape, cut out of a larger one: any order of dimensions, steps of either sign."""
    order = random.permutation(len(shape))
    steps = random.choice([-3, -2, -1, 1, 2], size=len(shape))
    extents = [shape[i] * abs(steps[i]) + random.integers(3) for i in order]
    base = (3 * random.standard_normal(extents)).astype(dtype).transpose(np.argsort(order))
    taken: Any = (..., *(slice(None, None, step) for step in steps))
    first: Any = (..., *(slice(0, extent) for extent in shape))
    return base[taken][first]


class OnArrays(_check.Replay):
    """Cases with views of NumPy in place of raw tensors."""

    def array(self, operand: _check.Case) -> Any:
        index = operand["memory"]       # None: NULL, of which NumPy has no array
        memory = memoryview(bytearray(64)) if index is None else memoryview(self.memories[index].doubles).cast("B")
        code, bits, _ = operand["dtype"]
        dtype: Any = np.uint8 if code == c.SUGAR_TYPE_UNSIGNED else f"f{bits // 8}"
        if code == c.SUGAR_TYPE_BFLOAT:
            import ml_dtypes

            dtype = ml_dtypes.bfloat16
        start = memory[operand["data"] + operand["byte_offset"]:]
        if operand["strides"] is None:
            strides = _tensor.compact(operand["shape"])
        else:
            strides = operand["strides"]
        first: Any = np.ndarray((), dtype, start)
        return as_strided(first, operand["shape"], [bits // 8 * step for step in strides])


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


def nothing(shape: tuple[int, ...], dtype: Any, way: int) -> Any:
    """An array without elements: NumPy's own; misaligned, with strides that split elements; by DLPack at NULL, and at
    an odd address."""
    if way % 4 == 0:
        return np.zeros(shape, dtype)
    if way % 4 == 1:
        memory = np.frombuffer(bytearray(17), np.uint8)[1:17].view(dtype)
        return as_strided(memory, shape, (3,) * len(shape))
    code, bits = _tensor.CODES[np.dtype(dtype).kind], 8 * np.dtype(dtype).itemsize
    return _check.Raw(None if way % 4 == 2 else 1, {"shape": shape, "strides": (-7, 0, 5)[:len(shape)], "device": 1,
                                                    "dtype": (code, bits, 1), "byte_offset": 3})


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


class Errors(unittest.TestCase):
    def test_classes(self) -> None:
        with self.assertRaises(libsugar.SpecError) as caught:
            libsugar.Activation("rel")
        self.assertEqual((caught.exception.status, str(caught.exception)), (
            -2, "spec: position 0: expected a function's name, found 'rel', did you mean 'relu'?"))
        self.assertIsInstance(caught.exception, (libsugar.Error, ValueError))
        with self.assertRaisesRegex(libsugar.UnsupportedError, "level"):
            libsugar.Activation("relu", level="none")
        with mock.patch.object(c, "sugar_context_create", return_value=c.SUGAR_ERROR_OUT_OF_MEMORY):
            with self.assertRaises(libsugar.OutOfMemoryError) as memory:
                libsugar.Context(2)
        self.assertIsInstance(memory.exception, MemoryError)
        for spec in (b"relu", None):
            with self.assertRaisesRegex(TypeError, "spec: "):
                libsugar.Activation(spec)  # type: ignore[arg-type]

    def test_arrays(self) -> None:
        activation = libsugar.Activation("relu")
        x, out = np.ones(4), np.full(4, 7.0)
        wrong: list[tuple[Any, Any, type[Exception], str]] = [
            (x, out[:3], libsugar.ArgumentError, r"y: shape \(3,\), expected \(4,\) like x"),
            (x, out.astype("f4"), libsugar.ArgumentError, "y: dtype float32, expected float64 like x"),
            (np.arange(4), np.arange(4), libsugar.UnsupportedError, "x: dtype with code 0"),
            (np.ones(4, np.longdouble), out, libsugar.UnsupportedError, "x: dtype with code 2 and 128 bits"),
            (np.ones(4, ">f8"), out, libsugar.ArgumentError, "x: dtype >f8, expected the byte order"),
            (np.array(["a"] * 4), out, TypeError, "x: dtype <U1, expected float16"),
            ([1.0] * 4, out, TypeError, "x: list, expected an array"),
            (x, [1.0] * 4, TypeError, "out: list, expected an array"),
            (x, np.broadcast_to(1.0, 4), libsugar.ArgumentError, "out: read-only"),
            (out[1:], out[:-1], libsugar.OverlapError, "y: overlaps x"),
            (np.ones(9, "u1, f8")["f1"], np.ones(9), libsugar.ArgumentError, "x: a stride of 9 bytes"),
        ]
        for given, target, kind, message in wrong:
            with self.subTest(message), self.assertRaisesRegex(kind, message):
                activation.forward(given, target)
        np.testing.assert_array_equal(out, 7)

    def test_messages_of_threads(self) -> None:
        """Each thread raises what it did wrong itself."""
        wrong: list[str] = []

        def fail(name: str) -> None:
            for _ in range(300):
                try:
                    libsugar.Activation(name)
                except libsugar.SpecError as error:
                    if f"'{name}'" not in str(error):
                        wrong.append(str(error))

        threads = [threading.Thread(target=fail, args=("x" * n,)) for n in (5, 6, 7)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])


class Memory(unittest.TestCase):
    def test_freed(self) -> None:
        makers: dict[str, Callable[[], Any]] = {
            "sugar_activation_destroy": lambda: libsugar.Activation("relu"),
            "sugar_context_destroy": lambda: libsugar.Context(2),
            "sugar_monitor_destroy": lambda: libsugar.Monitor(3)}
        for name, make in makers.items():
            with mock.patch.object(c, name, side_effect=getattr(c, name)) as destroy:
                made = make()
                handle = made._handle
                gc.collect()
                destroy.assert_not_called()
                del made
                gc.collect()
                destroy.assert_called_once_with(handle)

    def test_references(self) -> None:
        """Arrays are let go, after failures too."""
        activation = libsugar.Activation("relu")
        x, out = np.ones(4), np.ones(4)
        before = sys.getrefcount(x), sys.getrefcount(out)
        for _ in range(10):
            activation.forward(x, out)
            activation.backward(x, x, out, threads=2)
            with self.assertRaises(libsugar.Error):
                activation.forward(x, out[:3])
        gc.collect()
        self.assertEqual((sys.getrefcount(x), sys.getrefcount(out)), before)

    def test_no_copies(self) -> None:
        activation = libsugar.Activation("relu~bsilu")
        base = np.ones((1024, 2048), np.float32)
        x, out = base[::-2, ::2], np.empty_like(base).T[1::2, ::-2].T
        tracemalloc.start()
        try:
            activation.forward(x, out)
            activation.backward(x, np.broadcast_to(np.float32(1), x.shape), out, accumulate=True)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        self.assertLess(peak, 65536)
        for array in (base, x, out, np.broadcast_to(x[0], x.shape)):
            self.assertEqual(_tensor.view(array, "x").data, array.ctypes.data)


class Managed:
    """Anything with __dlpack__, and nothing else of it: a capsule of DLPack 1.0 over an array."""

    def __init__(self, array: Any, major: int = 1, flags: int = 0) -> None:
        self.kept = _tensor.numpy_view(array, "array", False)
        self.managed = _tensor.Versioned(major=major, flags=flags, tensor=self.kept)

    def __dlpack__(self, *, max_version: tuple[int, int] | None = None) -> Any:
        return _check.new_capsule(ctypes.addressof(self.managed), _tensor.VERSIONED, None)


class Unversioned:
    """As before DLPack 1.0."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __dlpack__(self) -> Any:
        return self.array.__dlpack__()


class Handing:
    """What says that it hands out memory, and hands out something else."""

    def __init__(self, found: Any) -> None:
        self.found = found

    def __dlpack__(self, **_: Any) -> Any:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


class Arrays(unittest.TestCase):
    """Which arrays are taken, and that all others are refused by the name of the argument."""

    def refused(self, array: Any, kind: type[Exception], text: str) -> None:
        """Everywhere that an array is taken."""
        x, monitor, codes = np.ones(4), libsugar.Monitor(4), np.empty(4, np.uint8)
        relu, prelu = libsugar.Activation("relu~bsilu"), libsugar.Activation("prelu")
        inputs: dict[str, list[Callable[[], Any]]] = {
            "x": [lambda: relu(array), lambda: relu(array, x), lambda: relu(array, x.copy(), threads=1),
                  lambda: relu.backward(array, x), lambda: relu.backward(array, x, x.copy()),
                  lambda: relu.backward(array, x, x.copy(), accumulate=True), lambda: monitor.observe(array)],
            "dy": [lambda: relu.backward(x, array), lambda: relu.backward(x, array, x.copy()),
                   lambda: relu.backward(None, array, saved_gradient=codes)],
            "parameter": [lambda: prelu(x, parameter=array)],
            "saved_gradient": [lambda: relu.backward(None, x, saved_gradient=array)]}
        written: dict[str, list[Callable[[], Any]]] = {
            "out": [lambda: relu(x, array), lambda: relu(x, array, threads=1), lambda: relu.backward(x, x, array),
                    lambda: relu.backward(x, x, array, accumulate=True)],
            "parameter_gradient": [lambda: prelu.backward(x, x, parameter=np.ones(1), parameter_gradient=array)],
            "saved_gradient": [lambda: relu(x, saved_gradient=array)]}
        for calls in (inputs, written):
            for argument, each in calls.items():
                for i, call in enumerate(each):
                    with self.subTest(argument, i=i), self.assertRaisesRegex(kind, f"^{argument}: .*{text}"):
                        call()
        self.assertEqual(monitor.summary().samples, 0)

    def test_subclasses(self) -> None:
        """What an element means may be more than its memory, as in an array with a mask or a unit."""

        class Quantity(np.ndarray):     # type: ignore[type-arg]
            unit = "m"

        masked: Any = np.ma.array([-1.0, 2.0, 3.0, 4.0], mask=[0, 1, 0, 0])     # type: ignore[no-untyped-call]
        self.refused(masked, TypeError, r"MaskedArray, whose mask .*\.filled\(\.\.\.\) or .*\.compressed\(\)")
        self.refused(np.ones(4).view(Quantity), TypeError, "Quantity, .*numpy.asarray")

    def test_plain_subclasses(self) -> None:
        x = np.linspace(-2, 2, 4)
        with tempfile.NamedTemporaryFile() as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            mapped: Any = np.memmap(file.name, np.float64, "w+", shape=(4,))
            mapped[:] = x
            for array in (mapped, np.matrix(x)):
                made = libsugar.Activation("relu")(array)
                self.assertIs(type(made), np.ndarray)
                np.testing.assert_array_equal(made, np.maximum(array, 0))
            self.assertIs(libsugar.Activation("relu")(x, mapped), mapped)
            np.testing.assert_array_equal(mapped, np.maximum(x, 0))

    def test_dlpack(self) -> None:
        """Capsules of DLPack 1.0, inputs and outputs; older ones as inputs alone."""
        activation = libsugar.Activation("relu~bsilu")
        x, y = np.linspace(-2, 2, 9, dtype=np.float32)[::-1], np.empty(9, np.float32)
        out = Managed(y)
        sources: tuple[Any, ...] = (Managed(x), Managed(x, flags=_tensor.READ_ONLY),
                                    Managed(x, flags=_tensor.IS_COPIED), Unversioned(x))
        for source in sources:
            y[:] = 9
            self.assertIs(activation.forward(source, out), out)
            np.testing.assert_array_equal(y, np.maximum(x, 0))
            made: Any = activation.backward(source, source, threads=2)
            self.assertIs(type(made), np.ndarray)
            np.testing.assert_array_equal(made, activation.backward(x, x))

    def test_outputs(self) -> None:
        """What may not be written, and what cannot say so."""
        x, y = np.ones(4), np.full(4, 9.0)
        writes: list[Callable[[Any], Any]] = [
            lambda out: libsugar.Activation("relu")(x, out), lambda out: libsugar.Activation("relu")(x, out, threads=1),
            lambda out: libsugar.Activation("relu").backward(x, x, out)]
        for out, text in ((Managed(y, flags=_tensor.READ_ONLY), "read-only"), (Unversioned(y), "before 1.0"),
                          (Managed(y, flags=_tensor.IS_COPIED), "a copy")):
            for write in writes:
                with self.assertRaisesRegex(libsugar.ArgumentError, f"^out: .*{text}"):
                    write(out)
        np.testing.assert_array_equal(y, 9)

    def test_no_capsules(self) -> None:
        self.refused(Handing(7), TypeError, "__dlpack__ gave 7")
        self.refused(Handing(_check.new_capsule(ctypes.addressof(ctypes.c_int()), b"used_dltensor", None)), TypeError,
                     "__dlpack__ gave <capsule object \"used_dltensor\"")
        self.refused(Handing(BufferError("on Mars")), libsugar.ArgumentError, "Handing .*: on Mars")
        self.refused(Managed(np.ones(4), major=2), libsugar.ArgumentError, r"DLPack 2\.0")
        self.refused([1.0, 2.0], TypeError, "list, expected an array")


class Loading(unittest.TestCase):
    """An ImportError, whatever SUGAR_LIBRARY leads to."""

    def failure(self, library: object) -> str:
        found = subprocess.run([sys.executable, "-c", "import libsugar"], stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "SUGAR_LIBRARY": str(library)})
        self.assertNotEqual(found.returncode, 0)
        return found.stderr.splitlines()[-1]

    def refused(self, library: object, text: str) -> None:
        self.assertRegex(self.failure(library), f"^ImportError: libsugar: '{re.escape(str(library))}' {text}.*; "
                                                f"expected SUGAR_LIBRARY to be the path of {c.library.soname}")

    def test_none(self) -> None:
        self.refused("/nowhere/libsugar.so", "cannot be loaded")

    def test_others(self) -> None:
        """A library of another name, of another ABI, and one that lacks a function: copies of ours, renamed within."""
        mine = Path(c.library.path)
        if not mine.exists():
            self.skipTest("skipped: the library was found by its name, not by a path")
        with tempfile.TemporaryDirectory() as folder:
            other = Path(folder) / "other.so"
            for name, renamed, text in (
                    (c.library.soname, "libsugar.so.?", f"does not call itself {c.library.soname}"),
                    ("sugar_monitor_merge", "sugar_monitor_xxxxx", "has no sugar_monitor_merge")):
                code = mine.read_bytes()
                self.assertIn(name.encode() + b"\0", code)
                other.write_bytes(code.replace(name.encode() + b"\0", renamed.encode() + b"\0"))
                self.refused(other, re.escape(text))


class Threads(unittest.TestCase):
    def tearDown(self) -> None:
        libsugar.set_threads(1)

    def test_same_bits(self) -> None:
        activation = libsugar.Activation("mish~bsilu")
        x = np.random.default_rng(5).standard_normal(1 << 18).astype(np.float32)
        one = activation.forward(x), activation.backward(x, x)
        context = libsugar.Context(2)
        ways: tuple[Any, ...] = ({"threads": 2}, {"context": context}, {"threads": 1})
        ways_set: tuple[Any, ...] = (2, context, 1)
        for options in ways:
            np.testing.assert_array_equal(activation.forward(x, **options), one[0])
            np.testing.assert_array_equal(activation.backward(x, x, **options), one[1])
        for threads in ways_set:
            libsugar.set_threads(threads)
            self.assertEqual(libsugar.get_threads(), 1 if threads == 1 else 2)
            np.testing.assert_array_equal(activation.forward(x), one[0])

    def test_zero(self) -> None:
        """0 stands for as many threads as the process may use, and so does nothing said; the count is the library's."""
        activation = libsugar.Activation("mish")
        x = np.random.default_rng(6).standard_normal(1 << 18).astype(np.float32)
        alone = activation.forward(x)
        everything = libsugar.Context()
        self.assertGreaterEqual(everything.threads, 1)
        self.assertEqual(libsugar.Context(0).threads, everything.threads)
        self.assertEqual(libsugar.Context(0, lambda task, count: None).threads, everything.threads)
        self.assertEqual([libsugar.Context(n).threads for n in (1, 3)], [1, 3])
        np.testing.assert_array_equal(activation.forward(x, context=everything), alone)
        np.testing.assert_array_equal(activation.forward(x, threads=0), alone)
        libsugar.set_threads(0)
        self.assertEqual(libsugar.get_threads(), everything.threads)
        np.testing.assert_array_equal(activation.forward(x), alone)
        if hasattr(os, "sched_setaffinity"):
            before = os.sched_getaffinity(0)
            self.addCleanup(os.sched_setaffinity, 0, before)
            copied = pickle.dumps(everything)
            os.sched_setaffinity(0, {min(before)})
            self.assertEqual(libsugar.Context().threads, 1)
            self.assertEqual(pickle.loads(copied).threads, 1)       # what was asked for, not what it was there

    def test_pool_is_used(self) -> None:
        """With three threads set, the process has two more, until it is set back."""
        tasks = Path("/proc/self/task")
        if not tasks.exists():
            self.skipTest("skipped: no /proc to count threads")
        _context.pool.cache_clear()
        gc.collect()
        before = len(list(tasks.iterdir()))
        libsugar.set_threads(3)
        self.assertEqual(len(list(tasks.iterdir())), before + 2)
        libsugar.set_threads(1)
        gc.collect()
        self.assertEqual(len(list(tasks.iterdir())), before)

    def test_parallel_for(self) -> None:
        """The caller's pool; every task is done once, also by one that fails, or does them not or twice."""
        activation = libsugar.Activation("mish")
        x = np.random.default_rng(8).standard_normal(1 << 18)
        names = set()

        def accumulated(context: libsugar.Context | None) -> Any:
            return activation.backward(x, x, np.ones_like(x), accumulate=True, context=context)

        def note(task: Callable[[int], None]) -> Callable[[int], None]:
            def noted(index: int) -> None:
                names.add(threading.current_thread().name)
                task(index)

            return noted

        def failing(task: Callable[[int], None], count: int) -> None:
            task(0)
            raise ValueError("no more")

        with ThreadPoolExecutor(2, "worker") as executor:
            ways: tuple[Any, ...] = (lambda task, count: list(executor.map(note(task), range(count))),
                                     lambda task, count: [executor.submit(task, i) for i in range(count)],
                                     lambda task, count: None,
                                     lambda task, count: [task(i % count) for i in range(2 * count)])
            for way in ways:
                np.testing.assert_array_equal(accumulated(libsugar.Context(4, way)), accumulated(None))
        self.assertTrue(names and all(name.startswith("worker") for name in names), names)
        with mock.patch.object(sys, "unraisablehook") as hook:
            np.testing.assert_array_equal(accumulated(libsugar.Context(4, failing)), accumulated(None))
        self.assertIn("no more", str(hook.call_args[0][0].exc_value))

    def test_gil(self) -> None:
        """Python goes on in this thread while another is inside a call."""
        activation = libsugar.Activation("mish", level="scalar")
        x = np.ones(1 << 23, np.float32)
        inside: list[float] = []

        def call() -> None:
            inside.append(time.perf_counter())
            activation.forward(x, x)
            inside.append(time.perf_counter())

        thread = threading.Thread(target=call)
        ticks = []
        thread.start()
        while thread.is_alive():
            ticks.append(time.perf_counter())
            time.sleep(0.001)
        begin, end = inside
        middle = [tick for tick in ticks if begin + 0.1 * (end - begin) < tick < end - 0.1 * (end - begin)]
        self.assertGreater(len(middle), 2, f"a call of {end - begin:.3f} s")

    def test_monitor_in_turns(self) -> None:
        activation, monitor = libsugar.Activation("relu"), libsugar.Monitor(64)
        x = np.ones((512, 64), np.float32)

        def feed() -> None:
            for _ in range(50):
                activation.forward(x, monitor=monitor)
                monitor.summary()

        threads = [threading.Thread(target=feed) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(monitor.summary().samples, 4 * 50 * x.size)


class Monitors(unittest.TestCase):
    def setUp(self) -> None:
        self.x = np.random.default_rng(6).standard_normal((7, 5, 11)).astype(np.float32)
        self.x[:, 2] = -np.abs(self.x[:, 2])
        self.x[0, 0, 0] = np.inf
        self.monitor = libsugar.Monitor(5, axis=-2, minimum=-2, maximum=2)
        libsugar.Activation("relu").forward(self.x, monitor=self.monitor)

    def test_against_numpy(self) -> None:
        seen = self.monitor.summary()
        finite = self.x[np.isfinite(self.x)].astype(float)
        self.assertEqual(seen[:5], (5, self.x.size, (self.x > 0).sum(), 1, 1))
        self.assertEqual((seen.axis, seen.bins), (-2, 32))
        np.testing.assert_allclose(seen[5:8], (1 - (self.x > 0).mean(), finite.mean(), finite.std()), rtol=1e-12)
        unit = self.x[:, 3].astype(float)
        self.assertEqual(self.monitor.unit(3)[:3], (77, (unit > 0).sum(), 0))
        np.testing.assert_allclose(self.monitor.unit(3)[3:], (
            unit.sum(), (unit * unit).sum(), unit.mean(), unit.std()), rtol=1e-12)
        self.assertEqual(self.monitor.dead().tolist(), [2])
        self.assertEqual(self.monitor.dead(1.0).tolist(), [0, 1, 2, 3, 4])
        counts, edges = self.monitor.histogram()
        np.testing.assert_allclose(edges, np.linspace(-2, 2, 31), atol=1e-12)
        self.assertEqual(counts[0], (self.x < -2).sum())
        np.testing.assert_array_equal(counts[1:-1].sum() + counts[-1], (self.x >= -2).sum())

    def test_copies(self) -> None:
        saved = self.monitor.save()
        for other in (libsugar.Monitor.restore(saved), pickle.loads(pickle.dumps(self.monitor)),
                      copy.deepcopy(self.monitor)):
            self.assertEqual(other.save(), saved)
            other.observe(self.x, threads=2)
            self.assertEqual(other.summary().samples, 2 * self.x.size)
        self.assertEqual(self.monitor.save(), saved)
        damaged = bytearray(saved)
        damaged[40] ^= 1
        with self.assertRaises(libsugar.DataError):
            libsugar.Monitor.restore(bytes(damaged))

    def test_merge_and_reset(self) -> None:
        other = copy.copy(self.monitor)
        other.merge(self.monitor)
        self.assertEqual(other.summary().active, 2 * self.monitor.summary().active)
        self.assertIn("5 units, 1 dead", repr(other))
        with self.assertRaisesRegex(libsugar.ArgumentError, "same"):
            other.merge(other)
        with self.assertRaises(TypeError):
            other.merge(None)  # type: ignore[arg-type]
        other.reset()
        self.assertEqual(other.summary().samples, 0)

    def test_refusals(self) -> None:
        wrong: tuple[tuple[Callable[[], Any], str], ...] = (
                (lambda: libsugar.Monitor(0), "units"), (lambda: libsugar.Monitor((1 << 64) + 1), "units"),
                (lambda: libsugar.Monitor(3, axis=0), "axis: 0, expected -1, the last one, down to -64"),
                (lambda: libsugar.Monitor(3, axis=-65), "axis: -65, expected -1"),
                (lambda: libsugar.Monitor(3, axis=1 << 32), "axis: 4294967296, expected -1"),
                (lambda: self.monitor.unit(5), "index"), (lambda: self.monitor.dead(2), "rate"),
                (lambda: self.monitor.observe(self.x[:, :4]), "x: extent 4"))
        for call, message in wrong:
            with self.assertRaisesRegex(libsugar.ArgumentError, message):
                call()
        with self.assertRaisesRegex(libsugar.UnsupportedError, "bins 33, expected 0 or 32"):
            libsugar.Monitor(3, bins=33)


class Commands(unittest.TestCase):
    def output(self, main: Callable[[], Any]) -> tuple[Any, str, str]:
        out, error = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
            result = main()
        return result, out.getvalue(), error.getvalue()

    def test_main(self) -> None:
        result, out, error = self.output(__main__.main)
        self.assertEqual((result, error), (0, ""))
        self.assertIn("bsilu(alpha=1.67)", out)
        self.assertRegex(out, r"scalar \((in use|available)\)")
        self.assertRegex(out, r"Self-check: 4\d\d calls .* every bit as it should be\n$")

    def test_main_fails(self) -> None:
        case = copy.deepcopy(_check.cases()[0])
        case["memories"][1]["after"] = case["memories"][1]["before"]
        with mock.patch.object(_check, "cases", return_value=[case]):
            result, out, error = self.output(__main__.main)
        self.assertEqual(result, 1)
        self.assertRegex(error, r"0: kind \(identity\): memory 1\[1\]: ")
        self.assertRegex(out, r"Self-check: 1 calls .* 1\d differences\n$")

    def test_overhead(self) -> None:
        with mock.patch("timeit.repeat", side_effect=lambda call, **_: [call() is None, 0.02]), (
                mock.patch.object(sys, "argv", ["overhead", "8"])):
            out = self.output(overhead.main)[1]
        self.assertRegex(out, r"^8 elements")
        self.assertRegex(out, r"backward\(x, dy, out\) +\d")


class Introspection(unittest.TestCase):
    def test_catalogue(self) -> None:
        expected = json.loads((BINDINGS / "api.json").read_text())
        for kind in expected["catalogue"]:
            names = [one["name"] for one in kind["parameters"]]
            for one in kind["parameters"]:
                one["not_above"] = names[one["not_above"]] if one["not_above"] >= 0 else None
        self.assertEqual([{**kind._asdict(), "roles": list(kind.roles), "capabilities": list(kind.capabilities),
                           "parameters": [one._asdict() for one in kind.parameters]}
                          for kind in libsugar.catalogue()], expected["catalogue"])
        self.assertEqual([level.name for level in libsugar.levels()], expected["levels"])
        self.assertEqual((libsugar.version(), libsugar.__version__), (expected["version"],) * 2)

    def test_activation(self) -> None:
        activation = libsugar.Activation(" relu ~ bsilu ", level="scalar")
        self.assertEqual((activation.spec, activation.level), ("relu~bsilu(alpha=1.67)", "scalar"))
        self.assertEqual(repr(activation), 'libsugar.Activation("relu~bsilu(alpha=1.67)")')
        for other in (pickle.loads(pickle.dumps(activation)), copy.deepcopy(activation)):
            self.assertEqual((other, hash(other), other.level), (activation, hash(activation), "scalar"))
        self.assertNotEqual(activation, libsugar.Activation("relu", level="scalar"))
        self.assertNotEqual(activation, "relu")
        self.assertEqual(pickle.loads(pickle.dumps(libsugar.Context(2))).threads, 2)

    def test_table(self) -> None:
        rows = [(0, 0, 0), (1, 1, 0)]
        activation = libsugar.Activation("table~relu", table=rows)
        self.assertRegex(activation.spec, r"^table\(digest=[0-9a-f]{16}\)~relu$")
        self.assertEqual(activation.forward(np.array([-1.0, 0.5, 3.0])).tolist(), [0, 0.5, 1])
        for other in (pickle.loads(pickle.dumps(activation)), libsugar.Activation(activation.spec, table=iter(rows))):
            self.assertEqual(other, activation)
        with self.assertRaisesRegex(libsugar.ArgumentError, "table: row 1 has 2 numbers, expected 3"):
            libsugar.Activation("table", table=[(0, 0, 0), (1, 1)])
        with self.assertRaisesRegex(libsugar.ArgumentError, "table: NULL, expected the knots"):
            libsugar.Activation("table")

    def test_info(self) -> None:
        spec = "hardtanh(min_val=-2,max_val=0.1)~bsilu(alpha=1.5,domain=negative,blend=0.25)"
        info = libsugar.Activation(spec, level="scalar").info
        self.assertEqual(info[:8], (spec, "scalar", ("hardtanh", {"min_val": -2, "max_val": 0.1}),
                                    ("bsilu", {"alpha": 1.5}), "negative", 0.25, True,
                                    ("save_byte", "differentiate_twice")))
        self.assertLess(info.gradient_minimum, info.gradient_maximum)
        level = libsugar.Activation("relu").level
        self.assertEqual(libsugar.Activation("relu").info,
                         ("relu", level, ("relu", {}), None, "all", 0, True,
                          ("start_from_output", "save_byte", "save_bit", "differentiate_twice"), 0, 1))
        self.assertFalse(libsugar.Activation("prelu~bsilu").info.uses_own_derivative)

    def test_docstrings(self) -> None:
        """The header's words stand below those of the layer."""
        for item, words in ((libsugar.Activation.forward, "y = f(x), element by element"),
                            (libsugar.Activation.backward, "SUGAR_CALL_ACCUMULATE"),
                            (libsugar.Monitor.merge, "sums are added in f64")):
            self.assertIn(words, str(item.__doc__))
        for name in libsugar.__all__:
            self.assertTrue(getattr(libsugar, name).__doc__, name)

    def test_plot_without_matplotlib(self) -> None:
        with mock.patch.dict(sys.modules, {"matplotlib": None}), self.assertRaisesRegex(ImportError, "pip install"):
            libsugar.plot("relu~bsilu")


if __name__ == "__main__":
    unittest.main()
