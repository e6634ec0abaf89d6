"""convert(fuse=True) of libsugar.torch: gated units in the forwards of models.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_torch_gates.py
"""

from __future__ import annotations

import copy
import functools
import importlib.util
import pickle
import unittest
from typing import Any, Callable
from unittest import mock

import libsugar
import torch
import torch.nn.functional as F
from libsugar.torch import Report, convert, restore
from libsugar.torch import _library as library
from torch import nn


class Mlp(nn.Module):
    """As in Llama."""

    def __init__(self, act: nn.Module | None = None) -> None:
        super().__init__()
        self.gate_proj, self.up_proj, self.down_proj = nn.Linear(4, 6), nn.Linear(4, 6), nn.Linear(6, 4)
        self.act_fn = act or nn.SiLU()

    def forward(self, x: torch.Tensor, scale: float = 1, *, shift: float = 0) -> torch.Tensor:
        """Doc."""
        made: torch.Tensor = self.down_proj(self.act_fn(self.gate_proj(x)) * self.up_proj(x)) * scale + shift
        return made


class Chunked(nn.Module):
    """The halves of one projection; the activation stands last, and is a call."""

    def __init__(self) -> None:
        super().__init__()
        self.into = nn.Linear(4, 12)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, second = self.into(x).chunk(2, -1)
        return first * F.silu(second)


class Mixed(nn.Module):
    """A product that is none of two such tensors, a nested one, and one that a helper inside computes."""

    def __init__(self) -> None:
        super().__init__()
        self.act = nn.SiLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        def inside(x: torch.Tensor) -> torch.Tensor:
            made: torch.Tensor = self.act(x) * x
            return made

        return self.act(x) * 2 + self.act(x[..., :1] * self.act(x)) * x + inside(x)


class Super(Mlp):
    def forward(self, x: torch.Tensor, scale: float = 1, *, shift: float = 0) -> torch.Tensor:
        made: torch.Tensor = self.act_fn(super().forward(x)) * x
        return made


def decorated(function: Any) -> Any:
    @functools.wraps(function)
    def made(*args: Any) -> Any:
        return function(*args)
    return made


class Decorated(Mlp):
    @decorated
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.act_fn(x) * x
        return made


class Stacked(nn.Module):
    """Some of them in a model."""

    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for one in self.parts:
            x = one(x)
        return x


def gradients(model: nn.Module, x: torch.Tensor, call: Callable[..., Any] | None = None) -> list[torch.Tensor]:
    x = x.detach().requires_grad_()
    y = (model if call is None else call)(x)
    return [y.detach(), *torch.autograd.grad(y.square().sum(), [x, *model.parameters()], materialize_grads=True)]


class Fused(unittest.TestCase):
    def setUp(self) -> None:
        torch.manual_seed(1)
        self.x = torch.randn(5, 4, dtype=torch.float64)

    def converted(self, model: nn.Module, mapping: Any = None, **options: Any) -> tuple[nn.Module, nn.Module, Report]:
        """A model with and without gated units in one pass, and the report of that with."""
        model = model.double()
        plain = copy.deepcopy(model)
        convert(plain, mapping or {"silu": "silu~bsilu"}, **options)
        return model, plain, convert(model, mapping or {"silu": "silu~bsilu"}, fuse=True, **options)

    def same(self, model: nn.Module, plain: nn.Module, passes: int, call: Callable[..., Any] | None = None) -> None:
        """The same results, bit by bit, with so many calls of the library that have a gate."""
        with mock.patch.object(library, "forward_fused", wraps=library.forward_fused) as forward, \
                mock.patch.object(library, "backward_fused", wraps=library.backward_fused) as backward:
            found = gradients(model, self.x, call)
        self.assertEqual((forward.call_count, backward.call_count), (passes, passes))
        for one, right in zip(found, gradients(plain, self.x)):
            self.assertTrue(torch.equal(one, right))

    def test_modules_and_calls(self) -> None:
        for parts, passes in (((Mlp(),), 1), ((Chunked(),), 1), ((Mlp(), Mlp(), Mixed()), 3)):
            model, plain, report = self.converted(Stacked(*parts))
            self.same(model, plain, passes)
            lines = [line for line in report.replaced if line.result == "one pass"]
            self.assertEqual(len(lines), 5 if len(parts) == 3 else 1)       # Mixed has three that may be
            self.assertEqual(report.left, ())
        self.assertEqual((lines[0].where, lines[0].what.partition(",")[0]),
                         ("parts.0", "self.act_fn(...) * ... in Mlp.forward"))

    def test_a_model_alone(self) -> None:
        model, plain, _ = self.converted(Mlp())
        self.same(model, plain, 1)
        found = model(self.x, 2, shift=1)
        self.assertTrue(torch.equal(found, plain(self.x, 2, shift=1)))
        self.assertEqual(type(model).forward.__doc__, "Doc.")

    def test_named(self) -> None:
        """Without a kind among the keys: no mode is entered."""
        model, plain, report = self.converted(Mlp(), {"act_fn": "relu~bsilu"})
        self.same(model, plain, 1)
        self.assertEqual(len(report.replaced), 2)

    def test_copied_and_restored(self) -> None:
        model, plain, _ = self.converted(Stacked(Mlp(), Chunked()))
        for made in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            self.same(made, plain, 2)
        restore(model)
        for one, right in zip((*model.parts, model.parts[0].act_fn), (Mlp, Chunked, nn.SiLU)):
            self.assertIs(type(one), right)
        restore(plain)
        self.same(model, plain, 0)

    def test_compiled(self) -> None:
        """The compiler fuses by itself; the code that it traces is what was made."""
        model, plain, _ = self.converted(Stacked(Mlp(), Chunked()))
        torch.compiler.reset()
        compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
        for one, right in zip(gradients(model, self.x, compiled), gradients(plain, self.x)):
            self.assertLess((one - right).abs().max(), 1e-12)
        model = self.converted(Stacked(Mlp(), Chunked()), {"silu": "silu"})[0].eval()
        program = torch.export.export(model, (self.x,))
        self.assertTrue(torch.allclose(program.module()(self.x), model(self.x)))

    def test_seen_by_hooks_and_monitors(self) -> None:
        """Then the activation is called."""
        model, plain, _ = self.converted(Mlp())
        seen: list[Any] = []
        hook = model.act_fn.register_forward_hook(lambda *given: seen.append(1))
        self.same(model, plain, 0)
        self.assertEqual(seen, [1])
        hook.remove()
        self.same(model, plain, 1)
        model.act_fn.monitor = libsugar.Monitor(6)
        self.same(model, plain, 0)

    def test_functional_transforms(self) -> None:
        model, plain, _ = self.converted(Mlp())
        for one, right in zip(torch.func.jacrev(model)(self.x), torch.func.jacrev(plain)(self.x)):
            self.assertLess((one - right).abs().max(), 1e-12)

    def test_left(self) -> None:
        """What it cannot do stands in the report, and computes what it did."""
        set_on_object: Any = Mlp()
        set_on_object.forward = functools.partial(Mlp.forward, set_on_object)
        cases: list[tuple[Any, Any, str]] = [
            (Super(), {}, "uses super()"), (Decorated(), {}, "is decorated"),
            (Stacked(set_on_object), {}, "set on the object"),
            (Mlp(nn.SiLU(inplace=True)), {}, "it writes over its input"),
            (Mlp(), {"save": "byte"}, 'save="byte"')]
        for model, options, reason in cases:
            with self.subTest(reason):
                model, plain, report = self.converted(model, **options)
                if model is not set_on_object:
                    self.same(model, plain, 0)
                lines = [line for line in report.left if "(...) * ..." in line.what]
                self.assertEqual(len(lines), 1, report)
                self.assertIn(reason, lines[0].result)

    def test_without_fuse(self) -> None:
        model = Stacked(Mlp(), Chunked()).double()
        report = convert(model, {"silu": "silu~bsilu"})
        self.assertNotIn("one pass", str(report))
        self.same(model, model, 0)


@unittest.skipUnless(importlib.util.find_spec("transformers"), "skipped: there is no transformers")
class Transformers(unittest.TestCase):
    def test_llama(self) -> None:
        import transformers
        config = transformers.LlamaConfig(hidden_size=16, intermediate_size=32, num_hidden_layers=2, vocab_size=50,
                                          num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=32)
        model = transformers.LlamaForCausalLM(config)
        plain = copy.deepcopy(model)
        convert(plain, {"silu": "silu"})
        report = convert(model, {"silu": "silu"}, fuse=True)
        self.assertEqual(str(report).count("one pass"), 2, report)
        tokens = torch.randint(50, (2, 8))
        for one, right in zip(*[torch.autograd.grad(one(input_ids=tokens).logits.square().sum(), list(one.parameters()))
                                for one in (model, plain)]):
            self.assertTrue(torch.equal(one, right))


if __name__ == "__main__":
    unittest.main()
