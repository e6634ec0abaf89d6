"""The specs of doc/names.json, beside formulas of the frameworks' own.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_names.py

test_torch_names.py and test_jax_names.py ask PyTorch and JAX themselves.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import unittest
from pathlib import Path
from typing import Any

import libsugar
import numpy as np
from names_formulas import FORMULAS, SPIKING
from names_table import FUNCTIONS, KINDS, MISSING, Row, calls, halves, points, table

# The library's 4 ULP and the formula's own error: in units of eps * max(1, |result|), and of eps * |x|.
BOUND = 8


class Table(unittest.TestCase):
    def test_rows(self) -> None:
        for framework, rows in table().items():
            for row in rows:
                with self.subTest(f"{framework}: {row}"):
                    self.assertNotEqual(bool(row.spec), bool(row.reason), "one of spec and reason")
                    self.assertEqual(bool(row.x), bool(row.gate), "x and gate together")
                    self.assertTrue(row.spec or row == Row(row.names, reason=row.reason), "a reason, and nothing more")
                    self.assertTrue(row.note or not row.differs_at, "the note says how it differs")
                    self.tried(row)

    def tried(self, row: Row) -> None:
        """Every argument that a spec depends on has another value, and a spec parses with each."""
        for expression in row.expressions():
            used = set(compile(expression, "", "eval").co_names)
            self.assertLessEqual(used, row.other.keys() | FUNCTIONS.keys(), expression)
        for name, value in row.other.items():
            self.assertNotEqual(row.defaults.get(name), value, name)
        if row.spec:
            self.assertTrue(row.calls())
            specs = {row.spec_of(arguments) for _, arguments in row.calls()}
            self.assertEqual(len(specs), len(row.calls()) if row.expressions() else 1)

    def test_names_are_there_once(self) -> None:
        for framework, rows in table().items():
            found = [(name, json.dumps(row.given), tuple(row.other)) for row in rows for name in row.names]
            self.assertEqual(len(found), len(set(found)), framework)

    def test_kinds(self) -> None:
        """A name of no kind is a mistake, unless it is planned; once a kind is there it is no longer planned."""
        if MISSING:
            print(f"skipped: names of kinds that are missing: {', '.join(sorted(MISSING))}")
        named = set().union(*(row.kinds() for rows in table().values() for row in rows))
        self.assertEqual(named - KINDS, MISSING, "MISSING in names_table.py: the kinds that are named and not there")

    def test_every_row_has_a_formula(self) -> None:
        self.assertEqual([*table()], ["PyTorch", *FORMULAS])
        for framework, formulas in FORMULAS.items():
            self.assertEqual({row.names[0] for row in table()[framework] if row.spec}, {*formulas}, framework)


class Complete(unittest.TestCase):
    """Every public name of the frameworks that are installed has a row. Their sources are read, and nothing of them is
    imported, as that would take PyTorch or TensorFlow."""

    def defined(self, package: str, *files: str) -> set[str]:
        """The names at the top of files: functions, classes, and what is imported for others."""
        found = importlib.util.find_spec(package)
        if found is None or not found.submodule_search_locations:
            print(f"skipped: names of {package}: it is not installed")
            self.skipTest(package)
        names: set[str] = set()
        for file in files:
            for one in ast.parse((Path(found.submodule_search_locations[0]) / file).read_text(encoding="utf-8")).body:
                if isinstance(one, (ast.FunctionDef, ast.ClassDef)):
                    names.add(one.name)
                elif isinstance(one, ast.ImportFrom) and file.endswith("__init__.py"):
                    names |= {alias.asname or alias.name for alias in one.names}
        return names

    def check(self, framework: str, names: set[str], besides: str = "") -> None:
        in_rows = {name for row in table()[framework] for name in row.names}
        self.assertEqual({name for name in names if not re.fullmatch(besides, name)} - in_rows, set())

    def test_keras(self) -> None:
        names = {f"activations.{name}" for name in self.defined("keras", "activations/__init__.py")}
        self.check("Keras", names, r"activations\.(get|serialize|deserialize)")
        layers = self.defined("keras", "src/layers/activations/__init__.py")
        self.check("Keras", {f"layers.{name}" for name in layers})
        alike = {name[len("activations."):] for name in names}
        self.check("Keras", {f"ops.nn.{name}" for name in self.defined("keras", "ops/nn/__init__.py") & alike})

    def test_timm(self) -> None:
        self.check("timm", self.defined("timm", "layers/activations.py"))
        names = self.defined("timm", "layers/activations_me.py")
        self.check("timm", {f"activations_me.{name}" for name in names}, r".*(_fwd|_bwd|AutoFn)")

    def test_snntorch(self) -> None:
        self.check("snnTorch", self.defined("snntorch", "surrogate.py"))

    def test_spikingjelly(self) -> None:
        names = self.defined("spikingjelly", "activation_based/surrogate.py")
        self.check("SpikingJelly", names, "heaviside|SurrogateFunctionBase|check_.*|plot_.*|.*_backward")

    def test_norse(self) -> None:
        self.check("norse", self.defined("norse", "torch/functional/threshold.py"), "threshold")


class Formulas(unittest.TestCase):
    def compare(self, found: Any, expected: Any, x: Any) -> None:
        error = np.abs(found - expected) / np.finfo(np.float64).eps
        error /= np.maximum(np.maximum(1, np.abs(expected)), np.abs(x))
        worst = error.argmax()
        self.assertLessEqual(error[worst], BOUND, f"x = {x[worst]!r}: {found[worst]!r}, expected {expected[worst]!r}")

    def test_values(self) -> None:
        for framework in FORMULAS.keys() - SPIKING.keys():
            for row, passed, arguments in calls(framework):
                with self.subTest(f"{framework}: {row}, {passed}"):
                    activation, formula = libsugar.Activation(row.spec_of(arguments)), FORMULAS[framework][row.names[0]]
                    x = points(row, arguments)
                    if not row.gate:
                        self.compare(activation.forward(x), formula(x, **passed) + 0.0, x)
                        continue
                    a, b = x, x[::-1] - 0.25
                    u, gate = halves(row, arguments, a, b)
                    self.compare(activation.forward(u) * gate, formula(a, b, **passed), a * b)

    def test_slopes_of_spikes(self) -> None:
        for framework, formulas in SPIKING.items():
            for row, passed, arguments in calls(framework):
                with self.subTest(f"{framework}: {row}, {passed}"):
                    activation, formula = libsugar.Activation(row.spec_of(arguments)), formulas[row.names[0]]
                    x = points(row, arguments, slopes=True)
                    self.compare(activation.backward(x, np.ones_like(x)), formula(x, **passed) + 0.0, x)
                    fires = x >= 0 if framework == "SpikingJelly" else x > 0
                    self.assertTrue(np.array_equal(activation.forward(x), fires))


if __name__ == "__main__":
    unittest.main()
