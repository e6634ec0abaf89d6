"""libsugar.torch in programs that leave Python: torch.export, ONNX, torch.jit.trace, torch.fx.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_torch_export.py

What needs onnx, onnxruntime and onnxscript is skipped where they are not.
"""

from __future__ import annotations

import importlib.util
import io
import unittest
import warnings
from typing import Any, Sequence

import torch
from libsugar.torch import Activation, activation
from torch_cases import FORWARD, LEARNING, TYPES, bound, difference, gradient, in_c, points

# Forward functions alone are exported; that of the last has a surrogate.
SPECS = (*FORWARD, "threshold(threshold=0.5,value=-2)", "hardtanh(min_val=-2,max_val=0.5)", "silu(beta=0.37)",
         "softplus(beta=3.1)", "relu~bsilu")
# PyTorch's operations for these overflow at the greatest numbers and make NaN of an infinity, and gelu loses digits;
# other runtimes need those operations more.
LESS_EXACT = ("gelu", "gelu_tanh", "silu", "mish", "softsign", "hardswish")
ONNX = all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime", "onnxscript"))


class EveryKind(torch.nn.Module):
    """Each of SPECS on the same x, and a parameter for each channel where one can be learned."""

    def __init__(self) -> None:
        super().__init__()
        self.activations = torch.nn.ModuleList(Activation(spec) for spec in SPECS)
        self.learning = torch.nn.ModuleList(Activation(kind, learn=True, num_parameters=3) for kind in LEARNING)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(module(x) for module in (*self.activations, *self.learning))


class Compared(unittest.TestCase):
    def agree(self, found: Sequence[torch.Tensor], x: torch.Tensor, model: EveryKind) -> None:
        for spec, y in zip(SPECS, found):
            expected, kept, more = in_c(spec, x)[0], ~x.isnan(), 1
            if spec in LESS_EXACT:
                kept, more = x.abs() < torch.finfo(x.dtype).max / 8, 4
            said = difference(y[kept], expected[kept], more * bound(expected[kept]))
            self.assertEqual(said, "", f"{spec}, {x.dtype}")
            self.assertTrue(bool(y[x.isnan()].isnan().all()), spec)
        for one, module in zip(found[len(SPECS):], model.learning):
            self.assertEqual(difference(one, module(x)), "", module.spec)

    def inputs(self, dtype: torch.dtype) -> torch.Tensor:
        return points(dtype).view(-1, 3)


class Exported(Compared):
    def test_export(self) -> None:
        """Strict and not, decomposed, and read back from a file; another x than the example, of another length."""
        for dtype in TYPES:
            x, model = self.inputs(dtype), EveryKind().to(dtype).eval()
            for strict in (False, True) if dtype == torch.float32 else (False,):
                program = torch.export.export(model, (torch.randn(5, 3, dtype=dtype),), strict=strict,
                                              dynamic_shapes=({0: torch.export.Dim("rows")},))
                with self.subTest(f"{dtype}, strict={strict}"):
                    self.agree(program.module()(x), x, model)
                if dtype == torch.float32:
                    self.agree(program.run_decompositions().module()(x), x, model)
                    file = io.BytesIO()
                    torch.export.save(program, file)
                    file.seek(0)
                    self.agree(torch.export.load(file).module()(x), x, model)

    def test_no_gradient_is_lost(self) -> None:
        """A surrogate's gradient has no place in an exported program, nor have drawn slopes."""
        x = torch.randn(4)
        for strict in (False, True):
            def export(module: torch.nn.Module) -> Any:
                return torch.export.export(module, (x,), strict=strict).module()(x)

            with self.assertRaisesRegex(RuntimeError, r"training: an exported relu~bsilu.* expected a module"):
                export(Activation("relu~bsilu"))
            with self.assertRaisesRegex(RuntimeError, "training: True, expected False: an exported rrelu"):
                export(Activation("rrelu"))
            with torch.no_grad():
                self.assertEqual(difference(export(Activation("relu~bsilu")), x.relu()), "")
            self.assertEqual(difference(export(Activation("gelu")), in_c("gelu", x)[0]), "")
        with self.assertRaisesRegex(RuntimeError, "training: an exported relu~bsilu"):
            torch.jit.trace(Activation("relu~bsilu"), (x,))

    def test_gradient_of_a_program(self) -> None:
        """An exported program may be trained on, if no gradient but the function's own is asked for."""
        x = 3 * torch.randn(40, dtype=torch.float64)
        for spec in ("relu", "silu(beta=0.37)", "gelu", "squareplus", "bsilu"):
            program = torch.export.export(Activation(spec), (x,)).module()
            self.assertEqual(difference(gradient(program, x), in_c(spec, x)[1], torch.tensor(1e-14)), "", spec)

    def test_known_operations(self) -> None:
        """Other runtimes get PyTorch's own operations where there is one."""
        for spec, operation in (("relu~bsilu", torch.ops.aten.relu.default), ("gelu", torch.ops.aten.gelu.default),
                                ("silu", torch.ops.aten.silu.default), ("sigmoid", torch.ops.aten.sigmoid.default)):
            graph = torch.export.export(Activation(spec).eval(), (torch.randn(3),)).graph
            self.assertEqual([node.target for node in graph.nodes if node.op == "call_function"], [operation])

    def test_jit_trace(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            for dtype in (torch.float32, torch.bfloat16):
                x, model = self.inputs(dtype), EveryKind().to(dtype).eval()
                self.agree(torch.jit.trace(model, (torch.randn(5, 3, dtype=dtype),))(x), x, model)


@unittest.skipUnless(ONNX, "skipped: there is no onnx, onnxruntime or onnxscript")
class Onnx(unittest.TestCase):
    # onnxruntime's own functions are less accurate: what they may be off by, in units of the promised bound.
    allowed = 64

    def run_in_onnxruntime(self, model: torch.nn.Module, x: torch.Tensor) -> tuple[list[str], list[torch.Tensor]]:
        import onnxruntime

        program = torch.onnx.export(model, (x[:5],), dynamo=True, verbose=False,
                                    dynamic_shapes=({0: torch.export.Dim("rows")},))
        assert program is not None
        session = onnxruntime.InferenceSession(program.model_proto.SerializeToString())
        made = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        return [node.op_type for node in program.model_proto.graph.node], [torch.from_numpy(one) for one in made]

    def test_relu(self) -> None:
        operations, (y,) = self.run_in_onnxruntime(Activation("relu~bsilu").eval(), torch.randn(7, 3))
        self.assertEqual(operations, ["Relu"])
        with self.assertRaisesRegex(Exception, "training: an exported relu~bsilu"):
            torch.onnx.export(Activation("relu~bsilu"), (torch.randn(3),), dynamo=True, verbose=False)

    def test_every_kind(self) -> None:
        model = EveryKind().eval()
        x = points(torch.float32).nan_to_num(1, 2, -2).clamp(-1e4, 1e4).view(-1, 3)
        _, found = self.run_in_onnxruntime(model, x)
        for spec, one, right in zip((*SPECS, *LEARNING), found, model(x)):
            with self.subTest(spec):
                bound = self.allowed * torch.finfo(torch.float32).eps * right.detach().abs().clamp(min=1)
                self.assertEqual(difference(one, right, bound), "")


class Fx(unittest.TestCase):
    def test_symbolic_trace(self) -> None:
        """A leaf of the graph, with its surrogate, whichever way it is called."""
        class Model(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.first = Activation("relu~bsilu(blend=0.3)")
                self.second = Activation("prelu", num_parameters=3)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return activation(self.second(self.first(x)), "tanh~elu")

        model = Model()
        traced = torch.fx.symbolic_trace(model)
        x = torch.randn(4, 3)
        self.assertTrue(torch.equal(traced(x), model(x)))
        self.assertTrue(torch.equal(gradient(traced, x), gradient(model, x)))


if __name__ == "__main__":
    unittest.main()
