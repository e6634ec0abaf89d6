#!/usr/bin/env python3
"""The shared vectors as lines of plain tokens, which Fortran reads without a JSON parser.

    python3 vectors.py VECTORS.JSON >vectors.txt

First how many cases there are. A case is then a line for its name, and lines of: call, type; spec; level;
how many numbers the table has, and these; flags, n; the number of memories; of each its type and how many bytes it has,
the bytes before, and after; thirteen operands; random; the monitor, and with one five lines of what it saw; status;
message; what was created. Strings are hexadecimal digits
behind a ":", as are bytes, in the machine's order; "-" stands for what is absent; doubles and seeds are the 64-bit
integers of the same bits.
"""

import json
import sys

WIDTH = {"f32": 4, "f64": 8, "f16": 2, "bf16": 2, "u8": 1}


def string(value):
    return "-" if value is None else ":" + value.encode().hex()


def signed(digits):
    return str(int.from_bytes(bytes.fromhex(digits), "big", signed=True))


def numbers(values):
    return " ".join(signed(value) if isinstance(value, str) else str(value) for value in values)


def bytes_of(block, key):
    width, digits = WIDTH[block["type"]], bytes.fromhex(block[key] or block["before"])
    return ":" + b"".join(int.from_bytes(digits[i:i + width], "big").to_bytes(width, sys.byteorder)
                          for i in range(0, len(digits), width)).hex()


def operand(value):
    if value is None:
        return "-"
    place = [-1 if value["memory"] is None else value["memory"], value["data"]]
    if "step" in value:
        return numbers([*place, value["step"]])
    strides = value["strides"]
    return numbers([*place, value["device"], *value["dtype"], value["byte_offset"], len(value["shape"]),
                    int(strides is not None), *value["shape"], *(strides or [])])


def lines(case):
    yield case["name"]
    yield f"{case['call']} {case['type']}"
    yield string(case["spec"])
    yield string(case["level"])
    table = case["table"] or []
    yield numbers([len(table), *table])
    yield numbers([case["flags"], case["n"]])
    yield str(len(case["memories"]))
    for block in case["memories"]:
        yield f"{WIDTH[block['type']]} {len(block['before']) // 2} {block['type']}"
        yield bytes_of(block, "before")
        yield bytes_of(block, "after")
    for role in ("x", "y", "dy", "dx", "v", "ddy", "parameter", "parameter_gradient", "saved_gradient", "bias",
                 "bias_gradient", "gate", "gate_gradient"):
        yield operand(case[role])
    yield numbers(case["random"]) if case["random"] else "-"
    monitor = case["monitor"]
    if monitor:
        yield numbers(monitor[key] for key in (
            "units", "axis_from_end", "bins", "threshold", "minimum", "maximum", "every"))
        seen = monitor["seen"]
        yield numbers(seen["summary"])
        yield numbers(value for unit in seen["units"] for value in unit)
        yield numbers(seen["counts"])
        yield numbers(seen["edges"])
        yield numbers([len(seen["dead"]), *seen["dead"]])
    else:
        yield "-"
    yield str(case["status"])
    yield string(case["message"])
    created = case["created"]
    yield string(created["spec"]) if created else "-"
    if created:
        yield numbers([created["minimum"], created["maximum"]])


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        cases = json.load(file)["cases"]
    print(len(cases))
    for case in cases:
        print(*lines(case), sep="\n")


main()
