"""Biases and gates of libsugar.torch, in one pass each way: against the C library's plain calls, and in each of
PyTorch's ways.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_torch_fused.py
"""

from __future__ import annotations

import copy
import itertools
import pickle
import unittest
from typing import Any, Callable, Sequence
from unittest import mock

import torch
import torch.nn.functional as F
from libsugar.torch import GEGLU, GatedLinearUnit, ReGLU, SwiGLU, biased, gated
from libsugar.torch import _library as library
from torch.autograd import forward_ad
from torch_cases import SPECS, TYPES, Logged, difference, in_c

Tensors = Sequence[torch.Tensor]
FEW = ("silu", "relu~bsilu", "gelu~elu(blend=0.5, domain=negative)", "identity")


def numbers(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 1) -> torch.Tensor:
    return (2 * torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)).to(dtype)


def expected(spec: str, x: torch.Tensor, bias: torch.Tensor | None, gate: torch.Tensor | None,
             dy: torch.Tensor) -> list[torch.Tensor | None]:
    """y, and the gradients of x, bias and gate, step by step from plain calls, in float32 for narrow types; the sum in
    float64."""
    wide = torch.float64 if x.dtype == torch.float64 else torch.float32
    h = x.to(wide) if bias is None else x.to(wide) + bias.to(wide)
    through = dy.to(wide) if gate is None else dy.to(wide) * gate.to(wide)
    y, dx = in_c(spec, h.contiguous(), through.contiguous())
    return [(y if gate is None else y * gate.to(wide)).to(x.dtype), dx.to(x.dtype),
            None if bias is None else dx.double().sum_to_size(bias.shape).to(bias.dtype),
            None if gate is None else (dy.to(wide) * y).to(x.dtype)]


def run(made: Callable[..., torch.Tensor], operands: Sequence[torch.Tensor | None], dy: torch.Tensor,
        create_graph: bool = False) -> list[torch.Tensor | None]:
    """y and the gradients of the operands."""
    own = [None if one is None else one.detach().requires_grad_() for one in operands]
    y = made(*own)
    gradients = iter(torch.autograd.grad(y, [one for one in own if one is not None], dy, create_graph=create_graph))
    return [y.detach(), *(None if one is None else next(gradients) for one in own)]


class Compared(unittest.TestCase):
    def agree(self, found: Sequence[torch.Tensor | None], right: Sequence[torch.Tensor | None], exact: bool) -> None:
        for name, one, other in zip(("y", "dx", "dbias", "dgate"), found, right):
            if other is None:
                continue
            assert one is not None
            if exact and name != "dbias":
                self.assertTrue(torch.equal(one, other), name)
                continue
            eps = torch.finfo(torch.float64 if one.dtype == torch.float64 else torch.float32).eps
            narrow = torch.finfo(one.dtype).eps * other.double().abs()
            self.assertEqual(difference(one, other, 64 * eps * (1 + other.double().abs()) + narrow), "", name)


class InC(Compared):
    def test_every_kind(self) -> None:
        """The bits of plain calls, in every type."""
        for dtype in TYPES:
            x, gate, dy = (numbers(5, 6, dtype=dtype, seed=seed) for seed in (1, 2, 3))
            for bias in (None, numbers(6, dtype=dtype, seed=4), numbers(5, 1, dtype=torch.float32, seed=5)):
                for factor in (None, gate):
                    if bias is None and factor is None:
                        continue
                    for spec in SPECS:
                        with self.subTest(f"{spec}, {dtype}"):
                            right = expected(spec, x, bias, factor, dy)
                            if factor is None:
                                made = run(lambda x, bias, _: biased(x, bias, spec), (x, bias, None), dy)
                            else:
                                made = run(lambda x, bias, gate: gated(x, gate, spec, bias=bias), (x, bias, gate), dy)
                            self.agree(made, right, exact=True)

    def test_views(self) -> None:
        """Any strides, a gate and a bias that are shared, a dy that is one number, no elements."""
        whole = numbers(6, 8, 4)
        for x in (whole[::2, 1:], whole.transpose(0, 2), whole[:, :, 0], whole[:0], whole[0, 0, 0]):
            for gate in (torch.randn_like(x), x[..., :1] if x.dim() else x, whole[0, 0, 1]):
                dy = numbers(1)[0].expand(x.shape)
                bias = numbers(*x.shape[-1:], seed=7)
                right = expected("mish", x, bias, gate.expand(x.shape), dy)
                right[3] = right[3].sum_to_size(gate.shape)     # type: ignore[union-attr]
                self.agree(run(lambda x, b, g: gated(x, g, "mish", bias=b), (x, bias, gate), dy), right, exact=False)

    def test_one_call_each_way(self) -> None:
        x, gate, bias = (numbers(*shape).requires_grad_() for shape in ((3, 4), (3, 4), (4,)))
        with mock.patch.object(library, "forward_fused", wraps=library.forward_fused) as forward, \
                mock.patch.object(library, "backward_fused", wraps=library.backward_fused) as backward:
            gated(x, gate, "silu", bias=bias).sum().backward()
            SwiGLU()(x).sum().backward()
            self.assertEqual((forward.call_count, backward.call_count), (2, 2))
            self.assertEqual(forward.call_args.args[1].data_ptr(), x.data_ptr())        # no copy of a half
            with torch.no_grad():
                biased(x, bias, "silu")
            self.assertEqual((forward.call_count, backward.call_count), (3, 2))

    def test_only_what_is_wanted(self) -> None:
        x, gate, bias = numbers(3, 4), numbers(3, 4, seed=2), numbers(4, seed=3)
        for wanted in (x, gate, bias):
            with self.subTest():
                own = [one.clone().requires_grad_(one is wanted) for one in (x, gate, bias)]
                y = gated(own[0], own[1], "tanh", bias=own[2])
                y.sum().backward()
                right = expected("tanh", x, bias, gate, torch.ones(3, 4).double())
                kept = [right[i] if one is wanted else None for i, one in ((1, x), (2, bias), (3, gate))]
                self.agree([y.detach(), own[0].grad, own[2].grad, own[1].grad], [right[0], *kept], exact=False)
                self.assertEqual([one.grad is not None for one in own], [one is wanted for one in (x, gate, bias)])


def ways() -> dict[str, Callable[[Callable[..., torch.Tensor], Tensors, torch.Tensor], Any]]:
    """Each from a function, its operands and dy to y and the gradients."""
    def func(made: Any, operands: Any, dy: torch.Tensor) -> Any:
        y, back = torch.func.vjp(made, *operands)
        return [y, *back(dy)]

    def batched(made: Any, operands: Any, dy: torch.Tensor) -> Any:
        own = [one.detach().requires_grad_() for one in operands]
        y = made(*own)
        return [y.detach(), *(one[1] for one in torch.autograd.grad(y, own, torch.stack([-dy, dy]),
                                                                    is_grads_batched=True))]

    def mapped(made: Any, operands: Any, dy: torch.Tensor) -> Any:
        """Over the rows of x, the gate and dy; the bias is everybody's, and the sum of its gradients."""
        x, bias, gate = operands
        y, dx, dbias, dgate = torch.func.vmap(lambda x, gate, dy: func(made, (x, bias, gate), dy))(x, gate, dy)
        return [y, dx, dbias.sum(0), dgate]

    def subclass(made: Any, operands: Any, dy: torch.Tensor) -> Any:
        own = [Logged(one.detach()).requires_grad_() for one in operands]
        y = made(*own)
        return [one.held for one in (y, *torch.autograd.grad(y, own, Logged(dy)))]

    def compiled(made: Any, operands: Any, dy: torch.Tensor) -> Any:
        torch.compiler.reset()
        return run(torch.compile(made, fullgraph=True, backend="aot_eager"), operands, dy)

    return {"create_graph": lambda made, operands, dy: run(made, operands, dy, create_graph=True), "func": func,
            "is_grads_batched": batched, "vmap": mapped, "subclass": subclass, "compiled": compiled}


class Ways(Compared):
    def test_ways(self) -> None:
        for dtype in (torch.float64, torch.bfloat16):
            x, bias, gate, dy = (numbers(*shape, dtype=dtype, seed=seed)
                                 for seed, shape in enumerate(((5, 6), (6,), (5, 6), (5, 6))))
            for spec in FEW:
                for name, way in ways().items():
                    with self.subTest(f"{spec}, {dtype}, {name}"):
                        found = way(lambda x, b, g: gated(x, g, spec, bias=b), (x, bias, gate), dy)
                        right = expected(spec, x, bias, gate, dy)
                        if dtype == torch.bfloat16 and name == "vmap":
                            found[2] = right[2]     # a sum of sums, each of them rounded
                        self.agree([one.detach() for one in found], right, exact=False)

    def test_types_of_a_bias(self) -> None:
        """Beside any x a bias of any type, with a gradient of its own type; where it is neither that of x nor float32,
        the bits of one in float32 (float64 for an x of float64)."""
        every: dict[str, Any] = {"eager": run, **ways()}
        for dtype, of_bias in itertools.product(TYPES, TYPES):
            x, gate, dy = (numbers(5, 6, dtype=dtype, seed=seed) for seed in (1, 2, 3))
            bias = numbers(6, seed=4).to(of_bias)
            wide = torch.float64 if dtype == torch.float64 else torch.float32
            right: list[Any] = expected("gelu", x, bias, gate, dy)
            self.assertTrue(torch.equal(gated(x, gate, "gelu", bias=bias), gated(x, gate, "gelu", bias=bias.to(wide))))
            for name, way in every.items():
                with self.subTest(f"{dtype}, {of_bias}, {name}"):
                    found = way(lambda x, b, g: gated(x, g, "gelu", bias=b), (x, bias, gate), dy)
                    self.assertEqual([one.dtype for one in found], [dtype, dtype, of_bias, dtype])
                    if name == "vmap" and torch.finfo(of_bias).bits == 16:
                        found[2] = right[2]     # a sum of sums, each of them rounded
                    kept = right[:]
                    if of_bias == torch.float64:        # summed in the type that is computed in
                        found[2], kept[2] = found[2].to(wide), right[2].to(wide)
                    self.agree([one.detach() for one in found], kept, exact=name == "eager")

    def test_types_that_no_bias_has(self) -> None:
        x = numbers(3, 4, dtype=torch.float16)
        torch.compiler.reset()
        for made in (biased, torch.compile(biased, backend="aot_eager")):
            for wrong in (torch.int32, torch.bool, torch.complex64):
                with self.assertRaisesRegex(TypeError, f"bias: dtype {wrong}, .*expected a tensor of float16"):
                    made(x, torch.ones(4, dtype=wrong), "gelu")

    def test_differences(self) -> None:
        """First and second derivatives by finite differences, each operand, halves as well."""
        x, gate, bias = (numbers(*shape, seed=5).requires_grad_() for shape in ((3, 4), (3, 4), (4,)))
        for made, operands in ((lambda x, g, b: gated(x, g, "tanh", bias=b), (x, gate, bias)),
                               (lambda x, b: biased(x, b, "gelu"), (x, bias)),
                               (lambda x, g: gated(x, g, "silu"), (x, gate)),
                               (lambda x: gated(x, 2 * x, "silu"), (x,)),
                               (SwiGLU(), (x,)), (GatedLinearUnit("mish", dim=1, activated="second"), (x,))):
            self.assertTrue(torch.autograd.gradcheck(made, operands, check_batched_grad=True, check_forward_ad=True))
            self.assertTrue(torch.autograd.gradgradcheck(made, operands, check_batched_grad=True))

    def test_forward_mode_and_meta(self) -> None:
        x, gate = numbers(3, 4), numbers(3, 4, seed=2)
        with forward_ad.dual_level():
            dual = gated(forward_ad.make_dual(x, torch.ones_like(x)), gate, "silu")
            tangent = forward_ad.unpack_dual(dual).tangent
        right = expected("silu", x, None, gate, torch.ones_like(x))
        self.agree([dual, tangent], right[:2], exact=False)
        self.assertEqual(SwiGLU()(torch.empty(3, 4, device="meta")).shape, (3, 2))

    def test_exported(self) -> None:
        """The forward function in PyTorch's own operation; a surrogate in train() has no place there."""
        x = numbers(3, 4, dtype=torch.float32)
        for module in (GEGLU(), ReGLU("bsilu")):
            program = torch.export.export(module.eval(), (x,))
            self.assertNotIn("sugar", str(program.graph))
            self.assertEqual(difference(program.module()(x), module(x)), "")
        with self.assertRaisesRegex(RuntimeError, "training: an exported relu"):
            torch.export.export(ReGLU("bsilu").train(), (x,))

    def test_slopes_that_are_drawn(self) -> None:
        x = -numbers(50).abs()
        module = GatedLinearUnit("rrelu")
        ratio = module.train()(x) / (x[:25] * x[25:])
        self.assertTrue(bool((ratio >= 0.125).all()) and bool((ratio <= 1 / 3).all()) and ratio.std() > 0.01)
        mean = module.eval()(x) / (x[:25] * x[25:])
        self.assertTrue(torch.allclose(mean, torch.full_like(mean, (0.125 + 1 / 3) / 2)))


class Modules(Compared):
    def test_halves(self) -> None:
        """Beside PyTorch's functions, in each dimension and order, contiguous or not."""
        names: dict[str, Any] = {"silu": F.silu, "sigmoid": torch.sigmoid, "relu": F.relu, "identity": lambda x: x}
        for dtype in (torch.float64, torch.bfloat16):
            for x in (numbers(4, 6, 8, dtype=dtype), numbers(8, 6, 4, dtype=dtype).transpose(0, 2)):
                for dim in (0, 1, -1):
                    first, second = x.chunk(2, dim)
                    dy = numbers(*first.shape, dtype=dtype, seed=3)
                    for activated, a, b in (("first", first, second), ("second", second, first)):
                        for spec in names:
                            module = GatedLinearUnit(spec, dim, activated)
                            y, dx = run(module, (x,), dy)
                            right = expected(spec, a, None, b, dy)
                            halves = (right[1], right[3]) if activated == "first" else (right[3], right[1])
                            self.agree([y, dx], [right[0], torch.cat(halves, dim)], exact=True)
                            plain = names[spec](a.double()) * b.double()
                            self.assertEqual(difference(y, plain.to(dtype)), "")

    def test_named(self) -> None:
        x = numbers(3, 8)
        a, b = x.chunk(2, -1)
        for module, right in ((SwiGLU(), F.silu(a) * b), (SwiGLU(beta=1.7), a * torch.sigmoid(1.7 * a) * b),
                              (GEGLU(), F.gelu(a) * b), (GEGLU("tanh"), F.gelu(a, approximate="tanh") * b),
                              (ReGLU(), F.relu(a) * b), (ReGLU("bsilu"), F.relu(a) * b),
                              (GatedLinearUnit("sigmoid", activated="second"), F.glu(x))):
            self.assertEqual(difference(module(x), right, torch.tensor(1e-14)), "", str(module))
        made = GatedLinearUnit("relu", 1, "second")
        self.assertEqual(str(made), 'GatedLinearUnit("relu", dim=1, activated="second")')

    def test_copied(self) -> None:
        x = numbers(3, 8)
        for module in (SwiGLU(), GEGLU(), ReGLU("bsilu"), GatedLinearUnit("mish", 0, "second", level="scalar")):
            x = numbers(4, 8)
            self.assertEqual(module.state_dict(), {})
            for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module)), torch.fx.symbolic_trace(module)):
                self.assertTrue(torch.equal(other(x), module(x)))

    def test_trained(self) -> None:
        """A model learns with it as with PyTorch's operations."""
        losses = []
        for unit in (SwiGLU(), None):
            torch.manual_seed(1)
            into, out = torch.nn.Linear(4, 32), torch.nn.Linear(16, 1)
            optimizer = torch.optim.SGD([*into.parameters(), *out.parameters()], lr=0.05)
            x = torch.randn(64, 4)
            for _ in range(20):
                h = into(x)
                a, b = h.chunk(2, -1)
                loss = ((out(F.silu(a) * b if unit is None else unit(h)) - x[:, :1]) ** 2).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            losses.append(loss.item())
        self.assertAlmostEqual(losses[0], losses[1], places=5)

    def test_refused(self) -> None:
        x = numbers(3, 4)
        nothing: Any = None
        for error, message, made in (
                (TypeError, r"gate: dtype torch.float32, expected torch.float64", lambda: gated(x, x.float(), "silu")),
                (TypeError, r"gate: int, expected a tensor", lambda: gated(x, 1, "silu")),
                (TypeError, r"gate: None, expected a tensor of float16", lambda: gated(x, nothing, "silu", bias=x)),
                (TypeError, r"bias: None, expected a tensor of float16", lambda: biased(x, nothing, "silu")),
                (TypeError, r"x: None, expected a tensor of float16", lambda: gated(nothing, x, "silu")),
                (TypeError, r"x: None, expected a tensor of float16", lambda: SwiGLU()(nothing)),
                (TypeError, r"bias: dtype torch.int64", lambda: biased(x, torch.arange(4), "silu")),
                (TypeError, r"x: dtype torch.int64", lambda: SwiGLU()(torch.arange(4))),
                (ValueError, r"gate: shape \(4, 3\), expected \(3, 4\) like x", lambda: gated(x, x.T, "silu")),
                (ValueError, r"bias: shape \(3,\), expected \(3, 4\) like x", lambda: biased(x, x[:, 0], "silu")),
                (ValueError, r"x: shape \(3, 4\), expected an even extent in dimension 0",
                 lambda: GatedLinearUnit("silu", 0)(x)),
                (ValueError, r"x: shape \(3, 4\), expected an even extent in dimension 2",
                 lambda: GatedLinearUnit("silu", 2)(x)),
                (TypeError, "dim: 'a', expected an int", lambda: GEGLU(dim="a")),
                (TypeError, "dim: 1.0, expected an int", lambda: SwiGLU(dim=1.0)),
                (ValueError, "activated: 'third', expected 'first' or 'second'",
                 lambda: GatedLinearUnit("silu", activated="third")),
                (ValueError, "spec: prelu, expected a kind without a parameter", lambda: GatedLinearUnit("prelu")),
                (ValueError, "approximate: 'erf', expected 'none' or 'tanh'", lambda: GEGLU("erf"))):
            with self.subTest(message):
                self.assertRaisesRegex(error, message, made)


if __name__ == "__main__":
    unittest.main()
