"""Which activations a module calls as its source shows them, for reports: what a model does in a forward that has not
run yet."""

from __future__ import annotations

import ast
import inspect
import textwrap
from types import FunctionType, ModuleType
from typing import Any, Iterator, NamedTuple

import torch

from ._spellings import FUNCTIONS, METHODS, kinds_of_function

ABSENT = object()


class Call(NamedTuple):
    """A function that stands in the source, the kinds that it may be, and where: "Net.forward, line 12"."""

    function: str
    kinds: tuple[str, ...]
    where: str


def known_calls(module: Any) -> Iterator[Call]:
    """The calls that a module's source, its graph, or the functions that it holds show."""
    if isinstance(module, torch.fx.GraphModule):
        for node in module.graph.nodes:
            function = getattr(torch.Tensor, node.target, None) if node.op == "call_method" else node.target
            if node.op in ("call_function", "call_method") and function in FUNCTIONS:
                yield Call(str(node.target), kinds_of_function(function), "its graph")
    else:
        yield from calls_in_class(type(module))
    for name, value in vars(module).items():
        if inspect.isroutine(value) and value in FUNCTIONS:
            yield Call(FUNCTIONS[value][0], kinds_of_function(value), f"the attribute {name}")


def calls_in_class(found: type) -> list[Call]:
    """Those in the methods of a module's class, of its bases up to PyTorch's, and in helpers of the same package."""
    made: list[Call] = []
    seen: set[Any] = set()
    for base in found.__mro__:
        if base.__module__.partition(".")[0] not in ("torch", "builtins"):
            for name, method in vars(base).items():
                if name != "__init__":      # what it keeps stands in the object
                    made += calls_in_function(method, seen)
    return made


def calls_in_function(function: Any, seen: set[Any]) -> list[Call]:
    function = inspect.unwrap(getattr(function, "__func__", function))
    if not isinstance(function, FunctionType) or function in seen:
        return []
    seen.add(function)
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return []
    made = []
    for node, value in resolved(tree, function.__globals__):
        where = f"{function.__qualname__}, line {first + node.lineno - 1}"
        if value in FUNCTIONS:
            shown = ast.unparse(node) if lookup(node, function.__globals__) is value else f".{node.attr}"
            made.append(Call(shown, kinds_of_function(value), where))
        elif isinstance(value, FunctionType) and same_package(value, function):
            made += calls_in_function(value, seen)
    return made


def same_package(one: FunctionType, other: FunctionType) -> bool:
    return one.__module__.partition(".")[0] == other.__module__.partition(".")[0]


def resolved(tree: ast.AST, names: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """The names and attributes in a source, with what they stand for; x.relu is taken for a tensor's method."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
            value = lookup(node, names)
            if inspect.isroutine(value):
                yield node, value
            elif isinstance(node, ast.Attribute) and node.attr in METHODS and may_be_tensor(node.value, names):
                yield node, METHODS[node.attr]


def lookup(node: ast.AST, names: dict[str, Any]) -> Any:
    """What F or torch.nn.functional.relu stands for, through modules alone, which have no attributes with effects."""
    if isinstance(node, ast.Name):
        return names.get(node.id, ABSENT)
    owner = lookup(node.value, names) if isinstance(node, ast.Attribute) else ABSENT
    if isinstance(owner, ModuleType) or owner is torch.Tensor:
        return getattr(owner, node.attr, ABSENT)    # type: ignore[attr-defined]
    return ABSENT


def may_be_tensor(node: ast.AST, names: dict[str, Any]) -> bool:
    """Not what belongs to self, whose relu is a module, and nothing that the program's names lead to."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return not isinstance(node, ast.Name) or (node.id != "self" and node.id not in names)
