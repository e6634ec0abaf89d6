"""The options of one call, from what Python passes."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Protocol

from . import _context
from . import _lowlevel as c
from ._errors import integer
from ._tensor import Array, bits, shared, view

if TYPE_CHECKING:
    from ._context import Context

TensorPointer = ctypes.POINTER(c.sugar_tensor)
NONTEMPORAL = {None: 0, True: c.SUGAR_CALL_NONTEMPORAL, False: c.SUGAR_CALL_TEMPORAL}


class Handle(Protocol):
    """What owns a handle of the library: a Context, a Monitor."""

    _handle: Any


def handle_of(made: Handle, argument: str) -> Any:
    if not hasattr(made, "_handle"):
        raise TypeError(f"{argument}: {type(made).__name__}, expected a {argument.capitalize()}")
    return made._handle


class Options(c.sugar_call_options):
    """sugar_call_options for a call on arrays of one shape; keeps alive what it leads to (ctypes does so for
    pointers to tensors)."""

    def __init__(self, shape: tuple[int, ...] = (), flags: int = 0, nontemporal: bool | None = None,
                 threads: int | None = None, context: Context | None = None, monitor: Handle | None = None,
                 parameter: Array | None = None, parameter_gradient: Array | None = None,
                 saved_gradient: Array | None = None, saved_bits: int = 8, saved_out: bool = False,
                 random: tuple[int, int] | None = None, bias: Array | None = None, bias_gradient: Array | None = None,
                 gate: Array | None = None, gate_gradient: Array | None = None) -> None:
        if nontemporal not in NONTEMPORAL:
            raise TypeError(f"nontemporal: {nontemporal!r}, expected True, False or None")
        super().__init__(flags=flags | NONTEMPORAL[nontemporal])
        self.kept = _context.chosen(threads, context), monitor
        if self.kept[0] is not None:
            self.context = handle_of(self.kept[0], "context")
        if monitor is not None:
            self.monitor = handle_of(monitor, "monitor")
        for name, array in (("parameter", parameter), ("parameter_gradient", parameter_gradient),
                            ("bias", bias), ("bias_gradient", bias_gradient)):
            if array is not None:
                setattr(self, name, TensorPointer(shared(view(array, name, name.endswith("gradient")), len(shape))))
        if gate is not None:
            self.gate = TensorPointer(view(gate, "gate"))
        if gate_gradient is not None:
            self.gate_gradient = TensorPointer(view(gate_gradient, "gate_gradient", True))
        if saved_gradient is not None:
            saved = view(saved_gradient, "saved_gradient", saved_out)
            self.saved_gradient = TensorPointer(saved if saved_bits == 8 else bits(saved, shape, saved_bits))
        if random is not None:
            try:
                seed, offset = random
            except TypeError:
                raise TypeError(f"random: {type(random).__name__}, expected a seed and an offset") from None
            self.random = ctypes.pointer(c.sugar_random(
                seed=integer(seed, "seed", 64, signed=False), offset=integer(offset, "offset", 64, signed=False)))
