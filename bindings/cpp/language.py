"""C++'s knowledge for lowlevel.hpp.j2: types, names, and comments."""

from typing import Any

from generator import render

Json = dict[str, Any]

SCALARS = {f"{sign}int{bits}": f"std::{sign}int{bits}_t" for sign in ("", "u") for bits in (8, 16, 32, 64)}
SCALARS |= {"size": "std::size_t", "status": "sugar_status", "cstring": "const char *"}
HALVES = ("f16", "bf16")


def cpp_type(type: Json, element: str | None = None) -> str:
    """A type of api.json; elements of 16 bits are of the type that `element` names."""
    kind = type["kind"]
    if kind == "pointer":
        half = element in HALVES and type["to"]["kind"] == "uint16"
        target = str(element) if half else cpp_type(type["to"])
        if type["const"]:
            target = "const " + target
        return target + ("*" if target.endswith("*") else " *")
    if kind == "handle":
        return ("const " if type["const"] else "") + type["name"] + " *"
    return str(type["name"]) if kind in ("struct", "callback") else SCALARS.get(kind, kind)


def parameter_declaration(parameter: Json, element: str | None) -> str:
    type = cpp_type(parameter["type"], element)
    return type + ("" if type.endswith("*") else " ") + str(parameter["name"])


def argument(parameter: Json, element: str | None) -> str:
    """What the C function is given."""
    here, there = cpp_type(parameter["type"], element), cpp_type(parameter["type"])
    return str(parameter["name"]) if here == there else f"reinterpret_cast<{there}>({parameter['name']})"


def short(name: str) -> str:
    """sugar_forward: forward; SUGAR_MAX_THREADS: max_threads."""
    return name.lower().replace("sugar_", "", 1)


def call(head: str, items: list[str]) -> str:
    """head(item, item...), over as many lines as it needs."""
    words = [item.replace(" ", "\0") for item in items]
    text = f"{head}({', '.join(words)})".replace("inline ", "inline\0")
    return render.wrap(text, 108, "", " " * 8).replace("\0", " ")


def head(function: Json) -> str:
    """inline TYPE NAME"""
    type = cpp_type(function["returns"]["type"])
    name = short(function["base"] or function["name"])
    return f"inline {type}{'' if type.endswith('*') else ' '}{name}"


def manual(function: Json) -> str:
    """The documentation of a function, its parameters, result and errors."""
    lines = [function["documentation"]] if function["documentation"] else []
    for parameter in function["parameters"]:
        marks = [parameter["direction"]] if parameter["direction"] != "in" else []
        if parameter["count"]:
            marks.append(f"[{parameter['count']}{', step ' + parameter['step'] if parameter['step'] else ''}]")
        if parameter["documentation"] or marks:
            lines.append(f"    {' '.join([parameter['name'], *marks])}: {parameter['documentation']}".rstrip(": "))
    if function["returns"]["documentation"]:
        lines.append(f"    returns: {function['returns']['documentation']}")
    lines += [": ".join(filter(None, (f"    {error['status']}", error["when"]))) for error in function["errors"]]
    return "\n".join(lines)
