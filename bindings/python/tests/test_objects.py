"""Errors, threads, monitors, the commands and what the package says of itself.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_objects.py
"""

from __future__ import annotations

import contextlib
import copy
import gc
import io
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable
from unittest import mock

import libsugar
import numpy as np
from libsugar import __main__, _check, _context, overhead
from libsugar import _lowlevel as c

BINDINGS = Path(__file__).resolve().parents[2]


class Errors(unittest.TestCase):
    def test_classes(self) -> None:
        with self.assertRaises(libsugar.SpecError) as caught:
            libsugar.Activation("rel")
        self.assertEqual((caught.exception.status, str(caught.exception)), (
            -2, "spec: position 0: expected a function's name, found 'rel', did you mean 'relu'?"))
        self.assertIsInstance(caught.exception, (libsugar.Error, ValueError))
        with self.assertRaisesRegex(libsugar.UnsupportedError, "level"):
            libsugar.Activation("relu", level="none")
        with mock.patch.object(c, "sugar_context_create", return_value=c.SUGAR_ERROR_OUT_OF_MEMORY):
            with self.assertRaises(libsugar.OutOfMemoryError) as memory:
                libsugar.Context(2)
        self.assertIsInstance(memory.exception, MemoryError)
        for spec in (b"relu", None):
            with self.assertRaisesRegex(TypeError, "spec: "):
                libsugar.Activation(spec)  # type: ignore[arg-type]

    def test_arrays(self) -> None:
        activation = libsugar.Activation("relu")
        x, out = np.ones(4), np.full(4, 7.0)
        wrong: list[tuple[Any, Any, type[Exception], str]] = [
            (x, out[:3], libsugar.ArgumentError, r"y: shape \(3,\), expected \(4,\) like x"),
            (x, out.astype("f4"), libsugar.ArgumentError, "y: dtype float32, expected float64 like x"),
            (np.arange(4), np.arange(4), libsugar.UnsupportedError, "x: dtype with code 0"),
            (np.ones(4, np.longdouble), out, libsugar.UnsupportedError, "x: dtype with code 2 and 128 bits"),
            (np.ones(4, ">f8"), out, libsugar.ArgumentError, "x: dtype >f8, expected the byte order"),
            (np.array(["a"] * 4), out, TypeError, "x: dtype <U1, expected float16"),
            ([1.0] * 4, out, TypeError, "x: list, expected an array"),
            (x, [1.0] * 4, TypeError, "out: list, expected an array"),
            (x, np.broadcast_to(1.0, 4), libsugar.ArgumentError, "out: read-only"),
            (out[1:], out[:-1], libsugar.OverlapError, "y: overlaps x"),
            (np.ones(9, "u1, f8")["f1"], np.ones(9), libsugar.ArgumentError, "x: a stride of 9 bytes"),
        ]
        for given, target, kind, message in wrong:
            with self.subTest(message), self.assertRaisesRegex(kind, message):
                activation.forward(given, target)
        np.testing.assert_array_equal(out, 7)

    def test_messages_of_threads(self) -> None:
        """Each thread raises what it did wrong itself."""
        wrong: list[str] = []

        def fail(name: str) -> None:
            for _ in range(300):
                try:
                    libsugar.Activation(name)
                except libsugar.SpecError as error:
                    if f"'{name}'" not in str(error):
                        wrong.append(str(error))

        threads = [threading.Thread(target=fail, args=("x" * n,)) for n in (5, 6, 7)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])


class Loading(unittest.TestCase):
    """An ImportError, whatever SUGAR_LIBRARY leads to."""

    def failure(self, library: object) -> str:
        found = subprocess.run([sys.executable, "-c", "import libsugar"], stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "SUGAR_LIBRARY": str(library)})
        self.assertNotEqual(found.returncode, 0)
        return found.stderr.splitlines()[-1]

    def refused(self, library: object, text: str) -> None:
        self.assertRegex(self.failure(library), f"^ImportError: libsugar: '{re.escape(str(library))}' {text}.*; "
                                                f"expected SUGAR_LIBRARY to be the path of {c.library.soname}")

    def test_none(self) -> None:
        self.refused("/nowhere/libsugar.so", "cannot be loaded")

    def test_others(self) -> None:
        """A library of another name, of another ABI, and one that lacks a function: copies of ours, renamed within."""
        mine = Path(c.library.path)
        if not mine.exists():
            self.skipTest("skipped: the library was found by its name, not by a path")
        with tempfile.TemporaryDirectory() as folder:
            other = Path(folder) / "other.so"
            for name, renamed, text in (
                    (c.library.soname, "libsugar.so.?", f"does not call itself {c.library.soname}"),
                    ("sugar_monitor_merge", "sugar_monitor_xxxxx", "has no sugar_monitor_merge")):
                code = mine.read_bytes()
                self.assertIn(name.encode() + b"\0", code)
                other.write_bytes(code.replace(name.encode() + b"\0", renamed.encode() + b"\0"))
                self.refused(other, re.escape(text))


class Threads(unittest.TestCase):
    def tearDown(self) -> None:
        libsugar.set_threads(1)

    def test_same_bits(self) -> None:
        activation = libsugar.Activation("mish~bsilu")
        x = np.random.default_rng(5).standard_normal(1 << 18).astype(np.float32)
        one = activation.forward(x), activation.backward(x, x)
        context = libsugar.Context(2)
        ways: tuple[Any, ...] = ({"threads": 2}, {"context": context}, {"threads": 1})
        ways_set: tuple[Any, ...] = (2, context, 1)
        for options in ways:
            np.testing.assert_array_equal(activation.forward(x, **options), one[0])
            np.testing.assert_array_equal(activation.backward(x, x, **options), one[1])
        for threads in ways_set:
            libsugar.set_threads(threads)
            self.assertEqual(libsugar.get_threads(), 1 if threads == 1 else 2)
            np.testing.assert_array_equal(activation.forward(x), one[0])

    def test_zero(self) -> None:
        """0 stands for as many threads as the process may use, and so does nothing said; the count is the library's."""
        activation = libsugar.Activation("mish")
        x = np.random.default_rng(6).standard_normal(1 << 18).astype(np.float32)
        alone = activation.forward(x)
        everything = libsugar.Context()
        self.assertGreaterEqual(everything.threads, 1)
        self.assertEqual(libsugar.Context(0).threads, everything.threads)
        self.assertEqual(libsugar.Context(0, lambda task, count: None).threads, everything.threads)
        self.assertEqual([libsugar.Context(n).threads for n in (1, 3)], [1, 3])
        np.testing.assert_array_equal(activation.forward(x, context=everything), alone)
        np.testing.assert_array_equal(activation.forward(x, threads=0), alone)
        libsugar.set_threads(0)
        self.assertEqual(libsugar.get_threads(), everything.threads)
        np.testing.assert_array_equal(activation.forward(x), alone)
        if hasattr(os, "sched_setaffinity"):
            before = os.sched_getaffinity(0)
            self.addCleanup(os.sched_setaffinity, 0, before)
            copied = pickle.dumps(everything)
            os.sched_setaffinity(0, {min(before)})
            self.assertEqual(libsugar.Context().threads, 1)
            self.assertEqual(pickle.loads(copied).threads, 1)       # what was asked for, not what it was there

    def test_pool_is_used(self) -> None:
        """With three threads set, the process has two more, until it is set back."""
        tasks = Path("/proc/self/task")
        if not tasks.exists():
            self.skipTest("skipped: no /proc to count threads")
        _context.pool.cache_clear()
        gc.collect()
        before = len(list(tasks.iterdir()))
        libsugar.set_threads(3)
        self.assertEqual(len(list(tasks.iterdir())), before + 2)
        libsugar.set_threads(1)
        gc.collect()
        self.assertEqual(len(list(tasks.iterdir())), before)

    def test_parallel_for(self) -> None:
        """The caller's pool; every task is done once, also by one that fails, or does them not or twice."""
        activation = libsugar.Activation("mish")
        x = np.random.default_rng(8).standard_normal(1 << 18)
        names = set()

        def accumulated(context: libsugar.Context | None) -> Any:
            return activation.backward(x, x, np.ones_like(x), accumulate=True, context=context)

        def note(task: Callable[[int], None]) -> Callable[[int], None]:
            def noted(index: int) -> None:
                names.add(threading.current_thread().name)
                task(index)

            return noted

        def failing(task: Callable[[int], None], count: int) -> None:
            task(0)
            raise ValueError("no more")

        with ThreadPoolExecutor(2, "worker") as executor:
            ways: tuple[Any, ...] = (lambda task, count: list(executor.map(note(task), range(count))),
                                     lambda task, count: [executor.submit(task, i) for i in range(count)],
                                     lambda task, count: None,
                                     lambda task, count: [task(i % count) for i in range(2 * count)])
            for way in ways:
                np.testing.assert_array_equal(accumulated(libsugar.Context(4, way)), accumulated(None))
        self.assertTrue(names and all(name.startswith("worker") for name in names), names)
        with mock.patch.object(sys, "unraisablehook") as hook:
            np.testing.assert_array_equal(accumulated(libsugar.Context(4, failing)), accumulated(None))
        self.assertIn("no more", str(hook.call_args[0][0].exc_value))

    def test_gil(self) -> None:
        """Python goes on in this thread while another is inside a call."""
        activation = libsugar.Activation("mish", level="scalar")
        x = np.ones(1 << 23, np.float32)
        inside: list[float] = []

        def call() -> None:
            inside.append(time.perf_counter())
            activation.forward(x, x)
            inside.append(time.perf_counter())

        thread = threading.Thread(target=call)
        ticks = []
        thread.start()
        while thread.is_alive():
            ticks.append(time.perf_counter())
            time.sleep(0.001)
        begin, end = inside
        middle = [tick for tick in ticks if begin + 0.1 * (end - begin) < tick < end - 0.1 * (end - begin)]
        self.assertGreater(len(middle), 2, f"a call of {end - begin:.3f} s")

    def test_monitor_in_turns(self) -> None:
        activation, monitor = libsugar.Activation("relu"), libsugar.Monitor(64)
        x = np.ones((512, 64), np.float32)

        def feed() -> None:
            for _ in range(50):
                activation.forward(x, monitor=monitor)
                monitor.summary()

        threads = [threading.Thread(target=feed) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(monitor.summary().samples, 4 * 50 * x.size)


class Monitors(unittest.TestCase):
    def setUp(self) -> None:
        self.x = np.random.default_rng(6).standard_normal((7, 5, 11)).astype(np.float32)
        self.x[:, 2] = -np.abs(self.x[:, 2])
        self.x[0, 0, 0] = np.inf
        self.monitor = libsugar.Monitor(5, axis=-2, minimum=-2, maximum=2)
        libsugar.Activation("relu").forward(self.x, monitor=self.monitor)

    def test_against_numpy(self) -> None:
        seen = self.monitor.summary()
        finite = self.x[np.isfinite(self.x)].astype(float)
        self.assertEqual(seen[:5], (5, self.x.size, (self.x > 0).sum(), 1, 1))
        self.assertEqual((seen.axis, seen.bins), (-2, 32))
        np.testing.assert_allclose(seen[5:8], (1 - (self.x > 0).mean(), finite.mean(), finite.std()), rtol=1e-12)
        unit = self.x[:, 3].astype(float)
        self.assertEqual(self.monitor.unit(3)[:3], (77, (unit > 0).sum(), 0))
        np.testing.assert_allclose(self.monitor.unit(3)[3:], (
            unit.sum(), (unit * unit).sum(), unit.mean(), unit.std()), rtol=1e-12)
        self.assertEqual(self.monitor.dead().tolist(), [2])
        self.assertEqual(self.monitor.dead(1.0).tolist(), [0, 1, 2, 3, 4])
        counts, edges = self.monitor.histogram()
        np.testing.assert_allclose(edges, np.linspace(-2, 2, 31), atol=1e-12)
        self.assertEqual(counts[0], (self.x < -2).sum())
        np.testing.assert_array_equal(counts[1:-1].sum() + counts[-1], (self.x >= -2).sum())

    def test_copies(self) -> None:
        saved = self.monitor.save()
        for other in (libsugar.Monitor.restore(saved), pickle.loads(pickle.dumps(self.monitor)),
                      copy.deepcopy(self.monitor)):
            self.assertEqual(other.save(), saved)
            other.observe(self.x, threads=2)
            self.assertEqual(other.summary().samples, 2 * self.x.size)
        self.assertEqual(self.monitor.save(), saved)
        damaged = bytearray(saved)
        damaged[40] ^= 1
        with self.assertRaises(libsugar.DataError):
            libsugar.Monitor.restore(bytes(damaged))

    def test_merge_and_reset(self) -> None:
        other = copy.copy(self.monitor)
        other.merge(self.monitor)
        self.assertEqual(other.summary().active, 2 * self.monitor.summary().active)
        self.assertIn("5 units, 1 dead", repr(other))
        with self.assertRaisesRegex(libsugar.ArgumentError, "same"):
            other.merge(other)
        with self.assertRaises(TypeError):
            other.merge(None)  # type: ignore[arg-type]
        other.reset()
        self.assertEqual(other.summary().samples, 0)

    def test_refusals(self) -> None:
        wrong: tuple[tuple[Callable[[], Any], str], ...] = (
                (lambda: libsugar.Monitor(0), "units"), (lambda: libsugar.Monitor((1 << 64) + 1), "units"),
                (lambda: libsugar.Monitor(3, axis=0), "axis: 0, expected -1, the last one, down to -64"),
                (lambda: libsugar.Monitor(3, axis=-65), "axis: -65, expected -1"),
                (lambda: libsugar.Monitor(3, axis=1 << 32), "axis: 4294967296, expected -1"),
                (lambda: self.monitor.unit(5), "index"), (lambda: self.monitor.dead(2), "rate"),
                (lambda: self.monitor.observe(self.x[:, :4]), "x: extent 4"))
        for call, message in wrong:
            with self.assertRaisesRegex(libsugar.ArgumentError, message):
                call()
        with self.assertRaisesRegex(libsugar.UnsupportedError, "bins 33, expected 0 or 32"):
            libsugar.Monitor(3, bins=33)


class Commands(unittest.TestCase):
    def output(self, main: Callable[[], Any]) -> tuple[Any, str, str]:
        out, error = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
            result = main()
        return result, out.getvalue(), error.getvalue()

    def test_main(self) -> None:
        result, out, error = self.output(__main__.main)
        self.assertEqual((result, error), (0, ""))
        self.assertIn("bsilu(alpha=1.67)", out)
        self.assertRegex(out, r"scalar \((in use|available)\)")
        self.assertRegex(out, r"Self-check: 4\d\d calls .* every bit as it should be\n$")

    def test_main_fails(self) -> None:
        case = copy.deepcopy(_check.cases()[0])
        case["memories"][1]["after"] = case["memories"][1]["before"]
        with mock.patch.object(_check, "cases", return_value=[case]):
            result, out, error = self.output(__main__.main)
        self.assertEqual(result, 1)
        self.assertRegex(error, r"0: kind \(identity\): memory 1\[1\]: ")
        self.assertRegex(out, r"Self-check: 1 calls .* 1\d differences\n$")

    def test_overhead(self) -> None:
        with mock.patch("timeit.repeat", side_effect=lambda call, **_: [call() is None, 0.02]), (
                mock.patch.object(sys, "argv", ["overhead", "8"])):
            out = self.output(overhead.main)[1]
        self.assertRegex(out, r"^8 elements")
        self.assertRegex(out, r"backward\(x, dy, out\) +\d")


class Introspection(unittest.TestCase):
    def test_catalogue(self) -> None:
        expected = json.loads((BINDINGS / "api.json").read_text())
        for kind in expected["catalogue"]:
            names = [one["name"] for one in kind["parameters"]]
            for one in kind["parameters"]:
                one["not_above"] = names[one["not_above"]] if one["not_above"] >= 0 else None
        self.assertEqual([{**kind._asdict(), "roles": list(kind.roles), "capabilities": list(kind.capabilities),
                           "parameters": [one._asdict() for one in kind.parameters]}
                          for kind in libsugar.catalogue()], expected["catalogue"])
        self.assertEqual([level.name for level in libsugar.levels()], expected["levels"])
        self.assertEqual((libsugar.version(), libsugar.__version__), (expected["version"],) * 2)

    def test_activation(self) -> None:
        activation = libsugar.Activation(" relu ~ bsilu ", level="scalar")
        self.assertEqual((activation.spec, activation.level), ("relu~bsilu(alpha=1.67)", "scalar"))
        self.assertEqual(repr(activation), 'libsugar.Activation("relu~bsilu(alpha=1.67)")')
        for other in (pickle.loads(pickle.dumps(activation)), copy.deepcopy(activation)):
            self.assertEqual((other, hash(other), other.level), (activation, hash(activation), "scalar"))
        self.assertNotEqual(activation, libsugar.Activation("relu", level="scalar"))
        self.assertNotEqual(activation, "relu")
        self.assertEqual(pickle.loads(pickle.dumps(libsugar.Context(2))).threads, 2)

    def test_table(self) -> None:
        rows = [(0, 0, 0), (1, 1, 0)]
        activation = libsugar.Activation("table~relu", table=rows)
        self.assertRegex(activation.spec, r"^table\(digest=[0-9a-f]{16}\)~relu$")
        self.assertEqual(activation.forward(np.array([-1.0, 0.5, 3.0])).tolist(), [0, 0.5, 1])
        for other in (pickle.loads(pickle.dumps(activation)), libsugar.Activation(activation.spec, table=iter(rows))):
            self.assertEqual(other, activation)
        with self.assertRaisesRegex(libsugar.ArgumentError, "table: row 1 has 2 numbers, expected 3"):
            libsugar.Activation("table", table=[(0, 0, 0), (1, 1)])
        for wrong, message in ((5, "table: int, expected rows of three numbers"),
                               (np.array(5), "table: ndarray, expected rows"),
                               ([(0, 0, 0), 3], r"table: row 1 is 3, expected three numbers: knot, value, slope"),
                               ([("a", 1, 2), (2, 3, 4)], r"table: row 0 is \('a', 1, 2\), expected three numbers"),
                               ([(1, None, 2)], r"table: row 0 is \(1, None, 2\), expected three numbers")):
            table: Any = wrong
            with self.assertRaisesRegex(TypeError, message):
                libsugar.Activation("table", table=table)
        with self.assertRaisesRegex(libsugar.ArgumentError, "table: NULL, expected the knots"):
            libsugar.Activation("table")

    def test_info(self) -> None:
        spec = "hardtanh(min_val=-2,max_val=0.1)~bsilu(alpha=1.5,domain=negative,blend=0.25)"
        info = libsugar.Activation(spec, level="scalar").info
        self.assertEqual(info[:8], (spec, "scalar", ("hardtanh", {"min_val": -2, "max_val": 0.1}),
                                    ("bsilu", {"alpha": 1.5}), "negative", 0.25, True,
                                    ("save_byte", "differentiate_twice")))
        self.assertLess(info.gradient_minimum, info.gradient_maximum)
        level = libsugar.Activation("relu").level
        self.assertEqual(libsugar.Activation("relu").info,
                         ("relu", level, ("relu", {}), None, "all", 0, True,
                          ("start_from_output", "save_byte", "save_bit", "differentiate_twice"), 0, 1))
        self.assertFalse(libsugar.Activation("prelu~bsilu").info.uses_own_derivative)

    def test_docstrings(self) -> None:
        """The header's words stand below those of the layer."""
        for item, words in ((libsugar.Activation.forward, "y = f(x), element by element"),
                            (libsugar.Activation.backward, "SUGAR_CALL_ACCUMULATE"),
                            (libsugar.Monitor.merge, "sums are added in f64")):
            self.assertIn(words, str(item.__doc__))
        for name in libsugar.__all__:
            self.assertTrue(getattr(libsugar, name).__doc__, name)

    def test_plot_without_matplotlib(self) -> None:
        with mock.patch.dict(sys.modules, {"matplotlib": None}), self.assertRaisesRegex(ImportError, "pip install"):
            libsugar.plot("relu~bsilu")


if __name__ == "__main__":
    unittest.main()
