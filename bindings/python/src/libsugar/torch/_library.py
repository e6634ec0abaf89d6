"""The C library on PyTorch's tensors, by their addresses: making DLPack's capsules takes longer than a small call."""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path
from typing import Any

import torch

from .. import _lowlevel as c
from .._activation import fast_backward, fast_backward_twice, fast_forward
from .._errors import check, failure
from .._library import load_frameworks
from .._options import TensorPointer
from .._tensor import Tensor, described, shared
from ._operations import Described

PLAIN = (torch.Tensor, torch.nn.Parameter)
STRIDED = torch.strided

# The library does not split calls on fewer: see "Threads" in the header's section Information.
LEAST_SHARED = 65536


def flat(direction: str, vectors: int) -> dict[torch.dtype, Any]:
    """sugar_forward_f32 and its like, for addresses and steps without ctypes' conversions of declared types."""
    made = {}
    for dtype, name in ((torch.float32, "f32"), (torch.float64, "f64"), (torch.float16, "f16"),
                        (torch.bfloat16, "bf16")):
        function = c.library[f"sugar_{direction}_{name}"]
        function.argtypes = (ctypes.c_void_p, ctypes.c_int64) + (ctypes.c_void_p, ctypes.c_int64) * vectors + (
            ctypes.c_void_p,)
        made[dtype] = function
    return made


FORWARD, BACKWARD = flat("forward", 2), flat("backward", 3)

DATA_TYPES = {torch.float32: c.sugar_data_type(c.SUGAR_TYPE_FLOAT, 32, 1),
              torch.float64: c.sugar_data_type(c.SUGAR_TYPE_FLOAT, 64, 1),
              torch.float16: c.sugar_data_type(c.SUGAR_TYPE_FLOAT, 16, 1),
              torch.bfloat16: c.sugar_data_type(c.SUGAR_TYPE_BFLOAT, 16, 1)}

transforms_active = torch._C._are_functorch_transforms_active
modes_active = torch._C._len_torch_dispatch_stack


def readable(tensor: torch.Tensor) -> torch.Tensor | None:
    """The tensor with memory that C can read. None: it is on another device, has elements of another type, or is
    something else in disguise, as those are that torch.func, subclasses, and modes that look at each operation have."""
    if (type(tensor) not in PLAIN or tensor.dtype not in FORWARD or not tensor.is_cpu
            or tensor.layout is not STRIDED or tensor._is_zerotensor() or transforms_active() or modes_active() != 0):
        return None
    return tensor.resolve_neg() if tensor.is_neg() else tensor


class Pool:
    """PyTorch's own threads, as a context: a pool of the library's would compete with them, which wait for more work
    in a loop after each operation."""

    def __init__(self, threads: int) -> None:
        self._handle = ctypes.POINTER(c.sugar_context)()
        adapter, run = parallel_for()
        options = c.sugar_context_options(threads=threads, parallel_for=adapter, payload=run)
        check(c.sugar_context_create(ctypes.byref(self._handle), options))
        self.options = bytes(c.sugar_call_options(flags=c.SUGAR_CALL_TEMPORAL, context=self._handle))


def parallel_for() -> tuple[Any, Any]:
    """Our adapter, and the address of PyTorch's torch_parallel_for (2.10 or newer)."""
    ours = load_frameworks()
    theirs = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
    return (ctypes.cast(ours.sugar_torch_parallel_for, c.sugar_parallel_for),
            ctypes.cast(theirs.torch_parallel_for, ctypes.c_void_p))


@functools.lru_cache(maxsize=None)
def pool(threads: int) -> Pool | None:
    """None: the calling thread alone. Made once for a number of threads, and kept."""
    if threads == 1:
        return None
    try:
        return Pool(threads)
    except (ImportError, OSError, AttributeError):
        return None         # an older PyTorch, or a package without the adapter


# Large outputs are not stored past the caches, as the library would by itself: they are new memory, whose pages the
# system has just cleared, so that they are in a cache. (Past it, a step of 16 Mi elements took 1.18 times as long.)
ALONE = bytes(c.sugar_call_options(flags=c.SUGAR_CALL_TEMPORAL))


def options_for(elements: int) -> bytes | None:
    """The options of a call on so many elements: its threads."""
    if elements < LEAST_SHARED:
        return None
    found = pool(torch.get_num_threads())
    return found.options if found else ALONE


def view(tensor: torch.Tensor, argument: str) -> Tensor:
    """Its memory as the library takes it."""
    made = described(tensor.data_ptr(), DATA_TYPES[tensor.dtype], tensor.shape, tensor.stride())
    return made.owned(tensor, argument)


def forward(known: Described, x: torch.Tensor) -> torch.Tensor:
    """f(x), laid out like x."""
    y = torch.empty_like(x)
    elements = x.numel()
    options = options_for(elements)
    if x.is_contiguous() or x.stride() == y.stride():
        status = FORWARD[x.dtype](known.address, elements, x.data_ptr(), 1, y.data_ptr(), 1, options)
    else:
        source, target = view(x, "x"), view(y, "y")
        status = fast_forward(known.address, ctypes.addressof(source), ctypes.addressof(target), options)
    if status:
        raise failure(status)
    return y


def backward(known: Described, x: torch.Tensor, dy: torch.Tensor) -> torch.Tensor:
    """dy g'(x), laid out like x."""
    dx = torch.empty_like(x)
    elements = x.numel()
    options = options_for(elements)
    step = flat_step(x, dy, dx)
    if step is not None:
        status = BACKWARD[x.dtype](known.address, elements, x.data_ptr(), 1, dy.data_ptr(), step, dx.data_ptr(), 1,
                                   options)
    else:
        source, gradient, target = view(x, "x"), view(dy, "dy"), view(dx, "dx")
        status = fast_backward(known.address, ctypes.addressof(source), ctypes.addressof(gradient),
                               ctypes.addressof(target), options)
    if status:
        raise failure(status)
    return dx


def derivative(known: Described, x: torch.Tensor, *factors: torch.Tensor) -> torch.Tensor:
    """The product of one factor with g'(x), or of two with g''(x), laid out like x."""
    if len(factors) == 1:
        return backward(known, x, *factors)
    dx = torch.empty_like(x)
    call_twice(known, x, *factors, None, dx)
    return dx


def backward_twice(known: Described, x: torch.Tensor, dy: torch.Tensor,
                   v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """v g'(x) and v dy g''(x), laid out like x: the gradients of dy and x, where v is that of backward's result."""
    ddy, dx = torch.empty_like(x), torch.empty_like(x)
    call_twice(known, x, dy, v, ddy, dx)
    return ddy, dx


@torch.compiler.disable     # as forward_with, below
def call_twice(known: Described, *operands: torch.Tensor | None) -> None:
    """sugar_backward_twice: of x, dy, v, ddy and dx."""
    x = operands[0]
    assert x is not None
    views = [None if one is None else view(one, name) for name, one in zip(("x", "dy", "v", "ddy", "dx"), operands)]
    addresses = (None if one is None else ctypes.addressof(one) for one in views)
    status = fast_backward_twice(known.address, *addresses, options_for(x.numel()))
    if status:
        raise failure(status)


@torch.compiler.disable
def forward_fused(known: Described, x: torch.Tensor, bias: torch.Tensor | None,
                  gate: torch.Tensor | None) -> torch.Tensor:
    """f(x + bias) gate, laid out like x."""
    y = torch.empty_like(x)
    source, target = view(x, "x"), view(y, "y")
    options = fused_options(x, bias=bias, gate=gate)
    status = fast_forward(known.address, ctypes.addressof(source), ctypes.addressof(target),
                          ctypes.addressof(options))
    if status:
        raise failure(status)
    return y


@torch.compiler.disable
def backward_fused(known: Described, x: torch.Tensor, dy: torch.Tensor, dx: torch.Tensor,
                   **given: torch.Tensor | None) -> None:
    """dy gate g'(x + bias) into dx; given: bias, gate, bias_gradient, gate_gradient."""
    source, gradient, target = view(x, "x"), view(dy, "dy"), view(dx, "dx")
    options = fused_options(x, **given)
    status = fast_backward(known.address, ctypes.addressof(source), ctypes.addressof(gradient),
                           ctypes.addressof(target), ctypes.addressof(options))
    if status:
        raise failure(status)


def fused_options(x: torch.Tensor, **given: torch.Tensor | None) -> c.sugar_call_options:
    """The options of a call on x with the members of sugar_call_options that are given."""
    options = c.sugar_call_options.from_buffer_copy(options_for(x.numel()) or ALONE)
    for name, one in given.items():
        if one is not None:
            setattr(options, name, TensorPointer(shared(view(one, name), x.dim())))
    return options


def flat_step(x: torch.Tensor, dy: torch.Tensor, dx: torch.Tensor) -> int | None:
    """The step of dy, if all three can be seen as vectors whose elements lie in the same order: 0 for one number in all
    places, as sum() has it. Else None."""
    if x.is_contiguous() and dy.is_contiguous():
        return 1
    if x.stride() != dx.stride():
        return None
    return 1 if dy.stride() == dx.stride() else None if any(dy.stride()) else 0


# Compiled autograd meets these in a backward pass that it compiles, and cannot look into them.
@torch.compiler.disable
def forward_with(known: Described, x: torch.Tensor, **options: Any) -> torch.Tensor:
    """forward with options of libsugar.Activation.forward."""
    y = torch.empty_like(x)
    return known.activation.forward(x.detach(), y, **threads_for(x.numel()), **detached(options))


@torch.compiler.disable
def backward_with(known: Described, x: torch.Tensor | None, dy: torch.Tensor, strides: tuple[int, ...],
                  **options: Any) -> torch.Tensor:
    dx = torch.empty_strided(dy.shape, strides, dtype=dy.dtype, device=dy.device)
    x = None if x is None else x.detach()
    return known.activation.backward(x, dy.detach(), dx, **threads_for(dy.numel()), **detached(options))


def threads_for(elements: int) -> dict[str, Any]:
    """The same for libsugar.Activation; what libsugar.set_threads said does not count here."""
    found = pool(torch.get_num_threads() if elements >= LEAST_SHARED else 1)
    where: dict[str, Any] = {"context": found} if found else {"threads": 1}
    return {"nontemporal": False, **where}


def detached(options: dict[str, Any]) -> dict[str, Any]:
    """DLPack refuses tensors that require a gradient."""
    return {name: value.detach() if isinstance(value, torch.Tensor) else value for name, value in options.items()
            if value is not None}
