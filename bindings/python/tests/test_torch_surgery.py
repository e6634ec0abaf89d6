"""convert and restore of libsugar.torch, on models of every kind of spelling, and on models of transformers.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_torch_surgery.py

Exits with 77 where there is no torch. What needs transformers or onnxscript says so where it is skipped.
"""

from __future__ import annotations

import copy
import functools
import gc
import importlib.util
import inspect
import io
import pickle
import tempfile
import unittest
import warnings
from typing import Any, Callable

import libsugar.torch
import torch
import torch.nn.functional as F
from libsugar.torch import convert, restore
from libsugar.torch._spellings import FUNCTIONS
from torch import nn
from torch.utils.checkpoint import checkpoint

BSILU: Any = {"relu": "relu~bsilu"}


def helper(x: torch.Tensor) -> torch.Tensor:
    return F.relu(x)


def called(function: Any, args: tuple[float, ...], x: torch.Tensor) -> Any:
    return function(x.clone(), *args)


class Block(nn.Module):
    """relu, spelled in many ways, with a condition."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.relu = nn.Linear(8, 8), nn.ReLU(inplace=True)
        self.function = F.relu

    def forward(self, x: torch.Tensor, scale: float = 1.0) -> torch.Tensor:
        x = self.relu(self.linear(x)) - 0.2
        if x.shape[0] > 1:
            x = F.relu(x, inplace=True) - 0.1
        x = self.function(x) - 0.05
        return scale * helper(x - 0.01) + torch.relu(x) + x.relu()


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.elu = Block(), Block(), nn.ELU(alpha=0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.elu(self.second(self.first(x)) - 0.5)
        return made


class Inner(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.linear(x))


class Outer(nn.Module):
    """A checkpoint of a module, or of a function."""

    def __init__(self, of_module: bool, reentrant: bool) -> None:
        super().__init__()
        self.inner, self.of_module, self.reentrant = Inner(), of_module, reentrant

    def forward(self, x: torch.Tensor) -> Any:
        function = self.inner if self.of_module else lambda x: F.relu(self.inner.linear(x))
        return checkpoint(function, x, use_reentrant=self.reentrant)


class Crossed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear, self.act = nn.Linear(4, 4), nn.SiLU()

    def forward(self, x: torch.Tensor) -> Any:
        return self.act(F.relu(self.linear(x)))


class Copied(Inner):
    def __deepcopy__(self, memo: Any) -> Any:
        return Inner()


class Call(nn.Module):
    """Any function as a module's forward."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


class OneModule(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear, self.act = nn.Linear(8, 4), nn.GELU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.act(self.linear(x))
        return made


def quietly(model: nn.Module, mapping: Any, **options: Any) -> libsugar.torch.Report:
    """convert, where the source does not show what a test calls."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return convert(model, mapping, **options)


def gradients(model: Any, inputs: Any) -> torch.Tensor:
    model.zero_grad()
    found = model(**inputs) if isinstance(inputs, dict) else model(inputs)
    (found if isinstance(found, torch.Tensor) else found[0]).square().sum().backward()
    return torch.cat([one.grad.flatten() for one in model.parameters() if one.grad is not None])


class Converted(unittest.TestCase):
    def setUp(self) -> None:
        torch.manual_seed(2)
        torch._dynamo.reset()
        self.model, self.x = Model(), torch.randn(16, 8)

    def test_every_spelling(self) -> None:
        """Values as before; the gradient is that of the same model written with the surrogate in each place."""
        expected, plain = self.model(self.x), gradients(self.model, self.x)
        keys = list(self.model.state_dict())
        report = convert(self.model, {**BSILU, "elu": "elu~silu"})
        self.assertEqual(list(self.model.state_dict()), keys)
        self.assertTrue(torch.allclose(self.model(self.x), expected, atol=1e-6))
        act = libsugar.torch.Activation("relu~bsilu")

        def block(one: Block, x: torch.Tensor) -> torch.Tensor:
            x = act(act(act(one.linear(x)) - 0.2) - 0.1) - 0.05
            return act(x - 0.01) + act(x) + act(x)

        with torch.enable_grad():
            made = block(self.model.second, block(self.model.first, self.x)) - 0.5
            loss = libsugar.torch.activation(made, "elu(alpha=0.5)~silu").square().sum()
        by_hand = torch.cat([one.flatten() for one in torch.autograd.grad(loss, list(self.model.parameters()))])
        found = gradients(self.model, self.x)
        self.assertTrue(torch.allclose(found, by_hand, rtol=1e-4, atol=1e-5))
        self.assertGreater((found - plain).abs().max().item(), 0.01)
        shown = str(report)
        for part in ("first.relu", "F.relu in Block.forward", "F.relu in helper", ".relu in Block", "relu~bsilu",
                     "the attribute function", "elu(alpha=0.5)~silu"):
            self.assertIn(part, shown)
        self.assertEqual((len(report.replaced), report.left), (13, ()))    # 6 in each block, and elu
        self.assertEqual(str(inspect.signature(self.model.first.forward)),
                         "(x: 'torch.Tensor', scale: 'float' = 1.0) -> 'torch.Tensor'")

    def test_functions(self) -> None:
        """Each function that computes an activation, as the mode sees it."""
        x = torch.linspace(-3, 3, 50).reshape(5, 10)
        needed = {"threshold": (0.5, 0.1), "threshold_": (0.5, 0.1), "_threshold": (0.5, 0.1)}
        for function, (name, inplace) in FUNCTIONS.items():
            args = needed.get(function.__name__, ())
            model = Call(functools.partial(called, function, args))
            expected = model(x)
            kind = {"logsigmoid": "log_sigmoid"}.get(name, name)
            quietly(model, {kind: "heaviside~gaussian_spike"})
            self.assertTrue(torch.equal(model(x), (x > 0).to(x.dtype)), function)
            restore(model)
            quietly(model, {kind: kind})
            self.assertTrue(torch.allclose(model(x), expected, atol=1e-6), function)

    def test_arguments(self) -> None:
        x = torch.linspace(-3, 3, 50)
        for function in (lambda x: F.elu(x, 0.5), lambda x: F.leaky_relu(x, negative_slope=0.3),
                         lambda x: F.hardtanh(x, -2, max_val=0.5), lambda x: F.softshrink(x, lambd=0.7),
                         lambda x: F.gelu(x, approximate="tanh"), lambda x: F.softplus(x, 2.0, 30),
                         lambda input: torch.relu(input=input), lambda x: F.relu(x.int()),
                         lambda x: torch.tanh(x, out=torch.empty(50))):
            model = Call(function)
            expected = model(x)
            quietly(model, {kind: kind for kind in ("elu", "leaky_relu", "hardtanh", "softshrink", "gelu_tanh", "relu",
                                                    "softplus", "tanh")})
            self.assertTrue(torch.allclose(model(x), expected, atol=1e-6))
        model = Call(lambda x: F.softplus(x, 1, 2))
        quietly(model, {"softplus": "softplus"})
        with self.assertRaisesRegex(ValueError, "softplus in a converted forward: threshold: 2, expected 20 or more"):
            model(x)

    def test_inplace(self) -> None:
        """Others see that the input changes, unless one says that nobody looks."""
        def function(x: torch.Tensor) -> torch.Tensor:
            F.relu_(x)
            return x

        x = torch.linspace(-1, 1, 9)
        for model in (Call(function), nn.Sequential(nn.ReLU(inplace=True))):
            for keep in (True, False):
                quietly(model, BSILU, keep_inplace=keep)
                given = x.clone().requires_grad_() * 1
                model(given)
                self.assertEqual(torch.equal(given, x.relu()), keep)
                self.assertEqual(torch.equal(given, x), not keep)
                restore(model)
        model = Call(function)
        quietly(model, BSILU)
        x.requires_grad_()
        (found,) = torch.autograd.grad(model(x * 1).sum(), x)
        (expected,) = torch.autograd.grad(libsugar.torch.activation(x, "relu~bsilu").sum(), x)
        self.assertTrue(torch.equal(found, expected))

    def test_keys(self) -> None:
        """A name before a class, a class before a pattern, a pattern before a kind."""
        model = nn.Sequential(nn.Sequential(nn.ReLU(), nn.ReLU(), nn.Linear(2, 2)), nn.GELU(), nn.ReLU(), nn.Tanh())
        convert(model, {"0.1": "relu~elu", nn.GELU: "relu~nelu", "0.*": "relu~silu", "relu": "relu~bsilu",
                        "tanh": lambda: libsugar.torch.Activation("squareplus", learn=True)})
        specs = [one.spec for one in model.modules() if isinstance(one, libsugar.torch.Activation)]
        self.assertEqual([spec.partition("(")[0] for spec in specs],
                         ["relu~silu", "relu~elu", "relu~nelu", "relu~bsilu", "squareplus"])
        self.assertEqual(len(list(model[3].parameters())), 1)

    def test_device(self) -> None:
        model = nn.Sequential(nn.Linear(2, 2), nn.ReLU()).to("meta")
        convert(model, {"relu": lambda: libsugar.torch.Activation("prelu~silu")})
        self.assertEqual({one.device.type for one in (*model.parameters(), *model.buffers())}, {"meta"})

    def test_distributed(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/group", rank=0, world_size=1)
            try:
                before = gradients(self.model, self.x)
                model = nn.parallel.DistributedDataParallel(self.model)
                with self.assertRaisesRegex(ValueError, "would not see, expected convert before it"):
                    convert(model, {"relu": lambda: libsugar.torch.Activation("prelu~silu")})
                convert(model, BSILU)
                self.assertGreater((gradients(model, self.x) - before).abs().max().item(), 0.01)
                del model       # one that outlives its group may hang as it goes
                gc.collect()
            finally:
                torch.distributed.destroy_process_group()

    def test_shared_and_hooked(self) -> None:
        act, seen = nn.ReLU(), []
        handle = act.register_forward_hook(lambda *_: seen.append(1))
        model = nn.Sequential(act, nn.Linear(3, 3), act).eval()
        convert(model, BSILU)
        self.assertIs(model[0], model[2])
        self.assertFalse(model[0].training)
        model(torch.ones(1, 3))
        self.assertEqual(len(seen), 2)
        handle.remove()
        model.train()(torch.ones(1, 3))
        self.assertEqual(len(seen), 2)
        restore(model)
        self.assertTrue(model[0] is act and model[2] is act and act.training)

    def test_restore(self) -> None:
        before = gradients(self.model, self.x)
        modules = [(name, one, type(one), set(vars(one))) for name, one in self.model.named_modules()]
        convert(self.model, BSILU)
        after = gradients(self.model, self.x)
        file = io.BytesIO()
        torch.save(self.model, file)
        file.seek(0)
        for other in (copy.deepcopy(self.model), pickle.loads(pickle.dumps(self.model)),
                      torch.load(file, weights_only=False)):
            self.assertIsInstance(other, Model)
            self.assertTrue(torch.equal(gradients(other, self.x), after))
            restore(other)
            self.assertTrue(torch.equal(gradients(other, self.x), before))
        with self.assertRaisesRegex(ValueError, "converted already.*restore"):
            convert(self.model, BSILU)
        restore(self.model)
        self.assertEqual([(name, one, type(one), set(vars(one))) for name, one in self.model.named_modules()], modules)
        self.assertTrue(torch.equal(gradients(self.model, self.x), before))
        with self.assertRaisesRegex(ValueError, "model: Model, expected one that convert has changed"):
            restore(self.model)

    def test_compile(self) -> None:
        convert(self.model, {**BSILU, "elu": "elu~silu"})
        eager = gradients(self.model, self.x)
        compiled = torch.compile(self.model, fullgraph=True, backend="aot_eager")
        self.assertTrue(torch.allclose(gradients(compiled, self.x), eager, rtol=1e-4, atol=1e-5))
        self.model.first.compile(fullgraph=True, backend="aot_eager")   # a part, called under the mode
        self.assertTrue(torch.allclose(gradients(self.model, self.x), eager, rtol=1e-4, atol=1e-5))

    def test_func(self) -> None:
        """An autograd.Function in a wrapped forward, which that of an activation module is, too."""
        model = nn.Sequential(OneModule())
        convert(model, {"gelu": "gelu~silu"})
        whole = functools.partial(torch.func.functional_call, model)
        each = torch.func.vmap(torch.func.grad(lambda values, x: whole(values, (x,)).square().sum()), (None, 0))
        found = each(dict(model.named_parameters()), self.x)
        made = torch.cat([one.sum(0).flatten() for one in found.values()])
        self.assertTrue(torch.allclose(made, gradients(model, self.x), rtol=1e-4, atol=1e-5))

    def test_export(self) -> None:
        expected = self.model(self.x)
        convert(self.model, BSILU)
        self.model.eval()
        exported = torch.export.export(self.model, (self.x,))
        names = {str(node.target) for node in exported.graph.nodes if node.op == "call_function"}
        self.assertIn("aten.relu.default", names)
        self.assertFalse([name for name in names if "sugar" in name])
        self.assertTrue(torch.equal(exported.module()(self.x), expected))

    @unittest.skipUnless(importlib.util.find_spec("onnxscript"), "skipped: there is no onnxscript")
    def test_onnx(self) -> None:
        convert(self.model, BSILU)
        program: Any = torch.onnx.export(self.model.eval(), (self.x,), dynamo=True, verbose=False)
        kinds = {node.op_type for node in program.model_proto.graph.node}
        self.assertLessEqual(kinds, {"Gemm", "Relu", "Elu", "Sub", "Add", "Mul", "Identity"})
        self.assertIn("Relu", kinds)

    def test_checkpoint(self) -> None:
        """A module is computed again as it was; a function could not be, and says so. Compiled, both are right."""
        x = torch.randn(6, 4, requires_grad=True)
        for of_module in (True, False):
            for reentrant in (True, False):
                torch._dynamo.reset()
                model = Outer(of_module, reentrant)
                alone = copy.deepcopy(model.inner)
                quietly(alone, BSILU)
                quietly(model, BSILU)
                (expected,) = torch.autograd.grad(alone(x).sum(), x)

                def gradient(one: Any) -> Any:
                    x.grad = None
                    one(x).sum().backward()
                    return x.grad

                compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
                self.assertTrue(torch.allclose(gradient(compiled), expected, atol=1e-5))
                if of_module:
                    self.assertTrue(torch.equal(gradient(model), expected))
                else:
                    with self.assertRaisesRegex(RuntimeError, "relu: called in a function under torch.utils"):
                        model(x)

    def test_crossed(self) -> None:
        """What takes the place of one kind is not taken for another."""
        model, x = Crossed(), torch.randn(5, 4)
        expected = F.relu(F.silu(model.linear(x)))
        quietly(model, {"relu": "silu", "silu": "relu", "sigmoid": "tanh", "tanh": "sigmoid"})
        exported = torch.export.export(model.eval(), (x,)).module()
        for found in (model, torch.compile(model, fullgraph=True, backend="aot_eager"), exported):
            self.assertTrue(torch.allclose(found(x), expected, atol=1e-6))

    def test_transformer_layers(self) -> None:
        """Of PyTorch, whose operator for eval() knows relu and gelu alone."""
        x, mask = torch.randn(2, 5, 8), torch.tensor([[False] * 5, [False] * 3 + [True] * 2])
        for act in ("relu", nn.ReLU()):
            layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation=act)
            model = nn.TransformerEncoder(layer, 2).eval()
            other = copy.deepcopy(model)
            for one in other.layers:
                one.__dict__.pop("activation", None)
                one.activation, one.activation_relu_or_gelu = nn.SiLU(), 0
            with torch.no_grad():
                before = model(x)
                convert(model, {"relu" if act == "relu" else nn.ReLU: "silu"})
                self.assertTrue(torch.allclose(model(x), other(x), atol=1e-6))
                self.assertTrue(torch.allclose(model(x, src_key_padding_mask=mask)[1, :3],
                                               other(x, src_key_padding_mask=mask)[1, :3], atol=1e-6))
                restore(model)
                self.assertTrue(torch.equal(model(x), before))


class Refused(unittest.TestCase):
    def test_left(self) -> None:
        """With the reason."""
        graph = torch.fx.symbolic_trace(Inner())
        late: Any = Inner()
        late.forward = late.forward
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            script = torch.jit.script(nn.ReLU())
        model = nn.ModuleDict({"rnn": nn.RNN(2, 2, nonlinearity="relu"), "prelu": nn.PReLU(), "script": script,
                               "late": late, "graph": graph, "softplus": nn.Softplus(threshold=3), "inner": Inner(),
                               "copied": Copied()})
        report = quietly(model, {"relu": nn.SiLU, "prelu": "prelu", "softplus": "softplus", nn.Linear: "relu",
                                 "script": "relu", "tanh": "tanh"})
        self.assertEqual(report.replaced, ())
        left = {line.where: line.result for line in report.left}
        for where, reason in (("rnn", "inside of PyTorch's operator"), ("prelu", "state of its own"),
                              ("script", "TorchScript"), ("late", "set on the object"), ("graph", "copies itself"),
                              ("softplus", "threshold: 3"), ("inner", "by a spec alone"), ("copied", "__deepcopy__"),
                              ("inner.linear", "state of its own")):
            self.assertIn(reason, left[where])
        self.assertIn("left as it is", str(report))

    def test_halved(self) -> None:
        """A unit that halves its input has no activation's place."""
        model = nn.Sequential(nn.Linear(4, 8), nn.GLU(), libsugar.torch.SwiGLU(), nn.ReLU())
        x = torch.randn(3, 4)
        before = model(x)

        class Own(nn.GLU):
            pass

        for key, name in ((nn.GLU, "GLU"), (Own, "Own"), (libsugar.torch.SwiGLU, "SwiGLU")):
            with self.assertRaisesRegex(ValueError, f"mapping: key {name}, which halves its input: 'sigmoid', "
                                                    "expected a function that makes a libsugar.torch.GatedLinearUnit"):
                convert(model, {"relu": "relu", key: "sigmoid"})
        for mapping, where in (({"1": "sigmoid"}, ["1"]), ({"[12]": "sigmoid"}, ["1", "2"]), ({"[1]": nn.Mish}, ["1"])):
            report = quietly(model, mapping)
            self.assertEqual((report.replaced, [line.where for line in report.left]), ((), where))
            for line in report.left:
                self.assertRegex(line.result, "it halves its input; .*libsugar.torch.GatedLinearUnit")
        self.assertTrue(torch.equal(model(x), before))

        def unit() -> nn.Module:
            return libsugar.torch.GatedLinearUnit("sigmoid", activated="second")

        for key in (nn.GLU, "1"):
            report = convert(model, {key: unit})
            self.assertEqual([line[:2] for line in report.replaced], [("1", "GLU")])
            self.assertTrue(torch.allclose(model(x), before))
            restore(model)

    def test_errors(self) -> None:
        model = nn.Sequential(nn.ReLU(), nn.Sequential(nn.GELU()))
        for error, message, mapping in (
                (ValueError, "key 'rellu', expected a kind .*is it 'relu'", {"rellu": "relu"}),
                (libsugar.SpecError, "found 'rleu'", {"relu": "rleu"}),
                (ValueError, "save: 'bits', expected", BSILU),
                (TypeError, "key 3, expected", {3: "relu"}),
                (TypeError, "key <class 'int'>, expected", {int: "relu"}),
                (TypeError, "value of 'relu': int, expected", {"relu": 3}),
                (TypeError, "value of 'relu': ReLU, expected", {"relu": nn.ReLU()}),
                (TypeError, "made a int, expected", {"relu": int}),
                (TypeError, "mapping: str, expected", "relu")):
            with self.assertRaisesRegex(error, message):
                convert(model, mapping, save="bits" if "bits" in message else "input")
        self.assertEqual([type(one) for one in model.modules()], [nn.Sequential, nn.ReLU, nn.Sequential, nn.GELU])
        with self.assertRaisesRegex(TypeError, "model: str, expected"):
            convert("model", BSILU)
        with self.assertRaisesRegex(ValueError, "ReLU is itself an activation"):
            convert(nn.ReLU(), BSILU)
        with self.assertWarnsRegex(UserWarning, "key 'mish' matches no module and no call"):
            convert(model, {"mish": "relu"})
        with self.assertWarnsRegex(UserWarning, "key Mish matches no module"):
            convert(model, {nn.Mish: "relu"})


@unittest.skipUnless(importlib.util.find_spec("transformers"), "skipped: there is no transformers")
class Transformers(unittest.TestCase):
    """Models that were not written for this: converted, compiled, trained for a step, restored."""

    def check(self, model: Any, inputs: Any, mapping: Any, count: int) -> None:
        torch._dynamo.reset()
        keys, before = list(model.state_dict()), copy.deepcopy(model.state_dict())
        expected, plain = model(**inputs)[0], gradients(model, inputs)
        model.load_state_dict(before)       # batch norm has counted
        report = convert(model, mapping)
        self.assertEqual((len(report.replaced), report.left), (count, ()))
        self.assertEqual(list(model.state_dict()), keys)
        model.load_state_dict(before)
        self.assertTrue(torch.allclose(model(**inputs)[0], expected, atol=1e-5))
        eager = gradients(model, inputs)
        self.assertGreater((eager - plain).abs().max().item(), 1e-3)
        compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
        self.assertTrue(torch.allclose(gradients(compiled, inputs), eager, rtol=1e-3, atol=1e-4))
        torch.optim.SGD(model.parameters(), lr=0.01).step()
        self.assertTrue(all(bool(one.isfinite().all()) for one in model.parameters()))
        restore(model)
        model.load_state_dict(before)
        self.assertTrue(torch.equal(gradients(model, inputs), plain))

    def test_resnet(self) -> None:
        import transformers
        config = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], num_labels=3,
                                           layer_type="basic")
        self.check(transformers.ResNetForImageClassification(config), {"pixel_values": torch.randn(2, 3, 32, 32)},
                   BSILU, 5)

    def test_gpt2(self) -> None:
        import transformers
        config = transformers.GPT2Config(n_embd=16, n_layer=2, n_head=2, vocab_size=50, n_positions=32, attn_pdrop=0,
                                         embd_pdrop=0, resid_pdrop=0, bos_token_id=0, eos_token_id=0)
        self.check(transformers.GPT2LMHeadModel(config), {"input_ids": torch.randint(50, (2, 8))},
                   {"gelu_tanh": "gelu_tanh~silu"}, 2)


if __name__ == "__main__":
    unittest.main()
