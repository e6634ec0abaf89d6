"""Tensors of PyTorch in libsugar.Activation, without copies. Those whose memory does not say all are refused, by the
name of the argument.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_torch_arrays.py
"""

from __future__ import annotations

import unittest
import warnings
from typing import Any, Callable

import libsugar
import numpy as np
import torch
from libsugar import _tensor
from torch._subclasses.fake_tensor import FakeTensorMode


def negative() -> Any:
    """A view of -1 and 2, in whose memory are 1 and -2."""
    return torch.complex(torch.zeros(2), torch.tensor([1.0, -2.0])).conj().imag


def fake() -> Any:
    with FakeTensorMode():
        return torch.ones(2)


def masked() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return torch.masked.masked_tensor(torch.ones(2), torch.tensor([True, False]))


def quantized() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.quint8)


def nested() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])


STRANGE: dict[str, Callable[[], Any]] = {
    "negative bit": negative,
    "needs a gradient": lambda: torch.ones(2, requires_grad=True),
    "complex": lambda: torch.ones(2, dtype=torch.complex64),
    "conjugate": lambda: torch.ones(2, dtype=torch.complex64).conj(),
    "another device": lambda: torch.ones(2, device="meta"),
    "sparse": lambda: torch.ones(2).to_sparse(),
    "zeros without memory": lambda: torch._efficientzerotensor(2),
    "fake": fake, "masked": masked, "quantized": quantized, "nested": nested}


class Tensors(unittest.TestCase):
    def test_written(self) -> None:
        """A backward pass that needs what was written over raises, as after PyTorch's own operations."""
        activation = libsugar.Activation("relu")
        for threads in (None, 2):
            x = torch.ones(3, requires_grad=True)
            y = x.exp()
            activation.forward(torch.zeros(3), y.detach(), threads=threads)
            with self.assertRaisesRegex(RuntimeError, "modified by an inplace operation"):
                y.sum().backward()
        with torch.inference_mode():
            out = torch.ones(3)
            activation.forward(torch.full((3,), -1.0), out)
            self.assertTrue(torch.equal(out, torch.zeros(3)))

    def test_tangent(self) -> None:
        with torch.autograd.forward_ad.dual_level():
            x = torch.autograd.forward_ad.make_dual(torch.ones(3), torch.ones(3))
            with self.assertRaisesRegex(ValueError, "x: Tensor does not hand out its memory: it has a tangent"):
                libsugar.Activation("relu").forward(x)
            libsugar.Activation("relu").forward(torch.ones(3))

    def test_no_copies(self) -> None:
        activation = libsugar.Activation("relu~bsilu")
        base = torch.randn(6, 8, 10)
        for x in (base, base.transpose(0, 2), base[::2, :, 3:7], base[0, 0].expand(5, 10)):
            self.assertEqual(_tensor.view(x, "x").data, x.data_ptr())
            self.assertTrue(torch.equal(activation.forward(x), torch.relu(x)))
            out = torch.full((*x.shape, 2), 7.0)
            target = out[..., 0]
            self.assertIs(activation.forward(x, target), target)
            self.assertTrue(torch.equal(out[..., 0], torch.relu(x)) and bool((out[..., 1] == 7).all()))

    def test_types(self) -> None:
        for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
            x = torch.linspace(-3, 3, 100, dtype=dtype)
            y = libsugar.Activation("silu").forward(x)
            self.assertEqual((y.dtype, y.shape), (dtype, x.shape))
            reference = torch.nn.functional.silu(x.double())
            self.assertTrue(torch.allclose(y.double(), reference, rtol=4 * torch.finfo(dtype).eps))

    def test_mixed(self) -> None:
        """One memory, seen by PyTorch and by NumPy."""
        array = np.linspace(-2, 2, 8)
        tensor = torch.from_numpy(array)
        libsugar.Activation("relu").forward(tensor, array)
        self.assertTrue(bool((tensor == torch.relu(tensor)).all()) and array.min() == 0)
        with self.assertRaisesRegex(libsugar.ArgumentError, "x: .*require"):
            libsugar.Activation("relu").forward(torch.ones(3, requires_grad=True), torch.ones(3))


class Arrays(unittest.TestCase):
    def refused(self, array: Any) -> None:
        activation, x, monitor = libsugar.Activation("relu~bsilu"), torch.ones(2), libsugar.Monitor(2)
        calls: dict[str, list[Callable[[], Any]]] = {
            "x": [lambda: activation(array), lambda: activation(array, x), lambda: activation(array, x, threads=2),
                  lambda: activation.backward(array, x), lambda: monitor.observe(array)],
            "dy": [lambda: activation.backward(x, array), lambda: activation.backward(x, array, x.clone())],
            # the library's own names of outputs are y and dx
            "(out|y|dx)": [lambda: activation(x, array), lambda: activation.backward(x, x, array)]}
        for argument, each in calls.items():
            for i, call in enumerate(each):
                with self.subTest(argument, i=i), \
                        self.assertRaisesRegex((TypeError, libsugar.Error), f"^{argument}: "):
                    call()

    def test_strange(self) -> None:
        activation = libsugar.Activation("relu~bsilu")
        activation(torch.ones(2))       # the type is known from here on
        for name, made in STRANGE.items():
            with self.subTest(name):
                self.refused(made())

    def test_negative_bit(self) -> None:
        """What the message says helps."""
        with self.assertRaisesRegex(libsugar.ArgumentError, r"^x: .* resolve_neg\(\)"):
            libsugar.Activation("relu")(negative())
        self.assertEqual(libsugar.Activation("relu")(negative().resolve_neg()).tolist(), [0, 2])

    def test_vmap(self) -> None:
        for map in (torch.func.vmap, torch.func.grad):
            with self.subTest(map.__name__), self.assertRaisesRegex(libsugar.ArgumentError, "^x: "):
                map(lambda x: libsugar.Activation("relu")(x).sum())(torch.ones(3))

    def test_subclasses(self) -> None:
        """Those that leave operations their meaning are taken as they are."""

        class Named(torch.Tensor):
            pass

        for made in (torch.tensor([-1.0, 2.0]).as_subclass(Named),
                     torch.nn.Parameter(torch.tensor([-1.0, 2.0]), requires_grad=False)):
            self.assertEqual(libsugar.Activation("relu")(made).tolist(), [0, 2])


if __name__ == "__main__":
    unittest.main()
