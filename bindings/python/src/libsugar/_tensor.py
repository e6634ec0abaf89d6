"""Views of memory as the library takes them, from DLPack or from NumPy's own description. Nothing is copied."""

from __future__ import annotations

import ctypes
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

# DLPack's codes for kinds of NumPy's types.
CODES = {"i": 0, "u": c.SUGAR_TYPE_UNSIGNED, "f": c.SUGAR_TYPE_FLOAT, "c": 5, "b": 6}


class View:
    """A tensor, and what must live as long as it is used."""

    __slots__ = ("tensor", "owner", "name")

    def __init__(self, tensor: c.sugar_tensor, owner: object, name: str) -> None:
        self.tensor = tensor
        self.owner = owner
        self.name = name

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.tensor.shape[:self.tensor.ndim]) if self.tensor.ndim > 0 else ()

    @property
    def strides(self) -> tuple[int, ...]:
        """In elements."""
        if self.tensor.strides:
            return tuple(self.tensor.strides[:self.tensor.ndim])
        return compact(self.shape)


def compact(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides of an array in row-major order without gaps."""
    strides, step = [], 1
    for extent in reversed(shape):
        strides.append(step)
        step *= extent
    return tuple(reversed(strides))


def view(array: Array, name: str, out: bool = False) -> View:
    """The view of an argument called `name`, which is written if `out`."""
    if isinstance(array, np.ndarray):
        return numpy_view(array, name, out)
    if not hasattr(array, "__dlpack__"):
        raise TypeError(f"{name}: {type(array).__name__}, expected an array of NumPy or anything with __dlpack__")
    capsule = array.__dlpack__()
    return View(c.sugar_tensor.from_address(capsule_pointer(capsule, DLTENSOR)), capsule, name)


def numpy_view(array: NDArray[Any], name: str, out: bool) -> View:
    if out and not array.flags.writeable:
        raise ArgumentError(f"{name}: read-only, expected an array that can be written")
    strides = None if array.flags.c_contiguous else element_strides(array, name)
    return View(described(array.ctypes.data, data_type(array.dtype, name), array.shape, strides), array, name)


def described(address: int | None, dtype: c.sugar_data_type, shape: Sequence[int],
              strides: Sequence[int] | None) -> c.sugar_tensor:
    extents = ctypes.c_int64 * len(shape)
    return c.sugar_tensor(address, c.sugar_device(c.SUGAR_DEVICE_CPU, 0), len(shape), dtype, extents(*shape),
                          None if strides is None else extents(*strides), 0)


def element_strides(array: NDArray[Any], name: str) -> list[int]:
    strides = []
    for extent, step in zip(array.shape, array.strides):
        if extent > 1 and step % array.itemsize:
            raise ArgumentError(f"{name}: a stride of {step} bytes, expected a multiple of {array.itemsize}")
        strides.append(step // array.itemsize)
    return strides


def data_type(dtype: np.dtype[Any], name: str) -> c.sugar_data_type:
    if not dtype.isnative:
        raise ArgumentError(f"{name}: dtype {dtype.str}, expected the byte order of this machine")
    if dtype.name == "bfloat16":
        return c.sugar_data_type(c.SUGAR_TYPE_BFLOAT, 16, 1)
    if dtype.kind not in CODES:
        raise TypeError(f"{name}: dtype {dtype}, expected float16, bfloat16, float32 or float64")
    return c.sugar_data_type(CODES[dtype.kind], 8 * dtype.itemsize, 1)


def broadcast(source: View, shape: tuple[int, ...]) -> View:
    """The same memory in another shape, by NumPy's rules, with strides of 0 where it is repeated."""
    found, missing = source.shape, len(shape) - len(source.shape)
    if missing < 0 or any(extent not in (1, wanted) for extent, wanted in zip(found, shape[missing:])):
        raise ArgumentError(f"{source.name}: shape {found}, expected one that broadcasts to {shape}")
    strides = [0] * missing + [0 if extent == 1 else step for extent, step in zip(found, source.strides)]
    tensor = described(source.tensor.data, source.tensor.dtype, shape, strides)
    tensor.device = source.tensor.device
    tensor.byte_offset = source.tensor.byte_offset
    return View(tensor, source, source.name)


def bits(source: View, shape: tuple[int, ...], wanted: int) -> View:
    """Bytes as one bit for each element of an array of that shape."""
    if wanted != 1:
        raise ArgumentError(f"saved_bits: {wanted}, expected 8 or 1")
    tensor, count = source.tensor, 1
    for extent in shape:
        count *= extent
    found = (tensor.dtype.code, tensor.dtype.bits, source.shape, source.strides)
    needed = (count + 7) // 8
    if found != (c.SUGAR_TYPE_UNSIGNED, 8, (needed,), (1,)):
        raise ArgumentError(f"{source.name}: shape {source.shape}, strides {source.strides} and {tensor.dtype.bits} "
                            f"bits, expected {needed} bytes (uint8) next to each other, for {count} elements")
    packed = described(tensor.data, c.sugar_data_type(c.SUGAR_TYPE_UNSIGNED, 1, 1), shape, None)
    packed.device = tensor.device
    packed.byte_offset = tensor.byte_offset
    return View(packed, source, source.name)


def empty_like(array: Any) -> Any:
    """A new array for a result: a tensor of PyTorch for one of its tensors, else an array of NumPy."""
    if isinstance(array, np.ndarray):
        return np.empty_like(array, subok=False)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(array, torch.Tensor):
        return torch.empty_like(array)
    source = view(array, "x")
    code, width = source.tensor.dtype.code, source.tensor.dtype.bits
    name = f"{'bfloat' if code == c.SUGAR_TYPE_BFLOAT else 'float'}{width}"
    if name == "bfloat16":
        import ml_dtypes        # registers the name with NumPy

        return np.empty(source.shape, ml_dtypes.bfloat16)
    return np.empty(source.shape, name)
