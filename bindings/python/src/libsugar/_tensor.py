"""Views of memory as the library takes them, from DLPack or from NumPy's own description. Nothing is copied."""

from __future__ import annotations

import ctypes
import functools
import math
import sys
from typing import TYPE_CHECKING, Any, Protocol, Sequence, TypeVar, Union

import numpy as np

from . import _lowlevel as c
from ._errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class DLPack(Protocol):
    """Anything that hands out its memory by DLPack: tensors of PyTorch, arrays of JAX, CuPy, NumPy."""

    def __dlpack__(self) -> Any: ...


Array = Union["NDArray[Any]", DLPack]
A = TypeVar("A", bound=Array)

# DLManagedTensor begins with its DLTensor, which is sugar_tensor by another name. PyDLL: the GIL stays held.
capsule_pointer = ctypes.PyDLL(None)["PyCapsule_GetPointer"]
capsule_pointer.argtypes = (ctypes.py_object, ctypes.c_char_p)
capsule_pointer.restype = ctypes.c_void_p
DLTENSOR = b"dltensor"

CPU = c.sugar_device(c.SUGAR_DEVICE_CPU, 0)
# DLPack's codes for kinds of NumPy's types.
CODES = {"i": 0, "u": c.SUGAR_TYPE_UNSIGNED, "f": c.SUGAR_TYPE_FLOAT, "c": 5, "b": 6}


class Tensor(c.sugar_tensor):
    """A tensor that keeps alive what it leads to, and knows which argument it is."""

    owner: object
    argument: str

    @property
    def extents(self) -> tuple[int, ...]:
        return tuple(self.shape[:self.ndim]) if self.ndim > 0 else ()

    @property
    def steps(self) -> tuple[int, ...]:
        return tuple(self.strides[:self.ndim]) if self.strides else compact(self.extents)

    def owned(self, owner: object, argument: str) -> Tensor:
        self.owner = owner
        self.argument = argument
        return self


def compact(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides of an array in row-major order without gaps."""
    strides, step = [], 1
    for extent in reversed(shape):
        strides.append(step)
        step *= extent
    return tuple(reversed(strides))


def view(array: Array, argument: str, out: bool = False) -> Tensor:
    """The view of an argument, which is written if `out`."""
    try:
        capsule = array.__dlpack__()
    except Exception:
        # NumPy refuses what cannot be written, types that DLPack lacks, and strides that split an element.
        if isinstance(array, np.ndarray):
            return numpy_view(array, argument, out)
        if not hasattr(array, "__dlpack__"):
            raise TypeError(f"{argument}: {type(array).__name__}, expected an array of NumPy or anything with "
                            "__dlpack__") from None
        raise
    return Tensor.from_address(capsule_pointer(capsule, DLTENSOR)).owned(capsule, argument)


def numpy_view(array: NDArray[Any], argument: str, out: bool) -> Tensor:
    if out and not array.flags.writeable:
        raise ArgumentError(f"{argument}: read-only, expected an array that can be written")
    strides = None if array.flags.c_contiguous else element_strides(array, argument)
    made = described(array.ctypes.data, data_type(array.dtype, argument), array.shape, strides)
    return made.owned(array, argument)


def described(address: int | None, dtype: c.sugar_data_type, shape: Sequence[int],
              strides: Sequence[int] | None) -> Tensor:
    extents = ctypes.c_int64 * len(shape)
    return Tensor(address, CPU, len(shape), dtype, extents(*shape), None if strides is None else extents(*strides), 0)


def again(source: Tensor, dtype: c.sugar_data_type, shape: Sequence[int], strides: Sequence[int] | None) -> Tensor:
    """The memory of a tensor, seen in another way."""
    made = described(source.data, dtype, shape, strides)
    made.device = source.device
    made.byte_offset = source.byte_offset
    return made.owned(source, source.argument)


def element_strides(array: NDArray[Any], argument: str) -> list[int]:
    strides = []
    for extent, step in zip(array.shape, array.strides):
        if extent > 1 and array.size > 0 and step % array.itemsize:
            raise ArgumentError(f"{argument}: a stride of {step} bytes, expected a multiple of {array.itemsize}")
        strides.append(step // array.itemsize)
    return strides


@functools.lru_cache(maxsize=64)
def data_type(dtype: np.dtype[Any], argument: str) -> c.sugar_data_type:
    if not dtype.isnative:
        raise ArgumentError(f"{argument}: dtype {dtype.str}, expected the byte order of this machine")
    if dtype.name == "bfloat16":
        return c.sugar_data_type(c.SUGAR_TYPE_BFLOAT, 16, 1)
    if dtype.kind not in CODES:
        raise TypeError(f"{argument}: dtype {dtype}, expected float16, bfloat16, float32 or float64")
    return c.sugar_data_type(CODES[dtype.kind], 8 * dtype.itemsize, 1)


def shared(source: Tensor, ndim: int) -> Tensor:
    """The same memory with as many dimensions as x, by NumPy's rules: those that are missing come first, and have an
    extent of 1, over which the library shares the elements."""
    missing = ndim - source.ndim
    if missing <= 0:
        return source
    return again(source, source.dtype, (1,) * missing + source.extents, (1,) * missing + source.steps)


def bits(source: Tensor, shape: tuple[int, ...], wanted: int) -> Tensor:
    """Bytes as one bit for each element of an array of that shape."""
    if wanted != 1:
        raise ArgumentError(f"saved_bits: {wanted}, expected 8 or 1")
    count = math.prod(shape)
    needed = (count + 7) // 8
    found = (source.dtype.code, source.dtype.bits, source.extents)
    if found != (c.SUGAR_TYPE_UNSIGNED, 8, (needed,)) or (needed > 1 and source.steps != (1,)):
        raise ArgumentError(f"{source.argument}: shape {source.extents}, strides {source.steps} and "
                            f"{source.dtype.bits} bits, expected {needed} bytes (uint8) next to each other, for "
                            f"{count} elements")
    return again(source, c.sugar_data_type(c.SUGAR_TYPE_UNSIGNED, 1, 1), shape, None)


def empty_like(array: Any) -> Any:
    """A new array for a result: a tensor of PyTorch for one of its tensors, else an array of NumPy."""
    if isinstance(array, np.ndarray):
        return np.empty_like(array, subok=False)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(array, torch.Tensor):
        return torch.empty_like(array)
    source = view(array, "x")
    code, width = source.dtype.code, source.dtype.bits
    name = f"{'bfloat' if code == c.SUGAR_TYPE_BFLOAT else 'float'}{width}"
    if name == "bfloat16":
        import ml_dtypes        # registers the name with NumPy

        return np.empty(source.extents, ml_dtypes.bfloat16)
    return np.empty(source.extents, name)
