"""Activation: forward and backward on arrays."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, TypeVar, Union, overload

from . import _context
from . import _lowlevel as c
from ._catalogue import Info, info
from ._context import Context
from ._documentation import documented
from ._errors import ArgumentError, check, failure
from ._options import Options
from ._tensor import DLTENSOR, QUICK, QUICK_OUT, A, Array, capsule_pointer, empty_like, view

if TYPE_CHECKING:
    from ._monitor import Monitor

# The calls with nothing but addresses, without the conversions of the declared ones.
fast_forward = c.library.function("sugar_forward")
fast_forward.argtypes = (ctypes.c_void_p,) * 4
fast_backward = c.library.function("sugar_backward")
fast_backward.argtypes = (ctypes.c_void_p,) * 5
fast_backward_twice = c.library.function("sugar_backward_twice")
fast_backward_twice.argtypes = (ctypes.c_void_p,) * 7

# What is returned of an output: itself, or None.
DDY = TypeVar("DDY", bound=Union[Array, None])
DX = TypeVar("DX", bound=Union[Array, None])

Table = Iterable[Sequence[float]]
ROWS = "rows of three numbers: knot, value there, slope there"      # what a table is


def name_of_level(level: str) -> bytes:
    if not isinstance(level, str):
        raise TypeError(f"level: {type(level).__name__}, expected a str")
    if "\0" in level:
        raise ArgumentError(f"level: {level!r}, expected a name without a NUL")
    return level.encode()


def knots(table: Table) -> Any:
    """The numbers of a table, row by row."""
    try:
        rows = iter(table)
    except TypeError:
        raise TypeError(f"table: {type(table).__name__}, expected {ROWS}") from None
    numbers = [number for index, row in enumerate(rows) for number in numbers_of(index, row)]
    return (ctypes.c_double * len(numbers))(*numbers)


def numbers_of(index: int, row: Sequence[float]) -> tuple[float, ...]:
    try:
        made = tuple(map(float, row))
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"table: row {index} is {row!r}, expected three numbers: knot, value, slope") from None
    if len(made) != 3:
        raise ArgumentError(f"table: row {index} has {len(made)} numbers, expected 3: knot, value, slope")
    return made


class Activation:
    """A forward function, and the surrogate whose derivative the backward pass uses, from a spec such as
    "relu~bsilu(alpha=1.67)". It never changes: any number of threads may use one at the same time.

    level    the instruction set: "scalar", "sse4", "avx2", "avx512", "neon". None: what the environment variable
             SUGAR_LEVEL names, else the best that this machine has. Results are the same bits with each.
    table    rows (knot, value, slope) of the function that the spec calls "table": a cubic Hermite spline.
    """

    def __init__(self, spec: str, level: str | None = None, table: Table | None = None) -> None:
        if not isinstance(spec, str):
            raise TypeError(f"spec: {type(spec).__name__}, expected a str")
        handle = ctypes.POINTER(c.sugar_activation)()
        text = spec.encode()
        options = c.sugar_activation_options(level=None if level is None else name_of_level(level))
        if table is not None:
            numbers = knots(table)
            options.table = ctypes.cast(numbers, ctypes.POINTER(ctypes.c_double))
            options.table_knots = len(numbers) // 3
            table = tuple(zip(numbers[::3], numbers[1::3], numbers[2::3]))
        check(c.sugar_activation_create_with_options(ctypes.byref(handle), text, len(text), options))
        weakref.finalize(self, c.sugar_activation_destroy, handle).atexit = False
        self._handle = handle
        self._address = ctypes.cast(handle, ctypes.c_void_p).value
        self._asked = (spec, level, table)

    @property
    def spec(self) -> str:
        """The canonical spec, with all parameters; it makes an equal activation."""
        return (c.sugar_activation_spec(self._handle) or b"").decode()

    @property
    def table(self) -> Any:
        """The rows of the function that the spec calls "table"; None without one."""
        return self._asked[2]

    @property
    def level(self) -> str:
        """The instruction set whose kernels it uses."""
        return (c.sugar_activation_level(self._handle) or b"").decode()

    @property
    def info(self) -> Info:
        """What the spec says, in parts, what calls accept, and the bounds of the derivative."""
        found = c.sugar_activation_info()
        check(c.sugar_activation_get_info(self._handle, found))
        return info(found)

    def __repr__(self) -> str:
        return f'libsugar.Activation("{self.spec}")'

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Activation):
            return NotImplemented
        return (self.spec, self.level) == (other.spec, other.level)

    def __hash__(self) -> int:
        return hash((self.spec, self.level))

    def __reduce__(self) -> tuple[type[Activation], tuple[str, str | None, Table | None]]:
        return type(self), self._asked

    @overload
    def forward(self, x: A, out: None = None, *, threads: int | None = ..., context: Context | None = ...,
                nontemporal: bool | None = ..., monitor: Monitor | None = ..., parameter: Array | None = ...,
                saved_gradient: Array | None = ..., saved_bits: int = ...,
                random: tuple[int, int] | None = ..., bias: Array | None = ..., gate: Array | None = ...) -> A: ...

    @overload
    def forward(self, x: Array, out: A, *, threads: int | None = ..., context: Context | None = ...,
                nontemporal: bool | None = ..., monitor: Monitor | None = ..., parameter: Array | None = ...,
                saved_gradient: Array | None = ..., saved_bits: int = ...,
                random: tuple[int, int] | None = ..., bias: Array | None = ..., gate: Array | None = ...) -> A: ...

    @documented(c.sugar_forward, c.sugar_call_options)
    def forward(self, x: Any, out: Any = None, *, threads: int | None = None, context: Context | None = None,
                nontemporal: bool | None = None, monitor: Monitor | None = None, parameter: Array | None = None,
                saved_gradient: Array | None = None, saved_bits: int = 8,
                random: tuple[int, int] | None = None, bias: Array | None = None, gate: Array | None = None) -> Any:
        """f(x), element by element, in `out`, which is returned; without one in a new array.

        Arrays are NumPy's, of any strides, or anything with __dlpack__, of type float16, bfloat16 (of
        ml_dtypes), float32 or float64; none is copied. `out` may be `x` itself. The GIL is released.

        threads          how many threads may work on it, 0: as many as the process may use; or
        context          whose threads; neither: what set_threads said
        nontemporal      True: store past the caches; False: never; None: as the library sees fit
        monitor          counts x in passing
        parameter        the forward function's parameter, in a shape that broadcasts to x's
        saved_gradient   out; uint8, of x's shape; with saved_bits=1 (size + 7) // 8 bytes: g'(x) for backward
        random           (seed, offset): rrelu draws its slopes
        bias             f(x + bias), in a shape that broadcasts to x's; float32 too beside float16 and bfloat16
        gate             f(x) * gate; of x's shape and type
        """
        if out is None:
            out = empty_like(x, "x")
        if (threads is None and context is None and nontemporal is None and monitor is None and parameter is None
                and saved_gradient is None and random is None and bias is None and gate is None):
            # Nothing but arrays, most of which DLPack takes: the least that a call can cost.
            try:
                source, target = QUICK[type(x)](x), QUICK_OUT[type(out)](out)
            except Exception:
                pass        # read-only, or a type that DLPack lacks, or another kind of array, or none: below
            else:
                context, shared = _context.default
                status = fast_forward(self._address, capsule_pointer(source, DLTENSOR),
                                      capsule_pointer(target, DLTENSOR), shared)
                if status:
                    raise failure(status)
                return out
        source, target = view(x, "x"), view(out, "out", True)
        options = Options(source.extents, 0, nontemporal, threads, context, monitor, parameter, None,
                          saved_gradient, saved_bits, True, random, bias, None, gate)
        turn: Any = nullcontext() if monitor is None else monitor._lock
        with turn:
            check(c.sugar_forward(self._handle, source, target, options))
        return out

    __call__ = forward

    @overload
    def backward(self, x: Array | None, dy: A, out: None = None, *, accumulate: bool = ..., from_output: bool = ...,
                 threads: int | None = ..., context: Context | None = ..., nontemporal: bool | None = ...,
                 parameter: Array | None = ..., parameter_gradient: Array | None = ...,
                 saved_gradient: Array | None = ..., saved_bits: int = ...,
                 random: tuple[int, int] | None = ..., bias: Array | None = ..., bias_gradient: Array | None = ...,
                 gate: Array | None = ..., gate_gradient: Array | None = ...) -> A: ...

    @overload
    def backward(self, x: Array | None, dy: Array, out: A, *, accumulate: bool = ..., from_output: bool = ...,
                 threads: int | None = ..., context: Context | None = ..., nontemporal: bool | None = ...,
                 parameter: Array | None = ..., parameter_gradient: Array | None = ...,
                 saved_gradient: Array | None = ..., saved_bits: int = ...,
                 random: tuple[int, int] | None = ..., bias: Array | None = ..., bias_gradient: Array | None = ...,
                 gate: Array | None = ..., gate_gradient: Array | None = ...) -> A: ...

    @documented(c.sugar_backward, c.sugar_call_options)
    def backward(self, x: Any, dy: Any, out: Any = None, *, accumulate: bool = False, from_output: bool = False,
                 threads: int | None = None, context: Context | None = None, nontemporal: bool | None = None,
                 parameter: Array | None = None, parameter_gradient: Array | None = None,
                 saved_gradient: Array | None = None, saved_bits: int = 8,
                 random: tuple[int, int] | None = None, bias: Array | None = None, bias_gradient: Array | None = None,
                 gate: Array | None = None, gate_gradient: Array | None = None) -> Any:
        """dy * g'(x), element by element, in `out`, which is returned; without one in a new array.

        Arrays are as in forward; a dy that is broadcast (np.broadcast_to) is read where it lies. `out` may be `x` or
        `dy` itself.

        accumulate           True: added to what `out` holds
        from_output          True: x is the output of the forward pass
        threads, context, nontemporal, parameter, random, bias    as in forward
        parameter_gradient   out; the gradient of the parameter, in a shape that broadcasts to x's: sums where
                             that shares an element. With accumulate it is added to what this holds
        saved_gradient       what forward wrote (with the same saved_bits); x is then None
        bias_gradient        out; the sums of what is written to `out`, as parameter_gradient has sums
        gate                 as in forward: dy * gate takes the place of dy
        gate_gradient        out; dy * f(x), of x's shape and type
        """
        if out is None:
            if accumulate:
                raise TypeError("out: None, expected the array to accumulate in")
            out = empty_like(dy, "dy") if x is None else empty_like(x, "x")
        if (not accumulate and not from_output and threads is None and context is None and nontemporal is None
                and parameter is None and parameter_gradient is None and saved_gradient is None and random is None
                and bias is None and bias_gradient is None and gate is None and gate_gradient is None):
            try:
                source, gradient, target = QUICK[type(x)](x), QUICK[type(dy)](dy), QUICK_OUT[type(out)](out)
            except Exception:
                pass        # as in forward
            else:
                context, shared = _context.default
                status = fast_backward(self._address, capsule_pointer(source, DLTENSOR),
                                       capsule_pointer(gradient, DLTENSOR), capsule_pointer(target, DLTENSOR), shared)
                if status:
                    raise failure(status)
                return out
        flags = (c.SUGAR_CALL_ACCUMULATE if accumulate else 0) | (c.SUGAR_CALL_FROM_OUTPUT if from_output else 0)
        source = None if x is None else view(x, "x")
        gradient, target = view(dy, "dy"), view(out, "out", True)
        options = Options((source or gradient).extents, flags, nontemporal, threads, context, None, parameter,
                          parameter_gradient, saved_gradient, saved_bits, False, random, bias, bias_gradient, gate,
                          gate_gradient)
        check(c.sugar_backward(self._handle, source, gradient, target, options))
        return out

    @overload
    def backward_twice(self, x: A, dy: Array, v: Array, ddy: None = None, dx: None = None, *, accumulate: bool = ...,
                       threads: int | None = ..., context: Context | None = ...,
                       nontemporal: bool | None = ...) -> tuple[A, A]: ...

    @overload
    def backward_twice(self, x: Array, dy: Array, v: Array, ddy: DDY = ..., dx: DX = ..., *, accumulate: bool = ...,
                       threads: int | None = ..., context: Context | None = ...,
                       nontemporal: bool | None = ...) -> tuple[DDY, DX]: ...

    @documented(c.sugar_backward_twice)
    def backward_twice(self, x: Any, dy: Any, v: Any, ddy: Any = None, dx: Any = None, *, accumulate: bool = False,
                       threads: int | None = None, context: Context | None = None,
                       nontemporal: bool | None = None) -> Any:
        """The backward pass of `backward`: from v, the gradient that reaches its result, ddy = v * g'(x), the one that
        goes on to its dy, and dx = v * dy * g''(x), the one that goes on to its x. Both are returned.

        ddy, dx          what is given is written, and may be `x`, `dy` or `v` itself; the other one is not computed
                         then, and None. With neither, both are new arrays
        accumulate       True: added to what they hold
        threads, context, nontemporal    as in forward
        """
        if ddy is None and dx is None:
            if accumulate:
                raise TypeError("ddy: None, and dx None, expected an array to accumulate in")
            ddy, dx = empty_like(x, "x"), empty_like(x, "x")
        outputs = (None if ddy is None else view(ddy, "ddy", True), None if dx is None else view(dx, "dx", True))
        options = Options((), c.SUGAR_CALL_ACCUMULATE if accumulate else 0, nontemporal, threads, context)
        check(c.sugar_backward_twice(self._handle, view(x, "x"), view(dy, "dy"), view(v, "v"), *outputs, options))
        return ddy, dx
