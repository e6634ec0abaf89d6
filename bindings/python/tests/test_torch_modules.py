"""libsugar.torch.Activation as a module: what training, saving, distributing and threads do with it.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_torch_modules.py
"""

from __future__ import annotations

import copy
import gc
import io
import pickle
import tempfile
import threading
import unittest
from pathlib import Path
from typing import Any

import libsugar
import libsugar.torch
import torch
import torch.distributed
import torch.multiprocessing
from libsugar.torch import Activation, _library
from torch import nn
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.utils.checkpoint import checkpoint
from torch_cases import difference, disagreements, gradient, in_c, points

SPEC = "relu~bsilu(domain=negative)"


def network(*activations: nn.Module, width: int = 12) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Linear(6, width)]
    for one in activations:
        layers += [one, nn.Linear(width, width)]
    return nn.Sequential(*layers)


def through_file(module: nn.Module) -> nn.Module:
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    made: nn.Module = torch.load(file)      # weights_only is its default
    return made


class State(unittest.TestCase):
    def test_keys(self) -> None:
        """A model has the keys that it has with PyTorch's modules, and loads what those saved."""
        theirs = network(nn.ReLU(), nn.PReLU(12))
        ours = network(Activation(SPEC), Activation("prelu", num_parameters=12))
        keys = [key.replace("weight", "parameter") if key == "3.weight" else key for key in theirs.state_dict()]
        self.assertEqual(list(ours.state_dict()), keys)
        self.assertEqual(list(Activation(SPEC).state_dict()), [])
        plain = network(nn.ReLU())
        network(Activation(SPEC)).load_state_dict(plain.state_dict())

    def test_copies(self) -> None:
        x = points(torch.float32)[:-1].clamp(-9, 9).view(-1, 20)
        modules = [Activation(SPEC), Activation("prelu", num_parameters=20), Activation("relu", save="bit"),
                   Activation("elu(alpha=0.3)", learn=True, level="scalar", axis=-1)]
        modules[0].blend = 0.25
        for module in modules:
            for copied in (copy.deepcopy(module), pickle.loads(pickle.dumps(module)), copy.copy(module),
                           copy.deepcopy(module).double().float()):
                self.assertEqual((repr(copied), copied.spec, copied.blend, copied.level, copied.save),
                                 (repr(module), module.spec, module.blend, module.level, module.save))
                self.assertTrue(torch.equal(copied(x), module(x)))
                self.assertTrue(torch.equal(gradient(copied, x), gradient(module, x)))

    def test_a_copy_is_its_own(self) -> None:
        module = Activation(SPEC)
        copied = copy.deepcopy(module)
        copied.blend = 0.5
        self.assertEqual((module.blend, copied.blend, float(module._blend), float(copied._blend)), (1, 0.5, 1, 0.5))

    def test_weights_only(self) -> None:
        for module in (Activation(SPEC), libsugar.torch.BSiLU(), libsugar.torch.NeLU(0.1), libsugar.torch.Sugar(),
                       libsugar.torch.ReluNelu(), Activation("prelu", num_parameters=3)):
            loaded = through_file(module)
            self.assertEqual((type(loaded), repr(loaded)), (type(module), repr(module)))

    def test_weights_only_with_a_monitor(self) -> None:
        monitor = libsugar.Monitor(3)
        module = Activation(SPEC, monitor=monitor)
        module(torch.ones(2, 3))
        self.assertEqual(through_file(module).monitor.summary(), monitor.summary())

    def test_blend_stays(self) -> None:
        """to(), half() and a device without memory leave the share as it is."""
        x = torch.linspace(-3, 3, 20)
        module = Activation("relu~bsilu(blend=0.3)")
        for moved in (module.half(), module.bfloat16(), module.to("meta").to_empty(device="cpu"), module.float()):
            self.assertEqual((float(moved._blend), moved._blend.dtype), (0.3, torch.float64))
            self.assertEqual(disagreements([moved.spec], x, [moved(x)], [gradient(moved, x)]), [])

    def test_refused(self) -> None:
        cases: tuple[tuple[dict[str, Any], str], ...] = (
            ({"save": "all"}, "save: 'all', expected 'input', 'byte' or 'bit'"),
            ({"learn": True}, "learn: True, expected False: relu has no parameter"),
            ({"num_parameters": 2}, "learn: True, expected False: relu has no parameter"),
            ({"num_parameters": 0, "learn": False}, "num_parameters: 0, expected 1 or more"))
        for options, message in cases:
            with self.assertRaisesRegex(ValueError, message):
                Activation("relu", **options)
        with self.assertRaisesRegex(ValueError, "save: 'byte', expected 'input': the gradient of the parameter"):
            Activation("prelu", save="byte")
        with self.assertRaisesRegex(ValueError, "blend: 0.5, expected nothing: tanh has no surrogate"):
            Activation("tanh").blend = 0.5
        with self.assertRaisesRegex(libsugar.SpecError, "blend"):
            Activation(SPEC).blend = 1.5
        for x in (torch.randn(3), torch.randn(3, requires_grad=True)):
            with self.assertRaisesRegex(ValueError, "save: 'byte', expected 'input': the gradient of the parameter"):
                Activation("elu~silu", learn=True, save="byte")(x)
        with self.assertRaisesRegex(ValueError, "forward_fn: .*, expected a module that learns no parameter"):
            libsugar.torch.Sugar(Activation("prelu"), "nelu")
        with self.assertRaisesRegex(ValueError, r"x: shape \(2, 4\), expected 3 channels in axis 1"):
            Activation("prelu", num_parameters=3)(torch.randn(2, 4))

    def test_layout_is_kept(self) -> None:
        x = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last).requires_grad_()
        for module in (Activation(SPEC), Activation("prelu", num_parameters=3), Activation("relu", save="bit")):
            y = module(x)
            (dx,) = torch.autograd.grad(y.sum(), x)
            for one in (y, dx):
                self.assertTrue(one.is_contiguous(memory_format=torch.channels_last))


class Training(unittest.TestCase):
    def test_learns(self) -> None:
        """The parameter moves as PyTorch's own does, and a monitor sees every sample."""
        x = torch.randn(64, 6, generator=torch.Generator().manual_seed(1))
        monitor = libsugar.Monitor(12)
        torch.manual_seed(2)
        ours = network(Activation("prelu", num_parameters=12, monitor=monitor))
        theirs = network(nn.PReLU(12))
        theirs[0].load_state_dict(ours[0].state_dict())
        theirs[2].load_state_dict(ours[2].state_dict())
        for model in (ours, theirs):
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(10):
                optimizer.zero_grad()
                ((model(x) - x.repeat(1, 2)) ** 2).mean().backward()
                optimizer.step()
        self.assertEqual(monitor.summary().samples, 10 * 64 * 12)
        found, expected = ours[1].parameter, theirs[1].weight
        self.assertFalse(torch.allclose(expected, torch.full((12,), 0.25)))
        self.assertTrue(torch.allclose(found, expected, rtol=1e-4, atol=1e-6))

    def test_surrogate(self) -> None:
        """As by the formula of forward gradient injection."""
        def injected(x: torch.Tensor) -> torch.Tensor:
            s = torch.sigmoid(x)
            slope = (s + (x + 1.67) * s * (1 - s)).detach()
            return x * slope - (x * slope).detach() + torch.relu(x).detach()

        x = 3 * torch.randn(5, 6)
        for save, error in (("input", 1e-6), ("byte", 1.5 / 255)):
            found = gradient(Activation("relu~bsilu", save=save), x)
            self.assertTrue(torch.allclose(found, gradient(injected, x), rtol=0, atol=error), save)

    def test_autocast(self) -> None:
        x = torch.randn(32, 6)
        torch.manual_seed(1)
        model = network(Activation(SPEC), Activation("elu", learn=True))
        scaler = torch.amp.GradScaler("cpu", init_scale=8)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        seen: list[torch.dtype] = []
        model[1].register_forward_hook(lambda module, given, y: seen.append(y.dtype))
        for step in (model, torch.compile(model, backend="aot_eager")):
            exact = torch.autograd.grad(model(x).square().mean(), list(model.parameters()))
            with torch.autocast("cpu", torch.bfloat16):
                loss = step(x).square().mean()
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            for one, right in zip(model.parameters(), exact):
                assert one.grad is not None
                self.assertEqual(one.grad.dtype, torch.float32)
                self.assertLess((one.grad - right).abs().max(), 0.05 * right.abs().max() + 1e-3)
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()
        self.assertIn(torch.bfloat16, seen)

    def test_checkpoint(self) -> None:
        """What is computed again is not counted again, and draws the same slopes."""
        for reentrant in (False, True):
            for kind in ("rrelu", SPEC):
                monitor = libsugar.Monitor(5)
                module = Activation(kind, monitor=monitor)
                x = torch.randn(40, 5, requires_grad=True)
                y = checkpoint(lambda x: module(x) * 1, x, use_reentrant=reentrant)
                y.sum().backward()
                self.assertEqual(monitor.summary().samples, 200)
                if kind == "rrelu":
                    self.assertEqual(difference(x.grad, y / x), "")

    def test_schedule(self) -> None:
        """blend may change between steps, in eager and in compiled models."""
        x = torch.linspace(-3, 3, 20)
        module = Activation(SPEC)
        for way in (module, torch.compile(module, backend="aot_eager")):
            for module.blend in (1.0, 0.6, 0.0):
                self.assertEqual(disagreements([module.spec], x, None, [gradient(way, x)]), [])

    def test_schedule_in_a_compiled_step(self) -> None:
        module = Activation(SPEC)

        def step(x: torch.Tensor, blend: float) -> torch.Tensor:
            module.blend = blend
            made: torch.Tensor = module(x)
            return made

        x = torch.linspace(-3, 3, 20)
        torch.compiler.reset()
        compiled = torch.compile(step, backend="aot_eager")
        for blend in (0.5, 0.25, 1.0):
            found = gradient(lambda x: compiled(x, blend), x)
            self.assertEqual(disagreements([f"relu~bsilu(domain=negative, blend={blend})"], x, None, [found]), [])


class Random(unittest.TestCase):
    """rrelu draws its slopes in train(), from PyTorch's generator, in each way."""

    def ways(self) -> dict[str, Any]:
        torch.compiler.reset()
        module = Activation("rrelu(lower=0.2, upper=0.6)")
        return {"eager": module, "compiled": torch.compile(module, backend="aot_eager", fullgraph=True),
                "by formulas": lambda x: torch.func.vmap(module, randomness="different")(x)}

    def test_draws(self) -> None:
        x = -torch.ones(10, 1000)
        for name, way in self.ways().items():
            with self.subTest(name):
                torch.manual_seed(5)
                first, second = way(x), way(x)
                torch.manual_seed(5)
                self.assertTrue(torch.equal(way(x), first))
                self.assertFalse(torch.equal(second, first))
                slopes = -first
                self.assertTrue(bool((0.2 <= slopes).all()) and bool((slopes <= 0.6).all()))
                self.assertAlmostEqual(float(slopes.mean()), 0.4, delta=0.01)
                self.assertAlmostEqual(float(slopes.std()), 0.4 / 12 ** 0.5, delta=0.01)

    def test_gradient_has_the_same_slopes(self) -> None:
        x = torch.randn(100)
        for name, way in self.ways().items():
            with self.subTest(name):
                xs = x.clone().requires_grad_()
                y = way(xs)
                (dx,) = torch.autograd.grad(y.sum(), xs, create_graph=name == "eager")
                self.assertEqual(difference(dx, y / x), "")

    def test_forward_mode(self) -> None:
        x = torch.randn(100)
        module = Activation("rrelu")
        y, dy = torch.func.jvp(module, (x,), (torch.ones_like(x),))
        self.assertEqual(difference(dy, y / x), "")
        jacobian = torch.func.jacfwd(module, randomness="same")(x)
        slopes = jacobian.diagonal()[x <= 0]
        self.assertTrue(bool((slopes >= 1 / 8).all()) and bool((slopes <= 1 / 3).all()))

    def test_evaluation(self) -> None:
        x = torch.randn(100)
        module = Activation("rrelu(lower=0.2, upper=0.6)").eval()
        self.assertEqual(disagreements([module.spec], x, [module(x)], [gradient(module, x)]), [])


class Threads(unittest.TestCase):
    def tearDown(self) -> None:
        torch.set_num_threads(self.before)

    def setUp(self) -> None:
        self.before = torch.get_num_threads()

    def test_pool_gives_the_same_bits(self) -> None:
        try:
            _library.parallel_for()
        except (OSError, AttributeError):
            self.skipTest("skipped: there is no libsugar_frameworks.so, or PyTorch is older than 2.10")
        x = torch.randn(8, 50, 501)
        modules = [Activation(SPEC), Activation("elu", learn=True), Activation("relu~bsilu", save="byte"),
                   Activation("relu~bsilu", monitor=libsugar.Monitor(501))]
        made = []
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            self.assertEqual(_library.options_for(x.numel()) == _library.ALONE, threads == 1)
            for given in (x, x.transpose(0, 1), x[:, :, ::2]):
                for module in modules[:3] if given.shape[-1] != 501 else modules:
                    y = module(given)
                    made.append((threads, y, gradient(module, given)))
        one = [results for threads, *results in made if threads == 1]
        for threads in (2, 3):
            for found, right in zip([results for count, *results in made if count == threads], one):
                self.assertTrue(all(torch.equal(a, b) for a, b in zip(found, right)))

    def test_calls_from_several_threads(self) -> None:
        """One module, used by several threads at a time, while PyTorch has threads of its own."""
        torch.set_num_threads(2)
        module = Activation("relu~bsilu")
        x = torch.randn(300, 500)
        expected = in_c(module.spec, x)
        wrong: list[int] = []

        def work(number: int) -> None:
            for _ in range(5):
                xs = x.clone().requires_grad_()
                y = module(xs)
                y.sum().backward()
                if not (torch.equal(y, expected[0]) and torch.equal(xs.grad, expected[1])):
                    wrong.append(number)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        self.assertEqual(wrong, [])


# ---- Two processes --------------------------------------------------------------------------------------------------


def distributed_model() -> nn.Sequential:
    torch.manual_seed(3)
    return network(Activation(SPEC), Activation("prelu", num_parameters=12), Activation("silu", learn=True))


def batch() -> torch.Tensor:
    return torch.randn(8, 6, generator=torch.Generator().manual_seed(4))


def step(model: nn.Module, x: torch.Tensor) -> None:
    model(x).square().mean().backward()


def wrapped(way: str, model: nn.Module, mesh: Any) -> nn.Module:
    if way == "DDP":
        return nn.parallel.DistributedDataParallel(model)
    policy = MixedPrecisionPolicy(torch.bfloat16, torch.float32) if way == "FSDP2 in bf16" else MixedPrecisionPolicy()
    fully_shard(model, mesh=mesh, mp_policy=policy)
    return model


def train(way: str, rank: int, mesh: Any) -> None:
    """On half of the batch; the gradients are those of the whole in one process."""
    alone, model = distributed_model(), wrapped(way, distributed_model(), mesh)
    step(alone, batch())
    step(model, batch()[4 * rank:4 * rank + 4])
    for one, right in zip(model.parameters(), alone.parameters()):
        found: Any = one.grad if way == "DDP" else one.grad.full_tensor()
        allowed = 0.05 * right.grad.abs().max() + 1e-4 if "bf16" in way else torch.tensor(1e-6)
        said = difference(found, right.grad, allowed)
        assert not said, f"{way}: {said}"
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    step(model, batch())


def in_process(rank: int, file: str) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=2)
    mesh = torch.distributed.init_device_mesh("cpu", (2,))
    for way in ("DDP", "FSDP2", "FSDP2 in bf16"):
        train(way, rank, mesh)
    # Both have done with the other, and hold nothing that works on: else a process may be aborted at its end.
    torch.distributed.barrier()
    gc.collect()
    torch.distributed.destroy_process_group()


class Distributed(unittest.TestCase):
    def test_two_processes(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            torch.multiprocessing.spawn(in_process, (str(Path(folder) / "store"),), nprocs=2)


if __name__ == "__main__":
    unittest.main()
