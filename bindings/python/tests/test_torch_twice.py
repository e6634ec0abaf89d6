"""Second derivatives of libsugar.torch in eager mode on the CPU, where the C library computes them: against the
library's own call, against PyTorch's operations, and by finite differences.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_torch_twice.py
"""

from __future__ import annotations

import copy
import unittest
from typing import Callable
from unittest import mock

import libsugar
import torch
import torch.nn.functional as F
from libsugar.torch import Activation, activation
from libsugar.torch import _function as function
from libsugar.torch import _library as library
from torch_cases import SPECS, TYPES, bound, difference, in_c, in_c_twice, points

# What PyTorch differentiates twice, by the spec of the same. Not hardsigmoid, which it does not.
PYTORCH: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": F.relu, "relu6": F.relu6, "leaky_relu": F.leaky_relu, "threshold(threshold=0.5, value=2)":
    lambda x: F.threshold(x, 0.5, 2), "elu": F.elu, "elu(alpha=1.3)": lambda x: F.elu(x, 1.3), "celu": F.celu,
    "celu(alpha=0.5)": lambda x: F.celu(x, 0.5), "selu": F.selu, "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "silu": F.silu, "mish": F.mish,
    "softplus": lambda x: F.softplus(x, threshold=800), "softsign": F.softsign, "sigmoid": torch.sigmoid,
    "log_sigmoid": F.logsigmoid, "tanh": torch.tanh, "tanhshrink": F.tanhshrink, "softshrink": F.softshrink,
    "hardshrink": F.hardshrink, "hardtanh": F.hardtanh, "hardswish": F.hardswish}

# Every corner of theirs.
CORNERS = [0.0, 0.5, -0.5, 1, -1, 3, -3, 6]


def twice(made: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor, dy: torch.Tensor,
          v: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """dx, and where v is its gradient, those of dy and x."""
    x, dy = x.clone().requires_grad_(), dy.clone().requires_grad_()
    (dx,) = torch.autograd.grad(made(x), x, dy, create_graph=True)
    return (dx, *torch.autograd.grad(dx, (dy, x), v, materialize_grads=True))


def factors(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """dy and v, of modest sizes, so that no product leaves the range of float16."""
    generator = torch.Generator().manual_seed(4)
    dy, v = (torch.randn(x.shape, generator=generator, dtype=torch.float64).to(x.dtype) for _ in range(2))
    return dy, v


class InC(unittest.TestCase):
    def test_every_kind(self) -> None:
        """The bits of the library's own call, in every type, with numbers of every size."""
        for dtype in TYPES:
            x = points(dtype)
            dy, v = factors(x)
            for spec in SPECS:
                for name, found, expected in zip(("dx", "ddy", "its dx"),
                                                 twice(lambda x: activation(x, spec), x, dy, v),
                                                 (in_c(spec, x, dy)[1], *in_c_twice(spec, x, dy, v))):
                    self.assertTrue(torch.equal(found.nan_to_num(7), expected.nan_to_num(7)), f"{spec} {dtype} {name}")

    def test_computes_in_c(self) -> None:
        """In one pass if both gradients are wanted; beyond the second derivative as far as it can."""
        x, dy = torch.randn(5).requires_grad_(), torch.randn(5).requires_grad_()
        with mock.patch.object(library, "call_twice", wraps=library.call_twice) as called:
            for slope, create_graph, calls in ((dy, False, 1), (torch.ones(5), False, 1), (dy, True, 1)):
                called.reset_mock()
                (dx,) = torch.autograd.grad(activation(x, "tanh"), x, slope, create_graph=True)
                (second,) = torch.autograd.grad(dx.sum(), x, create_graph=create_graph)
                self.assertEqual(called.call_count, calls)
            torch.autograd.grad(second.sum(), dy)
            self.assertEqual(called.call_count, 2)

    def test_views(self) -> None:
        """Of any strides, and gradients that are one number everywhere."""
        x = torch.randn(6, 5, 4, dtype=torch.float64)
        number = torch.tensor(0.7, dtype=torch.float64)
        for view in (x, x.transpose(0, 2), x[::2, 1:, ::3], x[1], x[:0], x[0, 0, 0], x.to(torch.float32)):
            for dy, v in ((torch.randn_like(view), torch.randn_like(view)),
                          (number.to(view.dtype).expand(view.shape), number.to(view.dtype).expand(view.shape))):
                ours = view.detach().requires_grad_()
                slope = dy.detach().requires_grad_()
                (dx,) = torch.autograd.grad(activation(ours, "silu"), ours, slope, create_graph=True)
                found = torch.autograd.grad(dx, (slope, ours), v)
                expected = in_c_twice("silu", view.contiguous(), dy.contiguous(), v.contiguous())
                for one, right in zip(found, expected):
                    self.assertTrue(torch.equal(one, right))
                self.assertEqual(found[1].stride(), torch.empty_like(view).stride())

    def test_modules(self) -> None:
        """A monitor and a blend that was set are no obstacle; what keeps no x raises."""
        x = torch.linspace(-3, 3, 50, dtype=torch.float64)
        dy, v = factors(x)
        module = Activation("relu~bsilu", monitor=libsugar.Monitor(50))
        module.blend = 0.25
        found = twice(copy.copy(module), x, dy, v)
        expected = (in_c(module.spec, x, dy)[1], *in_c_twice(module.spec, x, dy, v))
        for one, right in zip(found, expected):
            self.assertTrue(torch.equal(one, right))

    def test_third(self) -> None:
        """Beyond the second derivative formulas go on, by x and by dy."""
        x = torch.linspace(-3, 3, 50, dtype=torch.float64).requires_grad_()
        dy = torch.linspace(1, 2, 50, dtype=torch.float64).requires_grad_()
        (dx,) = torch.autograd.grad(activation(x, "tanh"), x, dy, create_graph=True)
        (second,) = torch.autograd.grad(dx.sum(), x, create_graph=True)
        third, mixed = torch.autograd.grad(second.sum(), (x, dy), create_graph=True)
        (fourth,) = torch.autograd.grad(third.sum(), x)
        t = x.detach().tanh()
        s = 1 - t * t
        for found, expected in ((second, -2 * t * s * dy), (third, (6 * t * t - 2) * s * dy), (mixed, -2 * t * s),
                                (fourth, (16 * t * s - 8 * t ** 3) * s * dy)):
            self.assertLess(float((found - expected).detach().abs().max()), 1e-13)

    def test_dy_that_depends_on_x(self) -> None:
        """Each path counts once, in the second and third derivative: those of tanh(x)^3."""
        x = torch.linspace(-2, 2, 9, dtype=torch.float64).requires_grad_()
        found, expected = (derivatives(f(x) ** 3, x) for f in (lambda x: activation(x, "tanh"), torch.tanh))
        for one, right in zip(found, expected):
            self.assertLess(float((one - right).detach().abs().max()), 1e-13)

    def test_compiled_autograd(self) -> None:
        """A backward pass that the compiler traces, through a gradient that was made before."""
        x = torch.linspace(-2, 2, 9, dtype=torch.float64).requires_grad_()
        expected = in_c_twice("tanh", x.detach(), torch.ones(9).double(), torch.ones(9).double())[1]
        (dx,) = torch.autograd.grad(activation(x, "tanh").sum(), x, create_graph=True)
        with torch._dynamo.compiled_autograd._enable(torch.compile(backend="eager")):
            dx.sum().backward()
        self.assertEqual(difference(x.grad, expected), "")

    def test_checked_by_differences(self) -> None:
        """Not only by x: by dy as well, and the third derivative, which formulas compute."""
        x = (torch.arange(12, dtype=torch.float64).view(3, 4) / 3 - 2.1).requires_grad_()
        dy = torch.linspace(-1, 1, 12, dtype=torch.float64).view(3, 4).requires_grad_()
        for spec in ("tanh", "relu~bsilu", "gelu~elu(blend=0.5, domain=negative)", "softplus(beta=3.1)"):
            def first(x: torch.Tensor, dy: torch.Tensor) -> torch.Tensor:
                x = x + 0
                made: torch.Tensor = torch.autograd.grad(activation(x, spec), x, dy, create_graph=True)[0]
                return made

            with self.subTest(spec):
                self.assertTrue(torch.autograd.gradcheck(first, (x, dy), check_batched_grad=True))
                self.assertTrue(torch.autograd.gradgradcheck(first, (x, dy), check_batched_grad=True))


def derivatives(y: torch.Tensor, x: torch.Tensor) -> list[torch.Tensor]:
    """The first three."""
    made = []
    for _ in range(3):
        (y,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        made.append(y)
    return made


class BesidePyTorch(unittest.TestCase):
    def test_every_kind(self) -> None:
        """Corners included."""
        generator = torch.Generator().manual_seed(5)
        x = torch.cat([4 * torch.randn(400, generator=generator, dtype=torch.float64),
                       torch.tensor([*CORNERS, -0.0], dtype=torch.float64)])
        dy, v = factors(x)
        for spec, theirs in PYTORCH.items():
            for name, found, expected in zip(("dx", "ddy", "its dx"), twice(lambda x: activation(x, spec), x, dy, v),
                                             twice(theirs, x, dy, v)):
                wrong = ((found - expected).abs() > 1e-14 * (1 + (dy * v).abs())).nonzero().flatten()
                self.assertEqual(x[wrong].tolist(), [], f"{spec}, {name}")


class Formulas(unittest.TestCase):
    def test_agree_with_c(self) -> None:
        """What other ways compute: corners, infinities, every size. But where x is NaN, its branch of a formula may be
        one that x does not reach."""
        for dtype in TYPES:
            x = torch.cat([points(dtype), torch.tensor([*CORNERS, 0.3], dtype=dtype)])
            x = x[~x.isnan()]
            one = torch.ones_like(x)
            for spec in SPECS:
                found = twice(lambda x: function.InOperations.apply(x, None, None, spec), x, one, one)
                beyond = function.derivative_in_operations(spec, x.clone().requires_grad_(), one, one)
                expected = in_c_twice(spec, x, one, one)
                for name, made, right in (("ddy", found[1], expected[0]), ("its dx", found[2], expected[1]),
                                          ("before the third", beyond, expected[1])):
                    with self.subTest(f"{spec}, {dtype}, {name}"):
                        self.assertEqual(difference(made, right, 4 * bound(right)), "")


if __name__ == "__main__":
    unittest.main()
