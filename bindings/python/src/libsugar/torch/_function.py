"""The operator that modules, conversions and users call: an activation in each of PyTorch's ways.

| way | value and first derivative | beyond |
|---|---|---|
| eager, on the CPU | the C library | the second derivative, too; beyond it formulas |
| torch.func, forward mode, subclasses of tensors, modes that see each operation, other devices | formulas | formulas |
| torch.compile, make_fx of a gradient | formulas, which the compiler fuses with what is around them | formulas |
| torch.export, ONNX, torch.jit.trace | the forward function alone, PyTorch's own operation where there is one | |

The formulas are those of libsugar._formulas.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
import torch.nn.functional as F
from torch.autograd import forward_ad

from .._monitor import Monitor
from . import _library as library
from ._operations import TYPES, Described, Ready, described, with_blend

torch.fx.wrap("apply")      # a leaf for torch.fx, which cannot follow it

SAVED_BITS = {"byte": 8, "bit": 1}
LAYOUTS = (torch.strided, torch.jagged)

# Asked in every call.
is_compiling, is_tracing = torch.compiler.is_compiling, torch._C._is_tracing
is_grads_batched = torch._C._functorch.is_legacy_batchedtensor
base: Any = torch.autograd.Function


def gradients(ctx: Any, dy: torch.Tensor, x: torch.Tensor, parameter: torch.Tensor | None, blend: torch.Tensor | None,
              spec: str) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """dx and the parameter's gradient in PyTorch's operations, which can be differentiated again."""
    ready = Ready(spec, x)
    wide = dy.to(ready.dtype)
    dx = dparameter = None
    if ctx.needs_input_grad[0]:
        dx = (wide * ready.derivative(parameter, blend)).to(x.dtype)
    if parameter is not None and ctx.needs_input_grad[1]:
        dparameter = (wide * ready.parameter_derivative(parameter)).sum_to_size(parameter.shape).to(parameter.dtype)
    return dx, dparameter


def memory_of_gradient(dy: torch.Tensor, x: torch.Tensor | None) -> torch.Tensor | None:
    """dy with memory that C can read. None: formulas are needed, as dy is not what it seems. is_grads_batched disguises
    it in a way that PyTorch has nowhere else. Nor may the saved x be another than forward saved, as hooks for saved
    tensors can make it: of another type, or with the negative bit."""
    if is_grads_batched(dy):
        return None
    if x is not None and (x.dtype != dy.dtype or x.shape != dy.shape or library.readable(x) is not x):
        return None
    return library.readable(dy)


class InOperations(base):
    """In PyTorch's operations. It can be differentiated in every way and as often as one likes, and mapped."""

    @staticmethod
    def forward(x: torch.Tensor, parameter: torch.Tensor | None, blend: torch.Tensor | None,
                spec: str) -> torch.Tensor:
        y = Ready(spec, x).value(parameter).to(x.dtype)
        return y.clone() if y is x else y       # of identity; a Function's output is a tensor of its own

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
        *tensors, ctx.spec = inputs
        # A parameter without a tangent gets none: zeros times its infinite derivative would be NaN.
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)

    @staticmethod
    def backward(ctx: Any, dy: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        if dy is None:
            return (None,) * 4
        x, parameter, blend = ctx.saved_tensors
        return (*gradients(ctx, dy, x, parameter, blend, ctx.spec), None, None)

    @staticmethod
    def jvp(ctx: Any, dx: torch.Tensor | None, dparameter: torch.Tensor | None, *rest: Any) -> torch.Tensor | None:
        # PyTorch switches all tangents off here, also those of a jvp around this one, whose second derivative would
        # silently be 0. This one's own stay behind.
        with forward_ad._set_fwd_grad_enabled(True):
            x, parameter, blend = (own_tangent_left(one) for one in ctx.saved_tensors)
            ready = Ready(ctx.spec, x)
            made = None
            if dx is not None:
                made = dx.to(ready.dtype) * ready.derivative(parameter, blend)
            if dparameter is not None:
                more = dparameter.to(ready.dtype) * ready.parameter_derivative(parameter)
                made = more if made is None else made + more
            return None if made is None else made.expand(x.shape).to(x.dtype)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], x: torch.Tensor, parameter: torch.Tensor | None,
             blend: torch.Tensor | None, spec: str) -> tuple[torch.Tensor, int]:
        ndim = x.dim() - (in_dims[0] is not None)
        x, parameter, blend = (mapped(one, at, ndim) for one, at in zip((x, parameter, blend), in_dims))
        if in_dims[0] is None:
            x = x.expand(info.batch_size, *x.shape[1:])
        return InOperations.apply(x, parameter, blend, spec), 0


def own_tangent_left(operand: torch.Tensor | None) -> Any:
    """The operand with the tangents of outer transforms alone."""
    return None if operand is None else forward_ad.unpack_dual(operand, level=0).primal


def mapped(operand: torch.Tensor | None, at: int | None, ndim: int) -> Any:
    """With the mapped dimension first, and behind it as many as x has, so that it broadcasts to x as before."""
    if operand is None:
        return None
    operand = operand.unsqueeze(0) if at is None else operand.movedim(at, 0)
    return operand.reshape(operand.shape[0], *(1,) * (ndim + 1 - operand.dim()), *operand.shape[1:])


class InC(base):
    """In the C library, x alone."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, known: Described) -> torch.Tensor:
        ctx.save_for_backward(x)
        ctx.known = known
        return library.forward(known, x)

    @staticmethod
    def backward(ctx: Any, dy: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        return derivative(ctx.known, *ctx.saved_tensors, dy), None


class DerivativeInC(base):
    """dy g'(x) in the C library, as a function that has a gradient: v dy g''(x), where v is the gradient of its result.
    That is the same with one more factor, and so on."""

    @staticmethod
    def forward(ctx: Any, known: Described, x: torch.Tensor, *factors: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x, *factors)
        ctx.known = known
        return library.derivative(known, x, *factors)

    @staticmethod
    def backward(ctx: Any, v: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, *factors = ctx.saved_tensors
        _, want_dx, *wanted = ctx.needs_input_grad
        if len(factors) < ctx.known.orders and all((want_dx, *wanted)) and not torch.is_grad_enabled():
            memory = memories(x, *factors, v)
            if memory is not None:      # both in one pass
                ddy, dx = library.backward_twice(ctx.known, x, *memory)
                return None, dx, ddy
        dx = derivative(ctx.known, x, *factors, v) if want_dx else None
        others = (derivative(ctx.known, x, *factors[:i], v, *factors[i + 1:]) if one else None
                  for i, one in enumerate(wanted))
        return None, dx, *others


def derivative(known: Described, x: torch.Tensor, *factors: torch.Tensor) -> torch.Tensor:
    """The product of the factors with g'(x), of two with g''(x), and so on: up to there in C where it can be, then in
    PyTorch's operations. It can be differentiated again, if that is what grad mode (create_graph) says."""
    memory = memories(x, *factors) if len(factors) <= known.orders else None
    if memory is None:
        return derivative_in_operations(known.spec, x, *factors)
    if torch.is_grad_enabled():
        made: torch.Tensor = apply_derivative_in_c(known, x, *memory)
        return made
    return library.derivative(known, x, *memory)


def memories(x: torch.Tensor, *factors: torch.Tensor) -> list[torch.Tensor] | None:
    """The factors with memory that C can read."""
    made = [memory_of_gradient(one, x) for one in factors]
    return None if any(one is None for one in made) else made


def derivative_in_operations(spec: str, x: torch.Tensor, *factors: torch.Tensor) -> torch.Tensor:
    """derivative, the higher orders as PyTorch differentiates a formula of a lower one."""
    create_graph, order = torch.is_grad_enabled(), len(factors)
    with torch.set_grad_enabled(create_graph or order > 1):
        ready = Ready(spec, x)
        second = ready.second() if order > 1 else None
        made, found = (ready.derivative(None, None), 1) if second is None else (second, 2)
        for i in range(found, order):
            made = slope(made, ready.x, create_graph or i + 1 < order)
    for one in factors:
        made = made * one.to(ready.dtype)
    return made.to(x.dtype)


def slope(y: torch.Tensor, x: torch.Tensor, create_graph: bool) -> torch.Tensor:
    """dy/dx, element by element; 0 where no operation leads from x to y."""
    if not y.requires_grad:
        return torch.zeros_like(x)
    made: torch.Tensor = torch.autograd.grad(y, x, torch.ones_like(y), create_graph=create_graph,
                                             materialize_grads=True)[0]
    return made


# Their apply without the search for torch.func, which readable has done: more than a microsecond.
apply_in_c = super(torch.autograd.Function, InC).apply
apply_derivative_in_c = super(torch.autograd.Function, DerivativeInC).apply


class InCWith(base):
    """In the C library, with options: a parameter, slopes to draw, a monitor, or what is saved in place of x."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, parameter: torch.Tensor | None, known: Described, save: str,
                monitor: Monitor | None, random: tuple[int, int] | None) -> torch.Tensor:
        ctx.known, ctx.save, ctx.random = known, save, random
        saved = None
        if save in SAVED_BITS and ctx.needs_input_grad[0]:
            shape = x.shape if save == "byte" else ((x.numel() + 7) // 8,)
            saved = torch.empty(shape, dtype=torch.uint8, device=x.device)
        if save in SAVED_BITS and ctx.needs_input_grad[1]:
            raise ValueError(f"save: {save!r}, expected 'input': the gradient of the parameter is computed from x")
        ctx.save_for_backward(x if saved is None else saved, parameter)
        y = library.forward_with(known, x, parameter=parameter, monitor=monitor, random=random, saved_gradient=saved,
                                 saved_bits=SAVED_BITS.get(save))
        ctx.strides = y.stride()
        return y

    @staticmethod
    def backward(ctx: Any, dy: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        first, parameter = ctx.saved_tensors
        if parameter is None and ctx.random is None and ctx.save not in SAVED_BITS:
            return (derivative(ctx.known, first, dy), None, None, None, None, None)
        memory = memory_of_gradient(dy, None if ctx.save in SAVED_BITS else first)
        if memory is None or torch.is_grad_enabled():
            made = again(ctx, dy, first, parameter)
        elif ctx.save in SAVED_BITS:
            made = library.backward_with(ctx.known, None, memory, ctx.strides, saved_gradient=first,
                                         saved_bits=SAVED_BITS[ctx.save]), None
        else:
            dparameter = None if parameter is None or not ctx.needs_input_grad[1] else torch.empty_like(parameter)
            made = library.backward_with(ctx.known, first, memory, ctx.strides, parameter=parameter,
                                         random=ctx.random, parameter_gradient=dparameter), dparameter
        return (*made, None, None, None, None)


def again(ctx: Any, dy: torch.Tensor, x: torch.Tensor,
          parameter: torch.Tensor | None) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """gradients, of a call whose slopes C drew or whose derivative C saved."""
    if ctx.save in SAVED_BITS:
        raise RuntimeError(f'save: "{ctx.save}" keeps no x, which this backward pass needs, as with create_graph=True; '
                           'expected "input"')
    if ctx.random is not None:
        parameter = slopes_drawn(ctx.known, x, ctx.random)
    return gradients(ctx, dy, x, parameter, None, ctx.known.spec)


def slopes_drawn(known: Described, x: torch.Tensor, random: tuple[int, int]) -> torch.Tensor:
    """The slopes of a call: what rrelu makes of -1."""
    with torch.no_grad():
        return -library.forward_with(known, torch.full_like(x, -1), random=random)


def activation(x: torch.Tensor, spec: str, parameter: torch.Tensor | None = None, *, training: bool | None = None,
               save: str = "input", monitor: Monitor | None = None, level: str | None = None) -> torch.Tensor:
    """f(x), element by element, with the gradient of the surrogate.

    x           float16, bfloat16, float32 or float64, of any strides, on any device
    spec        such as "relu~bsilu(alpha=1.67)"
    parameter   in place of the forward function's own, of a kind that can be learned; broadcasts to x
    training    True: rrelu draws its slopes, from PyTorch's generator. torch.export refuses a surrogate unless it is
                False or no gradient is wanted (torch.no_grad), as an exported program has none
    save        what backward is computed from: "input", x; "byte" or "bit", the derivative in one byte or one bit for
                each element (eager, on the CPU; elsewhere "input")
    monitor     counts x in passing, but not when it is computed again for a checkpoint
    level       the instruction set of C; None: the best
    """
    return apply(x, spec, parameter, None, training, save, monitor, level)


def apply(x: torch.Tensor, spec: str, parameter: torch.Tensor | None, blend: torch.Tensor | None,
          training: bool | None, save: str, monitor: Monitor | None, level: str | None) -> torch.Tensor:
    """activation. `blend`, a tensor with one number, stands in place of the spec's share of the surrogate."""
    if is_compiling() or is_tracing():
        return traced(x, spec, parameter, blend, training, save, monitor)
    known = described(spec, level)
    draw = training and known.draws
    if save != "input" or parameter is not None or blend is not None or monitor is not None or draw:
        return apply_with(x, known, parameter, blend, draw, save, monitor)
    memory = library.readable(x)
    if memory is None or forward_ad._current_level >= 0:
        return apply_with(x, known, None, blend, False, save, None)
    if memory.requires_grad and torch.is_grad_enabled():
        return apply_in_c(memory, known)
    return library.forward(known, memory)


def apply_with(x: torch.Tensor, known: Described, parameter: torch.Tensor | None, blend: torch.Tensor | None,
               draw: bool | None, save: str, monitor: Monitor | None) -> torch.Tensor:
    """apply, where there is more than x, or C cannot read it."""
    checked(known, x, parameter, save)
    if parameter is not None:
        parameter = parameter.to(x.dtype)
    memory = library.readable(x) if forward_ad._current_level < 0 else None
    if blend is not None and memory is not None and known.info.surrogate is not None:
        known = described(with_blend(known.spec, float(blend)), known.level)
    own = None if parameter is None else library.readable(parameter)
    if memory is None or (parameter is not None and own is None):
        if monitor is not None:
            count(monitor, x)
        return InOperations.apply(x, slopes(x, *known.own_parameters) if draw else parameter, blend, known.spec)
    monitor = None if recomputed() else monitor
    return InCWith.apply(memory, own, known, save, monitor, seed() if draw else None)


def checked(known: Described, x: torch.Tensor, parameter: torch.Tensor | None, save: str) -> None:
    if not isinstance(x, torch.Tensor) or x.dtype not in TYPES:
        found = f"dtype {x.dtype}" if isinstance(x, torch.Tensor) else type(x).__name__
        raise TypeError(f"x: {found}, expected a tensor of float16, bfloat16, float32 or float64")
    if x.layout not in LAYOUTS:
        raise TypeError(f"x: layout {x.layout}, expected torch.strided or torch.jagged")
    if save != "input" and f"save_{save}" not in known.info.capabilities:
        allowed = ["input", *(name[5:] for name in known.info.capabilities if name.startswith("save_"))]
        raise ValueError(f"save: {save!r}, expected one of {allowed} with {known.info.spec}")
    if parameter is not None:
        check_parameter(known, x, parameter)


def check_parameter(known: Described, x: torch.Tensor, parameter: torch.Tensor) -> None:
    if not known.learns:
        raise ValueError(f"parameter: a tensor, expected None: {known.info.forward.kind} has none that can be learned")
    if not isinstance(parameter, torch.Tensor) or parameter.is_complex() or parameter.layout != torch.strided:
        found = type(parameter).__name__
        if isinstance(parameter, torch.Tensor):
            found = f"dtype {parameter.dtype}, layout {parameter.layout}"
        raise TypeError(f"parameter: {found}, expected a tensor of real numbers in torch.strided")
    extents = x.shape[x.dim() - parameter.dim():]
    if parameter.dim() > x.dim() or any(one not in (1, other) for one, other in zip(parameter.shape, extents)):
        raise ValueError(f"parameter: shape {tuple(parameter.shape)}, expected {tuple(x.shape)} like x, or 1 in any "
                         "dimension")


def slopes(x: torch.Tensor, lower: float, upper: float) -> torch.Tensor:
    """rrelu's, for each element, from the generator of x's device."""
    dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
    return lower + (upper - lower) * torch.rand_like(x, dtype=dtype)


def seed() -> tuple[int, int]:
    """For the slopes that C draws, from PyTorch's generator, which torch.manual_seed and checkpoints set."""
    return int(torch.randint(2**63 - 1, (), device="cpu").item()), 0


def recomputed() -> bool:
    """Whether a backward pass runs, which computes again what a checkpoint did not keep."""
    return bool(torch._C._current_graph_task_id() != -1)


@torch.compiler.disable(reason="libsugar: a monitor counts outside of graphs")
def count(monitor: Monitor | None, x: torch.Tensor) -> None:
    """What C does in passing, where C does not compute."""
    if monitor is None or recomputed():
        return
    if x.dtype not in TYPES:
        raise TypeError(f"monitor: x has dtype {x.dtype}, expected float16, bfloat16, float32 or float64; remove the "
                        "monitor for this call")
    memory = library.readable(x.detach().cpu())
    if memory is None:
        raise RuntimeError(f"monitor: x is a {type(x).__name__} under torch.func or a mode of PyTorch, expected a "
                           "tensor with memory; remove the monitor for this call")
    monitor.observe(memory, threads=1)


# ---- In graphs -----------------------------------------------------------------------------------------------------


def traced(x: torch.Tensor, spec: str, parameter: torch.Tensor | None, blend: torch.Tensor | None,
           training: bool | None, save: str, monitor: Monitor | None) -> torch.Tensor:
    """apply, in a graph."""
    limits = drawn_between(spec) if training else None
    if torch.compiler.is_exporting() or torch.jit.is_tracing():
        if limits is not None:
            raise RuntimeError(f"training: True, expected False: an exported {spec} draws no slopes; call eval() first")
        return exported(x, spec, parameter, training)
    if monitor is not None:
        count(monitor, x)
    drawn = False
    if limits is not None and parameter is None:
        parameter, drawn = slopes(x, *limits), True
    return in_graph(x, parameter, blend, spec, save, drawn)


@torch.compiler.assume_constant_result
def drawn_between(spec: str) -> tuple[float, ...] | None:
    """lower and upper, of an activation that draws slopes."""
    known = described(spec, None)
    return known.own_parameters if known.draws else None


def checked_in_graph(x: torch.Tensor, parameter: torch.Tensor | None, blend: torch.Tensor | None, spec: str,
                     save: str, drawn: bool) -> torch.Tensor:
    checked(described(spec, None), x, None if drawn else parameter, save)
    if parameter is not None and not drawn:
        parameter = parameter.to(x.dtype)
    return InOperations.apply(x, parameter, blend, spec)


# The compiler meets it as one call, and traces what it does in each of the ways in which it is used. Were it traced as
# a Function, its backward would be lost under torch.func: the gradient would silently be the forward function's own.
in_graph = torch.compiler.allow_in_graph(checked_in_graph)

# Forward functions that are one operation of PyTorch's, which other runtimes know. Not those that PyTorch puts together
# from several: log_sigmoid would be -infinity from -104 on, in ONNX; tanhshrink 0 in narrow types; and softshrink 0 of
# NaN, where it is compiled.
NATIVE: dict[str, Any] = {
    "identity": torch.clone, "relu": F.relu, "relu6": F.relu6, "threshold": F.threshold, "leaky_relu": F.leaky_relu,
    "elu": F.elu, "celu": F.celu, "selu": F.selu, "gelu": F.gelu,
    "gelu_tanh": functools.partial(F.gelu, approximate="tanh"), "mish": F.mish, "softsign": F.softsign,
    "sigmoid": torch.sigmoid, "tanh": torch.tanh, "hardshrink": F.hardshrink, "hardtanh": F.hardtanh,
    "hardsigmoid": F.hardsigmoid, "hardswish": F.hardswish}


def exported_value(x: torch.Tensor, parameter: torch.Tensor | None, spec: str, gradient: bool) -> torch.Tensor:
    known = described(spec, None)
    checked(known, x, parameter, "input")
    if known.info.surrogate is not None and gradient:
        raise RuntimeError(f"training: an exported {spec} would have no surrogate gradient; expected a module in "
                           "eval(), training=False, or torch.no_grad()")
    kind = known.info.forward.kind
    if kind == "silu" and known.own_parameters == (1.0,) and parameter is None:
        return F.silu(x)
    if kind in NATIVE and parameter is None:
        made: torch.Tensor = NATIVE[kind](x, *known.own_parameters)
        return made
    return Ready(spec, x).value(parameter).to(x.dtype)


exported_in_graph = torch.compiler.allow_in_graph(exported_value)


def exported(x: torch.Tensor, spec: str, parameter: torch.Tensor | None, training: bool | None) -> torch.Tensor:
    """The forward function. A graph that is exported has no place for another gradient."""
    gradient = training is not False and torch.is_grad_enabled()
    return exported_in_graph(x, parameter, spec, gradient)
