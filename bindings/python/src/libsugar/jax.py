"""Activations for JAX: functions that jit, grad, vmap and shard_map may transform.

    import libsugar.jax

    activation = libsugar.jax.activation("relu~bsilu")
    gradient = jax.grad(lambda x: activation(x).sum())(x)       # by the derivative of B-SiLU

On the CPU the C library computes, called by XLA: bindings/python/native/jax.c. Elsewhere, and for what C lacks, which
is third and higher derivatives, the formulas of libsugar._formulas do.

Three operations stand behind it, each for a function F of x and of at most one operand more, p, whose *role* says what
F is. These are the *points* where derivatives are taken:

    role         F
    ""           f(x)
    parameter    f(x, p)
    bias         f(x + p)
    gate         f(x) p
    dy           g'(x) p, the pull of f(x) itself, and its push

    forward    points               ->  y = F(x, p)
    push       points, tx [, tp]    ->  ty = dF/dx tx + dF/dp tp                 forward mode
    pull       points, dy           ->  dx = dF/dx dy [, dp = sum dF/dp dy]      reverse mode, one pass over memory

dF/dx is what the surrogate makes of it. push is the derivative of forward. push and pull are linear in what is not a
point, and each is the transpose of the other. Without a p their own derivative is the push of the role dy. That is all
that JAX needs to know.
"""

from __future__ import annotations

import functools
from typing import Any, Callable, NamedTuple, Optional, Sequence, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax._src.dispatch import prim_requires_devices_during_lowering
from jax.experimental.custom_partitioning import custom_partitioning
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir
from jax.sharding import NamedSharding, PartitionSpec

from . import _activation
from ._errors import ArgumentError, UnsupportedError
from ._formulas import Composed
from ._library import load_frameworks
from ._tables import table_of, tabulated

Operands = Sequence[Any]
Computation = Callable[..., "list[Any]"]

FORWARD, BACKWARD = "libsugar_forward", "libsugar_backward"     # names of targets, for jax.export

if jax.__version_info__ < (0, 6):
    raise ImportError(f"jax: version {jax.__version__}, expected 0.6 or newer")
frameworks = load_frameworks()
for target, handler in ((FORWARD, frameworks.sugar_xla_forward), (BACKWARD, frameworks.sugar_xla_backward)):
    jax.ffi.register_ffi_target(target, jax.ffi.pycapsule(handler), platform="cpu")


# ---- By the C library ----------------------------------------------------------------------------------------------


def like(array: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(array.shape, array.dtype)


def attributes(spec: str, role: str) -> dict[str, Any]:
    """What a call is told; the numbers of a table, too, which other processes do not know."""
    table = table_of(spec)
    return {"spec": spec, "role": role, **({} if table is None else {"table": np.ravel(table)})}


def c_backward(points: Operands, dy: Any, gradient: Operands, spec: str, role: str) -> list[Any]:
    """dx, and the gradient of p in the shape of what `gradient` holds, if anything."""
    x, *p = points
    made = jax.ffi.ffi_call(BACKWARD, [like(x), *map(like, gradient)])(x, dy, *p, **attributes(spec, role))
    return list(made)


def c_forward(points: Operands, linear: Operands, spec: str, role: str, learning: bool) -> list[Any]:
    return [jax.ffi.ffi_call(FORWARD, like(points[0]))(*points, **attributes(spec, role))]


def c_push(points: Operands, linear: Operands, spec: str, role: str, learning: bool) -> list[Any]:
    (ty,) = c_backward(points, linear[0], [], spec, role)
    if learning:    # a gradient of x's shape sums nothing
        ty += c_backward(points, linear[1], points[:1], spec, role)[1]
    return [ty]


def c_pull(points: Operands, linear: Operands, spec: str, role: str, learning: bool) -> list[Any]:
    return c_backward(points, linear[0], points[1:] if learning else [], spec, role)


# ---- By the formulas -----------------------------------------------------------------------------------------------


class Operations:
    """What the formulas need of an array library."""

    where = jnp.where

    @staticmethod
    def distance(x: Any) -> Any:
        return jnp.where(x < 0, -x, x)

    @staticmethod
    def abs(x: Any) -> Any:
        """The derivative of jnp.abs at 0 is 1."""
        return jnp.sign(x) * x

    @staticmethod
    def clip(x: Any, low: float, high: float) -> Any:
        """The derivative of jnp.clip at the bounds is 0.5."""
        return jnp.where(x <= low, low, jnp.where(x >= high, high, x))

    @staticmethod
    def piece(x: Any, knots: Sequence[float], coefficients: Sequence[Sequence[float]]) -> list[Any]:
        """The coefficients at each x: those of column i from knot i - 1 on."""
        found = jnp.searchsorted(jnp.asarray(knots, x.dtype), x, side="right")
        return [jnp.asarray(row, x.dtype)[found] for row in coefficients]

    exp, expm1, log1p, sqrt, tanh = jnp.exp, jnp.expm1, jnp.log1p, jnp.sqrt, jnp.tanh
    sin, cos, atan = jnp.sin, jnp.cos, jnp.arctan
    sigmoid, erfc = jax.nn.sigmoid, jax.scipy.special.erfc


@functools.lru_cache(maxsize=1024)
def composed(spec: str, dtype: Any) -> Composed:
    table = table_of(spec)
    return Composed(_activation.Activation(spec, table=table).info, lambda value: float(dtype.type(value)), table)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def value(formulas: Composed, x: Any) -> Any:
    """f(x), whose derivative is g'(x)."""
    return formulas.value(Operations, x)


@value.defjvp
def value_jvp(formulas: Composed, points: Operands, tangents: Operands) -> tuple[Any, Any]:
    (x,), (tx,) = points, tangents
    return value(formulas, x), tx * formulas.derivative(Operations, x)


def second_derivative(formulas: Composed, x: Any) -> Any:
    """g''(x)"""
    made = formulas.second(Operations, x)
    if made is None:
        made = jax.jvp(functools.partial(formulas.derivative, Operations), (x,), (jnp.ones_like(x),))[1]
    return made


class Function(NamedTuple):
    """F and its derivatives at its points, by the formulas of an activation."""

    by_x: Callable[..., Any]
    by_p: Optional[Callable[..., Any]] = None
    value: Optional[Callable[..., Any]] = None


FUNCTIONS = {
    "": Function(value=lambda formulas, x: formulas.value(Operations, x),
                 by_x=lambda formulas, x: formulas.derivative(Operations, x)),
    "parameter": Function(value=lambda formulas, x, p: formulas.value(Operations, x, p),
                          by_x=lambda formulas, x, p: formulas.derivative(Operations, x, p),
                          by_p=lambda formulas, x, p: formulas.parameter_derivative(Operations, x, p)),
    "bias": Function(value=lambda formulas, x, bias: formulas.value(Operations, x + bias),
                     by_x=lambda formulas, x, bias: formulas.derivative(Operations, x + bias),
                     by_p=lambda formulas, x, bias: formulas.derivative(Operations, x + bias)),
    "gate": Function(value=lambda formulas, x, gate: gate * formulas.value(Operations, x),
                     by_x=lambda formulas, x, gate: gate * formulas.derivative(Operations, x),
                     by_p=lambda formulas, x, gate: value(formulas, x)),
    "dy": Function(by_x=lambda formulas, x, dy: dy * second_derivative(formulas, x),
                   by_p=lambda formulas, x, dy: formulas.derivative(Operations, x)),
}


def wide(operands: Operands) -> list[Any]:
    """float64 as it is, all others as float32, in which C computes them as well."""
    return [operand if operand.dtype == np.float64 else operand.astype(np.float32) for operand in operands]


def by_formulas(compute: Callable[..., list[Any]]) -> Computation:
    """Rounds what is computed from wide operands to the type of x. `at` takes a derivative of F to its values there."""

    @functools.wraps(compute)
    def rounded(points: Operands, linear: Operands, spec: str, role: str, learning: bool) -> list[Any]:
        at = wide(points)
        formulas = composed(spec, at[0].dtype)
        made = compute(FUNCTIONS[role], lambda part: part(formulas, *at), at, wide(linear), learning)
        return [one.astype(points[0].dtype) for one in made]

    return rounded


@by_formulas
def formula_forward(function: Function, at: Any, points: Operands, linear: Operands, learning: bool) -> list[Any]:
    return [at(function.value)]


@by_formulas
def formula_push(function: Function, at: Any, points: Operands, linear: Operands, learning: bool) -> list[Any]:
    ty = linear[0] * at(function.by_x)
    if learning:
        ty += linear[1] * at(function.by_p)
    return [ty]


@by_formulas
def formula_pull(function: Function, at: Any, points: Operands, linear: Operands, learning: bool) -> list[Any]:
    dx = linear[0] * at(function.by_x)
    if not learning:
        return [dx]
    x, p = points
    shared = [i for i, extent in enumerate(p.shape) if extent != x.shape[i]]
    return [dx, (linear[0] * at(function.by_p)).sum(shared, keepdims=True)]


# ---- Several devices -----------------------------------------------------------------------------------------------
# Every device computes its part of x. A parameter, and all that has its shape, is whole where its extent is 1.


def axes_of(x: Any) -> tuple[Any, ...]:
    """For each dimension of x, the axes of the mesh that divide it. Where they have no names, x is made whole."""
    spec = getattr(x.sharding, "spec", ())
    return (*spec, *[None] * (len(x.shape) - len(spec)))


def parts(shape: Sequence[int], x: Any) -> PartitionSpec:
    """How an operand of this shape is divided, which is as x is."""
    divided = zip(axes_of(x), shape, x.shape)
    return PartitionSpec(*(name if extent == whole else None for name, extent, whole in divided))


def summed_axes(shape: Sequence[int], x: Any) -> tuple[Any, ...]:
    """The axes of the mesh over which a gradient of this shape is a sum."""
    divided = zip(axes_of(x), shape, x.shape)
    names = [name for name, extent, whole in divided if extent != whole and name is not None]
    return tuple(one for name in names for one in (name if isinstance(name, tuple) else (name,)))


def rule(inputs: Sequence[Sequence[int]], outputs: Sequence[Sequence[int]]) -> str:
    """The same for Shardy, which names dimensions: "i j, n j -> i j" for x of shape (8, 4) and p of (1, 4)."""
    def names(shape: Sequence[int]) -> str:
        return " ".join(f"{'x' if extent == whole else 'p'}{i}" for i, (extent, whole) in
                        enumerate(zip(shape, inputs[0])))

    return f"{', '.join(map(names, inputs))} -> {', '.join(map(names, outputs))}"


def divided(compute: Callable[..., list[Any]], inputs: Operands, outputs: Operands) -> Callable[..., list[Any]]:
    """The same computation, which XLA may divide among devices."""
    def partition(mesh: Any, operands: Operands, results: Operands) -> Any:
        x = operands[0]

        def compute_part(*local: Any) -> list[Any]:
            made = compute(*local)
            axes = [summed_axes(result.shape, x) for result in results]
            return [jax.lax.psum(one, names) if names else one for one, names in zip(made, axes)]

        return (mesh, compute_part, [NamedSharding(mesh, parts(one.shape, x)) for one in results],
                tuple(NamedSharding(mesh, parts(one.shape, x)) for one in operands))

    def infer(mesh: Any, operands: Operands, results: Operands) -> Any:
        return [NamedSharding(mesh, parts(one.shape, operands[0])) for one in results]

    made = custom_partitioning(compute)
    made.def_partition(partition, infer, sharding_rule=rule([one.shape for one in inputs],
                                                            [one.shape for one in outputs]))
    return cast("Callable[..., list[Any]]", made)


def partly_manual(context: Any) -> bool:
    """Whether this is inside a shard_map over some axes of the mesh, but not all: custom_partitioning cannot divide
    along the others. XLA can, what it computes itself."""
    manual = getattr(context, "manual_axes", ())
    return bool(manual) and set(manual) != set(context.mesh.axis_names)


# ---- What JAX must know of the three operations --------------------------------------------------------------------


def varying(operand: Any) -> frozenset[Any]:
    """The axes of the mesh along which it differs, inside shard_map."""
    kind = jax.typeof(operand)
    return frozenset(kind.mat.varying if hasattr(kind, "mat") else kind.vma)


def alike(operands: Operands) -> list[Any]:
    """Operands that differ along the same axes. Where p is the same on all devices and x is not, JAX then adds the
    gradients of p up."""
    axes = frozenset[Any]().union(*map(varying, operands))
    return [vary(one, tuple(axes - varying(one))) if axes - varying(one) else one for one in operands]


def vary(operand: Any, axes: tuple[Any, ...]) -> Any:
    if hasattr(jax.lax, "pcast"):
        return jax.lax.pcast(operand, axes, to="varying")
    return jax.lax.pvary(operand, axes)     # before JAX 0.8


class Operation:
    """One of the three, as a primitive of JAX. Its results have the shapes and types of the points.

    results    how many there are if p is not learned, which is differentiated by, and if it is
    """

    def __init__(self, name: str, by_c: Computation, formula: Computation, results: tuple[int, int]) -> None:
        self.by_c, self.formula, self.results = by_c, formula, results
        self.primitive = Primitive(f"libsugar_{name}")
        self.primitive.multiple_results = True
        self.primitive.def_impl(self.compute)
        self.primitive.def_abstract_eval(self.abstract)
        batching.primitive_batchers[self.primitive] = self.batch
        ad.primitive_jvps[self.primitive] = self.jvp
        # custom_partitioning, in lower_for_cpu, needs to know the devices; there is no public way to say so.
        prim_requires_devices_during_lowering.add(self.primitive)
        mlir.register_lowering(self.primitive, self.lower_for_cpu, platform="cpu")
        mlir.register_lowering(self.primitive, mlir.lower_fun(in_a_row(formula), multiple_results=True))

    def __call__(self, points: Operands, linear: Operands, spec: str, role: str, learning: bool = False) -> list[Any]:
        made: list[Any] = self.primitive.bind(*alike([*points, *linear]), spec=spec, role=role, learning=learning,
                                              points=len(points))
        return made

    def compute(self, *operands: Any, **params: Any) -> list[Any]:
        """Eagerly: a program of this operation alone. Under jax.disable_jit, too, or it would call itself forever."""
        with jax.disable_jit(False):
            made: list[Any] = compiled(self.primitive, **params)(*operands)
        return made

    def abstract(self, *operands: Any, learning: bool, **params: Any) -> list[Any]:
        return [one.update(weak_type=False) for one in operands[:self.results[learning]]]

    def lower_for_cpu(self, ctx: Any, *operands: Any, **params: Any) -> Any:
        by_c = not partly_manual(ctx.module_context.axis_context)

        def compute(*operands: Any) -> list[Any]:
            return in_a_row(self.by_c if by_c else self.formula)(*operands, **params)

        lowered = divided(compute, ctx.avals_in, ctx.avals_out) if by_c and ctx.avals_in[0].ndim else compute
        return mlir.lower_fun(lowered, multiple_results=True)(ctx, *operands)

    def batch(self, operands: Operands, dimensions: Sequence[int | None], **params: Any) -> Any:
        """The batch comes first. An operand without one is repeated, so that gradients of p are not summed over it."""
        size = next(one.shape[i] for one, i in zip(operands, dimensions) if i is not None)
        moved = [jnp.broadcast_to(one, (size, *one.shape)) if i is None else jnp.moveaxis(one, i, 0)
                 for one, i in zip(operands, dimensions)]
        made = self.primitive.bind(*alike(moved), **params)
        return made, [0] * len(made)

    def jvp(self, operands: Operands, tangents: Operands, **params: Any) -> Any:
        raise NotImplementedError


class Forward(Operation):
    def jvp(self, operands: Operands, tangents: Operands, **params: Any) -> Any:
        spec, role = params["spec"], params["role"]
        return self(operands, [], spec, role), pushed(operands, tangents, spec, role)


class Linear(Operation):
    transposed: Linear

    def __init__(self, name: str, by_c: Computation, formula: Computation, results: tuple[int, int]) -> None:
        super().__init__(name, by_c, formula, results)
        ad.primitive_transposes[self.primitive] = self.transpose

    def jvp(self, operands: Operands, tangents: Operands, **params: Any) -> Any:
        """Along what it is linear in, itself; along the points, the derivative of the formula where there is a p."""
        spec, role, learning, count = (params[name] for name in ("spec", "role", "learning", "points"))
        points, linear = operands[:count], operands[count:]
        value = self(points, linear, spec, role, learning)
        if not role and not is_zero(tangents[:count]):
            return value, pushed(operands, tangents, spec, "dy")
        made = []
        if not is_zero(tangents[count:]):
            made.append(self(points, instantiated(tangents[count:]), spec, role, learning))
        if not is_zero(tangents[:count]):
            along = functools.partial(in_a_row(self.formula), **params)
            made.append(jax.jvp(lambda *points: along(*points, *linear), tuple(points),
                                tuple(instantiated(tangents[:count])))[1])
        return value, [sum(one[1:], one[0]) for one in zip(*made)]

    def transpose(self, cotangents: Operands, *operands: Any, points: int, **params: Any) -> list[Any]:
        made = self.transposed(operands[:points], instantiated(cotangents), **params)
        linear = operands[points:]
        return [None] * points + [one if ad.is_undefined_primal(to) else None for one, to in zip(made, linear)]


def pushed(points: Operands, tangents: Operands, spec: str, role: str) -> list[Any]:
    """The derivative of F along the tangents of its points."""
    learning = not is_zero(tangents[1:])
    return push(points, instantiated(tangents if learning else tangents[:1]), spec, role, learning)


def in_a_row(compute: Computation) -> Callable[..., list[Any]]:
    """The same function of all operands in a row."""
    def computed(*operands: Any, points: int, **params: Any) -> list[Any]:
        return compute(operands[:points], operands[points:], **params)

    return computed


@functools.lru_cache(maxsize=1024)
def compiled(primitive: Primitive, **params: Any) -> Callable[..., Any]:
    made: Callable[..., Any] = jax.jit(functools.partial(primitive.bind, **params))
    return made


def is_zero(tangents: Operands) -> bool:
    return all(isinstance(one, ad.Zero) for one in tangents)


def instantiated(tangents: Operands) -> list[Any]:
    return [ad.instantiate_zeros(one) for one in tangents]


forward = Forward("forward", c_forward, formula_forward, (1, 1))
push = Linear("push", c_push, formula_push, (1, 1))
pull = Linear("pull", c_pull, formula_pull, (1, 2))
push.transposed, pull.transposed = pull, push


# ---- What programs call --------------------------------------------------------------------------------------------

TYPES = ("float16", "bfloat16", "float32", "float64")


class Activation:
    """A function of an array; equal and hashed by its spec, so that programs compiled for one serve its equals.

        activation(x)               f(x), element by element
        activation(x, parameter)    with an array in place of the forward function's parameter, for kinds that learn;
                                    its shape broadcasts to that of x. It is converted to x's type
        activation(x, bias=bias)    f(x + bias); shape and type as those of a parameter
        activation(x, key=key)      rrelu in training: draws a slope for each element

    Derivatives by x and by a bias are those that the spec says, those by the parameter the forward function's own.
    """

    def __init__(self, spec: str) -> None:
        self.info = _activation.Activation(spec, table=table_of(spec)).info

    @property
    def spec(self) -> str:
        """The canonical spec, with all parameters."""
        return self.info.spec

    def __call__(self, x: Any, parameter: Any = None, *, bias: Any = None, key: Any = None) -> Any:
        x = floating(x)
        operands = {"parameter": parameter, "bias": bias, "key": key}
        given = [name for name, one in operands.items() if one is not None]
        if len(given) > 1:
            raise UnsupportedError(f"{given[1]}: given beside {given[0]}, expected one of them")
        if given == ["key"]:
            return self.draw(x, key)
        if given == ["parameter"] and "learn" not in self.info.capabilities:
            raise UnsupportedError(f"parameter: given, expected None, as {self.info.forward.kind} has no parameter "
                                   "that can be learned")
        return forward([x, *(fitted(name, operands[name], x) for name in given)], [], self.spec, "".join(given))[0]

    def draw(self, x: Any, key: Any) -> Any:
        """rrelu with random slopes is leaky_relu with one for each element."""
        if "draw" not in self.info.capabilities:
            raise UnsupportedError(f"key: given, expected None, as {self.info.forward.kind} draws no slopes")
        bounds = self.info.forward.parameters
        slopes = jax.random.uniform(key, x.shape, np.float64 if x.dtype == np.float64 else np.float32,
                                    bounds["lower"], bounds["upper"])
        _, tilde, surrogate = self.spec.partition("~")
        return forward([x, slopes.astype(x.dtype)], [], f"leaky_relu{tilde}{surrogate}", "parameter")[0]

    def __repr__(self) -> str:
        return f'libsugar.jax.activation("{self.spec}")'

    def __reduce__(self) -> tuple[Any, ...]:
        return activation, (self.spec, table_of(self.spec))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Activation) and self.spec == other.spec

    def __hash__(self) -> int:
        return hash(self.spec)


def floating(x: Any) -> Any:
    x = jnp.asarray(x)
    if x.dtype not in TYPES:
        raise TypeError(f"x: dtype {x.dtype}, expected {', '.join(TYPES[:-1])} or {TYPES[-1]}")
    return x


def fitted(name: str, operand: Any, x: Any) -> Any:
    """An operand in the type of x and with as many dimensions, those that are missing first, as in NumPy."""
    operand = jnp.asarray(operand)
    if not (jnp.issubdtype(operand.dtype, jnp.floating) or jnp.issubdtype(operand.dtype, jnp.integer)):
        raise TypeError(f"{name}: dtype {operand.dtype}, expected floating-point numbers or integers")
    shape = (1,) * (x.ndim - operand.ndim) + operand.shape
    if len(shape) != x.ndim or any(extent not in (1, whole) for extent, whole in zip(shape, x.shape)):
        raise ArgumentError(f"{name}: shape {operand.shape}, expected one that broadcasts to x's, {x.shape}")
    return operand.astype(x.dtype).reshape(shape)


def activation(spec: str, table: Any = None) -> Activation:
    """The activation of a spec such as "relu~bsilu(alpha=1.67)".

    table    rows (knot, value, slope) of the function that the spec calls "table", as libsugar.Activation takes them:
             constants of the program. The digest in `.spec` then stands for them, in this process
    """
    return described(spec if table is None else tabulated(spec, table))


described = functools.lru_cache(maxsize=1024)(Activation)


def gated(x: Any, gate: Any, spec: str) -> Any:
    """f(x) * gate, as in SwiGLU, where the spec is "silu". The gate's shape broadcasts to that of x, and it is
    converted to x's type."""
    x = floating(x)
    gate = jnp.broadcast_to(fitted("gate", gate, x), x.shape)
    return forward([x, gate], [], activation(spec).spec, "gate")[0]
