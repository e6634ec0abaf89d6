"""LuaJIT's knowledge for the templates: declarations in C, as ffi.cdef reads them, and documentation."""

import textwrap
from typing import Any

from generator import render
from generator.c import declaration

Json = dict[str, Any]


def entries(items: list[Json]) -> str:
    """The documentation of parameters, as text."""
    lines = [f"    {item['name']}: {item['documentation']}".replace("\n", "\n        ")
             for item in items if item["documentation"]]
    return "\n".join(lines)


def errors(items: list[Json]) -> str:
    lines = [": ".join(filter(None, (f"    {item['status']}", item["when"]))) for item in items]
    return "Errors:\n" + "\n".join(lines) if lines else ""


def documentation(function: Json) -> str:
    """All that is known of a function, as one text."""
    result = function["returns"]["documentation"]
    parts = [function["documentation"], entries(function["parameters"]), result and "Returns: " + result,
             errors(function["errors"])]
    return "\n".join(filter(None, parts))


def remark(text: str, indent: str = "") -> str:
    """A comment of C above a declaration, with the end of its line; nothing for no text."""
    return render.wrap(text, 110, indent + "// ") + "\n" if text else ""


def prototype(function: Json) -> str:
    """A function or a callback in C, broken below its parenthesis."""
    name = f"(*{function['name']})" if "errors" not in function else function["name"]
    head = declaration(function["returns"].get("type", function["returns"]), name) + "("
    parameters = [declaration(item["type"], item["name"]).replace(" ", "\0") for item in function["parameters"]]
    text = f"{head}{', '.join(parameters) or 'void'});"
    return textwrap.fill(text, 110, subsequent_indent=" " * len(head)).replace("\0", " ")
