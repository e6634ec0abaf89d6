#!/usr/bin/env python3
"""Whether every language has what is expected of one: its generated files name every symbol that the library exports,
its layer by hand names every option of a call, second derivatives and tables, its tests are in the suite bindings, its
README and its imports have the name of its package, and the lists of languages have it.

    python3 bindings/coverage.py LIBRARY

Exported is what `nm -D` says, not what the header says: a function that a header forgets, or a binding, is
found. Lines that are comments name nothing; but only a language's own tests show that what is named can be called.
Every folder of bindings/ is a language, but those of the generator itself.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from generator import names, render
from generator.errors import GeneratorError

BINDINGS = Path(__file__).resolve().parent
NO_LANGUAGE = {"generator", "vectors"}
LISTS = ("bindings/README.md", "README.md", "doc/guide.md")

# What a layer by hand has beside the options of a call.
BESIDES = ("backward_twice", "table")

# A line that begins as comments do in some language: // /* * -- ! #, but neither #[allow] nor #define.
COMMENT = re.compile(r"^\s*(//|/\*|\*(?=[\s/])|--|!|#(?![\w\[])).*$", re.MULTILINE)

# Where a package of ours is named: an import, a dependency, an argument of go mod edit.
NAMED = re.compile(r"""
      ^\s*(?:import|from|using)\ ([a-z]*sugar\w*)              # import libsugar, but not test_libsugar
    | (?:\b(?:require|from|test)\W{1,2}|^\t)"(\w[\w./-]*)"     # require("libsugar/lowlevel"), a line of Go's import
    | ^([\w-]*sugar[\w-]*)\ =\ \{                              # libsugar = { path = "..." }
    | -(?:require|replace)=([\w./-]+)[@=]                      # -require=libsugar@v0.0.0
    """, re.VERBOSE | re.MULTILINE | re.IGNORECASE)


def exported(library: str) -> list[str]:
    listing = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True)
    names = [line.split()[-1].partition("@")[0] for line in listing.stdout.splitlines()]
    return sorted(name for name in names if name.startswith("sugar_"))


def languages() -> list[Path]:
    return sorted(path for path in BINDINGS.iterdir()
                  if path.is_dir() and path.name not in NO_LANGUAGE and not path.name.startswith(("_", ".")))


def text_of(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def missing(language: Path, symbols: list[str]) -> list[str]:
    """The symbols that none of the language's generated files has as a word."""
    words: set[str] = set()
    for template in render.templates(language):
        words |= set(re.findall(r"\w+", COMMENT.sub("", text_of(render.output(language, template)))))
    return [symbol for symbol in symbols if symbol not in words]


def expected() -> list[str]:
    """The members of sugar_call_options, what a program can ask of a call, and what there is besides."""
    api = json.loads(text_of(BINDINGS / "api.json"))
    members = next(struct["fields"] for struct in api["structs"] if struct["name"] == "sugar_call_options")
    return [member["name"] for member in members if member["name"] not in ("struct_size", "flags")] + [*BESIDES]


def without(language: Path, names: list[str]) -> list[str]:
    """Those of the names that no file by hand has: as parameter_gradient, parameterGradient or ParameterGradient."""
    generated = {render.output(language, template) for template in render.templates(language)}
    text = "\n".join(COMMENT.sub("", text_of(path)) for path in render.own_files(language, "*")
                     if path not in generated and path.suffix not in (".md", ".json")
                     and not {"test", "tests", "subprojects"} & set(path.parts))
    words = {word.replace("_", "").lower() for word in re.findall(r"\w+", text)}
    return [name for name in names if name.replace("_", "") not in words]


def has_tests(language: Path) -> bool:
    builds = (language / "meson.build", language / "tests/meson.build")
    return any("suite: 'bindings'" in text_of(build) for build in builds)


def misnamed(language: Path) -> list[str]:
    """Where a file names another package than the language's, and whether the README names one that is special."""
    package = names.package(language.name)
    named = {path.relative_to(language).as_posix(): packages_in(path) for path in render.own_files(language, "*")}
    found = [f"{path} names the package {name}, expected {package}" for path, found in named.items()
             for name in sorted(found) if not re.fullmatch(re.escape(package) + r"([./-].*)?", name)]
    if package in names.PACKAGES.values() and not named.get("README.md"):
        found.append(f"README.md does not name the package {package}")
    return found


def packages_in(path: Path) -> set[str]:
    """The packages of ours, or those called like ours, that a file names."""
    text = path.read_text("utf-8", errors="replace")
    return {name for match in NAMED.findall(text) for name in match if "sugar" in name.lower()}


def not_listed(language: Path) -> list[str]:
    """The lists that lack it. The first has its name, in a link to its README."""
    texts = {name: text_of(language.parent.parent / name) for name in LISTS}
    link = re.search(rf"\[([^\]]+)\]\({re.escape(language.name)}/README\.md\)", texts[LISTS[0]])
    if not link:
        return [LISTS[0]]
    return [name for name, text in texts.items() if not re.search(rf"(?<!\w){re.escape(link[1])}(?!\w)", text)]


def problems(language: Path, symbols: list[str]) -> list[str]:
    found = []
    lacking = missing(language, symbols)
    if lacking:
        found.append(f"no generated file names {', '.join(lacking)}")
    lacking = without(language, expected())
    if lacking:
        found.append(f"the layer by hand lacks {', '.join(lacking)}")
    if not has_tests(language):
        found.append("no meson.build of it has a test with suite: 'bindings'")
    found += misnamed(language)
    return found + [f"{name} does not list it" for name in not_listed(language)]


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: coverage.py LIBRARY", file=sys.stderr)
        return 2
    symbols = exported(sys.argv[1])
    if not symbols:
        print(f"{sys.argv[1]} exports no symbol that begins with sugar_")
        return 1
    failed = False
    for language in languages():
        try:
            found = problems(language, symbols)
        except GeneratorError as error:
            found = [str(error)]
        failed = failed or bool(found)
        print(f"{language.name}: {'; '.join(found) or f'names {len(symbols)} of {len(symbols)} symbols'}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
