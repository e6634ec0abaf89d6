#!/usr/bin/env python3
"""What the generator reads out of a header, what it refuses, what it does with a language's own files, and that every
language follows a change.

Where it is about the header, a test takes the library's and changes something.
"""

import json
import re
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path
from typing import Any

import coverage
from generator import comments, header, names, render
from generator.errors import GeneratorError

Json = dict[str, Any]

BINDINGS = Path(__file__).resolve().parent
HEADER = (BINDINGS.parent / "include/sugar/sugar.h").read_text("utf-8")

COMMENT = """/* Measures something, in no time.
 *
 *     an indented line
 *
 * The second paragraph.
 * activation   NULL is fine.
 * x, y         in [n, step incx]; numbers that
 *              go on in a second line. NULL allowed if n is 0.
 * incx         in elements.
 * made         out; owned by the caller.
 * name         in [size]; not kept.
 * size         in bytes.
 * returns      in bytes.
 * Errors: as sugar_monitor_merge; ARGUMENT (n outside [0, 9), NULL), UNSUPPORTED (some). */
"""
FUNCTION = """SUGAR_API sugar_status sugar_measure(const sugar_activation *activation, int64_t n, const float *x,
                                     const double *y, int64_t incx, sugar_monitor **made, const char *name,
                                     size_t size, const sugar_tensor *view);
"""
PLACE = "/* How many levels this version knows,"


def read(text: str) -> Json:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sugar.h"
        path.write_text(text, "utf-8")
        return header.read(path)


def with_function(comment: str = COMMENT, function: str = FUNCTION) -> Json:
    assert HEADER.count(PLACE) == 1
    return read(HEADER.replace(PLACE, comment + function + "\n" + PLACE))


def named(items: list[Json], name: str) -> Json:
    return next(item for item in items if item["name"] == name)


class Functions(unittest.TestCase):
    def test_all_parts(self) -> None:
        function = named(with_function()["functions"], "sugar_measure")
        self.assertEqual(function["documentation"],
                         "Measures something, in no time.\n\n    an indented line\n\nThe second paragraph.")
        parameters = {item["name"]: item for item in function["parameters"]}
        self.assertEqual([name for name, item in parameters.items() if item["nullable"]], ["activation", "x", "y"])
        self.assertEqual([item["direction"] for item in parameters.values()],
                         ["in", "in", "in", "in", "in", "out", "in", "in", "in"])
        self.assertEqual((parameters["y"]["count"], parameters["y"]["step"]), ("n", "incx"))
        self.assertEqual(parameters["x"]["documentation"],
                         "numbers that go on in a second line. NULL allowed if n is 0.")
        self.assertEqual((parameters["incx"]["unit"], parameters["size"]["unit"]), ("elements", "bytes"))
        self.assertEqual(parameters["made"]["ownership"], "caller")
        self.assertEqual(parameters["made"]["type"]["to"],
                         {"kind": "handle", "name": "sugar_monitor", "const": False})
        self.assertEqual(parameters["name"]["type"]["to"], {"kind": "char"})
        self.assertEqual(function["returns"]["unit"], "bytes")

    def test_errors(self) -> None:
        errors = named(with_function()["functions"], "sugar_measure")["errors"]
        other = named(read(HEADER)["functions"], "sugar_monitor_merge")["errors"]
        self.assertEqual(errors, [{"status": "SUGAR_ERROR_ARGUMENT",
                                   "when": other[0]["when"] + "; n outside [0, 9), NULL"},
                                  other[1],
                                  {"status": "SUGAR_ERROR_UNSUPPORTED", "when": "some"}])

    def test_shared_comment(self) -> None:
        functions = read(HEADER)["functions"]
        first, second = (named(functions, f"sugar_backward_{element}") for element in ("f32", "bf16"))
        self.assertEqual(first["documentation"], second["documentation"])
        self.assertEqual((second["element"], second["base"]), ("bf16", "sugar_backward"))

    def test_handles(self) -> None:
        functions = with_function()
        self.assertIn("sugar_measure", named(functions["handles"], "sugar_monitor")["create"])
        destroy = named(functions["functions"], "sugar_monitor_destroy")
        self.assertEqual(destroy["parameters"][0]["ownership"], "taken")

    def test_groups(self) -> None:
        groups = {group["name"]: group for group in read(HEADER)["groups"]}
        self.assertEqual([name for name, group in groups.items() if group["flags"]],
                         ["SUGAR_CALL", "SUGAR_ROLE", "SUGAR_CAN"])
        self.assertIn("Values are never reused", groups["sugar_status"]["documentation"])

    def test_macros(self) -> None:
        """Each has a comment of its own, or none."""
        constants = with_function("/* One. */\n#define SUGAR_ONE 1\n#define SUGAR_TWO 2\n", "")["constants"]
        self.assertEqual([named(constants, name)["documentation"] for name in ("SUGAR_ONE", "SUGAR_TWO")], ["One.", ""])

    def test_callbacks(self) -> None:
        """A function pointer within a callback comes before it."""
        callbacks = with_function("/* Odd. */\n", "typedef void (*sugar_odd)(void (*task)(int32_t i), double x);\n")
        names = [callback["name"] for callback in callbacks["callbacks"]]
        self.assertEqual(names[names.index("sugar_odd") - 1], "sugar_odd_task")

    def test_counts(self) -> None:
        """A name in brackets is a parameter of the function, a member of the struct, or a constant: so that no count
        is misspelt."""
        api = read(HEADER)
        constants = {constant["name"] for constant in api["constants"]}
        for function in api["functions"]:
            names = constants | {parameter["name"] for parameter in function["parameters"]}
            for parameter in function["parameters"]:
                used = re.findall(r"[A-Za-z_]\w*", f"{parameter['count'] or ''} {parameter['step'] or ''}")
                self.assertLessEqual(set(used), names, function["name"])
        for struct in api["structs"]:
            names = constants | {field["name"] for field in struct["fields"]}
            for field in struct["fields"]:
                self.assertLessEqual(set(re.findall(r"[A-Za-z_]\w*", field["count"] or "")), names, struct["name"])
        info = {field["name"]: field for field in named(api["structs"], "sugar_activation_info")["fields"]}
        self.assertEqual(info["forward_parameters"]["count"], "forward_parameter_count")


class Refused(unittest.TestCase):
    def refused(self, message: str, comment: str = COMMENT, function: str = FUNCTION) -> None:
        with self.assertRaisesRegex(GeneratorError, message):
            with_function(comment, function)

    def test_no_direction(self) -> None:
        self.refused("made is a pointer to what is not const", COMMENT.replace("out; owned", "owned"))

    def test_unknown_parameter(self) -> None:
        self.refused("its comment lists incz", COMMENT.replace("incx   ", "incz   "))

    def test_twice(self) -> None:
        self.refused("lists size twice", COMMENT.replace("incx   ", "size   "))

    def test_prose_after_the_list(self) -> None:
        self.refused("prose after the list", COMMENT.replace(" * Errors", " * More of it.\n * Errors"))

    def test_errors(self) -> None:
        self.refused("begins with neither", COMMENT.replace("as sugar_monitor_merge", "none"))
        self.refused("no such function", COMMENT.replace("as sugar_monitor_merge", "as sugar_nothing"))

    def test_no_comment(self) -> None:
        self.refused("sugar_measure has no comment", "\n")

    def test_lost_comment(self) -> None:
        self.refused("the comment 'Lost.' belongs to no declaration", "/* Lost. */\n\n" + COMMENT)

    def test_type(self) -> None:
        self.refused("the type 'long' has no place", function=FUNCTION.replace("int64_t n", "long n"))

    def test_no_destroy(self) -> None:
        with self.assertRaisesRegex(GeneratorError, "no sugar_monitor_destroy"):
            read(HEADER.replace("sugar_monitor_destroy(sugar_monitor *monitor);",
                                "sugar_monitor_free(sugar_monitor *monitor);"))

    def test_enum_apart_from_its_typedef(self) -> None:
        typedef = "typedef int32_t sugar_status;\n"
        with self.assertRaisesRegex(GeneratorError, "sugar_status: no enum on the line below its typedef"):
            read(HEADER.replace(typedef, typedef + "\n"))

    def test_no_header(self) -> None:
        with self.assertRaisesRegex(GeneratorError, "^/nowhere.h cannot be read: "):
            header.read(Path("/nowhere.h"))

    def test_syntax(self) -> None:
        with self.assertRaisesRegex(GeneratorError, "expected"):
            read(HEADER.replace("sugar_level_count(void);", "sugar_level_count(void"))


class Text(unittest.TestCase):
    def test_reflow(self) -> None:
        self.assertEqual(comments.reflow("one\ntwo\n  8 bits   a code\n            of it\nthree\n\n\n\nfour"),
                         "one two\n    8 bits   a code of it\nthree\n\nfour")

    def test_wrap(self) -> None:
        self.assertEqual(render.wrap("aa bb cc\n    dd ee ff", 12, "# "), "# aa bb cc\n#     dd ee\n#         ff")

    def test_summary(self) -> None:
        self.assertEqual(render.summary("It is 0.5, e. g. so. More."), "It is 0.5, e. g. so.")


class Lua(unittest.TestCase):
    """A language called lua, in a folder of its own."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.bindings = Path(folder.name) / "bindings"

    def write(self, name: str, text: str) -> None:
        path = self.bindings / "lua" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


class Templates(Lua):
    def outputs(self, body: str = "", code: str = "", name: str = "ffi") -> dict[Path, str]:
        self.write(f"{name}.lua.j2", f"{{# output: src/{name}.lua #}}\n-- {{{{ banner }}}}\n{body}")
        self.write("language.py", code)
        return render.all_languages(self.bindings, {"version": "1.2.3", "nothing": None})

    def refused(self, message: str, body: str = "", code: str = "") -> None:
        with self.assertRaisesRegex(GeneratorError, message):
            self.outputs(body, code)

    def test_filter(self) -> None:
        files = self.outputs("{{ version | twice }}\n", "def twice(text: str) -> str:\n    return text * 2\n")
        self.assertEqual(list(files), [self.bindings / "lua/src/ffi.lua"])
        self.assertRegex("".join(files.values()),
                         "^-- Generated by .* and bindings/lua/ffi.lua.j2; do not edit.\n1.2.31.2.3\n$")

    def test_dataclass(self) -> None:
        """With postponed annotations, a dataclass looks its module up."""
        self.outputs(code="from __future__ import annotations\nfrom dataclasses import dataclass\n\n\n"
                          "@dataclass\nclass Made:\n    name: str\n")

    def test_below_a_folder_named_build(self) -> None:
        """Only folders within a language are passed over."""
        self.bindings /= "build/target"
        self.assertEqual(len(self.outputs()), 1)

    def test_copies(self) -> None:
        """Of packages, by the tools of languages."""
        for folder in ("node_modules", "src/build", ".venv/lib"):
            self.write(f"{folder}/copy.j2", "{# output: copy.lua #}\n-- {{ banner }}\n")
        self.assertEqual(len(self.outputs()), 1)

    def test_no_language(self) -> None:
        self.write("README.md", "")
        with self.assertRaisesRegex(GeneratorError, "none of its folders has a template"):
            render.all_languages(self.bindings, {})

    def test_unknown_language(self) -> None:
        self.outputs()
        with self.assertRaisesRegex(GeneratorError, "'lau' is no folder with a template .* expected one of: lua$"):
            render.all_languages(self.bindings, {}, ["lau"])

    def test_left_over(self) -> None:
        """What the template wrote before its first line changed."""
        lua = self.bindings / "lua"
        for path, text in self.outputs().items():
            self.write("before.lua", text)
            self.write("src/ffi.lua", text)
            self.assertEqual(render.left_over(lua, [path]), [lua / "before.lua"])

    def test_lines(self) -> None:
        self.refused(r"ffi\.lua\.j2:4: UndefinedError: 'versio' is undefined", "\n{{ versio }}\n")
        self.refused(r"ffi\.lua\.j2:4: TemplateSyntaxError", "\n{{ version \n")
        self.refused(r"ffi\.lua\.j2:4: TemplateAssertionError: No filter named 'twice'", "\n{{ version | twice }}\n")
        raises = "def raises(text: str) -> str:\n    return {}[text]\n"
        self.refused(r"ffi\.lua\.j2:3: /.*/language\.py:2: KeyError: '1\.2\.3'", "{{ version | raises }}", raises)

    def test_language_py(self) -> None:
        self.refused(r"language\.py: SyntaxError: .* line 2", code="\ndef (\n")
        self.refused(r"language\.py:2: ZeroDivisionError", code="\n1 / 0\n")

    def test_null(self) -> None:
        self.refused(r"ffi\.lua\.j2:3: ValueError: null is printed", "{{ nothing }}\n")
        self.outputs("{{ nothing or '' }}{{ version if nothing is none }}\n")

    def test_taken_names(self) -> None:
        for name in ("wrap", "first"):
            self.refused(rf"language\.py: {name} is a filter of .* already", code=f"def {name}():\n    pass\n")

    def test_imports_are_no_filters(self) -> None:
        self.refused("No filter named 'marks'", "{{ version | marks }}", "from generator.render import marks, wrap\n")


class Coverage(Lua):
    def setUp(self) -> None:
        super().setUp()
        self.write("ffi.lua.j2", "{# output: ffi.lua #}\n")
        self.write("ffi.lua", "void sugar_one(void);\n")
        self.write("meson.build", "test('lua', sh, suite: 'bindings')\n")
        self.write("call.lua", " ".join(coverage.expected()) + "\n")
        for name in coverage.LISTS:
            self.write(f"../../{name}", "In [Lua](lua/README.md).\n")

    def problems(self) -> list[str]:
        return coverage.problems(self.bindings / "lua", ["sugar_one"])

    def test_nothing_lacks(self) -> None:
        self.assertEqual(self.problems(), [])
        self.write("tests/meson.build", "test('lua', sh, suite: 'bindings')\n")
        self.write("meson.build", "project('lua')\n")
        self.assertEqual(self.problems(), [])
        self.write("ffi.lua", "#[link] sugar_one\n")
        self.assertEqual(self.problems(), [])

    def test_symbols(self) -> None:
        """Named in no file, in parts of words, in comments; and a file that was never written."""
        for text in ("", "sugar_one_more", "// sugar_one", " * sugar_one", "/* sugar_one */", "    -- sugar_one",
                     "# sugar_one", "## sugar_one", "!> sugar_one", "/// sugar_one"):
            self.write("ffi.lua", f"{text}\n")
            self.assertEqual(self.problems(), ["no generated file names sugar_one"], text)
        (self.bindings / "lua/ffi.lua").unlink()
        self.assertEqual(self.problems(), ["no generated file names sugar_one"])

    def test_options(self) -> None:
        """The layer by hand lacks one; in the language's own case it has it; in a test or a comment it has not."""
        others = " ".join(name for name in coverage.expected() if name != "saved_gradient")
        for text in (others, f"{others}\n-- saved_gradient", f"{others} saved_gradients"):
            self.write("call.lua", f"{text}\n")
            self.write("tests/layer.lua", "saved_gradient\n")
            self.assertEqual(self.problems(), ["the layer by hand lacks saved_gradient"], text)
        self.write("call.lua", f"{others} savedGradient\n")
        self.assertEqual(self.problems(), [])

    def test_besides(self) -> None:
        """What is no option of a call is expected, too."""
        for lacking in ("backward_twice", "table"):
            self.write("call.lua", " ".join(name for name in coverage.expected() if name != lacking) + "\n")
            self.assertEqual(self.problems(), [f"the layer by hand lacks {lacking}"])

    def test_filled_by_tools(self) -> None:
        """What npm and others build here is no text."""
        self.write("build/lua.o", "")
        (self.bindings / "lua/build/lua.o").write_bytes(b"\x98")
        self.assertEqual(self.problems(), [])

    def test_tests(self) -> None:
        expected = ["no meson.build of it has a test with suite: 'bindings'"]
        self.write("meson.build", "test('lua', sh)\n")
        self.assertEqual(self.problems(), expected)
        (self.bindings / "lua/meson.build").unlink()
        self.assertEqual(self.problems(), expected)

    def test_package(self) -> None:
        """Imports, dependencies and commands in the manner of any language; other names are none of the package's."""
        for text in ('require("%s")', 'local sugar = require "%s"', 'import { Activation } from "%s"', "import %s",
                     "from %s import Error", "using %s", '%s = { path = "lua" }', 'import (\n\t"%s"\n)',
                     "go mod edit -require=%s@v0.0.0", "go mod edit -replace=%s=../lua"):
            self.write("README.md", text % "libsugar")
            self.assertEqual(self.problems(), [], text)
            self.write("README.md", text % "oldsugar")
            self.assertEqual(self.problems(), ["README.md names the package oldsugar, expected libsugar"], text)
        self.write("README.md", 'require("ffi") require("libsugar.ffi") require("./sugar.js") import test_libsugar\n')
        self.assertEqual(self.problems(), [])

    def test_special_package(self) -> None:
        """The README must say it; what begins with it is a part of it."""
        with unittest.mock.patch.dict(names.PACKAGES, lua="host/lib-sugar"):
            self.assertEqual(self.problems(), ["README.md does not name the package host/lib-sugar"])
            self.write("README.md", 'require("host/lib-sugar/ffi") require("host/lib-sugars")\n')
            self.assertEqual(self.problems(),
                             ["README.md names the package host/lib-sugars, expected host/lib-sugar"])

    def test_lists(self) -> None:
        for name in coverage.LISTS[1:]:
            self.write(f"../../{name}", "In LuaJIT.\n")
            self.assertEqual(self.problems(), [f"{name} does not list it"])
            self.write(f"../../{name}", "In Lua.\n")
        self.write("../README.md", "In Lua.\n")
        self.assertEqual(self.problems(), ["bindings/README.md does not list it"])


class Command(unittest.TestCase):
    def test_no_clang(self) -> None:
        """Without the packages of the system, since it has no site."""
        ran = subprocess.run([sys.executable, "-E", "-S", BINDINGS / "generate.py"], capture_output=True, text=True)
        self.assertEqual(ran.returncode, 2)
        self.assertRegex(ran.stderr, r"^error: .*python.*: No module named '\w+'; expected Debian's python3-clang")


class Languages(unittest.TestCase):
    """A function that is added to the header arrives in every language."""

    def test_all_follow(self) -> None:
        committed = json.loads((BINDINGS / "api.json").read_text("utf-8"))
        api = with_function() | {key: committed[key] for key in ("catalogue", "levels")}
        folders = {language.name for language in coverage.languages()}
        followed = {path.relative_to(BINDINGS).parts[0]
                    for path, text in render.all_languages(BINDINGS, api).items()
                    if re.search(r"\bsugar_measure\b", text)}
        self.assertEqual(folders, followed)

    def test_manifests(self) -> None:
        """Manifests have the name of generator/names.py."""
        api = json.loads((BINDINGS / "api.json").read_text("utf-8"))
        with unittest.mock.patch.object(names, "package", "another-{}".format):
            named = {path.relative_to(BINDINGS).as_posix() for path, text in render.all_languages(BINDINGS, api).items()
                     if f"another-{path.relative_to(BINDINGS).parts[0]}" in text}
        self.assertLessEqual({"fortran/fpm.toml", "go/go.mod", "javascript/package.json", "julia/Project.toml",
                              "luajit/rockspec", "python/pyproject.toml", "rust/libsugar/Cargo.toml",
                              "rust/libsugar-sys/Cargo.toml"}, named)

    def follow(self, language: str, comment: str, function: str) -> dict[str, str]:
        """The output of a language's templates, by the files' names."""
        committed = json.loads((BINDINGS / "api.json").read_text("utf-8"))
        api = with_function(comment, function) | {key: committed[key] for key in ("catalogue", "levels")}
        return {path.name: text for path, text in render.all_languages(BINDINGS, api, [language]).items()}

    def test_javascript_names(self) -> None:
        """A parameter may be called like what the wrapper has itself, or like a word of the language."""
        names = ["result", "memory", "env", "info", "arguments", "returned", "function", "new", "get_int64"]
        files = self.follow(
            "javascript", "/* Odd.\n * with   in [memory, step call]; numbers. */\n",
            "SUGAR_API sugar_status sugar_odd(int64_t call, const float *with, "
            + ", ".join(f"int64_t {name}" for name in names) + ");\n")
        wrapper = files["functions.c"].partition("call_sugar_odd(")[2].partition("\n}\n")[0]
        self.assertIn('"with", napi_float32_array, given_memory, given_call)', wrapper)
        declared = re.findall(r"(?:int64_t|const float|sugar_status) \*?(\w+) =", wrapper)
        expected = ["returned"] + ["given_" + name for name in names + ["call", "with"]]
        self.assertEqual(sorted(declared), sorted(expected))
        self.assertRegex(files["lowlevel.d.ts"], r"sugar_odd\(call: .* with_: .* arguments_: .* function_: .* new_: ")

    def test_javascript_refuses(self) -> None:
        for function, message in [
                ("sugar_status sugar_odd(sugar_device device)", "sugar_odd: device is a struct sugar_device"),
                ("sugar_status sugar_odd(sugar_parallel_for loop)", "sugar_odd: loop is a callback"),
                ("sugar_status sugar_odd(const sugar_level *level)", "level is .* that sugar_level_get fills"),
                ("sugar_status sugar_odd(const char *const *texts)", "sugar_odd: texts is a pointer to a string"),
                ("const sugar_level *sugar_odd(void)", "sugar_odd returns a pointer to a struct sugar_level"),
                ("sugar_device sugar_odd(void)", "sugar_odd returns a struct sugar_device"),
                ("void sugar_odd(void)", "sugar_odd returns nothing")]:
            refused = self.assertRaisesRegex(GeneratorError, f"^javascript: .*{message}.*JavaScript")
            with self.subTest(function), refused:
                self.follow("javascript", "/* Odd. */\n", f"SUGAR_API {function};\n")


if __name__ == "__main__":
    unittest.main()
