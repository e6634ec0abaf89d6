"""The specs of doc/names.json, beside formulas of the frameworks' own.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_names.py

test_torch_names.py and test_jax_names.py ask PyTorch and JAX themselves.
"""

from __future__ import annotations

import json
import unittest
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
                    self.assertTrue(row.spec or not (row.arguments or row.other or row.x or row.differs_at or row.note))
                    self.assertTrue(row.note or not row.differs_at, "the note says how it differs")
                    self.tried(row)

    def tried(self, row: Row) -> None:
        """Every argument that a spec depends on has another value, and a spec parses with each."""
        for expression in row.expressions():
            used = set(compile(expression, "", "eval").co_names)
            self.assertTrue(used & row.other.keys(), expression)
            self.assertLessEqual(used, row.other.keys() | FUNCTIONS.keys(), expression)
        for name, value in row.other.items():
            self.assertNotEqual(row.arguments.get(name), value, name)
        if row.spec:
            self.assertTrue(row.calls())
            self.assertEqual(len({row.spec_of(arguments) for arguments in row.calls()}),
                             len(row.calls()) if row.expressions() else 1)

    def test_names_are_there_once(self) -> None:
        for framework, rows in table().items():
            found = [(name, json.dumps(row.arguments), tuple(row.other)) for row in rows for name in row.names]
            self.assertEqual(len(found), len(set(found)), framework)

    def test_kinds(self) -> None:
        """A name of no kind is a mistake, unless it is planned; once a kind is there it is no longer planned."""
        named = set().union(*(row.kinds() for rows in table().values() for row in rows))
        self.assertEqual(named - KINDS, MISSING, "MISSING in names_table.py: the kinds that are named and not there")

    def test_every_row_has_a_formula(self) -> None:
        self.assertEqual([*table()], ["PyTorch", *FORMULAS])
        for framework, formulas in FORMULAS.items():
            self.assertEqual({row.names[0] for row in table()[framework] if row.spec}, {*formulas}, framework)


class Formulas(unittest.TestCase):
    def compare(self, found: Any, expected: Any, x: Any) -> None:
        error = np.abs(found - expected) / np.finfo(np.float64).eps
        error /= np.maximum(np.maximum(1, np.abs(expected)), np.abs(x))
        worst = error.argmax()
        self.assertLessEqual(error[worst], BOUND, f"x = {x[worst]!r}: {found[worst]!r}, expected {expected[worst]!r}")

    def test_values(self) -> None:
        for framework in FORMULAS.keys() - SPIKING.keys():
            for row, arguments in calls(framework):
                with self.subTest(f"{framework}: {row}, {arguments}"):
                    activation, formula = libsugar.Activation(row.spec_of(arguments)), FORMULAS[framework][row.names[0]]
                    x = points(row, arguments)
                    if not row.gate:
                        self.compare(activation.forward(x), formula(x, **arguments) + 0.0, x)
                        continue
                    a, b = x, x[::-1] - 0.25
                    u, gate = halves(row, arguments, a, b)
                    self.compare(activation.forward(u) * gate, formula(a, b, **arguments), a * b)

    def test_slopes_of_spikes(self) -> None:
        for framework, formulas in SPIKING.items():
            for row, arguments in calls(framework):
                with self.subTest(f"{framework}: {row}, {arguments}"):
                    activation, formula = libsugar.Activation(row.spec_of(arguments)), formulas[row.names[0]]
                    x = points(row, arguments, slopes=True)
                    self.compare(activation.backward(x, np.ones_like(x)), formula(x, **arguments) + 0.0, x)
                    self.assertTrue(np.array_equal(activation.forward(x), x > 0))


if __name__ == "__main__":
    unittest.main()
