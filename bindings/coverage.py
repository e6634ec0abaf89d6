#!/usr/bin/env python3
"""Whether every language's generated files name every symbol that the library exports.

    python3 bindings/coverage.py LIBRARY

Exported is what `nm -D` says, not what the header says: a function that a header forgets, or a binding, is
found. Every folder of bindings/ is a language, but those of the generator itself.
"""

import re
import subprocess
import sys
from pathlib import Path

from generator import render

BINDINGS = Path(__file__).resolve().parent
NO_LANGUAGE = {"generator", "vectors"}


def exported(library: str) -> list[str]:
    listing = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True)
    names = [line.split()[-1].partition("@")[0] for line in listing.stdout.splitlines()]
    return sorted(name for name in names if name.startswith("sugar_"))


def languages() -> list[Path]:
    return sorted(path for path in BINDINGS.iterdir()
                  if path.is_dir() and path.name not in NO_LANGUAGE and not path.name.startswith(("_", ".")))


def missing(language: Path, symbols: list[str]) -> list[str]:
    """The symbols that none of the language's generated files has as a word."""
    words: set[str] = set()
    for template in render.templates(language):
        words |= set(re.findall(r"\w+", render.output(language, template).read_text("utf-8")))
    return [symbol for symbol in symbols if symbol not in words]


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
        lacking = missing(language, symbols)
        failed = failed or bool(lacking)
        print(f"{language.name}: {len(symbols) - len(lacking)} of {len(symbols)} symbols",
              *(f"; lacks {', '.join(lacking)}" for _ in lacking[:1]), sep="")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
