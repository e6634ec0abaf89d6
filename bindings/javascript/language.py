"""JavaScript's knowledge for the templates: Node-API's readers and TypeScript's names for the types of api.json."""

import re
from typing import Any

from generator import render
from generator.c import C_NAMES
from generator.errors import GeneratorError

Json = dict[str, Any]

SMALL = {"int8": "INT8", "int16": "INT16", "int32": "INT32", "status": "INT32", "int64": "INT64",
         "uint8": "UINT8", "uint16": "UINT16", "uint32": "UINT32"}
ARRAYS = {"float": ("float32", "Float32Array"), "double": ("float64", "Float64Array"),
          "uint16": ("uint16", "Uint16Array"), "int64": ("bigint64", "BigInt64Array"),
          "uint8": ("uint8", "Uint8Array"), "int32": ("int32", "Int32Array"), "int8": ("int8", "Int8Array"),
          "int16": ("int16", "Int16Array"), "uint32": ("uint32", "Uint32Array"),
          "uint64": ("biguint64", "BigUint64Array")}


def number(type: Json, value: str, name: str) -> str:
    """A number read from a value."""
    kind = type["kind"]
    if kind in ("uint64", "size"):
        return f'get_uint64(call, {value}, "{name}")'
    if kind in ("double", "float"):
        return f'get_double(call, {value}, "{name}")'
    limit = SMALL[kind]
    minimum = "0" if kind.startswith("u") else f"{limit}_MIN"
    cast = "" if kind == "int64" else f"({C_NAMES[kind]})"
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
    if type["to"]["kind"] == "double":
        count = re.sub(r"[A-Za-z_]\w*", r"(double)to->\g<0>", field["count"])
        return f'to->{name} = get_doubles(call, member, "{name}", {count})'
    if type["to"]["kind"] == "void":
        return f'to->{name} = get_memory(call, member, "{name}", get_size(call, object, "{name}_bytes"), {slot})'
    return f'to->{name} = get_numbers(call, member, "{name}", to->{field["count"]})'


def counts_first(fields: list[Json]) -> list[Json]:
    """The members of a struct in the order in which they are read: lists behind the numbers that say their lengths."""
    return sorted(fields, key=lambda field: field["count"] is not None)


def empty(parameter: Json, structs: list[Json]) -> str:
    """What a struct or a handle is before the function hands it out."""
    sized = any(struct["name"] == parameter["type"]["to"]["name"] and struct["struct_size"] for struct in structs)
    return "NULL" if parameter["type"]["to"]["kind"] == "handle" else \
        f"{{.struct_size = sizeof {local(parameter['name'])}}}" if sized else "{0}"


def is_result(parameter: Json) -> bool:
    """Whether a parameter is a struct or a handle that the function hands out."""
    type = parameter["type"]
    return type["kind"] == "pointer" and not type["const"] and type["to"]["kind"] in ("struct", "handle")


def local(name: str) -> str:
    """The variable of C for a parameter: none of the wrapper's own, nor a function that it calls."""
    return "given_" + name


def formula(text: str | None, function: Json) -> str:
    """A count or step in C: 1 if there is none. Arithmetic is done in 64 bits."""
    kinds = {parameter["name"]: parameter["type"]["kind"] for parameter in function["parameters"]}

    def variable(name: str) -> str:
        return ("(int64_t)" if kinds[name] == "int32" else "") + local(name)

    return re.sub(r"[A-Za-z_]\w*", lambda found: variable(found[0]) if found[0] in kinds else found[0], text or "1")


def argument(parameter: Json, index: int, function: Json) -> str:
    """A parameter read from the arguments."""
    type, name, value = parameter["type"], parameter["name"], f"arguments[{index}]"
    kind = type["kind"]
    if kind == "cstring":
        return f'get_string(call, {value}, "{name}")'
    if kind == "handle":
        return f'get_handle(call, {value}, "{name}", tag_{type["name"]}, NULL)'
    if kind != "pointer":
        return number(type, value, name)
    to, count, step = type["to"]["kind"], formula(parameter["count"], function), formula(parameter["step"], function)
    if to == "struct":
        return f'struct_{type["to"]["name"]}(call, {value}, "{name}", NULL)'
    if to in ("void", "char"):
        return f'get_memory(call, {value}, "{name}", {count}, NULL)'
    return f'get_elements(call, {value}, "{name}", napi_{ARRAYS[to][0]}_array, {count}, {step})'


def is_struct(parameter: Json) -> bool:
    """Whether a parameter is a struct that the function is given."""
    type = parameter["type"]
    return type["kind"] == "pointer" and type["to"]["kind"] == "struct" and not is_result(parameter)


def is_address(parameter: Json) -> bool:
    """Whether a parameter is memory or a handle that the caller has."""
    return parameter["type"]["kind"] in ("pointer", "handle") and not is_struct(parameter) and not is_result(parameter)


def read_first(parameters: list[Json]) -> list[tuple[int, Json]]:
    """What is read first: numbers, which the checks of memory need, and structs, whose getters may run anything."""
    return [item for item in enumerate(parameters) if not is_address(item[1])]


def read_last(parameters: list[Json]) -> list[tuple[int, Json]]:
    """Addresses and prepared structs, looked up when no code of the caller's runs any more that could free them."""
    return [item for item in enumerate(parameters) if is_address(item[1]) or is_struct(item[1])]


def has_struct(parameters: list[Json]) -> bool:
    return any(map(is_struct, parameters))


def result(type: Json, value: str) -> str:
    """A value of JavaScript made from one of C."""
    kind = type["kind"]
    if kind == "cstring":
        return f"new_string(call, {value})"
    if kind in ("int64", "uint64"):
        return f"new_{'bigint' if kind == 'int64' else 'unsigned'}(call, {value})"
    return f"new_number(call, (double){value})"


def handed_over(field: Json) -> str:
    """A value of JavaScript made from a member of the struct `from`, which a function has filled."""
    value = f"from->{field['name']}"
    if field["type"]["kind"] == "pointer":
        return f"new_numbers(call, {value}, from->{field['count']})"
    return result(field["type"], value)


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


# ---- What has no place

def checked(functions: list[Json], structs: list[Json]) -> list[Json]:
    """The functions, all of which have a place in JavaScript."""
    filled_by = {parameter["type"]["to"].get("name"): function["name"] for function in functions
                 for parameter in function["parameters"] if is_result(parameter)}
    given = {struct["name"] for struct in structs} - set(filled_by)
    for function in functions:
        for parameter in function["parameters"]:
            refuse(f"{function['name']}: {parameter['name']} is", problem(parameter, filled_by))
        returns = function["returns"]["type"]
        taken = [parameter["ownership"] for parameter in function["parameters"]] == ["taken"]
        if not (is_number(returns) or returns["kind"] == "cstring" or taken and returns["kind"] == "void"):
            refuse(f"{function['name']} returns", described(returns))
    for struct in structs:
        for field in struct["fields"]:
            if not has_place(field, struct["name"] in given, given):
                refuse(f"{struct['name']}: {field['name']} is", described(field["type"]))
    return functions


def refuse(place: str, what: str | None) -> None:
    if what:
        raise GeneratorError(f"javascript: {place} {what}, which has no place in the binding of JavaScript yet")


def problem(parameter: Json, filled_by: dict[str, str]) -> str | None:
    """What is wrong with a parameter."""
    type = parameter["type"]
    if is_number(type) or type["kind"] in ("cstring", "handle"):
        return None
    if type["kind"] != "pointer":
        return described(type)
    to = type["to"]
    if is_result(parameter):
        return None if parameter["direction"] == "out" else f"{described(type)} that is read and filled"
    if to["kind"] == "struct" and to["name"] in filled_by:
        return f"{described(type)} that {filled_by[to['name']]} fills"
    return None if to["kind"] in ("struct", "void", "char") or to["kind"] in ARRAYS else described(type)


def has_place(field: Json, is_given: bool, given: set[str]) -> bool:
    """Whether a member can be read, or written."""
    type = field["type"]
    if is_number(type) or type["kind"] == "cstring":
        return True
    if not is_given:
        return type["kind"] == "pointer" and type["to"]["kind"] == "double" and field["count"] is not None
    if type["kind"] == "pointer":
        return type["to"]["kind"] in ("void", "int64", "double") or type["to"].get("name") in given
    return type["kind"] in ("callback", "handle") or type.get("name") in given


def is_number(type: Json) -> bool:
    return type["kind"] in SMALL or type["kind"] in ("uint64", "size", "double", "float")


def described(type: Json) -> str:
    """A type in words."""
    if type["kind"] == "pointer":
        return "a pointer to " + described(type["to"])
    words = {"void": "nothing", "cstring": "a string"}
    return words.get(type["kind"]) or " ".join(filter(None, ["a", type["kind"], type.get("name")]))


# ---- TypeScript

RESERVED = set("""arguments await break case catch class const continue debugger default delete do else enum eval export
    extends false finally for function if implements import in instanceof interface let new null package private
    protected public return static super switch this throw true try typeof undefined var void while with
    yield""".split())


def ts_name(name: str) -> str:
    """A parameter's name, which no word of the language may be."""
    return name + "_" if name in RESERVED else name


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
    if field["type"]["kind"] == "pointer" and field["type"]["to"]["kind"] == "double":
        return "readonly number[] | null"
    return ts(field["type"], field["type"]["kind"] in ("pointer", "handle", "cstring"))


def ts_written(field: Json) -> str:
    if field["type"]["kind"] == "pointer":
        return "readonly number[]" + (" | null" if field["nullable"] else "")
    return {"int64": "bigint", "uint64": "bigint"}.get(field["type"]["kind"]) or ts(field["type"], field["nullable"])


def jsdoc(item: Json, indent: str = "") -> str:
    """The documentation of a function, a struct, a member or a constant as a comment, with the end of its line."""
    parts = [item["documentation"]]
    if "parameters" in item:
        parts += [f"@param {ts_name(entry['name'])} {entry['documentation']}" for entry in item["parameters"]
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
