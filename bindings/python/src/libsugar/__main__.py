"""python -m libsugar: the version, the catalogue, the instruction sets, and whether the library gives the bits that
it should. The exit status is 1 if it does not."""

from __future__ import annotations

import sys
import time

from . import _check, _lowlevel, catalogue, levels, version
from ._catalogue import Kind, Level


def spelled(kind: Kind) -> str:
    """A kind as a spec has it, with its defaults."""
    values = ", ".join(f"{one.name}={one.default_value:.6g}" for one in kind.parameters)
    names = kind.name + (f" or {kind.alias}" if kind.alias else "")
    return f"{names}({values})" if values else names


def state(level: Level) -> str:
    if level.in_use:
        return "in use"
    return "available" if level.supported else "not on this machine" if level.compiled else "not compiled"


def main() -> int:
    print(f"libsugar {version()}, from {_lowlevel.library._name}\n")
    for kind in catalogue():
        print(f"  {spelled(kind):40} {kind.value or 'surrogate only, derivative ' + (kind.derivative or ''):45} "
              f"{kind.source}".rstrip())
    print("\nInstruction sets: " + ", ".join(f"{level.name} ({state(level)})" for level in levels()))
    start = time.perf_counter()
    count, found = _check.run()
    for line in found:
        print(line, file=sys.stderr)
    print(f"Self-check: {count} calls replayed in {time.perf_counter() - start:.2f} s, " + (
        f"{len(found)} differences" if found else "every bit as it should be"))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
