"""Rust's knowledge for its templates: types and documentation."""

import re
from typing import Any

from generator import render

Json = dict[str, Any]

SCALARS = {f"{sign}int{bits}": f"{sign or 'i'}{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
SCALARS |= {"size": "usize", "status": "sugar_status", "float": "f32", "double": "f64", "char": "c_char",
            "void": "c_void", "cstring": "*const c_char"}
KEYWORDS = set("""abstract as async await become box break const continue do dyn else enum extern false final fn for
    gen if impl in let loop macro match mod move mut override priv pub ref return static struct trait true try type
    typeof unsafe unsized use virtual where while yield""".split())
NEVER_RAW = {"crate", "self", "super", "Self", "_"}


def identifier(name: str) -> str:
    if name in NEVER_RAW:
        return name + "_"
    return f"r#{name}" if name in KEYWORDS else name


def rust_type(type: Json) -> str:
    kind = type["kind"]
    if kind in ("pointer", "handle"):
        target = rust_type(type["to"]) if kind == "pointer" else type["name"]
        return f"*{'const' if type['const'] else 'mut'} {target}"
    return str(type["name"]) if kind in ("struct", "callback") else SCALARS[kind]


def result(type: Json) -> str:
    """-> TYPE, or nothing."""
    return "" if type["kind"] == "void" else f" -> {rust_type(type)}"


def verbatim(text: str, mark: str) -> str:
    """Documentation whose lines stay as they are."""
    return "\n".join((mark + line).rstrip() for line in ("```text\n" + text.strip() + "\n```").split("\n"))


def rustdoc(text: str, mark: str = "/// ", rest: str | None = None) -> str:
    """Documentation as Markdown: what is indented is a block of text, brackets are no links."""
    lines: list[str] = []
    block = False
    for line in text.split("\n"):
        indented = line.startswith("    ")
        if indented != block and (line or not block):
            lines.append("```text" if indented else "```")
            block = indented
        lines.append(line if block else line.translate({ord(c): "\\" + c for c in "[]<>*"}))
    if block:
        lines.append("```")
    # A sum that is broken before its sign is no list.
    wrapped = render.wrap("\n".join(lines), 110, mark, rest)
    return re.sub(rf"^(\s*{re.escape(mark.strip())} )([+-] )", r"\1\\\2", wrapped, flags=re.MULTILINE)


def manual(function: Json) -> str:
    """A function's documentation, its parameters, result and errors."""
    parts = [rustdoc(function["documentation"])] if function["documentation"] else []
    lines = [entry(parameter) for parameter in function["parameters"]]
    lines += [f"returns: {function['returns']['documentation']}"] if function["returns"]["documentation"] else []
    lines += [f"{error['status']}: {error['when']}".rstrip(": ") for error in function["errors"]]
    items = [rustdoc(line.replace("\n", " "), "/// - ", "///   ") for line in lines if line]
    if items:
        parts.append("\n".join(items))
    return "\n///\n".join(parts)


def entry(parameter: Json) -> str:
    marks = [parameter["direction"]] if parameter["direction"] != "in" else []
    if parameter["count"]:
        marks.append(f"[{parameter['count']}{', step ' + parameter['step'] if parameter['step'] else ''}]")
    if not marks and not parameter["documentation"]:
        return ""
    return f"{' '.join([parameter['name'], *marks])}: {parameter['documentation']}".rstrip(": ")
