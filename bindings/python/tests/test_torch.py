"""libsugar.torch, and tensors of PyTorch in Activation, without copies.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_torch.py

Exits with 77 where there is no torch.
"""

from __future__ import annotations

import copy
import io
import pickle
import sys
import unittest
from typing import Any

import libsugar
import numpy as np
from libsugar import _tensor

try:
    import torch

    import libsugar.torch
except ImportError:
    if __name__ == "__main__":
        print("skipped: python-torch: there is no torch")
        sys.exit(77)
    raise unittest.SkipTest("skipped: there is no torch") from None


class Tensors(unittest.TestCase):
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


class Modules(unittest.TestCase):
    def gradient(self, module: Any, x: Any) -> Any:
        x = x.clone().requires_grad_()
        y = module(x)
        y.backward(torch.linspace(-1, 2, y.numel()).reshape(y.shape))
        return y.detach(), x.grad

    def test_like_torch(self) -> None:
        x = 3 * torch.randn(7, 9)
        for spec, peer in (("relu", torch.nn.ReLU()), ("gelu", torch.nn.GELU()), ("silu", torch.nn.SiLU()),
                           ("elu", torch.nn.ELU()), ("tanh", torch.nn.Tanh()), ("mish", torch.nn.Mish())):
            found, expected = self.gradient(libsugar.torch.Activation(spec), x), self.gradient(peer, x)
            for one, other in zip(found, expected):
                self.assertTrue(torch.allclose(one, other, rtol=1e-5, atol=1e-6), spec)

    def test_surrogate(self) -> None:
        """As by the formula of forward gradient injection."""
        x = 3 * torch.randn(5, 6)

        def injected(h: Any) -> Any:
            s = torch.sigmoid(h)
            slope = (s + (h + 1.67) * s * (1 - s)).detach()
            return h * slope - (h * slope).detach() + torch.relu(h).detach()

        expected = self.gradient(injected, x)
        for save, error in (("input", 1e-5), ("byte", 1.32 / 255)):
            found = self.gradient(libsugar.torch.Activation("relu~bsilu", save=save), x)
            self.assertTrue(torch.allclose(found[0], expected[0], atol=1e-6))
            self.assertTrue(torch.allclose(found[1], expected[1], rtol=0, atol=2 * error), save)
        found, exact = (self.gradient(libsugar.torch.Activation("relu", save=save), x) for save in ("bit", "input"))
        self.assertTrue(torch.equal(found[1], exact[1]))
        with self.assertRaisesRegex(ValueError, "save: 'nothing', expected 'input', 'byte' or 'bit'"):
            libsugar.torch.Activation("relu", save="nothing")

    def test_gradcheck(self) -> None:
        module = libsugar.torch.Activation("silu(beta=1.5)", threads=2)
        x = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
        self.assertTrue(torch.autograd.gradcheck(module, (x,)))
        self.assertTrue(torch.autograd.gradcheck(lambda x: module(x.T[::2]).sum(), (x,)))   # dy of strides 0

    def test_training(self) -> None:
        torch.manual_seed(1)
        monitor = libsugar.Monitor(32)
        hidden = libsugar.torch.Activation("relu~bsilu", monitor=monitor)
        model = torch.nn.Sequential(torch.nn.Linear(2, 32), hidden, torch.nn.Linear(32, 1))
        x = torch.randn(256, 2)
        target = (x[:, :1] * x[:, 1:]).sign()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
        losses = []
        for _ in range(60):
            optimizer.zero_grad()
            loss = ((model(x) - target) ** 2).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        self.assertLess(losses[-1], 0.5 * losses[0])
        self.assertEqual(monitor.summary().samples, 60 * 256 * 32)
        self.assertIn('Activation("relu~bsilu(alpha=1.67)")', repr(model))
        with torch.no_grad():
            expected = model(x)
        file = io.BytesIO()
        torch.save(model, file)
        file.seek(0)
        for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), torch.load(file, weights_only=False)):
            self.assertTrue(torch.equal(other(x), expected))


if __name__ == "__main__":
    unittest.main()
