"""libsugar.jax against the C library, under JAX's transformations and on two host devices.

    SUGAR_LIBRARY=... SUGAR_FRAMEWORKS=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_jax.py

Exits with 77 where there is no jax.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import pickle
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any, Callable, cast

import libsugar
import numpy as np
from libsugar import _lowlevel as c
from libsugar._errors import check
from libsugar._tensor import view
from test_formulas import points, specs

FLAGS = os.environ.get("XLA_FLAGS", "")
os.environ["XLA_FLAGS"] = f"{FLAGS} --xla_force_host_platform_device_count=2"
try:
    import jax
    import jax.export
    import jax.numpy as jnp
    import libsugar.jax
    from jax.experimental import serialize_executable
    from jax.sharding import Mesh, NamedSharding
    from jax.sharding import PartitionSpec as P
    from libsugar.jax import activation
except ImportError as missing:
    if missing.name not in ("jax", "jaxlib"):
        raise
    if __name__ == "__main__":
        print("skipped: python-jax: there is no jax")
        sys.exit(77)
    raise unittest.SkipTest("skipped: there is no jax") from None

jax.config.update("jax_enable_x64", True)
HERE = Path(__file__).parent
TYPES = [jnp.float16, jnp.bfloat16, jnp.float32, jnp.float64]
KINDS = [kind.name if "forward" in kind.roles else f"relu~{kind.name}" for kind in libsugar.catalogue()
         if kind.name != "table"]      # needs more than a spec
MIXTURES = ["relu~bsilu(domain=negative)", "gelu~elu(blend=0.5)", "heaviside(threshold=0.3)~atan_spike"]
ROWS = [(-2.0, -0.3, 0.1), (-0.5, 0.2, -1.0), (0.0, 0.0, 0.5), (1.5, 2.0, 1.25), (4.0, 4.0, 0.1)]
LEARNERS = [kind.name for kind in libsugar.catalogue() if "learn" in kind.capabilities]


def backward(spec: str, x: Any, dy: Any, **options: Any) -> Any:
    with np.errstate(all="ignore"):
        return libsugar.Activation(spec).backward(np.asarray(x), np.asarray(dy), **options)


def backward_twice(spec: str, x: Any, dy: Any, v: Any, table: Any = None) -> tuple[Any, Any]:
    """The gradients of x and dy."""
    made = libsugar.Activation(spec, table=table)
    x, dy, v = (np.asarray(one) for one in (x, dy, v))
    dx, ddy = np.empty_like(x), np.empty_like(x)
    check(c.sugar_backward_twice(made._handle, view(x, "x"), view(dy, "dy"), view(v, "v"), view(ddy, "ddy", True),
                                 view(dx, "dx", True), None))
    return dx, ddy


class Case(unittest.TestCase):
    def same(self, found: Any, expected: Any, what: str) -> None:
        """The same type, shape and bits, but for those of NaN."""
        found = np.asarray(found)
        self.assertEqual((found.dtype, found.shape), (expected.dtype, expected.shape), what)
        bits = np.dtype(f"u{found.itemsize}")
        same = (found.view(bits) == expected.view(bits)) | (np.isnan(found) & np.isnan(expected))
        self.assertTrue(same.all(), f"{what}: {found[~same][:3]} in place of {expected[~same][:3]}")

    def near(self, found: Any, expected: Any, error: float, what: str = "") -> None:
        np.testing.assert_allclose(np.asarray(found, np.float64), np.asarray(expected, np.float64), error, error,
                                   err_msg=what)


class Kinds(Case):
    """Every kind in every type: what C computes has the bits that it has on arrays of NumPy."""

    def ways(self, spec: str, x: Any, dy: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Values and products with dy, by the name of the way."""
        f = activation(spec)
        y, pull = jax.vjp(f, x)
        values = {"plain": y, "vmap": jax.vmap(f)(x), "vmap of columns": jax.vmap(f, 1, 1)(x),
                  "checkpoint": jax.checkpoint(f)(x)}
        products = {"vjp": pull(dy)[0], "jvp": jax.jvp(f, (x,), (dy,))[1], "linearize": jax.linearize(f, x)[1](dy),
                    "vmap of vjp": jax.vmap(lambda x, dy: jax.vjp(f, x)[1](dy)[0])(x, dy),
                    "vjp of vmap": jax.vjp(jax.vmap(f), x)[1](dy)[0],
                    "jvp of vjp": jax.jvp(pull, (dy,), (dy,))[1][0],
                    "vjp of checkpoint": jax.vjp(jax.checkpoint(f), x)[1](dy)[0]}
        return values, products

    def test_bits(self) -> None:
        for dtype in TYPES:
            edges = jnp.asarray([0, -0.0, np.inf, -np.inf, np.nan, 3, -3, 6, 1, -1, 0.5, -0.5, 40], dtype)
            x = jnp.asarray(points(np.float32)[::97])[:299].astype(dtype).reshape(23, 13).at[0].set(edges)
            dy = jnp.linspace(-2, 2, x.size, dtype=dtype).reshape(x.shape)
            for spec in KINDS + MIXTURES:
                with np.errstate(all="ignore"):
                    y = libsugar.Activation(spec).forward(np.asarray(x))
                dx = backward(spec, x, dy)
                f = activation(spec)
                self.same(f(x), y, f"{spec}, {dtype.__name__}")
                self.same(jax.vjp(f, x)[1](dy)[0], dx, f"{spec}, {dtype.__name__}")
                values, products = jax.jit(functools.partial(self.ways, spec))(x, dy)
                for expected, group in ((y, values), (dx, products)):
                    for name, found in group.items():
                        self.same(found, expected, f"{spec}, {dtype.__name__}, {name}")

    def test_large(self) -> None:
        """Several threads of XLA."""
        x = np.random.default_rng(1).normal(0, 3, 1_000_003).astype(np.float32)
        for spec in ("gelu~bsilu(blend=0.5)", "relu"):
            self.same(jax.jit(activation(spec))(x), libsugar.Activation(spec).forward(x), spec)

    def test_shapes(self) -> None:
        f = activation("relu~bsilu")
        for shape in ((), (0,), (3, 0, 2), (1,), (2,) * 12):
            x = jnp.full(shape, -0.5)
            self.same(f(x), np.zeros(shape), f"{shape}")
            self.assertEqual(jax.grad(lambda x: f(x).sum())(x).shape, shape)
        self.assertEqual(f(-2.0), 0)
        self.assertEqual(f([[1.5]]).shape, (1, 1))
        self.assertEqual(jax.eval_shape(f, jax.ShapeDtypeStruct((3, 2), jnp.bfloat16)).dtype, jnp.bfloat16)


class Orders(Case):
    """Derivatives of second and higher order: the second by C, those beyond it by the formulas."""

    def ways(self, spec: str, x: Any, dy: Any, v: Any) -> dict[str, Any]:
        """The gradients of x and dy, by the name of the way; some have only the first."""
        f = activation(spec)

        def product(x: Any, dy: Any) -> Any:
            return jax.vjp(f, x)[1](dy)[0]

        pull = jax.vjp(product, x, dy)[1]
        return {"reverse over reverse": pull(v), "of x alone": jax.vjp(lambda x: product(x, dy), x)[1](v),
                "forward over reverse": (jax.jvp(lambda x: product(x, dy), (x,), (v,))[1],),
                "forward over forward": (jax.jvp(lambda x: jax.jvp(f, (x,), (dy,))[1], (x,), (v,))[1],),
                "reverse over forward": jax.vjp(lambda x, dy: jax.jvp(f, (x,), (dy,))[1], x, dy)[1](v),
                "vmap": jax.vmap(lambda x, dy, v: jax.vjp(product, x, dy)[1](v))(x, dy, v)}

    def test_bits(self) -> None:
        """What C computes has its bits, in every type, and for every kind."""
        edges = [0, -0.0, np.inf, -np.inf, np.nan, 3, -3, 6, 1, -1, 0.5, -0.5]
        random = np.random.default_rng(3)
        for dtype in TYPES:
            x = jnp.asarray(random.normal(0, 3, (5, 12)), dtype).at[0].set(jnp.asarray(edges, dtype))
            dy, v = (jnp.asarray(random.normal(0, 2, x.shape), dtype) for _ in range(2))
            for spec in KINDS + MIXTURES if dtype == jnp.float32 else ["elu", *MIXTURES]:
                self.compare(spec, jax.jit(functools.partial(self.ways, spec)), x, dy, v)
            self.compare("elu", functools.partial(self.ways, "elu"), x, dy, v)

    def compare(self, spec: str, ways: Callable[..., dict[str, Any]], x: Any, dy: Any, v: Any) -> None:
        expected = backward_twice(spec, x, dy, v)
        for name, found in ways(x, dy, v).items():
            for one, other in zip(found, expected):
                self.same(one, other, f"{spec}, {x.dtype}, {name}")

    def test_zero(self) -> None:
        """At the corner of their second derivatives 0 counts, by C and by the formulas."""
        for spec in ("elu", "celu", "selu"):
            zero, one = jnp.zeros(1), jnp.ones(1)
            self.assertEqual(jax.grad(jax.grad(activation(spec)))(0.0), 0, spec)
            by_formula = libsugar.jax.formula_pull([zero, one], [one], activation(spec).spec, "dy", False)[0]
            self.assertEqual(by_formula[0], 0, spec)

    def test_one_pass(self) -> None:
        """The gradient of a gradient is one call of C, for both of its results."""
        f = activation("gelu")
        step = jax.jit(lambda x, dy, v: jax.vjp(lambda x, dy: jax.vjp(f, x)[1](dy)[0], x, dy)[1](v))
        text = step.lower(*[jnp.ones((8, 4))] * 3).compile().as_text()
        self.assertEqual(re.findall(r"(\S+?)\(", text[text.index("ENTRY"):]).count("custom-call"), 1)
        self.assertNotRegex(text, r" (copy|multiply|reduce|transpose|fusion)\(")

    def test_second(self) -> None:
        x = jnp.asarray([-4.03, -1.71, -0.83, -0.31, -0.11, 0.13, 0.41, 0.77, 1.63, 2.91])
        h = 1e-6
        for spec in KINDS + MIXTURES:
            f = activation(spec)

            @jax.jit
            def ways(x: Any) -> Any:
                def total(x: Any) -> Any:
                    return f(x).sum()

                return {"hessian": jnp.diag(jax.hessian(total)(x)),
                        "reverse over reverse": jax.vmap(jax.grad(jax.grad(f)))(x),
                        "forward over forward": jax.vmap(jax.jacfwd(jax.jacfwd(f)))(x),
                        "reverse over forward": jnp.diag(jax.jacrev(jax.jacfwd(total))(x))}

            ones = np.ones_like(x)
            expected = (backward(spec, x + h, ones) - backward(spec, x - h, ones)) / (2 * h)
            for name, found in ways(x).items():
                self.near(found, expected, 1e-6, f"{spec}, {name}")

    def test_third(self) -> None:
        x, h = jnp.linspace(-2.03, 2.01, 7), 1e-5
        for spec in ("gelu", "relu~bsilu", "heaviside~atan_spike(alpha=3)", "tanh"):
            f = activation(spec)
            second = jax.vmap(jax.grad(jax.grad(f)))
            third = jax.vmap(jax.grad(jax.grad(jax.grad(f))))
            self.near(third(x), (second(x + h) - second(x - h)) / (2 * h), 1e-6, spec)


class Parameters(Case):
    """A parameter as an operand."""

    def gradients(self, spec: str, x: Any, parameter: Any, dy: Any) -> tuple[Any, Any]:
        """By the C library, for a parameter that broadcasts to x."""
        full = parameter.reshape((1,) * (x.ndim - parameter.ndim) + parameter.shape)
        gradient = np.empty_like(full)
        dx = backward(spec, x, dy, parameter=full, parameter_gradient=gradient)
        return dx, gradient.reshape(parameter.shape)

    def test_bits(self) -> None:
        random = np.random.default_rng(2)
        for dtype in TYPES:
            x, dy, tx = (jnp.asarray(random.normal(0, 2, (3, 5, 4)), dtype) for _ in range(3))
            for spec in (*LEARNERS, "softplus~bsilu(blend=0.5)"):
                for shape in ((), (4,), (5, 1), (3, 5, 4)) if spec == "elu" else ((5, 1),):
                    p = jnp.asarray(random.uniform(0.5, 2, shape), dtype)
                    self.compare(spec, x, p, dy, tx, f"{spec}, {dtype.__name__}, {shape}")

    def compare(self, spec: str, x: Any, p: Any, dy: Any, tx: Any, what: str) -> None:
        f, at, parameter = activation(spec), np.asarray(x), np.asarray(p)
        y, pull = jax.vjp(f, x, p)
        self.same(y, libsugar.Activation(spec).forward(at, parameter=parameter), what)
        dx, dp = self.gradients(spec, at, parameter, dy)
        for found in (pull(dy), jax.jit(lambda x, p, dy: jax.vjp(f, x, p)[1](dy))(x, p, dy)):
            self.same(found[0], dx, what)
            self.same(found[1], dp, what)
        # Forward mode: the sum of both products, each as C has it.
        each = self.gradients(spec, at, np.broadcast_to(parameter, x.shape), np.ones_like(at))[1]
        ty = backward(spec, x, tx, parameter=parameter) + each
        self.same(jax.jvp(f, (x, p), (tx, jnp.ones_like(p)))[1], ty, what)

    def test_transformed(self) -> None:
        f, x = activation("elu"), jnp.linspace(-2, 2, 12).reshape(3, 4)
        p = jnp.asarray([0.5, 1.0, 2.0])

        def loss(x: Any, p: Any) -> Any:
            return (f(x, p) ** 2).sum()

        each = jax.vmap(jax.grad(loss, (0, 1)))(x, p)
        for i in range(3):
            expected = jax.grad(loss, (0, 1))(x[i], p[i])
            self.same(each[0][i], np.asarray(expected[0]), "x")
            self.near(each[1][i], expected[1], 1e-15)
        shared = jax.vmap(jax.grad(loss, 1), (0, None))(x, p[0])       # a gradient for each example, not their sum
        self.near(shared, [jax.grad(loss, 1)(row, p[0]) for row in x], 1e-15)
        both = jax.jacfwd(jax.jacrev(lambda both: loss(both[:4], both[4])))(jnp.append(x[0], 0.7))
        self.near(both, both.T, 1e-15)
        a, h = x[0], 1e-6
        self.near(both[4, 4], (jax.grad(loss, 1)(a, 0.7 + h) - jax.grad(loss, 1)(a, 0.7 - h)) / (2 * h), 1e-6)
        self.same(jax.jit(lambda x: jax.grad(loss)(x, 2))(x), np.asarray(jax.grad(loss)(x, 2.0)), "an integer")
        tangent = np.zeros((), jax.dtypes.float0)
        self.same(jax.jvp(f, (x, 2), (x, tangent))[1], np.asarray(jax.jvp(lambda x: f(x, 2.0), (x,), (x,))[1]), "0")

    def test_empty(self) -> None:
        gradients = jax.grad(lambda x, p: activation("elu")(x, p).sum(), (0, 1))(jnp.ones((0, 3)), jnp.ones(3))
        self.same(gradients[1], np.zeros(3), "the sum over nothing")

    def test_drawn(self) -> None:
        f, x, key = activation("rrelu(lower=0.1, upper=0.3)~silu"), jnp.linspace(-3, -1, 1000), jax.random.key(1)
        slopes = f(x, key=key) / x
        self.assertTrue(bool((slopes > 0.0999).all() and (slopes < 0.3001).all() and jnp.std(slopes) > 0.05))
        self.same(jax.jit(lambda x, key: f(x, key=key))(x, key), np.asarray(f(x, key=key)), "the same key")
        self.assertFalse(bool((f(x, key=jax.random.key(2)) == f(x, key=key)).any()))
        self.same(jax.vjp(lambda x: f(x, key=key), x)[1](x)[0], backward("relu~silu", x, x), "of the surrogate")
        own = activation("rrelu")
        self.near(jax.vjp(lambda x: own(x, key=key), x)[1](jnp.ones_like(x))[0], own(x, key=key) / x, 1e-15)


class Fused(Case):
    """A gate or a bias as an operand: f(x) gate, f(x + bias)."""

    def arrays(self, dtype: Any, *shapes: tuple[int, ...]) -> list[Any]:
        random = np.random.default_rng(4)
        return [jnp.asarray(random.normal(0, 2, shape), dtype) for shape in shapes]

    def compare(self, f: Callable[..., Any], x: Any, p: Any, dy: Any, expected: Any, what: str) -> None:
        """y and both gradients, eagerly, compiled and by rows."""
        def ways(x: Any, p: Any, dy: Any) -> dict[str, Any]:
            y, pull = jax.vjp(f, x, p)
            return {"alone": (y, *pull(dy)), "of x alone": (y, jax.vjp(lambda x: f(x, p), x)[1](dy)[0]),
                    "checkpoint": (y, *jax.vjp(jax.checkpoint(f), x, p)[1](dy))}

        for way in (ways, jax.jit(ways)):
            for name, found in way(x, p, dy).items():
                for one, other in zip(found, expected):
                    self.same(one, other, f"{what}, {name}")

    def test_gate(self) -> None:
        for dtype in TYPES:
            x, gate, dy, tx, tgate = self.arrays(dtype, *[(3, 5, 4)] * 5)
            for spec in ("silu", "relu~bsilu"):
                f, made, at = functools.partial(libsugar.jax.gated, spec=spec), libsugar.Activation(spec), np.asarray
                dgate = np.empty_like(at(gate))
                dx = made.backward(at(x), at(dy), gate=at(gate), gate_gradient=dgate)
                expected = made.forward(at(x), gate=at(gate)), dx, dgate
                what = f"{spec}, {dtype.__name__}"
                self.compare(f, x, gate, dy, expected, what)
                rows = jax.vmap(lambda x, gate, dy: jax.vjp(f, x, gate)[1](dy))(x, gate, dy)
                self.same(rows[0], dx, f"{what}, vmap")
                self.same(rows[1], dgate, f"{what}, vmap")
                ty = made.backward(at(x), at(tx), gate=at(gate)) + made.forward(at(x), gate=at(tgate))
                self.same(jax.jvp(f, (x, gate), (tx, tgate))[1], ty, f"{what}, jvp")
        x, gate = jnp.ones((3, 4), np.float32), jnp.arange(4)
        self.same(libsugar.jax.gated(x, gate, "identity"), np.broadcast_to(np.arange(4, dtype=np.float32), (3, 4)), "")
        dgate = jax.grad(lambda gate: libsugar.jax.gated(x, gate, "relu").sum())(jnp.ones(4))
        self.assertEqual(dgate.tolist(), [3] * 4)

    def test_bias(self) -> None:
        for dtype in TYPES:
            for shape in ((4,), (5, 1), (), (3, 5, 4)):
                x, bias, dy, tx, tbias = self.arrays(dtype, (3, 5, 4), shape, (3, 5, 4), (3, 5, 4), shape)
                full = np.asarray(bias).reshape((1,) * (3 - len(shape)) + shape)
                made, at, what = libsugar.Activation("gelu~bsilu"), np.asarray, f"{dtype.__name__}, {shape}"
                dbias = np.empty_like(full)
                dx = made.backward(at(x), at(dy), bias=full, bias_gradient=dbias)

                def f(x: Any, bias: Any) -> Any:
                    return activation("gelu~bsilu")(x, bias=bias)

                self.compare(f, x, bias, dy, (made.forward(at(x), bias=full), dx, dbias.reshape(shape)), what)
                ty = made.backward(at(x), at(tx), bias=full) + made.backward(
                    at(x), np.broadcast_to(at(tbias), x.shape), bias=full)
                self.same(jax.jvp(f, (x, bias), (tx, tbias))[1], ty, f"{what}, jvp")
        each = jax.vmap(jax.grad(lambda bias, x: f(x, bias).sum()), (None, 0))(jnp.float32(0.3), jnp.ones((2, 4)))
        self.near(each, [4 * jax.grad(lambda x: activation("gelu~bsilu")(x))(1.3)] * 2, 1e-6, "a gradient for each row")

    def test_second(self) -> None:
        """By the formulas, as the second derivatives of what is not fused."""
        x, p = jnp.linspace(-2, 2, 5), jnp.linspace(0.5, 1.5, 5)
        f = activation("relu~bsilu")
        for fused, plain in ((lambda x, p: libsugar.jax.gated(x, p, "relu~bsilu"), lambda x, p: f(x) * p),
                             (lambda x, p: f(x, bias=p), lambda x, p: f(x + p))):
            found, expected = (jax.jit(jax.hessian(lambda both: function(both[0], both[1]).sum()))(jnp.stack([x, p]))
                               for function in (fused, plain))
            self.near(found, expected, 1e-14)

    def test_one_pass(self) -> None:
        x, row = jnp.ones((8, 4)), jnp.ones((1, 4))
        for f, p in ((lambda x, p: libsugar.jax.gated(x, p, "silu"), x),
                     (lambda x, p: activation("silu")(x, bias=p), row)):
            for step in (lambda x, p, dy: jax.vjp(f, x, p)[1](dy), lambda x, p, dy: f(x, p)):
                text = jax.jit(step).lower(x, p, x).compile().as_text()
                self.assertEqual(re.findall(r"(\S+?)\(", text[text.index("ENTRY"):]).count("custom-call"), 1)
                self.assertNotRegex(text, r" (copy|multiply|add|reduce|transpose|fusion)\(")


class Tables(Case):
    """A function given by knots, which are constants of programs."""

    def test_bits(self) -> None:
        x = jnp.asarray([*np.linspace(-5, 5, 41), np.inf, -np.inf, np.nan])
        dy, v = jnp.linspace(-2, 2, x.size), jnp.linspace(1, -3, x.size)
        for dtype in TYPES:
            operands = [one.astype(dtype) for one in (x, dy, v)]
            at, slope, tangent = (np.asarray(one) for one in operands)
            for spec in ("table", "relu~table(domain=negative, blend=0.4)", "table~bsilu"):
                f, made = activation(spec, table=ROWS), libsugar.Activation(spec, table=ROWS)
                twice = jax.jit(lambda x, dy, v: jax.vjp(lambda x, dy: jax.vjp(f, x)[1](dy)[0], x, dy)[1](v))
                what = f"{spec}, {dtype.__name__}"
                with np.errstate(all="ignore"):
                    self.same(f(operands[0]), made.forward(at), what)
                    self.same(jax.vjp(f, operands[0])[1](operands[1])[0], made.backward(at, slope), what)
                    for one, other in zip(twice(*operands), backward_twice(spec, at, slope, tangent, ROWS)):
                        self.same(one, other, f"{what}, twice")
        single = jnp.linspace(-5, 5, 41, dtype=jnp.float32)
        with jax.enable_x64(False):     # its numbers stay float64
            self.same(jax.jit(activation("table", table=np.asarray(ROWS) * 0.7))(single), libsugar.Activation(
                "table", table=np.asarray(ROWS) * 0.7).forward(np.asarray(single)), "without float64")

    def test_formulas(self) -> None:
        x = jnp.asarray([*np.linspace(-5, 5, 41), np.inf, -np.inf])
        f, ones = activation("table", table=ROWS), jnp.ones_like(x)
        for role, at in (("", [x]), ("gate", [x, ones * 1.5]), ("bias", [x, ones * 0.3]), ("dy", [x, ones * 1.5])):
            for name, linear in (("forward", []), ("pull", [ones])):
                if (name, role) == ("forward", "dy"):
                    continue
                found, expected = (getattr(libsugar.jax, f"{way}_{name}")(at, linear, f.spec, role, False)[0]
                                   for way in ("formula", "c"))
                self.near(found, expected, 1e-14, f"{role}, {name}")

    def test_named(self) -> None:
        """By the digest of its numbers."""
        f = activation("table", table=np.asarray(ROWS))
        self.assertRegex(f.spec, r"^table\(digest=[0-9a-f]{16}\)$")
        for other in (activation(f.spec), activation("table", table=ROWS), pickle.loads(pickle.dumps(f))):
            self.assertEqual((f, hash(f)), (other, hash(other)))
        self.assertNotEqual(f, activation("table", table=ROWS[1:]))
        x = jnp.linspace(-3, 3, 8)
        self.same(libsugar.jax.gated(x, x, f.spec), np.asarray(f(x) * x), "gate")
        for error, message, call in (
                (libsugar.ArgumentError, "table of 5 knots, expected none", lambda: activation("relu", table=ROWS)),
                (libsugar.Error, "table", lambda: activation("table")),
                (libsugar.Error, "table", lambda: activation("table(digest=0123456789abcdef)"))):
            self.assertRaisesRegex(error, message, call)


class Formulas(Case):
    """What other platforms compute, here on the CPU, and that programs are made for them."""

    def test_errors(self) -> None:
        # In units of eps * max(1, |result|), of which one is the type's own rounding: C's, or that of a wide result.
        bounds = {jnp.float16: 1.0, jnp.bfloat16: 1.0, jnp.float32: 8.0, jnp.float64: 8.0}
        for dtype, bound in bounds.items():
            x = jnp.asarray(points(np.float32)[::5]).astype(dtype)
            dy = jnp.ones_like(x)
            for spec in specs() if dtype == jnp.float32 else KINDS:
                call = dict(spec=activation(spec).spec, role="", learning=False)
                y = jax.jit(lambda x: libsugar.jax.formula_forward([x], [], **call)[0])(x)
                dx = jax.jit(lambda x, dy: libsugar.jax.formula_pull([x], [dy], **call)[0])(x, dy)
                with np.errstate(all="ignore"):
                    expected = libsugar.Activation(spec).forward(np.asarray(x))
                self.close(y, expected, bound, f"{spec}, {dtype.__name__}: value")
                self.close(dx, backward(spec, x, dy), bound, f"{spec}, {dtype.__name__}: derivative")

    def test_second(self) -> None:
        for dtype, bound in ((jnp.float16, 1), (jnp.bfloat16, 1), (jnp.float32, 16), (jnp.float64, 16)):
            x = jnp.asarray(points(np.float32)[::5]).astype(dtype)
            ones = jnp.ones_like(x)
            for spec in KINDS:
                dx, ddy = libsugar.jax.formula_pull([x, ones], [ones], activation(spec).spec, "dy", True)
                with np.errstate(all="ignore"):
                    expected = backward_twice(spec, x, ones, ones)
                self.close(dx, expected[0], bound, f"{spec}, {dtype.__name__}: second derivative")
                self.close(ddy, expected[1], bound, f"{spec}, {dtype.__name__}: first derivative")

    def close(self, found: Any, expected: Any, bound: float, what: str) -> None:
        eps = float(jnp.finfo(found.dtype).eps)
        found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
        self.assertTrue(np.array_equal(np.isnan(found), np.isnan(expected)), what)
        finite = np.isfinite(expected)
        self.assertTrue(np.array_equal(found[~finite], expected[~finite], equal_nan=True), what)
        found, expected = found[finite], expected[finite]
        error = np.abs(found - expected) / (np.maximum(1, np.abs(expected)) * eps)
        self.assertLessEqual(error.max(), bound, what)

    def test_operands(self) -> None:
        """Each operation beside each operand, by the formulas and by C."""
        x, dy = jnp.linspace(-3, 3, 24).reshape(4, 6), jnp.linspace(1, 2, 24).reshape(4, 6)
        p = jnp.linspace(0.5, 1.5, 6).reshape(1, 6)
        calls = [(kind, "parameter", p) for kind in LEARNERS]
        calls += [(spec, role, one) for spec in ("gelu", "relu~bsilu") for role, one in
                  (("", None), ("bias", p), ("gate", dy - 1.4), ("dy", dy - 1.4))]
        for spec, role, one in calls:
            at = [x] if one is None else [x, one]
            for name, linear in (("forward", []), ("pull", [dy]), ("push", [dy, *at[1:]])):
                if (name, role) == ("forward", "dy"):       # is the pull of no role
                    continue
                found, expected = (getattr(libsugar.jax, f"{way}_{name}")(
                    at, linear, activation(spec).spec, role, name != "forward" and bool(role))
                    for way in ("formula", "c"))
                self.assertEqual(len(found), len(expected))
                for one, other in zip(found, expected):
                    self.near(one, other, 1e-14, f"{spec}, {role}, {name}")

    def test_out_of_range(self) -> None:
        x, p = jnp.linspace(-3, 3, 24).reshape(4, 6), jnp.linspace(0.5, 1.5, 6).reshape(1, 6)
        outside = libsugar.jax.formula_forward([x, -p], [], activation("celu").spec, "parameter", False)[0]
        self.assertTrue(bool(jnp.isnan(outside).any()), "a parameter outside its range")

    def test_platforms(self) -> None:
        if importlib.util.find_spec("flatbuffers") is None:
            self.skipTest("there is no flatbuffers, which jax.export writes by")
        f = activation("elu~bsilu")
        allowed = [jax.export.DisabledSafetyCheck.custom_call(name)
                   for name in (libsugar.jax.FORWARD, libsugar.jax.BACKWARD)]
        x, p = jnp.linspace(-3, 3, 8), jnp.float64(0.7)
        gradient = jax.jit(jax.grad(lambda x, p: f(x, p).sum(), (0, 1)))
        made = jax.export.export(gradient, platforms=("cpu", "cuda", "tpu"), disabled_checks=allowed)(x, p)
        again = jax.export.deserialize(made.serialize())
        for found, expected in zip(again.call(x, p), gradient(x, p)):
            self.same(found, np.asarray(expected), "export")
        self.assertNotIn("custom_call @libsugar", jax.export.export(gradient, platforms=("cuda",))(x, p).mlir_module())
        n, = jax.export.symbolic_shape("n")
        any_size = jax.export.export(jax.jit(f), disabled_checks=allowed)(jax.ShapeDtypeStruct((n, 2), jnp.float32))
        self.same(any_size.call(np.ones((5, 2), np.float32)), np.ones((5, 2), np.float32), "n = 5")


class Programs(Case):
    """Programs as a whole."""

    def test_cached(self) -> None:
        """An equal activation is no new program."""
        traced = []

        @functools.partial(jax.jit, static_argnums=0)
        def run(f: Any, x: Any) -> Any:
            traced.append(f)
            return f(x)

        for f in (activation("silu"), activation("swish(beta=1)"), pickle.loads(pickle.dumps(activation("silu")))):
            run(f, 1.0)
        self.assertEqual(len(traced), 1)
        self.assertNotEqual(activation("silu"), activation("silu(beta=2)"))
        self.assertEqual(repr(activation("swish")), 'libsugar.jax.activation("silu(beta=1)")')

    def test_loops(self) -> None:
        f = activation("tanh~bsilu")

        def chain(x: Any) -> Any:
            return jax.lax.scan(lambda x, _: (jax.checkpoint(f)(2 * x), None), x, None, length=4)[0]

        def unrolled(x: Any) -> Any:
            return f(2 * f(2 * f(2 * f(2 * x))))

        x = jnp.linspace(-1, 1, 9)
        self.same(jax.jit(jax.vmap(jax.grad(chain)))(x), np.asarray(jax.vmap(jax.grad(unrolled))(x)), "scan")

    def test_not_compiled(self) -> None:
        f, x = activation("relu~bsilu"), jnp.linspace(-3, 3, 8, dtype=np.float32)
        with jax.disable_jit():
            self.same(jax.jit(f)(x), np.maximum(np.asarray(x), 0), "value")
            self.same(jax.grad(lambda x: f(x).sum())(x), backward(f.spec, x, jnp.ones_like(x)), "gradient")

    def test_donated(self) -> None:
        f, x = activation("relu~bsilu"), np.linspace(-3, 3, 1000)
        donating = jax.jit(f, donate_argnums=0).lower(jnp.asarray(x)).compile()
        given = jnp.asarray(x)
        self.same(donating(given), np.maximum(x, 0), "donated")
        self.assertTrue(given.is_deleted())
        step = jax.jit(lambda x, dy: jax.vjp(f, x)[1](dy)[0], donate_argnums=1)
        self.same(step(jnp.asarray(x), jnp.asarray(x[::-1])), backward("relu~bsilu", x, x[::-1]), "backward, donated")

    def test_one_pass(self) -> None:
        """A layer's gradient is one call of each handler, and nothing besides is done to x or dy."""
        f = activation("elu")
        step = jax.jit(lambda x, p, dy: jax.vjp(f, x, p)[1](dy))
        text = step.lower(jnp.ones((8, 4)), jnp.ones((1, 4)), jnp.ones((8, 4))).compile().as_text()
        self.assertEqual(re.findall(r"(\S+?)\(", text[text.index("ENTRY"):]).count("custom-call"), 1)
        self.assertNotRegex(text, r" (copy|multiply|reduce|transpose|fusion)\(")

    def test_other_process(self) -> None:
        """A compiled program runs in a process that never made its activation, nor its table."""
        x, spec = jnp.linspace(-3, 3, 64), "relu~table(domain=negative)"
        f = jax.jit(jax.grad(lambda x: activation(spec, table=ROWS)(x).sum()))
        payload = pickle.dumps(serialize_executable.serialize(f.lower(x).compile()))
        program = ("import sys, pickle, jax, libsugar.jax, numpy as np\n"
                   "from jax.experimental.serialize_executable import deserialize_and_load\n"
                   "jax.config.update('jax_enable_x64', True)\n"
                   "run = deserialize_and_load(*pickle.load(sys.stdin.buffer))\n"
                   "sys.stdout.buffer.write(np.asarray(run(jax.numpy.linspace(-3, 3, 64))).tobytes())\n")
        environment = {**os.environ, "XLA_FLAGS": FLAGS}    # one device
        made = subprocess.run([sys.executable, "-c", program], input=payload, stdout=subprocess.PIPE, check=True,
                              env=environment)
        expected = libsugar.Activation(spec, table=ROWS).backward(np.asarray(x), np.ones(64))
        self.same(np.frombuffer(made.stdout), expected, "another process")


class Devices(Case):
    """Two host devices: each computes its part."""

    def setUp(self) -> None:
        self.assertEqual(len(jax.devices()), 2)
        self.mesh = Mesh(np.array(jax.devices()), ("i",))
        self.x = jax.random.normal(jax.random.key(1), (8, 8))
        self.p = jnp.linspace(0.5, 1.5, 8).reshape(1, 8)

    @staticmethod
    def loss(x: Any, p: Any) -> Any:
        return (activation("elu")(x, p) * jnp.arange(8.0)).sum()

    def put(self, array: Any, *names: Any) -> Any:
        return jax.device_put(array, NamedSharding(self.mesh, P(*names)))

    def test_divided(self) -> None:
        f = activation("elu")
        functions = {"value": f, "gradient": jax.grad(self.loss, (0, 1)), "gradient of x": jax.grad(self.loss),
                     "vmap": lambda x, p: jax.vmap(f, (0, None))(x, p[0]),
                     "jvp": lambda x, p: jax.jvp(f, (x, p), (x, p))[1],
                     "second": lambda x, p: jax.jvp(jax.grad(self.loss), (x, p), (x, p))[1]}
        for x_names, p_names, whole in ((("i", None), (), self.p), ((None, "i"), (), self.p),
                                        ((None, "i"), (None, "i"), self.p), ((None, "i"), (), self.p[:, :1])):
            for name, function in functions.items():
                x, p = self.put(self.x, *x_names), self.put(whole, *p_names)
                program = jax.jit(function).lower(x, p).compile()
                what = f"{name}, x divided as {x_names}, p as {p_names}"
                self.assertNotRegex(program.as_text(), "all-gather|all-to-all|collective-permute", what)
                self.assertEqual("custom-call" in program.as_text(), name != "second", what)
                found, expected = (jax.tree.leaves(one) for one in (program(x, p), function(self.x, whole)))
                for one, other in zip(found, expected):
                    self.near(one, other, 1e-14, what)
                self.assertTrue(found[0].sharding.is_equivalent_to(x.sharding, 2), what)

    def test_fused(self) -> None:
        """A gate is divided as x is, a bias is shared; second derivatives stay where x is."""
        f = activation("gelu")
        functions = {"gate": lambda x, p: libsugar.jax.gated(x, x[::-1] * p, "gelu").sum(),
                     "bias": lambda x, p: (f(x, bias=p) * x).sum(),
                     "twice": lambda x, p: (jax.grad(lambda x: (f(x) * p).sum())(x) ** 2).sum()}
        for name, function in functions.items():
            gradients = jax.jit(jax.grad(function, (0, 1)))
            x, p = self.put(self.x, None, "i"), self.put(self.p)
            program = gradients.lower(x, p).compile()
            self.assertIn("custom-call", program.as_text(), name)
            self.assertNotRegex(program.as_text(), "all-gather|all-to-all|collective-permute", name)
            for one, other in zip(program(x, p), gradients(self.x, self.p)):
                self.near(one, other, 1e-14, name)

    def test_shard_map(self) -> None:
        for names, p_names in ((P("i", None), P()), (P(None, "i"), P(None, "i"))):
            @functools.partial(jax.shard_map, mesh=self.mesh, in_specs=(names, p_names), out_specs=P())
            def total(x: Any, p: Any) -> Any:
                return jax.lax.psum((activation("elu")(x, p) ** 2).sum(), "i")

            program = jax.jit(jax.grad(total, (0, 1))).lower(self.x, self.p).compile()
            self.assertNotIn("all-gather", program.as_text())
            expected = jax.grad(lambda x, p: (activation("elu")(x, p) ** 2).sum(), (0, 1))(self.x, self.p)
            for one, other in zip(program(self.x, self.p), expected):
                self.near(one, other, 1e-14, f"{names}")

    def test_partly_manual(self) -> None:
        """shard_map over one of two axes: by the formulas."""
        mesh = Mesh(np.array(jax.devices()).reshape(1, 2), ("a", "b"))
        part = jax.shard_map(activation("elu"), mesh=mesh, in_specs=(P("a"), P()), out_specs=P("a"), axis_names={"a"})
        x = jax.device_put(self.x, NamedSharding(mesh, P("a", "b")))
        program = jax.jit(part).lower(x, self.p).compile()
        self.assertNotRegex(program.as_text(), "all-gather|custom-call")
        self.near(program(x, self.p), activation("elu")(self.x, self.p), 1e-14)

    def test_explicit(self) -> None:
        """Shardings as parts of types."""
        if not hasattr(jax, "set_mesh"):
            self.skipTest("this version of JAX has no set_mesh")
        mesh = jax.make_mesh((2,), ("i",), axis_types=(jax.sharding.AxisType.Explicit,))
        with jax.set_mesh(mesh):
            x, p = jax.device_put(self.x, P("i", None)), jax.device_put(self.p, P())
            found = jax.jit(jax.grad(self.loss, (0, 1)))(x, p)
            types = jax.eval_shape(lambda x, p: (activation("elu")(x, p), *jax.grad(self.loss, (0, 1))(x, p)), x, p)
            self.assertEqual([one.sharding.spec for one in types], [P("i", None), P("i", None), P(None, None)])
        for one, other in zip(found, jax.grad(self.loss, (0, 1))(self.x, self.p)):
            self.near(one, other, 1e-14)


class Errors(Case):
    def test_arguments(self) -> None:
        f, learner, x = activation("relu"), activation("elu"), jnp.ones((2, 3))
        types = "expected float16, bfloat16, float32 or float64"
        for error, message, call in (
                (TypeError, f"x: dtype int64, {types}", lambda: f(jnp.arange(3))),
                (TypeError, f"x: dtype complex128, {types}", lambda: f(1j)),
                (TypeError, "parameter: dtype bool, expected floating-point numbers or integers",
                 lambda: learner(x, True)),
                (ValueError, "parameter: shape (2,), expected one that broadcasts to x's, (2, 3)",
                 lambda: learner(x, jnp.ones(2))),
                (ValueError, "parameter: shape (1, 2, 3), expected one that broadcasts to x's, (2, 3)",
                 lambda: learner(x, jnp.ones((1, 2, 3)))),
                (NotImplementedError, "parameter: given, expected None, as relu has no parameter that can be learned",
                 lambda: f(x, 1.0)),
                (NotImplementedError, "bias: given beside parameter, expected one of them",
                 lambda: learner(x, 1.0, bias=1.0)),
                (NotImplementedError, "key: given beside bias, expected one of them",
                 lambda: activation("rrelu")(x, bias=1.0, key=jax.random.key(1))),
                (ValueError, "bias: shape (2,), expected one that broadcasts to x's, (2, 3)",
                 lambda: f(x, bias=jnp.ones(2))),
                (TypeError, f"x: dtype int64, {types}", lambda: libsugar.jax.gated(jnp.arange(3), 1.0, "relu")),
                (TypeError, "gate: dtype complex128, expected floating-point numbers or integers",
                 lambda: libsugar.jax.gated(x, 1j, "relu")),
                (ValueError, "gate: shape (4,), expected one that broadcasts to x's, (2, 3)",
                 lambda: libsugar.jax.gated(x, jnp.ones(4), "relu")),
                (NotImplementedError, "key: given, expected None, as relu draws no slopes",
                 lambda: f(x, key=jax.random.key(1))),
                (ValueError, "spec: position 0: expected a function's name, found 'rel', did you mean 'relu'?",
                 lambda: activation("rel")),
                (TypeError, "spec: int, expected a str", lambda: activation(cast(Any, 3)))):
            with self.assertRaises(error) as caught:
                call()
            self.assertEqual(str(caught.exception), message)

    def test_values(self) -> None:
        with self.assertRaisesRegex(Exception, r"OUT_OF_RANGE: parameter: alpha = -4 at \(0, 1\), expected 1e-06 to"):
            jax.block_until_ready(jax.jit(activation("celu"))(jnp.ones((2, 2)), jnp.asarray([1.0, -4.0])))

    def test_handlers(self) -> None:
        """Calls that libsugar.jax does not make."""
        x, like = jnp.ones((2, 3)), jax.ShapeDtypeStruct((2, 3), np.float64)
        forward, backward = libsugar.jax.FORWARD, libsugar.jax.BACKWARD
        for message, target, results, operands, attributes in (
                ("spec: missing, expected an attribute that is a string", forward, [like], [x], {}),
                ("spec: missing, expected an attribute that is a string", forward, [like], [x], {"spec": np.int32(1)}),
                ("spec: position 0: expected a function's name", forward, [like], [x], {"spec": "nothing"}),
                ("operands: not as many", forward, [like] * 2, [x], {"spec": "relu"}),
                ("operands: not as many", backward, [like], [x], {"spec": "relu"}),
                ("role: 'none', expected parameter, bias, gate or dy", forward, [like], [x, x],
                 {"spec": "relu", "role": "none"}),
                ("role: '', expected parameter, bias, gate or dy", backward, [like] * 2, [x, x], {"spec": "relu"}),
                ("dy: NULL", backward, [like], [x, x], {"spec": "relu", "role": "dy"}),
                ("gate: shape", forward, [like], [x, x[:, :1]], {"spec": "relu", "role": "gate"}),
                ("dtype", forward, [jax.ShapeDtypeStruct((2, 3), np.int32)], [x.astype(np.int32)], {"spec": "relu"}),
                ("y: shape", forward, [jax.ShapeDtypeStruct((2, 4), np.float64)], [x], {"spec": "relu"}),
                ("dy: shape", backward, [like], [x, jnp.ones((2, 2))], {"spec": "relu"})):
            with self.assertRaisesRegex(Exception, message):
                made = jax.jit(lambda *operands: jax.ffi.ffi_call(target, results)(*operands, **attributes))
                jax.block_until_ready(made(*operands))

    def test_no_library(self) -> None:
        environment = {**os.environ, "SUGAR_FRAMEWORKS": "nowhere.so"}
        made = subprocess.run([sys.executable, "-c", "import libsugar.jax"], env=environment, stderr=subprocess.PIPE)
        self.assertIn(b"ImportError: libsugar: 'nowhere.so' cannot be loaded", made.stderr)


class Sources(unittest.TestCase):
    def test_layout(self) -> None:
        """native/xla_ffi.h against jaxlib's own header."""
        compiler = shutil.which(os.environ.get("CC", "cc"))
        if compiler is None:
            self.skipTest("there is no C compiler")
        subprocess.run([compiler, "-std=c11", "-fsyntax-only", "-isystem", jax.ffi.include_dir(),
                        str(HERE / "xla_ffi_layout.c")], check=True)


class Examples(unittest.TestCase):
    def train(self, framework: str) -> None:
        if importlib.util.find_spec(framework) is None or importlib.util.find_spec("optax") is None:
            self.skipTest(f"there is no {framework}, or no optax")
        made = subprocess.run([sys.executable, str(HERE.parent / "examples" / f"{framework}_training.py")],
                              stdout=subprocess.PIPE, check=True, env={**os.environ, "XLA_FLAGS": FLAGS})
        accuracy = re.search(rb"accuracy: (\d\.\d+)", made.stdout)
        self.assertGreater(float(accuracy[1]) if accuracy else 0, 0.95, made.stdout)

    def test_flax(self) -> None:
        self.train("flax")

    def test_equinox(self) -> None:
        self.train("equinox")


if __name__ == "__main__":
    unittest.main()
