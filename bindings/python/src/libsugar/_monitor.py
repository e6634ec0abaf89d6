"""Monitor: what the units of a layer have seen."""

from __future__ import annotations

import ctypes
import threading
import weakref
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

import numpy as np

from . import _lowlevel as c
from ._context import Context
from ._documentation import documented
from ._errors import ArgumentError, check, integer
from ._options import Options
from ._tensor import Array, view

if TYPE_CHECKING:
    from numpy.typing import NDArray


class MonitorSummary(NamedTuple):
    """What all units have seen: `dead` counts those that saw samples, none of them active; `sparsity` is the
    share of samples that were not active; `mean` and `deviation` are of the finite ones. NaN if there are none. `axis`,
    `bins` and `every` are those that the monitor was made with; of `calls` that were given it, it `observed` some, from
    which all samples are."""

    units: int
    samples: int
    active: int
    not_finite: int
    dead: int
    sparsity: float
    mean: float
    deviation: float
    axis: int
    bins: int
    every: int
    calls: int
    observed: int


class MonitorUnit(NamedTuple):
    """What one unit has seen; the sums are of the finite samples."""

    samples: int
    active: int
    not_finite: int
    sum: float
    sum_of_squares: float
    mean: float
    deviation: float


def members(struct: Any, names: tuple[str, ...]) -> list[Any]:
    return [getattr(struct, name) for name in names]


class Monitor:
    """Counts and sums over the inputs of an activation, for each of its units: which are dead, how sparse the layer
    is, and a histogram. Fed by Activation.forward(x, monitor=...), in the same pass over memory, or by observe.

    units        the extent of x in dimension `axis`
    axis         where the units lie, from the end: -1 is the last axis, -3 the channels of NCHW
    threshold    a sample is active where x > threshold
    minimum, maximum    of the histogram
    bins         of the histogram; this version has 32
    every        one call in so many is observed, beginning with the first; the others take as long as without a monitor

    It can be pickled, copied and saved. Any thread may use one: they take turns.
    """

    def __init__(self, units: int, axis: int = -1, threshold: float = 0.0, minimum: float = -8.0,
                 maximum: float = 8.0, bins: int = c.SUGAR_MONITOR_BINS, every: int = 1) -> None:
        if not -c.SUGAR_MAX_DIMENSIONS <= integer(axis, "axis", 64) <= -1:
            raise ArgumentError(f"axis: {axis}, expected -1, the last one, down to -{c.SUGAR_MAX_DIMENSIONS}")
        options = c.sugar_monitor_options(axis_from_end=-1 - axis, bins=integer(bins, "bins", 32), threshold=threshold,
                                          minimum=minimum, maximum=maximum, every=integer(every, "every", 64))
        self._make(lambda handle: c.sugar_monitor_create(handle, integer(units, "units", 64), options))

    def _make(self, create: Callable[[Any], int]) -> None:
        handle = ctypes.POINTER(c.sugar_monitor)()
        check(create(ctypes.byref(handle)))
        weakref.finalize(self, c.sugar_monitor_destroy, handle).atexit = False
        self._handle = handle
        self._lock = threading.RLock()

    @classmethod
    @documented(c.sugar_monitor_restore)
    def restore(cls, saved: bytes) -> Monitor:
        """A monitor from what save gave, here or on another machine."""
        monitor, data = cls.__new__(cls), bytes(saved)
        monitor._make(lambda handle: c.sugar_monitor_restore(handle, data, len(data)))
        return monitor

    @documented(c.sugar_monitor_save)
    def save(self) -> bytes:
        """All that it holds, options included, in bytes that do not depend on the machine."""
        with self._lock:
            buffer = ctypes.create_string_buffer(c.sugar_monitor_save_size(self._handle))
            check(c.sugar_monitor_save(self._handle, buffer, len(buffer)))
        return buffer.raw

    def __reduce__(self) -> tuple[Callable[..., Monitor], tuple[type[Monitor], bytes]]:
        return restored, (type(self), self.save())

    def __repr__(self) -> str:
        seen = self.summary()
        return f"<libsugar.Monitor: {seen.units} units, {seen.dead} dead, {seen.samples} samples>"

    @documented(c.sugar_monitor_observe)
    def observe(self, x: Array, *, threads: int | None = None, context: Context | None = None) -> None:
        """Counts the elements of x."""
        source, options = view(x, "x"), Options(threads=threads, context=context)
        with self._lock:
            check(c.sugar_monitor_observe(self._handle, source, options))

    @documented(c.sugar_monitor_reset)
    def reset(self) -> None:
        """Forgets all that was counted."""
        with self._lock:
            check(c.sugar_monitor_reset(self._handle))

    @documented(c.sugar_monitor_merge)
    def merge(self, other: Monitor) -> None:
        """Adds what another monitor counted, which stays as it is."""
        if not isinstance(other, Monitor):
            raise TypeError(f"other: {type(other).__name__}, expected a Monitor")
        with ExitStack() as locks:
            for one in sorted((self, other), key=id):       # always in the same order
                locks.enter_context(one._lock)
            check(c.sugar_monitor_merge(self._handle, other._handle))

    @documented(c.sugar_monitor_get)
    def summary(self) -> MonitorSummary:
        """What all units have seen."""
        found = c.sugar_monitor_summary()
        with self._lock:
            check(c.sugar_monitor_get(self._handle, found))
        names = tuple("axis_from_end" if name == "axis" else name for name in MonitorSummary._fields)
        return MonitorSummary(*members(found, names))._replace(axis=-1 - found.axis_from_end)

    @documented(c.sugar_monitor_get_unit)
    def unit(self, index: int) -> MonitorUnit:
        """What one unit has seen."""
        found = c.sugar_monitor_unit()
        with self._lock:
            check(c.sugar_monitor_get_unit(self._handle, integer(index, "index", 64), found))
        return MonitorUnit(*members(found, MonitorUnit._fields))

    @documented(c.sugar_monitor_find_dead)
    def dead(self, rate: float = 0.0) -> NDArray[np.int64]:
        """The indices of units of whose samples at most the share `rate` was active."""
        count = ctypes.c_int64()
        with self._lock:
            indices = np.empty(self.summary().units, np.int64)
            check(c.sugar_monitor_find_dead(self._handle, float(rate), indices.ctypes.data, indices.size,
                                            ctypes.byref(count)))
        return indices[:count.value].copy()

    @documented(c.sugar_monitor_get_histogram)
    def histogram(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The counts of all bins, and the bounds between them; the first and the last bin are open."""
        bins = self.summary().bins
        counts, edges = np.empty(bins, np.int64), np.empty(bins - 1)
        with self._lock:
            check(c.sugar_monitor_get_histogram(self._handle, counts.ctypes.data, edges.ctypes.data, bins))
        return counts, edges


def restored(kind: type[Monitor], saved: bytes) -> Monitor:
    """For pickle; a function, which torch.load(weights_only=True) can be allowed to call, where it takes no method."""
    return kind.restore(saved)
