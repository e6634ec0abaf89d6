"""Asks the library for its catalogue and its levels through ctypes, by the structs that the header has.

Only what is the same on every machine is taken: of the levels, the names.
"""

import ctypes
from pathlib import Path
from typing import Any, Callable

from .errors import GeneratorError

Json = dict[str, Any]

TYPES = {"cstring": ctypes.c_char_p, "size": ctypes.c_size_t, "double": ctypes.c_double,
         "int32": ctypes.c_int32, "uint32": ctypes.c_uint32, "uint64": ctypes.c_uint64}


def ask(api: Json, path: Path) -> Json:
    """The keys `catalogue` and `levels` of api.json."""
    try:
        library = ctypes.CDLL(str(path.resolve()))
    except OSError as error:
        raise GeneratorError(f"{path} cannot be loaded: {error}") from error
    kind, parameter, level = (struct_class(api, f"sugar_{name}") for name in ("kind", "parameter", "level"))
    flags = {constant["name"]: constant for constant in api["constants"]}

    def one_kind(index: int) -> Json:
        found = filled(kind, library.sugar_kind_get, index)
        parameters = [filled(parameter, library.sugar_kind_get_parameter, index, position)
                      for position in range(found.pop("parameter_count"))]
        found["roles"] = names(flags, "SUGAR_ROLE", found["roles"])
        found["capabilities"] = names(flags, "SUGAR_CAN", found["capabilities"])
        return found | {"parameters": parameters}

    return {"catalogue": [one_kind(index) for index in range(library.sugar_kind_count())],
            "levels": [filled(level, library.sugar_level_get, index)["name"]
                       for index in range(library.sugar_level_count())]}


def struct_class(api: Json, name: str) -> type[ctypes.Structure]:
    struct = next(item for item in api["structs"] if item["name"] == name)
    fields = [(field["name"], TYPES[field["type"]["kind"]]) for field in struct["fields"]]
    return type(name, (ctypes.Structure,), {"_fields_": fields})


def filled(struct: type[ctypes.Structure], get: Callable[..., int], *indices: int) -> Json:
    """What `get` writes, as a dictionary; strings decoded, without struct_size."""
    value = struct()
    value.struct_size = ctypes.sizeof(struct)
    if get(*indices, ctypes.byref(value)) != 0:
        raise GeneratorError(f"{get.__name__}{indices} fails: is the library older than the header?")
    items = {name: getattr(value, name) for name, *_ in struct._fields_ if name != "struct_size"}
    return {name: item.decode() if isinstance(item, bytes) else item for name, item in items.items()}


def names(constants: Json, group: str, value: int) -> list[str]:
    """The flags of `group` that `value` has, in lower case and without the group's name."""
    return [name.removeprefix(group + "_").lower() for name, constant in constants.items()
            if constant["group"] == group and value & constant["value"]]
