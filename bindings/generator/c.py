"""Types of api.json as C writes them, for every language that reads or calls C by its own words."""

from typing import Any

Json = dict[str, Any]

C_NAMES = {f"{sign}int{bits}": f"{sign}int{bits}_t" for sign in ("", "u") for bits in (8, 16, 32, 64)}
C_NAMES |= {"size": "size_t", "status": "sugar_status", "float": "float", "double": "double", "char": "char",
            "void": "void"}


def declaration(type: Json, name: str) -> str:
    """A type in C, with what it declares."""
    kind = type["kind"]
    if kind == "cstring":
        return f"const char *{name}"
    if kind == "handle":
        return f"{'const ' if type['const'] else ''}{type['name']} *{name}"
    if kind == "pointer":
        return ("const " if type["const"] else "") + declaration(type["to"], "*" + name)
    return f"{type['name'] if kind in ('struct', 'callback') else C_NAMES[kind]} {name}"
