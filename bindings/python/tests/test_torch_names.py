"""The specs that doc/names.json gives for PyTorch's names, beside PyTorch: values and slopes in float64.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_torch_names.py
"""

from __future__ import annotations

import functools
import unittest
from typing import Any, Callable

import torch
from libsugar.torch import activation
from names_table import Row, calls, halves, points, table
from torch_cases import bound, difference

# The arguments that are tensors where they are PyTorch's.
TENSORS = ("weight", "values")


def named(name: str) -> Any:
    return functools.reduce(getattr, name.split("."), torch)


def made(name: str, arguments: dict[str, Any]) -> Callable[[torch.Tensor], torch.Tensor]:
    """What PyTorch computes under a name: a function of x alone."""
    found = named(name)
    if isinstance(found, type):
        module = found(**arguments).double().eval()
        return lambda x: module(x)
    given = {key: torch.tensor([value], dtype=torch.float64) if key in TENSORS else value
             for key, value in arguments.items()}
    return lambda x: found(x, **given)


def input_of(row: Row, arguments: dict[str, Any]) -> torch.Tensor:
    x = torch.tensor(points(row, arguments, slopes=True))
    return torch.cat([x, x.flip(0) - 0.25]) if row.gate else x


def computed(row: Row, arguments: dict[str, Any], x: torch.Tensor) -> torch.Tensor:
    spec = row.spec_of(arguments)
    if not row.gate:
        return activation(x, spec)
    u, gate = halves(row, arguments, *x.chunk(2))
    return activation(u, spec) * gate


def value_and_slope(function: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> list[torch.Tensor]:
    """The slope of a step function, which PyTorch may refuse to differentiate, is 0."""
    x = x.clone().requires_grad_()
    y = function(x)
    try:
        return [y, torch.autograd.grad(y.sum(), x)[0]]
    except RuntimeError as error:
        if "heaviside" not in str(error):
            raise
        return [y, torch.zeros_like(x)]


def allowed(row: Row, expected: torch.Tensor) -> torch.Tensor:
    """PyTorch's own errors come on top of ours; its softplus has a threshold, and its hardsigmoid the slope float32
    1/6."""
    apart = {"softplus": 1e-8, "hardsigmoid": 1e-8}
    return 4 * bound(expected) + max((apart.get(kind, 0) for kind in row.kinds()), default=0)


class Names(unittest.TestCase):
    def test_values_and_slopes(self) -> None:
        for row, passed, arguments in calls("PyTorch"):
            x = input_of(row, arguments)
            found = value_and_slope(lambda x: computed(row, arguments, x), x)
            for name in row.names:
                with self.subTest(f"{name}, {passed}"):
                    expected = value_and_slope(made(name, passed), x)
                    for one, other in zip(found, expected):
                        self.assertEqual(difference(one, other, allowed(row, other)), "")

    def test_complete(self) -> None:
        """Every module of torch.nn.modules.activation, and every function that is called like one of them."""
        modules = torch.nn.modules.activation.__all__
        called = {module.lower() for module in modules} | {"log_softmax", "gumbel_softmax", "leaky_relu"}
        expected = {f"nn.{module}" for module in modules}
        for place in ("nn.functional.", "special.", ""):
            expected |= {place + name for name in dir(named(place[:-1]) if place else torch) if name in called}
        self.assertEqual(expected - {name for row in table()["PyTorch"] for name in row.names}, set())


if __name__ == "__main__":
    unittest.main()
