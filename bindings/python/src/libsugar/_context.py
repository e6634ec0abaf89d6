"""Threads: a pool for calls, given once or with each call."""

from __future__ import annotations

import ctypes
import functools
import weakref

from . import _lowlevel as c
from ._errors import check, integer


class Context:
    """A pool of threads that calls may use. `threads` counts the calling thread: 1 means no other.

    Any number of threads may use one at the same time; it works for one call at a time, and a call that finds it
    busy runs on its own thread. Small calls stay on the calling thread. Results are the same bits
    for any number of threads. The pool ends when the last reference to it does.
    """

    def __init__(self, threads: int) -> None:
        handle = ctypes.POINTER(c.sugar_context)()
        options = c.sugar_context_options(threads=integer(threads, "threads", 32))
        check(c.sugar_context_create(ctypes.byref(handle), options))
        weakref.finalize(self, c.sugar_context_destroy, handle).atexit = False
        self.threads = threads
        self._handle = handle

    def __repr__(self) -> str:
        return f"libsugar.Context({self.threads})"

    def __reduce__(self) -> tuple[type[Context], tuple[int]]:
        return Context, (self.threads,)


# What calls use that name nothing: the context, and the options that carry it, in the bytes that C reads.
default: tuple[Context | None, bytes | None] = (None, None)

pool = functools.lru_cache(maxsize=4)(Context)


def set_threads(threads: int | Context) -> None:
    """Sets what calls use that name neither threads nor a context: so many threads, the calling one counted, or
    a context. At first it is 1, the calling thread alone. Holds for all threads of the program."""
    global default
    context = threads if isinstance(threads, Context) else Context(threads)
    if context.threads == 1:
        default = (None, None)
    else:
        default = (context, bytes(c.sugar_call_options(context=context._handle)))


def get_threads() -> int:
    """How many threads calls use that name neither threads nor a context."""
    context = default[0]
    return context.threads if context else 1


def chosen(threads: int | None, context: Context | None) -> Context | None:
    """The context of a call."""
    if threads is not None and context is not None:
        raise TypeError("threads and context: both given, expected one of them")
    if threads is not None:
        return pool(threads)
    return context or default[0]
