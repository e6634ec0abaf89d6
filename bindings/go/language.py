"""Go's knowledge for lowlevel.go.j2: names and types, and how they are handed to cgo."""

import re
from typing import Any

from generator import render

Json = dict[str, Any]

SCALARS = {f"{sign}int{bits}": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
SCALARS |= {"size": "uintptr", "status": "Status", "float": "float32", "double": "float64", "char": "byte"}
C_SCALARS = {f"{sign}int{bits}": f"C.{sign}int{bits}_t" for sign in ("", "u") for bits in (8, 16, 32, 64)}
C_SCALARS |= {"size": "C.size_t", "status": "C.sugar_status", "float": "C.float", "double": "C.double",
              "char": "C.char"}
KEYWORDS = set("""break case chan const continue default defer else fallthrough for func go goto if import interface
    map package range return select struct switch type var""".split())


def exported(name: str) -> str:
    """sugar_call_options: CallOptions. sugar_forward_bf16: ForwardBF16."""
    return render.camel(name.removeprefix("sugar_")).replace("Bf16", "BF16")


def constant(name: str) -> str:
    """SUGAR_ERROR_SPEC: ErrorSpec."""
    return render.camel(name.removeprefix("SUGAR_").lower()).replace("Ok", "OK").replace("Abi", "ABI") \
        .replace("Cpu", "CPU")


def argument_name(name: str) -> str:
    parts = name.split("_")
    camel = parts[0] + "".join(part.capitalize() for part in parts[1:])
    return camel + "_" if camel in KEYWORDS else camel


def go(type: Json) -> str:
    """The type in Go."""
    kind = type["kind"]
    if kind == "cstring":
        return "*byte"
    if kind == "callback":
        return "unsafe.Pointer"
    if kind in ("handle", "struct"):
        return ("*" if kind == "handle" else "") + exported(type["name"])
    if kind == "pointer":
        return "unsafe.Pointer" if type["to"]["kind"] == "void" else "*" + go(type["to"])
    return SCALARS[kind]


def c(type: Json) -> str:
    """cgo's name of the type."""
    kind = type["kind"]
    if kind == "cstring":
        return "*C.char"
    if kind in ("handle", "struct", "callback"):
        return ("*" if kind == "handle" else "") + f"C.{type['name']}"
    if kind == "pointer":
        return "unsafe.Pointer" if type["to"]["kind"] == "void" else "*" + c(type["to"])
    return C_SCALARS[kind]


def converted(parameter: Json) -> str:
    """The argument for C."""
    type, name = parameter["type"], argument_name(parameter["name"])
    if type["kind"] == "pointer" and type["to"]["kind"] == "void":
        return name
    if type["kind"] in ("pointer", "handle", "cstring"):
        return f"({c(type)})(unsafe.Pointer({name}))"
    if type["kind"] == "struct":
        return f"*(*{c(type)})(unsafe.Pointer(&{name}))"
    return f"{c(type)}({name})"


def result(function: Json) -> str:
    """The statement that calls C."""
    type = function["returns"]["type"]
    arguments = [converted(parameter) for parameter in function["parameters"]]
    call = f"C.{function['name']}({', '.join(arguments)})"
    if len(call) > 95:
        call = f"C.{function['name']}(\n\t\t" + ",\n\t\t".join(arguments) + ")"
    if type["kind"] == "void":
        return call
    if type["kind"] in ("pointer", "handle", "cstring"):
        return f"return ({go(type)})(unsafe.Pointer({call}))"
    return f"return {go(type)}({call})"


def signature(function: Json) -> str:
    type = function["returns"]["type"]
    parameters = ", ".join(f"{argument_name(parameter['name'])} {go(parameter['type'])}"
                           for parameter in function["parameters"])
    return f"func {exported(function['name'])}({parameters})" + ("" if type["kind"] == "void" else f" {go(type)}")


def documented(item: Json) -> str:
    """A comment: the documentation, then what is said of the parts, indented."""
    entries = item.get("parameters", item.get("fields", []))
    lines = []
    for entry in entries:
        marks = render.marks(entry)
        if entry["documentation"] or marks:
            lines.append(f"    {entry['name']}: " + " ".join(marks + [entry["documentation"].replace("\n", " ")]))
    if item.get("returns", {}).get("documentation"):
        lines.append("    returns: " + item["returns"]["documentation"].replace("\n", " "))
    lines += [f"    {error['status']}" + (f": {error['when']}" if error["when"] else "")
              for error in item.get("errors", [])]
    text = exported(item["name"]) + " is " + item["name"] + "."
    if item["documentation"]:
        # gofmt makes a quotation mark of '': g'' is (g')' here.
        text += " " + re.sub(r"\b(\w+)''", r"(\1')'", item["documentation"])
    return render.wrap(text + ("\n\n" + "\n".join(lines) if lines else ""), 100, "// ").replace("//     ", "//\t")


def members(fields: list[Json]) -> str:
    """The members of a struct, as gofmt aligns them."""
    width = max(len(exported(field["name"])) for field in fields)
    return "\n".join(f"\t{exported(field['name']):{width}} {go(field['type'])}" for field in fields)
