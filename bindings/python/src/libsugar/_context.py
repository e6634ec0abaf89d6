"""Threads: a pool for calls, given once or with each call."""

from __future__ import annotations

import ctypes
import functools
import threading
import weakref
from typing import Any, Callable

from . import _lowlevel as c
from ._errors import check, integer


ParallelFor = Callable[[Callable[[int], None], int], object]


class Context:
    """A pool of threads that calls may use. `threads` counts the calling thread: 1 means no other, 0 as many as the
    process may use (its affinity and its CPU quota are heeded). The attribute `threads` says how many there are.

    Any number of threads may use one at the same time; it works for one call at a time, and a call that finds it
    busy runs on its own thread. Small calls stay on the calling thread. Results are the same bits
    for any number of threads. The pool ends when the last reference to it does.

    parallel_for    the caller's own pool in place of one: parallel_for(task, count) runs task(i) for each i
                    in range(count) on threads of its choice, and returns when all are done. `threads` is then
                    into how many parts a call may be split. Of an executor:
                    lambda task, count: list(executor.map(task, range(count)))
    """

    def __init__(self, threads: int = 0, parallel_for: ParallelFor | None = None) -> None:
        handle = ctypes.POINTER(c.sugar_context)()
        options = c.sugar_context_options(threads=integer(threads, "threads", 32))
        if parallel_for is not None:
            self._callback = options.parallel_for = callback(parallel_for)
        self.parallel_for = parallel_for
        check(c.sugar_context_create(ctypes.byref(handle), options))
        weakref.finalize(self, c.sugar_context_destroy, handle).atexit = False
        self._asked = threads
        self.threads = c.sugar_context_threads(handle)
        self._handle = handle

    def __repr__(self) -> str:
        return f"libsugar.Context({self.threads})"

    def __reduce__(self) -> tuple[type[Context], tuple[int, ParallelFor | None]]:
        return Context, (self._asked, self.parallel_for)


def callback(parallel_for: ParallelFor) -> Any:
    """What C calls. The library may rely on every task being done once, whatever `parallel_for` does: those that it
    left out are done here, and those that still run are waited for. ctypes reports what it raises."""

    def run(payload: int | None, task: Callable[[int | None, int], None], work: int | None, count: int) -> None:
        waiting, ended = set(range(count)), threading.Semaphore(0)

        def one(index: int) -> None:
            try:
                waiting.remove(index)       # in one step: nobody else has it then
            except KeyError:
                return
            task(work, index)
            ended.release()

        try:
            parallel_for(one, count)
        finally:
            for index in range(count):
                one(index)
            for _ in range(count):
                ended.acquire()

    return c.sugar_parallel_for(run)


# What calls use that name nothing: the context, and the options that carry it, in the bytes that C reads.
default: tuple[Context | None, bytes | None] = (None, None)

pool = functools.lru_cache(maxsize=4)(Context)


def set_threads(threads: int | Context) -> None:
    """Sets what calls use that name neither threads nor a context: so many threads, the calling one counted (0: as
    many as the process may use), or a context. At first it is 1, the calling thread alone. Holds for all threads of
    the program."""
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
