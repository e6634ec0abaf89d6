"""watch of libsugar.torch: what is counted, when, in which form it is shown; and two processes.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_torch_watch.py

Exits with 77 where there is no torch. What needs matplotlib says so where it is skipped.
"""

from __future__ import annotations

import contextlib
import copy
import datetime
import gc
import importlib.util
import io
import pickle
import sys
import tempfile
import unittest
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from unittest import mock

import torch
import torch.nn.functional as F
from libsugar.torch import Activation, convert, watch
from torch import nn
from torch.utils.checkpoint import checkpoint


def network() -> Any:
    """Three units behind the first layer, of which one is dead; behind the second all live for some inputs."""
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 4), Activation("relu~bsilu"))
    with torch.no_grad():
        for layer in (model[0], model[2]):
            layer.weight.copy_(torch.eye(*layer.weight.shape))
            layer.bias.zero_()
        model[0].bias[2] = -100.0
        model[2].bias[3] = 1.0
    return model


X = torch.tensor([[1.0, -1.0], [2.0, 0.5]])


class Called(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.act = nn.Tanh()

    def forward(self, x: torch.Tensor) -> Any:
        return self.act(F.relu(x))


class Checkpointed(nn.Module):
    def __init__(self, reentrant: bool) -> None:
        super().__init__()
        self.inner, self.reentrant = network(), reentrant

    def forward(self, x: torch.Tensor) -> Any:
        return checkpoint(self.inner, x, use_reentrant=self.reentrant)


class Tags(HTMLParser):
    """Raises where an element is closed that is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.append(tag)
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open.pop() != tag:
            raise AssertionError(f"</{tag}> closes another element")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Watching(unittest.TestCase):
    def test_counts(self) -> None:
        model = network()
        with watch(model) as seen:
            for _ in range(5):
                model(X)
            model.eval()(X)
            first, second = seen.record().layers.values()
        model.train()(X)
        self.assertEqual([first.last.summary().samples, second.last.summary().samples], [5 * 2 * 3, 5 * 2 * 4])
        self.assertEqual((list(first.last.dead()), list(second.last.dead())), ([2], [2]))
        self.assertEqual(seen.record().layers["1"].last.summary().samples, 30)     # after close
        lines = seen.table().splitlines()
        self.assertEqual(lines[0].split()[:7], ["layer", "activation", "units", "dead", "nearly", "dead", "not"])
        self.assertEqual(lines[1].split()[:6], ["1", "ReLU", "3", "1", "1", "50.0"])
        self.assertEqual(lines[2].split()[:2], ["3", "relu~bsilu(alpha=1.67)"])
        self.assertEqual(str(seen), seen.table())

    def test_when(self) -> None:
        """Each so manyth call, in train() or in eval(); windows begin anew."""
        model = network()
        with watch(model, every=3, window=2) as seen, watch(model.eval(), training=False) as other:
            model.train()
            for step in range(13):      # counted: 0, 3, 6, 9, 12
                model(X if step < 4 else -X)
            layer = seen.record().layers["1"]
            self.assertEqual([(one.step, one.dead) for one in layer.history], [(4, 1), (10, 2)])
            self.assertEqual([one.summary().samples for one in (layer.first, layer.last)], [12, 12])
            self.assertEqual(other.record().layers, {})
            self.assertIn("nothing counted yet", other.table())
            model.eval()(X)
            self.assertEqual(other.record().layers["1"].last.summary().samples, 6)

    def test_axes(self) -> None:
        """The last one, but for images; as one says; and one module for several widths."""
        for shape, axis, units in (((2, 5), None, 5), ((2, 3, 5), None, 5), ((2, 3, 5, 6), None, 3),
                                   ((2, 3, 5, 6, 7), None, 3), ((2, 3, 5, 6), -1, 6), ((2, 3, 5), {"0": -2}, 3)):
            model = nn.Sequential(nn.ReLU())
            with watch(model, axis=axis) as seen:
                model(torch.ones(shape))
            self.assertEqual(seen.record().layers["0"].last.summary().units, units)
        with watch(model) as seen:
            for width in (3, 4, 3, 4):
                model(torch.ones(2, width))
        self.assertEqual({name: one.last.summary().samples for name, one in seen.record().layers.items()},
                         {"0": 12, "0 (4)": 16})
        with watch(model, axis=-3), self.assertRaisesRegex(ValueError, r"axis: -3, expected -1 to -2: 0 gets \(2, 3\)"):
            model(torch.ones(2, 3))

    def test_errors(self) -> None:
        wrong: Any = (("every: 0, expected", {"every": 0}), ("window: 1.5, expected", {"window": 1.5}),
                      ("axis: key 'act', expected .*, of 1, 3", {"axis": {"act": -1}}), ("minimum", {"minimum": 9.0}))
        for message, options in wrong:
            with self.assertRaisesRegex(ValueError, message):
                watch(network(), **options)
        with self.assertRaisesRegex(ValueError, "Linear has no activation among its modules"):
            watch(nn.Linear(1, 1))
        whole = nn.Sequential(nn.ReLU())
        with watch(whole), self.assertRaisesRegex(TypeError, "monitor: x has dtype torch.int64, expected float16"):
            whole(torch.arange(3))

    def test_checkpoint(self) -> None:
        """What is computed again counts once."""
        for reentrant in (True, False):
            model = Checkpointed(reentrant)
            x = X.clone().requires_grad_()
            with watch(model) as outside, watch(model.inner) as inside:
                model(x).sum().backward()
                checkpoint(model, x, use_reentrant=reentrant).sum().backward()
            for seen, name in ((outside, "inner.1"), (inside, "1")):
                self.assertEqual(seen.record().layers[name].last.summary().samples, 12)

    def test_compile(self) -> None:
        """Also where it was compiled before; and not after close. A whole graph is refused."""
        model = network()
        compiled = torch.compile(model, backend="aot_eager")
        compiled(X)
        with watch(model) as seen:
            compiled(X)
            self.assertEqual(seen.record().layers["1"].last.summary().samples, 6)
            torch.compiler.reset()      # or it would take the graphs that it has
            with self.assertRaisesRegex(Exception, "watch counts outside of graphs"):
                torch.compile(model, backend="aot_eager", fullgraph=True)(X)
        compiled(X)
        self.assertEqual(seen.record().layers["1"].last.summary().samples, 6)

    def test_converted(self) -> None:
        """Calls are named as not seen; modules that convert left or made are."""
        model = Called()
        convert(model, {"relu": "relu~bsilu"})
        with watch(model) as seen:
            model(X)
        self.assertEqual(list(seen.record().layers), ["act"])
        self.assertRegex(seen.table(), "not seen: F.relu in Called.forward, line [0-9]+, a call and no module")
        model = network()
        convert(model, {nn.ReLU: "relu~elu"})
        with watch(model) as seen:
            model(X)
        self.assertEqual(seen.record().layers["1"].activation, "relu~elu(alpha=1)")

    def test_copies(self) -> None:
        """Of a watched model count for themselves."""
        model = network()
        with watch(model) as seen:
            model(X)
            for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
                other(X)
        self.assertEqual(seen.record().layers["1"].last.summary().samples, 6)

    def test_live(self) -> None:
        """On a terminal a table in place of the last one; elsewhere a line without escape codes."""
        for file, live, expected in ((io.StringIO(), True, "step 1: 2 of 7 units dead (1: 1, 3: 1)\n"),
                                     (io.StringIO(), None, ""), (Terminal(), False, "")):
            with contextlib.redirect_stderr(file):
                model = network()
                with watch(model, window=1, live=live):
                    model(X)
            self.assertEqual(file.getvalue(), expected)
        with contextlib.redirect_stderr(Terminal()) as terminal:
            with watch(model, window=1) as seen:
                model(X)
                model(X)
                table = seen.table()
        self.assertEqual(terminal.getvalue(), f"step 1: 2 of 7 units dead (1: 1, 3: 1)\n{table}\n\x1b[4F\x1b[J"
                         f"step 2: 2 of 7 units dead (1: 1, 3: 1)\n{table}\n")

    def test_report(self) -> None:
        model = nn.Sequential()
        model.add_module("a<b", nn.ReLU())
        with watch(model, window=1) as seen, tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "report.html"
            seen.report(path)       # before anything was seen
            self.assertIn("nothing counted yet", path.read_text(encoding="utf-8"))
            model(X)
            model(torch.full((2, 2), float("nan")))
            seen.report(path)
            text = path.read_text(encoding="utf-8")
        tags = Tags()
        tags.feed(text)
        self.assertEqual(tags.open, [])
        self.assertEqual(tags.seen.count("svg"), 5)     # four plots, and one line of the legend
        self.assertFalse({"script", "link", "img"} & set(tags.seen))
        self.assertIn("<td>a&lt;b</td><td>ReLU</td><td>2</td><td>2</td>", text)
        self.assertNotRegex(text, "[MLd \"](nan|inf)")

    @unittest.skipUnless(importlib.util.find_spec("matplotlib"), "skipped: there is no matplotlib")
    def test_plot(self) -> None:
        import matplotlib
        matplotlib.use("Agg")
        model = network()
        with watch(model, window=1) as seen:
            model(X)
            model(-X)
        dead, inputs = seen.plot().axes
        self.assertEqual([(one.get_label(), list(one.get_ydata())) for one in dead.lines],
                         [("1", [1, 2]), ("3", [1, 2])])
        self.assertEqual([round(sum(one.get_ydata())) for one in inputs.lines], [100, 100])
        with mock.patch.dict(sys.modules, {"matplotlib": None}):
            self.assertRaisesRegex(ImportError, "needs matplotlib", seen.plot)


def process(rank: int, folder: str) -> None:
    """One of two, which see different halves."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/group", rank=rank, world_size=2,
                                         timeout=datetime.timedelta(seconds=60))
    torch.save(train(X[:1] if rank == 0 else torch.cat([-X[:1]] * 2)), f"{folder}/{rank}")
    gc.collect()        # a model that outlives its group may hang as it goes
    torch.distributed.destroy_process_group()


def train(x: torch.Tensor) -> list[Any]:
    model = nn.parallel.DistributedDataParallel(network())
    with watch(model, window=1) as seen:
        for _ in range(2):
            model(x).sum().backward()
        merged = seen.merge()
    return [merged.layers["module.1"].last.save(), seen.record().layers["module.1"].last.save(), merged.table()]


class Processes(unittest.TestCase):
    def test_merge(self) -> None:
        """Both have the same result: a unit is dead where it is dead in both."""
        from libsugar import Monitor
        with tempfile.TemporaryDirectory() as folder:
            torch.multiprocessing.spawn(process, (folder,), nprocs=2)
            first, second = (torch.load(f"{folder}/{rank}") for rank in (0, 1))
        self.assertEqual((first[0], first[2]), (second[0], second[2]))
        merged, one, other = (Monitor.restore(saved) for saved in (first[0], first[1], second[1]))
        self.assertEqual([list(each.dead()) for each in (merged, one, other)], [[2], [1, 2], [0, 2]])
        self.assertEqual(merged.summary().samples, one.summary().samples + other.summary().samples)


if __name__ == "__main__":
    unittest.main()
