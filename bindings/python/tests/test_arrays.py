"""Which arrays the package takes, and what becomes of their memory.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_arrays.py
"""

from __future__ import annotations

import ctypes
import gc
import sys
import tempfile
import tracemalloc
import unittest
import warnings
from typing import Any, Callable
from unittest import mock

import libsugar
import numpy as np
from libsugar import _check, _tensor
from libsugar import _lowlevel as c
from numpy_cases import Handing, Managed, Unversioned


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


if __name__ == "__main__":
    unittest.main()
