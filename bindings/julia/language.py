"""Julia's knowledge for lowlevel.jl.j2: the names of its types for those of api.json, and docstrings."""

from typing import Any

from generator import render

Json = dict[str, Any]

SCALARS = {f"{sign}int{bits}": f"{sign.upper()}Int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
SCALARS |= {"size": "Csize_t", "status": "Int32", "float": "Float32", "double": "Float64", "char": "UInt8"}
SCALARS |= {"void": "Cvoid", "cstring": "Cstring", "callback": "Ptr{Cvoid}"}
KEYWORDS = set("""abstract baremodule begin break catch const continue do else elseif end export false finally for
    function global if import in isa let local macro module mutable primitive quote return struct true try type using
    where while""".split())


def identifier(name: str) -> str:
    return name + "_" if name in KEYWORDS else name


def jltype(type: Json) -> str:
    """The type of a field, a result or an argument of a ccall."""
    kind = type["kind"]
    if kind == "handle":
        return f"Ptr{{{type['name']}}}"
    if kind == "pointer":
        return f"Ptr{{{jltype(type['to'])}}}"
    if kind == "struct":
        return str(type["name"])
    return SCALARS[kind]


def ccall_types(function: Json) -> str:
    """The types of the arguments, as the tuple that ccall takes."""
    types = [jltype(parameter["type"]) for parameter in function["parameters"]]
    return f"({', '.join(types)}{',' if len(types) == 1 else ''})"


def names(function: Json) -> str:
    return ", ".join(identifier(parameter["name"]) for parameter in function["parameters"])


def initial(field: Json, struct: str) -> str:
    """A field's value if none is given: zero, in whatever form its type has it."""
    if field["name"] == "struct_size":
        return f"sizeof({struct})"
    kind = field["type"]["kind"]
    if kind == "struct":
        return f"{field['type']['name']}()"
    return {"cstring": "Cstring(C_NULL)", "handle": "C_NULL", "pointer": "C_NULL", "callback": "C_NULL"}.get(kind, "0")


def docstring(item: Json) -> str:
    """The documentation of a function, a struct or a handle, between its quotes."""
    paragraphs = []
    if "parameters" in item:
        paragraphs.append(f"    {item['name']}({names(item)})")
    if item["documentation"]:
        paragraphs.append(item["documentation"])
    entries = [entry for entry in item.get("parameters", item.get("fields", [])) if entry["documentation"]]
    if entries:
        title = "# Arguments" if "parameters" in item else "# Fields"
        paragraphs.append(title + "\n" + "\n".join(entry_line(entry) for entry in entries))
    if item.get("returns", {}).get("documentation"):
        paragraphs.append("# Returns\n" + item["returns"]["documentation"])
    if item.get("errors"):
        errors = [": ".join(filter(None, (f"- `{error['status']}`", error["when"]))) for error in item["errors"]]
        paragraphs.append("# Errors\n" + "\n".join(errors))
    text = render.wrap("\n\n".join(paragraphs), 110)
    return f'"""\n{escaped(text)}\n"""'


def entry_line(entry: Json) -> str:
    marks = render.marks(entry)
    head = f"- `{entry['name']}`" + (f" ({' '.join(marks)})" if marks else "")
    return head + ": " + str(entry["documentation"]).replace("\n", "\n  ")


def escaped(text: str) -> str:
    """What stands for the text between the quotes of a Julia string."""
    return text.replace("\\", "\\\\").replace("$", "\\$").replace('"""', '\\"\\"\\"')
