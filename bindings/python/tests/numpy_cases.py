"""What tests on arrays of NumPy share: formulas written here, views of all kinds, and what hands out memory."""

from __future__ import annotations

import ctypes
from typing import Any, Callable

import numpy as np
from libsugar import _check, _tensor
from libsugar import _lowlevel as c
from numpy.lib.stride_tricks import as_strided

F = Callable[[Any], Any]


def logistic(x: Any) -> Any:
    return 0.5 * (1 + np.tanh(0.5 * x))


def bsilu_slope(x: Any) -> Any:
    s = logistic(x)
    return s + (x + 1.67) * s * (1 - s)


# Specs with their value and what the backward pass multiplies with, in f64, by formulas of their own.
FORMULAS: dict[str, tuple[F, F]] = {
    "relu~bsilu": (lambda x: np.where(x > 0, x, 0), bsilu_slope),
    "relu~bsilu(blend=0.25)": (lambda x: np.where(x > 0, x, 0), lambda x: 0.25 * bsilu_slope(x) + 0.75 * (x > 0)),
    "relu~nelu(alpha=0.1,domain=negative)": (
        lambda x: np.where(x > 0, x, 0), lambda x: np.where(x > 0, 1, 0.2 * x / (1 + x * x) ** 2)),
    "leaky_relu(negative_slope=0.125)": (
        lambda x: np.where(x > 0, x, 0.125 * x), lambda x: np.where(x > 0, 1, 0.125)),
    "silu": (lambda x: x * logistic(x), lambda x: logistic(x) * (1 + x * (1 - logistic(x)))),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "elu": (lambda x: np.where(x > 0, x, np.expm1(x)), lambda x: np.where(x > 0, 1, np.exp(x))),
    "softplus": (lambda x: np.logaddexp(0, x), logistic),
}


def random_view(random: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    """An array of that shape, cut out of a larger one: any order of dimensions, steps of either sign."""
    order = random.permutation(len(shape))
    steps = random.choice([-3, -2, -1, 1, 2], size=len(shape))
    extents = [shape[i] * abs(steps[i]) + random.integers(3) for i in order]
    base = (3 * random.standard_normal(extents)).astype(dtype).transpose(np.argsort(order))
    taken: Any = (..., *(slice(None, None, step) for step in steps))
    first: Any = (..., *(slice(0, extent) for extent in shape))
    return base[taken][first]


class OnArrays(_check.Replay):
    """Cases with views of NumPy in place of raw tensors."""

    def array(self, operand: _check.Case) -> Any:
        index = operand["memory"]       # None: NULL, of which NumPy has no array
        memory = memoryview(bytearray(64)) if index is None else memoryview(self.memories[index].doubles).cast("B")
        code, bits, _ = operand["dtype"]
        dtype: Any = np.uint8 if code == c.SUGAR_TYPE_UNSIGNED else f"f{bits // 8}"
        if code == c.SUGAR_TYPE_BFLOAT:
            import ml_dtypes

            dtype = ml_dtypes.bfloat16
        start = memory[operand["data"] + operand["byte_offset"]:]
        if operand["strides"] is None:
            strides = _tensor.compact(operand["shape"])
        else:
            strides = operand["strides"]
        first: Any = np.ndarray((), dtype, start)
        return as_strided(first, operand["shape"], [bits // 8 * step for step in strides])


def nothing(shape: tuple[int, ...], dtype: Any, way: int) -> Any:
    """An array without elements: NumPy's own; misaligned, with strides that split elements; by DLPack at NULL, and at
    an odd address."""
    if way % 4 == 0:
        return np.zeros(shape, dtype)
    if way % 4 == 1:
        memory = np.frombuffer(bytearray(17), np.uint8)[1:17].view(dtype)
        return as_strided(memory, shape, (3,) * len(shape))
    code, bits = _tensor.CODES[np.dtype(dtype).kind], 8 * np.dtype(dtype).itemsize
    return _check.Raw(None if way % 4 == 2 else 1, {"shape": shape, "strides": (-7, 0, 5)[:len(shape)], "device": 1,
                                                    "dtype": (code, bits, 1), "byte_offset": 3})


class Managed:
    """Anything with __dlpack__, and nothing else of it: a capsule of DLPack 1.0 over an array."""

    def __init__(self, array: Any, major: int = 1, flags: int = 0) -> None:
        self.kept = _tensor.numpy_view(array, "array", False)
        self.managed = _tensor.Versioned(major=major, flags=flags, tensor=self.kept)

    def __dlpack__(self, *, max_version: tuple[int, int] | None = None) -> Any:
        return _check.new_capsule(ctypes.addressof(self.managed), _tensor.VERSIONED, None)


class Unversioned:
    """As before DLPack 1.0."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __dlpack__(self) -> Any:
        return self.array.__dlpack__()


class Handing:
    """What says that it hands out memory, and hands out something else."""

    def __init__(self, found: Any) -> None:
        self.found = found

    def __dlpack__(self, **_: Any) -> Any:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found
