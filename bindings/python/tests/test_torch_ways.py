"""libsugar.torch in each of PyTorch's ways, against the C library.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_torch_ways.py

torch.library.opcheck is for registered operators. Activations are none: a Function, which the compiler takes as one
call. What opcheck looks at is tested here and in test_torch_inputs.py: autograd by comparison with C, FakeTensor and
meta tensors, make_fx, dynamic shapes.
"""

from __future__ import annotations

import contextlib
import functools
import unittest
from typing import Any, Callable, Iterator, Sequence

import libsugar.torch
import torch
import torch.distributed
from libsugar.torch import Activation, activation
from libsugar.torch import _function as function
from torch.autograd import forward_ad
from torch.distributed.tensor import Shard, distribute_tensor
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils.flop_counter import FlopCounterMode
from torch_cases import (LEARNING, SPECS, TYPES, Logged, difference, disagreements, gradient, in_c, points)

Results = tuple[Sequence[torch.Tensor], Sequence[torch.Tensor]]


def all_of(*xs: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Every activation, each of its own x: one graph for all of them."""
    return tuple(activation(x, spec) for spec, x in zip(SPECS, xs))


def copies(x: torch.Tensor) -> list[torch.Tensor]:
    return [x.clone() for _ in SPECS]


def ones(ys: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    return tuple(torch.ones_like(y) for y in ys)


# ---- Ways to the value and the first derivative ---------------------------------------------------------------------


def backward_of(made: Callable[..., Any]) -> Callable[[torch.Tensor], Results]:
    def way(x: torch.Tensor) -> Results:
        xs = [one.requires_grad_() for one in copies(x)]
        ys = made(*xs)
        return ys, torch.autograd.grad(ys, xs, ones(ys))
    return way


def vjp(x: torch.Tensor) -> Results:
    ys, back = torch.func.vjp(all_of, *copies(x))
    return ys, back(ones(ys))


def jvp(x: torch.Tensor) -> Results:
    xs = copies(x)
    ys, dys = torch.func.jvp(all_of, tuple(xs), ones(xs))
    return ys, dys


def linearized(x: torch.Tensor) -> Results:
    xs = copies(x)
    ys, linear = torch.func.linearize(all_of, *xs)
    return ys, linear(*ones(xs))


def dual(x: torch.Tensor) -> Results:
    with forward_ad.dual_level():
        made = [forward_ad.unpack_dual(y) for y in all_of(*(forward_ad.make_dual(x, torch.ones_like(x))
                                                            for x in copies(x)))]
    return [one.primal for one in made], [one.tangent for one in made]


def vmap(x: torch.Tensor) -> Results:
    rows = [one.view(3, -1) for one in copies(x)]
    ys = torch.func.vmap(all_of, in_dims=1, out_dims=1)(*rows)
    dys = torch.func.vmap(lambda *xs: torch.func.vjp(all_of, *xs)[1](ones(xs)))(*rows)
    return [y.flatten() for y in ys], [dy.flatten() for dy in dys]


def nested_vmap(x: torch.Tensor) -> Results:
    """Of numbers without dimensions."""
    def number(x: torch.Tensor, spec: str) -> tuple[torch.Tensor, torch.Tensor]:
        dy, y = torch.func.grad_and_value(lambda x: activation(x, spec))(x)
        return y, dy

    rows = x.view(3, -1)
    made = [torch.func.vmap(torch.func.vmap(lambda x: number(x, spec)))(rows) for spec in SPECS]
    return [y.flatten() for y, _ in made], [dy.flatten() for _, dy in made]


def subclass(x: torch.Tensor) -> Results:
    xs = [Logged(one).requires_grad_() for one in copies(x)]
    ys = all_of(*xs)
    dxs = torch.autograd.grad(ys, xs, ones(ys))
    assert all(isinstance(one, Logged) for one in (*ys, *dxs))
    return [y.held for y in ys], [dx.held for dx in dxs]


def mode(x: torch.Tensor) -> Results:
    with FlopCounterMode(display=False):
        return backward_of(all_of)(x)


def proxies(x: torch.Tensor, tracing_mode: str) -> Results:
    """make_fx, of another x, so that nothing of it can be left in the graph."""
    def both(*xs: torch.Tensor) -> Any:
        ys = all_of(*xs)
        return ys, torch.autograd.grad(ys, xs, ones(ys))

    example = [torch.randn(x.shape, dtype=x.dtype, requires_grad=True) for _ in SPECS]
    graph = make_fx(both, tracing_mode=tracing_mode)(*example)
    ys, dys = graph(*(one.requires_grad_() for one in copies(x)))
    return ys, dys


def distributed(x: torch.Tensor) -> Results:
    with one_process() as mesh:
        xs = [distribute_tensor(one, mesh, [Shard(0)]).requires_grad_() for one in copies(x)]
        ys = all_of(*xs)
        dxs = torch.autograd.grad(ys, xs, ones(ys))
        return [y.full_tensor() for y in ys], [dx.full_tensor() for dx in dxs]


@contextlib.contextmanager
def one_process() -> Iterator[Any]:
    """DTensor's mesh, of this process alone."""
    torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    try:
        yield torch.distributed.device_mesh.init_device_mesh("cpu", (1,))
    finally:
        torch.distributed.destroy_process_group()


def compiled(function: Callable[..., Any], backend: str = "aot_eager", **options: Any) -> Callable[..., Any]:
    """In one graph. What the compiler makes of the graph is the backend's part."""
    torch.compiler.reset()
    made: Callable[..., Any] = torch.compile(function, fullgraph=True, backend=backend, **options)
    return made


class Compared(unittest.TestCase):
    def agree(self, way: Callable[[torch.Tensor], Results], types: Sequence[torch.dtype] = TYPES) -> None:
        for dtype in types:
            x = points(dtype)
            ys, dys = way(x)
            self.assertEqual(disagreements(SPECS, x, ys, dys), [])


class EveryKind(Compared):
    def test_eager(self) -> None:
        for dtype in TYPES:
            x = points(dtype)
            ys, dys = backward_of(all_of)(x)
            for spec, y, dy in zip(SPECS, ys, dys):
                for found, expected in zip((y, dy), in_c(spec, x)):
                    self.assertTrue(torch.equal(found.nan_to_num(7), expected.nan_to_num(7)), f"{spec}, {dtype}")

    def test_formulas_in_eager(self) -> None:
        """As other devices have them."""
        def in_operations(*xs: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return tuple(function.InOperations.apply(x, None, None, spec) for spec, x in zip(SPECS, xs))

        self.agree(backward_of(in_operations))

    def test_vjp(self) -> None:
        self.agree(vjp)

    def test_jvp(self) -> None:
        self.agree(jvp)

    def test_linearize(self) -> None:
        self.agree(linearized, (torch.float64, torch.bfloat16))

    def test_forward_mode(self) -> None:
        self.agree(dual)

    def test_vmap(self) -> None:
        self.agree(vmap)

    def test_nested_vmap(self) -> None:
        self.agree(nested_vmap)

    def test_subclass(self) -> None:
        self.agree(subclass)

    def test_dispatch_mode(self) -> None:
        self.agree(mode)

    def test_make_fx(self) -> None:
        """On real tensors, which could be baked in as constants, and on symbolic ones."""
        self.agree(functools.partial(proxies, tracing_mode="real"), (torch.float64,))
        self.agree(functools.partial(proxies, tracing_mode="symbolic"), (torch.bfloat16,))

    def test_distributed_tensor(self) -> None:
        self.agree(distributed, (torch.float64, torch.bfloat16))

    def test_compiled(self) -> None:
        """Every type in every backend: test_torch_long_ways.py"""
        self.agree(backward_of(compiled(all_of)), (torch.float64, torch.bfloat16))

    def test_compiled_by_inductor(self) -> None:
        self.agree(backward_of(compiled(all_of, "inductor")), (torch.float32,))

    def test_compiled_with_dynamic_shapes(self) -> None:
        way = backward_of(compiled(all_of, dynamic=True))
        way(torch.randn(5))
        with torch.compiler.set_stance("fail_on_recompile"):
            self.agree(way, (torch.float32,))

    def test_compiled_transform(self) -> None:
        self.agree(compiled(nested_vmap), (torch.float32,))


# ---- Second derivatives ---------------------------------------------------------------------------------------------


def slopes_of_derivative(spec: str, x: torch.Tensor) -> torch.Tensor:
    """g'' by central differences of C's g'; NaN where g' has a corner or a jump nearby, as differences do not agree."""
    def difference(h: float) -> torch.Tensor:
        return (in_c(spec, x + h)[1] - in_c(spec, x - h)[1]) / (2 * h)

    near, far = difference(2e-5), difference(4e-5)
    return torch.where((near - far).abs() <= 1e-5 * near.abs().clamp(min=1), near, torch.nan)


def twice_backward(f: Callable[..., Any], x: torch.Tensor) -> torch.Tensor:
    return gradient(lambda x: torch.autograd.grad(f(x).sum(), x, create_graph=True)[0], x)


SECOND: dict[str, Callable[[Callable[..., Any], torch.Tensor], Any]] = {
    "backward twice": twice_backward,
    "torch.autograd.functional.hessian":
        lambda f, x: torch.autograd.functional.hessian(lambda x: f(x).sum(), x).diagonal(),
    "its vectorized form":
        lambda f, x: torch.autograd.functional.hessian(lambda x: f(x).sum(), x, vectorize=True).diagonal(),
    "torch.func.hessian": lambda f, x: torch.func.hessian(lambda x: f(x).sum())(x).diagonal(),
    "jacrev of jacrev": lambda f, x: torch.func.jacrev(torch.func.jacrev(lambda x: f(x).sum()))(x).diagonal(),
    "grad of grad": lambda f, x: torch.func.grad(lambda x: torch.func.grad(lambda x: f(x).sum())(x).sum())(x),
    "vmap of grad of grad": lambda f, x: torch.func.vmap(torch.func.grad(torch.func.grad(f)))(x),
    "grad of jvp": lambda f, x: torch.func.grad(lambda x: torch.func.jvp(f, (x,), (torch.ones_like(x),))[1].sum())(x),
    "jacfwd of jacfwd": lambda f, x: torch.func.jacfwd(torch.func.jacfwd(lambda x: f(x).sum()))(x).diagonal(),
    "jvp of jvp": lambda f, x: torch.func.jvp(lambda x: torch.func.jvp(f, (x,), (torch.ones_like(x),))[1], (x,),
                                              (torch.ones_like(x),))[1]}


class Differentiated(unittest.TestCase):
    def setUp(self) -> None:
        self.x = 3 * torch.randn(40, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
        specs = (*SPECS, "relu_squared~silu(blend=0.5)")
        self.expected = {spec: slopes_of_derivative(spec, self.x) for spec in specs}

    def agree(self, spec: str, found: torch.Tensor) -> None:
        expected = self.expected[spec]
        smooth = ~expected.isnan()
        self.assertGreater(int(smooth.sum()), 30, spec)
        error = (found.detach() - expected)[smooth].abs() / expected[smooth].abs().clamp(min=1)
        self.assertLess(error.max(), 2e-6, spec)

    def agree_compiled(self, names: Sequence[str], specs: Sequence[str]) -> None:
        for name in names:
            way = SECOND[name]
            found = compiled(lambda x: [way(lambda x: activation(x, spec), x) for spec in specs])(self.x)
            for spec, one in zip(specs, found):
                with self.subTest(name):
                    self.agree(spec, one)


class SecondDerivatives(Differentiated):
    def test_ways(self) -> None:
        for name, way in SECOND.items():
            for spec in SPECS:
                with self.subTest(name):
                    self.agree(spec, way(lambda x: activation(x, spec), self.x))

    def test_at_zero(self) -> None:
        """Where a formula goes by |x|, whose derivative PyTorch takes for 0 there."""
        zero = torch.zeros(2, dtype=torch.float64)
        for name, way in SECOND.items():
            for spec, expected in (("silu", 0.5), ("mish", 0.64), ("softplus", 0.25), ("squareplus", 0.25)):
                with self.subTest(name):
                    found = way(lambda x: activation(x, spec), zero)
                    self.assertTrue(torch.allclose(found, torch.full_like(zero, expected)), f"{spec}: {found}")

    def test_compiled(self) -> None:
        """The others: test_torch_long_ways.py. A second backward pass is refused by PyTorch."""
        self.agree_compiled(("vmap of grad of grad", "torch.func.hessian", "jvp of jvp"),
                            ("relu~bsilu", "gelu", "relu_squared~silu(blend=0.5)"))
        x = self.x.clone().requires_grad_()
        first = torch.autograd.grad(compiled(all_of)(*[x] * len(SPECS))[0].sum(), x, create_graph=True)[0]
        with self.assertRaisesRegex(RuntimeError, "does not currently support double backward"):
            torch.autograd.grad(first.sum(), x)

    def test_gradient_penalty(self) -> None:
        """Both forms: all of backward with create_graph, and the gradient as a part of the loss."""
        x = self.x.clone().requires_grad_()
        y = activation(x, "relu~bsilu")
        (y ** 2).sum().backward(create_graph=True)
        assert x.grad is not None
        value, slope = (one.detach() for one in in_c("relu~bsilu", self.x))
        self.assertEqual(difference(x.grad, 2 * value * slope), "")
        (again,) = torch.autograd.grad(x.grad.sum(), x)
        # y is differentiated by the surrogate in the second pass, too.
        expected = 2 * slope * slope + 2 * value * self.expected["relu~bsilu"]
        self.assertLess((again - expected).abs().max(), 1e-5)

    def test_third(self) -> None:
        def third(x: torch.Tensor) -> torch.Tensor:
            return torch.func.grad(torch.func.grad(torch.func.grad(lambda x: activation(x, "tanh"))))(x)

        found = torch.func.vmap(third)(self.x)
        t = self.x.tanh()
        self.assertTrue(torch.allclose(found, (6 * t * t - 2) * (1 - t * t), rtol=0, atol=1e-12))


# ---- Learned parameters ---------------------------------------------------------------------------------------------


def parameter_ways() -> dict[str, Callable[[Callable[..., Any], torch.Tensor, torch.Tensor, torch.Tensor], Any]]:
    """Each from f(x, parameter), x, the parameter and dy to y, dx and the parameter's gradient."""
    def eager(f: Any, x: torch.Tensor, parameter: torch.Tensor, dy: torch.Tensor, create_graph: bool = False) -> Any:
        x, parameter = x.clone().requires_grad_(), parameter.clone().requires_grad_()
        y = f(x, parameter)
        return (y, *torch.autograd.grad(y, (x, parameter), dy, create_graph=create_graph))

    def func(f: Any, x: torch.Tensor, parameter: torch.Tensor, dy: torch.Tensor) -> Any:
        y, back = torch.func.vjp(f, x, parameter)
        return (y, *back(dy))

    def batched(f: Any, x: torch.Tensor, parameter: torch.Tensor, dy: torch.Tensor) -> Any:
        x, parameter = x.clone().requires_grad_(), parameter.clone().requires_grad_()
        y = f(x, parameter)
        return (y, *(one[1] for one in torch.autograd.grad(y, (x, parameter), torch.stack([-dy, dy, 2 * dy]),
                                                           is_grads_batched=True)))

    def mapped(f: Any, x: torch.Tensor, parameter: torch.Tensor, dy: torch.Tensor) -> Any:
        """Over the parameter; the other one in the batch is another."""
        made = torch.func.vmap(lambda parameter: func(f, x, parameter, dy))(torch.stack([0.5 * parameter, parameter]))
        return [one[1] for one in made]

    return {"eager": eager, "eager, in formulas": functools.partial(eager, create_graph=True), "func": func,
            "is_grads_batched": batched, "vmap over the parameter": mapped,
            "compiled": lambda f, *a: eager(compiled(f), *a), "compiled func": lambda f, *a: compiled(func)(f, *a)}


class Parameters(unittest.TestCase):
    shapes = {"one": (1,), "number": (), "per channel": (4, 1), "per feature": (4, 5), "per element": (3, 4, 5)}

    def test_ways(self) -> None:
        generator = torch.Generator().manual_seed(3)
        x, dy = (2 * torch.randn(3, 4, 5, dtype=torch.float64, generator=generator) for _ in range(2))
        for kind in (*LEARNING, "elu~gelu(blend=0.4)", "silu~elu(domain=negative)"):
            for layout, shape in self.shapes.items():
                parameter = 0.3 + torch.rand(shape, dtype=torch.float64, generator=generator)
                full = parameter.expand(x.shape).contiguous()
                each = torch.empty_like(x)
                expected = in_c_with(kind, x, dy, full, each)
                for name, way in parameter_ways().items():
                    if name.startswith("compiled") and layout != "per channel":
                        continue        # a graph for each kind and shape takes its time
                    with self.subTest(f"{kind}, {layout}, {name}"):
                        y, dx, dparameter = way(lambda x, p: activation(x, kind, p), x, parameter, dy)
                        self.assertEqual(difference(y, expected[0]), "")
                        self.assertEqual(difference(dx, expected[1], 1e-14 * dy.abs().clamp(min=1)), "")
                        self.assertEqual(difference(dparameter, each.sum_to_size(shape), torch.tensor(1e-12)), "")

    def test_forward_mode(self) -> None:
        """df/dparameter alone, and added to the other part."""
        x = torch.randn(3, 4, dtype=torch.float64)
        for kind in LEARNING:
            parameter = torch.full((4,), 0.7, dtype=torch.float64)
            each = torch.empty_like(x)
            dx = in_c_with(kind, x, torch.ones_like(x), parameter.expand(x.shape).contiguous(), each)[1]
            found = torch.func.jvp(lambda p: activation(x, kind, p), (parameter,), (torch.ones(4).double(),))[1]
            self.assertEqual(difference(found, each), "", kind)
            found = torch.func.jvp(lambda x, p: activation(x, kind, p), (x, parameter),
                                   (torch.ones_like(x), torch.ones(4).double()))[1]
            self.assertEqual(difference(found, each + dx), "", kind)

    def test_forward_mode_at_infinity(self) -> None:
        """A parameter without a tangent adds nothing, not 0 times its derivative."""
        x, parameter = torch.tensor([-torch.inf, torch.inf, -2.0]), torch.tensor(0.7)
        for kind in LEARNING:
            expected = gradient(lambda x: activation(x, kind, parameter), x)
            found = torch.func.jvp(lambda x: activation(x, kind, parameter), (x,), (torch.ones_like(x),))[1]
            self.assertEqual(difference(found, expected), "", kind)

    def test_narrow(self) -> None:
        """A float32 parameter of a model whose inputs are narrow, as under autocast, gets a float32 gradient."""
        for dtype in (torch.float16, torch.bfloat16):
            x = points(dtype).nan_to_num(0, 1, -1).clamp(-50, 50)
            parameter = torch.tensor([0.7], requires_grad=True)
            activation(x, "elu", parameter).sum().backward()
            expected = torch.expm1(x.double().clamp(max=0)).sum()
            assert parameter.grad is not None
            self.assertEqual(parameter.grad.dtype, torch.float32)
            self.assertLess(abs(parameter.grad.item() / expected - 1), 0.01)

    def test_refused(self) -> None:
        x = -torch.ones(3, 4)
        for parameter, error, message in (
                (0.5, TypeError, "parameter: float, expected a tensor"),
                (torch.ones(4, dtype=torch.complex64), TypeError, "parameter: dtype torch.complex64, layout"),
                (torch.ones(4).to_sparse(), TypeError, "parameter: .* layout torch.sparse_coo"),
                (torch.ones(3), ValueError, r"parameter: shape \(3,\), expected \(3, 4\) like x, or 1"),
                (torch.ones(2, 3, 4), ValueError, r"parameter: shape \(2, 3, 4\), expected \(3, 4\) like x, or 1")):
            for device in ("cpu", "meta"):
                moved: Any = parameter if isinstance(parameter, float) else parameter.to(device)
                with self.assertRaisesRegex(error, message):
                    activation(x.to(device), "elu", moved)
                with self.assertRaisesRegex(error, message):
                    torch.func.vmap(lambda x: activation(x, "elu", moved))(x.to(device)[None])
        with self.assertRaisesRegex(ValueError, "parameter: a tensor, expected None: relu has none"):
            activation(x, "relu~elu", torch.ones(1))
        with self.assertRaisesRegex(ValueError, "parameter: a tensor, expected None: rrelu has none"):
            activation(x, "rrelu", torch.ones(1), training=True)
        with self.assertRaisesRegex(RuntimeError, "parameter: a tensor, expected None: rrelu has none"):
            compiled(lambda x: activation(x, "rrelu", torch.ones(1), training=True))(x)


def in_c_with(kind: str, x: torch.Tensor, dy: torch.Tensor, parameter: torch.Tensor,
              each: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The library's y and dx; and what each element gives to the parameter's gradient, into `each`."""
    made = libsugar.Activation(kind)
    y = made.forward(x, torch.empty_like(x), parameter=parameter, threads=1)
    return y, made.backward(x, dy, torch.empty_like(x), parameter=parameter, parameter_gradient=each, threads=1)


# ---- Blends in tensors ----------------------------------------------------------------------------------------------


class Blends(unittest.TestCase):
    shares = (0.0, 0.25, 0.7, 1.0)

    def test_ensemble(self) -> None:
        """Models that differ in their blends, stacked and mapped, and one after the other."""
        x = points(torch.float64)
        for spec in ("relu~bsilu", "relu_squared~silu", "silu~relu_squared", "elu~gelu(domain=negative)"):
            models = [Activation(spec) for _ in self.shares]
            for model, share in zip(models, self.shares):
                model.blend = share
            parameters, buffers = torch.func.stack_module_state(models)

            def slope(base: Any, buffers: Any) -> torch.Tensor:
                return torch.func.grad(lambda x: torch.func.functional_call(base, buffers, (x,)).sum())(x)

            meta, first = Activation(spec).to("meta"), Activation(spec)
            for way in (lambda: torch.func.vmap(lambda buffers: slope(meta, buffers))(buffers),
                        lambda: compiled(torch.func.vmap(lambda buffers: slope(first, buffers)))(buffers),
                        lambda: [slope(first, model._buffers) for model in models],
                        lambda: [gradient(lambda x: torch.func.functional_call(first, model._buffers, (x,)), x)
                                 for model in models]):
                for model, found in zip(models, way()):
                    self.assertEqual(disagreements([model.spec], x, None, [found]), [])
            self.assertEqual(first.blend, 1)

    def test_schedule_makes_one_graph(self) -> None:
        x = points(torch.float32)
        module = Activation("relu~bsilu(domain=negative)")
        way = compiled(module)
        gradient(way, x)
        module.blend = 0.9
        gradient(way, x)
        with torch.compiler.set_stance("fail_on_recompile"):
            for module.blend in self.shares:
                self.assertEqual(disagreements([module.spec], x, None, [gradient(way, x)]), [])

    def test_without_a_surrogate(self) -> None:
        module = Activation("tanh")
        x = torch.linspace(-2, 2, 9)
        found = torch.func.functional_call(module, {"_blend": torch.tensor(0.0)}, (x,))
        self.assertEqual(disagreements(["tanh"], x, [found], None), [])


if __name__ == "__main__":
    unittest.main()
