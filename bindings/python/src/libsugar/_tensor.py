"""Views of memory as the library takes them, from DLPack or from NumPy's own description. Nothing is copied."""

from __future__ import annotations

import ctypes
import functools
import math
import sys
from typing import TYPE_CHECKING, Any, Callable, Protocol, Sequence, TypeVar, Union

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

# PyDLL: the GIL stays held.
capsule_pointer = ctypes.PyDLL(None)["PyCapsule_GetPointer"]
capsule_pointer.argtypes = (ctypes.py_object, ctypes.c_char_p)
capsule_pointer.restype = ctypes.c_void_p
is_capsule = ctypes.PyDLL(None)["PyCapsule_IsValid"]
is_capsule.argtypes = (ctypes.py_object, ctypes.c_char_p)
# The names of capsules: DLManagedTensor, which begins with its DLTensor (sugar_tensor by another name), and, since
# DLPack 1.0, Versioned.
DLTENSOR = b"dltensor"
VERSIONED = b"dltensor_versioned"
READ_ONLY, IS_COPIED = 1, 2     # flags of Versioned

CPU = c.sugar_device(c.SUGAR_DEVICE_CPU, 0)
# DLPack's codes for kinds of NumPy's types.
CODES = {"i": 0, "u": c.SUGAR_TYPE_UNSIGNED, "f": c.SUGAR_TYPE_FLOAT, "c": 5, "b": 6}


class Versioned(ctypes.Structure):
    """DLManagedTensorVersioned."""

    _fields_ = [("major", ctypes.c_uint32), ("minor", ctypes.c_uint32), ("manager_ctx", ctypes.c_void_p),
                ("deleter", ctypes.c_void_p), ("flags", ctypes.c_uint64), ("tensor", c.sugar_tensor)]


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


# The types whose capsules, of the old kind, are right for outputs too, with what makes one. Types of PyTorch join them
# when they are first seen. A subclass of ndarray does not: what its elements mean may be more than their memory.
QUICK: dict[type, Callable[[Any], Any]] = dict.fromkeys((np.ndarray, np.matrix, np.memmap), np.ndarray.__dlpack__)
QUICK_OUT = dict(QUICK)     # the same for outputs


def view(array: Array, argument: str, out: bool = False) -> Tensor:
    """The view of an argument, which is written if `out`."""
    known = QUICK_OUT if out else QUICK
    quick = known.get(type(array)) or (known[type(array)] if is_torch(type(array)) else None)
    if quick is None:
        return foreign_view(array, argument, out)
    try:
        capsule = quick(array)
    except Exception as error:
        # NumPy refuses what cannot be written, types that DLPack lacks, and strides that split an element.
        if isinstance(array, np.ndarray):
            return numpy_view(array, argument, out)
        raise refusal(array, argument, error) from error
    return Tensor.from_address(capsule_pointer(capsule, DLTENSOR)).owned(capsule, argument)


def refusal(array: object, argument: str, error: Exception) -> ArgumentError:
    return ArgumentError(f"{argument}: {type(array).__name__} does not hand out its memory: {error}")


def is_torch(kind: type) -> bool:
    """Whether they are tensors of PyTorch; not those that give operations a meaning of their own, by
    __torch_dispatch__. They are QUICK from then on."""
    torch = sys.modules.get("torch")
    if torch is None or not issubclass(kind, torch.Tensor):
        return False
    if kind.__torch_dispatch__ is not torch.Tensor.__torch_dispatch__:  # type: ignore[attr-defined]
        return False
    QUICK[kind], QUICK_OUT[kind] = torch_capsule, torch_capsule_out
    return True


def torch_capsule_out(tensor: Any) -> Any:
    """Autograd must hear of what is written, as a backward pass that needs the former numbers would be wrong."""
    capsule = torch_capsule(tensor)
    if not tensor.is_inference():
        sys.modules["torch"].autograd.graph.increment_version(tensor)
    return capsule


def torch_capsule(tensor: Any) -> Any:
    """PyTorch itself refuses tensors that need a gradient, are conjugate, sparse or without memory, but not these."""
    if tensor.is_neg():
        raise BufferError("it has the negative bit, so its memory holds the numbers with the other sign; expected "
                          "what its resolve_neg() gives")
    forward_ad = sys.modules["torch"].autograd.forward_ad
    if forward_ad._current_level >= 0 and forward_ad.unpack_dual(tensor).tangent is not None:
        raise BufferError("it has a tangent, which would be lost; expected libsugar.torch, or what its detach() gives")
    return tensor.__dlpack__()


def foreign_view(array: Any, argument: str, out: bool) -> Tensor:
    """The view of an array that is neither NumPy's nor PyTorch's own."""
    kind = type(array)
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{argument}: {kind.__name__}, whose mask would be lost, expected an array without one: "
                        f"{argument}.filled(...) or {argument}.compressed()")
    if isinstance(array, np.ndarray):
        raise TypeError(f"{argument}: {kind.__name__}, whose elements may mean more than their memory, expected an "
                        f"array of NumPy's own types: numpy.asarray({argument}), if nothing is lost by it")
    if not hasattr(array, "__dlpack__"):
        raise TypeError(f"{argument}: {kind.__name__}, expected an array of NumPy or anything with __dlpack__")
    if hasattr(kind, "__torch_dispatch__"):
        raise TypeError(f"{argument}: {kind.__name__}, which has a __torch_dispatch__ of its own, expected a tensor of "
                        "which the memory says all")
    try:
        capsule = foreign_capsule(array)
    except Exception as error:
        raise refusal(array, argument, error) from error
    return Tensor.from_address(address_in(capsule, argument, out)).owned(capsule, argument)


def foreign_capsule(array: Any) -> Any:
    try:
        return array.__dlpack__(max_version=(1, 0))
    except TypeError:       # made before DLPack 1.0, it does not know the argument
        return array.__dlpack__()


def address_in(capsule: Any, argument: str, out: bool) -> int:
    """Where the tensor lies that is in a capsule, of either kind."""
    if is_capsule(capsule, DLTENSOR):
        if out:
            raise ArgumentError(f"{argument}: DLPack before 1.0, which cannot say whether the memory may be written, "
                                "expected DLPack 1.0, an array of NumPy or a tensor of PyTorch")
        return int(capsule_pointer(capsule, DLTENSOR))
    if not is_capsule(capsule, VERSIONED):
        raise TypeError(f"{argument}: __dlpack__ gave {capsule!r:.80}, expected a capsule that nobody has used")
    address = int(capsule_pointer(capsule, VERSIONED))
    found = Versioned.from_address(address)
    if found.major != 1:
        raise ArgumentError(f"{argument}: DLPack {found.major}.{found.minor}, expected 1 or older")
    if out and found.flags & (READ_ONLY | IS_COPIED):
        what = "read-only" if found.flags & READ_ONLY else "a copy"
        raise ArgumentError(f"{argument}: {what}, expected memory that can be written")
    return address + Versioned.tensor.offset


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


def empty_like(array: Any, argument: str) -> Any:
    """A new array for a result: a tensor of PyTorch for one of its tensors, else an array of NumPy."""
    if type(array) is np.ndarray:
        return np.empty_like(array)
    source = view(array, argument)
    if isinstance(array, np.ndarray):
        return np.empty_like(array, subok=False)
    if type(array) in QUICK:
        return sys.modules["torch"].empty_like(array)
    code, width = source.dtype.code, source.dtype.bits
    name = f"{'bfloat' if code == c.SUGAR_TYPE_BFLOAT else 'float'}{width}"
    if name == "bfloat16":
        import ml_dtypes        # registers the name with NumPy

        return np.empty(source.extents, ml_dtypes.bfloat16)
    return np.empty(source.extents, name)
