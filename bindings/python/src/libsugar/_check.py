"""The shared vectors, replayed through Activation and Monitor: does this library, here, give the bits that it should?

vectors.json, which is described in bindings/vectors, holds calls with their memory before and after.
"""

from __future__ import annotations

import ctypes
import json
import struct
import sys
from pathlib import Path
from typing import Any

from . import _lowlevel as c
from ._activation import Activation
from ._errors import Error
from ._monitor import Monitor
from ._tensor import VERSIONED, Versioned

Case = dict[str, Any]
WIDTH = {"f32": 4, "f64": 8, "f16": 2, "bf16": 2, "u8": 1}
INFINITY = {"f32": 0x7F800000, "f64": 0x7FF << 52, "f16": 0x7C00, "bf16": 0x7F80}
TYPES = {"f32": (2, 32, 1), "f64": (2, 64, 1), "f16": (2, 16, 1), "bf16": (4, 16, 1)}
GRADIENTS = ("parameter_gradient", "bias_gradient", "gate_gradient")
NONTEMPORAL = {0: None, c.SUGAR_CALL_NONTEMPORAL: True, c.SUGAR_CALL_TEMPORAL: False}

new_capsule = ctypes.PyDLL(None)["PyCapsule_New"]
new_capsule.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
new_capsule.restype = ctypes.py_object


def cases() -> list[Case]:
    """The vectors that lie in this package."""
    found: list[Case] = json.loads((Path(__file__).parent / "vectors.json").read_text())["cases"]
    return found


def words(block: Case, key: str) -> list[int]:
    """The elements of a memory, as numbers."""
    digits = 2 * WIDTH[block["type"]]
    text = block[key] if block[key] is not None else block["before"]
    return [int(text[i:i + digits], 16) for i in range(0, len(text), digits)]


def same(type: str, a: int, b: int) -> bool:
    """The same bits, or two NaNs."""
    if a == b or type == "u8":
        return a == b
    magnitude = (1 << (8 * WIDTH[type] - 1)) - 1
    return a & magnitude > INFINITY[type] and b & magnitude > INFINITY[type]


def double(bits: str) -> float:
    return float(struct.unpack(">d", bytes.fromhex(bits))[0])


def hexadecimal(value: float) -> str:
    return "7ff8000000000000" if value != value else struct.pack(">d", value).hex()


class Memory:
    """A block of a case, in an array of doubles for its alignment."""

    def __init__(self, block: Case) -> None:
        self.block = block
        self.width = WIDTH[block["type"]]
        raw = b"".join(word.to_bytes(self.width, sys.byteorder) for word in words(block, "before"))
        self.size = len(raw)
        self.doubles = (ctypes.c_double * (self.size // 8 + 1))()
        ctypes.memmove(self.doubles, raw, self.size)
        self.address = ctypes.addressof(self.doubles)

    def after(self) -> list[int]:
        raw = ctypes.string_at(self.address, self.size)
        return [int.from_bytes(raw[i:i + self.width], sys.byteorder) for i in range(0, self.size, self.width)]


class Raw:
    """Any tensor at all, wrong ones too, that hands itself out by DLPack."""

    def __init__(self, address: int | None, operand: Case) -> None:
        extents = ctypes.c_int64 * len(operand["shape"])
        self.managed = Versioned(major=1, tensor=c.sugar_tensor(
            address, c.sugar_device(operand["device"], 0), len(operand["shape"]), c.sugar_data_type(*operand["dtype"]),
            extents(*operand["shape"]), None if operand["strides"] is None else extents(*operand["strides"]),
            operand["byte_offset"]))

    def __dlpack__(self, *, max_version: tuple[int, int] | None = None) -> Any:
        return new_capsule(ctypes.addressof(self.managed), VERSIONED, None)


def on_vectors(case: Case) -> bool:
    return bool(case["call"].endswith("_" + case["type"]))


def unavailable(case: Case) -> str | None:
    """Why a case cannot be written with Activation and Monitor; None if it can."""
    forward = case["call"].startswith("forward")
    if case["call"] not in ("create", "observe"):
        if case["spec"] is None:
            return "an Activation has a handle"
        if case["status"] and on_vectors(case):
            return "vectors are tensors of one dimension"
        if case["call"] == "backward_twice" and case["status"]:
            return "the argument is not there, or has a default"
        if case["x"] is None and (forward or not case["saved_gradient"]):
            return "x has no default"
        if case["flags"] & ~15 or case["flags"] & 6 == 6 or (forward and case["flags"] & 9):
            return "flags are arguments"
        if (forward and any(case[role] for role in GRADIENTS)) or (case["monitor"] and not forward):
            return "the argument is not there"
    return None


class Replay:
    """One case, made and called."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.memories = [Memory(block) for block in case["memories"]]
        self.status, self.message = c.SUGAR_OK, ""
        self.monitor: Monitor | None = None
        if case["monitor"]:
            made = case["monitor"]
            self.monitor = Monitor(made["units"], -1 - made["axis_from_end"], bins=made["bins"], every=made["every"],
                                   **{name: double(made[name]) for name in ("threshold", "minimum", "maximum")})
        try:
            if case["spec"] is not None:
                numbers = [double(bits) for bits in case["table"] or ()]
                self.activation = Activation(case["spec"], case["level"],
                                             list(zip(numbers[::3], numbers[1::3], numbers[2::3])) or None)
            self.call()
        except Error as error:
            self.status, self.message = error.status, str(error)

    def array(self, operand: Case) -> Any:
        """What stands for an operand."""
        index = operand["memory"]
        return Raw(None if index is None else self.memories[index].address + int(operand["data"]), operand)

    def operand(self, role: str) -> Any:
        operand = self.case[role]
        if operand is None:
            return None
        if "step" in operand:       # of a vector, which begins at its lowest address
            n, step, width = self.case["n"], operand["step"], WIDTH[self.case["type"]]
            first = operand["data"] + max(n - 1, 0) * max(-step, 0) * width
            operand = {"memory": operand["memory"], "data": first, "device": 1, "dtype": TYPES[self.case["type"]],
                       "shape": [n], "strides": [step], "byte_offset": 0}
        if operand["dtype"] == [c.SUGAR_TYPE_UNSIGNED, 1, 1]:       # bits, by their bytes
            count = 1
            for extent in operand["shape"]:
                count *= extent
            operand = {**operand, "dtype": [c.SUGAR_TYPE_UNSIGNED, 8, 1], "shape": [(count + 7) // 8],
                       "strides": None}
        return self.array(operand)

    def call(self) -> None:
        case, name = self.case, self.case["call"]
        if name == "create":
            return
        if name == "observe":
            assert self.monitor
            self.monitor.observe(self.operand("x"))
            return
        flags, saved = case["flags"], case["saved_gradient"]
        accumulate, nontemporal = bool(flags & c.SUGAR_CALL_ACCUMULATE), NONTEMPORAL[flags & 6]
        if name == "backward_twice":
            x, dy, v, ddy, dx = map(self.operand, ("x", "dy", "v", "ddy", "dx"))
            self.activation.backward_twice(x, dy, v, ddy, dx, accumulate=accumulate, nontemporal=nontemporal)
            return
        options: dict[str, Any] = {
            "nontemporal": nontemporal, "parameter": self.operand("parameter"), "bias": self.operand("bias"),
            "gate": self.operand("gate"),
            "saved_gradient": self.operand("saved_gradient"),
            "saved_bits": 1 if saved and saved["dtype"][1] == 1 else 8,
            "random": [int(number, 16) for number in case["random"]] if case["random"] else None}
        if name.startswith("forward"):
            self.activation.forward(self.operand("x"), self.operand("y"), monitor=self.monitor, **options)
        else:
            self.activation.backward(
                self.operand("x"), self.operand("dy"), self.operand("dx"),
                accumulate=accumulate, from_output=bool(flags & c.SUGAR_CALL_FROM_OUTPUT),
                **{role: self.operand(role) for role in GRADIENTS}, **options)

    def seen(self, monitor: Monitor) -> Case:
        """What the monitor saw, as in the vectors."""
        counts, edges = monitor.histogram()

        def exact(values: Any) -> list[Any]:
            return [hexadecimal(value) if isinstance(value, float) else value for value in values]

        summary = monitor.summary()
        return {"summary": exact(summary._replace(axis=-1 - summary.axis)),
                "units": [exact(monitor.unit(i)) for i in range(summary.units)],
                "counts": counts.tolist(), "edges": exact(edges.tolist()), "dead": monitor.dead(0.25).tolist()}

    def differences(self) -> list[str]:
        """What is not as it should be."""
        case, found = self.case, []
        if (self.status, self.message) != (case["status"], case["message"]):
            found.append(f"status {self.status} '{self.message}', expected {case['status']} '{case['message']}'")
        for index, memory in enumerate(self.memories):
            type = memory.block["type"]
            found += [f"memory {index}[{i}]: {got:x}, expected {expected:x}"
                      for i, (got, expected) in enumerate(zip(memory.after(), words(memory.block, "after")))
                      if not same(type, got, expected)]
        if case["created"]:
            info = self.activation.info
            created = {"spec": info.spec, "minimum": hexadecimal(info.gradient_minimum),
                       "maximum": hexadecimal(info.gradient_maximum)}
            if created != case["created"]:
                found.append(f"created {created}, expected {case['created']}")
        if self.monitor and self.seen(self.monitor) != case["monitor"]["seen"]:
            found.append(f"the monitor saw {self.seen(self.monitor)}, expected {case['monitor']['seen']}")
        return found


def run() -> tuple[int, list[str]]:
    """Replays all cases that Activation and Monitor can say: how many, and what went wrong."""
    done, found = 0, []
    for case in cases():
        if unavailable(case) is None:
            done += 1
            found += [f"{case['name']} ({case['spec']}): {line}" for line in Replay(case).differences()]
    return done, found
