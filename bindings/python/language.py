"""Python's knowledge for _lowlevel.py.j2: the names of ctypes for the types of api.json, and docstrings."""

import keyword
import textwrap
from typing import Any

from generator import render

Json = dict[str, Any]

SCALARS = {f"{sign}int{bits}": f"c_{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
SCALARS |= {"size": "c_size_t", "status": "c_int32", "float": "c_float", "double": "c_double", "char": "c_char"}


def identifier(name: str) -> str:
    return name + "_" if keyword.iskeyword(name) else name


def ctype(type: Json) -> str:
    """What a field, a result or an argument is declared as."""
    kind = type["kind"]
    if kind == "void":
        return "None"
    if kind == "cstring":
        return "ctypes.c_char_p"
    if kind == "handle":
        return f"ctypes.POINTER({type['name']})"
    if kind == "pointer":
        return "ctypes.c_void_p" if type["to"]["kind"] == "void" else f"ctypes.POINTER({ctype(type['to'])})"
    if kind in ("struct", "callback"):
        return str(type["name"])
    return f"ctypes.{SCALARS[kind]}"


def hint(type: Json, nullable: bool = False) -> str:
    """The type of a value that is read: a field's or a result's."""
    kind = type["kind"]
    if kind == "void":
        return "None"
    if kind in ("handle", "pointer"):
        if kind == "pointer" and type["to"]["kind"] == "void":
            return "int | None"
        target = type["name"] if kind == "handle" else ctype(type["to"])
        return f"Pointer[{target}]"
    if kind in ("struct", "callback"):
        return str(type["name"])
    name = {"cstring": "bytes", "float": "float", "double": "float", "char": "bytes"}.get(kind, "int")
    return name + (" | None" if nullable else "")


def argtype(parameter: Json) -> str:
    """What an argument is declared as: memory of many elements is an address of any kind."""
    return "ctypes.c_void_p" if parameter["count"] else ctype(parameter["type"])


def argument(parameter: Json) -> str:
    """The type of what may be passed."""
    type = parameter["type"]
    if parameter["count"]:
        return "Address"
    if type["kind"] == "pointer":
        target = ctype(type["to"])
        if type["to"]["kind"] == "handle":
            return f"Pointer[Pointer[{type['to']['name']}]] | Reference"
        value = f"{target} | Pointer[{target}] | Reference"
        return value + (" | None" if parameter["nullable"] else "")
    return hint(type) + (" | None" if parameter["nullable"] else "")


def decorator(function: Json) -> str:
    """@function(result, arguments...)"""
    types = [ctype(function["returns"]["type"]), *map(argtype, function["parameters"])]
    return broken("@function(", types)


def callback_type(callback: Json) -> str:
    types = [ctype(callback["returns"]), *(ctype(parameter["type"]) for parameter in callback["parameters"])]
    return broken(f"{callback['name']} = ctypes.CFUNCTYPE(", types)


def broken(head: str, arguments: list[str]) -> str:
    """A call, broken below its parenthesis."""
    text = f"{head}{', '.join(arguments)})"
    return "\n".join(textwrap.wrap(text, 110, subsequent_indent=" " * len(head), break_long_words=False))


def docstring(item: Json, indent: int = 4) -> str:
    """The documentation of a function, a struct or a callback, between its quotes."""
    paragraphs = [item["documentation"]] if item["documentation"] else []
    entries = item.get("parameters", item.get("fields", []))
    lines = [entry_line(entry) for entry in entries if entry.get("documentation")]
    if lines:
        paragraphs.append(("Arguments:\n" if "parameters" in item else "Members:\n") + "\n".join(lines))
    if item.get("returns", {}).get("documentation"):
        paragraphs.append("Returns: " + item["returns"]["documentation"])
    if item.get("errors"):
        errors = [": ".join(filter(None, (f"    {error['status']}", error["when"]))) for error in item["errors"]]
        paragraphs.append("Errors:\n" + "\n".join(errors))
    text = render.wrap("\n\n".join(paragraphs), 110, "", " " * indent)
    text = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    quote = " " if text.endswith('"') else ""
    return f'"""{text}{quote}"""'


def entry_line(entry: Json) -> str:
    marks = render.marks(entry)
    head = f"    {entry['name']}" + (f" ({' '.join(marks)})" if marks else "")
    return head + ": " + str(entry["documentation"]).replace("\n", "\n        ")
