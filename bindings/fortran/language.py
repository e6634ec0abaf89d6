"""Fortran's knowledge for libsugar_c.f90.j2: how the types of api.json are declared with iso_c_binding."""

from typing import Any

from generator import render

Json = dict[str, Any]

SCALARS = {f"{sign}int{bits}": f"integer(c_int{bits}_t)" for sign in ("", "u") for bits in (8, 16, 32, 64)}
SCALARS |= {"size": "integer(c_size_t)", "status": "integer(c_int32_t)", "float": "real(c_float)",
            "double": "real(c_double)", "char": "character(kind=c_char)"}


def declared(type: Json) -> str:
    """The type of a member, or of a result."""
    kind = type["kind"]
    if kind == "struct":
        return f"type({type['name']})"
    if kind == "callback":
        return "type(c_funptr)"
    return SCALARS.get(kind, "type(c_ptr)")


def initial(type: Json) -> str:
    """What a member holds until it is set."""
    kind = type["kind"]
    if kind == "struct":
        return f" = {type['name']}()"
    if kind == "callback":
        return " = c_null_funptr"
    zeros = {"float": " = 0.0_c_float", "double": " = 0.0_c_double"}
    return zeros.get(kind, " = 0" if kind in SCALARS else " = c_null_ptr")


def argument(parameter: Json) -> str:
    """The declaration of a dummy argument: what may be NULL is optional, elements are an assumed-size array."""
    type, name = parameter["type"], parameter["name"]
    optional = ", optional" if parameter["nullable"] else ""
    if type["kind"] == "cstring":
        return f"character(kind=c_char), intent(in){optional} :: {name}(*)"
    if type["kind"] != "pointer" or (type["to"]["kind"] == "void" and not parameter["count"]):
        return f"{declared(type)}, value :: {name}"
    intent = "in" if type["const"] else "inout"
    target = "type(*)" if type["to"]["kind"] == "void" else declared(type["to"])
    return f"{target}, intent({intent}){optional} :: {name}{'(*)' if parameter['count'] else ''}"


def callback_argument(parameter: Json) -> str:
    return f"{declared(parameter['type'])}, value :: {parameter['name']}"


def heading(item: Json) -> str:
    """`function name(arguments) bind(c) result(...)`, broken into lines of at most 132 columns."""
    word = "subroutine" if item["returns"].get("kind", item["returns"].get("type", {}).get("kind")) == "void" \
        else "function"
    names = ", ".join(parameter["name"] for parameter in item["parameters"])
    name = f', name="{item["name"]}"' if "errors" in item else ""
    tail = "" if word == "subroutine" else " result(returned)"
    lines = render.wrap(f"{word} {item['name']}({names}) bind(c{name}){tail}", 110, "", "        ").split("\n")
    return " &\n".join(lines)


def ending(item: Json) -> str:
    return heading(item).split("(")[0]


def details(item: Json) -> str:
    """What is said of the parts of a function or of a type, below its own documentation."""
    entries = item.get("parameters", item.get("fields", []))
    lines = []
    for entry in entries:
        marks = render.marks(entry)
        if entry["documentation"] or marks:
            text = " ".join(marks + [entry["documentation"].replace("\n", " ")])
            lines.append(f"    {entry['name']}: {text}")
    if item.get("returns", {}).get("documentation"):
        lines.append("Returns: " + item["returns"]["documentation"])
    lines += [f"{error['status']}" + (f": {error['when']}" if error["when"] else "")
              for error in item.get("errors", [])]
    return "\n".join([item["documentation"], *lines]).strip()
