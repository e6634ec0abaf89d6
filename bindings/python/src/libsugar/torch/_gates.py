"""Gated units in the forwards of a model: self.act(a) * b and F.silu(a) * b in one pass.

The source of a forward shows them. Each such product becomes a call of `gate`, in a function that is made from the
source, and which the module has while it is converted. `gate` looks at what it gets: where the C library cannot compute
it in one pass, or hooks are to see the activation, it does what stood there.
"""

from __future__ import annotations

import __future__

import ast
import inspect
import textwrap
from types import CodeType, FunctionType
from typing import Any, NamedTuple

import torch

from ._fused import fused, in_c
from ._modules import Activation
from ._source import lookup
from ._spellings import FUNCTIONS, Unlike, spelled_call

METHOD = "_libsugar_gate"       # the name of `gate` in a module


class Site(NamedTuple):
    """A product in a forward: how its activation is spelled, that name if it is an attribute, or the function; and
    where: "Mlp.forward, line 12"."""

    shown: str
    attribute: str | None
    function: Any
    where: str


def gate(self: Any, call_is_first: bool, first: Any, second: Any, third: Any) -> Any:
    """what(a) * b, from what, a, b; or b * what(a), from b, what, a: in the order in which they stood."""
    what, a, b = (first, second, third) if call_is_first else (second, third, first)
    spec = spec_alone(what, self._libsugar_calls)
    if spec is not None and alike(a, b):
        level = what.level if isinstance(what, Activation) else None
        if in_c(spec, self.training, level, a, b):
            return fused(a, None, b, spec, self.training, level)
    return what(a) * b if call_is_first else b * what(a)


def spec_alone(what: Any, calls: Any) -> str | None:
    """The spec, if it says all that an activation does."""
    if isinstance(what, Activation):
        base: Any = getattr(type(what), "_libsugar_base", type(what))
        plain = base.forward is Activation.forward and what.is_spec_alone()
        return what.spec if plain and not has_hooks(what) else None
    if what not in FUNCTIONS or calls.save != "input":
        return None
    try:
        found = spelled_call(what, (), {})
    except Unlike:
        return None
    return calls.targets[found.kind].spec_for(found) if found.kind in calls.targets and not found.inplace else None


def has_hooks(module: torch.nn.Module) -> bool:
    return any(value for name, value in vars(module).items() if name.endswith("_hooks") and "state_dict" not in name)


def alike(a: Any, b: Any) -> bool:
    tensors = isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor)
    return tensors and a.is_floating_point() and a.shape == b.shape and a.dtype == b.dtype


# ---- In sources ----------------------------------------------------------------------------------------------------


class Products(ast.NodeTransformer):
    """Replaces the products in a function's body, and lists them. Functions inside of it stay as they are: a checkpoint
    may call them again."""

    def __init__(self, function: FunctionType, attributes: tuple[str, ...], owner: str) -> None:
        self.function, self.attributes, self.owner = function, attributes, owner
        self.sites: list[Site] = []

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Mult):
            return node
        for first, call, other in ((True, node.left, node.right), (False, node.right, node.left)):
            site = self.site(call)
            if site is None:
                continue
            self.sites.append(site)
            assert isinstance(call, ast.Call)
            called = [call.func, call.args[0]]
            operands = [*called, other] if first else [other, *called]
            method = ast.Attribute(ast.Name(self.owner, ast.Load()), METHOD, ast.Load())
            return ast.copy_location(ast.Call(method, [ast.Constant(first), *operands], []), node)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return node

    def site(self, node: ast.AST) -> Site | None:
        """An activation of one argument."""
        if not isinstance(node, ast.Call) or len(node.args) != 1 or node.keywords:
            return None
        if isinstance(node.args[0], ast.Starred):
            return None
        where = f"{self.function.__qualname__}, line {node.lineno}"
        shown, found = ast.unparse(node.func), node.func
        if isinstance(found, ast.Attribute) and isinstance(found.value, ast.Name) and found.value.id == self.owner:
            return Site(shown, found.attr, None, where) if found.attr in self.attributes else None
        function = lookup(found, self.function.__globals__)
        known = inspect.isroutine(function) and function in FUNCTIONS
        return Site(shown, None, function, where) if known else None


def rewritten(function: Any, attributes: tuple[str, ...]) -> tuple[Any, list[Site], str | None]:
    """A forward with its products replaced, those of the attributes that are named and of functions; what they are; and
    None, or why it cannot be done."""
    try:
        lines, start = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return function, [], "its source cannot be read"
    body = tree.body[0]
    if not isinstance(function, FunctionType) or not isinstance(body, ast.FunctionDef) or not body.args.args:
        return function, [], "its forward is no plain function"
    ast.increment_lineno(tree, start - 1)
    products = Products(function, attributes, body.args.args[0].arg)
    body.body = [products.visit(statement) for statement in body.body]
    reason = obstacle(function, body)
    if reason is not None or not products.sites:
        return function, products.sites, reason
    return compiled(function, tree), products.sites, None


def obstacle(function: FunctionType, body: ast.FunctionDef) -> str | None:
    """Why a function cannot be made again from its source."""
    if body.decorator_list or hasattr(function, "__wrapped__"):
        return "its forward is decorated"
    if function.__code__.co_freevars:
        return "its forward uses super() or names of a function around it"
    names = {getattr(node, "attr", getattr(node, "id", "")) for node in ast.walk(body)}
    if any(name.startswith("__") and not name.endswith("__") for name in names):
        return "its forward uses names that belong to its class alone"
    return None


def compiled(function: FunctionType, tree: ast.Module) -> FunctionType:
    """The function that a source defines, in the place of another one."""
    flags = function.__code__.co_flags & __future__.annotations.compiler_flag
    code = compile(ast.fix_missing_locations(tree), function.__code__.co_filename, "exec", flags, dont_inherit=True)
    own = next(one for one in code.co_consts if isinstance(one, CodeType) and one.co_name == function.__name__)
    made = FunctionType(own, function.__globals__, function.__name__, function.__defaults__)
    made.__kwdefaults__, made.__dict__ = function.__kwdefaults__, dict(function.__dict__)
    made.__qualname__, made.__module__, made.__doc__ = function.__qualname__, function.__module__, function.__doc__
    return made
