"""Docstrings: what this layer says, and below it what the header does."""

from __future__ import annotations

import inspect
from typing import Any, Callable, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def documented(*sources: Any) -> Callable[[F], F]:
    """Adds the header's words on functions and structs."""

    def add(function: F) -> F:
        if function.__doc__:        # none under python -OO
            texts = [inspect.cleandoc(function.__doc__)]
            for source in sources:
                declared = getattr(source, "__wrapped__", source)
                texts.append(f"{declared.__name__}, in the header:\n\n{inspect.cleandoc(declared.__doc__ or '')}")
            function.__doc__ = "\n\n".join(texts)
        return function

    return add
