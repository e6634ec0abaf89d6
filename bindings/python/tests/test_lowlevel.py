"""The low-level layer alone: the layout of every struct, and all shared vectors, bit for bit.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_lowlevel.py
"""

from __future__ import annotations

import ctypes
import json
import unittest
from pathlib import Path
from typing import Any, Iterator

from libsugar import _lowlevel as c
from libsugar._check import Case, Memory, double, hexadecimal, same, words

BINDINGS = Path(__file__).resolve().parents[2]


class Replay:
    """One case, made and called."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.memories = [Memory(block) for block in case["memories"]]
        self.activation = ctypes.POINTER(c.sugar_activation)()
        self.monitor = ctypes.POINTER(c.sugar_monitor)()
        self.status = self.make()
        if self.status == c.SUGAR_OK and case["call"] != "create":
            self.status = self.call()
        self.message = c.sugar_last_error().decode() if self.status else ""

    def close(self) -> None:
        c.sugar_activation_destroy(self.activation)
        c.sugar_monitor_destroy(self.monitor)

    def make(self) -> int:
        case = self.case
        if case["monitor"]:
            made = case["monitor"]
            options = c.sugar_monitor_options(
                axis_from_end=made["axis_from_end"], bins=made["bins"], every=made["every"],
                **{name: double(made[name]) for name in ("threshold", "minimum", "maximum")})
            assert c.sugar_monitor_create(ctypes.byref(self.monitor), made["units"], options) == c.SUGAR_OK
        if case["spec"] is None:
            return c.SUGAR_OK
        spec = case["spec"].encode()
        choice = c.sugar_activation_options(level=case["level"].encode() if case["level"] else None)
        if case["table"]:
            numbers = (ctypes.c_double * len(case["table"]))(*map(double, case["table"]))
            choice.table = ctypes.cast(numbers, ctypes.POINTER(ctypes.c_double))
            choice.table_knots = len(case["table"]) // 3
        return c.sugar_activation_create_with_options(ctypes.byref(self.activation), spec, len(spec), choice)

    def address(self, operand: Case) -> int | None:
        index = operand["memory"]
        return None if index is None else self.memories[index].address + int(operand["data"])

    def tensor(self, role: str) -> c.sugar_tensor | None:
        operand = self.case[role]
        if operand is None:
            return None
        rank = len(operand["shape"])
        extents = ctypes.c_int64 * rank
        return c.sugar_tensor(
            self.address(operand), c.sugar_device(operand["device"], 0), rank, c.sugar_data_type(*operand["dtype"]),
            extents(*operand["shape"]), None if operand["strides"] is None else extents(*operand["strides"]),
            operand["byte_offset"])

    def options(self) -> c.sugar_call_options:
        random = self.case["random"]
        members: dict[str, Any] = {"flags": self.case["flags"]}
        for role in ("parameter", "parameter_gradient", "saved_gradient", "bias", "bias_gradient", "gate",
                     "gate_gradient"):
            tensor = self.tensor(role)
            if tensor is not None:
                members[role] = ctypes.pointer(tensor)
        if random:
            seed, offset = (int(number, 16) for number in random)
            members["random"] = ctypes.pointer(c.sugar_random(seed=seed, offset=offset))
        if self.monitor and self.case["call"] != "observe":
            members["monitor"] = self.monitor
        return c.sugar_call_options(**members)

    def vectors(self, roles: str) -> Iterator[Any]:
        """The arguments of a call on vectors: addresses and steps."""
        for role in roles.split():
            operand = self.case[role]
            yield from (self.address(operand), operand["step"]) if operand else (None, 0)

    def call(self) -> int:
        name, options = self.case["call"], self.options()
        function: Any = getattr(c, "sugar_" + name, None)
        if name == "observe":
            return c.sugar_monitor_observe(self.monitor, self.tensor("x") or c.sugar_tensor(), options)
        roles = "x y" if name.startswith("forward") else "x dy v ddy dx" if name.endswith("twice") else "x dy dx"
        if name.endswith("_" + self.case["type"]):
            status = function(self.activation, self.case["n"], *self.vectors(roles), options)
        else:
            status = function(self.activation, *(self.tensor(role) for role in roles.split()), options)
        return int(status)

    def seen(self) -> Case:
        """What the monitor saw, as in the vectors."""
        summary = c.sugar_monitor_summary()
        counts = (ctypes.c_int64 * c.SUGAR_MONITOR_BINS)()
        edges = (ctypes.c_double * (c.SUGAR_MONITOR_BINS - 1))()
        dead = (ctypes.c_int64 * 64)()
        found = ctypes.c_int64()
        assert c.sugar_monitor_get(self.monitor, summary) == c.SUGAR_OK
        assert c.sugar_monitor_get_histogram(self.monitor, counts, edges, len(counts)) == c.SUGAR_OK
        assert c.sugar_monitor_find_dead(self.monitor, 0.25, dead, 64, ctypes.byref(found)) == c.SUGAR_OK
        return {"summary": members(summary), "units": [members(self.unit(i)) for i in range(summary.units)],
                "counts": list(counts), "edges": [hexadecimal(edge) for edge in edges], "dead": dead[:found.value]}

    def unit(self, index: int) -> c.sugar_monitor_unit:
        unit = c.sugar_monitor_unit()
        assert c.sugar_monitor_get_unit(self.monitor, index, unit) == c.SUGAR_OK
        return unit


def members(struct: ctypes.Structure) -> list[int | str]:
    values = [getattr(struct, field[0]) for field in struct._fields_[1:]]
    return [hexadecimal(value) if isinstance(value, float) else value for value in values]


class LowLevel(unittest.TestCase):
    @unittest.skipIf(ctypes.sizeof(ctypes.c_void_p) != 8, "skipped: api.json has the layout of 64-bit machines")
    def test_layout(self) -> None:
        for item in json.loads((BINDINGS / "api.json").read_text())["structs"]:
            made = getattr(c, item["name"])
            self.assertEqual(ctypes.sizeof(made), item["size"], item["name"])
            for field in item["fields"]:
                self.assertEqual(getattr(made, field["name"]).offset, field["offset"], field["name"])

    def test_vectors(self) -> None:
        vectors = json.loads((BINDINGS / "vectors/vectors.json").read_text())
        self.assertEqual(len(vectors["cases"]), vectors["count"])
        for case in vectors["cases"]:
            with self.subTest(case["name"]):
                replay = Replay(case)
                self.compare(replay)
                replay.close()

    def compare(self, replay: Replay) -> None:
        case = replay.case
        self.assertEqual((replay.status, replay.message), (case["status"], case["message"]))
        for index, memory in enumerate(replay.memories):
            type = memory.block["type"]
            for i, (got, expected) in enumerate(zip(memory.after(), words(memory.block, "after"))):
                self.assertTrue(same(type, got, expected), f"memory {index}[{i}]: {got:x}, expected {expected:x}")
        if case["created"]:
            info = c.sugar_activation_info()
            self.assertEqual(c.sugar_activation_get_info(replay.activation, info), c.SUGAR_OK)
            self.assertEqual(case["created"], {"spec": info.spec.decode(),
                                               "minimum": hexadecimal(info.gradient_minimum),
                                               "maximum": hexadecimal(info.gradient_maximum)})
        if case["monitor"]:
            self.assertEqual(replay.seen(), case["monitor"]["seen"])


if __name__ == "__main__":
    unittest.main()
