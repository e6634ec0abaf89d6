"""Tests of budget.py on made-up loops, errors and times whose verdicts are known.

    python3 budget_test.py
"""
import argparse
import json
import pathlib
import tempfile
import unittest
import unittest.mock

import budget
import model


def loop(p0=0, p1=0, p5=0, divider=0, permutations=0, simulated=0, elements=8):
    return budget.Loop(elements, 30, {"p0": p0, "p1": p1, "p5": p5, "p2": 1}, divider, 1, permutations, 0, simulated)


def row(level="avx2", **more):
    times = {name: more.pop(name) for name in ("usual", "narrow", "memory", "at_defaults", "slack") if name in more}
    return budget.Row("gelu", "forward", level, loop(**more), **times)


def error(kind, direction, size, defaults=True, each=False, dtype="f32"):
    return {"kind": kind, "type": dtype, "direction": direction, "defaults": defaults, "each": each, "max_ulp": size}


def time(kind, way, ns, dtype="f32"):
    return {"kind": kind, "direction": way, "dtype": dtype, "elements": 32768, "threads": 1, "layout": "contiguous",
            "implementation": "sugar", "ns_per_element": ns}


def written(folder, name, **content):
    path = pathlib.Path(folder, name)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


class Limits(unittest.TestCase):
    def test_ports(self):
        self.assertEqual(row(p0=8, p1=8, p5=2).limit(), "p0 and p1")
        self.assertEqual(row(p0=8, p1=8, p5=7.5).limit(), "all vector ports")
        self.assertEqual(row("avx512", p0=8, p1=1, p5=8).limit(), "all vector ports")
        self.assertEqual(row(p0=2, p1=2, p5=8, permutations=4).limit(), "permutations (p5)")
        self.assertEqual(row(p0=2, p1=2, p5=8, permutations=3).limit(), "p5")

    def test_divider_and_memory(self):
        self.assertEqual(row(p0=4, p1=4, divider=10).limit(), "divider")
        self.assertEqual(row(p0=4, p1=4, memory=1).limit(), "memory")
        self.assertEqual(row(p0=8, p1=2, memory=1).limit(), "memory, p0")

    def test_what_the_bound_does_not_explain(self):
        self.assertEqual(row(p0=8, narrow=1.2).limit(), "p0")
        self.assertEqual(row(p0=8, narrow=1.5, simulated=11).limit(), "p0, latency")
        self.assertEqual(row(p0=8, narrow=1.5, simulated=9).limit(), "p0, not in the model")
        self.assertEqual(row(p0=8, memory=1, narrow=1.5).limit(), "memory, p0")

    def test_rare_inputs_do_not_count_against_the_loop(self):
        found = row(p0=8, narrow=1.1, usual=2.2)
        self.assertAlmostEqual(found.over, 1.1)
        self.assertAlmostEqual(found.rare, 2)
        self.assertAlmostEqual(row(p0=8, usual=2.2).over, 2.2)

    def test_unspent(self):
        self.assertTrue(row(p0=8, at_defaults=1, slack=1).is_unspent("f32"))
        self.assertFalse(row(p0=8, at_defaults=1, slack=1).is_unspent("f64"))
        self.assertFalse(row(p0=8, at_defaults=0, slack=2).is_unspent("f32"))
        self.assertFalse(row(p0=8, memory=2, at_defaults=1, slack=1).is_unspent("f32"))


class Loops(unittest.TestCase):
    def test_divider(self):
        texts = ["vdivps (%rax),%ymm1,%ymm2", "vsqrtpd %zmm0,%zmm1", "vmulps %ymm0,%ymm1,%ymm2"]
        with unittest.mock.patch.object(budget, "cycles_here", lambda name, width: {"vdivps": 5, "vsqrtpd": 18}[name]):
            self.assertEqual(budget.divider(texts), 23)

    def test_ports(self):
        self.assertEqual([budget.port(name) for name in ("SPRPort00", "SKXPort5", "SPRPort11")], ["p0", "p5", "p11"])


class Pages(unittest.TestCase):
    def test_a_page(self):
        with tempfile.TemporaryDirectory() as folder:
            errors = [written(folder, "accuracy.json", results=[
                error("elu", "value", 0.8), error("elu", "value", 1.5, defaults=False),
                error("elu", "value", 1.9, defaults=False, each=True), error("celu", "value", 0.9),
                error("celu", "value", 1.8, defaults=False), error("gelu", "value", 1),
                error("elu", "parameter-derivative", 1.7)]),
                written(folder, "exhaustive.json", results=[error("elu", "value", 0.95)])]
            about = {"cpu": "none", "level": "avx2", "versions": {"sugar": "0"}}
            benches = [written(folder, "usual.json", results=[time("elu", "forward", 1.5)], data="normal", **about),
                       written(folder, "narrow.json", data=budget.NARROW, **about, results=[
                           time("elu", "forward", 0.75), time("relu", "forward", 0.1)])]
            lines = self.page(errors, benches)
        cells = {line.split(" | ")[0]: [cell.strip("* ") for cell in line.split("|")[2:-1]] for line in lines
                 if " | " in line}
        elu = cells["| elu forward"]
        self.assertEqual(elu[:3], ["0.95", "1.50", "0.50"])
        self.assertEqual(elu[-10:-7], ["1", "1", ""])
        self.assertEqual(elu[-7:], ["1.00", "1.12", "1.50", "1.50", "3.00", "2.00", "p0 and p1, not in the model"])
        self.assertEqual(cells["| celu forward"][:3], ["0.90", "1.80", "1.10"])     # its loop is for the defaults alone
        self.assertIn("Farthest from their bound: elu forward (1.50).", lines)
        self.assertIn("Slowed down most by rare inputs: elu forward (2.00).", lines)
        self.assertIn("Without a model: gelu forward: no loop.", lines)

    def page(self, errors, benches):
        """The lines for f32 at avx2. The loops of all kinds are the same: 8 cycles on two ports; gelu has none."""
        used = {"SPRPort00": 8, "SPRPort01": 8, "SPRPort05": 2, "SKXFPDivider": 50}
        summary = {"TotaluOps": 30 * model.ITERATIONS, "DispatchWidth": 6}

        def inner_loop(_build, _level, name, _dtype):
            if name.startswith("gelu"):
                raise model.NoLoop("gelu forward: no loop")
            return ["vmulps %ymm0,%ymm1,%ymm2", "vmovaps %ymm0,0x20(%rsp)", "vpermps %ymm0,%ymm1,%ymm2"], 8
        arguments = argparse.Namespace(errors=errors, bench=benches, type=["f32"], level=["avx2"], kinds=[],
                                       build=None, mca="llvm-mca")
        with unittest.mock.patch.multiple(model, inner_loop=inner_loop, output=lambda _: "LLVM version 22\n",
                                          simulated=lambda *_: (summary, 9, used)), \
                unittest.mock.patch.object(budget, "clock", lambda: 2):
            return "".join(budget.page(arguments)).splitlines()


if __name__ == "__main__":
    unittest.main()
