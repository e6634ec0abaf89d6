"""Failures of the library as exceptions, with its message and its status."""

from __future__ import annotations

from operator import index

from . import _lowlevel as c


class Error(Exception):
    """A call of the library failed. Its outputs are untouched; the text is the library's own message, which
    names the argument, what was found and what was expected."""

    status = 0      # SUGAR_ERROR_...


class ArgumentError(Error, ValueError):
    """An argument is out of its documented range: a shape, a number, None where there must be something."""

    status = c.SUGAR_ERROR_ARGUMENT


class SpecError(Error, ValueError):
    """A spec does not parse, or a value in it is out of its range; the text gives the position."""

    status = c.SUGAR_ERROR_SPEC


class UnsupportedError(Error, NotImplementedError):
    """Not available here: a device, a type of elements, a level, an option or a combination of options."""

    status = c.SUGAR_ERROR_UNSUPPORTED


class OverlapError(Error, ValueError):
    """An output shares memory with another operand, or with itself: give it memory of its own."""

    status = c.SUGAR_ERROR_OVERLAP


class OutOfRangeError(Error, ValueError):
    """A number in memory is out of its range, such as a learned parameter."""

    status = c.SUGAR_ERROR_VALUE


class DataError(Error, ValueError):
    """Bytes that are no saved form, or a damaged one."""

    status = c.SUGAR_ERROR_DATA


class OutOfMemoryError(Error, MemoryError):
    """No memory for a handle, or no threads for a context."""

    status = c.SUGAR_ERROR_OUT_OF_MEMORY


CLASSES: dict[int, type[Error]] = {
    kind.status: kind for kind in (ArgumentError, SpecError, UnsupportedError, OutOfMemoryError, OverlapError,
                                   OutOfRangeError, DataError)}


def check(status: int) -> None:
    """Raises what a status says; to be called on the thread that got it."""
    if status != c.SUGAR_OK:
        raise failure(status)


def failure(status: int) -> Error:
    error = CLASSES.get(status, Error)(c.sugar_last_error().decode())
    error.status = status       # of a newer library it may be one that is not known here
    return error


def integer(value: int, name: str, bits: int, signed: bool = True) -> int:
    """A number for C. ctypes cuts off what does not fit, silently."""
    try:
        number = index(value)
    except TypeError:
        raise TypeError(f"{name}: {type(value).__name__}, expected an integer") from None
    low, high = (-1 << (bits - 1), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    if not low <= number <= high:
        raise ArgumentError(f"{name}: {number}, expected {low} to {high}")
    return number
