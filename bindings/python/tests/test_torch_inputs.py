"""libsugar.torch on tensors of every sort: layouts, disguises, autograd's states; and what it refuses.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_torch_inputs.py
"""

from __future__ import annotations

import unittest
from typing import Any, Callable

import libsugar
import libsugar.torch
import torch
import torch.nn.functional as F
from libsugar.torch import activation
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch_cases import Logged, difference, disagreements, gradient, in_c, negative

SPEC = "relu~bsilu"
# What backward can be computed from, with an activation that allows it.
SAVES = (("input", SPEC), ("byte", SPEC), ("bit", "leaky_relu"))


def layouts(dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    base = torch.randn(4, 6, 8, 10, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(dtype)
    return {"contiguous": base, "transposed": base.transpose(0, 2), "permuted": base.permute(3, 0, 2, 1),
            "channels_last": base.to(memory_format=torch.channels_last), "steps": base[::2, 1:, :, 3:7],
            "one column": base[:, 2, 3, 4], "expanded": base[0, 0].expand(5, 8, 10), "one number": base[0, 0, 0, 0],
            "overlapping": base.flatten().unfold(0, 6, 2), "unaligned": base.flatten()[1:], "empty": base[:0],
            "no rows": base[:, :, 2:2], "shuffled strides": base[:, :1].transpose(1, 3)}


class Layouts(unittest.TestCase):
    def test_values_and_gradients(self) -> None:
        for dtype in (torch.float32, torch.float64, torch.bfloat16):
            for name, x in layouts(dtype).items():
                dy = torch.randn(x.shape, dtype=torch.float64).to(dtype)
                for other, seen in (("like x", torch.empty_like(x).copy_(dy)), ("contiguous", dy),
                                    ("turned", dy.transpose(0, -1).contiguous().transpose(0, -1) if x.dim() else dy),
                                    ("one number", torch.tensor(3.0, dtype=dtype).expand(x.shape))):
                    with self.subTest(f"{dtype}, {name}, dy {other}"):
                        xs = x.detach().requires_grad_()
                        y = activation(xs, SPEC)
                        (dx,) = torch.autograd.grad(y, xs, seen)
                        expected = in_c(SPEC, x, seen)
                        self.assertTrue(torch.equal(y, expected[0]) and torch.equal(dx, expected[1]))
                        self.assertEqual((y.stride(), dx.stride()), (torch.empty_like(x).stride(),) * 2)

    def test_with_options(self) -> None:
        for name, x in layouts().items():
            for save, spec in SAVES:
                with self.subTest(f"{name}, {save}"):
                    found = gradient(lambda x: activation(x, spec, save=save), x)
                    allowed = None if save != "byte" else torch.tensor(0.5 * 1.5 / 255)
                    self.assertEqual(difference(found, in_c(spec, x)[1], allowed), "")
            parameter = torch.tensor(0.6)
            found = gradient(lambda x: activation(x, "elu", parameter), x)
            self.assertEqual(difference(found, in_c("elu(alpha=0.6)", x)[1]), "", name)

    def test_the_same_in_graphs(self) -> None:
        """FakeTensor and meta tensors have the strides of real results, as a compiler builds on them."""
        for name, x in layouts().items():
            expected = activation(x, SPEC).stride()
            with FakeTensorMode() as mode:
                fake = mode.from_tensor(x).requires_grad_()
                y = activation(fake, SPEC)
                (dx,) = torch.autograd.grad(y.sum(), fake)
            self.assertEqual((y.shape, y.dtype, dx.shape, dx.dtype), (x.shape, x.dtype) * 2, name)
            if x.numel() == 0:
                continue        # where strides mean nothing
            self.assertEqual((y.stride(), activation(x.to("meta"), SPEC).stride()), (expected,) * 2, name)


class NegativeBit(unittest.TestCase):
    """Memory that has the opposite sign. PyTorch 2.13's inductor reads such an input of a graph as it lies, also for
    operations of its own (relu); one that arises in a graph is right."""

    def test_input(self) -> None:
        plain = torch.tensor([1.0, -2, 0.5, -0.25])
        parameter = torch.tensor([0.6])
        for spec in ("relu", "relu~bsilu", "silu", "sign~atan_spike"):
            for dtype in (torch.float32, torch.float64):
                x, same = negative(*plain.tolist(), dtype=dtype), plain.to(dtype)
                self.assertEqual(disagreements([spec], same, [activation(x, spec)], [gradient_as_is(spec, x)]), [])
        x = negative(*plain.tolist())
        opposite = negative(0.6)
        for function in (lambda x: activation(x, "relu", save="bit"), lambda x: activation(x, "elu", parameter),
                         lambda x: activation(x, "elu", opposite if x.is_neg() else parameter),
                         lambda x: torch.func.vmap(lambda x: activation(x, SPEC))(x),
                         lambda x: torch.func.grad(lambda x: activation(x, SPEC).sum())(x),
                         torch.compile(lambda x: activation(x, SPEC), backend="aot_eager", fullgraph=True)):
            self.assertTrue(torch.equal(function(x), function(plain)))
        monitor = libsugar.Monitor(4)
        activation(x, SPEC, monitor=monitor)
        self.assertEqual([monitor.unit(i).active for i in range(4)], [1, 0, 1, 0])

    def test_gradient(self) -> None:
        dy = negative(1.0, -2, 0.5)
        x = torch.tensor([-1.0, 2, 0.3])
        for save, spec in SAVES:
            def function(x: torch.Tensor) -> torch.Tensor:
                return activation(x, spec, save=save)

            self.assertTrue(torch.equal(gradient(function, x, dy), gradient(function, x, dy.clone())), save)
        parameter = torch.tensor([0.6], requires_grad=True)
        found, expected = (torch.autograd.grad(activation(x, "elu", parameter), parameter, one)
                           for one in (dy, dy.resolve_neg()))
        self.assertTrue(torch.equal(found[0], expected[0]))

    def test_gradients_that_autograd_makes(self) -> None:
        x = torch.randn(16, generator=torch.Generator().manual_seed(1))

        def of_spectrum(f: Callable[..., torch.Tensor], x: torch.Tensor) -> torch.Tensor:
            spectrum = torch.fft.rfft(f(x))
            return torch.view_as_real(spectrum).square().sum() + (spectrum.conj().imag * torch.arange(9)).sum()

        def through_complex(f: Callable[..., torch.Tensor], x: torch.Tensor) -> torch.Tensor:
            spectrum = torch.fft.rfft(x)
            return torch.fft.irfft(torch.complex(f(spectrum.real), f(spectrum.conj().imag))).square().sum()

        def conjugated(f: Callable[..., torch.Tensor], x: torch.Tensor) -> torch.Tensor:
            y = f(x)
            y.register_hook(lambda dy: self.assertTrue(dy.is_neg()))
            return (torch.complex(y.detach(), y).conj() * torch.arange(16)).real.square().sum()

        for loss in (of_spectrum, through_complex, conjugated):
            found, expected = (gradient(lambda x: loss(f, x), x) for f in (lambda x: activation(x, "silu"), F.silu))
            self.assertTrue(torch.allclose(found, expected, rtol=1e-5, atol=1e-5), loss.__name__)


def gradient_as_is(spec: str, x: torch.Tensor) -> torch.Tensor:
    """dx, of a leaf that has the negative bit itself."""
    x = x.detach().requires_grad_()
    assert x.is_neg()
    return torch.autograd.grad(activation(x, spec).sum(), x)[0]


class Disguises(unittest.TestCase):
    def test_zero_tensor(self) -> None:
        """Without memory, as autograd makes for what has no gradient."""
        zero = torch._efficientzerotensor(3)
        x = torch.tensor([-1.0, 2, 0.3])
        self.assertTrue(torch.equal(activation(zero, "sigmoid"), torch.full((3,), 0.5)))
        for save, spec in SAVES[:1]:
            self.assertTrue(torch.equal(gradient(lambda x: activation(x, spec, save=save), x, zero), torch.zeros(3)))

    def test_parameters_buffers_and_function_subclasses(self) -> None:
        class Named(torch.Tensor):
            pass

        plain = torch.randn(5)
        for x in (torch.nn.Parameter(plain), torch.nn.Buffer(plain), plain.as_subclass(Named)):
            y = activation(x, SPEC)
            self.assertTrue(torch.equal(y.as_subclass(torch.Tensor), F.relu(plain)))
            self.assertIs(type(y), Named if isinstance(x, Named) else torch.Tensor)

    def test_subclass_sees_operations(self) -> None:
        """A subclass without memory is computed by operations that it sees; C does not reach behind it."""
        x = Logged(torch.randn(5))
        y = activation(x, SPEC)
        self.assertIsInstance(y, Logged)
        self.assertTrue(torch.equal(y.held, F.relu(x.held)))
        mixed = activation(torch.randn(5), "elu", Logged(torch.ones(1)))
        self.assertIsInstance(mixed, Logged)

    def test_modes(self) -> None:
        """A mode that looks at each operation sees those of forward and backward."""
        class Seeing(TorchDispatchMode):
            def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                seen.append(function)
                return function(*args, **(kwargs or {}))

        x = torch.randn(5, requires_grad=True)
        seen: list[Any] = []
        with Seeing():
            y = activation(x, SPEC)
            forward = list(seen)
            (dx,) = torch.autograd.grad(y, x, torch.ones(5))
        self.assertIn(torch.ops.aten.where.self, forward)
        self.assertIn(torch.ops.aten.exp.default, seen[len(forward):])
        self.assertEqual(disagreements([SPEC], x.detach(), [y], [dx]), [])

    def test_nested_tensors(self) -> None:
        rows = [torch.randn(2, 3), torch.randn(4, 3)]
        for layout in (torch.strided, torch.jagged):
            y = activation(torch.nested.nested_tensor(rows, layout=layout), SPEC)
            for found, row in zip(y.unbind(), rows):
                self.assertTrue(torch.equal(found, F.relu(row)))

    def test_meta(self) -> None:
        for dtype in (torch.float16, torch.float64):
            x = torch.empty(3, 4, device="meta", dtype=dtype, requires_grad=True)
            y = activation(x, SPEC)
            (dx,) = torch.autograd.grad(y.sum(), x)
            self.assertEqual({(one.device.type, one.dtype, one.shape) for one in (y, dx)}, {("meta", dtype, x.shape)})

    def test_functionalize_raises(self) -> None:
        """PyTorch has no rule for Functions there."""
        with self.assertRaisesRegex(RuntimeError, "Functionalize rule"):
            torch.func.functionalize(lambda x: activation(x, SPEC))(torch.randn(3))


class Autograd(unittest.TestCase):
    def setUp(self) -> None:
        self.x = torch.tensor([-1.0, 2, 0.3, -0.2])
        self.expected = in_c(SPEC, self.x)

    def test_no_gradient_wanted(self) -> None:
        x = self.x.clone().requires_grad_()
        with torch.no_grad():
            y = activation(x, SPEC)
        self.assertFalse(y.requires_grad)
        with torch.inference_mode():
            inference = activation(x, SPEC)
        self.assertTrue(inference.is_inference())
        with torch.inference_mode():
            kept = torch.clone(self.x)
        for found in (y, inference, activation(x.detach(), SPEC), activation(kept, SPEC)):
            self.assertFalse(found.requires_grad)
            self.assertEqual(disagreements([SPEC], self.x, [found], None), [])
        with torch.no_grad(), torch.enable_grad():
            self.assertTrue(activation(x, SPEC).requires_grad)

    def test_only_the_parameter_wants_one(self) -> None:
        parameter = torch.tensor([0.6], requires_grad=True)
        activation(self.x, "elu", parameter).sum().backward()
        self.assertAlmostEqual(float(parameter.grad or 0), float(torch.expm1(self.x.clamp(max=0)).sum()), places=6)
        x = self.x.clone().requires_grad_()
        activation(x, "elu", parameter.detach()).sum().backward()
        self.assertEqual(difference(x.grad, in_c("elu(alpha=0.6)", self.x)[1]), "")

    def test_changed_in_place(self) -> None:
        for save, spec in SAVES:
            x = self.x.clone().requires_grad_()
            moved = x + 0
            y = activation(moved, spec, save=save)
            moved.add_(1)
            if save == "input":
                with self.assertRaisesRegex(RuntimeError, "modified by an inplace operation"):
                    y.sum().backward()
            else:           # nothing of x is needed
                y.sum().backward()
        x = self.x.clone().requires_grad_()
        y = activation(x, SPEC)
        y.mul_(3)           # nor is y
        y.sum().backward()
        self.assertEqual(difference(x.grad, 3 * self.expected[1]), "")

    def test_twice_over_one_graph(self) -> None:
        x = self.x.clone().requires_grad_()
        y = activation(x, SPEC)
        first, second = (torch.autograd.grad(y.sum(), x, retain_graph=again)[0] for again in (True, False))
        self.assertTrue(torch.equal(first, second))
        with self.assertRaisesRegex(RuntimeError, "second time"):
            y.sum().backward()

    def test_saved_tensors_may_be_packed(self) -> None:
        for save, spec in SAVES:
            packed: list[torch.Tensor] = []

            def pack(one: torch.Tensor) -> int:
                packed.append(one)
                return len(packed) - 1

            with torch.autograd.graph.saved_tensors_hooks(pack, lambda at: packed[at].clone()):
                found = gradient(lambda x: activation(x, spec, save=save), self.x)
            self.assertEqual(len(packed), 1)
            self.assertEqual(packed[0].dtype, torch.float32 if save == "input" else torch.uint8)
            self.assertTrue(torch.equal(found, gradient(lambda x: activation(x, spec, save=save), self.x)))

    def test_saved_tensors_may_come_back_otherwise(self) -> None:
        """In another type, or with the negative bit; C must not read them as if they were what was saved."""
        for parameter in (None, torch.tensor(0.7)):
            def function(x: torch.Tensor) -> torch.Tensor:
                return activation(x, "silu", parameter)

            for dtype, unpack in ((torch.bfloat16, lambda one: one), (torch.float64, lambda one: one),
                                  (torch.float32, lambda one: negative(*one.flatten().tolist()).view(one.shape))):
                with torch.autograd.graph.saved_tensors_hooks(lambda one: one.to(dtype), unpack):
                    found = gradient(function, self.x)
                expected = gradient(function, self.x)
                self.assertEqual(found.dtype, torch.float32)
                self.assertTrue(torch.allclose(found, expected, atol=1e-2 if dtype == torch.bfloat16 else 1e-6))

    def test_no_gradient_comes(self) -> None:
        class Stop(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
                return x.clone()

            @staticmethod
            def backward(ctx: Any, dy: torch.Tensor) -> None:
                return None

        for x in (self.x.clone().requires_grad_(), Logged(self.x).requires_grad_()):
            (dx,) = torch.autograd.grad(Stop.apply(activation(x, SPEC)).sum() + x.sum(), x)
            self.assertTrue(torch.equal(getattr(dx, "held", dx), torch.ones(self.x.shape)))

    def test_compiled_autograd(self) -> None:
        """What an eager forward pass saved, in a backward pass that the compiler gets to see."""
        for save, spec in SAVES:
            x = self.x.clone().requires_grad_()
            y = activation(x, spec, save=save)
            with torch._dynamo.compiled_autograd._enable(torch.compile(backend="aot_eager")):
                y.sum().backward()
            expected = gradient(lambda x: activation(x, spec, save=save), self.x)
            self.assertEqual(difference(x.grad, expected), "", save)
        x, parameter = self.x.clone().requires_grad_(), torch.tensor([0.6], requires_grad=True)
        y, drawn = activation(x, "elu", parameter), activation(x, "rrelu", training=True)
        expected = torch.autograd.grad(y.sum(), parameter, retain_graph=True)[0]
        with torch._dynamo.compiled_autograd._enable(torch.compile(backend="aot_eager")):
            y.sum().backward()
            self.assertEqual(difference(parameter.grad, expected), "")
            x.grad = None
            drawn.sum().backward()
        self.assertEqual(difference(x.grad, (drawn / x)), "")

    def test_default_device(self) -> None:
        """That of new tensors is no matter: x says where the calls compute."""
        expected = [gradient(lambda x: activation(x, spec, save=save), self.x) for save, spec in SAVES]
        with torch.device("meta"):
            found = [gradient(lambda x: activation(x, spec, save=save), self.x) for save, spec in SAVES]
            self.assertEqual(activation(self.x, "rrelu", training=True).device.type, "cpu")
        self.assertTrue(all(torch.equal(one, other) for one, other in zip(found, expected)))

    def test_batched_gradients(self) -> None:
        x = self.x.clone().requires_grad_()
        for spec in (SPEC, "silu", "relu~elu(blend=0.4)"):
            y = activation(x, spec)
            (found,) = torch.autograd.grad(y, x, torch.eye(4), is_grads_batched=True)
            self.assertEqual(difference(found, torch.diag(in_c(spec, self.x)[1])), "")
        y = activation(x, "rrelu", training=True)
        (found,) = torch.autograd.grad(y, x, torch.eye(4), is_grads_batched=True)
        self.assertEqual(difference(found, torch.diag(y / x)), "")
        for save, spec in SAVES[1:]:
            with self.assertRaisesRegex(RuntimeError, f'save: "{save}" keeps no x, which this backward pass needs'):
                torch.autograd.grad(activation(x, spec, save=save), x, torch.eye(4), is_grads_batched=True)
            with self.assertRaisesRegex(RuntimeError, f'save: "{save}" keeps no x'):
                torch.autograd.grad(activation(x, spec, save=save).sum(), x, create_graph=True)

    def test_jacobians(self) -> None:
        def function(x: torch.Tensor) -> torch.Tensor:
            return activation(x, SPEC)

        expected = torch.diag(self.expected[1])
        for options in ({}, {"vectorize": True}, {"vectorize": True, "strategy": "forward-mode"},
                        {"create_graph": True}):
            found = torch.autograd.functional.jacobian(function, self.x, **options)
            self.assertEqual(difference(found, expected), "", str(options))
        for found in (torch.func.jacrev(function)(self.x), torch.func.jacfwd(function)(self.x),
                      torch.func.jacrev(function, chunk_size=2)(self.x)):
            self.assertEqual(difference(found, expected), "")
        found = torch.func.vmap(torch.func.jacrev(function))(self.x.view(2, 2))
        self.assertEqual(difference(found, torch.diag_embed(self.expected[1].view(2, 2))), "")

    def test_numbers_with_a_learned_parameter(self) -> None:
        """A module's one value also fits a number without dimensions, as vmap makes them."""
        module = libsugar.torch.Activation("elu(alpha=0.5)", learn=True)
        self.assertEqual(module(torch.tensor(-1.0)).shape, ())
        self.assertTrue(torch.equal(torch.func.vmap(module)(self.x), torch.func.vmap(module)(self.x[:, None])[:, 0]))

    def test_vmap_dimensions(self) -> None:
        """x, the parameter, or both are mapped, along any dimension."""
        x = torch.randn(2, 3, 4)
        parameter = 0.5 + torch.rand(2, 4)
        expected = torch.stack([activation(row, "elu", one) for row, one in zip(x, parameter)])
        for moved, at in ((x, 0), (x.movedim(0, 2), 2), (x.movedim(0, -2), -2)):
            found = torch.func.vmap(lambda x, p: activation(x, "elu", p), (at, 1))(moved, parameter.T)
            self.assertEqual(difference(found, expected), "")
        found = torch.func.vmap(lambda p: activation(x[0], "elu", p))(parameter)
        self.assertEqual(difference(found, torch.stack([activation(x[0], "elu", one) for one in parameter])), "")
        found = torch.func.vmap(lambda x: activation(x, "elu", parameter[0]))(x)
        self.assertEqual(difference(found, activation(x, "elu", parameter[0])), "")

    def test_drawn_slopes_under_vmap(self) -> None:
        x = -torch.ones(2, 50)

        def draw(x: torch.Tensor) -> torch.Tensor:
            return activation(x, "rrelu", training=True)

        same = torch.func.vmap(draw, randomness="same")(x)
        self.assertTrue(torch.equal(same[0], same[1]))
        different = torch.func.vmap(draw, randomness="different")(x)
        self.assertFalse(torch.equal(different[0], different[1]))
        with self.assertRaisesRegex(RuntimeError, "random"):
            torch.func.vmap(draw)(x)


class Refused(unittest.TestCase):
    def test_save_in_a_graph(self) -> None:
        """In a graph x is kept whatever save says, but what it says is checked."""
        for spec, save in (("relu", "bits"), ("relu_squared", "byte")):
            function = torch.compile(lambda x: activation(x, spec, save=save), backend="eager", fullgraph=True)
            with self.assertRaisesRegex(Exception, f"save: '{save}', expected one of"):
                function(torch.ones(2))

    def test_types_and_layouts(self) -> None:
        x = torch.tensor([1.0, 0, -2])
        refused: list[tuple[Any, str]] = [
            (x.to(torch.complex64), "x: dtype torch.complex64"), (x.to(torch.int32), "x: dtype torch.int32"),
            (x.to(torch.bool), "x: dtype torch.bool"), (x.to(torch.float8_e4m3fn), "x: dtype torch.float8_e4m3fn"),
            (torch.quantize_per_tensor(x, 0.1, 0, torch.qint8), "x: dtype torch.qint8"),
            (x.to_sparse(), "x: layout torch.sparse_coo"), (torch.eye(2).to_sparse_csr(), "x: layout torch.sparse_csr"),
            (x.to_mkldnn(), "x: layout torch._mkldnn"), (x.numpy(), "x: ndarray"), (1.0, "x: float"), (None, "x: None")]
        for given, message in refused:
            with self.assertRaisesRegex(TypeError, message):
                activation(given, SPEC)
        for given, message in refused[:4]:
            with self.assertRaisesRegex(TypeError, message):
                torch.func.vmap(lambda x: activation(x, SPEC))(given)
            with self.assertRaisesRegex(RuntimeError, message):
                torch.compile(lambda x: activation(x, SPEC), backend="eager", fullgraph=True)(given)

    def test_other_arguments(self) -> None:
        x = torch.randn(3)
        cases: list[tuple[dict[str, Any], type[Exception], str]] = [
            ({"spec": "relo"}, libsugar.SpecError, "found 'relo', did you mean 'relu'"),
            ({"spec": 3}, TypeError, "spec: int, expected a str"),
            ({"spec": SPEC, "save": "all"}, ValueError, r"save: 'all', expected one of \['input', 'byte'\]"),
            ({"spec": "relu_squared", "save": "byte"}, ValueError, "save: 'byte', expected one of"),
            ({"spec": SPEC, "level": "mmx"}, libsugar.Error, "level")]
        for options, error, message in cases:
            with self.assertRaisesRegex(error, message):
                activation(x, **options)

    def test_monitors_where_nothing_can_be_counted(self) -> None:
        monitor = libsugar.Monitor(3)
        with self.assertRaisesRegex(RuntimeError, "monitor: x is a Tensor under torch.func .* remove the monitor"):
            torch.func.vmap(lambda x: activation(x, SPEC, monitor=monitor))(torch.randn(2, 3))
        with self.assertRaises(NotImplementedError):
            activation(torch.randn(2, 3, device="meta"), SPEC, monitor=monitor)
        self.assertEqual(monitor.summary().samples, 0)


if __name__ == "__main__":
    unittest.main()
