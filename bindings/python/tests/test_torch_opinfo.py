"""PyTorch's own test data through libsugar.torch: its samples of each activation, gradcheck and gradgradcheck.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_torch_opinfo.py
"""

from __future__ import annotations

import sys
import types
import unittest
from typing import Any, Callable
from unittest import mock

import torch
from libsugar.torch import activation
from torch_cases import CATALOGUE, FORWARD, LEARNING, TYPES, bound, difference, gradient, in_c

# Its samples come with its test framework, which imports expecttest for tests that are not run here.
with mock.patch.dict(sys.modules):
    try:
        import expecttest       # noqa: F401 (whether it is there)
    except ImportError:
        sys.modules["expecttest"] = types.ModuleType("expecttest")
        sys.modules["expecttest"].TestCase = unittest.TestCase      # type: ignore[attr-defined]
    from torch.testing._internal.common_methods_invocations import op_db

# Each of PyTorch's operations: the spec that computes it, from its arguments.
OPERATIONS: dict[str, Callable[..., str]] = {
    "nn.functional.relu": lambda: "relu",
    "nn.functional.relu6": lambda: "relu6",
    "nn.functional.threshold": lambda threshold, value: f"threshold(threshold={threshold}, value={value})",
    "nn.functional.leaky_relu": lambda negative_slope=0.01: f"leaky_relu(negative_slope={negative_slope})",
    "nn.functional.rrelu": lambda lower=1 / 8, upper=1 / 3: f"rrelu(lower={lower}, upper={upper})",
    "nn.functional.elu": lambda alpha=1: f"elu(alpha={alpha})",
    "nn.functional.celu": lambda alpha=1: f"celu(alpha={alpha})",
    "nn.functional.selu": lambda: "selu",
    "nn.functional.gelu": lambda approximate="none": "gelu_tanh" if approximate == "tanh" else "gelu",
    "nn.functional.silu": lambda: "silu",
    "nn.functional.mish": lambda: "mish",
    "nn.functional.softplus": lambda beta=1, threshold=20: f"softplus(beta={beta})",
    "nn.functional.softsign": lambda: "softsign",
    "nn.functional.logsigmoid": lambda: "log_sigmoid",
    "nn.functional.tanhshrink": lambda: "tanhshrink",
    "nn.functional.softshrink": lambda lambd=0.5: f"softshrink(lambda={lambd})",
    "nn.functional.hardshrink": lambda lambd=0.5: f"hardshrink(lambda={lambd})",
    "nn.functional.hardtanh": lambda min_val=-1, max_val=1: f"hardtanh(min_val={min_val}, max_val={max_val})",
    "nn.functional.hardsigmoid": lambda: "hardsigmoid",
    "nn.functional.hardswish": lambda: "hardswish",
    "nn.functional.prelu": lambda weight: "prelu",
    "sigmoid": lambda: "sigmoid",
    "tanh": lambda: "tanh",
    "sign": lambda: "sign",
}


class Samples(unittest.TestCase):
    def test_every_operation_has_samples(self) -> None:
        self.assertEqual(set(OPERATIONS) - {info.name for info in op_db}, set())

    def test_replayed(self) -> None:
        count = 0
        for info in op_db:
            for dtype in TYPES if info.name in OPERATIONS else ():
                for sample in info.sample_inputs("cpu", dtype, requires_grad=info.name != "sign"):
                    if left_out(sample):
                        continue
                    with self.subTest(f"{info.name}, {dtype}, {sample.args}, {sample.kwargs}"):
                        self.replay(info, sample)
                        count += 1
        self.assertGreater(count, 300)

    def replay(self, info: Any, sample: Any) -> None:
        """In narrow types beside PyTorch's float64: there it computes derivatives from outputs that were rounded."""
        arguments = {name: value for name, value in sample.kwargs.items() if name not in ("inplace", "training")}
        if info.name == "nn.functional.prelu":      # in some samples it has no name
            arguments["weight"] = (*sample.args, arguments.get("weight"))[0]
            sample.args = ()
        spec = OPERATIONS[info.name](*sample.args, **arguments)
        x, weight = sample.input.detach(), arguments.get("weight")
        exact = x if x.dtype in (torch.float32, torch.float64) else x.double()
        ours: list[torch.Tensor] = [x.clone().requires_grad_()]
        theirs: list[torch.Tensor] = [exact.clone().requires_grad_()]
        if weight is not None:
            ours.append(weight.detach().clone().requires_grad_())
            theirs.append(weight.detach().to(exact.dtype).requires_grad_())
            arguments["weight"] = theirs[1]
        y = activation(ours[0], spec, per_channel(ours[1], x) if weight is not None else None)
        expected = info.op(theirs[0], *sample.args, **arguments)
        found = [y, *torch.autograd.grad(y.sum(), ours, allow_unused=True)]
        right = [expected]
        if info.name != "sign":     # PyTorch's has no gradient; ours is 0
            right += torch.autograd.grad(expected.sum(), theirs)
        for one, other in zip(found[:2], right):
            other = other.to(x.dtype)
            kept = same_formula(info, exact, arguments)
            self.assertEqual(difference(one[kept], other[kept], allowed(info, other)[kept]), "")
        if weight is not None:      # a sum over the elements
            other = right[2].to(x.dtype)
            self.assertEqual(difference(found[2], other, bound(other) * (1 + x.numel()) ** 0.5), "")


def per_channel(weight: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    if weight.numel() == 1:
        return weight.view(())
    return weight.view([-1 if i == 1 else 1 for i in range(x.dim())]) if x.dim() > 1 else weight


# Known differences: what PyTorch has, and we have not or have otherwise.


def left_out(sample: Any) -> bool:
    """Slopes drawn from other random numbers; a negative lambda, which the library refuses."""
    return bool(sample.kwargs.get("training")) or sample.kwargs.get("lambd", 0) < 0


def same_formula(info: Any, x: torch.Tensor, arguments: dict[str, Any]) -> torch.Tensor:
    """softplus is x beyond its `threshold`; ours has none."""
    if info.name != "nn.functional.softplus":
        return torch.ones_like(x, dtype=torch.bool)
    return x * arguments.get("beta", 1) <= arguments.get("threshold", 20)


def allowed(info: Any, expected: torch.Tensor) -> torch.Tensor:
    """PyTorch's own errors come on top of ours; the derivative of its hardsigmoid has a float32 1/6 in float64, too."""
    return 4 * bound(expected) + (1e-8 if info.name == "nn.functional.hardsigmoid" else 0)


class GradientChecks(unittest.TestCase):
    """By finite differences, of functions whose gradient is their own; x keeps away from where they are not smooth."""

    def inputs(self, spec: str) -> torch.Tensor:
        generator = torch.Generator().manual_seed(1)
        x = 4 * torch.randn(30, generator=generator, dtype=torch.float64)
        corners = torch.tensor([0.0, -0.5, 0.5, 3, -3, 6, 1, -1], dtype=torch.float64)
        return x[((x[:, None] - corners).abs() > 0.01).all(1)][:16].view(4, -1).requires_grad_()

    def test_every_kind(self) -> None:
        for kind in CATALOGUE:
            if kind.name not in FORWARD:
                continue
            x = self.inputs(kind.name)
            for way in (lambda x: activation(x, kind.name), lambda x: activation(x.T[::2], kind.name),
                        lambda x: activation(x, kind.name).sum()):
                with self.subTest(kind.name):
                    self.assertTrue(torch.autograd.gradcheck(way, (x,), check_forward_ad=True, check_batched_grad=True,
                                                             check_batched_forward_grad=True))
                    self.assertTrue(torch.autograd.gradgradcheck(way, (x,), check_fwd_over_rev=True,
                                                                 check_rev_over_rev=True, check_batched_grad=True))

    def test_parameters(self) -> None:
        for kind in LEARNING:
            x = self.inputs(kind)
            for shape in ((), (1,), (x.shape[1],), (4, 1), tuple(x.shape)):
                parameter = (0.4 + torch.rand(shape, dtype=torch.float64)).requires_grad_()
                with self.subTest(f"{kind}, {shape}"):
                    self.assertTrue(torch.autograd.gradcheck(
                        lambda x, p: activation(x, kind, p), (x, parameter), check_forward_ad=True,
                        check_batched_grad=True))
                    self.assertTrue(torch.autograd.gradgradcheck(
                        lambda x, p: activation(x, kind, p), (x, parameter), check_batched_grad=True))

    def test_surrogates(self) -> None:
        """A surrogate's gradient is none of finite differences of the value, but its own derivative is."""
        for kind in CATALOGUE:
            if "surrogate" not in kind.roles:
                continue
            for spec in (f"relu~{kind.name}", f"heaviside(threshold=0.3)~{kind.name}(blend=0.6)"):
                x = self.inputs(spec)
                with self.subTest(spec):
                    found = gradient(lambda x: activation(x, spec), x)
                    self.assertEqual(difference(found, in_c(spec, x.detach())[1]), "")
                    self.assertTrue(torch.autograd.gradcheck(lambda x: slope(x, spec), (x,)))


def slope(x: torch.Tensor, spec: str) -> torch.Tensor:
    return torch.autograd.grad(activation(x, spec).sum(), x, create_graph=True)[0]


if __name__ == "__main__":
    unittest.main()
