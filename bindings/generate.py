#!/usr/bin/env python3
"""Generates bindings/api.json and every language's low-level layer from include/sugar/sugar.h.

    python3 bindings/generate.py                    writes what has changed
    python3 bindings/generate.py --check            writes nothing; fails if a file differs
    python3 bindings/generate.py --library PATH     the library that is asked for the catalogue
                                                    (else SUGAR_LIBRARY, else build/lib/libsugar.so.*)

A generated file that no template writes any more is named, and is for you to delete. Exit status: 0; 1 if a file
differs or is left over; 2 if the header, a template or the library is not as expected.

bindings/README.md says how it works and how to add a language. Needs python3-clang and python3-jinja2.
"""

import argparse
import json
import os
import sys
from pathlib import Path

try:
    from generator import catalogue, header, render
    from generator.errors import GeneratorError
except ModuleNotFoundError as error:
    print(f"error: {sys.executable}: {error}; expected Debian's python3-clang and python3-jinja2, which "
          "/usr/bin/python3 has", file=sys.stderr)
    sys.exit(2)

BINDINGS = Path(__file__).resolve().parent
ROOT = BINDINGS.parent


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed files, write nothing")
    parser.add_argument("--header", type=Path, default=ROOT / "include/sugar/sugar.h")
    parser.add_argument("--library", type=Path, help="libsugar.so to ask for the catalogue")
    parser.add_argument("--language", action="append", help="render only these folders (repeatable)")
    return parser.parse_args()


def library(named: Path | None) -> Path:
    """The library to ask: the one named, that of SUGAR_LIBRARY, or the one built in build/."""
    if named or os.environ.get("SUGAR_LIBRARY"):
        return Path(named or os.environ["SUGAR_LIBRARY"])
    built = sorted((ROOT / "build/lib").glob("libsugar.so.?"))
    if not built:
        raise GeneratorError("build/lib has no libsugar.so.*: build the library, or name one with --library")
    return built[0]


def generated(options: argparse.Namespace) -> dict[Path, str]:
    """All files, by path."""
    api = header.read(options.header)
    api |= catalogue.ask(api, library(options.library))
    files = {BINDINGS / "api.json": json.dumps(api, indent=1, ensure_ascii=False, allow_nan=False) + "\n"}
    files |= render.all_languages(BINDINGS, api, options.language)
    return files


def left_over(files: dict[Path, str], languages: list[str] | None) -> list[Path]:
    return [path for language in render.languages(BINDINGS, languages)
            for path in render.left_over(BINDINGS / language, files)]


def main() -> int:
    options = arguments()
    try:
        files = generated(options)
    except GeneratorError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    stale = [path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        print(("differs: " if options.check else "written: ") + str(path.relative_to(ROOT)))
        if not options.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path], "utf-8")
    unwritten = left_over(files, options.language)
    for path in unwritten:
        print(f"left over: {path.relative_to(ROOT)}: no template writes it, expected it deleted")
    print(f"{len(files)} files, {len(stale)} of them {'differ' if options.check else 'written'}")
    if options.check and stale:
        print("run: python3 bindings/generate.py", file=sys.stderr)
    return int(bool(unwritten or options.check and stale))


if __name__ == "__main__":
    sys.exit(main())
