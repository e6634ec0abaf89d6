"""JavaScript's knowledge for the templates: Node-API's readers and TypeScript's names for the types of api.json."""

from typing import Any

from generator import render

Json = dict[str, Any]

SMALL = {"int8": "INT8", "int16": "INT16", "int32": "INT32", "status": "INT32", "int64": "INT64",
         "uint8": "UINT8", "uint16": "UINT16", "uint32": "UINT32"}
ARRAYS = {"float": ("float32", "Float32Array"), "double": ("float64", "Float64Array"),
          "uint16": ("uint16", "Uint16Array"), "int64": ("bigint64", "BigInt64Array"),
          "uint8": ("uint8", "Uint8Array"), "int32": ("int32", "Int32Array")}
SCALARS = {f"{sign}int{bits}": f"{sign}int{bits}_t" for sign in ("", "u") for bits in (8, 16, 32, 64)}
SCALARS |= {"size": "size_t", "status": "sugar_status", "float": "float", "double": "double", "char": "char",
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
    return f"{type.get('name') or SCALARS[kind]} {name}"


def number(type: Json, value: str, name: str) -> str:
    """A number read from a value."""
    kind = type["kind"]
    if kind in ("uint64", "size"):
        return f'get_uint64(call, {value}, "{name}")'
    if kind in ("double", "float"):
        return f'get_double(call, {value}, "{name}")'
    limit = SMALL[kind]
    minimum = "0" if kind.startswith("u") else f"{limit}_MIN"
    cast = "" if kind == "int64" else f"({SCALARS[kind]})"
    return f'{cast}get_int64(call, {value}, "{name}", {minimum}, {limit}_MAX)'


def member(field: Json) -> str:
    """A member of a struct read from the value `member`."""
    type, name = field["type"], field["name"]
    kind, slot = type["kind"], f"&to->{name}"
    if kind == "cstring":
        return f'to->{name} = get_string(call, member, "{name}")'
    if kind == "callback":
        return f'call_fail(call, "{name}", "a function of JavaScript, expected none: threads cannot call it")'
    if kind == "handle":
        return f'to->{name} = get_handle(call, member, "{name}", tag_{type["name"]}, {slot})'
    if kind == "struct":
        return f"read_{type['name']}(call, member, &to->{name})"
    if kind != "pointer":
        return f"to->{name} = {number(type, 'member', name)}"
    if type["to"]["kind"] == "struct":
        return f'to->{name} = struct_{type["to"]["name"]}(call, member, "{name}", {slot})'
    if type["to"]["kind"] == "void":
        return f'to->{name} = get_memory(call, member, "{name}", 0, {slot})'
    return f'to->{name} = get_numbers(call, member, "{name}", to->{field["count"]})'


def is_result(parameter: Json) -> bool:
    """Whether a parameter is a struct or a handle that the function hands out."""
    type = parameter["type"]
    return type["kind"] == "pointer" and not type["const"] and type["to"]["kind"] in ("struct", "handle")


def argument(parameter: Json, index: int) -> str:
    """A parameter read from the arguments."""
    type, name, value = parameter["type"], parameter["name"], f"arguments[{index}]"
    kind = type["kind"]
    if kind == "cstring":
        return f'get_string(call, {value}, "{name}")'
    if kind == "handle":
        return f'get_handle(call, {value}, "{name}", tag_{type["name"]}, NULL)'
    if kind != "pointer":
        return number(type, value, name)
    to, count = type["to"]["kind"], parameter["count"] or "1"
    if to == "struct":
        return f'struct_{type["to"]["name"]}(call, {value}, "{name}", NULL)'
    if to in ("void", "char"):
        return f'get_memory(call, {value}, "{name}", {count}, NULL)'
    return f'get_elements(call, {value}, "{name}", napi_{ARRAYS[to][0]}_array, {count}, {parameter["step"] or 1})'


def in_order(parameters: list[Json]) -> list[tuple[int, Json]]:
    """Numbers first: the checks of pointers need them."""
    indexed = list(enumerate(parameters))
    return sorted(indexed, key=lambda item: item[1]["type"]["kind"] in ("pointer", "handle"))


def result(type: Json, value: str) -> str:
    """A value of JavaScript made from one of C."""
    kind = type["kind"]
    if kind == "cstring":
        return f"new_string(call, {value})"
    if kind in ("int64", "uint64"):
        return f"new_{'bigint' if kind == 'int64' else 'unsigned'}(call, {value})"
    return f"new_number(call, (double){value})"


def written(structs: list[Json], functions: list[Json]) -> list[Json]:
    """The structs that functions fill."""
    names = {parameter["type"]["to"].get("name") for function in functions for parameter in function["parameters"]
             if is_result(parameter)}
    return [struct for struct in structs if struct["name"] in names]


def read(structs: list[Json], functions: list[Json]) -> list[Json]:
    """The structs that functions are given."""
    filled = [struct["name"] for struct in written(structs, functions)]
    return [struct for struct in structs if struct["name"] not in filled]


def pointed(structs: list[Json], functions: list[Json]) -> set[str]:
    """Of those, the ones given by a pointer."""
    types = [parameter["type"] for function in functions for parameter in function["parameters"]]
    types += [field["type"] for struct in structs for field in struct["fields"]]
    return {type["to"]["name"] for type in types if type["kind"] == "pointer" and type["to"]["kind"] == "struct"}


# ---- TypeScript

def ts(type: Json, optional: bool = False) -> str:
    """The type of a parameter or a member."""
    kind = type["kind"]
    name = {"cstring": "string", "void": "void", "int64": "number | bigint", "uint64": "number | bigint",
            "callback": "null"}.get(kind, "number")
    if kind in ("handle", "struct"):
        name = type["name"]
    if kind == "pointer":
        to = type["to"]["kind"]
        name = {"struct": f"{type['to'].get('name')} | Prepared<{type['to'].get('name')}>",
                "handle": f"Out<{type['to'].get('name')}>", "void": "ArrayBufferView",
                "char": "Uint8Array"}.get(to) or ARRAYS[to][1]
    return name + (" | null" if optional else "")


def ts_member(field: Json) -> str:
    if field["type"]["kind"] == "pointer" and field["type"]["to"]["kind"] == "int64":
        return "readonly (number | bigint)[] | null"
    return ts(field["type"], field["type"]["kind"] in ("pointer", "handle", "cstring"))


def ts_written(field: Json) -> str:
    return {"int64": "bigint", "uint64": "bigint"}.get(field["type"]["kind"]) or ts(field["type"], field["nullable"])


def jsdoc(item: Json, indent: str = "") -> str:
    """The documentation of a function, a struct, a member or a constant as a comment, with the end of its line."""
    parts = [item["documentation"]]
    if "parameters" in item:
        parts += [f"@param {entry['name']} {entry['documentation']}" for entry in item["parameters"]
                  if entry.get("documentation")]
        if item["returns"]["documentation"]:
            parts.append("@returns " + item["returns"]["documentation"])
        parts += [": ".join(filter(None, (error["status"], error["when"]))) for error in item["errors"]]
    text = "\n".join(filter(None, parts)).replace("*/", "* /")
    if not text:
        return ""
    return f"{indent}/**\n{render.wrap(text, 110, indent + ' * ')}\n{indent} */\n"


def brief(function: Json, indent: str = "    ") -> str:
    """What a function does, without its parameters of C."""
    return jsdoc({"documentation": function["documentation"]}, indent)


def field_doc(struct: Json, name: str, indent: str = "    ") -> str:
    """The documentation of one member."""
    return jsdoc(next(field for field in struct["fields"] if field["name"] == name), indent)


def lower_camel(name: str) -> str:
    """sum_of_squares: sumOfSquares."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
