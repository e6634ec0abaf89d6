"""libsugar.torch with functions of the user's own: the kind `table`, in each of PyTorch's ways.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_torch_table.py
"""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Callable

import libsugar
import torch
from libsugar._tables import table_of
from libsugar.torch import Activation, GatedLinearUnit, activation, convert, tabulated
from torch_cases import TYPES, bound, difference, gradient

ROWS = [(-2.0, -0.3, 0.1), (-0.5, 0.2, -1.0), (0.0, 0.0, 0.5), (1.5, 2.0, 1.25), (4.0, 4.0, 0.0)]
TABLE = torch.tensor(ROWS, dtype=torch.float64)
TERMS = 4.0     # the largest that cancel: between -0.5 and 0, 3 |chord's slope| + 2 |slope| + |other slope| is 3.7
SPECS = ("table", "relu~table", "relu~table(domain=negative, blend=0.4)", "table~bsilu", "table~table")


def points(dtype: torch.dtype) -> torch.Tensor:
    x = 3 * torch.randn(300, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return torch.cat([x, TABLE[:, 0], torch.tensor([torch.inf, -torch.inf, 1e4, -1e4, torch.nan])]).to(dtype)


def in_c(spec: str, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    made = libsugar.Activation(spec, table=ROWS)
    y = made.forward(x, torch.empty_like(x), threads=1)
    return y, made.backward(x, torch.ones_like(x), torch.empty_like(x), threads=1)


def backward(f: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return f(x), gradient(f, x)


def vjp(f: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    y, back = torch.func.vjp(f, x)
    return y, back(torch.ones_like(y))[0]


def vmap(f: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    made = torch.func.vmap(lambda x: torch.func.grad_and_value(f)(x))(x)
    return made[1], made[0]


def compiled(f: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    torch.compiler.reset()
    return backward(torch.compile(f, fullgraph=True, backend="aot_eager"), x)


class Ways(unittest.TestCase):
    def test_eager(self) -> None:
        """The bits of the C library."""
        for dtype in TYPES:
            x = points(dtype)
            for spec in SPECS:
                for module in (Activation(spec, table=TABLE), Activation(spec, table=ROWS)):
                    for found, right in zip(backward(module, x), in_c(spec, x)):
                        self.assertTrue(torch.equal(found.nan_to_num(7), right.nan_to_num(7)), f"{spec}, {dtype}")

    def test_formulas(self) -> None:
        for dtype in TYPES:
            x = points(dtype)
            for spec in SPECS:
                named = tabulated(spec, TABLE)
                for way in (vjp, vmap, *((compiled,) if dtype in (torch.float64, torch.bfloat16) else ())):
                    for found, right in zip(way(lambda x: activation(x, named), x), in_c(spec, x)):
                        with self.subTest(f"{spec}, {dtype}, {way.__name__}"):
                            self.assertEqual(difference(found, right, TERMS * bound(right)), "")
        self.assertEqual(Activation("table", table=TABLE)(torch.empty(3, device="meta")).shape, (3,))

    def test_second_derivatives(self) -> None:
        """That of the piece above at a knot, and 0 outside; by finite differences elsewhere."""
        x = torch.tensor([-3.0, -2, -0.5, 0, 1.5, 4, 5], dtype=torch.float64).requires_grad_()
        expected = [0.0]
        for (a, f, s), (b, g, t) in zip(ROWS, ROWS[1:]):
            expected.append((6 * (g - f) / (b - a) - 4 * s - 2 * t) / (b - a))
        right = torch.tensor([*expected, 0, 0], dtype=torch.float64)
        named = tabulated("table", TABLE)
        (dx,) = torch.autograd.grad(activation(x, named).sum(), x, create_graph=True)
        self.assertEqual(difference(torch.autograd.grad(dx.sum(), x)[0], right), "")
        found = torch.func.vmap(torch.func.grad(torch.func.grad(lambda x: activation(x, named))))(x.detach())
        self.assertEqual(difference(found, right), "")
        x = torch.linspace(-3, 5, 23, dtype=torch.float64).requires_grad_()
        self.assertTrue(torch.autograd.gradcheck(lambda x: activation(x, named), (x,), check_forward_ad=True))
        self.assertTrue(torch.autograd.gradgradcheck(lambda x: activation(x, named), (x,), check_batched_grad=True))

    def test_exported(self) -> None:
        x = torch.linspace(-3, 5, 23)
        module = Activation("table~bsilu", table=TABLE).eval()
        program = torch.export.export(module, (x,))
        self.assertEqual(difference(program.module()(x), in_c("table", x)[0]), "")


class Modules(unittest.TestCase):
    def test_copied(self) -> None:
        """With the table, in another process too, and by weights_only."""
        x = torch.linspace(-3, 5, 23)
        for module in (Activation("relu~table", table=TABLE), GatedLinearUnit(tabulated("table", TABLE), dim=0)):
            x = torch.linspace(-3, 5, 24)
            self.assertEqual(module.state_dict(), {})
            with tempfile.TemporaryDirectory() as folder:
                torch.save(module, Path(folder, "module"))
                torch.save((x, backward(module, x)), Path(folder, "right"))
                for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module)),
                              torch.load(Path(folder, "module"))):
                    self.assertTrue(torch.equal(other(x), module(x)))
                subprocess.run([sys.executable, "-c", OTHER_PROCESS], cwd=folder, check=True)

    def test_blend(self) -> None:
        x = points(torch.float64)
        module = Activation("relu~table(domain=negative)", table=TABLE)
        module.blend = 0.4
        for found, right in zip(backward(module, x), in_c("relu~table(domain=negative, blend=0.4)", x)):
            self.assertTrue(torch.equal(found.nan_to_num(7), right.nan_to_num(7)))
        self.assertEqual(module.spec, tabulated("relu~table(domain=negative, blend=0.4)", ROWS))

    def test_converted(self) -> None:
        model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU())
        convert(model, {"relu": tabulated("relu~table", TABLE)})
        x = torch.randn(5, 3)
        self.assertEqual(difference(gradient(model[1], x), in_c("relu~table", x)[1]), "")

    def test_refused(self) -> None:
        for error, message, made in (
                (libsugar.ArgumentError, "table: row 0 has 2 numbers", lambda: Activation("table", table=TABLE[:, :2])),
                (libsugar.ArgumentError, "table", lambda: Activation("table")),
                (libsugar.ArgumentError, "table", lambda: Activation("relu", table=TABLE)),
                (libsugar.ArgumentError, "table", lambda: tabulated("table", TABLE.flip(0))),
                (TypeError, "table: None, expected rows of three numbers", lambda: tabulated("silu", None)),
                (TypeError, "table: None, expected rows of three numbers", lambda: tabulated("table", None)),
                (TypeError, "table: float, expected rows of three numbers", lambda: tabulated("table", torch.ones(()))),
                (TypeError, "table: row 0 is 1.0, expected three", lambda: Activation("table", table=torch.ones(3))),
                (libsugar.Error, "table", lambda: Activation("table(digest=0123456789abcdef)"))):
            with self.subTest(message):
                self.assertRaisesRegex(error, message, made)
        self.assertIsNone(table_of("relu"))


OTHER_PROCESS = """
import torch, libsugar.torch
x, (y, dx) = torch.load("right")
module = torch.load("module")
x.requires_grad_()
module(x).sum().backward()
assert torch.equal(module(x), y) and torch.equal(x.grad, dx)
"""


if __name__ == "__main__":
    unittest.main()
