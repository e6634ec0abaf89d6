"""Reads the header with libclang: its declarations, and through `comments` what they mean.

Sizes and offsets are those of a 64-bit machine, wherever this runs: the target and the two standard headers
are fixed.
"""

import os
import re
from pathlib import Path
from typing import Any, Iterator

from clang import cindex  # type: ignore[import]
from clang.cindex import CursorKind, TypeKind  # type: ignore[import]

from . import comments
from .comments import Comments
from .errors import GeneratorError

Json = dict[str, Any]

STANDARD = {
    "stddef.h": "typedef unsigned long size_t;\n#define NULL ((void *)0)\n",
    "stdint.h": "".join(
        f"typedef signed {name} int{bits}_t;\ntypedef unsigned {name} uint{bits}_t;\n"
        for bits, name in ((8, "char"), (16, "short"), (32, "int"), (64, "long"))),
}
KINDS = {f"{sign}int{bits}_t": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
KINDS |= {"size_t": "size", "float": "float", "double": "double", "char": "char", "void": "void"}
ELEMENTS = ("f32", "f64", "f16", "bf16")


def read(path: Path) -> Json:
    """All of api.json but the catalogue."""
    return Header(path).api()


class Header:
    def __init__(self, path: Path) -> None:
        folder = "/standard"
        try:
            unit = cindex.Index.create().parse(
                str(path), args=["-x", "c", "-std=c11", "-target", "x86_64-linux-gnu", "-nostdinc", "-I" + folder],
                unsaved_files=[(f"{folder}/{name}", text) for name, text in STANDARD.items()],
                options=cindex.TranslationUnit.PARSE_DETAILED_PROCESSING_RECORD)
        except (cindex.LibclangError, cindex.TranslationUnitLoadError) as error:
            raise GeneratorError(f"{path} cannot be read: {error}") from error
        if unit.diagnostics:
            raise GeneratorError("\n".join(str(diagnostic) for diagnostic in unit.diagnostics))
        self.path = path
        self.comments = Comments(list(unit.get_tokens(extent=unit.cursor.extent)))
        self.cursors = [cursor for cursor in unit.cursor.get_children()
                        if cursor.location.file and cursor.location.file.name == str(path)]
        records = self.of_kind(CursorKind.STRUCT_DECL)
        self.structs = [record for record in records if record.is_definition()]
        defined = {record.spelling for record in self.structs}
        self.handles = [record for record in records if record.spelling not in defined]
        typedefs = self.of_kind(CursorKind.TYPEDEF_DECL)
        self.integers = [typedef for typedef in typedefs
                         if typedef.underlying_typedef_type.spelling in KINDS]
        self.callbacks = [typedef for typedef in typedefs if is_function(typedef.underlying_typedef_type)]
        self.groups: list[Json] = []
        enums = self.enums()
        self.constants = [*self.macros(), *enums]
        self.statuses = [constant["name"].removeprefix("SUGAR_ERROR_") for constant in enums
                         if constant["name"].startswith("SUGAR_ERROR_")]

    def api(self) -> Json:
        value = {constant["name"]: constant["value"] for constant in self.constants}
        callbacks = [callback for typedef in self.callbacks for callback in self.callback(typedef)]
        functions = self.functions()
        structs = [self.struct(record) for record in self.structs]
        flags = {field["constants"] for struct in structs for field in struct["fields"]}
        handles = [self.handle(record, functions) for record in self.handles]
        self.comments.check_all_used()
        return {
            "version": ".".join(str(value[f"SUGAR_VERSION_{part}"]) for part in ("MAJOR", "MINOR", "PATCH")),
            "abi_version": value["SUGAR_ABI_VERSION"],
            "rules": self.rules(),
            "integers": [self.integer(typedef) for typedef in self.integers],
            "groups": [group | {"flags": group["name"] in flags} for group in self.groups],
            "status": [constant for constant in self.constants if constant["type"]["kind"] == "status"],
            "constants": self.constants,
            "handles": handles,
            "structs": structs,
            "callbacks": callbacks,
            "functions": functions,
        }

    def of_kind(self, kind: CursorKind) -> list[cindex.Cursor]:
        return [cursor for cursor in self.cursors if cursor.kind == kind]

    # ---- documentation

    def rules(self) -> str:
        """The comment at the top of the header: what holds for every call."""
        return comments.reflow(self.comments.first)

    def text(self, cursor: cindex.Cursor) -> str:
        return self.comments.of(cursor)

    # ---- types

    def type(self, type: cindex.Type, counted: bool = False) -> Json:
        """A C type in the vocabulary of api.json. A counted pointer to char is no NUL-terminated string."""
        spelling = re.sub(r"\bconst\b *", "", type.spelling).strip()
        spelling = spelling.removeprefix("struct ")
        if spelling == "sugar_status":
            return {"kind": "status"}
        if spelling in KINDS:
            return {"kind": KINDS[spelling]}
        if spelling in {typedef.spelling for typedef in self.callbacks}:
            return {"kind": "callback", "name": spelling}
        if spelling in {record.spelling for record in self.structs}:
            return {"kind": "struct", "name": spelling}
        if type.kind == TypeKind.POINTER:
            return self.pointer(type.get_pointee(), counted=counted)
        raise GeneratorError(f"{self.path}: the type '{type.spelling}' has no place in api.json")

    def pointer(self, target: cindex.Type, counted: bool) -> Json:
        const = target.is_const_qualified()
        name = re.sub(r"\bconst\b *", "", target.spelling).strip().removeprefix("struct ")
        if name in {record.spelling for record in self.handles}:
            return {"kind": "handle", "name": name, "const": const}
        if name == "char" and const and not counted:
            return {"kind": "cstring"}
        return {"kind": "pointer", "to": self.type(target), "const": const}

    # ---- constants

    def macros(self) -> Iterator[Json]:
        """The macros that are whole numbers."""
        for cursor in self.of_kind(CursorKind.MACRO_DEFINITION):
            tokens = [token.spelling for token in cursor.get_tokens()]
            if len(tokens) != 2 or not re.fullmatch(r"-?[0-9]+", tokens[1]):
                continue
            yield {"name": cursor.spelling, "value": int(tokens[1]), "type": {"kind": "int32"}, "group": None,
                   "documentation": comments.reflow(self.text(cursor))}

    def enums(self) -> list[Json]:
        """The values of all enums. The values of an integer's typedef are the enum directly below it."""
        owners = {typedef.extent.end.line + 1: typedef for typedef in self.integers}
        enums = self.of_kind(CursorKind.ENUM_DECL)
        for line in owners.keys() - {enum.extent.start.line for enum in enums}:
            raise GeneratorError(f"{owners[line].spelling}: no enum on the line below its typedef, expected its values")
        constants = []
        for enum in enums:
            members = list(enum.get_children())
            owner = owners.get(enum.extent.start.line)
            group = None
            if len(members) > 1:
                group = owner.spelling if owner else common_prefix([member.spelling for member in members])
                text = self.text(owner) if owner else self.text(enum)
                self.groups.append({"name": group, "documentation": comments.reflow(text)})
            for member in members:
                constants.append({
                    "name": member.spelling, "value": member.enum_value,
                    "type": self.type(owner.type) if owner else {"kind": "int32"}, "group": group,
                    "documentation": comments.reflow(self.text(member) or self.text(enum))})
        return constants

    def integer(self, typedef: cindex.Cursor) -> Json:
        return {"name": typedef.spelling, "type": {"kind": KINDS[typedef.underlying_typedef_type.spelling]},
                "documentation": comments.reflow(self.text(typedef))}

    # ---- structs, handles, callbacks

    def handle(self, record: cindex.Cursor, functions: list[Json]) -> Json:
        """An opaque struct, with the functions that hand one out, and the one that takes it back."""
        name = record.spelling
        makers = [function["name"] for function in functions
                  if any(hands_out(parameter, name) for parameter in function["parameters"])]
        destroy = name + "_destroy"
        if makers and destroy not in {function["name"] for function in functions}:
            raise GeneratorError(f"{name}: {makers[0]} makes one, but there is no {destroy}")
        typedef = next(cursor for cursor in self.of_kind(CursorKind.TYPEDEF_DECL) if cursor.spelling == name)
        return {"name": name, "create": makers, "destroy": destroy,
                "documentation": comments.reflow(self.text(typedef))}

    def struct(self, record: cindex.Cursor) -> Json:
        type = record.type
        fields = [self.field(cursor, type) for cursor in record.get_children()
                  if cursor.kind == CursorKind.FIELD_DECL]
        return {"name": record.spelling, "size": type.get_size(), "alignment": type.get_align(),
                "struct_size": fields[0]["name"] == "struct_size", "fields": fields,
                "documentation": comments.reflow(self.text(record))}

    def field(self, cursor: cindex.Cursor, record: cindex.Type) -> Json:
        text = comments.reflow(self.text(cursor))
        note = comments.note(record.spelling, cursor.spelling, text)
        type = self.type(cursor.type, counted=note.count is not None)
        return {"name": cursor.spelling, "type": type, "offset": record.get_offset(cursor.spelling) // 8,
                "size": cursor.type.get_size(), "nullable": is_pointer(type) and note.nullable,
                "count": note.count, "unit": comments.unit(text), "like": comments.like(text),
                "constants": named_group(text), "documentation": note.text}

    def callback(self, typedef: cindex.Cursor) -> list[Json]:
        """A typedef of a pointer to a function. A parameter that is one itself becomes a callback of its own,
        named after both, which comes first."""
        name = typedef.spelling
        function = typedef.underlying_typedef_type.get_pointee()
        inner = []
        parameters = []
        for parameter in (cursor for cursor in typedef.get_children() if cursor.kind == CursorKind.PARM_DECL):
            if is_function(parameter.type):
                type = {"kind": "callback", "name": f"{name}_{parameter.spelling}"}
                inner.append(self.callback_argument(type["name"], parameter))
            else:
                type = self.type(parameter.type)
            parameters.append({"name": parameter.spelling, "type": type})
        return [*inner, {"name": name, "returns": self.type(function.get_result()), "parameters": parameters,
                         "documentation": comments.reflow(self.text(typedef))}]

    def callback_argument(self, name: str, cursor: cindex.Cursor) -> Json:
        parameters = [{"name": parameter.spelling, "type": self.type(parameter.type)}
                      for parameter in cursor.get_children() if parameter.kind == CursorKind.PARM_DECL]
        return {"name": name, "returns": self.type(cursor.type.get_pointee().get_result()),
                "parameters": parameters, "documentation": ""}

    # ---- functions

    def functions(self) -> list[Json]:
        """All functions. Without a comment of its own, one directly below another shares the other's."""
        functions: list[Json] = []
        text, last_line = "", 0
        for cursor in self.of_kind(CursorKind.FUNCTION_DECL):
            is_directly_below = cursor.extent.start.line == last_line + 1
            text = self.text(cursor) or (text if is_directly_below else "")
            last_line = cursor.extent.end.line
            functions.append(self.function(cursor, text))
        errors = [self.all_errors(function, functions) for function in functions]
        for function, found in zip(functions, errors):
            del function["errors_as"]
            function["errors"] = found
        return functions

    def function(self, cursor: cindex.Cursor, text: str) -> Json:
        name = cursor.spelling
        if not text:
            raise GeneratorError(f"{name} has no comment")
        comment = comments.function_comment(name, text, self.statuses)
        parameters = [self.parameter(name, parameter, comment) for parameter in cursor.get_arguments()]
        result = comment.notes.pop("returns", None)
        unknown = [listed for listed in comment.notes if listed not in {item["name"] for item in parameters}]
        if unknown:
            raise GeneratorError(f"{name}: its comment lists {unknown[0]}, which is no parameter of it")
        base, _, element = name.rpartition("_")
        returns = self.type(cursor.result_type)
        return {"name": name, "element": element if element in ELEMENTS else None,
                "base": base if element in ELEMENTS else None,
                "returns": {"type": returns, "nullable": is_pointer(returns) and bool(result and result.nullable),
                            "ownership": result.ownership if result else None,
                            "unit": comments.unit(result.text) if result else None,
                            "documentation": result.text if result else ""},
                "parameters": parameters, "errors_as": comment.errors_as, "errors": comment.errors,
                "documentation": comment.prose}

    def parameter(self, function: str, cursor: cindex.Cursor, comment: comments.FunctionComment) -> Json:
        name = cursor.spelling
        note = comment.notes.get(name, comments.Note("", None, None, None))
        type = self.type(cursor.type, counted=note.count is not None)
        return {"name": name, "type": type, "direction": direction(function, name, type, note),
                "nullable": is_pointer(type) and note.nullable,
                "ownership": "taken" if function == type.get("name", "") + "_destroy" else note.ownership,
                "count": note.count, "step": note.step, "unit": comments.unit(note.text),
                "like": comments.like(note.text), "documentation": note.text}

    def all_errors(self, function: Json, functions: list[Json]) -> list[Json]:
        """The errors of the function that "Errors: as ..." names, and its own; one entry for each status."""
        when: dict[str, list[str]] = {}
        if function["errors_as"]:
            other = next((item for item in functions if item["name"] == function["errors_as"]), None)
            if not other:
                raise GeneratorError(f"{function['name']}: 'Errors: as {function['errors_as']}': no such function")
            when = {error["status"]: [error["when"]] for error in self.all_errors(other, functions)}
        for error in function["errors"]:
            when.setdefault(f"SUGAR_ERROR_{error['status']}", []).append(error["when"])
        return [{"status": status, "when": "; ".join(filter(None, texts))} for status, texts in when.items()]


def is_pointer(type: Json) -> bool:
    return type["kind"] in ("pointer", "handle", "cstring", "callback")


def is_function(type: cindex.Type) -> bool:
    target = type.get_pointee().get_canonical()
    return bool(type.kind == TypeKind.POINTER and target.kind == TypeKind.FUNCTIONPROTO)


def hands_out(parameter: Json, handle: str) -> bool:
    """Whether the caller gets a handle of that name through a parameter."""
    type = parameter["type"]
    return bool(type["kind"] == "pointer" and type["to"].get("name") == handle and parameter["ownership"] == "caller")


def direction(function: str, name: str, type: Json, note: comments.Note) -> str:
    """What the list says; a handle that is not const changes. A pointer to what is not const must be listed."""
    if note.direction:
        return note.direction
    if type["kind"] == "handle":
        return "in" if type["const"] else "inout"
    if type["kind"] == "pointer" and not type["const"]:
        raise GeneratorError(f"{function}: {name} is a pointer to what is not const; "
                             "expected 'out' or 'in' for it in the list of the comment")
    return "in"


def named_group(text: str) -> str | None:
    """The constants that a field is a combination of, where its comment says "SUGAR_ROLE_*"."""
    found = re.search(r"\b(SUGAR_[A-Z_]+)_\*", text)
    return found[1] if found else None


def common_prefix(names: list[str]) -> str:
    """SUGAR_ROLE of SUGAR_ROLE_FORWARD and SUGAR_ROLE_SURROGATE."""
    return os.path.commonprefix(names).rpartition("_")[0]
