"""doc/names.json for the tests: what frameworks call their activations, and the specs that compute them.

Each row of a framework has `names`, and either a `spec` or a `reason` why there is none; and, where they apply:

    defaults      arguments that the framework has, with its defaults
    given         arguments that this row is about; they have no other values in it
    other         values that the tests take as well; an argument that is here alone must be given
    x, gate       of a gated unit, a and b being the halves of its input: what the spec computes f(x) gate of
    differs_at    where the framework's slope is another one; the note says which
    note          a remark for the reader

In a spec, {...} is an expression of the arguments, as are x, gate and differs_at.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any, Iterator, NamedTuple

import numpy as np
from libsugar import catalogue

TABLE = Path(__file__).resolve().parents[3] / "doc" / "names.json"
KINDS = {kind.name for kind in catalogue()}
FUNCTIONS = {"pi": math.pi, "exp": math.exp, "log1p": math.log1p, "min": np.minimum, "max": np.maximum}

# Kinds that are planned: rows may name them although the catalogue has none of them yet.
MISSING: set[str] = set()

Arguments = dict[str, Any]


class Row(NamedTuple):
    names: list[str]
    defaults: Arguments = {}
    given: Arguments = {}
    other: Arguments = {}
    spec: str = ""
    x: str = ""
    gate: str = ""
    differs_at: list[str] = []
    reason: str = ""
    note: str = ""

    def __str__(self) -> str:
        return f"{self.names[0]}, {self.spec}"

    def calls(self) -> list[tuple[Arguments, Arguments]]:
        """What to try: the arguments of a call of the framework, and all that it then has, which may be defaults."""
        passed = [self.given] if self.other.keys() <= self.defaults.keys() else []
        passed += [{**self.given, **self.other}] if self.other else []
        return [(one, {**self.defaults, **one}) for one in passed]

    def expressions(self) -> list[str]:
        return re.findall(r"\{(.*?)\}", self.spec)

    def spec_of(self, arguments: Arguments) -> str:
        return re.sub(r"\{(.*?)\}", lambda found: repr(float(evaluated(found[1], arguments))), self.spec)

    def kinds(self) -> set[str]:
        return set(re.findall(r"(?:^|~)(\w+)", self.spec))

    def missing(self) -> set[str]:
        return self.kinds() - KINDS


def evaluated(expression: str, variables: Arguments) -> Any:
    return eval(expression, {"__builtins__": {}}, {**FUNCTIONS, **variables})


def table() -> dict[str, list[Row]]:
    """The rows of each framework."""
    read = json.loads(TABLE.read_text(encoding="utf-8"))
    return {framework: [Row(**row) for row in about["rows"]] for framework, about in read.items()}


def calls(framework: str) -> Iterator[tuple[Row, Arguments, Arguments]]:
    """The rows of a framework that the catalogue can compute, each with every call to try."""
    for row in table()[framework]:
        if row.spec and not row.missing():
            for passed, arguments in row.calls():
                yield row, passed, arguments


def points(row: Row, arguments: Arguments, *, slopes: bool = False) -> Any:
    """From -10 to 10, with the places where functions have kinks, both neighbours of each of them, and every argument's
    value as if it was one; without those where only slopes differ, if it is these that are compared."""
    numbers = [float(value) for value in arguments.values() if isinstance(value, (int, float))]
    kinks = np.array([0, 0.5, 1, 2, 3, 6, *numbers])
    kinks = np.concatenate([kinks, -kinks])
    x = np.concatenate([np.arange(-160, 161) / 16, kinks, np.nextafter(kinks, -np.inf), np.nextafter(kinks, np.inf)])
    apart = [evaluated(place, arguments) for place in row.differs_at] if slopes else []
    return np.unique(x[~np.isin(x, apart)])


def halves(row: Row, arguments: Arguments, a: Any, b: Any) -> tuple[Any, Any]:
    """x and the gate of a gated unit."""
    variables = {**arguments, "a": a, "b": b}
    return evaluated(row.x, variables), evaluated(row.gate, variables)
